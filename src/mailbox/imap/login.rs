//! Logging in, in one turn where the server allows it (RFC 9051, sections 6.2.2 and 6.2.3;
//! RFC 4959 for the initial response).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use data_encoding::BASE64;

use super::capabilities::Capabilities;
use super::filter::{Filter, Plan, Tap};
use super::session::{Session, given_up};
use crate::mailbox::login::Mask;
use crate::mailbox::{Bar, Error, Login};
use crate::net;
use crate::secret::Secret;

/// How the credentials are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// AUTHENTICATE PLAIN with the credentials in the same line.
    PlainAtOnce,
    /// AUTHENTICATE PLAIN, the credentials when the server asks for them.
    PlainWhenAsked,
    /// LOGIN.
    Login,
}

/// Logs in over a connection that has greeted.
pub(super) fn log_in(
    server: &str,
    filter: Rc<RefCell<Filter>>,
    login: &Login,
    known: Option<Capabilities>,
) -> Result<Session, Error> {
    {
        let mut filter = filter.borrow_mut();
        filter.hide(Mask::new(login));
        filter.expect(Plan::default());
    }
    let mut client = imap::Client::new(Tap(Rc::clone(&filter)));
    let ascii = login.is_ascii();
    let known = match known {
        None if !ascii => {
            client
                .capabilities()
                .map_err(|e| given_up(server, "CAPABILITY", &mut filter.borrow_mut(), &e))?;
            filter.borrow_mut().heard.capabilities.take()
        }
        known => known,
    };
    let way = choose(known.as_ref(), ascii).map_err(|why| Error::NoLogin {
        server: server.to_owned(),
        why: why.into(),
    })?;
    // What a server can do changes with the log-in (RFC 9051, section 6.2).
    filter.borrow_mut().heard.capabilities = None;
    let credentials = login.plain();
    let (command, sent, result) = match way {
        Way::Login => {
            let result = client.login(&login.user, login.password.expose());
            ("LOGIN", true, result)
        }
        Way::PlainAtOnce => {
            let command = format!("PLAIN {}", BASE64.encode(credentials.expose().as_bytes()));
            ("AUTHENTICATE", true, client.authenticate(command, &Sent))
        }
        Way::PlainWhenAsked => {
            let credentials = Credentials {
                message: credentials,
                sent: Cell::new(false),
            };
            let result = client.authenticate("PLAIN", &credentials);
            ("AUTHENTICATE", credentials.sent.get(), result)
        }
    };
    let error = match result {
        Ok(engine) => return Ok(Session::new(server.to_owned(), filter, engine)),
        Err((error, _)) => error,
    };
    let filter = &mut filter.borrow_mut();
    if matches!(error, imap::Error::No(_) | imap::Error::Bad(_)) {
        return Err(refusal(server, command, filter, login, &error));
    }
    let is_passing = is_passing(&filter.heard.code);
    Err(match given_up(server, command, filter, &error) {
        Error::Connection(net::Error::Closed { server, words }) if is_passing => Error::Busy {
            server,
            answer: words,
        },
        lost if sent => login.unanswered(server, lost),
        lost => lost,
    })
}

/// Picks the way that needs the fewest turns and can carry the credentials.
fn choose(known: Option<&Capabilities>, ascii: bool) -> Result<Way, &'static str> {
    let Some(known) = known else {
        // LOGIN is what every server has, unless it says otherwise.
        return Ok(Way::Login);
    };
    match (
        known.has("AUTH=PLAIN"),
        known.has("SASL-IR"),
        known.has("LOGINDISABLED"),
    ) {
        (true, true, _) => Ok(Way::PlainAtOnce),
        (_, _, false) if ascii => Ok(Way::Login),
        (true, ..) => Ok(Way::PlainWhenAsked),
        (false, _, true) => Err(
            "it takes passwords over secure connections only, or not at all. Check SecurityProtocol and \
             ConnectionSecurity, or use --msal if it is Microsoft's",
        ),
        (false, _, false) => Err(
            "the user or the password has letters beyond ASCII, and the server does not offer AUTH=PLAIN. \
             Set a password of plain letters, digits and signs",
        ),
    }
}

/// Whether a code says that it will be otherwise later (RFC 5530, section 3).
fn is_passing(code: &str) -> bool {
    matches!(code, "UNAVAILABLE" | "LIMIT" | "INUSE")
}

fn refusal(
    server: &str,
    command: &str,
    filter: &Filter,
    login: &Login,
    error: &imap::Error,
) -> Error {
    let server = server.to_owned();
    let user = login.user.clone();
    let answer = filter.heard.words.clone();
    let barred = |bar| Error::Barred {
        server: server.clone(),
        user: user.clone(),
        answer: answer.clone(),
        bar,
    };
    // RFC 5530, section 3.
    match filter.heard.code.as_str() {
        code if is_passing(code) => Error::Busy { server, answer },
        "EXPIRED" => barred(Bar::Expired),
        "AUTHORIZATIONFAILED" | "NOPERM" => barred(Bar::NotAllowed),
        "CONTACTADMIN" => barred(Bar::AskAdministrator),
        "PRIVACYREQUIRED" => barred(Bar::NeedsEncryption),
        // The server's own fault, or ours.
        code if code == "SERVERBUG" || matches!(error, imap::Error::Bad(_)) => Error::Refused {
            server,
            command: command.into(),
            answer,
        },
        _ => Error::Login {
            server,
            user,
            answer,
        },
    }
}

/// The credentials went out with the command; a server that asks again gets nothing more.
struct Sent;

impl imap::Authenticator for Sent {
    type Response = &'static str;

    fn process(&self, _: &[u8]) -> &'static str {
        ""
    }
}

struct Credentials {
    message: Secret,
    sent: Cell<bool>,
}

impl imap::Authenticator for Credentials {
    type Response = Vec<u8>;

    fn process(&self, _: &[u8]) -> Vec<u8> {
        self.sent.set(true);
        self.message.expose().as_bytes().to_vec()
    }
}
