//! `[Mail]` and the command line's word on it: where mails come from.

use std::time::Duration;

use super::Resolver;
use super::msal::Resource;
use crate::auth::TokenSource;
use crate::config::keys;
use crate::config::places::expand;
use crate::config::problem::Severity;
use crate::config::settings::{Account, LoadError, MailSettings};
use crate::config::values::connection_security;
use crate::mailbox::{Choice, Login, Proof, Protocol};
use crate::net::http::Limits;
use crate::net::{Endpoint, Security, Timeouts, TlsFloor, Trust};

impl Resolver<'_> {
    /// Fails when neither says where; what is wrong otherwise is collected.
    pub(super) fn mail(&mut self, switches: &Choice) -> Result<Option<MailSettings>, LoadError> {
        let mut reader = self.reader("Mail", Severity::Fatal);
        let protocol = match switches.protocol {
            Some(protocol) => Some(protocol),
            None => reader.parsed(&keys::EMAIL_PROTOCOL, "IMAP, POP, MSAL or FOLDER", protocol),
        };
        let Some(protocol) = protocol else {
            if reader.entry(&keys::EMAIL_PROTOCOL).is_some() {
                return Ok(None);
            }
            return Err(LoadError::Missing {
                setting: "[Mail] EmailProtocol",
                switch: "--imap (or --pop, --msal, -folder:PATH)",
            });
        };
        match protocol {
            Protocol::Folder => self.folder(switches),
            Protocol::Imap => {
                let ports = Ports {
                    clear: 143,
                    tls: 993,
                };
                let account = self.account(switches, ports, Resource::Imap)?;
                Ok(account.map(MailSettings::Imap))
            }
            Protocol::Pop => {
                let ports = Ports {
                    clear: 110,
                    tls: 995,
                };
                let account = self.account(switches, ports, Resource::Pop)?;
                Ok(account.map(MailSettings::Pop))
            }
            Protocol::Msal => {
                let limits = self.limits();
                let account = self.graph_account(limits);
                Ok(account.map(|account| MailSettings::Msal(Box::new(account))))
            }
        }
    }

    fn folder(&mut self, switches: &Choice) -> Result<Option<MailSettings>, LoadError> {
        if let Some(named) = &switches.folder {
            return match expand(named, self.environment) {
                Ok(path) => Ok(Some(MailSettings::Folder(path))),
                Err(name) => {
                    let message =
                        format!("uses %{name}%, but there is no environment variable {name}");
                    self.problems.add(Severity::Fatal, None, "-folder", message);
                    Ok(None)
                }
            };
        }
        let mut reader = self.reader("Mail", Severity::Fatal);
        if reader.text(&keys::FOLDER).is_none() {
            return Err(LoadError::Missing {
                setting: "[Mail] Folder",
                switch: "-folder:PATH",
            });
        }
        Ok(reader.path(&keys::FOLDER).map(MailSettings::Folder))
    }

    fn timeouts(&mut self) -> Timeouts {
        let mut reader = self.reader("Mail", Severity::Fatal);
        let mut limit = |key, minutes: u64| {
            // What can't be read has been told and stops the run.
            let most = Duration::from_secs(minutes * 60);
            let bounds = Duration::from_secs(1)..=most;
            reader.duration(key, bounds).unwrap_or(most)
        };
        Timeouts {
            connect: limit(&keys::CONNECT_TIMEOUT, 10),
            read: limit(&keys::READ_TIMEOUT, 60),
            write: limit(&keys::WRITE_TIMEOUT, 60),
        }
    }

    /// The same for requests over HTTP.
    pub(super) fn limits(&mut self) -> Limits {
        let timeouts = self.timeouts();
        Limits {
            connect: timeouts.connect,
            answer: timeouts.read,
        }
    }

    pub(super) fn retries(&mut self) -> u32 {
        let mut reader = self.reader("Mail", Severity::Fatal);
        // What can't be read has been told and stops the run.
        reader.number(&keys::RETRIES, 0, 10).unwrap_or_default()
    }

    /// A mailbox on a server; its protocol's ports decide how it is secured.
    fn account(
        &mut self,
        switches: &Choice,
        ports: Ports,
        resource: Resource,
    ) -> Result<Option<Account>, LoadError> {
        let mut reader = self.reader("Mail", Severity::Fatal);
        let host = switches
            .server
            .clone()
            .or_else(|| reader.text(&keys::SERVER).map(str::to_owned));
        let Some(host) = host else {
            return Err(LoadError::Missing {
                setting: "[Mail] Server",
                switch: "-server:HOST",
            });
        };
        let floor = match switches.floor {
            Some(floor) => Some(floor),
            None => reader.parsed(
                &keys::SECURITY_PROTOCOL,
                "SSL, SSL2, TLS1, TLS1_1, TLS1_2 or TLS1_3",
                floor,
            ),
        };
        let chosen = reader.parsed(
            &keys::CONNECTION_SECURITY,
            "none, start-tls, start-tls-required or ssl-tls",
            connection_security,
        );
        let port = switches
            .port
            .or_else(|| reader.number(&keys::PORT, 1, u16::MAX));
        let encrypted = floor.is_some() || chosen == Some(Security::Tls);
        let port = port.unwrap_or(if encrypted { ports.tls } else { ports.clear });
        let security = chosen.unwrap_or(match floor {
            Some(_) if port == ports.clear => Security::StartTlsRequired,
            Some(_) => Security::Tls,
            None => Security::None,
        });
        if security == Security::None {
            let message = "the connection is not encrypted: password and mails can be read and forged on the way; set SecurityProtocol";
            reader
                .problems
                .add(Severity::Warning, None, "[Mail]", message);
        }
        let trust = if reader.boolean(&keys::SELF_SIGNED_CERTIFICATE) {
            Trust::Remembered(None)
        } else {
            Trust::Authorities
        };
        let timeouts = self.timeouts();
        let retries = self.retries();
        let endpoint = Endpoint {
            host,
            port,
            security,
            floor: floor.unwrap_or(TlsFloor::Tls1_2),
            trust,
            timeouts,
        };
        let user = self.credential("Mail", &keys::USER, false);
        let proof = match self.takes_tokens() {
            Some(true) => {
                let limits = self.limits();
                let settings = self.tokens(resource, limits);
                settings
                    .map(|settings| Proof::Token(TokenSource::new(settings, self.trace.clone())))
            }
            Some(false) => {
                let password = self.credential("Mail", &keys::PASSWORD, true);
                password.map(Proof::Password)
            }
            None => None,
        };
        Ok(user.zip(proof).map(|(user, proof)| Account {
            endpoint,
            login: Login {
                user: user.expose().to_owned(),
                proof,
            },
            retries,
        }))
    }

    /// Tokens take the place of the password; `None` when that can't be made out.
    fn takes_tokens(&mut self) -> Option<bool> {
        let mut reader = self.reader("Mail", Severity::Fatal);
        reader.parsed(
            &keys::AUTHENTICATION,
            "Password or XOAUTH2",
            |value| match value.to_ascii_lowercase().as_str() {
                "password" => Some(false),
                "xoauth2" => Some(true),
                _ => None,
            },
        )
    }

    /// What somebody signs in for: the mailbox of the file.
    pub(super) fn resource(&mut self) -> Option<Resource> {
        let mut reader = self.reader("Mail", Severity::Fatal);
        let protocol = reader.parsed(&keys::EMAIL_PROTOCOL, "IMAP, POP, MSAL or FOLDER", protocol);
        let by_token = match protocol {
            Some(Protocol::Imap) => Some(Resource::Imap),
            Some(Protocol::Pop) => Some(Resource::Pop),
            Some(Protocol::Msal | Protocol::Folder) | None => None,
        };
        match by_token {
            Some(resource) if self.takes_tokens()? => Some(resource),
            _ => self.graph_endpoint().map(Resource::Graph),
        }
    }
}

/// The ports of a protocol.
#[derive(Clone, Copy)]
struct Ports {
    /// It begins in clear text.
    clear: u16,
    /// It begins with TLS.
    tls: u16,
}

fn protocol(value: &str) -> Option<Protocol> {
    match value.to_ascii_lowercase().as_str() {
        "imap" => Some(Protocol::Imap),
        "pop" | "pop3" => Some(Protocol::Pop),
        "msal" => Some(Protocol::Msal),
        "folder" => Some(Protocol::Folder),
        _ => None,
    }
}

fn floor(value: &str) -> Option<TlsFloor> {
    match value.to_ascii_lowercase().as_str() {
        // SSL 2 and 3 are gone from every TLS library; what they ask for is "as low as it goes".
        "ssl" | "ssl2" | "tls1" => Some(TlsFloor::Tls1_0),
        "tls1_1" => Some(TlsFloor::Tls1_1),
        "tls1_2" => Some(TlsFloor::Tls1_2),
        "tls1_3" => Some(TlsFloor::Tls1_3),
        _ => None,
    }
}
