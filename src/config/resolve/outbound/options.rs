//! The options of `[smtp-client]`, each read by itself.

use std::time::Duration;

use super::SECTION;
use super::tokens::Application;
use crate::config::keys;
use crate::config::problem::Severity;
use crate::config::resolve::{Resolver, Told};
use crate::config::values::{LONGEST_TIME, connection_security};
use crate::net::Security;
use crate::send::ews;
use crate::send::smtp::{Mechanism, Pool};

/// More mails than this are not sent at the same time, whatever `cnx-pool-size` says.
const MOST_CONNECTIONS: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

/// `server-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerType {
    Smtp,
    Ews,
    Graph,
}

impl ServerType {
    fn parse(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().as_str() {
            "smtp" => Some(Self::Smtp),
            "ews" => Some(Self::Ews),
            "graph" => Some(Self::Graph),
            _ => None,
        }
    }
}

/// `mail.smtp.auth.mechanisms` and `mail.ews.auth.mechanisms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanisms {
    /// A password, sent in one of these ways.
    Password(Vec<Mechanism>),
    /// A token in its place.
    Token,
}

/// The options that can be read one by one.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) kind: ServerType,
    pub(super) server: Option<String>,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) logs_in: bool,
    pub(super) mechanisms: Mechanisms,
    pub(super) version: ews::Version,
    pub(super) delegate: bool,
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) pool: Pool,
    pub(super) application: Application,
}

impl Resolver<'_> {
    /// Every option that can be read by itself, so that all mistakes are told at once.
    pub(super) fn options(&mut self) -> Result<Options, Told> {
        let before = self.problems.len();
        let mut reader = self.reader(SECTION, Severity::Error);
        let any_time = SECOND..=LONGEST_TIME;
        let or_none = Duration::ZERO..=LONGEST_TIME;
        let margin = Duration::ZERO..=Duration::from_secs(3599);
        let kind = reader.parsed(
            &keys::SMTP_SERVER_TYPE,
            "SMTP, EWS or GRAPH",
            ServerType::parse,
        );
        let server = reader.text(&keys::SMTP_SERVER).map(str::to_owned);
        let port = reader.number(&keys::SMTP_PORT, 1, u16::MAX);
        let security = reader.parsed(
            &keys::SMTP_CONNECTION_SECURITY,
            "none, start-tls, start-tls-required or ssl-tls",
            connection_security,
        );
        let logs_in = reader.boolean(&keys::SMTP_ENABLE_AUTHENTICATION);
        let of_smtp = reader.parsed(
            &keys::SMTP_MECHANISMS,
            "PLAIN, LOGIN, both, or XOAUTH2 alone",
            smtp_mechanisms,
        );
        let of_ews = reader.parsed(&keys::EWS_MECHANISMS, "XOAUTH2, or blank", |value| {
            value
                .eq_ignore_ascii_case("XOAUTH2")
                .then_some(Mechanisms::Token)
        });
        let any = Mechanisms::Password(vec![Mechanism::Plain, Mechanism::Login]);
        let mechanisms = match kind {
            Some(ServerType::Smtp) => of_smtp.unwrap_or(any),
            Some(ServerType::Ews) => of_ews.unwrap_or(any),
            Some(ServerType::Graph) | None => Mechanisms::Token,
        };
        // Left empty it means the newest servers, left out the oldest.
        let emptied = reader
            .section
            .and_then(|section| section.get(keys::SMTP_EXCHANGE_VERSION.name))
            .is_some_and(|entry| entry.value.is_empty());
        let version = reader.parsed(
            &keys::SMTP_EXCHANGE_VERSION,
            "a version from Exchange2010 to Exchange2016, or Office365",
            ews::Version::parse,
        );
        let delegate = reader.boolean(&keys::SMTP_ALLOW_DELEGATE);
        reader.boolean(&keys::SMTP_ENABLE_DEBUG);
        let connect = reader.duration(&keys::SMTP_CONNECT_TIMEOUT, any_time.clone());
        let answer = reader.duration(&keys::SMTP_PROTOCOL_TIMEOUT, any_time);
        let size = reader.number(&keys::SMTP_POOL_SIZE, 1, usize::MAX);
        let check_idle = reader.duration(&keys::SMTP_CHECK_IDLE, or_none.clone());
        let max_idle = reader.duration(&keys::SMTP_MAX_IDLE, or_none);
        let token_margin = reader.duration(&keys::SMTP_TOKEN_MARGIN, margin);
        let application = Application::read(&mut reader, kind == Some(ServerType::Graph));
        if self.problems.len() > before {
            return Err(Told);
        }
        (|| {
            Some(Options {
                kind: kind?,
                server,
                port: port?,
                security: security?,
                logs_in,
                mechanisms,
                version: if emptied {
                    ews::Version::default()
                } else {
                    version?
                },
                delegate,
                connect: connect?,
                answer: answer?,
                pool: Pool {
                    size: size?.min(MOST_CONNECTIONS),
                    check_idle: check_idle?,
                    max_idle: max_idle?,
                    token_margin: token_margin?,
                },
                application: application?,
            })
        })()
        .ok_or(Told)
    }
}

/// A list separated by blanks or commas.
fn smtp_mechanisms(value: &str) -> Option<Mechanisms> {
    let names: Vec<String> = value
        .split([' ', ',', '\t'])
        .filter(|name| !name.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    if names == ["XOAUTH2"] {
        return Some(Mechanisms::Token);
    }
    let mechanisms: Option<Vec<_>> = names
        .iter()
        .map(|name| match name.as_str() {
            "PLAIN" => Some(Mechanism::Plain),
            "LOGIN" => Some(Mechanism::Login),
            _ => None,
        })
        .collect();
    mechanisms
        .filter(|all| !all.is_empty())
        .map(Mechanisms::Password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mechanisms_are_a_list() {
        let plain = Mechanism::Plain;
        let login = Mechanism::Login;
        for (value, expected) in [
            ("PLAIN", Some(Mechanisms::Password(vec![plain]))),
            (
                "login, plain",
                Some(Mechanisms::Password(vec![login, plain])),
            ),
            (
                "LOGIN PLAIN",
                Some(Mechanisms::Password(vec![login, plain])),
            ),
            ("xoauth2", Some(Mechanisms::Token)),
            ("XOAUTH2 PLAIN", None),
            ("NTLM", None),
            (",", None),
        ] {
            assert_eq!(smtp_mechanisms(value), expected, "{value}");
        }
    }
}
