//! Stands between the connection and the `imap` crate.
//!
//! The crate numbers commands, quotes arguments and waits for the answers. What it can't
//! bear (a warning during SELECT, 8-bit text, an odd FETCH: it panics, or gives the
//! connection up) never reaches it: each response is read here, kept in [`Heard`] if it
//! matters, and the crate gets lines that were written here from numbers and fixed words.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::rc::Rc;

use super::capabilities::Capabilities;
use super::cursor::Cursor;
use super::fetch::{self, Fetched};
use super::line::{Line, Status, number, word};
use super::mask;
use super::response::{Bounds, Failure, Response, Responses};
use super::uid_set::UidSet;
use crate::mailbox::login::Mask;
use crate::mailbox::words_of;
use crate::message::Limits;
use crate::net::{Channel, Trace};

/// A log-in asks for more at most this often.
const CONTINUATIONS: u32 = 2;

/// What a command expects in return.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What the answer may cost.
    pub(super) bounds: Bounds,
    /// The mails whose data is kept; that of others is dropped.
    pub(super) wanted: UidSet,
    /// What is asked for of each of them; other sections are dropped.
    pub(super) items: String,
    /// The data that the crate is to read.
    pub(super) data: Data,
}

/// The untagged data that the crate reads for a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Data {
    /// None.
    #[default]
    None,
    /// A folder's numbers (SELECT).
    Folder,
    /// SEARCH.
    Search,
}

/// What the server said, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Data of the mails that the command wanted.
    pub(super) fetched: BTreeMap<u32, Fetched>,
    /// What the server can do, when it has said so.
    pub(super) capabilities: Option<Capabilities>,
    /// How many mails the selected folder holds.
    pub(super) exists: Option<u32>,
    /// STATUS: names in capitals and their numbers.
    pub(super) status: Vec<(Vec<u8>, u32)>,
    /// The code of the last tagged response or farewell, in capitals without arguments.
    pub(super) code: String,
    /// The text of the last tagged response, cleaned.
    pub(super) words: String,
    /// What the server said when it was about to close.
    pub(super) farewell: Option<String>,
}

/// See the module.
pub(super) struct Filter {
    responses: Responses<Box<dyn Channel>>,
    limits: Limits,
    trace: Trace,
    mask: Mask,
    plan: Plan,
    /// Everything that was understood since the last command with a plan.
    pub(super) heard: Heard,
    /// Why nothing more can be read or sent.
    pub(super) failure: Option<Failure>,
    broken: bool,
    /// A list of search results came since the last command.
    searched: bool,
    outgoing: Vec<u8>,
    tag: Vec<u8>,
    /// A log-in is under way, so every line of ours holds secrets.
    authenticating: bool,
    /// How often the server may still ask for more of it.
    continuations: u32,
    ready: io::Cursor<Vec<u8>>,
}

impl Filter {
    pub(super) fn new(
        responses: Responses<Box<dyn Channel>>,
        limits: Limits,
        trace: Trace,
    ) -> Self {
        Self {
            responses,
            limits,
            trace,
            mask: Mask::default(),
            plan: Plan::default(),
            heard: Heard::default(),
            failure: None,
            broken: false,
            searched: false,
            outgoing: Vec::new(),
            tag: Vec::new(),
            authenticating: false,
            continuations: 0,
            ready: io::Cursor::default(),
        }
    }

    /// Hides these credentials in all that is shown.
    pub(super) fn hide(&mut self, mask: Mask) {
        self.mask = mask;
    }

    /// Says what the next command expects, and forgets what was fetched before.
    pub(super) fn expect(&mut self, plan: Plan) {
        self.plan = plan;
        self.searched = false;
        self.heard.fetched.clear();
        self.heard.status.clear();
        self.heard.code.clear();
        self.heard.words.clear();
    }

    pub(super) fn channel(&mut self) -> &mut dyn Channel {
        self.responses.channel().as_mut()
    }

    /// Nothing goes in or out any more.
    pub(super) fn give_up(&mut self) {
        self.broken = true;
    }

