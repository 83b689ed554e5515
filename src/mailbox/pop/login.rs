//! Logging in, in as few turns as the server allows (RFC 5034; RFC 1939, section 7 for USER and
//! PASS).

use std::io::{Read, Write};

use data_encoding::BASE64;

use super::capabilities::Capabilities;
use super::reply::Code;
use super::session::{Answer, Refusal, Session};
use crate::mailbox::Error;
use crate::mailbox::login::{Credentials, NO_TOKENS, STARS};
use crate::secret::Secret;

/// Longest command, its line end included (RFC 2449, section 4).
const COMMAND: usize = 255;

/// How the credentials are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// AUTH with the credentials in the same line.
    AtOnce,
    /// AUTH, the credentials when the server asks for them.
    WhenAsked,
    /// USER, and PASS when the server has consented to it.
    UserPass,
}

/// Logs in. `known` is what the server can do, if it tells.
pub(super) fn log_in<C: Read + Write>(
    session: &mut Session<C>,
    credentials: Credentials,
    known: Option<&Capabilities>,
) -> Result<(), Error> {
    match attempt(session, &credentials, known) {
        Err(refusal) => attempt(session, &credentials.after(refusal)?, known),
        done => done,
    }
}

fn attempt<C: Read + Write>(
    session: &mut Session<C>,
    credentials: &Credentials,
    known: Option<&Capabilities>,
) -> Result<(), Error> {
    session.hide(credentials);
    let way = choose(known, credentials).map_err(|why| Error::NoLogin {
        server: session.server().to_owned(),
        why: why.into(),
    })?;
    let (command, refusal) = match way {
        Way::AtOnce => ("AUTH", at_once(session, credentials)?),
        Way::WhenAsked => ("AUTH", when_asked(session, credentials)?),
        Way::UserPass => user_pass(session, credentials)?,
    };
    match refusal {
        None => Ok(()),
        Some(refusal) => Err(refused(session, credentials, command, refusal)),
    }
}

/// Picks the way that needs the fewest turns and can carry the credentials.
fn choose(known: Option<&Capabilities>, credentials: &Credentials) -> Result<Way, &'static str> {
    if credentials.is_token() {
        // Tokens are longer than a command may be.
        let takes = known.is_some_and(|known| known.has_mechanism("XOAUTH2"));
        return takes.then_some(Way::WhenAsked).ok_or(NO_TOKENS);
    }
    let Some(known) = known else {
        // USER and PASS are what every server has, unless it says otherwise.
        return if credentials.is_ascii() {
            Ok(Way::UserPass)
        } else {
            Err(BEYOND_ASCII)
        };
    };
    let plain = known.has_mechanism("PLAIN");
    // Servers that list no mechanisms and do not tell that USER would do are old rather than
    // strict. PASS is only sent when USER is taken.
    let user = known.has("USER") || !known.has("SASL") && !known.has("STLS");
    let short = in_one_line(credentials).expose().len() + 2 <= COMMAND;
    // Exchange lists PLAIN, and hangs up on credentials in the same line. It has none of these
    // extensions, without which no server of the time of RFC 5034 is found.
    let modern = ["PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"];
    match (plain, user) {
        (true, _) if short && modern.iter().any(|name| known.has(name)) => Ok(Way::AtOnce),
        (true, true) if !credentials.is_ascii() || !short => Ok(Way::WhenAsked),
        (true, false) => Ok(Way::WhenAsked),
        (_, true) if credentials.is_ascii() => Ok(Way::UserPass),
        (_, true) => Err(BEYOND_ASCII),
        (false, false) => Err(
            "it takes passwords over secure connections only, or not at all. Check SecurityProtocol and \
             ConnectionSecurity, or use --msal if it is Microsoft's",
        ),
    }
}

const BEYOND_ASCII: &str = "the user or the password has letters beyond ASCII, and the server does not offer SASL PLAIN. \
                            Set a password of plain letters, digits and signs";

fn in_one_line(credentials: &Credentials) -> Secret {
    let message = encoded(credentials);
    Secret::new(format!(
        "AUTH {} {}",
        credentials.mechanism(),
        message.expose()
    ))
}

fn encoded(credentials: &Credentials) -> Secret {
    Secret::new(BASE64.encode(credentials.message().expose().as_bytes()))
}

/// The credentials when the server asks for them. Gives the refusal, if it came to one.
fn when_asked<C: Read + Write>(
    session: &mut Session<C>,
    credentials: &Credentials,
) -> Result<Option<Refusal>, Error> {
    session.send(&[format!("AUTH {}", credentials.mechanism())])?;
    match session.answer("AUTH")? {
        Answer::More => end(session, credentials, &encoded(credentials)),
        Answer::Done(_) => {
            Err(session.protocol("AUTH", "it lets everybody in who names a mechanism"))
        }
        // Google wants the token in the same line, however long that is; Microsoft does not
        // (developers.google.com/gmail/imap/xoauth2-protocol).
        Answer::Refused(_) if credentials.is_token() => at_once(session, credentials),
        Answer::Refused(refusal) => Ok(Some(refusal)),
    }
}

