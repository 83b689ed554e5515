//! Commands out, replies in: bounded, traced, without secrets.

use std::io;
use std::time::Duration;

use super::reply::{Line, Reply};
use crate::net::{self, Channel, Trace, clean};
use crate::secret::Secret;
use crate::send::Error;

/// The longest line of a reply; RFC 5321, section 4.5.3.1.5 has 512.
const LONGEST_LINE: usize = 4096;
/// The most lines of one reply.
const MOST_LINES: usize = 200;
/// What stands for a secret.
const STARS: &str = "***";

/// One conversation.
#[derive(Debug)]
pub(super) struct Wire<C> {
    channel: C,
    /// Bytes that came and were not read yet.
    ahead: Vec<u8>,
    pub(super) talk: Talk,
}

/// How a conversation is shown: with whom it is, and what has to be hidden.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    /// Host and port.
    pub(super) server: String,
    trace: Trace,
    /// Tells apart the conversations of one run.
    number: usize,
    /// What the server might repeat.
    secrets: Vec<Secret>,
}

impl Talk {
    pub(super) fn new(server: String, trace: Trace, number: usize) -> Self {
        Self {
            server,
            trace,
            number,
            secrets: Vec::new(),
        }
    }

    fn show(&self, line: impl FnOnce() -> String) {
        let number = self.number;
        self.trace.line(|| format!("SMTP {number} {}", line()));
    }

    /// Text from the server, fit for people.
    pub(super) fn cleaned(&self, text: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(text).into_owned();
        for secret in &self.secrets {
            text = text.replace(secret.expose(), STARS);
        }
        clean(&text, LONGEST_LINE)
    }

    /// The server's words make no sense.
    pub(super) fn nonsense(&self, what: impl Into<String>) -> Error {
        Error::Protocol {
            server: self.server.clone(),
            what: what.into(),
        }
    }

    fn lost(&self, error: io::Error) -> Error {
        net::Error::of_io(&self.server, error).into()
    }

    /// The server ended the conversation in words.
    pub(super) fn closed(&self, reply: &Reply) -> Error {
        net::Error::Closed {
            server: self.server.clone(),
            words: reply.words(),
        }
        .into()
    }
}

impl<C: Channel> Wire<C> {
    pub(super) fn new(channel: C, talk: Talk) -> Self {
        Self {
            channel,
            ahead: Vec::new(),
            talk,
        }
    }

    /// From now on these are hidden where the server repeats them.
    pub(super) fn hide(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        let secrets = secrets.into_iter();
        let worth_it = secrets.filter(|secret| !secret.expose().is_empty());
        self.talk.secrets.extend(worth_it);
    }

    /// Sends command lines, each with its end, at once.
    pub(super) fn command(&mut self, lines: &str) -> Result<(), Error> {
        for line in lines.lines() {
            self.talk.show(|| format!("C: {line}"));
        }
        self.write(lines.as_bytes())
    }

    /// The same for a line of which only the beginning may be shown.
    pub(super) fn secret(&mut self, shown: &str, hidden: &Secret) -> Result<(), Error> {
        self.talk.show(|| format!("C: {shown}{STARS}"));
        let line = Secret::new(format!("{shown}{}\r\n", hidden.expose()));
        self.write(line.expose().as_bytes())
    }

    /// Sends the bytes of a mail.
    pub(super) fn contents(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.talk
            .show(|| format!("C: ({} bytes of mail)", bytes.len()));
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.channel.write_all(bytes).map_err(|e| self.talk.lost(e))
    }

    /// Waits for one reply. The time for it starts here, not when the command was sent: of
    /// several commands that were sent at once each has its own time (RFC 5321, section
    /// 4.5.3.2).
    pub(super) fn reply(&mut self) -> Result<Reply, Error> {
        self.channel.flush().map_err(|e| self.talk.lost(e))?;
        let mut reply = Reply {
            code: 0,
            lines: Vec::new(),
        };
        loop {
            let text = self.line()?;
            let shown = self.talk.cleaned(&text);
            self.talk.show(|| format!("S: {shown}"));
            let line = Line::read(&text).ok_or_else(|| {
                self.talk
                    .nonsense(format!("it says: {}", clean(&shown, 80)))
            })?;
            if !reply.lines.is_empty() && reply.code != line.code {
                return Err(self
                    .talk
                    .nonsense("the lines of one reply have several codes"));
            }
            if reply.lines.len() >= MOST_LINES {
                return Err(self.talk.nonsense("a reply without an end"));
            }
            reply.code = line.code;
            reply.lines.push(self.talk.cleaned(line.text));
            if !line.goes_on {
                return Ok(reply);
            }
        }
    }

    /// What the server may have said before it hung up.
    pub(super) fn last_words(&mut self) -> Option<Reply> {
        self.channel.limit(Duration::from_secs(1)).ok()?;
        self.reply().ok()
    }

    /// Says good-bye without insisting on an answer.
    pub(super) fn quit(mut self, limit: Duration) {
        if self.channel.limit(limit).is_ok() && self.command("QUIT\r\n").is_ok() {
            // A server that has not heard it takes a sudden end for a fault.
            let _ = self.reply();
        }
    }

    /// Gives the conversation back in clear text, to be continued over TLS. Whatever came
    /// already may be forged (CVE-2011-0411).
    pub(super) fn nothing_came_ahead(&self) -> Result<(), Error> {
        if self.ahead.is_empty() {
            Ok(())
        } else {
            Err(self
                .talk
                .nonsense("it went on in clear text after it had agreed to STARTTLS"))
        }
    }

    /// A line without its end.
    fn line(&mut self) -> Result<Vec<u8>, Error> {
        let mut buffer = [0; LONGEST_LINE];
        loop {
            if let Some(end) = self.ahead.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.ahead.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.ahead.len() > LONGEST_LINE {
                return Err(self.talk.nonsense("a line without an end"));
            }
            let count = self
                .channel
                .read(&mut buffer)
                .map_err(|e| self.talk.lost(e))?;
            let Some(came @ [_, ..]) = buffer.get(..count) else {
                return Err(self.talk.lost(io::ErrorKind::UnexpectedEof.into()));
            };
            self.ahead.extend_from_slice(came);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::script::Script;

    fn reply(bytes: &[u8]) -> Result<Reply, Error> {
        let talk = Talk::new("h:25".into(), Trace::off(), 1);
        Wire::new(Script::saying(bytes), talk).reply()
    }

    #[test]
    fn replies_have_one_or_more_lines() {
        let whole = reply(b"250-a\r\n250-\r\n250 b\r\n").unwrap();
        assert_eq!(
            (whole.code, whole.lines),
            (250, vec!["a".into(), String::new(), "b".into()])
        );
        // Line feeds alone and letters of any kind are no reason to give up.
        let odd = reply(b"550 n\xf6 user\0\n").unwrap();
        assert_eq!(odd.words(), "550 n\u{fffd} user");
    }

    #[test]
    fn whatever_a_server_sends_ends() {
        let flood = b"250-x\r\n".repeat(100_000);
        for (bytes, says) in [
            (&flood[..], "without an end"),
            (&[b'2'; 1_000_000][..], "without an end"),
            (b"250-a\r\n550 b\r\n", "several codes"),
            (b"+OK POP3 ready\r\n", "it says: +OK POP3 ready"),
            (b"\0\0\0\r\n", "it says"),
            (b"\r\n", "it says"),
            (b"250-a\r\n", "closed the connection"),
            (b"", "closed the connection"),
        ] {
            let error = reply(bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
