//! An IMAP server that keeps a few mails rightly and lies in one place that the test chooses.
//!
//! It is no proof that the program works with a server: real ones are there for that. It
//! stands where no real server and no line between can be made to go wrong.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

const CAPABILITIES: &str = "CAPABILITY IMAP4rev1 UIDPLUS";

/// What a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The greeting, which answers no command.
    Greeting,
    /// AUTHENTICATE or LOGIN.
    LogIn,
    /// STATUS.
    Status,
    /// SELECT or EXAMINE.
    Select,
    /// UID SEARCH.
    Search,
    /// FETCH of what summaries are made of.
    List,
    /// FETCH of structures.
    Structure,
    /// FETCH of parts of mails.
    Text,
    /// FETCH of whole mails.
    Mails,
    /// STORE.
    Store,
    /// EXPUNGE.
    Expunge,
    /// LOGOUT.
    LogOut,
    /// CAPABILITY.
    Capability,
    /// NOOP and whatever else a client may ask.
    Other,
}

impl Stage {
    /// What this command, or this piece of a conversation, is for; nothing is the greeting.
    pub fn of(command: &str) -> Self {
        let signs = [
            ("AUTHENTICATE", Self::LogIn),
            ("LOGIN", Self::LogIn),
            ("STATUS", Self::Status),
            ("SELECT", Self::Select),
            ("EXAMINE", Self::Select),
            ("SEARCH", Self::Search),
            ("HEADER.FIELDS", Self::List),
            ("BODYSTRUCTURE", Self::Structure),
            ("BODY.PEEK[]", Self::Mails),
            ("BODY.PEEK[", Self::Text),
            ("STORE", Self::Store),
            ("EXPUNGE", Self::Expunge),
            ("LOGOUT", Self::LogOut),
            ("CAPABILITY", Self::Capability),
        ];
        if command.is_empty() {
            return Self::Greeting;
        }
        let sign = signs.iter().find(|(sign, _)| command.contains(sign));
        sign.map_or(Self::Other, |(_, stage)| *stage)
    }
}

/// What a lie is told with.
pub struct Question<'q> {
    /// The true answer, ready to be sent.
    pub answer: &'q [u8],
    /// The command's tag; `*` for the greeting.
    pub tag: &'q str,
    /// The client.
    pub client: &'q TcpStream,
}

impl Question<'_> {
    /// Sends bytes to the client; an error means that it has gone.
    pub fn say(&self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let mut client = self.client;
        client.write_all(bytes.as_ref())
    }
}

/// Says something in place of the true answer, until it has been said or the client has gone.
pub type Lie = fn(&Question) -> io::Result<()>;

/// A running server. It listens until the test program ends.
pub struct HostileServer {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    mails: BTreeMap<u32, Stored>,
    next: u32,
    lie: Option<(Stage, Lie)>,
    hides_next: bool,
}

struct Stored {
    raw: Vec<u8>,
    deleted: bool,
}

impl HostileServer {
    /// A server whose INBOX is empty.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared {
            next: 1,
            ..Shared::default()
        }));
        let served = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&served);
                // A client that goes away in the middle is what this server is for.
                thread::spawn(move || serve(&client, &shared));
            }
        });
        Self { port, shared }
    }

    /// Puts a mail into the INBOX: text without parts.
    pub fn deliver(&self, mail: &[u8]) {
        let mut shared = self.lock();
        let (uid, raw) = (shared.next, mail.to_vec());
        shared.next += 1;
        let deleted = false;
        shared.mails.insert(uid, Stored { raw, deleted });
    }

    /// Never says which UID comes next, so that clients have to search.
    pub fn hide_next(&self) {
        self.lock().hides_next = true;
    }

    /// Tells this lie once, at this stage.
    pub fn lie_at(&self, stage: Stage, lie: Lie) {
        self.lock().lie = Some((stage, lie));
    }

    /// Whether the lie has been told.
    pub fn has_lied(&self) -> bool {
        self.lock().lie.is_none()
    }

    /// The UIDs of the mails that are there.
    pub fn uids(&self) -> Vec<u32> {
        self.lock().mails.keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }
}

fn serve(client: &TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let greeting = format!("* OK [{CAPABILITIES}] ready\r\n");
    answer(client, shared, Stage::Greeting, "*", greeting.into())?;
    for line in BufReader::new(client).lines() {
        let line = line?;
        let (tag, command) = line.split_once(' ').unwrap_or_default();
        let stage = Stage::of(command);
        let mut said = shared.lock().unwrap().execute(stage, command);
        said.extend(format!("{tag} OK done\r\n").bytes());
        answer(client, shared, stage, tag, said)?;
        if stage == Stage::LogOut {
            break;
        }
    }
    Ok(())
}

