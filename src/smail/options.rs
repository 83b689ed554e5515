//! The options: their names, what they take, and how they are read from the command line.
//!
//! `/NAME=value` and `--name=value` in any case, switches without a value. Quotes that a caller
//! without a shell leaves around an argument or a value don't belong to it.

use super::texts::{Language, Message, Phrase};
use crate::secret::Secret;

/// What an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Mode,
    Lang,
    Retry,
    Log,
    LogLevel,
    ErrorFile,
    Subject,
    FromName,
    FromAddr,
    To,
    Cc,
    Bcc,
    BodyFile,
    Attach,
    Inline,
    Priority,
    ReadAck,
    ReceptionAck,
    SmtpServer,
    SmtpPort,
    SmtpUsername,
    SmtpPassword,
    SmtpTokenFile,
    AuthType,
    SslVersion,
    TenantId,
    AppId,
    AppSecret,
    GraphSender,
    Authority,
    GraphServer,
}

/// A row of the table of options.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: Key,
    /// How it is written; the first is what messages call it.
    pub(super) spellings: &'static [&'static str],
    pub(super) takes: Takes,
    pub(super) group: Group,
    pub(super) help: Phrase,
}

/// What follows an option's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: it is a switch.
    Nothing,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Something of this kind.
    Value(Phrase),
    /// What nobody else may see.
    Secret(Phrase),
}

/// Where help lists an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    General,
    Message,
    Smtp,
    Graph,
}

const fn row(
    name: Key,
    spellings: &'static [&'static str],
    takes: Takes,
    group: Group,
    help: Phrase,
) -> Row {
    Row {
        name,
        spellings,
        takes,
        group,
        help,
    }
}

use Group::{General, Graph, Message as Mail, Smtp};
use Takes::{Choice, Nothing, Value};

/// All options, in the order of help.
#[rustfmt::skip]
pub(super) static TABLE: [Row; 31] = [
    row(Key::Mode, &["MODE"], Choice(&["SMTP", "GRAPH"]), General, Phrase::OptionMode),
    row(Key::Lang, &["LANG"], Choice(&["FR", "EN"]), General, Phrase::OptionLang),
    row(Key::Retry, &["RETRY"], Value(Phrase::PlaceNumber), General, Phrase::OptionRetry),
    row(Key::Log, &["LOG", "LOG_FILE"], Value(Phrase::PlaceFile), General, Phrase::OptionLog),
    row(Key::LogLevel, &["LOG_LEVEL"], Choice(&["NONE", "ERROR", "WARNING", "INFO", "DEBUG"]), General, Phrase::OptionLogLevel),
    row(Key::ErrorFile, &["ERROR_FILE"], Value(Phrase::PlaceFile), General, Phrase::OptionErrorFile),
    row(Key::Subject, &["SUBJECT"], Value(Phrase::PlaceText), Mail, Phrase::OptionSubject),
    row(Key::FromName, &["FROM_NAME"], Value(Phrase::PlaceName), Mail, Phrase::OptionFromName),
    row(Key::FromAddr, &["FROM_ADDR"], Value(Phrase::PlaceAddress), Mail, Phrase::OptionFromAddr),
    row(Key::To, &["TO"], Value(Phrase::PlaceAddresses), Mail, Phrase::OptionTo),
    row(Key::Cc, &["CC"], Value(Phrase::PlaceAddresses), Mail, Phrase::OptionCc),
    row(Key::Bcc, &["BCC"], Value(Phrase::PlaceAddresses), Mail, Phrase::OptionBcc),
    row(Key::BodyFile, &["BODY_FILE"], Value(Phrase::PlaceFile), Mail, Phrase::OptionBodyFile),
    row(Key::Attach, &["ATTACH"], Value(Phrase::PlaceFiles), Mail, Phrase::OptionAttach),
    row(Key::Inline, &["INLINE"], Value(Phrase::PlaceFiles), Mail, Phrase::OptionInline),
    row(Key::Priority, &["PRIORITY"], Choice(&["HIGHEST", "HIGH", "NORMAL", "LOW", "LOWEST"]), Mail, Phrase::OptionPriority),
    row(Key::ReadAck, &["READ_ACK"], Nothing, Mail, Phrase::OptionReadAck),
    row(Key::ReceptionAck, &["RECEPTION_ACK"], Nothing, Mail, Phrase::OptionReceptionAck),
    row(Key::SmtpServer, &["SMTP_SERVER"], Value(Phrase::PlaceHost), Smtp, Phrase::OptionSmtpServer),
    row(Key::SmtpPort, &["SMTP_PORT"], Value(Phrase::PlacePort), Smtp, Phrase::OptionSmtpPort),
    row(Key::SmtpUsername, &["SMTP_USERNAME"], Value(Phrase::PlaceUser), Smtp, Phrase::OptionSmtpUsername),
    row(Key::SmtpPassword, &["SMTP_PASSWORD"], Takes::Secret(Phrase::PlacePassword), Smtp, Phrase::OptionSmtpPassword),
    row(Key::SmtpTokenFile, &["SMTP_TOKEN_FILE"], Value(Phrase::PlaceFile), Smtp, Phrase::OptionSmtpTokenFile),
    row(Key::AuthType, &["AUTH_TYPE"], Choice(&["DEFAULT", "NONE", "SASL", "XOAUTH2"]), Smtp, Phrase::OptionAuthType),
    row(Key::SslVersion, &["SSL_VERSION"], Choice(&["SSLV2", "SSLV23", "SSLV3", "TLSV1", "TLSV1_1", "TLSV1_2", "TLSV1_3"]), Smtp, Phrase::OptionSslVersion),
    row(Key::TenantId, &["O365_TENANT_ID"], Value(Phrase::PlaceId), Graph, Phrase::OptionTenantId),
    row(Key::AppId, &["O365_APP_ID"], Value(Phrase::PlaceId), Graph, Phrase::OptionAppId),
    row(Key::AppSecret, &["O365_SECRET"], Takes::Secret(Phrase::PlacePassword), Graph, Phrase::OptionSecret),
    row(Key::GraphSender, &["GRAPH_SENDER"], Value(Phrase::PlaceAddress), Graph, Phrase::OptionGraphSender),
    row(Key::Authority, &["O365_AUTHORITY"], Value(Phrase::PlaceUrl), Graph, Phrase::OptionAuthority),
    row(Key::GraphServer, &["GRAPH_SERVER"], Value(Phrase::PlaceUrl), Graph, Phrase::OptionGraphServer),
];

