//! The options: their names, what they take, and how they are read from the command line.
//!
//! `/NAME=value` and `--name=value` in any case, switches without a value. Quotes that a caller
//! without a shell leaves around an argument or a value don't belong to it.

use super::texts::{Language, Message, Text};
use crate::secret::Secret;

/// What an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
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
    pub(super) name: Name,
    /// How it is written; the first is what messages call it.
    pub(super) spellings: &'static [&'static str],
    pub(super) takes: Takes,
    pub(super) group: Group,
    pub(super) help: Text,
}

/// What follows an option's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: it is a switch.
    Nothing,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Something of this kind.
    Value(Text),
    /// What nobody else may see.
    Secret(Text),
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
    name: Name,
    spellings: &'static [&'static str],
    takes: Takes,
    group: Group,
    help: Text,
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
    row(Name::Mode, &["MODE"], Choice(&["SMTP", "GRAPH"]), General, Text::OptionMode),
    row(Name::Lang, &["LANG"], Choice(&["FR", "EN"]), General, Text::OptionLang),
    row(Name::Retry, &["RETRY"], Value(Text::PlaceNumber), General, Text::OptionRetry),
    row(Name::Log, &["LOG", "LOG_FILE"], Value(Text::PlaceFile), General, Text::OptionLog),
    row(Name::LogLevel, &["LOG_LEVEL"], Choice(&["NONE", "ERROR", "WARNING", "INFO", "DEBUG"]), General, Text::OptionLogLevel),
    row(Name::ErrorFile, &["ERROR_FILE"], Value(Text::PlaceFile), General, Text::OptionErrorFile),
    row(Name::Subject, &["SUBJECT"], Value(Text::PlaceText), Mail, Text::OptionSubject),
    row(Name::FromName, &["FROM_NAME"], Value(Text::PlaceName), Mail, Text::OptionFromName),
    row(Name::FromAddr, &["FROM_ADDR"], Value(Text::PlaceAddress), Mail, Text::OptionFromAddr),
    row(Name::To, &["TO"], Value(Text::PlaceAddresses), Mail, Text::OptionTo),
    row(Name::Cc, &["CC"], Value(Text::PlaceAddresses), Mail, Text::OptionCc),
    row(Name::Bcc, &["BCC"], Value(Text::PlaceAddresses), Mail, Text::OptionBcc),
    row(Name::BodyFile, &["BODY_FILE"], Value(Text::PlaceFile), Mail, Text::OptionBodyFile),
    row(Name::Attach, &["ATTACH"], Value(Text::PlaceFiles), Mail, Text::OptionAttach),
    row(Name::Inline, &["INLINE"], Value(Text::PlaceFiles), Mail, Text::OptionInline),
    row(Name::Priority, &["PRIORITY"], Choice(&["HIGHEST", "HIGH", "NORMAL", "LOW", "LOWEST"]), Mail, Text::OptionPriority),
    row(Name::ReadAck, &["READ_ACK"], Nothing, Mail, Text::OptionReadAck),
    row(Name::ReceptionAck, &["RECEPTION_ACK"], Nothing, Mail, Text::OptionReceptionAck),
    row(Name::SmtpServer, &["SMTP_SERVER"], Value(Text::PlaceHost), Smtp, Text::OptionSmtpServer),
    row(Name::SmtpPort, &["SMTP_PORT"], Value(Text::PlacePort), Smtp, Text::OptionSmtpPort),
    row(Name::SmtpUsername, &["SMTP_USERNAME"], Value(Text::PlaceUser), Smtp, Text::OptionSmtpUsername),
    row(Name::SmtpPassword, &["SMTP_PASSWORD"], Takes::Secret(Text::PlacePassword), Smtp, Text::OptionSmtpPassword),
    row(Name::SmtpTokenFile, &["SMTP_TOKEN_FILE"], Value(Text::PlaceFile), Smtp, Text::OptionSmtpTokenFile),
    row(Name::AuthType, &["AUTH_TYPE"], Choice(&["DEFAULT", "NONE", "SASL", "XOAUTH2"]), Smtp, Text::OptionAuthType),
    row(Name::SslVersion, &["SSL_VERSION"], Choice(&["SSLV2", "SSLV23", "SSLV3", "TLSV1", "TLSV1_1", "TLSV1_2", "TLSV1_3"]), Smtp, Text::OptionSslVersion),
    row(Name::TenantId, &["O365_TENANT_ID"], Value(Text::PlaceId), Graph, Text::OptionTenantId),
    row(Name::AppId, &["O365_APP_ID"], Value(Text::PlaceId), Graph, Text::OptionAppId),
    row(Name::AppSecret, &["O365_SECRET"], Takes::Secret(Text::PlacePassword), Graph, Text::OptionSecret),
    row(Name::GraphSender, &["GRAPH_SENDER"], Value(Text::PlaceAddress), Graph, Text::OptionGraphSender),
    row(Name::Authority, &["O365_AUTHORITY"], Value(Text::PlaceUrl), Graph, Text::OptionAuthority),
    row(Name::GraphServer, &["GRAPH_SERVER"], Value(Text::PlaceUrl), Graph, Text::OptionGraphServer),
];

