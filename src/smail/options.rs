//! How the options are read from the command line.
//!
//! `/NAME=value` and `--name=value` in any case, switches without a value. Quotes that a caller
//! without a shell leaves around an argument or a value don't belong to it.

use super::table::{Key, Row, TABLE, Takes, find};
use super::texts::{Language, Message, Phrase, Value};
use crate::secret::Secret;
use crate::suggest::{nearest, sounds_secret};

/// What stood on the command line.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Help was asked for, or nothing at all.
    pub(super) help: bool,
    /// Each option once, in the order in which they stood. No value is empty.
    values: Vec<(Key, Secret)>,
    switches: Vec<Key>,
}

impl Given {
    /// Reads the command line. What is wrong with it stands beside what could be read, as that may
    /// say where and in which language to tell it.
    pub(super) fn read(arguments: &[Option<String>]) -> (Self, Vec<Message>) {
        let mut given = Self {
            help: arguments.is_empty(),
            ..Self::default()
        };
        let mut seen = Vec::new();
        let mut problems = Vec::new();
        // What stands behind a password may be its other half.
        let mut may_be_secret = false;
        for (index, argument) in arguments.iter().enumerate() {
            let Some(argument) = argument else {
                problems.push(Phrase::WrongUnicode.with("place", index + 1));
                may_be_secret = true;
                continue;
            };
            let argument = quoted(argument.trim()).unwrap_or_else(|| argument.trim_start());
            if ["/?", "-?", "-h"].contains(&argument.trim_end()) {
                given.help = true;
                continue;
            }
            let body = argument
                .strip_prefix("--")
                .or_else(|| argument.strip_prefix('/'));
            let Some(body) = body.filter(|body| !body.is_empty()) else {
                // It may be a part of a password, so it is not shown.
                problems.push(Phrase::WrongStray.with("place", index + 1));
                may_be_secret = true;
                continue;
            };
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value)),
                None => (body.trim(), None),
            };
            if name.eq_ignore_ascii_case("HELP") {
                given.help = true;
                continue;
            }
            let Some(row) = find(name) else {
                let near = meant(name);
                may_be_secret |=
                    near.is_some_and(|(row, _)| row.is_secret()) || sounds_secret(name);
                let is_hidden = may_be_secret || value.is_none();
                problems.push(unknown(name, near, is_hidden.then_some(index + 1)));
                continue;
            };
            may_be_secret = row.is_secret();
            if seen.contains(&row.name) {
                problems.push(Phrase::WrongTwice.with("option", row.shown()));
                continue;
            }
            seen.push(row.name);
            if let Err(text) = given.take(row, value) {
                problems.push(text.with("option", row.shown()));
            }
        }
        (given, problems)
    }

    fn take(&mut self, row: &Row, value: Option<&str>) -> Result<(), Phrase> {
        match (row.takes, value) {
            (Takes::Nothing, None) => self.switches.push(row.name),
            (Takes::Nothing, Some(_)) => return Err(Phrase::WrongSwitch),
            (_, None) => return Err(Phrase::WrongNoValue),
            (takes, Some(value)) => {
                let value = match takes {
                    Takes::Secret(_) => quoted(value).unwrap_or(value),
                    _ => unquoted(value),
                };
                if !value.is_empty() {
                    self.values.push((row.name, Secret::new(value.to_owned())));
                }
            }
        }
        Ok(())
    }

    /// An option's value, if there is one.
    pub(super) fn get(&self, name: Key) -> Option<&str> {
        let found = self.values.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| value.expose())
    }

    /// Whether a switch was given.
    pub(super) fn has(&self, name: Key) -> bool {
        self.switches.contains(&name)
    }

    /// The language to speak: the one asked for, else the system's.
    pub(super) fn language(&self) -> Language {
        let asked = self.get(Key::Lang).and_then(Language::of_option);
        asked.unwrap_or_else(Language::of_system)
    }

    /// Everything as it was given, secrets as stars.
    pub(super) fn shown(&self) -> Vec<String> {
        let values = self.values.iter().map(|(name, value)| {
            let is_secret = name.row().is_some_and(Row::is_secret);
            let value = if is_secret { "***" } else { value.expose() };
            format!("{}={value}", name.shown())
        });
        let switches = self.switches.iter().map(|name| name.shown());
        values.chain(switches).collect()
    }
}

/// The option that a name which is none is nearest to, and its spelling. A name that holds that of
/// a secret lacks the `=` between the two.
fn meant(name: &str) -> Option<(&'static Row, &'static str)> {
    let all = || {
        TABLE
            .iter()
            .flat_map(|row| row.spellings.iter().map(move |s| (row, *s)))
    };
    let folded = name.to_ascii_uppercase();
    let held = all().find(|(row, spelling)| row.is_secret() && folded.contains(spelling));
    held.or_else(|| {
        let nearest = nearest(first_word(name), all().map(|(_, spelling)| spelling));
        all().find(|(_, spelling)| Some(*spelling) == nearest)
    })
}

/// Tells of a name that is none; of one that may be a part of a password the place alone.
fn unknown(name: &str, near: Option<(&Row, &str)>, hidden_at: Option<usize>) -> Message {
    let option = match hidden_at {
        Some(place) => Value::from(Phrase::ArgumentAt.with("place", place)),
        None => {
            let name = first_word(name).to_ascii_uppercase();
            format!("/{}", crate::net::clean(&name, 30)).into()
        }
    };
    match near {
        Some((row, spelling)) => {
            let value = if row.is_secret() { "=\u{2026}" } else { "" };
            Phrase::WrongUnknownNear
                .with("option", option)
                .with("near", format!("/{spelling}{value}"))
        }
        None => Phrase::WrongUnknown.with("option", option),
    }
}

