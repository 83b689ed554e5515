//! The first words of a conversation: the greeting, what the server can do, and the way to TLS
//! (RFC 1939, section 4; RFC 2449, section 5; RFC 2595, section 4).

use std::io::{Read, Write};

use super::capabilities::Capabilities;
use super::reply::Code;
use super::session::{Answer, Session};
use crate::mailbox::Error;
use crate::mailbox::login::Credentials;
use crate::net::{Connection, Trace, Upgrade};

/// Longest list of capabilities.
const CAPABILITIES: u64 = 64 * 1024;

/// How far a conversation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The server is about to greet.
    Begun,
    /// It has greeted, and TLS has begun since: whatever it said before is void.
    Secured,
    /// It stays in clear text; what the server can do is known, if it tells.
    Clear(Option<Capabilities>),
}

/// Talks in clear text until the server awaits TLS, reading byte by byte: nothing that
/// follows the consent may be taken for a part of the conversation.
pub(super) fn upgrade(
    connection: &mut Connection,
    server: &str,
    credentials: &Credentials,
    trace: &Trace,
) -> Result<(Upgrade, Stage), Error> {
    let mut session = Session::new(connection, 1, server, trace.clone());
    session.hide(credentials);
    start_tls(&mut session)
}

fn start_tls<C: Read + Write>(session: &mut Session<C>) -> Result<(Upgrade, Stage), Error> {
    greeting(session)?;
    let capabilities = capabilities(session)?;
    // Servers that have no CAPA may have STLS all the same.
    if capabilities.as_ref().is_some_and(|own| !own.has("STLS")) {
        return Ok((Upgrade::NotOffered, Stage::Clear(capabilities)));
    }
    session.send(&["STLS".to_owned()])?;
    match session.verdict("STLS")? {
        Ok(_) => Ok((Upgrade::Ready, Stage::Secured)),
        Err(_) if capabilities.is_none() => Ok((Upgrade::NotOffered, Stage::Clear(None))),
        Err(refusal) => Err(session.refused("STLS", refusal)),
    }
}

/// Goes on to where the credentials may be sent, and tells what the server can do.
pub(super) fn open<C: Read + Write>(
    session: &mut Session<C>,
    stage: Stage,
) -> Result<Option<Capabilities>, Error> {
    match stage {
        Stage::Begun => {
            greeting(session)?;
            capabilities(session)
        }
        Stage::Secured => capabilities(session),
        Stage::Clear(capabilities) => Ok(capabilities),
    }
}

/// Waits for the greeting. A challenge for APOP in it is not looked at: that log-in needs MD5,
/// and it protects nothing that TLS does not protect better.
fn greeting<C: Read + Write>(session: &mut Session<C>) -> Result<(), Error> {
    const CONNECTION: &str = "the connection";
    match session.answer(CONNECTION) {
        Ok(Answer::Done(_)) => Ok(()),
        // Who refuses everybody, and gives no other reason, has no time.
        Ok(Answer::Refused(refusal)) if matches!(refusal.code, Code::None | Code::Passing) => {
            Err(Error::Busy {
                server: session.server().to_owned(),
                answer: refusal.words,
            })
        }
        Ok(Answer::Refused(refusal)) => Err(session.refused(CONNECTION, refusal)),
        Ok(Answer::More) => Err(session.protocol(CONNECTION, "it does not greet".to_owned())),
        Err(Error::Protocol {
            server,
            command,
            what,
        }) => Err(Error::Protocol {
            server,
            command,
            what: format!("{what}. Check Port and EmailProtocol"),
        }),
        Err(other) => Err(other),
    }
}

