//! The service that the options of `[smtp-client]` add up to, or all that is missing for one.

use super::SECTION;
use super::options::{Mechanisms, Options, ServerType};
use crate::config::keys::{self, Key};
use crate::net::http::{self, Limits};
use crate::net::{Endpoint, Timeouts, TlsFloor, Trust};
use crate::secret::Secret;
use crate::send::{Service, ews, graph, smtp, web};

/// Why the options together are of no use, for people.
pub(super) struct Unusable(pub(super) String);

/// The secrets of the section.
pub(super) struct Credentials {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    /// The application's, with Google.
    pub(super) secret: Option<Secret>,
}

impl Options {
    /// Puts the options together, or says all that is missing at once.
    pub(super) fn service(
        &self,
        credentials: &Credentials,
        trace: &crate::net::Trace,
    ) -> Result<Service, Unusable> {
        let with_token = self.mechanisms == Mechanisms::Token;
        let logs_in = self.kind != ServerType::Smtp || self.logs_in;
        let mut missing: Vec<&Key> = Vec::new();
        let mut need = |there: bool, key: &'static Key| {
            if !there {
                missing.push(key);
            }
        };
        need(
            self.server.is_some() || self.kind == ServerType::Graph,
            &keys::SMTP_SERVER,
        );
        if logs_in {
            need(credentials.user.is_some(), &keys::SMTP_USER);
            need(credentials.password.is_some(), &keys::SMTP_PASSWORD);
        }
        if logs_in && with_token {
            self.application
                .needs(credentials.secret.is_some(), &mut need);
        }
        if !missing.is_empty() {
            return Err(Unusable(self.told_missing(&missing)));
        }
        let server = self.server.clone().unwrap_or_default();
        let user = credentials.user.clone().unwrap_or_default();
        let password = || credentials.password.clone().ok_or_else(Unusable::default);
        let limits = Limits {
            connect: self.connect,
            answer: self.answer,
        };
        let source = || {
            self.application
                .source(credentials, self.pool.token_margin, limits, trace)
        };
        Ok(match self.kind {
            ServerType::Smtp => Service::Smtp(smtp::Settings {
                endpoint: Endpoint {
                    host: server,
                    port: self.port,
                    security: self.security,
                    floor: TlsFloor::Tls1_2,
                    trust: Trust::Authorities,
                    timeouts: Timeouts {
                        connect: self.connect,
                        read: self.answer,
                        write: self.answer,
                    },
                },
                login: match &self.mechanisms {
                    _ if !logs_in => smtp::Login::None,
                    Mechanisms::Password(mechanisms) => smtp::Login::Password {
                        user,
                        password: password()?,
                        mechanisms: mechanisms.clone(),
                    },
                    Mechanisms::Token => smtp::Login::Token {
                        user,
                        source: source()?,
                    },
                },
                pool: self.pool,
            }),
            ServerType::Ews => Service::Ews(ews::Settings {
                impersonate: (with_token && self.application.acts_for_itself())
                    .then(|| user.clone()),
                address: checked(web_address(server)?)?,
                version: self.version,
                login: if with_token {
                    web::Login::Token(source()?)
                } else {
                    web::Login::Basic {
                        user,
                        password: password()?,
                    }
                },
                limits,
            }),
            ServerType::Graph => Service::Graph(graph::Settings {
                root: graph::root(&server, self.application.scope())
                    .map_err(|error| Unusable(error.to_string()))
                    .and_then(checked)?,
                user,
                access: graph::Access::Application,
                delegate: self.delegate,
                tokens: source()?,
                limits,
            }),
        })
    }

    fn told_missing(&self, missing: &[&Key]) -> String {
        let what = match (self.kind, &self.mechanisms) {
            (ServerType::Graph, _) => "server-type=GRAPH",
            (ServerType::Ews, Mechanisms::Token) => "server-type=EWS with XOAUTH2",
            (ServerType::Ews, _) => "server-type=EWS",
            (ServerType::Smtp, Mechanisms::Token) if self.logs_in => "XOAUTH2",
            (ServerType::Smtp, _) if self.logs_in => "enable-authentication=true",
            (ServerType::Smtp, _) => "it",
        };
        let names = missing.iter().map(|key| {
            if key.section == SECTION {
                key.name.to_owned()
            } else {
                format!("[{}] {}", self.application.secret_section(), key.name)
            }
        });
        let names = names.collect::<Vec<_>>().join(", ");
        format!("can't be used: {what} needs {names}, not set yet")
    }
}

impl Default for Unusable {
    fn default() -> Self {
        Self("can't be used".to_owned())
    }
}

/// The address of an EWS server, which a host name is not.
fn web_address(server: String) -> Result<String, Unusable> {
    let folded = server.to_ascii_lowercase();
    if folded.starts_with("https://") || folded.starts_with("http://") {
        return Ok(server);
    }
    Err(Unusable(format!(
        "server={server} is no address: with server-type=EWS it is one such as \
         https://{server}/EWS/Exchange.asmx"
    )))
}

/// An address that requests may go to.
fn checked(address: String) -> Result<String, Unusable> {
    let checked = http::check(&address).map_err(|error| Unusable(error.to_string()));
    checked.map(|()| address)
}
