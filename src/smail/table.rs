//! The table of options: their names, what they take, and where help lists them.

use super::texts::Phrase;

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
    pub(super) fn row(self) -> Option<&'static Row> {
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

    /// Whether nobody else may see its value.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.takes, Takes::Secret(_))
    }
}

/// The row of an option that is written so.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| {
        let mut spellings = row.spellings.iter();
        spellings.any(|spelling| spelling.eq_ignore_ascii_case(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_one_row() {
        for row in &TABLE {
            assert!(std::ptr::eq(row.name.row().unwrap(), row), "{row:?}");
            for spelling in row.spellings {
                assert!(std::ptr::eq(find(spelling).unwrap(), row), "{spelling}");
            }
        }
    }
}
