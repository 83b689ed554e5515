//! Logging in, in one turn where the server allows it (RFC 9051, sections 6.2.2 and 6.2.3;
//! RFC 4959 for the initial response).

use std::cell::RefCell;
use std::rc::Rc;

use data_encoding::BASE64;

use super::capabilities::Capabilities;
use super::filter::{Filter, Plan, Tap};
use super::session::{Session, given_up};
use crate::mailbox::login::{Credentials, Mask, NO_TOKENS};
use crate::mailbox::{Bar, Error};
use crate::net;
use crate::secret::Secret;

/// Longest command line, its end included (RFC 9051, section 4); what is longer waits until it is
/// asked for.
const LINE: usize = 8192;

/// How the credentials are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// AUTHENTICATE with the credentials in the same line.
    AtOnce,
    /// AUTHENTICATE, the credentials when the server asks for them.
    WhenAsked,
    /// LOGIN.
    Login,
}

type Client = imap::Client<Tap>;

/// A conversation on the eve of a log-in.
struct Door<'a> {
    server: &'a str,
    filter: Rc<RefCell<Filter>>,
    known: Option<Capabilities>,
}

/// Logs in over a connection that has greeted.
pub(super) fn log_in(
    server: &str,
    filter: Rc<RefCell<Filter>>,
    credentials: Credentials,
    known: Option<Capabilities>,
) -> Result<Session, Error> {
    filter.borrow_mut().hide(Mask::new(&credentials));
    filter.borrow_mut().expect(Plan::default());
    let mut client = Client::new(Tap(Rc::clone(&filter)));
    let known = match known {
        None if credentials.is_token() || !credentials.is_ascii() => {
            client
                .capabilities()
                .map_err(|e| given_up(server, "CAPABILITY", &mut filter.borrow_mut(), &e))?;
            filter.borrow_mut().heard.capabilities.take()
        }
        known => known,
    };
    let door = Door {
        server,
        filter: Rc::clone(&filter),
        known,
    };
    let engine = match door.attempt(client, &credentials)? {
        Ok(engine) => engine,
        Err((refusal, client)) => {
            let others = credentials.after(refusal)?;
            filter.borrow_mut().hide(Mask::new(&others));
            let refused = |(refusal, _)| refusal;
            door.attempt(client, &others)?.map_err(refused)?
        }
    };
    Ok(Session::new(server.to_owned(), filter, engine))
}

impl Door<'_> {
    /// Tries once. A refusal comes with the conversation, which goes on.
    fn attempt(
        &self,
        client: Client,
        credentials: &Credentials,
    ) -> Result<Result<imap::Session<Tap>, (Error, Client)>, Error> {
        let way = choose(self.known.as_ref(), credentials).map_err(|why| Error::NoLogin {
            server: self.server.to_owned(),
            why: why.into(),
        })?;
        {
            let mut filter = self.filter.borrow_mut();
            filter.expect(Plan::default());
            // What a server can do changes with the log-in (RFC 9051, section 6.2).
            filter.heard.capabilities = None;
        }
        let mechanism = credentials.mechanism();
        let (command, sent, result) = match way {
            Way::Login => {
                let password = credentials.secret().expose();
                ("LOGIN", true, client.login(&credentials.user, password))
            }
            Way::AtOnce => {
                let command = format!("{mechanism} {}", encoded(credentials).expose());
                let result = client.authenticate(command, &Answers::default());
                ("AUTHENTICATE", true, result)
            }
            Way::WhenAsked => {
                let answers = Answers(RefCell::new(Some(credentials.message())));
                let result = client.authenticate(mechanism, &answers);
                ("AUTHENTICATE", answers.0.borrow().is_none(), result)
            }
        };
        let (error, client) = match result {
            Ok(engine) => return Ok(Ok(engine)),
            Err(failed) => failed,
        };
        let filter = &mut self.filter.borrow_mut();
        if matches!(error, imap::Error::No(_) | imap::Error::Bad(_)) {
            let refusal = refusal(self.server, command, filter, credentials, &error);
            return Ok(Err((refusal, client)));
        }
        let is_passing = is_passing(&filter.heard.code);
        Err(match given_up(self.server, command, filter, &error) {
            Error::Connection(net::Error::Closed { server, words }) if is_passing => Error::Busy {
                server,
                answer: words,
            },
            lost if sent => credentials.unanswered(self.server, lost),
            lost => lost,
        })
    }
}

fn encoded(credentials: &Credentials) -> Secret {
    Secret::new(BASE64.encode(credentials.message().expose().as_bytes()))
}

/// Picks the way that needs the fewest turns and can carry the credentials.
fn choose(known: Option<&Capabilities>, credentials: &Credentials) -> Result<Way, &'static str> {
    let has = |name| known.is_some_and(|known| known.has(name));
    if credentials.is_token() {
        let command = "a1 AUTHENTICATE XOAUTH2 \r\n".len() + encoded(credentials).expose().len();
        return match (has("AUTH=XOAUTH2"), has("SASL-IR") && command <= LINE) {
            (true, true) => Ok(Way::AtOnce),
            (true, false) => Ok(Way::WhenAsked),
            (false, _) => Err(NO_TOKENS),
        };
    }
    let ascii = credentials.is_ascii();
    if known.is_none() {
        // LOGIN is what every server has, unless it says otherwise.
        return Ok(Way::Login);
    }
    match (has("AUTH=PLAIN"), has("SASL-IR"), has("LOGINDISABLED")) {
        (true, true, _) => Ok(Way::AtOnce),
        (_, _, false) if ascii => Ok(Way::Login),
        (true, ..) => Ok(Way::WhenAsked),
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
    credentials: &Credentials,
    error: &imap::Error,
) -> Error {
    let answer = filter.heard.words.clone();
    let barred = |bar| Error::Barred {
        server: server.to_owned(),
        user: credentials.user.clone(),
        answer: answer.clone(),
        bar,
    };
    // RFC 5530, section 3.
    match filter.heard.code.as_str() {
        code if is_passing(code) => Error::Busy {
            server: server.to_owned(),
            answer,
        },
        "EXPIRED" => barred(Bar::Expired),
        "AUTHORIZATIONFAILED" | "NOPERM" => barred(Bar::NotAllowed),
        "CONTACTADMIN" => barred(Bar::AskAdministrator),
        "PRIVACYREQUIRED" => barred(Bar::NeedsEncryption),
        // The server's own fault, or ours.
        code if code == "SERVERBUG" || matches!(error, imap::Error::Bad(_)) => Error::Refused {
            server: server.to_owned(),
            command: command.into(),
            answer,
        },
        _ => credentials.refused(server, answer),
    }
}

/// What is left to say during a log-in. A server that asks again gets nothing more: with XOAUTH2
/// that is how a refusal is taken note of.
#[derive(Default)]
struct Answers(RefCell<Option<Secret>>);

impl imap::Authenticator for Answers {
    type Response = Vec<u8>;

    fn process(&self, _: &[u8]) -> Vec<u8> {
        let message = self.0.borrow_mut().take();
        message.map_or_else(Vec::new, |message| message.expose().as_bytes().to_vec())
    }
}
