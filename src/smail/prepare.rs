//! From what is asked for to a mail and somebody who delivers it: files are read, secrets too.

use std::path::Path;
use std::time::Duration;

use super::Failure;
use super::body;
use super::exit::Exit;
use super::files::Files;
use super::list::Paths;
use super::request::{self, Hidden, Request, Way};
use super::table::Key;
use super::texts::{Message, Phrase};
use crate::auth::{self, AccessToken, Grant, Names, TokenSource};
use crate::clock;
use crate::net::http::Limits;
use crate::net::{Endpoint, Timeouts, Trace, Trust, clean};
use crate::secret::Secret;
use crate::send::smtp::{self, Pool};
use crate::send::{Address, File, Mail, Service, graph};

/// To reach a server.
const CONNECT: Duration = Duration::from_secs(30);
/// For each of its answers (RFC 5321, section 4.5.3.2 has up to ten minutes for one of them).
const ANSWER: Duration = Duration::from_secs(300);
/// A token is renewed so long before it expires.
const MARGIN: Duration = Duration::from_secs(10);

/// What is about to be sent, and by whom.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) mail: Mail,
    pub(super) service: Service,
    /// Who delivers, as messages name it.
    pub(super) server: String,
    /// Bytes of text and files.
    pub(super) size: usize,
}

impl Prepared {
    /// Whether the log-in is made with a token that the user has brought.
    pub(super) fn by_token(&self) -> bool {
        match &self.service {
            Service::Smtp(settings) => matches!(settings.login, smtp::Login::GivenToken { .. }),
            Service::Ews(_) | Service::Graph(_) => false,
        }
    }
}

/// Reads the files. Nobody has been spoken to when this is done.
pub(super) fn prepare(request: &Request, trace: &Trace) -> Result<Prepared, Failure> {
    let mut files = Files::default();
    let text = files.read(Key::BodyFile, &request.body);
    let mut all = |option, paths: &Paths| -> Vec<File> {
        let paths = paths.meant(|path| Path::new(path).is_file()).iter();
        let each = paths.map(|path| files.attachment(option, path));
        each.collect::<Vec<_>>().into_iter().flatten().collect()
    };
    let attachments = all(Key::Attach, &request.attachments);
    let inline = all(Key::Inline, &request.inline);
    let secret = match &request.way {
        Way::Smtp(smtp) => match &smtp.login {
            request::Login::None => Ok(None),
            request::Login::Password { password, .. } => {
                open(&mut files, Key::SmtpPassword, password)
            }
            request::Login::Token { file, .. } => token(&mut files, file),
        },
        Way::Graph(graph) => open(&mut files, Key::AppSecret, &graph.secret),
    };
    files.all_there()?;
    let secret = secret?;
    check_inline(request, &inline)?;
    let size = text.as_ref().map_or(0, Vec::len)
        + attachments
            .iter()
            .chain(&inline)
            .map(|f| f.bytes.len())
            .sum::<usize>();
    let body = body::body(&request.body, &text.unwrap_or_default(), inline).ok_or_else(|| {
        let file = clean(&request.body, 300);
        Failure::of(Exit::Param, Phrase::WrongNotText.with("file", file))
    })?;
    let mail = Mail {
        from: request.from.clone(),
        to: request.to.clone(),
        cc: request.cc.clone(),
        bcc: request.bcc.clone(),
        served: Vec::new(),
        subject: request.subject.clone(),
        body,
        attachments,
        priority: request.priority,
        read_receipt: request.read_receipt,
        delivery_receipt: request.delivery_receipt,
        answers: None,
        message_id: message_id(&request.from.address)?,
        date: clock::with_offset(clock::now()),
    };
    let (service, server) = service(&request.way, secret, trace);
    Ok(Prepared {
        mail,
        service,
        server,
        size,
    })
}

/// `/INLINE` shows its files within a page, each by its name.
fn check_inline(request: &Request, inline: &[File]) -> Result<(), Failure> {
    if !inline.is_empty() && !body::is_page(&request.body) {
        let file = clean(&request.body, 300);
        let message = Phrase::WrongInlineText.with("file", file);
        return Err(Failure::of(Exit::Param, message));
    }
    let twice = inline.iter().enumerate().find(|(index, file)| {
        let others = inline.iter().take(*index);
        others.into_iter().any(|other| other.name == file.name)
    });
    match twice {
        Some((_, file)) => {
            let name = clean(&file.name, 300);
            let message = Phrase::WrongInlineTwice.with("name", name);
            Err(Failure::of(Exit::Param, message))
        }
        None => Ok(()),
    }
}

