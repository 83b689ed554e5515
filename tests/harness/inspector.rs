//! A second, independent IMAP client: a few lines that look into a mailbox.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use chrono::DateTime;
use data_encoding::BASE64;

use super::Dovecot;
use super::world::{MAIL_PASSWORD, MAIL_USER};

/// What a mailbox says of one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its Subject, still encoded.
    pub subject: String,
    /// Its flags, sorted.
    pub flags: Vec<String>,
    /// Its INTERNALDATE.
    pub received: String,
}

/// A logged-in client.
pub struct Inspector {
    stream: BufReader<TcpStream>,
    number: u32,
}

impl Inspector {
    /// Logs in as the user of the mailbox.
    pub fn open(server: &Dovecot) -> Self {
        Self::connect((server.address, server.imap))
    }

    /// Logs in as another user of that server.
    pub fn open_as(user: &str, server: &Dovecot) -> Self {
        Self::logged_in(user, (server.address, server.imap))
    }

    /// Logs in at an address, for example the one of a proxy.
    pub fn connect(address: (&str, u16)) -> Self {
        Self::logged_in(MAIL_USER, address)
    }

    fn logged_in(user: &str, address: (&str, u16)) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut inspector = Self {
            stream: BufReader::new(stream),
            number: 0,
        };
        let greeting = inspector.line();
        assert!(greeting.starts_with("* OK"), "greeting: {greeting}");
        inspector.log_in(user);
        inspector
    }

    /// By LOGIN, or by AUTHENTICATE where that is forbidden.
    fn log_in(&mut self, user: &str) {
        let password = MAIL_PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
        self.send(format!("x0 LOGIN \"{user}\" \"{password}\"\r\n").as_bytes());
        if self.result("x0").1.starts_with("OK") {
            return;
        }
        self.send(b"x0 AUTHENTICATE PLAIN\r\n");
        assert!(self.line().starts_with('+'));
        let credentials = BASE64.encode(format!("\0{user}\0{MAIL_PASSWORD}").as_bytes());
        self.send(format!("{credentials}\r\n").as_bytes());
        self.answer("x0", "AUTHENTICATE");
    }

    /// Every mail that was put into the INBOX is still there.
    #[track_caller]
    pub fn assert_nothing_deleted(server: &Dovecot) {
        let left = Self::open(server).subjects().len();
        assert_eq!(left, server.delivered(), "mails on the server");
    }

    /// What the INBOX holds, by UID. Looking changes nothing, not even `\Recent`.
    pub fn mails(&mut self) -> BTreeMap<u32, Entry> {
        let opened = self.command("EXAMINE INBOX");
        if opened.contains("* 0 EXISTS") {
            return BTreeMap::new();
        }
        let answer = self
            .command("UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
        let items = answer.split("\n* ").filter(|item| item.contains(" FETCH "));
        items.map(entry).collect()
    }

    /// The subjects of the INBOX in the order of their UIDs.
    pub fn subjects(&mut self) -> Vec<String> {
        self.mails()
            .into_values()
            .map(|entry| entry.subject)
            .collect()
    }

    /// Adds flags to a mail, as another client of the same user would.
    pub fn flag(&mut self, uid: u32, flags: &str) {
        self.command("SELECT INBOX");
        self.command(&format!("UID STORE {uid} +FLAGS ({flags})"));
        self.command("UNSELECT");
    }

    /// Puts a mail into the INBOX, received at this second of the Unix epoch.
    pub fn append(&mut self, mail: &[u8], received: u64) {
        let received = DateTime::from_timestamp(received.try_into().unwrap(), 0).unwrap();
        let received = received.format("%d-%b-%Y %H:%M:%S +0000");
        let length = mail.len();
        let announced = format!("x0 APPEND INBOX \"{received}\" {{{length}}}\r\n");
        self.send(announced.as_bytes());
        let go_ahead = self.line();
        assert!(go_ahead.starts_with('+'), "APPEND: {go_ahead}");
        self.send(&[mail, b"\r\n"].concat());
        self.answer("x0", "APPEND");
    }

    /// Sends one command and gives back the whole answer, which must be OK.
    pub fn command(&mut self, command: &str) -> String {
        self.number += 1;
        let tag = format!("x{}", self.number);
        self.send(format!("{tag} {command}\r\n").as_bytes());
        self.answer(&tag, command)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The whole answer to a command, which must be OK.
    fn answer(&mut self, tag: &str, command: &str) -> String {
        let (answer, result) = self.result(tag);
        assert!(result.starts_with("OK"), "{command}: {result}");
        answer
    }

    /// The whole answer to a command, and how it ended.
    fn result(&mut self, tag: &str) -> (String, String) {
        let mut answer = String::new();
        loop {
            let line = self.line();
            if let Some(result) = line.strip_prefix(&format!("{tag} ")) {
                return (answer, result.to_owned());
            }
            assert!(!line.is_empty(), "the server closed the connection");
            answer += &line;
        }
    }

    /// One line of the server, with the literal that it may announce.
    fn line(&mut self) -> String {
        let mut bytes = Vec::new();
        self.stream.read_until(b'\n', &mut bytes).unwrap();
        let line = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let announced = line
            .trim_end()
            .strip_suffix('}')
            .and_then(|line| line.rsplit_once('{'));
        let Some(length) = announced.and_then(|(_, length)| length.parse().ok()) else {
            return line;
        };
        let mut literal = vec![0; length];
        self.stream.read_exact(&mut literal).unwrap();
        format!(
            "{line}{}{}",
            String::from_utf8_lossy(&literal).replace("\r\n", "\n"),
            self.line()
        )
    }
}

/// One answer to FETCH.
fn entry(item: &str) -> (u32, Entry) {
    let after = |key: &str, end: char| {
        let from = item
            .find(key)
            .unwrap_or_else(|| panic!("no {key} in {item}"))
            + key.len();
        item[from..].split(end).next().unwrap().to_owned()
    };
    let subject = item
        .lines()
        .find_map(|line| line.strip_prefix("Subject: "))
        .unwrap_or_default()
        .to_owned();
    let mut flags: Vec<_> = after("FLAGS (", ')')
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    flags.retain(|flag| flag != "\\Recent");
    flags.sort();
    let uid = after("UID ", ' ').parse().unwrap();
    (
        uid,
        Entry {
            subject,
            flags,
            received: after("INTERNALDATE \"", '"'),
        },
    )
}