impl Key {
    /// Its row in the table.
    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.name == self)
    }

    /// How messages call it: `/TO`.
    pub(super) fn shown(self) -> String {
        self.row().map_or_else(String::new, Row::shown)
    }

    /// The words that its value can be.
    pub(super) fn choices(self) -> &'static [&'static str] {
        match self.row().map(|row| row.takes) {
            Some(Choice(words)) => words,
            _ => &[],
        }
    }
}

impl Row {
    /// How messages call it: `/TO`.
    pub(super) fn shown(&self) -> String {
        format!("/{}", self.spellings.first().copied().unwrap_or_default())
    }
}

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
        for (index, argument) in arguments.iter().enumerate() {
            let Some(argument) = argument else {
                problems.push(Phrase::WrongUnicode.with("place", index + 1));
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
                problems.push(unknown(name));
                continue;
            };
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
            (Nothing, None) => self.switches.push(row.name),
            (Nothing, Some(_)) => return Err(Phrase::WrongSwitch),
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
            let is_secret = name
                .row()
                .is_some_and(|row| matches!(row.takes, Takes::Secret(_)));
            let value = if is_secret { "***" } else { value.expose() };
            format!("{}={value}", name.shown())
        });
        let switches = self.switches.iter().map(|name| name.shown());
        values.chain(switches).collect()
    }
}

fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| {
        let mut spellings = row.spellings.iter();
        spellings.any(|spelling| spelling.eq_ignore_ascii_case(name))
    })
}

fn unknown(name: &str) -> Message {
    let all = TABLE.iter().flat_map(|row| row.spellings).copied();
    let near = crate::suggest::nearest(name, all);
    // Without a `=` where it should be, a password may be a part of the name.
    let shown = name.split([' ', ':']).next().unwrap_or_default();
    let option = format!("/{}", crate::net::clean(&shown.to_ascii_uppercase(), 30));
    match near {
        Some(near) => Phrase::WrongUnknownNear
            .with("option", option)
            .with("near", format!("/{near}")),
        None => Phrase::WrongUnknown.with("option", option),
    }
}

/// Phrase without blanks and one pair of quotes around it.
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
    fn every_option_has_one_row() {
        for row in &TABLE {
            assert!(std::ptr::eq(row.name.row().unwrap(), row), "{row:?}");
            for spelling in row.spellings {
                assert!(std::ptr::eq(find(spelling).unwrap(), row), "{spelling}");
            }
        }
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
            "/XYZZY",
            "Secr3t",
            "/SMTP_PASSWORD Secr3t",
            "/TO",
            "/READ_ACK=yes",
            "/CC=a@b",
            "--cc=a@b",
            "/",
        ];
        let (given, problems) = read(&arguments);
        let expected = [
            Phrase::WrongUnknownNear
                .with("option", "/SUBJET")
                .with("near", "/SUBJECT"),
            Phrase::WrongUnknown.with("option", "/XYZZY"),
            Phrase::WrongStray.with("place", 3),
            Phrase::WrongUnknownNear
                .with("option", "/SMTP_PASSWORD")
                .with("near", "/SMTP_PASSWORD"),
            Phrase::WrongNoValue.with("option", "/TO"),
            Phrase::WrongSwitch.with("option", "/READ_ACK"),
            Phrase::WrongTwice.with("option", "/CC"),
            Phrase::WrongStray.with("place", 9),
        ];
        assert_eq!(problems, expected);
        assert!(!format!("{given:?}{problems:?}").contains("Secr3t"));
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
