//! One mail after the other over one connection (RFC 5321, section 3.3).
//!
//! Where the server has PIPELINING (RFC 2920), sender, recipients and DATA go out at once, and a
//! mail takes two turns: these, and its contents. The next mail could start in the second of
//! them; it doesn't, so that what a lost connection means stays certain for each mail.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::{Duration, Instant};

use super::capabilities::Capabilities;
use super::reply::Reply;
use super::wire::Wire;
use crate::net::Channel;
use crate::send::{
    Address, Answer, Delivery, Error, Form, Mail, NoLogin, Receipt, Refusal, Refused,
};

/// Commands that go out at once. More could fill the buffers on both sides, with each side
/// waiting for the other to read (RFC 2920, section 3.1).
const GROUP: usize = 100;

/// A conversation with a server that takes mails.
#[derive(Debug)]
pub(super) struct Session<C> {
    wire: Wire<C>,
    capabilities: Capabilities,
    /// When the log-in becomes void.
    expires: Option<Instant>,
    /// The last mail was left half way: the server has to forget it.
    unfinished: bool,
    state: State,
}

/// How far the current mail, or the last one, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been said of it that matters.
    Ready,
    /// Its contents are on their way or over.
    Begun,
    /// The conversation is over.
    Lost { begun: bool },
}

/// What is said of a mail before its contents.
enum Command<'a> {
    Reset,
    From(String),
    To(&'a Address, String),
    Data,
}

/// What the server said to that.
#[derive(Default)]
struct Answers {
    sender_refused: Option<Reply>,
    taken: usize,
    refused: Vec<Refusal>,
    data: Option<Reply>,
}

impl<C: Channel> Session<C> {
    pub(super) fn new(wire: Wire<C>, capabilities: Capabilities, expires: Option<Instant>) -> Self {
        Self {
            wire,
            capabilities,
            expires,
            unfinished: false,
            state: State::Ready,
        }
    }

    /// When the log-in becomes void.
    pub(super) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Another mail can follow.
    pub(super) fn is_usable(&self) -> bool {
        !matches!(self.state, State::Lost { .. })
    }

    /// The connection was lost before the server had asked for the contents of the last mail:
    /// nothing of it can have arrived.
    pub(super) fn was_lost_early(&self) -> bool {
        self.state == (State::Lost { begun: false })
    }

    /// Whether the server still answers.
    pub(super) fn is_alive(&mut self) -> bool {
        // Whatever it thinks of the command, it is there.
        let reply = self
            .wire
            .command("NOOP\r\n")
            .and_then(|()| self.wire.reply());
        reply.is_ok_and(|reply| !reply.is_good_bye())
    }

    /// Says good-bye within this time.
    pub(super) fn quit(self, limit: Duration) {
        if self.is_usable() {
            self.wire.quit(limit);
        }
    }

    /// Hands a mail over.
    pub(super) fn deliver(&mut self, mail: &Mail) -> Result<Delivery, Error> {
        self.state = State::Ready;
        let dsn = mail.delivery_receipt && self.capabilities.dsn;
        let (mail, out_of_reach) = self.within_reach(mail)?;
        let mail = &*mail;
        let recipients = recipients(mail);
        let utf8 = needs_utf8(mail);
        let contents = mail.compose(Form {
            bcc: false,
            receipt_header: !dsn,
        })?;
        let size = contents.len() as u64;
        if let Some(limit) = self.capabilities.largest.filter(|limit| size > *limit) {
            return Err(Error::TooLarge {
                server: self.wire.talk.server.clone(),
                size,
                limit,
            });
        }
        let commands = self.commands(mail, &recipients, size, dsn, utf8);
        let mut answers = self.announce(&commands)?;
        answers.refused.extend(out_of_reach);
        let refused = self.go_ahead(answers)?;
        self.send(&contents)?;
        Ok(Delivery {
            refused,
            receipt: match (mail.delivery_receipt, dsn) {
                (false, _) => Receipt::None,
                (true, true) => Receipt::Dsn,
                (true, false) => Receipt::Header,
            },
        })
    }