    fn fail(&mut self, failure: Failure) -> io::Error {
        self.broken = true;
        self.failure.get_or_insert(failure);
        io::Error::other("the connection was given up")
    }

    fn give_up_if_broken(&self) -> io::Result<()> {
        if self.broken {
            Err(io::Error::other("the connection was given up"))
        } else {
            Ok(())
        }
    }

    /// Reads one response and puts down what the crate is to see of it.
    fn advance(&mut self) -> Result<(), Failure> {
        let response = self.responses.next()?;
        let line = Line::read(&response.text);
        let shown = match line {
            Line::Continuation if self.authenticating => b"+ ***",
            _ => response.text.as_slice(),
        };
        let mask = &self.mask;
        self.trace
            .line(|| format!("S: {}", as_shown(&mask.answer(shown))));
        match line {
            Line::Continuation => self.continuation(),
            Line::Status {
                tag: Some(tag),
                status,
                code,
                text,
            } => {
                if tag != self.tag {
                    return Err(Failure::Protocol(
                        "the answer belongs to another command".into(),
                    ));
                }
                self.code(code);
                let words = self.mask.answer(text);
                self.heard.words = words_of(&words);
                self.heard.code = name_of(code);
                // Nothing found is said with an empty list (RFC 9051, section 6.4.4). No list
                // at all would pass for an empty folder, and mails would be missed.
                if status == Status::Ok && self.plan.data == Data::Search && !self.searched {
                    return Err(Failure::Protocol(
                        "the list of what it found is missing".into(),
                    ));
                }
                self.end(status);
                Ok(())
            }
            Line::Status {
                tag: None,
                status,
                code,
                text,
            } => {
                self.code(code);
                if status == Status::Bye {
                    self.heard.code = name_of(code);
                    self.heard.farewell = Some(words_of(&self.mask.answer(text)));
                }
                Ok(())
            }
            Line::Data { word: name, .. } => {
                let name = name.to_ascii_uppercase();
                self.data(&name, response)
            }
            // Without meaning in this protocol, so without consequence.
            Line::Unknown => Ok(()),
        }
    }

    fn continuation(&mut self) -> Result<(), Failure> {
        self.continuations = self.continuations.checked_sub(1).ok_or_else(|| {
            Failure::Protocol("it asks for more of a command that was complete".into())
        })?;
        self.pass("+ ");
        Ok(())
    }

    fn end(&mut self, status: Status) {
        self.authenticating = false;
        self.continuations = 0;
        let tag = String::from_utf8_lossy(&self.tag).into_owned();
        self.pass(&match status {
            Status::Ok | Status::PreAuth => format!("{tag} OK done"),
            Status::No => format!("{tag} NO refused"),
            Status::Bad => format!("{tag} BAD refused"),
            Status::Bye => format!("{tag} BYE closed"),
        });
    }

    fn pass(&mut self, line: &str) {
        let ready = self.ready.get_mut();
        ready.extend(line.as_bytes());
        ready.extend(b"\r\n");
    }

    /// Codes that mean the same wherever they stand.
    fn code(&mut self, code: &[u8]) {
        let (name, arguments) = word(code);
        match name.to_ascii_uppercase().as_slice() {
            b"CAPABILITY" => self.heard.capabilities = Some(Capabilities::parse(arguments)),
            name @ (b"UIDVALIDITY" | b"UIDNEXT") if self.plan.data == Data::Folder => {
                if let Some(number) = number::<u32>(arguments) {
                    self.pass(&format!(
                        "* OK [{} {number}] ok",
                        String::from_utf8_lossy(name)
                    ));
                }
            }
            _ => {}
        }
    }

