//! Who opens a mailbox on a server, and how that stays out of what is shown.

use data_encoding::BASE64;

use super::Error;
use crate::secret::Secret;

/// What stands for a secret.
pub(super) const STARS: &str = "***";

/// Who opens the mailbox.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account's name, as the server wants it.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

impl Login {
    /// The one place that looks at values on their way into a command: a line break or a zero
    /// byte would end the command and begin another (RFC 9051, section 9, `QUOTED-CHAR`; RFC
    /// 1939, section 3).
    pub(super) fn check(&self, server: &str) -> Result<(), Error> {
        sendable(server, "user name", &self.user)?;
        sendable(server, "password", self.password.expose())
    }

    /// What an error means that came after the credentials had been sent.
    pub(super) fn unanswered(&self, server: &str, error: Error) -> Error {
        match error {
            Error::Connection(cause) => Error::Unanswered {
                server: server.to_owned(),
                user: self.user.clone(),
                how: cause.brief(),
            },
            other => other,
        }
    }

    /// Whether every command can carry both.
    pub(super) fn is_ascii(&self) -> bool {
        self.user.is_ascii() && self.password.expose().is_ascii()
    }

    /// The message of the mechanism PLAIN (RFC 4616, section 2).
    pub(super) fn plain(&self) -> Secret {
        Secret::new(format!("\0{}\0{}", self.user, self.password.expose()))
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
    pub(super) fn new(login: &Login) -> Self {
        let plain = login.password.expose();
        let forms = [
            plain.to_owned(),
            plain.replace('\\', "\\\\").replace('"', "\\\""),
            BASE64.encode(plain.as_bytes()),
            BASE64.encode(login.plain().expose().as_bytes()),
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
        let login = |password: &str| Login {
            user: "me".into(),
            password: Secret::new(password.into()),
        };
        let mask = Mask::new(&login("p\"w\\1"));
        let shown = |said: &str| mask.answer(said.as_bytes());
        assert_eq!(shown("BAD: LOGIN me p\"w\\1"), "BAD: LOGIN me ***");
        assert_eq!(
            shown("BAD: LOGIN \"me\" \"p\\\"w\\\\1\""),
            "BAD: LOGIN \"me\" \"***\""
        );
        assert_eq!(shown("BAD AG1lAHAid1wx"), "BAD ***");
        assert_eq!(Mask::new(&login("")).answer(b"ok"), "ok");
    }
}
