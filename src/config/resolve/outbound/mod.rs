//! `[smtp-client]`: who sends notices. What is wrong there is an error of the run and holds nothing
//! else up.

use std::time::Duration;

use super::{Resolver, Told};
use crate::config::keys::{self, Key};
use crate::config::problem::Severity;
use crate::config::settings::{MailSettings, Outbound, Traces};
use crate::config::values::{LONGEST_TIME, connection_security};
use crate::net::http::Limits;
use crate::net::{Endpoint, Security, Timeouts, TlsFloor, Trust};
use crate::secret::Secret;
use crate::send::smtp::{self, Mechanism, Pool};
use crate::send::{Address, Service, ews, graph, web};

mod tokens;

use tokens::Application;

const SECTION: &str = "smtp-client";
/// More mails than this are not sent at the same time, whatever `cnx-pool-size` says.
const MOST_CONNECTIONS: usize = 100;
const SECOND: Duration = Duration::from_secs(1);

/// `server-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerType {
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
enum Mechanisms {
    /// A password, sent in one of these ways.
    Password(Vec<Mechanism>),
    /// A token in its place.
    Token,
}

/// The options that can be read one by one.
#[derive(Debug)]
struct Options {
    kind: ServerType,
    server: Option<String>,
    port: u16,
    security: Security,
    logs_in: bool,
    mechanisms: Mechanisms,
    version: ews::Version,
    delegate: bool,
    connect: Duration,
    answer: Duration,
    pool: Pool,
    application: Application,
}

impl Resolver<'_> {
    /// Who sends notices; `None` when nobody has to, or nobody can, which has been told. With
    /// `traces` missing nothing is sent in this pass, so no secret is opened.
    pub(super) fn outbound(
        &mut self,
        wanted: bool,
        from: Option<Address>,
        traces: Option<Traces<'_>>,
    ) -> Option<Outbound> {
        let options = self.options();
        let reader = self.reader(SECTION, Severity::Error);
        let named = reader.entry(&keys::SMTP_SERVER).is_some();
        let in_use = wanted || named;
        let (Ok(options), Some(traces), true) = (options, traces, in_use) else {
            return None;
        };
        let debug = self
            .reader(SECTION, Severity::Error)
            .boolean(&keys::SMTP_ENABLE_DEBUG);
        let trace = if debug { traces.debug } else { traces.usual };
        let user = self.secret(SECTION, &keys::SMTP_USER, false, Severity::Error);
        let password = self.secret(SECTION, &keys::SMTP_PASSWORD, true, Severity::Error);
        let secret = if options.application.is_google() {
            let section = options.application.secret_section();
            self.secret(&section, &keys::APPLICATION_SECRET, true, Severity::Error)
        } else {
            Ok(None)
        };
        let credentials = (|| {
            Ok(Credentials {
                user: user?.map(|user| user.expose().to_owned()),
                password: password?,
                secret: secret?,
            })
        })();
        let credentials: Credentials = credentials.map_err(|Told| ()).ok()?;
        let service = match options.service(&credentials, trace) {
            Ok(service) => service,
            Err(why) => {
                self.tell_unusable(&why, wanted);
                return None;
            }
        };
        let Some(from) = from else {
            if wanted {
                let message = "is not set, and neither [smtp-client] user nor [Mail] User is an address: notices are \
                               from nobody, so none is sent";
                self.problems
                    .add(Severity::Error, None, "[Audit] NotifyFrom", message);
            }
            return None;
        };
        Some(Outbound {
            service,
            from,
            trace: trace.clone(),
        })
    }

    /// Who notices are from: `NotifyFrom`, else the first user that is an address.
    pub(super) fn notice_from(&mut self, mail: Option<&MailSettings>) -> Option<Address> {
        let mut reader = self.reader("Audit", Severity::Error);
        if reader.entry(&keys::NOTIFY_FROM).is_some() {
            return reader.parsed(&keys::NOTIFY_FROM, "a mail address", |value| {
                Address::parse(value).ok()
            });
        }
        // Problems with it are told where it is needed.
        let mut quiet = crate::config::Problems::default();
        let user = Resolver {
            document: self.document,
            problems: &mut quiet,
            environment: self.environment,
            keeper: self.keeper,
        }
        .secret(SECTION, &keys::SMTP_USER, false, Severity::Error);
        let sender = user.ok().flatten();
        let sender = sender.and_then(|user| Address::parse(user.expose()).ok());
        sender.or_else(|| match mail? {
            MailSettings::Imap(account) | MailSettings::Pop(account) => {
                Address::parse(&account.login.user).ok()
            }
            MailSettings::Folder(_) => None,
        })
    }

    fn tell_unusable(&mut self, why: &Unusable, wanted: bool) {
        let section = self.document.section(SECTION);
        let line = section.map(|section| section.line);
        let end = if wanted { "; no notice is sent" } else { "" };
        self.problems.add(
            Severity::Error,
            line,
            format!("[{SECTION}]"),
            format!("{}{end}", why.0),
        );
    }

    /// Every option that can be read by itself, so that all mistakes are told at once.
    fn options(&mut self) -> Result<Options, Told> {
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

/// Why the options together are of no use, for people.
struct Unusable(String);

/// The secrets of the section.
struct Credentials {
    user: Option<String>,
    password: Option<Secret>,
    /// The application's, with Google.
    secret: Option<Secret>,
}

impl Options {
    /// Puts the options together, or says all that is missing at once.
    fn service(
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
                address: web_address(server)?,
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
                    .map_err(|error| Unusable(error.to_string()))?,
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
