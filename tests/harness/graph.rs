//! A stand-in for Microsoft Graph, of which no server exists to run: one mailbox with its folders.
//!
//! Each request and each answer of its own is judged by Microsoft's description of the service
//! ([`Judge`]); a test in whose course either was wrong fails. Tokens are checked with the
//! identity provider, as the service does.

mod batch;
pub mod inbox;
mod outbox;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use self::inbox::Inbox;
use self::outbox::{bytes_of, stored};
use super::idp::{self, IdentityProvider, USER};
use super::judge::{Exchange, Judge};
use super::site::{self, Asked, Reply};

/// The service takes no larger request.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;
/// The service takes no smaller file by an upload.
const SMALLEST_UPLOAD: u64 = 3_000_000;
/// The end of every id: characters that a path has to encode.
const ID_END: &str = "AAA/b+c=";

/// A running stand-in; it serves until the test program ends.
pub struct Graph {
    port: u16,
    state: Arc<Mutex<State>>,
}

/// What happens when a request has come.
type Event = Box<dyn FnOnce(&mut Inbox) + Send>;

#[derive(Default)]
struct State {
    port: u16,
    inbox: Inbox,
    /// What happens after so many requests.
    events: Vec<(usize, Event)>,
    /// Tokens that were good once.
    revoked: BTreeSet<String>,
    /// What the identity provider said of tokens.
    tokens: BTreeMap<String, Value>,
    /// Tokens are revoked after so many requests.
    revokes_after: Option<usize>,
    identity_provider: u16,
    folders: BTreeMap<&'static str, Vec<Message>>,
    uploads: BTreeMap<String, Upload>,
    may_send_as: Vec<String>,
    script: Vec<(&'static str, Fault)>,
    exchanges: Vec<String>,
    /// Requests so far, without the parts of batches.
    turns: usize,
    violations: Vec<String>,
    judged: Judged,
    ids: usize,
}

/// How much was held against the description, parts of batches by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Requests.
    pub requests: usize,
    /// Answers to them.
    pub answers: usize,
}

/// A mail in a folder.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The resource that was sent; null for a mail that came as MIME.
    pub resource: Value,
    /// The text that was sent; empty for a mail that came as a resource.
    pub mime: Vec<u8>,
    /// Its files, those of a resource.
    pub files: Vec<StoredFile>,
}

/// A file of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// The name by which the page shows it.
    pub content_id: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// It came in this many pieces; none if it came in a request of its own.
    pub pieces: usize,
}

struct Upload {
    message: String,
    item: Value,
    bytes: Vec<u8>,
    pieces: usize,
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The service refuses with this status and code, and these headers.
    Refuse(u16, &'static str, Vec<(&'static str, String)>),
    /// The service refuses, and quotes the credentials in its words.
    Quote,
    /// Something before the service answers with this status.
    Gateway(u16),
    /// The connection closes before the service has done anything.
    HangUp,
    /// The service does what was asked; the answer is lost.
    LoseAnswer,
    /// The service answers with this body.
    Say(u16, Value),
}