fn answer(
    mut client: &TcpStream,
    shared: &Mutex<Shared>,
    stage: Stage,
    tag: &str,
    answer: Vec<u8>,
) -> io::Result<()> {
    let lie = {
        let mut shared = shared.lock().unwrap();
        shared.lie.take_if(|(place, _)| *place == stage)
    };
    match lie {
        None => client.write_all(&answer),
        Some((_, lie)) => lie(&Question {
            answer: &answer,
            tag,
            client,
        }),
    }
}

impl Shared {
    /// The untagged answer to a command, after it has been done.
    fn execute(&mut self, stage: Stage, command: &str) -> Vec<u8> {
        let (count, next) = (self.mails.len(), self.next);
        let uids = command.split(' ').nth(2).unwrap_or_default();
        match stage {
            Stage::Status => {
                format!("* STATUS INBOX (MESSAGES {count} UIDVALIDITY 7 UIDNEXT {next})\r\n").into()
            }
            Stage::Select if self.hides_next => {
                format!("* {count} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n").into()
            }
            Stage::Select => format!(
                "* {count} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT {next}] ok\r\n"
            )
            .into(),
            Stage::Search => {
                let set = command.split("UID ").nth(2).unwrap_or_default();
                let set = set.split(' ').next().unwrap_or_default();
                let found = self.mails.keys().filter(|uid| holds(set, **uid));
                let found: Vec<_> = found.map(|uid| format!(" {uid}")).collect();
                format!("* SEARCH{}\r\n", found.concat()).into()
            }
            Stage::List | Stage::Structure | Stage::Text | Stage::Mails => {
                let mails = self.mails.iter().enumerate();
                let asked = mails.filter(|(_, (uid, _))| holds(uids, **uid));
                asked
                    .flat_map(|(place, (uid, mail))| data(place + 1, *uid, &mail.raw, stage))
                    .collect()
            }
            Stage::Store => {
                let asked = self.mails.iter_mut().filter(|(uid, _)| holds(uids, **uid));
                asked.for_each(|(_, mail)| mail.deleted = true);
                Vec::new()
            }
            Stage::Expunge => self.expunge(uids),
            Stage::LogOut => b"* BYE bye\r\n".to_vec(),
            Stage::Capability => format!("* {CAPABILITIES}\r\n").into(),
            Stage::Greeting | Stage::LogIn | Stage::Other => Vec::new(),
        }
    }

    fn expunge(&mut self, uids: &str) -> Vec<u8> {
        let mut said = Vec::new();
        let gone = |(place, (uid, mail)): (usize, (&u32, &Stored))| {
            (mail.deleted && holds(uids, *uid)).then_some((place + 1, *uid))
        };
        let gone: Vec<_> = self.mails.iter().enumerate().filter_map(gone).collect();
        for (place, uid) in gone.into_iter().rev() {
            self.mails.remove(&uid);
            said.extend(format!("* {place} EXPUNGE\r\n").bytes());
        }
        said
    }
}

/// Whether a set like `1:3,7:*` holds a UID.
fn holds(set: &str, uid: u32) -> bool {
    let end = |text: &str| text.parse().unwrap_or(u32::MAX);
    set.split(',').any(|part| {
        let (from, to) = part.split_once(':').unwrap_or((part, part));
        (end(from)..=end(to)).contains(&uid)
    })
}

/// A FETCH response with what the stage is about.
fn data(place: usize, uid: u32, raw: &[u8], stage: Stage) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    let literal = |text: &str| format!("{{{}}}\r\n{text}", text.len());
    let item = match stage {
        Stage::List => {
            let wanted = ["From:", "Subject:", "Date:", "Message-ID:"];
            let fields = header.lines().filter(|line| {
                let mut names = wanted.iter();
                names.any(|name| line.starts_with(name))
            });
            let fields: String = fields.map(|line| format!("{line}\r\n")).collect();
            format!(
                "RFC822.SIZE {} INTERNALDATE \"06-Jan-2026 12:00:00 +0000\" \
                 BODY[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)]<0> {}",
                raw.len(),
                literal(&(fields + "\r\n"))
            )
        }
        Stage::Structure => format!(
            "BODYSTRUCTURE (\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"8bit\" {} {} \
             NIL NIL NIL NIL)",
            body.len(),
            body.lines().count()
        ),
        Stage::Text => format!("BODY[1] {}", literal(body)),
        _ => format!("BODY[] {}", literal(&text)),
    };
    format!("* {place} FETCH (UID {uid} {item})\r\n").into()
}
