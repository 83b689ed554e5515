//! A server for tests, played from a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use super::Channel;

type Answer = dyn FnMut(&str) -> Vec<u8>;

/// A channel whose far end answers each line that it is sent.
pub(crate) struct Script {
    arriving: VecDeque<u8>,
    sent: Vec<u8>,
    answer: Box<Answer>,
    lines: Lines,
    turns: Turns,
}

/// What the client sent, line by line.
pub(crate) type Lines = Rc<RefCell<Vec<String>>>;
/// The same with the lines together that went out at once.
pub(crate) type Turns = Rc<RefCell<Vec<Vec<String>>>>;

impl Script {
    /// The server says `greeting`; then `answer` gets each line and says what comes back,
    /// in which `TAG` stands for the line's tag.
    pub(crate) fn new(
        greeting: &[u8],
        answer: impl FnMut(&str) -> Vec<u8> + 'static,
    ) -> (Self, Lines) {
        let lines = Lines::default();
        let script = Self {
            arriving: greeting.iter().copied().collect(),
            sent: Vec::new(),
            answer: Box::new(answer),
            lines: Rc::clone(&lines),
            turns: Turns::default(),
        };
        (script, lines)
    }

    /// What the client will have sent, turn by turn.
    pub(crate) fn turns(&self) -> Turns {
        Rc::clone(&self.turns)
    }

    /// The server says this and closes.
    pub(crate) fn saying(bytes: &[u8]) -> Self {
        Self::new(bytes, |_| Vec::new()).0
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
        for line in sent.lines() {
            let answer = (self.answer)(line);
            let tag = line.split(' ').next().unwrap_or_default();
            let answer = replace(&answer, b"TAG", tag.as_bytes());
            self.lines.borrow_mut().push(line.to_owned());
            self.arriving.extend(answer);
        }
        if !sent.is_empty() {
            let lines = sent.lines().map(str::to_owned);
            self.turns.borrow_mut().push(lines.collect());
        }
        Ok(())
    }
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(what) {
            replaced.extend(with);
            rest = after;
        } else {
            replaced.push(*first);
            rest = after;
        }
    }
    replaced
}

impl Channel for Script {
    fn limit(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }
}
