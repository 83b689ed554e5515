//! Logging in (RFC 4954).

#[cfg(test)]
mod tests;

use std::time::Instant;

use data_encoding::BASE64;

use super::capabilities::Capabilities;
use super::reply::Reply;
use super::wire::Wire;
use super::{Login, Mechanism};
use crate::auth::AccessToken;
use crate::net::{Channel, clean};
use crate::secret::Secret;
use crate::send::{Error, LoginAnswer, Lost, NoLogin};

/// A command line with its end has no more bytes (RFC 5321, section 4.5.3.1.4); what is longer
/// waits until it is asked for.
const LONGEST_COMMAND: usize = 512;
/// A server that asks more often does not want to be answered.
const MOST_QUESTIONS: usize = 4;

/// What to do about a password that is refused,
const ENTER_AGAIN: &str =
    "Check user, or set the password again with: smartemail -seal:smtp-client.password";
/// and about a token.
const CHECK_RIGHTS: &str =
    "Check user and scope, and whether the application may send by SMTP as this user";

/// One attempt to log in: what is said, in order.
struct Attempt<'a> {
    user: &'a str,
    /// What to do when it is refused.
    advice: &'static str,
    mechanism: &'static str,
    /// Each answer to the server, in base64.
    answers: Vec<Secret>,
    /// The first one may go with the command.
    at_once: bool,
    /// What a question is answered with when nothing is left to say.
    ending: &'static str,
}

/// Logs in as the settings say. Gives the time from which on the log-in is void, if there is one.
pub(super) fn log_in<C: Channel>(
    wire: &mut Wire<C>,
    capabilities: &Capabilities,
    login: &Login,
) -> Result<Option<Instant>, Error> {
    match login {
        Login::None => Ok(None),
        Login::Password {
            user,
            password,
            mechanisms,
        } => {
            let mechanism = choose(mechanisms, capabilities).map_err(|why| Error::NoLogin {
                server: wire.talk.server.clone(),
                why,
            })?;
            if user.contains('\0') || password.expose().contains('\0') {
                return Err(Error::NoLogin {
                    server: wire.talk.server.clone(),
                    why: NoLogin::ZeroByte,
                });
            }
            let attempt = with_password(mechanism, user, password);
            wire.hide([password.clone()]);
            match attempt.make(wire)? {
                (reply, _) if reply.is_positive() => Ok(None),
                (reply, _) => Err(attempt.refused(wire, &reply, None)),
            }
        }
        Login::Token { user, source } => {
            takes_tokens(wire, capabilities)?;
            let mut token = source.get().map_err(Error::Token)?;
            let mut attempt = with_token(user, &token);
            let mut told = attempt.make_hidden(wire, &token)?;
            // A token may end before its time: the next one is another chance.
            if !told.0.is_positive() && !told.0.is_transient() {
                token = source.renew(&token).map_err(Error::Token)?;
                attempt = with_token(user, &token);
                told = attempt.make_hidden(wire, &token)?;
            }
            match told {
                (reply, _) if reply.is_positive() => Ok(Some(token.expires())),
                (reply, challenge) => Err(attempt.refused(wire, &reply, challenge)),
            }
        }
        Login::GivenToken { user, token } => {
            takes_tokens(wire, capabilities)?;
            let attempt = with_token(user, token);
            match attempt.make_hidden(wire, token)? {
                (reply, _) if reply.is_positive() => Ok(Some(token.expires())),
                (reply, challenge) => Err(attempt.refused(wire, &reply, challenge)),
            }
        }
    }
}

fn takes_tokens<C: Channel>(wire: &Wire<C>, capabilities: &Capabilities) -> Result<(), Error> {
    if capabilities.offers("XOAUTH2") {
        return Ok(());
    }
    Err(Error::NoLogin {
        server: wire.talk.server.clone(),
        why: not_offered(vec!["XOAUTH2"], capabilities),
    })
}

