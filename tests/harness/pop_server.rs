//! A POP3 server with abilities to choose: what old, small and careless servers do, which Dovecot
//! can't be made to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;

use super::world::{MAIL_PASSWORD, MAIL_USER};

/// What the server can do, and how well. The default is a good one without pipelining.
#[derive(Clone, Debug)]
pub struct Abilities {
    /// What CAPA lists; `None` for a server that does not know the command.
    pub capabilities: Option<&'static str>,
    /// The names of mails.
    pub names: Names,
    /// It knows TOP.
    pub top: bool,
    /// What LIST says of a mail of this length.
    pub size: fn(usize) -> u64,
    /// How its own lines, and those of mails as they are stored, end.
    pub line_end: &'static str,
    /// How long it thinks before each answer.
    pub pause: Duration,
    /// Every second log-in comes too early for it.
    pub login_delay: bool,
    /// A command that it refuses, or the number of a mail, with these words.
    pub refuses: Option<(&'static str, &'static str)>,
    /// A command whose multi-line answer never ends.
    pub endless: Option<&'static str>,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            capabilities: Some("TOP\nUIDL\nUSER\nSASL PLAIN"),
            names: Names::Unique,
            top: true,
            size: |length| length as u64,
            line_end: "\r\n",
            pause: Duration::ZERO,
            login_delay: false,
            refuses: None,
            endless: None,
        }
    }
}

/// What UIDL gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// A name for each mail that lasts.
    Unique,
    /// It does not know the command.
    None,
    /// One and the same for all.
    Same,
    /// Names of 80 characters, and with blanks.
    Odd,
}

/// A server that runs until the test program ends.
pub struct PopServer {
    /// Where it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    abilities: Abilities,
    /// Mails with CRLF line ends, each with a number that it keeps.
    mails: Vec<(usize, Vec<u8>)>,
    delivered: usize,
    log_ins: usize,
    heard: Vec<String>,
}

impl PopServer {
    /// A server of this kind with an empty mailbox.
    pub fn start(abilities: Abilities) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State {
            abilities,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // A client that leaves in the middle is no failure of the server.
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, state }
    }

    /// Puts a mail into the mailbox.
    pub fn deliver(&self, mail: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.delivered += 1;
        let number = state.delivered;
        state.mails.push((number, mail.to_vec()));
    }

    /// The next mail gets this name, which others may have had.
    pub fn count_from(&self, name: usize) {
        self.state.lock().unwrap().delivered = name - 1;
    }

    /// Removes a mail by its place, counted from one.
    pub fn remove(&self, place: usize) {
        self.state.lock().unwrap().mails.remove(place - 1);
    }

    /// Changes every mail, as servers do that keep notes in headers.
    pub fn rewrite(&self, change: impl Fn(&[u8]) -> Vec<u8>) {
        for (_, mail) in &mut self.state.lock().unwrap().mails {
            *mail = change(mail);
        }
    }

    /// How many mails there are.
    pub fn mails(&self) -> usize {
        self.state.lock().unwrap().mails.len()
    }

    /// Changes what it can do.
    pub fn change(&self, change: impl FnOnce(&mut Abilities)) {
        change(&mut self.state.lock().unwrap().abilities);
    }

    /// The commands since the last call that begin with this word.
    pub fn take_heard(&self, word: &str) -> Vec<String> {
        let mut heard = std::mem::take(&mut self.state.lock().unwrap().heard);
        heard.retain(|line| line.starts_with(word));
        heard
    }
}

/// A conversation with one client.
fn serve(stream: TcpStream, shared: &Mutex<State>) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut out = stream;
    let mut known = false;
    let greeting = format!(
        "+OK ready <1.2@test>{}",
        shared.lock().unwrap().abilities.line_end
    );
    out.write_all(greeting.as_bytes()).ok()?;
    while let Some(Ok(line)) = lines.next() {
        let (pause, endless) = {
            let mut state = shared.lock().unwrap();
            state.heard.push(line.clone());
            (state.abilities.pause, state.abilities.endless)
        };
        thread::sleep(pause);
        if endless.is_some_and(|command| line.starts_with(command)) {
            out.write_all(b"+OK here it comes\r\n").ok()?;
            let piece = b"1 a line of many, many lines\r\n".repeat(2000);
            loop {
                out.write_all(&piece).ok()?;
            }
        }
        let answer = if known {
            shared.lock().unwrap().transaction(&line)
        } else {
            shared.lock().unwrap().authorization(&line, &mut known)
        };
        out.write_all(&answer).ok()?;
        if line == "QUIT" {
            return None;
        }
    }
    None
}

impl State {
    fn line(&self, text: &str) -> Vec<u8> {
        format!("{text}{}", self.abilities.line_end).into_bytes()
    }