    /// The mail without the recipients whose addresses the server can't take, and these. SMTPUTF8
    /// (RFC 6531) is asked for a mail as a whole; the others are to get it all the same.
    fn within_reach<'a>(&self, mail: &'a Mail) -> Result<(Cow<'a, Mail>, Vec<Refusal>), Error> {
        if self.capabilities.utf8 || !needs_utf8(mail) {
            return Ok((Cow::Borrowed(mail), Vec::new()));
        }
        let server = &self.wire.talk.server;
        if mail.from.address.needs_utf8() {
            return Err(Error::NotAscii {
                server: server.clone(),
                address: mail.from.address.to_string(),
            });
        }
        let mut within = mail.clone();
        for people in [&mut within.to, &mut within.cc, &mut within.bcc] {
            people.retain(|person| !person.address.needs_utf8());
        }
        let refused: Vec<_> = recipients(mail)
            .into_iter()
            .filter(|address| address.needs_utf8())
            .map(|address| Refusal {
                recipient: address.to_string(),
                answer: Answer::NotAscii {
                    server: server.clone(),
                },
                transient: false,
            })
            .collect();
        if recipients(&within).is_empty() {
            return Err(Error::NobodyTook(refused));
        }
        Ok((Cow::Owned(within), refused))
    }

    fn commands<'a>(
        &self,
        mail: &Mail,
        recipients: &[&'a Address],
        size: u64,
        dsn: bool,
        utf8: bool,
    ) -> Vec<Command<'a>> {
        let mut parameters = String::new();
        let mut parameter = |text: &str| {
            parameters.push(' ');
            parameters.push_str(text);
        };
        if self.capabilities.size {
            parameter(&format!("SIZE={size}"));
        }
        if utf8 {
            // Headers with such addresses are 8 bit, which such a server takes (RFC 6531, sections
            // 3.1 and 3.4).
            parameter("BODY=8BITMIME SMTPUTF8");
        }
        if dsn {
            let id = mail.message_id.trim_matches(['<', '>']);
            // The identifier may have 100 characters (RFC 3461, section 4.4).
            let envelope = Some(xtext(id)).filter(|id| id.len() <= 100);
            parameter("RET=HDRS");
            if let Some(envelope) = envelope {
                parameter(&format!("ENVID={envelope}"));
            }
        }
        let mut commands = Vec::with_capacity(recipients.len() + 3);
        if self.unfinished {
            commands.push(Command::Reset);
        }
        commands.push(Command::From(format!(
            "<{}>{parameters}",
            mail.from.address
        )));
        commands.extend(recipients.iter().map(|address| {
            let notify = match dsn {
                true if address.needs_utf8() => " NOTIFY=SUCCESS,FAILURE,DELAY".to_owned(),
                true => format!(
                    " NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;{}",
                    xtext(address.as_str())
                ),
                false => String::new(),
            };
            Command::To(address, notify)
        }));
        commands.push(Command::Data);
        commands
    }

    /// Says from whom and to whom, in as few turns as the server allows.
    fn announce(&mut self, commands: &[Command<'_>]) -> Result<Answers, Error> {
        let at_once = if self.capabilities.pipelining {
            GROUP
        } else {
            1
        };
        self.unfinished = true;
        let mut answers = Answers::default();
        for group in commands.chunks(at_once) {
            if answers.leave_no_hope(group) {
                break;
            }
            let mut lines = String::new();
            for command in group {
                command.write(&mut lines);
            }
            self.or_lost(|wire| wire.command(&lines))?;
            for command in group {
                let reply = self.or_lost(Wire::reply)?;
                if reply.is_good_bye() {
                    self.state = State::Lost { begun: false };
                    return Err(self.wire.talk.closed(&reply));
                }
                answers.take(command, reply);
            }
        }
        Ok(answers)
    }

    /// Whether the contents may follow; gives the recipients that get nothing.
    fn go_ahead(&mut self, answers: Answers) -> Result<Vec<Refusal>, Error> {
        let data = answers.data.as_ref();
        let awaited = data.is_some_and(Reply::awaits_more);
        let refused = |what, reply: &Reply| Error::Refused {
            server: self.wire.talk.server.clone(),
            what,
            answer: reply.words(),
            transient: reply.is_transient(),
        };
        let failure = match (&answers.sender_refused, data) {
            (Some(reply), _) if reply.code == 530 => Some(Error::NoLogin {
                server: self.wire.talk.server.clone(),
                why: NoLogin::Demanded {
                    answer: reply.words(),
                },
            }),
            (Some(reply), _) => Some(refused(Refused::Sender, reply)),
            (None, _) if answers.taken == 0 => Some(Error::NobodyTook(answers.refused.clone())),
            (None, Some(reply)) if !awaited => Some(refused(Refused::Mail, reply)),
            (None, _) => None,
        };
        let Some(failure) = failure else {
            return Ok(answers.refused);
        };
        if awaited {
            // The server awaits contents although there is nobody to get them: it gets none, and
            // has to refuse that (RFC 2920, section 3.1).
            self.or_lost(|wire| wire.command(".\r\n"))?;
            let reply = self.or_lost(Wire::reply)?;
            if reply.is_good_bye() {
                self.state = State::Lost { begun: false };
            }
        }
        Err(failure)
    }

    /// Sends the contents. From the final dot on, only an answer tells what became of the mail.
    fn send(&mut self, contents: &[u8]) -> Result<(), Error> {
        self.state = State::Begun;
        if let Err(error) = self.wire.contents(&stuffed(contents)) {
            self.state = State::Lost { begun: true };
            // Servers hang up in the middle of a mail that they don't want, and say why.
            return Err(match self.wire.last_words() {
                Some(reply) => self.refused_contents(&reply),
                None => error,
            });
        }
        let reply = match self.wire.command(".\r\n").and_then(|()| self.wire.reply()) {
            Ok(reply) => reply,
            Err(error) => {
                self.state = State::Lost { begun: true };
                return Err(Error::Unanswered {
                    cause: Box::new(error),
                });
            }
        };
        self.unfinished = false;
        if reply.is_good_bye() {
            self.state = State::Lost { begun: true };
        }
        if reply.is_positive() {
            Ok(())
        } else {
            Err(self.refused_contents(&reply))
        }
    }

    fn refused_contents(&self, reply: &Reply) -> Error {
        Error::Refused {
            server: self.wire.talk.server.clone(),
            what: if denies_sender(reply) {
                Refused::Sender
            } else if denies_contents(reply) {
                Refused::Contents
            } else {
                Refused::Mail
            },
            answer: reply.words(),
            transient: reply.is_transient(),
        }
    }

    fn or_lost<T>(
        &mut self,
        step: impl FnOnce(&mut Wire<C>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let done = step(&mut self.wire);
        if done.is_err() {
            self.state = State::Lost { begun: false };
        }
        done
    }
}

impl Command<'_> {
    fn write(&self, lines: &mut String) {
        // Writing to a string does not fail.
        let _ = match self {
            Self::Reset => writeln!(lines, "RSET\r"),
            Self::From(rest) => writeln!(lines, "MAIL FROM:{rest}\r"),
            Self::To(address, rest) => writeln!(lines, "RCPT TO:<{address}>{rest}\r"),
            Self::Data => writeln!(lines, "DATA\r"),
        };
    }
}

