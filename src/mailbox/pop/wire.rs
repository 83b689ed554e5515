//! Lines and multi-line answers off the connection, within bounds (RFC 1939, section 3).
//!
//! What an answer means is decided elsewhere; this file knows where it ends.

use std::io::{self, BufRead, BufReader, Read, Write};

use crate::mailbox::Error;
use crate::net;

/// Longest line outside of multi-line answers. The standard asks for no more than 512 bytes
/// (RFC 2449, section 4).
const LINE: usize = 8 * 1024;

/// Reads answers and sends commands. After an error nothing goes in or out any more.
pub(super) struct Wire<C: Read + Write> {
    channel: BufReader<C>,
    server: String,
    broken: bool,
}

impl<C: Read + Write> Wire<C> {
    /// `ahead` is how many bytes may be read before they are asked for; 1 where something
    /// else takes the channel over.
    pub(super) fn new(channel: C, ahead: usize, server: &str) -> Self {
        Self {
            channel: BufReader::with_capacity(ahead, channel),
            server: server.to_owned(),
            broken: false,
        }
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn channel(&mut self) -> &mut C {
        self.channel.get_mut()
    }

    /// Sends commands, or the rest of one, in one piece.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.broken {
            return Err(self.failed(io::Error::other("it was given up")));
        }
        let channel = self.channel.get_mut();
        let sent = channel.write_all(bytes).and_then(|()| channel.flush());
        sent.map_err(|error| self.failed(error))
    }

    /// A line without its end.
    pub(super) fn line(&mut self, command: &str) -> Result<Vec<u8>, Error> {
        // Of several commands sent at once each has its own time: taking in the answer to the
        // one before may have taken long at this end.
        let flushed = self.channel.get_mut().flush();
        flushed.map_err(|error| self.failed(error))?;
        let mut line = Vec::new();
        let mut limited = (&mut self.channel).take(LINE as u64);
        if let Err(error) = limited.read_until(b'\n', &mut line) {
            return Err(self.failed(error));
        }
        if line.pop_if(|last| *last == b'\n').is_none() {
            return Err(if line.len() < LINE {
                self.failed(io::ErrorKind::UnexpectedEof.into())
            } else {
                self.protocol(command, format!("a line is longer than {LINE} bytes"))
            });
        }
        line.pop_if(|last| *last == b'\r');
        Ok(line)
    }

    /// A multi-line answer, handed over in pieces without what stands for its end and without
    /// the dots that keep lines from looking like it. Gives the number of bytes handed over,
    /// which may be `most`. `length` is how long the server says that it is.
    pub(super) fn data(
        &mut self,
        length: Option<u64>,
        most: u64,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<u64, Error> {
        let mut data = Data {
            length,
            ..Data::default()
        };
        loop {
            let arrived = match self.channel.fill_buf() {
                Ok(arrived) => arrived,
                Err(error) if data.seems_ended() && error.kind() == io::ErrorKind::TimedOut => {
                    return Err(
                        self.endless("ends in a line without CR, which POP3 has no end for")
                    );
                }
                Err(error) => return Err(self.failed(error)),
            };
            if arrived.is_empty() {
                return Err(self.failed(io::ErrorKind::UnexpectedEof.into()));
            }
            let (used, ended) = data.read(arrived, take);
            self.channel.consume(used);
            if data.bytes > most {
                return Err(self.endless(format!("goes on after {most} bytes")));
            }
            if ended {
                return Ok(data.bytes);
            }
        }
    }

    /// The answer can't be used, and so can't what follows it.
    pub(super) fn protocol(&mut self, command: &str, what: String) -> Error {
        self.broken = true;
        Error::Protocol {
            server: self.server.clone(),
            command: command.to_owned(),
            what,
        }
    }

    fn endless(&mut self, what: impl Into<String>) -> Error {
        self.broken = true;
        Error::Endless {
            server: self.server.clone(),
            mail: None,
            what: what.into(),
        }
    }

    fn failed(&mut self, error: io::Error) -> Error {
        self.broken = true;
        net::Error::of_io(&self.server, error).into()
    }
}

