//! Logging in, in as few turns as the server allows (RFC 5034; RFC 1939, section 7 for USER and
//! PASS).

use std::io::{Read, Write};

use data_encoding::BASE64;

use super::capabilities::Capabilities;
use super::reply::Code;
use super::session::{Answer, Refusal, Session};
use crate::mailbox::login::STARS;
use crate::mailbox::{Error, Login};
use crate::secret::Secret;

/// Longest command, its line end included (RFC 2449, section 4).
const COMMAND: usize = 255;

/// How the credentials are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// AUTH PLAIN with the credentials in the same line.
    PlainAtOnce,
    /// AUTH PLAIN, the credentials when the server asks for them.
    PlainWhenAsked,
    /// USER, and PASS when the server has consented to it.
    UserPass,
}

/// Logs in. `known` is what the server can do, if it tells.
pub(super) fn log_in<C: Read + Write>(
    session: &mut Session<C>,
    login: &Login,
    known: Option<&Capabilities>,
) -> Result<(), Error> {
    session.hide(login);
    let way = choose(known, login).map_err(|why| Error::NoLogin {
        server: session.server().to_owned(),
        why: why.into(),
    })?;
    let (command, refusal) = match way {
        Way::PlainAtOnce => ("AUTH", plain(session, login, true)?),
        Way::PlainWhenAsked => ("AUTH", plain(session, login, false)?),
        Way::UserPass => user_pass(session, login)?,
    };
    match refusal {
        None => Ok(()),
        Some(refusal) => Err(refused(session, login, command, refusal)),
    }
}

/// Picks the way that needs the fewest turns and can carry the credentials.
fn choose(known: Option<&Capabilities>, login: &Login) -> Result<Way, &'static str> {
    let Some(known) = known else {
        // USER and PASS are what every server has, unless it says otherwise.
        return if login.is_ascii() {
            Ok(Way::UserPass)
        } else {
            Err(BEYOND_ASCII)
        };
    };
    let plain = known.has_mechanism("PLAIN");
    // Servers that list no mechanisms and do not tell that USER would do are old rather than
    // strict. PASS is only sent when USER is taken.
    let user = known.has("USER") || !known.has("SASL") && !known.has("STLS");
    let short = plain_command(login).expose().len() + 2 <= COMMAND;
    // Exchange lists PLAIN, and hangs up on credentials in the same line. It has none of these
    // extensions, without which no server of the time of RFC 5034 is found.
    let modern = ["PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"];
    match (plain, user) {
        (true, _) if short && modern.iter().any(|name| known.has(name)) => Ok(Way::PlainAtOnce),
        (true, true) if !login.is_ascii() || !short => Ok(Way::PlainWhenAsked),
        (true, false) => Ok(Way::PlainWhenAsked),
        (_, true) if login.is_ascii() => Ok(Way::UserPass),
        (_, true) => Err(BEYOND_ASCII),
        (false, false) => Err(
            "it takes passwords over secure connections only, or not at all. Check SecurityProtocol and \
             ConnectionSecurity, or use --msal if it is Microsoft's",
        ),
    }
}

const BEYOND_ASCII: &str = "the user or the password has letters beyond ASCII, and the server does not offer SASL PLAIN. \
                            Set a password of plain letters, digits and signs";

fn plain_command(login: &Login) -> Secret {
    Secret::new(format!("AUTH PLAIN {}", credentials(login).expose()))
}

fn credentials(login: &Login) -> Secret {
    Secret::new(BASE64.encode(login.plain().expose().as_bytes()))
}

/// Gives the refusal, if it came to one.
fn plain<C: Read + Write>(
    session: &mut Session<C>,
    login: &Login,
    at_once: bool,
) -> Result<Option<Refusal>, Error> {
    let answer = if at_once {
        submit(
            session,
            login,
            &plain_command(login),
            "AUTH PLAIN ***",
            "AUTH",
        )?
    } else {
        session.send(&["AUTH PLAIN".to_owned()])?;
        session.answer("AUTH")?
    };
    match answer {
        // It asks, though they may have come with the command already.
        Answer::More => {
            let answer = submit(session, login, &credentials(login), STARS, "AUTH")?;
            Ok(session.conclude("AUTH", answer)?.err())
        }
        Answer::Done(_) if !at_once => {
            Err(session.protocol("AUTH", "it lets everybody in who names a mechanism"))
        }
        Answer::Done(_) => Ok(None),
        Answer::Refused(refusal) => Ok(Some(refusal)),
    }
}

/// Gives the command that was refused, and the refusal, if it came to one.
fn user_pass<C: Read + Write>(
    session: &mut Session<C>,
    login: &Login,
) -> Result<(&'static str, Option<Refusal>), Error> {
    session.send(&[format!("USER {}", login.user)])?;
    if let Err(refusal) = session.verdict("USER")? {
        return Ok(("USER", Some(refusal)));
    }
    let pass = Secret::new(format!("PASS {}", login.password.expose()));
    let answer = submit(session, login, &pass, "PASS ***", "PASS")?;
    Ok(("PASS", session.conclude("PASS", answer)?.err()))
}

/// Sends the line that holds the password, and takes the answer.
fn submit<C: Read + Write>(
    session: &mut Session<C>,
    login: &Login,
    line: &Secret,
    shown: &str,
    command: &str,
) -> Result<Answer, Error> {
    let sent = session.send_hidden(line, shown);
    sent.and_then(|()| session.answer(command))
        .map_err(|error| login.unanswered(session.server(), error))
}

/// Whether the credentials were refused, or the time was wrong for them.
fn refused<C: Read + Write>(
    session: &Session<C>,
    login: &Login,
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
        Code::None | Code::Auth => Error::Login {
            server: session.server().to_owned(),
            user: login.user.clone(),
            answer: refusal.words,
        },
    }
}

fn is_about_a_lock(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    words.contains("maildrop") && words.contains("lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(password: &str) -> Login {
        Login {
            user: "me".into(),
            password: Secret::new(password.into()),
        }
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
        assert_eq!(way(dovecot, "pw"), Ok(Way::PlainAtOnce));
        assert_eq!(way(dovecot, "pä"), Ok(Way::PlainAtOnce));
        assert_eq!(way(dovecot, &long), Ok(Way::PlainWhenAsked));
        let exchange = "TOP\nUIDL\nSASL NTLM GSSAPI PLAIN\nUSER";
        assert_eq!(way(exchange, "pw"), Ok(Way::UserPass));
        assert_eq!(way(exchange, "pä"), Ok(Way::PlainWhenAsked));
        assert_eq!(way("SASL PLAIN", "pw"), Ok(Way::PlainWhenAsked));
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
