//! Logging in (RFC 4954).

use std::time::Instant;

use data_encoding::BASE64;

use super::capabilities::Capabilities;
use super::reply::Reply;
use super::wire::Wire;
use super::{Login, Mechanism};
use crate::auth::AccessToken;
use crate::net::{Channel, clean};
use crate::secret::Secret;
use crate::send::{Error, NoLogin};

/// A command line with its end has no more bytes (RFC 5321, section 4.5.3.1.4); what is longer
/// waits until it is asked for.
const LONGEST_COMMAND: usize = 512;
/// A server that asks more often does not want to be answered.
const MOST_QUESTIONS: usize = 4;

/// What to do about a password that is refused,
const ENTER_AGAIN: &str =
    "Check user, or set the password again with: smartemail --credentials -smtppassword:";
/// and about a token.
const CHECK_RIGHTS: &str =
    "Check user and scope, and whether the application may send by SMTP as this user";

/// One attempt to log in: what is said, in order.
struct Attempt {
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
                (reply, _) => Err(refused(wire, user, &reply, None, ENTER_AGAIN)),
            }
        }
        Login::Token { user, source } => {
            if !capabilities.offers("XOAUTH2") {
                return Err(Error::NoLogin {
                    server: wire.talk.server.clone(),
                    why: not_offered("XOAUTH2", capabilities),
                });
            }
            let mut token = source.get().map_err(Error::Token)?;
            let mut told = with_token(user, &token).make_hidden(wire, &token)?;
            // A token may end before its time: the next one is another chance.
            if !told.0.is_positive() && !told.0.is_transient() && source.is_renewable() {
                token = source.renew(&token).map_err(Error::Token)?;
                told = with_token(user, &token).make_hidden(wire, &token)?;
            }
            match told {
                (reply, _) if reply.is_positive() => Ok(Some(token.expires())),
                (reply, challenge) => Err(refused(wire, user, &reply, challenge, CHECK_RIGHTS)),
            }
        }
    }
}

impl Attempt {
    /// Gives the last reply, and what the server asked when nothing was left to say.
    fn make<C: Channel>(self, wire: &mut Wire<C>) -> Result<(Reply, Option<String>), Error> {
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
            let reply = wire.reply()?;
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
        self,
        wire: &mut Wire<C>,
        token: &AccessToken,
    ) -> Result<(Reply, Option<String>), Error> {
        wire.hide([token.secret().clone()]);
        self.make(wire)
    }
}

fn with_password(mechanism: Mechanism, user: &str, password: &Secret) -> Attempt {
    let encoded = |text: &str| Secret::new(BASE64.encode(text.as_bytes()));
    let password = password.expose();
    match mechanism {
        Mechanism::Plain => Attempt {
            mechanism: "PLAIN",
            answers: vec![encoded(
                Secret::new(format!("\0{user}\0{password}")).expose(),
            )],
            at_once: true,
            ending: "*",
        },
        Mechanism::Login => Attempt {
            mechanism: "LOGIN",
            answers: vec![encoded(user), encoded(password)],
            at_once: false,
            ending: "*",
        },
    }
}

/// <https://developers.google.com/gmail/imap/xoauth2-protocol>: a refusal comes as a question,
/// which wants an empty answer.
fn with_token(user: &str, token: &AccessToken) -> Attempt {
    let bearer = token.secret().expose();
    let whole = Secret::new(format!("user={user}\u{1}auth=Bearer {bearer}\u{1}\u{1}"));
    Attempt {
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
        let names: Vec<_> = allowed.iter().map(|mechanism| mechanism.name()).collect();
        not_offered(&names.join(" or "), capabilities)
    })
}

fn not_offered(wanted: &str, capabilities: &Capabilities) -> NoLogin {
    let offered = capabilities.mechanisms.as_ref();
    NoLogin::NotOffered {
        wanted: wanted.to_owned(),
        offered: offered.map(|offered| clean(&offered.join(" "), 200)),
    }
}

