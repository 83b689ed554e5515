//! Who opens a mailbox on a server, and how that stays out of what is shown.

use data_encoding::BASE64;

use super::Error;
use crate::auth::{AccessToken, TokenSource};
use crate::secret::Secret;

/// What stands for a secret.
pub(super) const STARS: &str = "***";

/// What is said of a server that takes no tokens.
pub(super) const NO_TOKENS: &str = "[Mail] Authentication is XOAUTH2, and it does not offer that. Check Server and Port, or set \
                                    Authentication=Password";

/// Who opens the mailbox.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account's name, as the server wants it.
    pub user: String,
    /// What proves it.
    pub proof: Proof,
}

/// What proves that somebody may open a mailbox.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A password.
    Password(Secret),
    /// Tokens in its place, by XOAUTH2.
    Token(TokenSource),
}

/// What is shown to the server in one attempt to log in.
pub(super) struct Credentials {
    pub(super) user: String,
    shown: Shown,
}

enum Shown {
    Password(Secret),
    Token {
        token: AccessToken,
        source: TokenSource,
    },
}

impl Login {
    /// Gets ready before the server is called, which would not wait for a token.
    ///
    /// # Errors
    /// There is no token, or a value that no command can carry.
    pub(super) fn credentials(&self, server: &str) -> Result<Credentials, Error> {
        sendable(server, "user name", &self.user)?;
        let shown = match &self.proof {
            Proof::Password(password) => {
                sendable(server, "password", password.expose())?;
                Shown::Password(password.clone())
            }
            Proof::Token(source) => Shown::Token {
                token: source.get()?,
                source: source.clone(),
            },
        };
        Ok(Credentials {
            user: self.user.clone(),
            shown,
        })
    }
}

impl Credentials {
    /// Others, after these were refused: a token may end before its time. Gives the refusal back
    /// where there are none.
    pub(super) fn after(self, refusal: Error) -> Result<Self, Error> {
        match (self.shown, refusal) {
            (Shown::Token { token, source }, Error::TokenRefused { .. }) => Ok(Self {
                user: self.user,
                shown: Shown::Token {
                    token: source.renew(&token)?,
                    source,
                },
            }),
            (_, refusal) => Err(refusal),
        }
    }

    pub(super) fn secret(&self) -> &Secret {
        match &self.shown {
            Shown::Password(password) => password,
            Shown::Token { token, .. } => token.secret(),
        }
    }

    pub(super) fn is_token(&self) -> bool {
        matches!(self.shown, Shown::Token { .. })
    }

    /// Whether every command can carry both.
    pub(super) fn is_ascii(&self) -> bool {
        self.user.is_ascii() && self.secret().expose().is_ascii()
    }

    /// The SASL mechanism for them.
    pub(super) fn mechanism(&self) -> &'static str {
        match self.shown {
            Shown::Password(_) => "PLAIN",
            Shown::Token { .. } => "XOAUTH2",
        }
    }

    /// The message of that mechanism (PLAIN: RFC 4616, section 2).
    pub(super) fn message(&self) -> Secret {
        match &self.shown {
            Shown::Password(password) => {
                Secret::new(format!("\0{}\0{}", self.user, password.expose()))
            }
            Shown::Token { token, .. } => token.xoauth2(&self.user),
        }
    }

    /// What an error means that came after they had been sent.
    pub(super) fn unanswered(&self, server: &str, error: Error) -> Error {
        match (&self.shown, error) {
            // Many tokens lock nobody out: the next attempt is as good as the first.
            (Shown::Password(_), Error::Connection(cause)) => Error::Unanswered {
                server: server.to_owned(),
                user: self.user.clone(),
                how: cause.brief(),
            },
            (_, other) => other,
        }
    }

    /// What it means that the server says no to them.
    pub(super) fn refused(&self, server: &str, answer: String) -> Error {
        let (server, user) = (server.to_owned(), self.user.clone());
        match self.shown {
            Shown::Password(_) => Error::Login {
                server,
                user,
                answer,
            },
            Shown::Token { .. } => Error::TokenRefused {
                server,
                user,
                answer,
            },
        }
    }
}

/// Refuses a value that no command can carry.
pub(super) fn sendable(server: &str, argument: &'static str, value: &str) -> Result<(), Error> {
    if value.contains(['\r', '\n', '\0']) {
        return Err(Error::Argument {
            server: server.to_owned(),
            argument,
        });
    }
    Ok(())
}

/// Hides the credentials of one log-in.
#[derive(Default)]
pub(super) struct Mask {
    /// The forms in which the password may turn up, were a server to repeat it.
    forms: Vec<Secret>,
}

impl Mask {
    pub(super) fn new(credentials: &Credentials) -> Self {
        let plain = credentials.secret().expose();
        let forms = [
            plain.to_owned(),
            plain.replace('\\', "\\\\").replace('"', "\\\""),
            BASE64.encode(plain.as_bytes()),
            BASE64.encode(credentials.message().expose().as_bytes()),
        ];
        let forms = forms.into_iter().filter(|form| !form.is_empty());
        Self {
            forms: forms.map(Secret::new).collect(),
        }
    }

    /// The server's text without the password.
    pub(super) fn answer(&self, text: &[u8]) -> String {
        let text = String::from_utf8_lossy(text).into_owned();
        self.forms
            .iter()
            .fold(text, |text, form| text.replace(form.expose(), STARS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_repeats_the_password_is_not_repeated() {
        let mask = |password: &str| {
            let login = Login {
                user: "me".into(),
                proof: Proof::Password(Secret::new(password.into())),
            };
            Mask::new(&login.credentials("h:1").unwrap())
        };
        let hidden = mask("p\"w\\1");
        let shown = |said: &str| hidden.answer(said.as_bytes());
        assert_eq!(shown("BAD: LOGIN me p\"w\\1"), "BAD: LOGIN me ***");
        assert_eq!(
            shown("BAD: LOGIN \"me\" \"p\\\"w\\\\1\""),
            "BAD: LOGIN \"me\" \"***\""
        );
        assert_eq!(shown("BAD AG1lAHAid1wx"), "BAD ***");
        assert_eq!(mask("").answer(b"ok"), "ok");
    }
}