    fn list(&self, items: impl IntoIterator<Item = String>) -> Vec<u8> {
        let lines = items.into_iter().map(|item| self.line(&item));
        let lines: Vec<u8> = lines.flatten().collect();
        [self.line("+OK"), lines, self.line(".")].concat()
    }

    fn refusal(&self, line: &str) -> Option<Vec<u8>> {
        let (command, words) = self.abilities.refuses?;
        let mail = line.split(' ').nth(1);
        let refused = line.starts_with(command) || mail == Some(command);
        refused.then(|| self.line(&format!("-ERR {words}")))
    }

    fn authorization(&mut self, line: &str, known: &mut bool) -> Vec<u8> {
        if let Some(refusal) = self.refusal(line) {
            return refusal;
        }
        let plain = BASE64.encode(format!("\0{MAIL_USER}\0{MAIL_PASSWORD}").as_bytes());
        let passes = [
            format!("PASS {MAIL_PASSWORD}"),
            format!("AUTH PLAIN {plain}"),
            plain,
        ];
        if passes.iter().any(|pass| pass == line) {
            self.log_ins += 1;
            if self.abilities.login_delay && self.log_ins.is_multiple_of(2) {
                return self.line("-ERR [LOGIN-DELAY] minimum time between mail checks violation");
            }
            *known = true;
            return self.line("+OK logged in");
        }
        match line.split(' ').next().unwrap_or_default() {
            "CAPA" => self.capa(),
            "USER" | "QUIT" => self.line("+OK"),
            "AUTH" if line == "AUTH PLAIN" => self.line("+ "),
            "AUTH" | "PASS" => self.line("-ERR [AUTH] wrong"),
            _ => self.line("-ERR what?"),
        }
    }

    fn transaction(&mut self, line: &str) -> Vec<u8> {
        if let Some(refusal) = self.refusal(line) {
            return refusal;
        }
        let mut words = line.split(' ');
        let verb = words.next().unwrap_or_default();
        let number: Option<usize> = words.next().and_then(|word| word.parse().ok());
        let mail = number.and_then(|number| self.mails.get(number.checked_sub(1)?));
        match (verb, number, mail) {
            ("CAPA", ..) => self.capa(),
            ("UIDL", None, _) if self.abilities.names != Names::None => {
                let items = (1..).zip(&self.mails);
                self.list(items.map(|(place, (kept, _))| self.name(place, *kept)))
            }
            ("LIST", None, _) => {
                let items = (1..).zip(&self.mails);
                let size = self.abilities.size;
                self.list(items.map(|(place, (_, mail))| format!("{place} {}", size(mail.len()))))
            }
            ("LIST", Some(_), Some(_)) | ("QUIT", ..) => self.line("+OK"),
            ("RETR", _, Some((_, mail))) => self.stuffed(mail),
            ("TOP", _, Some((_, mail))) if self.abilities.top => {
                let end = mail.windows(4).position(|part| part == b"\r\n\r\n");
                self.stuffed(&mail[..end.map_or(mail.len(), |at| at + 4)])
            }
            (_, Some(_), None) => self.line("-ERR no such message"),
            _ => self.line("-ERR unknown command"),
        }
    }

    fn capa(&self) -> Vec<u8> {
        match self.abilities.capabilities {
            Some(list) => self.list(list.lines().map(str::to_owned)),
            None => self.line("-ERR unknown command"),
        }
    }

    fn name(&self, place: usize, kept: usize) -> String {
        match self.abilities.names {
            Names::Unique | Names::None => format!("{place} <{kept:04}>"),
            Names::Same => format!("{place} same"),
            Names::Odd if kept.is_multiple_of(2) => format!("{place} {kept:080}"),
            Names::Odd => format!("{place} a name of {kept}"),
        }
    }

    /// A mail as it goes over the wire: a dot more before the dots at the beginning of lines.
    /// Lines are what ends in CRLF, or in LF where the server has it so.
    fn stuffed(&self, mail: &[u8]) -> Vec<u8> {
        let end = self.abilities.line_end.as_bytes();
        let mut mail = mail.to_vec();
        if end == b"\n" {
            mail.retain(|byte| *byte != b'\r');
        }
        let mut sent = self.line("+OK");
        let mut rest = mail.as_slice();
        while !rest.is_empty() {
            let at = rest.windows(end.len()).position(|part| part == end);
            let (line, after) = rest.split_at(at.map_or(rest.len(), |at| at + end.len()));
            if line.starts_with(b".") {
                sent.push(b'.');
            }
            sent.extend(line);
            // Careless ones take LF alone for the end of the last line.
            if at.is_none() && !line.ends_with(b"\n") {
                sent.extend(end);
            }
            rest = after;
        }
        sent.extend(self.line("."));
        sent
    }
}
