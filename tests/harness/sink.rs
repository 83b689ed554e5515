//! A mail server in a thread: it takes mails and keeps them, or behaves as the test wants it to.
//! It runs where no server is installed; what real ones do is tested with real ones.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;

use super::world::{MAIL_PASSWORD, MAIL_USER};

/// How it behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It takes every mail, but those to `reject@`, which it refuses for good, and to `temp@`, which
    /// it refuses for now.
    #[default]
    Willing,
    /// It takes every mail and every recipient.
    Meek,
    /// It hangs up on everybody.
    Away,
    /// It refuses every sender for now.
    Busy,
    /// It answers this to the contents of every mail.
    Refusing(&'static str),
    /// It takes no mail of more bytes than this, and says so.
    Narrow(usize),
    /// It takes mails and hangs up without an answer.
    Speechless,
    /// It takes no mail before so many are handed to it at the same time, over as many
    /// connections, and no longer waits then.
    Together(usize),
}

/// A mail that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Header and body, with LF line ends.
    pub text: String,
}

impl Taken {
    /// The value of a header field, unfolded; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\n\n").next().unwrap().replace("\n ", " ");
        let start = format!("{}:", name.to_lowercase());
        let line = head
            .lines()
            .find(|line| line.to_lowercase().starts_with(&start));
        line.map_or_else(String::new, |line| line[start.len()..].trim().to_owned())
    }

    /// The decoded text.
    pub fn body(&self) -> String {
        let mail = mailparse::parse_mail(self.text.as_bytes()).unwrap();
        mail.get_body().unwrap().replace("\r\n", "\n")
    }
}

#[derive(Default)]
struct State {
    mood: Mood,
    taken: Vec<Taken>,
    logins: usize,
    /// What it was told, by connections.
    said: Vec<Vec<String>>,
    /// Connections that are open, and how many there were at the most.
    open: usize,
    most: usize,
    /// Mails that are being handed to it, and how many there were at the most.
    handed: usize,
    most_handed: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    handed: Condvar,
}

/// The server. Its threads end with the connections that they serve.
pub struct Sink {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Sink {
    /// Starts a server that nobody has to log in to, though everybody may.
    pub fn start() -> Self {
        Self::at("127.0.0.1", 0).unwrap()
    }

    /// Starts it at an address of its own; port 0 stands for any that is free.
    pub fn at(address: &str, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((address, port))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.connection(stream));
            }
        });
        Ok(Self { port, shared })
    }

    /// From now on it behaves like this.
    pub fn behave(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// The mails that it took.
    pub fn mails(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// The mails that it took since the last time that this was asked.
    pub fn take_mails(&self) -> Vec<Taken> {
        std::mem::take(&mut self.state().taken)
    }

    /// The one mail that it took since then.
    #[track_caller]
    pub fn take_one(&self) -> Taken {
        let mails = self.take_mails();
        let [mail] = &mails[..] else {
            panic!("one mail: {mails:#?}");
        };
        mail.clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.state().said.len()
    }

    /// How many there were at the same time, at the most.
    pub fn most_connections(&self) -> usize {
        self.state().most
    }

    /// The commands that it was sent, by connections.
    pub fn said(&self) -> Vec<Vec<String>> {
        self.state().said.clone()
    }

    /// How many of them logged in.
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn connection(&self, stream: TcpStream) {
        let number = {
            let mut state = self.state();
            state.said.push(Vec::new());
            state.open += 1;
            state.most = state.most.max(state.open);
            state.said.len() - 1
        };
        self.serve(stream, number);
        self.state().open -= 1;
    }

    /// One conversation, until the client has had enough.
    fn serve(&self, stream: TcpStream, number: usize) -> Option<()> {
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).ok()?;
        let mut answers = stream.try_clone().ok()?;
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).ok();
        match self.mood() {
            Mood::Away => return None,
            _ => say("220 sink.example.test")?,
        }
        let mut from = String::new();
        let mut to = Vec::new();
        while let Some(line) = lines.next() {
            self.state().said[number].push(line.clone());
            let mood = self.mood();
            let path = || {
                let inner = line
                    .split_once('<')
                    .and_then(|(_, rest)| rest.split_once('>'));
                inner.map_or_else(String::new, |(path, _)| path.to_owned())
            };
            let verb = line.split([' ', ':']).next().unwrap().to_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    say("250-sink.example.test\r\n250-8BITMIME")?;
                    if let Mood::Narrow(limit) = mood {
                        say(&format!("250-SIZE {limit}"))?;
                    }
                    say("250 AUTH PLAIN LOGIN")?;
                }
                "AUTH" => {
                    let good = BASE64.encode(format!("\0{MAIL_USER}\0{MAIL_PASSWORD}").as_bytes());
                    if line.ends_with(&format!("PLAIN {good}")) {
                        self.state().logins += 1;
                        say("235 welcome")?;
                    } else {
                        say("535 not with that password")?;
                    }
                }
                "MAIL" if mood == Mood::Busy => say("451 too much to do")?,
                "MAIL" => {
                    from = path();
                    to.clear();
                    say("250 ok")?;
                }
                "RCPT" if mood != Mood::Meek && path().starts_with("reject@") => {
                    say("550 unknown")?;
                }
                "RCPT" if mood != Mood::Meek && path().starts_with("temp@") => say("451 not now")?,
                "RCPT" => {
                    to.push(path());
                    say("250 ok")?;
                }
                "DATA" => {
                    say("354 go on")?;
                    let mut text = String::new();
                    for line in lines.by_ref().take_while(|line| line != ".") {
                        text += line.strip_prefix('.').unwrap_or(&line);
                        text.push('\n');
                    }
                    if let Mood::Refusing(answer) = mood {
                        say(answer)?;
                        continue;
                    }
                    if !self.handed(mood) {
                        say("451 where are the others?")?;
                        continue;
                    }
                    let taken = Taken {
                        from: from.clone(),
                        to: to.clone(),
                        text,
                    };
                    self.state().taken.push(taken);
                    if mood == Mood::Speechless {
                        return None;
                    }
                    say("250 taken")?;
                }
                "QUIT" => {
                    say("221 bye")?;
                    return None;
                }
                _ => say("250 ok")?,
            }
        }
        None
    }

    fn mood(&self) -> Mood {
        self.state().mood
    }

    /// A mail is being handed over: waits for the others if there are to be some. Whether they
    /// came.
    fn handed(&self, mood: Mood) -> bool {
        let Mood::Together(count) = mood else {
            return true;
        };
        let mut state = self.state();
        state.handed += 1;
        state.most_handed = state.most_handed.max(state.handed);
        self.handed.notify_all();
        let patience = Duration::from_secs(10);
        let (mut state, _) = self
            .handed
            .wait_timeout_while(state, patience, |state| state.most_handed < count)
            .unwrap();
        state.handed -= 1;
        state.most_handed >= count
    }
}