impl Graph {
    /// Starts one that trusts this identity provider.
    pub fn start(identity_provider: &IdentityProvider) -> Self {
        let state = Arc::new(Mutex::new(State {
            identity_provider: identity_provider.port,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let port = site::serve(move |asked| shared.lock().unwrap().answer(asked));
        {
            let mut state = state.lock().unwrap();
            state.port = port;
            state.inbox.port = port;
        }
        Self { port, state }
    }

    /// The scope that stands for it.
    pub fn scope(&self) -> String {
        format!("http://localhost:{}/.default", self.port)
    }

    /// Lets the mailbox's owner send as somebody else.
    pub fn allow_sending_as(&self, address: &str) {
        self.state.lock().unwrap().may_send_as.push(address.into());
    }

    /// The next request to this operation fails; several are taken in order. The operation is
    /// the last segment of the path: `sendMail`, `messages`, `attachments`,
    /// `createUploadSession`, `upload`, `send`; `message` for one mail.
    pub fn fail(&self, operation: &'static str, fault: Fault) {
        self.state.lock().unwrap().script.push((operation, fault));
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Looks at the Inbox, or does something with it.
    pub fn inbox<T>(&self, act: impl FnOnce(&mut Inbox) -> T) -> T {
        act(&mut self.state.lock().unwrap().inbox)
    }

    /// Does something when so many more requests have been answered.
    pub fn after(&self, requests: usize, act: impl FnOnce(&mut Inbox) + Send + 'static) {
        let mut state = self.state.lock().unwrap();
        let at = state.turns + requests;
        state.events.push((at, Box::new(act)));
    }

    /// After so many more requests no token is good that was until then.
    pub fn revoke_tokens_after(&self, requests: usize) {
        let mut state = self.state.lock().unwrap();
        state.revokes_after = Some(state.turns + requests);
    }

    /// Lists have no mails and no end.
    pub fn endless(&self, endless: bool) {
        self.inbox(|inbox| inbox.endless = endless);
    }

    /// What was asked since the last time, without the parts of batches.
    pub fn turns(&self) -> Vec<String> {
        let mut state = self.state.lock().unwrap();
        let exchanges = std::mem::take(&mut state.exchanges);
        exchanges
            .into_iter()
            .filter(|line| !line.starts_with(' '))
            .collect()
    }

    /// What went out.
    pub fn sent(&self) -> Vec<Message> {
        self.folder("sentitems")
    }

    /// What is in a folder.
    pub fn folder(&self, name: &'static str) -> Vec<Message> {
        let state = self.state.lock().unwrap();
        state.folders.get(name).cloned().unwrap_or_default()
    }

    /// What was judged so far, and found to be right.
    pub fn judged(&self) -> Judged {
        let state = self.state.lock().unwrap();
        assert_eq!(state.violations, [""; 0], "against the description");
        state.judged
    }

    /// What was asked so far: operation and status (0 for none).
    pub fn exchanges(&self) -> Vec<String> {
        self.state.lock().unwrap().exchanges.clone()
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let violations = self.state.lock().unwrap().violations.clone();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "against the description:\n{}",
                violations.join("\n")
            );
        }
    }
}

impl Message {
    /// Its text as a mail program reads it.
    pub fn parsed(&self) -> mailparse::ParsedMail<'_> {
        mailparse::parse_mail(&self.mime).unwrap()
    }
}

impl State {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let reply = self.answer_one(asked, "");
        self.turns += 1;
        let turns = self.turns;
        let (due, later) = std::mem::take(&mut self.events)
            .into_iter()
            .partition(|(at, _)| *at <= turns);
        self.events = later;
        let due: Vec<(usize, Event)> = due;
        due.into_iter()
            .for_each(|(_, event)| event(&mut self.inbox));
        if self.revokes_after.is_some_and(|at| at <= turns) {
            self.revokes_after = None;
            self.revoked.extend(self.tokens.keys().cloned());
        }
        for violation in self.inbox.violations() {
            self.violation("inbox", &violation);
        }
        reply
    }

    /// Judges, answers and writes down one request, or a part of one.
    fn answer_one(&mut self, asked: &Asked, indent: &str) -> Reply {
        let path: Vec<_> = asked.path.iter().map(String::as_str).collect();
        let is_upload = path.first() == Some(&"upload");
        let operation = match path.as_slice() {
            ["upload", ..] => "upload",
            [.., "messages", _] => "message",
            [.., "mailFolders", _] => "mailFolder",
            [.., last] => last,
            [] => "",
        };
        let judged = Exchange {
            method: &asked.method,
            path: path.iter().skip(1).copied().collect(),
            query: asked
                .query
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect(),
            headers: asked
                .headers
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect(),
            content_type: asked.headers.get("content-type").map(String::as_str),
            body: &asked.body,
        };
        // The description leaves batches out; their parts are judged.
        let is_judged = !is_upload && operation != "$batch";
        self.judged.requests += usize::from(is_judged);
        if is_judged && let Err(error) = Judge::of_mail().request(&judged) {
            self.violation(&format!("request {} {operation}", asked.method), &error);
        }
        let scripted = self.script.iter().position(|(of, _)| *of == operation);
        let fault = scripted.map(|place| self.script.remove(place).1);
        let reply = match &fault {
            Some(Fault::HangUp) => Reply::HangUp,
            Some(Fault::Gateway(status)) => Reply::Answer {
                status: *status,
                headers: vec![("Content-Type", "text/html".into())],
                body: b"<html>Bad gateway</html>".to_vec(),
            },
            Some(Fault::Refuse(status, code, headers)) => refused(*status, code, headers.clone()),
            Some(Fault::Quote) => {
                let quoted = &asked.headers["authorization"];
                refused_with(403, "ErrorNew", &format!("Who is {quoted}?"), vec![])
            }
            Some(Fault::Say(status, body)) => Reply::json(*status, body),
            Some(Fault::LoseAnswer) | None if is_upload => self.take_piece(asked),
            Some(Fault::LoseAnswer) | None => self.act(asked, &path),
        };
        let status = match &reply {
            Reply::Answer { status, .. } => *status,
            Reply::HangUp => 0,
        };
        if let (
            Reply::Answer { headers, body, .. },
            true,
            None | Some(Fault::Refuse(..) | Fault::Quote | Fault::LoseAnswer),
        ) = (&reply, is_judged, &fault)
        {
            let content_type = headers.iter().find(|(name, _)| *name == "Content-Type");
            let judged = Exchange {
                content_type: content_type.map(|(_, value)| value.as_str()),
                body,
                ..judged
            };
            self.judged.answers += 1;
            if let Err(error) = Judge::of_mail().answer(&judged, status) {
                self.violation(&format!("answer {status} to {operation}"), &error);
            }
        }
        let lost = matches!(fault, Some(Fault::LoseAnswer));
        let seen = if lost { 0 } else { status };
        self.exchanges
            .push(format!("{indent}{} {operation} {seen}", asked.method));
        if lost { Reply::HangUp } else { reply }
    }

