//! From options to what is asked for: every value checked, everything that is missing named.
//!
//! Pure: no file is touched, nobody is asked.

use super::Failure;
use super::exit::Exit;
use super::list::{self, Paths};
use super::options::Given;
use super::table::Key;
use super::texts::{Message, Phrase};
use super::values::Reader;
use crate::auth::{Authority, AuthorityError};
use crate::net::{Security, TlsFloor, clean};
use crate::secret::Secret;
use crate::send::smtp::Mechanism;
use crate::send::{Address, Person, Priority, graph};

/// Mail to port 25 (RFC 5321, section 4.5.4.2), for submission 587 (RFC 6409, section 3.1) and
/// 465, where TLS begins at once (RFC 8314, section 3.3).
const RELAY: u16 = 25;
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;
/// The lowest TLS version where none is named.
const USUAL_FLOOR: TlsFloor = TlsFloor::Tls1_2;
/// Who issues Microsoft's tokens, and what they are for, where no national cloud is named.
const AUTHORITY: &str = "https://login.microsoftonline.com";
const GRAPH: &str = "https://graph.microsoft.com";
const MOST_TRIES: usize = 100;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) way: Way,
    pub(super) from: Person,
    pub(super) to: Vec<Person>,
    pub(super) cc: Vec<Person>,
    pub(super) bcc: Vec<Person>,
    pub(super) subject: String,
    pub(super) body: String,
    pub(super) attachments: Paths,
    pub(super) inline: Paths,
    pub(super) priority: Priority,
    pub(super) read_receipt: bool,
    pub(super) delivery_receipt: bool,
    /// `/RETRY`.
    pub(super) tries: Option<usize>,
}

/// How the mail goes out.
#[derive(Debug)]
pub(super) enum Way {
    Smtp(Smtp),
    Graph(Graph),
}

/// By SMTP.
#[derive(Debug)]
pub(super) struct Smtp {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) floor: TlsFloor,
    pub(super) login: Login,
}

/// As whom.
#[derive(Debug)]
pub(super) enum Login {
    None,
    Password {
        user: String,
        password: Hidden,
        mechanisms: &'static [Mechanism],
    },
    Token {
        user: String,
        file: String,
    },
}

/// By Microsoft Graph, as an application.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) authority: Authority,
    pub(super) application: String,
    pub(super) secret: Hidden,
    pub(super) sender: Address,
    /// The address of Graph, with its edition.
    pub(super) root: String,
    pub(super) scope: String,
}

/// A secret, or where it stands.
#[derive(Debug)]
pub(super) enum Hidden {
    Here(Secret),
    /// On the first line of this file.
    File(String),
}

/// The kinds of ways, by what they require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Smtp,
    Sasl,
    Xoauth2,
    Graph,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Smtp, Self::Sasl, Self::Xoauth2, Self::Graph];

    /// Its name.
    pub(super) fn text(self) -> Phrase {
        match self {
            Self::Smtp => Phrase::WaySmtp,
            Self::Sasl => Phrase::WaySasl,
            Self::Xoauth2 => Phrase::WayXoauth2,
            Self::Graph => Phrase::WayGraph,
        }
    }

    /// The options without which it does not work.
    pub(super) fn required(self) -> &'static [Key] {
        use Key::*;
        match self {
            Self::Smtp => &[SmtpServer, FromAddr, To, BodyFile],
            Self::Sasl => &[
                SmtpServer,
                SmtpUsername,
                SmtpPassword,
                FromAddr,
                To,
                BodyFile,
            ],
            Self::Xoauth2 => &[
                SmtpServer,
                SmtpUsername,
                SmtpTokenFile,
                FromAddr,
                To,
                BodyFile,
            ],
            Self::Graph => &[TenantId, AppId, AppSecret, GraphSender, To, BodyFile],
        }
    }
}

/// `/AUTH_TYPE`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AuthType {
    Default,
    None,
    Sasl,
    Xoauth2,
}