impl Name {
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
    values: Vec<(Name, Secret)>,
    switches: Vec<Name>,
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
                problems.push(Text::WrongUnicode.with("place", index + 1));
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
                problems.push(Text::WrongStray.with("place", index + 1));
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
                problems.push(Text::WrongTwice.with("option", row.shown()));
                continue;
            }
            seen.push(row.name);
            if let Err(text) = given.take(row, value) {
                problems.push(text.with("option", row.shown()));
            }
        }
        (given, problems)
    }

    fn take(&mut self, row: &Row, value: Option<&str>) -> Result<(), Text> {
        match (row.takes, value) {
            (Nothing, None) => self.switches.push(row.name),
            (Nothing, Some(_)) => return Err(Text::WrongSwitch),
            (_, None) => return Err(Text::WrongNoValue),
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
    pub(super) fn get(&self, name: Name) -> Option<&str> {
        let found = self.values.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| value.expose())
    }

    /// Whether a switch was given.
    pub(super) fn has(&self, name: Name) -> bool {
        self.switches.contains(&name)
    }

    /// The language to speak: the one asked for, else the system's.
    pub(super) fn language(&self) -> Language {
        let asked = self.get(Name::Lang).and_then(Language::of_option);
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
        Some(near) => Text::WrongUnknownNear
            .with("option", option)
            .with("near", format!("/{near}")),
        None => Text::WrongUnknown.with("option", option),
    }
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
            assert_eq!(given.get(Name::Subject), Some("March 2026"), "{argument}");
            assert!(given.has(Name::ReadAck) && given.has(Name::ReceptionAck) && !given.help);
        }
    }

    #[test]
    fn the_log_has_two_names() {
        for argument in ["/LOG=a.txt", "/Log_File=a.txt"] {
            assert_eq!(read(&[argument]).0.get(Name::Log), Some("a.txt"));
        }
        let (_, problems) = read(&["/LOG=a", "/LOG_FILE=b"]);
        assert_eq!(problems, [Text::WrongTwice.with("option", "/LOG")]);
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        for (argument, name, value) in [
            ("/SUBJECT=a=b", Name::Subject, Some("a=b")),
            ("/SUBJECT=", Name::Subject, None),
            ("/SUBJECT=\"\"", Name::Subject, None),
            (
                "/TO=\"Doe, J\" <a@b>,\"c\" <c@d>",
                Name::To,
                Some("\"Doe, J\" <a@b>,\"c\" <c@d>"),
            ),
            (
                "/SMTP_PASSWORD= two  blanks ",
                Name::SmtpPassword,
                Some(" two  blanks "),
            ),
            (
                "/SMTP_PASSWORD=\" in quotes\"",
                Name::SmtpPassword,
                Some(" in quotes"),
            ),
            (
                "/SMTP_PASSWORD=one\"inside",
                Name::SmtpPassword,
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
            Text::WrongUnknownNear
                .with("option", "/SUBJET")
                .with("near", "/SUBJECT"),
            Text::WrongUnknown.with("option", "/XYZZY"),
            Text::WrongStray.with("place", 3),
            Text::WrongUnknownNear
                .with("option", "/SMTP_PASSWORD")
                .with("near", "/SMTP_PASSWORD"),
            Text::WrongNoValue.with("option", "/TO"),
            Text::WrongSwitch.with("option", "/READ_ACK"),
            Text::WrongTwice.with("option", "/CC"),
            Text::WrongStray.with("place", 9),
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