    fn data(&mut self, name: &[u8], mut response: Response) -> Result<(), Failure> {
        let Line::Data { number, rest, .. } = Line::read(&response.text) else {
            return Ok(());
        };
        match (name, number) {
            (b"FETCH", Some(_)) => {
                if let Some((uid, mut fetched)) = fetch::read(response, &self.limits)
                    && self.plan.wanted.contains(uid)
                {
                    let items = &self.plan.items;
                    fetched.keep_sections(|name| items.contains(&format!("PEEK[{name}]")));
                    self.heard.fetched.entry(uid).or_default().merge(fetched);
                }
            }
            (b"EXISTS", Some(count)) => {
                self.heard.exists = Some(count);
                if self.plan.data == Data::Folder {
                    self.pass(&format!("* {count} EXISTS"));
                }
            }
            (b"EXPUNGE", Some(_)) => {
                self.heard.exists = self.heard.exists.map(|count| count.saturating_sub(1));
            }
            (b"CAPABILITY", None) => self.heard.capabilities = Some(Capabilities::parse(rest)),
            (b"SEARCH", None) if self.plan.data == Data::Search => {
                let uids: Vec<String> = found(rest)?.iter().map(u32::to_string).collect();
                self.searched = true;
                self.pass(format!("* SEARCH {}", uids.join(" ")).trim_end());
            }
            (b"STATUS", None) => self.heard.status = folder_status(&mut response),
            _ => {}
        }
        Ok(())
    }
}

/// A code in capitals without its arguments.
fn name_of(code: &[u8]) -> String {
    let (name, _) = word(code);
    String::from_utf8_lossy(name).to_ascii_uppercase()
}

/// The numbers of a SEARCH response. `(MODSEQ 7)` may follow them (RFC 7162, section
/// 3.1.5). A number that can't be read may be a mail that would be missed.
fn found(list: &[u8]) -> Result<Vec<u32>, Failure> {
    list.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .take_while(|word| !word.starts_with(b"("))
        .map(|word| {
            number(word).ok_or_else(|| {
                Failure::Protocol("its list of mails holds something that is no number".into())
            })
        })
        .collect()
}

/// The numbers of a STATUS response; what can't be read is left out. It is taken for the
/// folder that was asked for, however the server writes its name.
fn folder_status(response: &mut Response) -> Vec<(Vec<u8>, u32)> {
    let mut cursor = Cursor::new(response);
    let mut status = Vec::new();
    for _ in ["*", "STATUS", "name"] {
        if cursor.text().is_err() {
            return status;
        }
    }
    cursor.skip_blanks();
    cursor.eat(b'(');
    loop {
        cursor.skip_blanks();
        let name = cursor.atom().to_ascii_uppercase();
        if name.is_empty() {
            return status;
        }
        if let Some(number) = cursor.number() {
            status.push((name, number));
        }
    }
}

/// Literals as their sizes, without the line ends that follow their announcements.
fn as_shown(text: &str) -> String {
    text.replace("}\r\n", " bytes}")
}

/// The stream that the crate holds.
#[derive(Clone)]
pub(super) struct Tap(pub(super) Rc<RefCell<Filter>>);

impl std::fmt::Debug for Tap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tap")
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filter = self.0.borrow_mut();
        loop {
            let read = filter.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            filter.ready = io::Cursor::default();
            filter.give_up_if_broken()?;
            if let Err(failure) = filter.advance() {
                return Err(filter.fail(failure));
            }
        }
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut filter = self.0.borrow_mut();
        filter.give_up_if_broken()?;
        filter.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// A command is complete. It goes out in one piece.
    fn flush(&mut self) -> io::Result<()> {
        let mut filter = self.0.borrow_mut();
        let bytes = std::mem::take(&mut filter.outgoing);
        if bytes.is_empty() {
            return Ok(());
        }
        filter.give_up_if_broken()?;
        let continued = filter.authenticating;
        filter
            .trace
            .line(|| format!("C: {}", mask::command(&bytes, continued)));
        if !continued {
            let (tag, rest) = word(&bytes);
            filter.tag = tag.to_vec();
            filter.authenticating = word(rest).0.eq_ignore_ascii_case(b"AUTHENTICATE");
            filter.continuations = if filter.authenticating {
                CONTINUATIONS
            } else {
                0
            };
        }
        let bounds = filter.plan.bounds;
        filter
            .responses
            .send(&bytes, bounds)
            .map_err(|failure| filter.fail(failure))
    }
}
