//! A server for tests, played from a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use crate::net::Channel;

/// What the client sent: each group of lines that went out at once.
pub(super) type Turns = Rc<RefCell<Vec<Vec<String>>>>;

/// A channel whose far end answers each line that it is sent; of a mail only the final dot.
pub(super) struct Script {
    arriving: VecDeque<u8>,
    sent: Vec<u8>,
    answer: Box<dyn FnMut(&str) -> String>,
    in_data: bool,
    turns: Turns,
}

impl Script {
    /// The server says `greeting`; then `answer` gets each line and says what comes back.
    pub(super) fn new(
        greeting: &[u8],
        answer: impl FnMut(&str) -> String + 'static,
    ) -> (Self, Turns) {
        let turns = Turns::default();
        let script = Self {
            arriving: greeting.iter().copied().collect(),
            sent: Vec::new(),
            answer: Box::new(answer),
            in_data: false,
            turns: Rc::clone(&turns),
        };
        (script, turns)
    }

    /// The server says this and closes.
    pub(super) fn saying(bytes: &[u8]) -> Self {
        Self::new(bytes, |_| String::new()).0
    }
}

impl Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arriving.read(buffer)
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let sent = String::from_utf8(std::mem::take(&mut self.sent)).unwrap();
        let lines: Vec<_> = sent.lines().map(str::to_owned).collect();
        for line in &lines {
            if self.in_data && line != "." {
                continue;
            }
            let answer = (self.answer)(line);
            self.in_data = answer.starts_with("354");
            self.arriving.extend(answer.as_bytes());
        }
        if !lines.is_empty() {
            self.turns.borrow_mut().push(lines);
        }
        Ok(())
    }
}

impl Channel for Script {
    fn limit(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}
