//! What of a conversation may be shown: everything but secrets.

use data_encoding::BASE64;

use crate::secret::Secret;

/// What stands for a secret.
const STARS: &str = "***";

/// Hides the credentials of one log-in.
#[derive(Default)]
pub(super) struct Mask {
    /// The forms in which the password may turn up, were a server to repeat it.
    forms: Vec<Secret>,
}

impl Mask {
    pub(super) fn new(user: &str, password: &Secret) -> Self {
        let plain = password.expose();
        let forms = [
            plain.to_owned(),
            plain.replace('\\', "\\\\").replace('"', "\\\""),
            BASE64.encode(plain.as_bytes()),
            BASE64.encode(format!("\0{user}\0{plain}").as_bytes()),
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

/// A command of ours as it may be shown. `continued` says that it goes on with a log-in.
pub(super) fn command(line: &[u8], continued: bool) -> String {
    if continued {
        return STARS.to_owned();
    }
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace();
    let (tag, verb) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    match verb.to_ascii_uppercase().as_str() {
        "LOGIN" => format!("{tag} LOGIN {STARS}"),
        "AUTHENTICATE" => {
            let mechanism = words.next().unwrap_or_default();
            format!("{tag} AUTHENTICATE {mechanism} {STARS}")
        }
        _ => line.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_are_hidden() {
        assert_eq!(
            command(b"a1 LOGIN \"me\" \"pw\"\r\n", false),
            "a1 LOGIN ***"
        );
        assert_eq!(
            command(b"a1 authenticate PLAIN AG1lAHB3\r\n", false),
            "a1 AUTHENTICATE PLAIN ***"
        );
        assert_eq!(command(b"AG1lAHB3\r\n", true), "***");
        assert_eq!(
            command(b"a2 SELECT \"INBOX\"\r\n", false),
            "a2 SELECT \"INBOX\""
        );
    }

    #[test]
    fn a_server_that_repeats_the_password_is_not_repeated() {
        let mask = Mask::new("me", &Secret::new("p\"w\\1".into()));
        let shown = |said: &str| mask.answer(said.as_bytes());
        assert_eq!(shown("BAD: LOGIN me p\"w\\1"), "BAD: LOGIN me ***");
        assert_eq!(
            shown("BAD: LOGIN \"me\" \"p\\\"w\\\\1\""),
            "BAD: LOGIN \"me\" \"***\""
        );
        assert_eq!(shown("BAD AG1lAHAid1wx"), "BAD ***");
        assert_eq!(
            Mask::new("me", &Secret::new(String::new())).answer(b"ok"),
            "ok"
        );
    }
}