/// How lines end in a multi-line answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    CrLf,
    /// Not what the standard says, but some servers hand out what they have.
    Lf,
}

/// A multi-line answer under way.
///
/// Its first line tells how lines end: that one comes from the server, or from the header field
/// that the receiving server wrote. Were each line to tell for itself, a mail with LF alone
/// around a dot could end its own delivery and go on in the server's name.
#[derive(Default)]
struct Data {
    line_end: Option<LineEnd>,
    /// How long the server says that it is. Where that is exactly what has come, the end may
    /// follow whatever ends the line.
    length: Option<u64>,
    /// What has come of the line under way, as far as it must be seen to tell what it is: a
    /// dot at its beginning, and a CR behind it.
    begun: Vec<u8>,
    /// The line under way is known to be text.
    within: bool,
    /// The last bytes of the text, up to four.
    last: Vec<u8>,
    bytes: u64,
}

impl Data {
    /// Takes what has arrived; tells how much of it was used, and whether that was the end.
    fn read(&mut self, arrived: &[u8], take: &mut dyn FnMut(&[u8])) -> (usize, bool) {
        let mut rest = arrived;
        while let Some((first, after)) = rest.split_first() {
            if self.within {
                rest = self.text(rest, take);
                continue;
            }
            match (self.begun.as_slice(), first) {
                (b"", b'.') | (b".", b'\r') => {
                    self.begun.push(*first);
                    rest = after;
                }
                (b"." | b".\r", b'\n') => return (arrived.len() - after.len(), true),
                // The dot was put in front of a line that begins with one.
                (begun, _) => {
                    if begun == b".\r" {
                        self.hand_over(b"\r", take);
                    }
                    self.begun.clear();
                    self.within = true;
                }
            }
        }
        (arrived.len(), false)
    }