fn refused<C: Channel>(
    wire: &Wire<C>,
    user: &str,
    reply: &Reply,
    challenge: Option<String>,
    advice: &'static str,
) -> Error {
    if reply.is_good_bye() {
        return wire.talk.closed(reply);
    }
    let details = challenge.filter(|text| !text.is_empty());
    Error::Login {
        server: wire.talk.server.clone(),
        user: user.to_owned(),
        answer: match details {
            Some(details) => format!("{} ({details})", reply.words()),
            None => reply.words(),
        },
        transient: reply.is_transient(),
        advice: if reply.is_transient() {
            "It can't tell now whether user and password are right"
        } else {
            advice
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Trace;
    use crate::net::script::Script;
    use crate::send::smtp::wire::Talk;
    use std::sync::{Arc, Mutex};

    const USER: &str = "alice@example.test";
    const PASSWORD: &str = "s3cret p\u{e4}ss";

    fn password(mechanisms: &[Mechanism]) -> Login {
        Login::Password {
            user: USER.into(),
            password: Secret::new(PASSWORD.into()),
            mechanisms: mechanisms.to_vec(),
        }
    }

    fn offering(mechanisms: &[&str]) -> Capabilities {
        Capabilities {
            mechanisms: Some(mechanisms.iter().map(|name| (*name).to_owned()).collect()),
            ..Capabilities::default()
        }
    }

    /// The result, the lines that were sent, and everything that was shown.
    fn attempt(
        login: &Login,
        capabilities: &Capabilities,
        answer: impl FnMut(&str) -> Vec<u8> + 'static,
    ) -> (Result<Option<Instant>, Error>, Vec<String>, String) {
        let (script, lines) = Script::new(b"", answer);
        let shown = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&shown);
        let trace = Trace::to(move |line| sink.lock().unwrap().push_str(&format!("{line}\n")));
        let mut wire = Wire::new(script, Talk::new("h:25".into(), trace, 1));
        let result = log_in(&mut wire, capabilities, login);
        let sent = lines.borrow().clone();
        let mut shown = shown.lock().unwrap().clone();
        shown.push_str(&format!("{result:?} {login:?}"));
        if let Err(error) = &result {
            shown.push_str(&error.to_string());
        }
        (result, sent, shown)
    }

    fn base64(text: &str) -> String {
        BASE64.encode(text.as_bytes())
    }

    #[test]
    fn plain_goes_at_once_and_login_as_asked() {
        let both = offering(&["LOGIN", "PLAIN"]);
        let (result, sent, _) = attempt(
            &password(&[Mechanism::Plain, Mechanism::Login]),
            &both,
            |_| "235 ok\r\n".into(),
        );
        assert_eq!(result.unwrap(), None);
        let whole = base64(&format!("\0{USER}\0{PASSWORD}"));
        assert_eq!(sent, [format!("AUTH PLAIN {whole}")]);

        let (result, sent, _) = attempt(
            &password(&[Mechanism::Login, Mechanism::Plain]),
            &both,
            |line| match line {
                "AUTH LOGIN" => "334 VXNlcm5hbWU6\r\n".into(),
                line if line == base64(USER) => "334 UGFzc3dvcmQ6\r\n".into(),
                line if line == base64(PASSWORD) => "235 ok\r\n".into(),
                _ => "535 no\r\n".into(),
            },
        );
        assert!(result.is_ok() && sent.len() == 3);
    }

    #[test]
    fn what_does_not_fit_into_a_command_waits_for_its_question() {
        let login = Login::Password {
            user: USER.into(),
            password: Secret::new("x".repeat(400)),
            mechanisms: vec![Mechanism::Plain],
        };
        let (result, sent, _) = attempt(&login, &offering(&["PLAIN"]), |line| {
            if line == "AUTH PLAIN" {
                "334 \r\n"
            } else {
                "235 ok\r\n"
            }
            .into()
        });
        assert!(result.is_ok());
        assert_eq!((sent.len(), sent[0].as_str()), (2, "AUTH PLAIN"));
    }

    #[test]
    fn a_refusal_is_told_apart_from_trouble() {
        let cases = [
            ("535 5.7.8 wrong\r\n", false, true),
            ("454 4.7.0 later\r\n", true, true),
            ("421 4.3.0 bye\r\n", true, false),
        ];
        for (answer, transient, authentication) in cases {
            let (result, ..) = attempt(
                &password(&[Mechanism::Plain]),
                &offering(&["PLAIN"]),
                move |_| answer.into(),
            );
            let error = result.unwrap_err();
            assert_eq!(
                (error.is_transient(), error.is_authentication()),
                (transient, authentication),
                "{error}"
            );
            assert_eq!(
                error.to_string().contains("--credentials"),
                !transient,
                "{error}"
            );
        }
    }

    #[test]
    fn nothing_is_sent_where_nothing_in_common_is_offered() {
        for (capabilities, says) in [
            (Capabilities::default(), "offers none"),
            (offering(&["CRAM-MD5"]), "offers CRAM-MD5"),
        ] {
            let (result, sent, _) = attempt(
                &password(&[Mechanism::Plain, Mechanism::Login]),
                &capabilities,
                |_| Vec::new(),
            );
            let error = result.unwrap_err();
            assert!(
                error.is_authentication() && error.to_string().contains(says),
                "{error}"
            );
            assert_eq!(sent, [""; 0]);
        }
        let (result, sent, _) = attempt(&Login::None, &Capabilities::default(), |_| Vec::new());
        assert!(result.is_ok() && sent.is_empty());
    }

    #[test]
    fn a_server_that_never_stops_asking_is_left() {
        let (result, sent, _) = attempt(
            &password(&[Mechanism::Plain]),
            &offering(&["PLAIN"]),
            |_| "334 x\r\n".into(),
        );
        assert!(result.unwrap_err().to_string().contains("asks and asks"));
        assert!(sent.len() < 10);
    }

    #[test]
    fn no_secret_is_shown_even_if_the_server_repeats_it() {
        let whole = base64(&format!("\0{USER}\0{PASSWORD}"));
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            let (_, _, shown) = attempt(
                &password(&[mechanism]),
                &offering(&["PLAIN", "LOGIN"]),
                |line| {
                    if line == "AUTH LOGIN" || line == base64(USER) {
                        format!("334 {}\r\n", base64(PASSWORD))
                    } else {
                        format!("535 you sent {line}, that is {PASSWORD}\r\n")
                    }
                    .into()
                },
            );
            assert!(
                shown.contains("C: AUTH") && shown.contains("***"),
                "{shown}"
            );
            for secret in [PASSWORD, &base64(PASSWORD), &whole] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }
}