fn open(files: &mut Files, option: Key, hidden: &Hidden) -> Result<Option<Secret>, Failure> {
    let path = match hidden {
        Hidden::Here(secret) => return Ok(Some(secret.clone())),
        Hidden::File(path) => path,
    };
    let Some(text) = files.secret(option, path) else {
        return Ok(None);
    };
    match text.expose().lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Some(Secret::new(line.to_owned()))),
        None => {
            let message = Phrase::WrongSecret.with("option", option.shown());
            let message = message.with("file", clean(path, 300));
            Err(Failure::of(Exit::Param, message))
        }
    }
}

/// A token stands alone in its file, or in what a token endpoint has answered (RFC 6749, section
/// 5.1).
fn token(files: &mut Files, path: &str) -> Result<Option<Secret>, Failure> {
    let Some(text) = files.secret(Key::SmtpTokenFile, path) else {
        return Ok(None);
    };
    let text = text.expose().trim();
    let token = if text.starts_with('{') {
        let json: Result<serde_json::Value, _> = serde_json::from_str(text);
        let member = json.ok().and_then(|json| {
            let token = json.get("access_token")?.as_str()?;
            Some(token.trim().to_owned())
        });
        member.unwrap_or_default()
    } else {
        text.to_owned()
    };
    if token.is_empty() || token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let message = Phrase::WrongToken.with("file", clean(path, 300));
        return Err(Failure::of(Exit::Param, message));
    }
    Ok(Some(Secret::new(token)))
}

/// The same for each attempt, so that a mail that comes twice all the same is known by it.
fn message_id(from: &Address) -> Result<String, Failure> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Failure::internal("getrandom"))?;
    let random = data_encoding::HEXLOWER.encode(&random);
    let domain = from.domain();
    let domain = if domain.starts_with('[') {
        "localhost"
    } else {
        domain
    };
    Ok(format!("<{random}@{domain}>"))
}

fn service(way: &Way, secret: Option<Secret>, trace: &Trace) -> (Service, String) {
    // Both ways that need one have it, or have failed before.
    let secret = || secret.clone().unwrap_or_else(|| Secret::new(String::new()));
    match way {
        Way::Smtp(smtp) => {
            let endpoint = Endpoint {
                host: smtp.host.clone(),
                port: smtp.port,
                security: smtp.security,
                floor: smtp.floor,
                trust: Trust::Authorities,
                timeouts: Timeouts {
                    connect: CONNECT,
                    read: ANSWER,
                    write: ANSWER,
                },
            };
            let server = endpoint.server();
            let login = match &smtp.login {
                request::Login::None => smtp::Login::None,
                request::Login::Password {
                    user, mechanisms, ..
                } => smtp::Login::Password {
                    user: user.clone(),
                    password: secret(),
                    mechanisms: mechanisms.to_vec(),
                },
                request::Login::Token { user, .. } => smtp::Login::GivenToken {
                    user: user.clone(),
                    token: AccessToken::given(secret()),
                },
            };
            let pool = Pool {
                size: 1,
                check_idle: Duration::ZERO,
                max_idle: ANSWER,
                token_margin: MARGIN,
            };
            let settings = smtp::Settings {
                endpoint,
                login,
                pool,
            };
            (Service::Smtp(settings), server)
        }
        Way::Graph(graph) => {
            let limits = Limits {
                connect: CONNECT,
                answer: ANSWER,
            };
            let tokens = auth::Settings {
                authority: graph.authority.clone(),
                client_id: graph.application.clone(),
                grant: Grant::ClientCredentials { secret: secret() },
                scope: graph.scope.clone(),
                margin: MARGIN,
                limits,
                // Messages are told in words of this room.
                names: Names::SmtpClient,
            };
            let server = graph.root.split('/').nth(2).unwrap_or_default().to_owned();
            let settings = graph::Settings {
                root: graph.root.clone(),
                user: graph.sender.as_str().to_owned(),
                access: graph::Access::Application,
                delegate: true,
                tokens: TokenSource::new(tokens, trace.clone()),
                limits,
            };
            (Service::Graph(settings), server)
        }
    }
}

/// Who gets the mail, for people.
pub(super) fn recipients(mail: &Mail) -> String {
    let people = [&mail.to, &mail.cc, &mail.bcc].into_iter().flatten();
    let addresses: Vec<_> = people.map(|person| person.address.as_str()).collect();
    addresses.join(", ")
}

/// What the log says of it before anything is sent.
pub(super) fn route(prepared: &Prepared) -> Message {
    Phrase::TellRoute
        .with("from", prepared.mail.from.address.as_str())
        .with("recipients", recipients(&prepared.mail))
        .with("size", prepared.size)
}
