//! A conversation: commands, answers in a mailbox's terms, and what may be shown of both.

use std::io::{Read, Write};
use std::time::Duration;

use super::reply::{Code, Reply};
use super::wire::Wire;
use crate::mailbox::login::{Credentials, Mask, STARS};
use crate::mailbox::{Error, Fault, words_of};
use crate::net::{Channel, Trace, clean};
use crate::secret::Secret;

/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// A conversation with a server.
pub(super) struct Session<C: Read + Write> {
    wire: Wire<C>,
    trace: Trace,
    mask: Mask,
}

/// A server's answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done, or a multi-line answer follows.
    Done(String),
    /// The session goes on.
    Refused(Refusal),
    /// The server awaits more of a log-in.
    More,
}

/// Why a server did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// The server's words.
    pub(super) words: String,
}

impl Refusal {
    /// What it means for a mail that can't be had.
    pub(super) fn fault(&self) -> Fault {
        Fault::Unreadable(format!("the server refuses it: {}", self.words))
    }
}

impl<C: Read + Write> Session<C> {
    /// `ahead` is how many bytes may be read before they are asked for; 1 where something
    /// else takes the channel over.
    pub(super) fn new(channel: C, ahead: usize, server: &str, trace: Trace) -> Self {
        Self {
            wire: Wire::new(channel, ahead, server),
            trace,
            mask: Mask::default(),
        }
    }

    pub(super) fn server(&self) -> &str {
        self.wire.server()
    }

    /// Hides these credentials in all that is shown.
    pub(super) fn hide(&mut self, credentials: &Credentials) {
        self.mask = Mask::new(credentials);
    }

    /// Sends commands without secrets in one piece. Their answers are to be taken in the same order.
    pub(super) fn send(&mut self, commands: &[String]) -> Result<(), Error> {
        for command in commands {
            self.trace.line(|| format!("C: {command}"));
        }
        let lines = commands.iter().map(|command| format!("{command}\r\n"));
        self.wire.send(lines.collect::<String>().as_bytes())
    }

    /// Sends a line that holds a secret; `shown` is what may be shown of it.
    pub(super) fn send_hidden(&mut self, line: &Secret, shown: &str) -> Result<(), Error> {
        self.trace.line(|| format!("C: {shown}"));
        let line = Secret::new(format!("{}\r\n", line.expose()));
        self.wire.send(line.expose().as_bytes())
    }

    /// The answer to a command, which this names in errors.
    pub(super) fn answer(&mut self, command: &str) -> Result<Answer, Error> {
        let line = self.wire.line(command)?;
        let Self { wire, trace, mask } = self;
        let reply = Reply::read(&line);
        trace.line(|| match reply {
            Some(Reply::More) => format!("S: + {STARS}"),
            _ => format!("S: {}", mask.answer(&line)),
        });
        let words = |text| words_of(&mask.answer(text));
        match reply {
            Some(Reply::Ok(text)) => Ok(Answer::Done(words(text))),
            Some(Reply::Refused { code, text }) => {
                let words = words(text);
                Ok(Answer::Refused(Refusal { code, words }))
            }
            Some(Reply::More) => Ok(Answer::More),
            None => {
                let said = clean(&mask.answer(&line), 80);
                let what = format!("no POP3 server speaks like that: {said}");
                Err(wire.protocol(command, what))
            }
        }
    }

    /// The answer to a command that only a log-in may go on after.
    pub(super) fn verdict(&mut self, command: &str) -> Result<Result<String, Refusal>, Error> {
        let answer = self.answer(command)?;
        self.conclude(command, answer)
    }

    /// What an answer says that has to be the last one.
    pub(super) fn conclude(
        &mut self,
        command: &str,
        answer: Answer,
    ) -> Result<Result<String, Refusal>, Error> {
        match answer {
            Answer::Done(words) => Ok(Ok(words)),
            Answer::Refused(refusal) => Ok(Err(refusal)),
            Answer::More => {
                let what = "it asks for more of a command that was complete".to_owned();
                Err(self.wire.protocol(command, what))
            }
        }
    }

    /// The lines that follow an answer, in pieces without the dots that belong to the protocol;
    /// `length` bytes by the server's own account, and at most so many.
    pub(super) fn data(
        &mut self,
        length: Option<u64>,
        most: u64,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Error> {
        let bytes = self.wire.data(length, most, take)?;
        self.trace.line(|| format!("S: ({bytes} bytes)"));
        Ok(())
    }

    /// The lines that follow an answer, as a whole.
    pub(super) fn list(&mut self, command: &str, most: u64) -> Result<Vec<u8>, Error> {
        let mut lines = Vec::new();
        let read = self.data(None, most, &mut |piece| lines.extend_from_slice(piece));
        read.map_err(|error| match error {
            Error::Endless { server, what, .. } => Error::Protocol {
                server,
                command: command.to_owned(),
                what: format!("its list {what}"),
            },
            error => error,
        })?;
        Ok(lines)
    }

    /// The error that a refusal is where nothing can be done without the command.
    pub(super) fn refused(&self, command: &str, refusal: Refusal) -> Error {
        let (server, answer) = (self.server().to_owned(), refusal.words);
        match refusal.code {
            Code::Passing => Error::Busy { server, answer },
            Code::TooSoon => Error::TooSoon { server, answer },
            Code::None | Code::Auth | Code::Lasting => Error::Refused {
                server,
                command: command.to_owned(),
                answer,
            },
        }
    }

    /// An answer that can't be used, after which nothing can.
    pub(super) fn protocol(&mut self, command: &str, what: impl Into<String>) -> Error {
        self.wire.protocol(command, what.into())
    }
}

impl Session<Box<dyn Channel>> {
    /// Says good-bye and waits for the answer, but not for long.
    pub(super) fn close(mut self) {
        if self.wire.is_broken() {
            return;
        }
        // What goes wrong here hurts nobody: nothing was marked for deletion.
        if self.wire.channel().limit(GOOD_BYE).is_ok() {
            let _ = self
                .send(&["QUIT".to_owned()])
                .and_then(|()| self.answer("QUIT"));
        }
    }
}
