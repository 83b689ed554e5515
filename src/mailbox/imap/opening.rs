//! The first words of a conversation: the greeting, and the way to TLS (RFC 9051, sections
//! 7.1 and 6.2.1).
//!
//! These come before the `imap` crate takes part: it does not look at greetings, and it
//! has no STARTTLS over a connection of ours.

use std::io::{Read, Write};

use super::capabilities::Capabilities;
use super::line::{Line, Status, word};
use super::mask;
use super::response::{Bounds, Failure, Response, Responses};
use crate::mailbox::login::{Credentials, Mask};
use crate::mailbox::{Error, words_of};
use crate::net::{self, Connection, Trace, Upgrade, clean};

/// A Dovecot that has just been started says this before its greeting.
const NOT_YET: &[u8] = b"Waiting for authentication process";

/// What the greeting and each answer before TLS may cost, read byte by byte as they may be.
const BOUNDS: Bounds = Bounds {
    literal: 0,
    total: 128 * 1024,
    passed_over: 0,
};

/// Speaks with a server that has not been logged in to.
pub(super) struct Opening<'a, C: Read + Write> {
    responses: Responses<C>,
    server: &'a str,
    trace: &'a Trace,
    mask: Mask,
}

impl<'a, C: Read + Write> Opening<'a, C> {
    pub(super) fn new(channel: C, ahead: usize, server: &'a str, trace: &'a Trace) -> Self {
        let mut responses = Responses::new(channel, ahead);
        responses.expect(BOUNDS);
        Self {
            responses,
            server,
            trace,
            mask: Mask::default(),
        }
    }

    /// Hides these credentials in all that is shown: a server may know them from an earlier
    /// attempt.
    pub(super) fn hide(&mut self, credentials: &Credentials) {
        self.mask = Mask::new(credentials);
    }

    /// Waits for the greeting. Gives the capabilities if it names them.
    pub(super) fn greeting(&mut self) -> Result<Option<Capabilities>, Error> {
        loop {
            let response = self.next("the greeting")?;
            match Line::read(&response.text) {
                Line::Status {
                    tag: None,
                    status: Status::Ok,
                    text,
                    ..
                } if text.starts_with(NOT_YET) => {}
                Line::Status {
                    tag: None,
                    status: Status::Ok,
                    code,
                    ..
                } => return Ok(listed(code)),
                Line::Status {
                    tag: None,
                    status: Status::Bye,
                    text,
                    ..
                } => return Err(self.closed(text)),
                Line::Status {
                    tag: None,
                    status: Status::PreAuth,
                    ..
                } => {
                    return Err(Error::NoLogin {
                        server: self.server.to_owned(),
                        why: "it says that this machine is logged in already, and not as whom. \
                              Have the server ask for a password"
                            .into(),
                    });
                }
                _ => {
                    let said = clean(&self.mask.answer(&response.text), 80);
                    let what = format!(
                        "no IMAP server speaks like that: {said}. Check Port and EmailProtocol"
                    );
                    return Err(self.protocol("the connection", what));
                }
            }
        }
    }

    /// What the server can do before anybody has logged in, greeting first.
    fn offers(&mut self) -> Result<Capabilities, Error> {
        let greeted = self.greeting()?;
        self.capabilities(greeted)
    }

    /// What the server can do, asked for if the greeting did not say.
    fn capabilities(&mut self, greeted: Option<Capabilities>) -> Result<Capabilities, Error> {
        if let Some(capabilities) = greeted {
            return Ok(capabilities);
        }
        Ok(self.command("s1", "CAPABILITY")?.unwrap_or_default())
    }

    /// Asks for TLS. The server awaits the handshake after this.
    pub(super) fn start_tls(&mut self) -> Result<(), Error> {
        self.command("s2", "STARTTLS").map(|_| ())
    }

    pub(super) fn into_responses(self) -> Responses<C> {
        self.responses
    }

    fn command(&mut self, tag: &str, command: &'static str) -> Result<Option<Capabilities>, Error> {
        let line = format!("{tag} {command}\r\n");
        self.trace
            .line(|| format!("C: {}", mask::command(line.as_bytes(), false)));
        self.responses
            .send(line.as_bytes(), BOUNDS)
            .map_err(|e| self.failed(command, e))?;
        let mut capabilities = None;
        loop {
            let response = self.next(command)?;
            match Line::read(&response.text) {
                Line::Data {
                    number: None,
                    word,
                    rest,
                } if word.eq_ignore_ascii_case(b"CAPABILITY") => {
                    capabilities = Some(Capabilities::parse(rest));
                }
                Line::Status {
                    tag: None,
                    status: Status::Bye,
                    text,
                    ..
                } => return Err(self.closed(text)),
                Line::Status {
                    tag: Some(own),
                    status,
                    code,
                    text,
                } if own == tag.as_bytes() => {
                    if status == Status::Ok {
                        return Ok(capabilities.or(listed(code)));
                    }
                    return Err(Error::Refused {
                        server: self.server.to_owned(),
                        command: command.into(),
                        answer: words_of(&self.mask.answer(text)),
                    });
                }
                Line::Status { tag: Some(_), .. } | Line::Continuation => {
                    return Err(
                        self.protocol(command, "the answer belongs to another command".into())
                    );
                }
                _ => {}
            }
        }
    }

    fn next(&mut self, command: &str) -> Result<Response, Error> {
        let response = self.responses.next().map_err(|e| self.failed(command, e))?;
        self.trace
            .line(|| format!("S: {}", self.mask.answer(&response.text)));
        Ok(response)
    }