impl Request {
    /// Reads the options. `variable` gives the environment; `problems` are those that reading the
    /// command line has found.
    pub(super) fn read(
        given: &Given,
        variable: &dyn Fn(&str) -> Option<String>,
        problems: Vec<Message>,
    ) -> Result<Self, Failure> {
        let is_graph = match given.get(Key::Mode) {
            None => false,
            Some(mode) if mode.eq_ignore_ascii_case("SMTP") => false,
            Some(mode) if mode.eq_ignore_ascii_case("GRAPH") => true,
            Some(other) => {
                let message = Phrase::ModeUnknown.with("value", clean(other, 60));
                return Err(Failure::of(Exit::InvalidMode, message));
            }
        };
        let mut reader = Reader {
            given,
            variable,
            problems,
        };
        let request = reader.request(is_graph);
        match request {
            Some(request) if reader.problems.is_empty() => Ok(request),
            _ => Err(Failure {
                exit: Exit::Param,
                messages: reader.problems,
            }),
        }
    }
}

impl Reader<'_> {
    /// `None` where something is wrong or missing; then that has been told.
    fn request(&mut self, is_graph: bool) -> Option<Request> {
        let auth = self.auth_type();
        let kind = match (is_graph, auth) {
            (true, _) => Kind::Graph,
            (false, AuthType::Xoauth2) => Kind::Xoauth2,
            (false, AuthType::Sasl) => Kind::Sasl,
            // Half of a log-in is the lack of the other half.
            (false, AuthType::Default) if self.names_a_login() => Kind::Sasl,
            (false, AuthType::Default | AuthType::None) => Kind::Smtp,
        };
        self.tell_missing(kind);
        let tries = self.number(Key::Retry, MOST_TRIES);
        self.choice(Key::Lang);
        self.choice(Key::LogLevel);
        let priority = self.priority();
        let address = self.sender(kind);
        let [to, cc, bcc] = [Key::To, Key::Cc, Key::Bcc].map(|name| self.people(name));
        let [attachments, inline] = [Key::Attach, Key::Inline].map(|name| self.files(name));
        let way = if is_graph {
            self.graph().map(Way::Graph)
        } else {
            self.smtp(auth, kind).map(Way::Smtp)
        };
        Some(Request {
            way: way?,
            from: Person {
                name: self.text(Key::FromName).unwrap_or_default(),
                address: address?,
            },
            to,
            cc,
            bcc,
            subject: self.text(Key::Subject).unwrap_or_default(),
            body: self.text(Key::BodyFile)?,
            attachments,
            inline,
            priority,
            read_receipt: self.given.has(Key::ReadAck),
            delivery_receipt: self.given.has(Key::ReceptionAck),
            tries,
        })
    }

    fn tell_missing(&mut self, kind: Kind) {
        let there = |name: &Key| match name {
            Key::SmtpPassword | Key::AppSecret => self.hidden(*name).is_some(),
            Key::FromAddr => {
                let user = self.given.get(Key::SmtpUsername);
                let stands_in = user.is_some_and(|user| Address::parse(user).is_ok());
                self.given.get(*name).is_some() || (kind != Kind::Smtp && stands_in)
            }
            Key::To => {
                let to = self.given.get(Key::To);
                // What can't be read is told elsewhere.
                to.is_some_and(|to| list::people("", to).map_or(true, |to| !to.is_empty()))
            }
            name => self.given.get(*name).is_some(),
        };
        let required = kind.required().iter();
        let missing: Vec<_> = required.filter(|name| !there(name)).collect();
        if !missing.is_empty() {
            let names: Vec<_> = missing.iter().map(|name| name.shown()).collect();
            let message = Phrase::WrongMissing
                .with("count", missing.len())
                .with("way", Message::from(kind.text()))
                .with("options", names.join(", "));
            self.problems.push(message);
        }
    }

    fn smtp(&mut self, auth: AuthType, kind: Kind) -> Option<Smtp> {
        let floor = self.floor();
        let port = self.number(Key::SmtpPort, usize::from(u16::MAX));
        let secured = floor.is_some() || matches!(auth, AuthType::Sasl | AuthType::Xoauth2);
        let usual = if secured { SUBMISSION } else { RELAY };
        let port = port
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(usual);
        let login = match kind {
            Kind::Xoauth2 => Login::Token {
                user: self.text(Key::SmtpUsername)?,
                file: self.text(Key::SmtpTokenFile)?,
            },
            Kind::Sasl => Login::Password {
                user: self.text(Key::SmtpUsername)?,
                password: self.hidden(Key::SmtpPassword)?,
                mechanisms: match auth {
                    AuthType::Sasl => &[Mechanism::Plain, Mechanism::Login],
                    _ => &[Mechanism::Login, Mechanism::Plain],
                },
            },
            Kind::Smtp | Kind::Graph => Login::None,
        };
        Some(Smtp {
            host: self.text(Key::SmtpServer)?,
            port,
            security: match port {
                SUBMISSIONS => Security::Tls,
                _ if secured => Security::StartTlsRequired,
                _ => Security::None,
            },
            floor: floor.unwrap_or(USUAL_FLOOR),
            login,
        })
    }

    fn graph(&mut self) -> Option<Graph> {
        if self.floor() == Some(TlsFloor::Tls1_3) {
            self.problems.push(Phrase::WrongFloor.into());
        }
        let server = self.url(Key::GraphServer, GRAPH)?;
        let base = self.url(Key::Authority, AUTHORITY)?;
        let tenant = self.text(Key::TenantId)?;
        let authority = match Authority::of(&base, &tenant) {
            Ok(authority) => authority,
            Err(AuthorityError::NoAddress(_) | AuthorityError::ClearText(_)) => {
                self.wrong_url(Key::Authority, &base);
                return None;
            }
            Err(AuthorityError::NoDirectory | AuthorityError::BadDirectory(_)) => {
                let shown = clean(&tenant, 100);
                self.problems.push(Phrase::WrongTenant.with("value", shown));
                return None;
            }
        };
        let scope = format!("{server}/.default");
        let Ok(root) = graph::root("", &scope) else {
            self.wrong_url(Key::GraphServer, &server);
            return None;
        };
        let sender = self.text(Key::GraphSender)?;
        Some(Graph {
            authority,
            application: self.text(Key::AppId)?,
            secret: self.hidden(Key::AppSecret)?,
            sender: self.address(Key::GraphSender, &sender)?,
            root,
            scope,
        })
    }

    /// The sender's address: its own option, else the account that sends.
    fn sender(&mut self, kind: Kind) -> Option<Address> {
        if let Some(text) = self.text(Key::FromAddr) {
            return self.address(Key::FromAddr, &text);
        }
        let account = match kind {
            Kind::Graph => Key::GraphSender,
            Kind::Sasl | Kind::Xoauth2 => Key::SmtpUsername,
            Kind::Smtp => return None,
        };
        Address::parse(self.given.get(account)?).ok()
    }

    /// A secret: on the command line, in the file that stands there, or in the environment.
    fn hidden(&self, name: Key) -> Option<Hidden> {
        let Some(value) = self.given.get(name) else {
            let variable = format!("SMAIL_{}", name.shown().trim_start_matches('/'));
            let value = (self.variable)(&variable).filter(|value| !value.is_empty());
            return value.map(|value| Hidden::Here(Secret::new(value)));
        };
        Some(match value.strip_prefix('@') {
            Some(literal) if literal.starts_with('@') => {
                Hidden::Here(Secret::new(literal.to_owned()))
            }
            Some(file) => Hidden::File(file.to_owned()),
            None => Hidden::Here(Secret::new(value.to_owned())),
        })
    }

    /// A password in the environment alone asks for nothing.
    fn names_a_login(&self) -> bool {
        let names = [Key::SmtpUsername, Key::SmtpPassword];
        names.iter().any(|name| self.given.get(*name).is_some())
    }

    fn auth_type(&mut self) -> AuthType {
        match self.choice(Key::AuthType) {
            Some("NONE") => AuthType::None,
            Some("SASL") => AuthType::Sasl,
            Some("XOAUTH2") => AuthType::Xoauth2,
            _ => AuthType::Default,
        }
    }

    fn floor(&mut self) -> Option<TlsFloor> {
        Some(match self.choice(Key::SslVersion)? {
            "TLSV1_3" => TlsFloor::Tls1_3,
            "TLSV1_2" => TlsFloor::Tls1_2,
            "TLSV1_1" => TlsFloor::Tls1_1,
            _ => TlsFloor::Tls1_0,
        })
    }

    fn priority(&mut self) -> Priority {
        match self.choice(Key::Priority) {
            Some("HIGHEST") => Priority::Highest,
            Some("HIGH") => Priority::High,
            Some("LOW") => Priority::Low,
            Some("LOWEST") => Priority::Lowest,
            _ => Priority::Normal,
        }
    }
}