/// What stands in a name before a blank or `:`, which may be meant as the `=` that ends it.
fn first_word(name: &str) -> &str {
    name.split([' ', ':']).next().unwrap_or_default()
}

/// Text without blanks and one pair of quotes around it.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    quoted(text).map_or(text, str::trim)
}

/// What stands between quotes, if the text begins and ends with a pair that belongs together.
fn quoted(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('"')).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> (Given, Vec<Message>) {
        let arguments: Vec<_> = arguments.iter().map(|a| Some((*a).to_owned())).collect();
        Given::read(&arguments)
    }

    #[test]
    fn spellings_are_the_same() {
        for argument in [
            "/SUBJECT=March 2026",
            "/subject=March 2026",
            "--subject=March 2026",
            "--Subject=\"March 2026\"",
            "\"/SUBJECT=March 2026\"",
            "/SUBJECT= \" March 2026 \" ",
        ] {
            let (given, problems) = read(&[argument, "/read_ack", "--RECEPTION_ACK"]);
            assert_eq!(problems, [], "{argument}");
            assert_eq!(given.get(Key::Subject), Some("March 2026"), "{argument}");
            assert!(given.has(Key::ReadAck) && given.has(Key::ReceptionAck) && !given.help);
        }
    }

    #[test]
    fn the_log_has_two_names() {
        for argument in ["/LOG=a.txt", "/Log_File=a.txt"] {
            assert_eq!(read(&[argument]).0.get(Key::Log), Some("a.txt"));
        }
        let (_, problems) = read(&["/LOG=a", "/LOG_FILE=b"]);
        assert_eq!(problems, [Phrase::WrongTwice.with("option", "/LOG")]);
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        for (argument, name, value) in [
            ("/SUBJECT=a=b", Key::Subject, Some("a=b")),
            ("/SUBJECT=", Key::Subject, None),
            ("/SUBJECT=\"\"", Key::Subject, None),
            (
                "/TO=\"Doe, J\" <a@b>,\"c\" <c@d>",
                Key::To,
                Some("\"Doe, J\" <a@b>,\"c\" <c@d>"),
            ),
            (
                "/SMTP_PASSWORD= two  blanks ",
                Key::SmtpPassword,
                Some(" two  blanks "),
            ),
            (
                "/SMTP_PASSWORD=\" in quotes\"",
                Key::SmtpPassword,
                Some(" in quotes"),
            ),
            (
                "/SMTP_PASSWORD=one\"inside",
                Key::SmtpPassword,
                Some("one\"inside"),
            ),
        ] {
            assert_eq!(read(&[argument]).0.get(name), value, "{argument}");
        }
    }

    #[test]
    fn mistakes_are_all_told_and_show_no_secret() {
        let arguments = [
            "/SUBJET=x",
            "/XYZZY=1",
            "/Secr3t",
            "Secr3t",
            "/SMTP_PASSWORD Secr3t",
            "/TO",
            "/READ_ACK=yes",
            "/CC=a@b",
            "--cc=a@b",
            "/",
            "/READ_AK",
            "/O365_SECRETSecr3t",
            "/SMTP_PASSWROD=Secr3t",
            "/Secr3t=",
        ];
        let (given, problems) = read(&arguments);
        let place = |place: usize| Phrase::ArgumentAt.with("place", place);
        let expected = [
            Phrase::WrongUnknownNear
                .with("option", "/SUBJET")
                .with("near", "/SUBJECT"),
            Phrase::WrongUnknown.with("option", "/XYZZY"),
            Phrase::WrongUnknown.with("option", place(3)),
            Phrase::WrongStray.with("place", 4),
            Phrase::WrongUnknownNear
                .with("option", place(5))
                .with("near", "/SMTP_PASSWORD=\u{2026}"),
            Phrase::WrongNoValue.with("option", "/TO"),
            Phrase::WrongSwitch.with("option", "/READ_ACK"),
            Phrase::WrongTwice.with("option", "/CC"),
            Phrase::WrongStray.with("place", 10),
            Phrase::WrongUnknownNear
                .with("option", place(11))
                .with("near", "/READ_ACK"),
            Phrase::WrongUnknownNear
                .with("option", place(12))
                .with("near", "/O365_SECRET=\u{2026}"),
            Phrase::WrongUnknownNear
                .with("option", place(13))
                .with("near", "/SMTP_PASSWORD=\u{2026}"),
            Phrase::WrongUnknown.with("option", place(14)),
        ];
        assert_eq!(problems, expected);
        let (_, beside) = read(&["/PASSWORDSecr3t="]);
        assert_eq!(beside, [Phrase::WrongUnknown.with("option", place(1))]);
        let shown = format!("{given:?}{problems:?}").to_lowercase();
        assert!(!shown.contains("secr3t"), "{shown}");
    }

    #[test]
    fn help_is_asked_for_in_many_ways() {
        for arguments in [
            &[][..],
            &["/?"],
            &["/help"],
            &["--HELP"],
            &["/TO=a@b", "/?"],
            &["-?"],
        ] {
            assert!(read(arguments).0.help, "{arguments:?}");
        }
    }

    #[test]
    fn what_is_shown_of_it_has_stars() {
        let (given, _) = read(&["/SMTP_PASSWORD=Secr3t", "/to=a@b", "/READ_ACK"]);
        assert_eq!(
            given.shown(),
            ["/SMTP_PASSWORD=***", "/TO=a@b", "/READ_ACK"]
        );
    }
}
