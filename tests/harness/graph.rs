//! A stand-in for Microsoft Graph, of which no server exists to run: one mailbox with its folders.
//!
//! Each request and each answer of its own is judged by Microsoft's description of the service
//! ([`Judge`]); a test in whose course either was wrong fails. Tokens are checked with the
//! identity provider, as the service does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use mailparse::MailHeaderMap;
use serde_json::{Value, json};

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

#[derive(Default)]
struct State {
    port: u16,
    identity_provider: u16,
    folders: BTreeMap<&'static str, Vec<Message>>,
    uploads: BTreeMap<String, Upload>,
    may_send_as: Vec<String>,
    script: Vec<(&'static str, Fault)>,
    exchanges: Vec<String>,
    violations: Vec<String>,
    ids: usize,
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
        state.lock().unwrap().port = port;
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

    /// What went out.
    pub fn sent(&self) -> Vec<Message> {
        self.folder("sentitems")
    }

    /// What is in a folder.
    pub fn folder(&self, name: &'static str) -> Vec<Message> {
        let state = self.state.lock().unwrap();
        state.folders.get(name).cloned().unwrap_or_default()
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
        let path: Vec<_> = asked.path.iter().map(String::as_str).collect();
        let is_upload = path.first() == Some(&"upload");
        let operation = match path.as_slice() {
            ["upload", ..] => "upload",
            [.., "messages", _] => "message",
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
        if !is_upload && let Err(error) = Judge::of_mail().request(&judged) {
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
            false,
            None | Some(Fault::Refuse(..) | Fault::Quote | Fault::LoseAnswer),
        ) = (&reply, is_upload, &fault)
        {
            let content_type = headers.iter().find(|(name, _)| *name == "Content-Type");
            let judged = Exchange {
                content_type: content_type.map(|(_, value)| value.as_str()),
                body,
                ..judged
            };
            if let Err(error) = Judge::of_mail().answer(&judged, status) {
                self.violation(&format!("answer {status} to {operation}"), &error);
            }
        }
        let lost = matches!(fault, Some(Fault::LoseAnswer));
        let seen = if lost { 0 } else { status };
        self.exchanges
            .push(format!("{} {operation} {seen}", asked.method));
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
            (Some(Caller::User), ["v1.0", "me", below @ ..]) => below,
            (Some(_), ["v1.0", "users", USER, below @ ..]) => below,
            (Some(Caller::Application), ["v1.0", "me", ..]) => {
                return refused(400, "BadRequest", vec![]);
            }
            (Some(_), ["v1.0", "users", ..]) => return refused(404, "ErrorInvalidUser", vec![]),
            _ => return refused(404, "ResourceNotFound", vec![]),
        };
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
    fn caller(&self, asked: &Asked) -> Option<Caller> {
        let token = asked
            .headers
            .get("authorization")?
            .strip_prefix("Bearer ")?;
        let told = idp::introspect(self.identity_provider, token)?;
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

    fn new_message(&mut self) -> Message {
        self.ids += 1;
        Message {
            id: format!("M{}{ID_END}", self.ids),
            ..Message::default()
        }
    }

    fn send_mail(&mut self, asked: &Asked) -> Reply {
        let mut message = self.new_message();
        if asked.headers["content-type"] == "text/plain" {
            let Ok(mime) = BASE64.decode(&asked.body) else {
                return refused(400, "ErrorMimeContentInvalidBase64String", vec![]);
            };
            message.mime = mime;
        } else {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            message.resource = body["message"].clone();
            let files = body["message"]["attachments"].as_array();
            message.files = files
                .into_iter()
                .flatten()
                .map(|f| stored(f, &bytes_of(f), 0))
                .collect();
        }
        self.send(message)
    }

    /// Checks what the service does before it sends a mail.
    fn send(&mut self, message: Message) -> Reply {
        let (from, recipients) = if message.mime.is_empty() {
            let address = |person: &Value| {
                person["emailAddress"]["address"]
                    .as_str()
                    .map(str::to_owned)
            };
            let from = address(&message.resource["from"]);
            let of = |field: &str| {
                message.resource[field]
                    .as_array()
                    .cloned()
                    .unwrap_or_default()
            };
            let all = [of("toRecipients"), of("ccRecipients"), of("bccRecipients")].concat();
            (from, all.iter().filter_map(address).count())
        } else {
            let parsed = message.parsed();
            let of = |field: &str| {
                let header = parsed.headers.get_first_header(field)?;
                mailparse::addrparse_header(header)
                    .ok()?
                    .extract_single_info()
            };
            let count = ["To", "Cc", "Bcc"]
                .iter()
                .filter(|field| parsed.headers.get_first_header(field).is_some());
            (of("From").map(|from| from.addr), count.count())
        };
        if recipients == 0 {
            return refused(400, "ErrorInvalidRecipients", vec![]);
        }
        let from = from.unwrap_or_else(|| USER.into());
        if from != USER && !self.may_send_as.contains(&from) {
            return refused(403, "ErrorSendAsDenied", vec![]);
        }
        self.folders.entry("sentitems").or_default().push(message);
        Reply::empty(202)
    }

    fn attach(&mut self, id: &str, file: StoredFile) -> Reply {
        let drafts = self.folders.entry("drafts").or_default();
        let Some(draft) = drafts.iter_mut().find(|draft| draft.id == id) else {
            return refused(404, "ErrorItemNotFound", vec![]);
        };
        let made = json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "id": format!("A{}", draft.files.len()),
            "name": file.name, "size": file.bytes.len(),
        });
        draft.files.push(file);
        Reply::json(201, &made)
    }

    fn begin_upload(&mut self, id: &str, asked: &Asked) -> Reply {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let item = body["AttachmentItem"].clone();
        if item["size"].as_u64().unwrap() < SMALLEST_UPLOAD {
            return refused(
                400,
                "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
                vec![],
            );
        }
        let name = format!("u{}", self.uploads.len());
        let upload = Upload {
            message: id.into(),
            item,
            bytes: Vec::new(),
            pieces: 0,
        };
        self.uploads.insert(name.clone(), upload);
        let address = format!(
            "http://127.0.0.1:{}/upload/{name}?authtoken=up-s3cret",
            self.port
        );
        Reply::json(
            201,
            &json!({
                "uploadUrl": address, "expirationDateTime": "2026-11-22T00:00:00Z", "nextExpectedRanges": ["0-"],
            }),
        )
    }

    /// Not in the description: the address of an upload has its permission in itself.
    fn take_piece(&mut self, asked: &Asked) -> Reply {
        let name = asked.path.get(1).cloned().unwrap_or_default();
        if asked.headers.contains_key("authorization") {
            self.violation("upload", "a token was sent to the address of an upload");
        }
        if asked.query != [("authtoken".to_owned(), "up-s3cret".to_owned())] {
            self.violation("upload", "the address was changed");
        }
        let Some(upload) = self.uploads.get_mut(&name) else {
            return refused(404, "ErrorItemNotFound", vec![]);
        };
        let (start, size) = (upload.bytes.len(), upload.item["size"].as_u64().unwrap());
        let end = start + asked.body.len();
        let expected = format!("bytes {start}-{}/{size}", end - 1);
        let range = asked
            .headers
            .get("content-range")
            .cloned()
            .unwrap_or_default();
        if range != expected || asked.body.len() >= LARGEST_REQUEST {
            self.violation("upload", &format!("{range} instead of {expected}"));
            return refused(416, "InvalidRange", vec![]);
        }
        upload.bytes.extend_from_slice(&asked.body);
        upload.pieces += 1;
        if end as u64 != size {
            return Reply::json(
                200,
                &json!({ "ExpirationDateTime": "2026-11-22T00:00:00Z", "nextExpectedRanges": [end.to_string()] }),
            );
        }
        let upload = self.uploads.remove(&name).unwrap();
        let file = stored(&upload.item, &upload.bytes, upload.pieces);
        match self.attach(&upload.message, file) {
            Reply::Answer { status: 201, .. } => Reply::Answer {
                status: 201,
                headers: vec![(
                    "Location",
                    "https://outlook.example/Attachments('A1')".into(),
                )],
                body: Vec::new(),
            },
            other => other,
        }
    }
}

enum Caller {
    User,
    Application,
}

fn bytes_of(attachment: &Value) -> Vec<u8> {
    let coded = attachment["contentBytes"].as_str().unwrap();
    BASE64.decode(coded.as_bytes()).unwrap()
}

fn stored(file: &Value, bytes: &[u8], pieces: usize) -> StoredFile {
    let text = |name: &str| file[name].as_str().map(str::to_owned);
    assert_eq!(file["isInline"] == true, text("contentId").is_some());
    StoredFile {
        name: text("name").unwrap(),
        content_id: text("contentId"),
        bytes: bytes.to_vec(),
        pieces,
    }
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