impl Attempt<'_> {
    /// Gives the last reply, and what the server asked when nothing was left to say.
    fn make<C: Channel>(&self, wire: &mut Wire<C>) -> Result<(Reply, Option<String>), Error> {
        wire.hide(self.answers.iter().cloned());
        let mut answers = self.answers.iter();
        let command = format!("AUTH {} ", self.mechanism);
        let fits = |answer: &&Secret| {
            self.at_once && command.len() + answer.expose().len() + 2 <= LONGEST_COMMAND
        };
        match self.answers.first().filter(fits) {
            Some(first) => {
                answers.next();
                wire.secret(&command, first)?;
            }
            None => wire.command(&format!("AUTH {}\r\n", self.mechanism))?,
        }
        let mut challenge = None;
        for _ in 0..MOST_QUESTIONS {
            let is_told = answers.len() < self.answers.len();
            let reply = match wire.reply() {
                Err(Error::Connection(lost)) if is_told => {
                    return Err(self.unanswered(wire, lost));
                }
                other => other?,
            };
            if !reply.awaits_more() {
                return Ok((reply, challenge));
            }
            match answers.next() {
                Some(answer) => wire.secret("", answer)?,
                None => {
                    challenge = Some(decoded(wire, &reply));
                    wire.command(&format!("{}\r\n", self.ending))?;
                }
            }
        }
        Err(wire.talk.nonsense("it asks and asks during the log-in"))
    }

    fn make_hidden<C: Channel>(
        &self,
        wire: &mut Wire<C>,
        token: &AccessToken,
    ) -> Result<(Reply, Option<String>), Error> {
        wire.hide([token.secret().clone()]);
        self.make(wire)
    }

    fn refused<C: Channel>(
        &self,
        wire: &Wire<C>,
        reply: &Reply,
        challenge: Option<String>,
    ) -> Error {
        if reply.is_good_bye() {
            return wire.talk.closed(reply);
        }
        let details = challenge.filter(|text| !text.is_empty());
        Error::Login {
            server: wire.talk.server.clone(),
            user: self.user.to_owned(),
            answer: LoginAnswer::Said(match details {
                Some(details) => format!("{} ({details})", reply.words()),
                None => reply.words(),
            }),
            transient: reply.is_transient(),
            advice: if reply.is_transient() {
                "It can't tell now whether user and password are right"
            } else {
                self.advice
            },
        }
    }

    /// The connection was lost between the credentials and the server's word on them: another
    /// attempt could lock the account.
    fn unanswered<C: Channel>(&self, wire: &Wire<C>, lost: Lost) -> Error {
        Error::Login {
            server: wire.talk.server.clone(),
            user: self.user.to_owned(),
            answer: LoginAnswer::Left(lost),
            transient: false,
            advice: self.advice,
        }
    }
}

fn with_password<'a>(mechanism: Mechanism, user: &'a str, password: &Secret) -> Attempt<'a> {
    let encoded = |text: &str| Secret::new(BASE64.encode(text.as_bytes()));
    let password = password.expose();
    match mechanism {
        Mechanism::Plain => Attempt {
            user,
            advice: ENTER_AGAIN,
            mechanism: "PLAIN",
            answers: vec![encoded(
                Secret::new(format!("\0{user}\0{password}")).expose(),
            )],
            at_once: true,
            ending: "*",
        },
        Mechanism::Login => Attempt {
            user,
            advice: ENTER_AGAIN,
            mechanism: "LOGIN",
            answers: vec![encoded(user), encoded(password)],
            at_once: false,
            ending: "*",
        },
    }
}

/// <https://developers.google.com/gmail/imap/xoauth2-protocol>: a refusal comes as a question,
/// which wants an empty answer.
fn with_token<'a>(user: &'a str, token: &AccessToken) -> Attempt<'a> {
    let whole = token.xoauth2(user);
    Attempt {
        user,
        advice: CHECK_RIGHTS,
        mechanism: "XOAUTH2",
        answers: vec![Secret::new(BASE64.encode(whole.expose().as_bytes()))],
        at_once: true,
        ending: "",
    }
}

/// The first mechanism that both sides have.
fn choose(allowed: &[Mechanism], capabilities: &Capabilities) -> Result<Mechanism, NoLogin> {
    let both = allowed
        .iter()
        .find(|mechanism| capabilities.offers(mechanism.name()));
    both.copied().ok_or_else(|| {
        let names = allowed.iter().map(|mechanism| mechanism.name());
        not_offered(names.collect(), capabilities)
    })
}

fn not_offered(wanted: Vec<&'static str>, capabilities: &Capabilities) -> NoLogin {
    let offered = capabilities.mechanisms.as_ref();
    NoLogin::NotOffered {
        wanted,
        offered: offered.map(|offered| clean(&offered.join(" "), 200)),
    }
}

/// What a server asks comes in base64; XOAUTH2's says in JSON what is wrong.
fn decoded<C>(wire: &Wire<C>, question: &Reply) -> String {
    let text = question.lines.concat();
    let decoded = BASE64.decode(text.trim().as_bytes());
    clean(
        &wire
            .talk
            .cleaned(decoded.as_deref().unwrap_or(text.as_bytes())),
        200,
    )
}