/// The credentials in the line of the command.
fn at_once<C: Read + Write>(
    session: &mut Session<C>,
    credentials: &Credentials,
) -> Result<Option<Refusal>, Error> {
    let shown = format!("AUTH {} {STARS}", credentials.mechanism());
    let line = in_one_line(credentials);
    match submit(session, credentials, &line, &shown, "AUTH")? {
        // Of XOAUTH2 that is a refusal; others ask for what has come with the command already.
        Answer::More if credentials.is_token() => {
            end(session, credentials, &Secret::new(String::new()))
        }
        Answer::More => end(session, credentials, &encoded(credentials)),
        answer => Ok(session.conclude("AUTH", answer)?.err()),
    }
}

/// Answers a question of a log-in. With XOAUTH2 another one says what is wrong, and wants nothing
/// for an answer.
fn end<C: Read + Write>(
    session: &mut Session<C>,
    credentials: &Credentials,
    answer: &Secret,
) -> Result<Option<Refusal>, Error> {
    match submit(session, credentials, answer, STARS, "AUTH")? {
        Answer::More if credentials.is_token() && !answer.expose().is_empty() => {
            end(session, credentials, &Secret::new(String::new()))
        }
        answer => Ok(session.conclude("AUTH", answer)?.err()),
    }
}

/// Gives the command that was refused, and the refusal, if it came to one.
fn user_pass<C: Read + Write>(
    session: &mut Session<C>,
    credentials: &Credentials,
) -> Result<(&'static str, Option<Refusal>), Error> {
    session.send(&[format!("USER {}", credentials.user)])?;
    if let Err(refusal) = session.verdict("USER")? {
        return Ok(("USER", Some(refusal)));
    }
    let pass = Secret::new(format!("PASS {}", credentials.secret().expose()));
    let answer = submit(session, credentials, &pass, "PASS ***", "PASS")?;
    Ok(("PASS", session.conclude("PASS", answer)?.err()))
}

/// Sends the line that holds the credentials, and takes the answer.
fn submit<C: Read + Write>(
    session: &mut Session<C>,
    credentials: &Credentials,
    line: &Secret,
    shown: &str,
    command: &str,
) -> Result<Answer, Error> {
    let sent = session.send_hidden(line, shown);
    sent.and_then(|()| session.answer(command))
        .map_err(|error| credentials.unanswered(session.server(), error))
}

/// Whether the credentials were refused, or the time was wrong for them.
fn refused<C: Read + Write>(
    session: &Session<C>,
    credentials: &Credentials,
    command: &str,
    refusal: Refusal,
) -> Error {
    match refusal.code {
        Code::Passing | Code::TooSoon | Code::Lasting => session.refused(command, refusal),
        // What servers without codes say of a mailbox that another program has open (RFC 1939,
        // sections 4 and 7).
        Code::None if is_about_a_lock(&refusal.words) => Error::Busy {
            server: session.server().to_owned(),
            answer: refusal.words,
        },
        Code::None | Code::Auth => credentials.refused(session.server(), refusal.words),
    }
}

fn is_about_a_lock(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let of_a_lock = |word: &str| matches!(word, "lock" | "locked");
    words.contains("maildrop") && words.split(|c: char| !c.is_alphanumeric()).any(of_a_lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::{Login, Proof};

    fn login(password: &str) -> Credentials {
        let login = Login {
            user: "me".into(),
            proof: Proof::Password(Secret::new(password.into())),
        };
        login.credentials("h:1").unwrap()
    }

    #[test]
    fn the_way_that_needs_the_fewest_turns() {
        let way = |list: &str, password: &str| {
            choose(
                Some(&Capabilities::parse(list.as_bytes())),
                &login(password),
            )
        };
        let long = "x".repeat(200);
        let dovecot = "SASL PLAIN LOGIN\nUSER\nRESP-CODES\nPIPELINING";
        assert_eq!(way(dovecot, "pw"), Ok(Way::AtOnce));
        assert_eq!(way(dovecot, "pä"), Ok(Way::AtOnce));
        assert_eq!(way(dovecot, &long), Ok(Way::WhenAsked));
        let exchange = "TOP\nUIDL\nSASL NTLM GSSAPI PLAIN\nUSER";
        assert_eq!(way(exchange, "pw"), Ok(Way::UserPass));
        assert_eq!(way(exchange, "pä"), Ok(Way::WhenAsked));
        assert_eq!(way("SASL PLAIN", "pw"), Ok(Way::WhenAsked));
        assert_eq!(way("USER", &long), Ok(Way::UserPass));
        assert_eq!(way("TOP", "pw"), Ok(Way::UserPass));
        assert_eq!(choose(None, &login("pw")), Ok(Way::UserPass));
    }

    #[test]
    fn no_password_goes_where_it_is_not_taken() {
        for list in ["SASL\nSTLS", "STLS\nTOP", "SASL CRAM-MD5 XOAUTH2\nTOP"] {
            let known = Capabilities::parse(list.as_bytes());
            let why = choose(Some(&known), &login("pw")).unwrap_err();
            assert!(why.contains("ConnectionSecurity"), "{list}");
        }
        assert_eq!(choose(None, &login("pä")), Err(BEYOND_ASCII));
        let known = Capabilities::parse(b"USER");
        assert_eq!(choose(Some(&known), &login("pä")), Err(BEYOND_ASCII));
    }
}