impl Answers {
    fn take(&mut self, command: &Command<'_>, reply: Reply) {
        match command {
            Command::Reset => {}
            Command::From(_) if reply.is_positive() => {}
            Command::From(_) => self.sender_refused = Some(reply),
            Command::To(..) if reply.is_positive() => self.taken += 1,
            Command::To(address, _) => self.refused.push(Refusal {
                recipient: address.to_string(),
                answer: Answer::Said(reply.words()),
                transient: reply.is_transient(),
            }),
            Command::Data => self.data = Some(reply),
        }
    }

    /// Whether these commands can't lead anywhere any more.
    fn leave_no_hope(&self, group: &[Command<'_>]) -> bool {
        let only_data = matches!(group, [Command::Data]);
        self.sender_refused.is_some() || (only_data && self.taken == 0)
    }
}

/// Exchange looks only when it has the contents whether the user may send from the address
/// (learn.microsoft.com/exchange/troubleshoot/email-delivery: `SendAsDenied`, 550 5.7.60).
fn denies_sender(reply: &Reply) -> bool {
    let words = reply.words();
    words.contains("SendAsDenied") || words.contains(" 5.7.60 ")
}

/// The mail is refused for what it holds, or for its size. Every other status speaks of the account,
/// a quota, a mailbox or the server, which somebody or another day mends (RFC 3463, section 3).
fn denies_contents(reply: &Reply) -> bool {
    !reply.is_transient() && matches!(reply.status(), Some((6, _) | (2, 3) | (3, 4)))
}

/// Whether an address demands SMTPUTF8 (RFC 6531): one of the envelope, or one that stands in the
/// mail, whether or not it gets the mail now.
fn needs_utf8(mail: &Mail) -> bool {
    let named = mail.to.iter().chain(&mail.cc).chain([&mail.from]);
    let named = named.map(|person| &person.address);
    named.chain(recipients(mail)).any(Address::needs_utf8)
}

/// Everybody who gets the mail now, once.
fn recipients(mail: &Mail) -> Vec<&Address> {
    let mut known: std::collections::HashSet<_> = mail.served.iter().collect();
    let people = [&mail.to, &mail.cc, &mail.bcc].into_iter().flatten();
    people
        .map(|person| &person.address)
        .filter(|address| known.insert(*address))
        .collect()
}

/// A line that begins with a dot gets another one (RFC 5321, section 4.5.2).
pub(super) fn stuffed(contents: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(contents.len() + 64);
    for line in contents.split_inclusive(|b| *b == b'\n') {
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Text within a parameter (RFC 3461, section 4).
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if !matches!(byte, b'+' | b'=') => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "+{byte:02X}");
            }
        }
    }
    out
}