/// What the server can do; `None` if it has no way to tell.
pub(super) fn capabilities<C: Read + Write>(
    session: &mut Session<C>,
) -> Result<Option<Capabilities>, Error> {
    session.send(&["CAPA".to_owned()])?;
    match session.verdict("CAPA")? {
        Ok(_) => {
            let list = session.list("CAPA", CAPABILITIES)?;
            Ok(Some(Capabilities::parse(&list)))
        }
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::script::Script;

    fn greet(bytes: &[u8]) -> Result<(), Error> {
        let mut session = Session::new(Script::saying(bytes), 1, "h:110", Trace::off());
        greeting(&mut session)
    }

    #[test]
    fn greetings_of_many_servers() {
        for bytes in [
            &b"+OK\r\n"[..],
            b"+OK\n",
            b"+OK \r\n",
            b"+OK POP3 ready <1896.697170952@dbc.mtview.ca.us>\r\n",
            b"+OK Gr\xfc\xdfe \0\r\n",
            b"+ok there\r\n",
        ] {
            greet(bytes).unwrap();
        }
    }

    #[test]
    fn greetings_that_end_it() {
        let text = |bytes: &[u8]| greet(bytes).unwrap_err().to_string();
        for busy in [&b"-ERR [SYS/TEMP] later\r\n"[..], b"-ERR later\r\n"] {
            assert!(matches!(greet(busy), Err(Error::Busy { answer, .. }) if answer == "later"));
        }
        assert!(text(b"-ERR [SYS/PERM] no\r\n").starts_with("h:110 refused the connection: no"));
        for bytes in [
            &b"* OK IMAP4rev1\r\n"[..],
            b"220 mail ESMTP\r\n",
            b"\r\n",
            b"\xff\xfe\0\x01\r\n",
            b"\x16\x03\x01\0\0\r\n",
            &[b'x'; 9000],
        ] {
            let text = text(bytes);
            assert!(text.contains("Check Port and EmailProtocol"), "{text}");
        }
        assert!(text(b"").starts_with("h:110 closed the connection. "));
    }

    /// What comes of the way to TLS, what was sent, and what is left unread.
    fn starts(
        answer: impl FnMut(&str) -> Vec<u8> + 'static,
    ) -> (Result<(Upgrade, Stage), Error>, Vec<String>, String) {
        let (mut script, lines) = Script::new(b"+OK hello\r\n", answer);
        let mut session = Session::new(&mut script, 1, "h:110", Trace::off());
        let came_of_it = start_tls(&mut session);
        let mut left = String::new();
        Read::read_to_string(&mut script, &mut left).unwrap();
        let lines = lines.borrow().clone();
        (came_of_it, lines, left)
    }

    #[test]
    fn nothing_beyond_the_consent_to_tls_is_read() {
        let (upgrade, sent, left) = starts(|line| match line {
            "CAPA" => b"+OK\r\nSTLS\r\nSASL PLAIN\r\n.\r\n".to_vec(),
            _ => b"+OK go ahead\r\n+OK forged\r\nX\r\n.\r\n".to_vec(),
        });
        assert_eq!(upgrade.unwrap(), (Upgrade::Ready, Stage::Secured));
        assert_eq!(sent, ["CAPA", "STLS"]);
        assert_eq!(left, "+OK forged\r\nX\r\n.\r\n");
    }

    #[test]
    fn tls_that_is_not_offered() {
        let (upgrade, sent, _) = starts(|_| b"+OK\r\nUSER\r\n.\r\n".to_vec());
        let own = Capabilities::parse(b"USER");
        let stays = (Upgrade::NotOffered, Stage::Clear(Some(own)));
        assert_eq!((upgrade.unwrap(), sent), (stays, vec!["CAPA".to_owned()]));

        let (upgrade, sent, _) = starts(|_| b"-ERR what?\r\n".to_vec());
        assert_eq!(upgrade.unwrap(), (Upgrade::NotOffered, Stage::Clear(None)));
        assert_eq!(sent, ["CAPA", "STLS"]);

        let (upgrade, _, _) = starts(|line| match line {
            "CAPA" => b"-ERR what?\r\n".to_vec(),
            _ => b"+OK begin\r\n".to_vec(),
        });
        assert_eq!(upgrade.unwrap(), (Upgrade::Ready, Stage::Secured));

        let (upgrade, _, _) = starts(|line| match line {
            "CAPA" => b"+OK\r\nSTLS\r\n.\r\n".to_vec(),
            _ => b"-ERR not today\r\n".to_vec(),
        });
        let error = upgrade.unwrap_err();
        let told = "h:110 refused STLS: not today. ";
        assert!(error.to_string().starts_with(told), "{error}");
    }
}