    fn failed(&self, command: &str, failure: Failure) -> Error {
        match failure {
            Failure::Connection(error) => net::Error::of_io(self.server, error).into(),
            Failure::Protocol(what) => self.protocol(command, what),
        }
    }

    fn protocol(&self, command: &str, what: String) -> Error {
        Error::Protocol {
            server: self.server.to_owned(),
            command: command.to_owned(),
            what,
        }
    }

    fn closed(&self, words: &[u8]) -> Error {
        Error::Connection(net::Error::Closed {
            server: self.server.to_owned(),
            words: words_of(&self.mask.answer(words)),
        })
    }
}

/// Talks in clear text until the server awaits TLS, reading byte by byte: nothing that
/// follows the consent may be taken for a part of the conversation.
///
/// Where TLS is not offered, the capabilities are good for the conversation in clear text;
/// what was said before TLS is void after it.
pub(super) fn upgrade(
    connection: &mut Connection,
    server: &str,
    credentials: &Credentials,
    trace: &Trace,
) -> Result<(Upgrade, Option<Capabilities>), Error> {
    let mut opening = Opening::new(connection, 1, server, trace);
    opening.hide(credentials);
    let capabilities = opening.offers()?;
    if !capabilities.has("STARTTLS") {
        return Ok((Upgrade::NotOffered, Some(capabilities)));
    }
    opening.start_tls()?;
    Ok((Upgrade::Ready, None))
}

/// What a server offers to whom does not ask for TLS. No password goes over a line in clear
/// text before the server has said whether it takes one (LOGINDISABLED, RFC 9051, section
/// 6.2.3).
pub(super) fn in_clear(
    connection: &mut Connection,
    server: &str,
    credentials: &Credentials,
    trace: &Trace,
) -> Result<Capabilities, Error> {
    let mut opening = Opening::new(connection, 1, server, trace);
    opening.hide(credentials);
    opening.offers()
}

fn listed(code: &[u8]) -> Option<Capabilities> {
    let (name, list) = word(code);
    name.eq_ignore_ascii_case(b"CAPABILITY")
        .then(|| Capabilities::parse(list))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::mailbox::{Login, Proof};
    use crate::net::script::Script;
    use crate::secret::Secret;

    fn credentials() -> Credentials {
        let login = Login {
            user: "me".into(),
            proof: Proof::Password(Secret::new("s3cret".into())),
        };
        login.credentials("h:143").unwrap()
    }

    fn greet(bytes: &[u8]) -> Result<Option<Capabilities>, Error> {
        Opening::new(Script::saying(bytes), 1, "h:143", &Trace::off()).greeting()
    }

    #[test]
    fn greetings_of_many_servers() {
        let named = greet(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n").unwrap();
        assert!(named.unwrap().has("STARTTLS"));
        assert_eq!(greet(b"* OK IMAP4rev1\n").unwrap(), None);
        let slow = b"* OK Waiting for authentication process to respond..\r\n* OK [CAPABILITY X] ready\r\n";
        assert!(greet(slow).unwrap().unwrap().has("X"));
    }

    #[test]
    fn greetings_that_end_it() {
        let text = |bytes: &[u8]| greet(bytes).unwrap_err().to_string();
        let told = "h:143 closed the connection and said: too many connections. ";
        assert!(text(b"* BYE too many connections\r\n").starts_with(told));
        assert!(text(b"* PREAUTH welcome\r\n").contains("logged in already"));
        assert!(text(b"+OK POP3 ready\r\n").contains("Check Port and EmailProtocol"));
        assert!(text(b"").starts_with("h:143 closed the connection. "));
        assert!(text(&[b'x'; 70_000]).contains("longer than 65536 bytes"));
        let chatter = [b"* OK ", NOT_YET, b"\r\n"].concat().repeat(4000);
        assert!(text(&chatter).contains("at most 131072 are expected"));
    }

    #[test]
    fn nothing_beyond_the_consent_to_tls_is_read() {
        let (mut script, lines) = Script::new(b"* OK hello\r\n", |line| match line {
            "s1 CAPABILITY" => b"* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK\r\n".to_vec(),
            _ => b"TAG OK go ahead\r\nTAG OK [CAPABILITY FORGED] forged\r\n".to_vec(),
        });
        let trace = Trace::off();
        let mut opening = Opening::new(&mut script, 1, "h:143", &trace);
        assert!(opening.offers().unwrap().has("STARTTLS"));
        opening.start_tls().unwrap();
        let mut left = String::new();
        Read::read_to_string(&mut script, &mut left).unwrap();
        assert_eq!(left, "s2 OK [CAPABILITY FORGED] forged\r\n");
        assert_eq!(*lines.borrow(), ["s1 CAPABILITY", "s2 STARTTLS"]);
    }

    /// It may know the password from an earlier attempt.
    #[test]
    fn a_server_that_refuses_tls_with_the_password_is_not_repeated() {
        for answer in ["TAG NO s3cret again\r\n", "* BYE s3cret again\r\n"] {
            let (script, _) = Script::new(b"", move |_| answer.into());
            let shown = Arc::new(Mutex::new(String::new()));
            let sink = Arc::clone(&shown);
            let trace = Trace::to(move |line| sink.lock().unwrap().push_str(line));
            let mut opening = Opening::new(script, 1, "h:143", &trace);
            opening.hide(&credentials());
            let error = opening.start_tls().unwrap_err();
            let shown = format!("{} {error} {error:?}", shown.lock().unwrap());
            assert!(
                shown.contains("*** again") && !shown.contains("s3cret"),
                "{shown}"
            );
        }
    }
}
