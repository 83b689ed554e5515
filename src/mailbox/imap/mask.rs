//! What of a conversation may be shown: everything but secrets.

use crate::mailbox::login::STARS;

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
}