    /// Takes text up to the end of a line and gives what is left.
    fn text<'a>(&mut self, arrived: &'a [u8], take: &mut dyn FnMut(&[u8])) -> &'a [u8] {
        let Some(at) = arrived.iter().position(|byte| *byte == b'\n') else {
            self.hand_over(arrived, take);
            return &[];
        };
        let (line, rest) = arrived.split_at_checked(at + 1).unwrap_or((arrived, &[]));
        let before = match line {
            [.., before, _] => *before,
            _ => self.last.last().copied().unwrap_or_default(),
        };
        let end = if before == b'\r' {
            LineEnd::CrLf
        } else {
            LineEnd::Lf
        };
        let is_text = *self.line_end.get_or_insert(end) == LineEnd::CrLf && end == LineEnd::Lf;
        self.hand_over(line, take);
        self.within = is_text && self.length != Some(self.bytes);
        rest
    }

    fn hand_over(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8])) {
        let end = bytes.last_chunk::<4>().map_or(bytes, <[u8; 4]>::as_slice);
        self.last.extend_from_slice(end);
        self.last.drain(..self.last.len().saturating_sub(4));
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        take(bytes);
    }

    /// If nothing more comes, the server has put its end behind a line that ends in LF alone,
    /// where it can't be told from text.
    fn seems_ended(&self) -> bool {
        self.last == b"\n.\r\n"
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::script::Script;

    fn wire(bytes: &[u8], ahead: usize) -> Wire<Script> {
        Wire::new(Script::saying(bytes), ahead, "h:110")
    }

    /// The data that comes first, and the line after it.
    fn read(bytes: &[u8], ahead: usize) -> (Vec<u8>, String) {
        let mut wire = wire(bytes, ahead);
        let mut data = Vec::new();
        let mut take = |piece: &[u8]| data.extend_from_slice(piece);
        let count = wire.data(None, 1000, &mut take).unwrap();
        assert_eq!(count, data.len() as u64);
        let next = wire.line("RETR");
        (data, String::from_utf8(next.unwrap_or_default()).unwrap())
    }

    #[test]
    fn dots_in_front_of_lines_are_taken_away() {
        for ahead in [1, 2, 3, 5, 100] {
            let read = |bytes: &str| {
                let (data, next) = read(format!("{bytes}+OK next\r\n").as_bytes(), ahead);
                assert_eq!(next, "+OK next", "{bytes:?}");
                String::from_utf8(data).unwrap()
            };
            assert_eq!(read(".\r\n"), "");
            assert_eq!(read("a\r\n.\r\n"), "a\r\n");
            assert_eq!(read("a\r\n..\r\n...b\r\n.\r\n"), "a\r\n.\r\n..b\r\n");
            assert_eq!(read("..\r\n.\r\n"), ".\r\n");
            assert_eq!(read(".x\r\n.\rx\r\n.\r\n"), "x\r\n\rx\r\n");
            assert_eq!(read("a.\r\n \r\n\r\n.\r\n"), "a.\r\n \r\n\r\n");
        }
    }

    #[test]
    fn the_first_line_tells_how_lines_end() {
        for ahead in [1, 3, 100] {
            let read = |bytes: &[u8]| read(bytes, ahead);
            // LF throughout, or a CRLF where the server itself ends the answer.
            for bytes in [&b"a: b\n\n..\n.\n+OK\n"[..], b"a: b\n\n..\n.\r\n+OK\r\n"] {
                assert_eq!(read(bytes), (b"a: b\n\n.\n".to_vec(), "+OK".to_owned()));
            }
            // Text that wants to be an end, and an answer after it.
            let forged = b"a: b\r\n\r\nx\n.\r\ny\n.\n+OK forged\n.\r\n.\r\n+OK\r\n";
            let (data, next) = read(forged);
            assert_eq!(data, b"a: b\r\n\r\nx\n.\r\ny\n.\n+OK forged\n.\r\n");
            assert_eq!(next, "+OK");
            // A careless end where no mail can have one.
            assert_eq!(read(b"a\r\n.\n+OK\n"), (b"a\r\n".to_vec(), "+OK".into()));
        }
    }

    #[test]
    fn lines_and_data_have_an_end() {
        let text = |error: Error| error.to_string();
        let long = [b'x'; LINE + 10];
        assert_eq!(
            text(wire(&long, 100).line("STAT").unwrap_err()),
            "h:110 answered STAT in a way that can't be used: a line is longer than 8192 bytes. If that happens again, \
             ask its administrator; --verbose shows the conversation"
        );
        let mut endless = wire(&b"12345\r\n".repeat(100), 10);
        let error = endless.data(None, 50, &mut |_| {}).unwrap_err();
        assert!(text(error).contains("goes on after 50 bytes"));
        assert!(endless.is_broken() && endless.send(b"NOOP\r\n").is_err());
        for cut in [&b""[..], b"+OK", b"+OK\r"] {
            let error = wire(cut, 100).line("STAT").unwrap_err();
            assert!(text(error).starts_with("h:110 closed the connection. "));
        }
        for cut in [
            &b""[..],
            b"a",
            b"a\r\n",
            b"a\r\n.",
            b"a\r\n.\r",
            b"a\r\n..\r\n",
        ] {
            let error = wire(cut, 100).data(None, 50, &mut |_| {}).unwrap_err();
            assert!(text(error).starts_with("h:110 closed the connection. "));
        }
    }

    /// As a server sends it.
    fn stuffed(text: &str) -> String {
        let dotted = |line: &str| {
            let dot = if line.starts_with('.') { "." } else { "" };
            format!("{dot}{line}\r\n")
        };
        text.split("\r\n").map(dotted).collect::<String>() + ".\r\n"
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_a_server_has_dotted_comes_out_as_it_was(
            text in prop::collection::vec(prop::sample::select(vec![".", "\r\n", "\n", "\r", "a", "\0"]), 0..40),
            ahead in 1..9_usize,
        ) {
            let text = format!("a: b\r\n{}", text.concat());
            let sent = stuffed(&text) + "+OK next\r\n";
            let (data, next) = read(sent.as_bytes(), ahead);
            prop_assert_eq!(String::from_utf8(data).unwrap(), text + "\r\n");
            prop_assert_eq!(next, "+OK next");
        }
    }
}