    fn violation(&mut self, of: &str, error: &str) {
        self.violations.push(format!("{of}: {error}"));
    }

    fn act(&mut self, asked: &Asked, path: &[&str]) -> Reply {
        if asked.body.len() > LARGEST_REQUEST {
            return refused(413, "RequestEntityTooLarge", vec![]);
        }
        let below = match (self.caller(asked), path) {
            (None, _) => return refused(401, "InvalidAuthenticationToken", vec![]),
            (Some(_), ["v1.0", "$batch"]) => return self.batch(asked),
            (Some(Caller::User), ["v1.0", "me", below @ ..]) => below,
            (Some(_), ["v1.0", "users", USER, below @ ..]) => below,
            (Some(Caller::Application), ["v1.0", "me", ..]) => {
                return refused(400, "BadRequest", vec![]);
            }
            (Some(_), ["v1.0", "users", ..]) => return refused(404, "ErrorInvalidUser", vec![]),
            _ => return refused(404, "ResourceNotFound", vec![]),
        };
        if let Some(reply) = self.inbox.act(asked, below) {
            return reply;
        }
        match (asked.method.as_str(), below) {
            ("POST", ["sendMail"]) => self.send_mail(asked),
            ("POST", ["messages"]) => {
                let message = Message {
                    resource: serde_json::from_slice(&asked.body).unwrap(),
                    ..self.new_message()
                };
                let made = json!({ "id": message.id, "isDraft": true });
                self.folders.entry("drafts").or_default().push(message);
                Reply::json(201, &made)
            }
            ("POST", ["messages", id, "attachments"]) => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                let file = stored(&body, &bytes_of(&body), 0);
                self.attach(id, file)
            }
            ("POST", ["messages", id, "attachments", "createUploadSession"]) => {
                self.begin_upload(id, asked)
            }
            ("POST", ["messages", id, "send"]) => {
                let drafts = self.folders.entry("drafts").or_default();
                let Some(place) = drafts.iter().position(|draft| draft.id == *id) else {
                    return refused(404, "ErrorItemNotFound", vec![]);
                };
                let message = drafts.remove(place);
                self.send(message)
            }
            ("DELETE", ["messages", id]) => {
                let drafts = self.folders.entry("drafts").or_default();
                let before = drafts.len();
                drafts.retain(|draft| draft.id != *id);
                if drafts.len() == before {
                    return refused(404, "ErrorItemNotFound", vec![]);
                }
                Reply::empty(204)
            }
            _ => refused(400, "BadRequest", vec![]),
        }
    }

    /// Whom the token stands for, if it is one and for this service.
    fn caller(&mut self, asked: &Asked) -> Option<Caller> {
        let token = asked
            .headers
            .get("authorization")?
            .strip_prefix("Bearer ")?;
        let told = self.introspect(token)?;
        if told["aud"] != format!("http://localhost:{}", self.port) {
            return None;
        }
        let is_user = told["sub"] == told["username"];
        Some(if is_user {
            Caller::User
        } else {
            Caller::Application
        })
    }

    fn introspect(&mut self, token: &str) -> Option<Value> {
        if self.revoked.contains(token) {
            return None;
        }
        let now = smartemail::clock::now().timestamp();
        let is_good = |told: &&Value| told["exp"].as_i64().is_some_and(|expiry| now < expiry);
        if let Some(told) = self.tokens.get(token).filter(is_good) {
            return Some(told.clone());
        }
        let told = idp::introspect(self.identity_provider, token)?;
        self.tokens.insert(token.to_owned(), told.clone());
        Some(told)
    }
}

enum Caller {
    User,
    Application,
}

fn refused(status: u16, code: &str, headers: Vec<(&'static str, String)>) -> Reply {
    refused_with(status, code, &format!("The service says {code}."), headers)
}

fn refused_with(
    status: u16,
    code: &str,
    message: &str,
    mut headers: Vec<(&'static str, String)>,
) -> Reply {
    let id = "24e7991e-01ae-4cc2-8e06-532a96fd8948";
    let error = json!({
        "code": code, "message": message,
        "innerError": { "date": "2026-11-21T18:53:25", "request-id": id },
    });
    headers.push(("Content-Type", "application/json".into()));
    headers.push(("request-id", id.into()));
    Reply::Answer {
        status,
        headers,
        body: json!({ "error": error }).to_string().into_bytes(),
    }
}
