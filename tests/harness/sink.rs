//! A mail server in a thread: it takes mails and keeps them, or behaves as the test wants it to.
//! It runs where no server is installed; what real ones do is tested with real ones.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
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
    /// It takes mails and hangs up without an answer.
    Speechless,
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
    connections: usize,
    logins: usize,
}

/// The server. Its threads end with the connections that they serve.
pub struct Sink {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Sink {
    /// Starts a server that nobody has to log in to, though everybody may.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &state));
            }
        });
        Self { port, state }
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

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// How many of them logged in.
    pub fn logins(&self) -> usize {
        self.state().logins
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// One conversation, until the client has had enough.
fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let state = || state.lock().unwrap();
    state().connections += 1;
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .ok()?;
    let mut answers = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut say = |text: &str| answers.write_all(format!("{text}\r\n").as_bytes()).ok();
    if state().mood == Mood::Away {
        return None;
    }
    say("220 sink.example.test")?;
    let mut from = String::new();
    let mut to = Vec::new();
    while let Some(line) = lines.next() {
        let mood = state().mood;
        let path = || {
            let inner = line
                .split_once('<')
                .and_then(|(_, rest)| rest.split_once('>'));
            inner.map_or_else(String::new, |(path, _)| path.to_owned())
        };
        let verb = line.split([' ', ':']).next().unwrap().to_uppercase();
        match verb.as_str() {
            "EHLO" => say("250-sink.example.test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN")?,
            "AUTH" => {
                let good = BASE64.encode(format!("\0{MAIL_USER}\0{MAIL_PASSWORD}").as_bytes());
                if line.ends_with(&format!("PLAIN {good}")) {
                    state().logins += 1;
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
            "RCPT" if mood != Mood::Meek && path().starts_with("reject@") => say("550 unknown")?,
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
                let taken = Taken {
                    from: from.clone(),
                    to: to.clone(),
                    text,
                };
                state().taken.push(taken);
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
