//! Requests to one mailbox: each with a token, one at a time, and with the pauses that a busy
//! service asks for.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::{Refusal, Trouble, trouble};
use super::{INBOX, Settings, Told};
use crate::auth::{AccessToken, TokenSource};
use crate::clock;
use crate::mailbox::{Error, MailId};
use crate::message::Limits;
use crate::net::http::{
    self, Client, Method, Patience, Request, Response, StatusCode, Uri, header, path_segment,
    request_id, retry_after,
};
use crate::net::{Trace, clean};
use crate::secret::Secret;

/// The part of an address that says which edition of Graph is meant.
const EDITION: &str = "v1.0";

/// No answer needs more than this and twice the text of a mail, which may double on its way.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Makes requests.
pub(super) struct Service {
    client: Client,
    pub(super) tokens: TokenSource,
    /// The address of this edition of Graph.
    root: String,
    /// The path of the mailbox below it, with a slash at either end.
    mailbox: String,
    server: String,
    /// Answers are no larger, unless something else is said.
    largest: u64,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// What it is called in messages.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// Below the mailbox, ready to stand in an address.
    pub(super) path: String,
    /// The mail that it is about, if it is one.
    pub(super) mail: Option<MailId>,
    pub(super) prefer: Prefer,
    pub(super) body: Option<Value>,
}

/// How answers are to be. Ids are to stay the same when a mail is moved, in each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefer {
    /// As they are.
    Usual,
    /// With the body as plain text.
    Text,
    /// Without what is known already.
    Minimal,
}

impl Prefer {
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Usual => r#"IdType="ImmutableId""#,
            Self::Text => r#"IdType="ImmutableId", outlook.body-content-type="text""#,
            Self::Minimal => r#"IdType="ImmutableId", return=minimal"#,
        }
    }
}

impl Ask {
    /// A request for something.
    pub(super) fn get(name: &'static str, path: String) -> Self {
        Self {
            name,
            method: Method::GET,
            path,
            mail: None,
            prefer: Prefer::Usual,
            body: None,
        }
    }

    /// A request for something of a mail, at this place below it.
    pub(super) fn of_mail(name: &'static str, id: &MailId, place: &str) -> Self {
        let mail = path_segment(id.as_str());
        Self {
            mail: Some(id.clone()),
            ..Self::get(name, format!("{INBOX}/messages/{mail}{place}"))
        }
    }

    /// Whether an answer is to be taken as it is once there is no patience left: others can be had.
    pub(super) fn is_to_blame(&self, trouble: Trouble) -> bool {
        self.mail.is_some() && trouble == Trouble::Failure
    }
}

/// An answer that is not waited for any more.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content: Content,
    /// By which the service's support finds the request; may be empty.
    pub(super) request_id: String,
}

/// What an answer holds.
pub(super) enum Content {
    Bytes(Vec<u8>),
    /// A part of a batch.
    Json(Value),
}

impl Content {
    pub(super) fn json<T: DeserializeOwned>(self) -> Result<T, serde_json::Error> {
        match self {
            Self::Bytes(bytes) => serde_json::from_slice(&bytes),
            Self::Json(value) => serde_json::from_value(value),
        }
    }
}

/// A refusal as what stops the work: with the mail that it is about, if there is one.
fn failure(ask: &Ask, refusal: Refusal) -> Error {
    match &ask.mail {
        Some(mail) if refusal.is_about_one_mail() => Error::OneMail {
            mail: mail.clone(),
            cause: Box::new(refusal),
        },
        _ => refusal.into(),
    }
}

/// What an answer says, if it says it in JSON.
fn told_by(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

impl Service {
    pub(super) fn open(settings: &Settings, limits: &Limits, trace: Trace) -> Result<Self, Error> {
        let mailbox = match &settings.mailbox {
            Some(user) => format!("/users/{}/", path_segment(user)),
            None => "/me/".to_owned(),
        };
        let server = settings.endpoint.split('/').nth(2);
        let service = Self {
            client: Client::new(settings.limits, trace),
            tokens: settings.tokens.clone(),
            root: format!("{}/{EDITION}", settings.endpoint),
            mailbox,
            server: clean(server.unwrap_or(&settings.endpoint), 200),
            largest: limits.text.saturating_mul(2).saturating_add(LARGEST),
        };
        service.tokens.get()?;
        Ok(service)
    }

    /// No answer is larger, unless something else was said.
    pub(super) fn largest(&self) -> u64 {
        self.largest
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// The path of the mailbox below the root, for requests within a request.
    pub(super) fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// The pauses that one request may take.
    pub(super) fn patience(&self) -> Patience {
        Patience::of(self.client.limits().answer)
    }

    /// What is asked for, if there is such a thing.
    pub(super) fn ask(&self, ask: &Ask) -> Result<Answer, Error> {
        self.ask_for(ask, self.largest)
    }

    /// The same with an answer of up to so many bytes.
    pub(super) fn ask_for(&self, ask: &Ask, largest: u64) -> Result<Answer, Error> {
        let address = format!("{}{}{}", self.root, self.mailbox, ask.path);
        self.call(ask, &address, largest)
    }

    /// The same at an address beside the mailboxes.
    pub(super) fn ask_beside(&self, ask: &Ask) -> Result<Answer, Error> {
        let address = format!("{}/{}", self.root, ask.path);
        self.call(ask, &address, self.largest)
    }

    /// What is asked for, which has to be there.
    pub(super) fn json<T: DeserializeOwned>(&self, ask: &Ask) -> Result<T, Error> {
        let answer = self.ask(ask)?;
        self.read(ask, answer)
    }

    /// What comes after the first part of an answer, at the address that it gives. No token goes
    /// to another server than the one that was asked.
    pub(super) fn follow<T: DeserializeOwned>(&self, ask: &Ask, link: &str) -> Result<T, Error> {
        let origin = |address: &str| {
            let uri: Uri = address.parse().ok()?;
            let authority = uri.authority()?.as_str().to_ascii_lowercase();
            Some((uri.scheme_str()?.to_owned(), authority))
        };
        if origin(link).is_none_or(|there| Some(there) != origin(&self.root)) {
            let link = clean(link.split('?').next().unwrap_or_default(), 200);
            let what = format!("it goes on at {link}, which is another server");
            return Err(self.protocol(ask.name, &what));
        }
        let answer = self.call(ask, link, self.largest)?;
        self.read(ask, answer)
    }

    pub(super) fn read<T: DeserializeOwned>(&self, ask: &Ask, answer: Answer) -> Result<T, Error> {
        if !answer.status.is_success() {
            return Err(failure(ask, self.refusal(ask, answer)));
        }
        let read = answer.content.json();
        read.map_err(|error| self.malformed(ask.name, &error))
    }

    /// What a request about one mail came to.
    pub(super) fn told(&self, ask: &Ask, answer: Option<Answer>) -> Result<Told, Error> {
        let Some(answer) = answer else {
            return Ok(Told::TooLarge);
        };
        if answer.status.is_success() {
            return Ok(Told::Content(answer.content));
        }
        let refusal = self.refusal(ask, answer);
        if refusal.is_about_a_vanished_mail() {
            Ok(Told::Gone)
        } else if refusal.is_about_one_mail() && !refusal.has_outlasted_patience() {
            Ok(Told::Fault(refusal.to_string()))
        } else {
            Err(failure(ask, refusal))
        }
    }

    /// What an answer says that is none.
    pub(super) fn refusal(&self, ask: &Ask, answer: Answer) -> Refusal {
        Refusal::of(&self.server, ask.name, answer)
    }

    /// An answer that is not what was asked for.
    pub(super) fn protocol(&self, name: &str, what: &str) -> Error {
        Error::Protocol {
            server: self.server.clone(),
            command: name.to_owned(),
            what: what.to_owned(),
        }
    }

    pub(super) fn malformed(&self, name: &str, error: &serde_json::Error) -> Error {
        self.protocol(name, &clean(&error.to_string(), 200))
    }

    /// Makes a request until there is an answer that asks for no patience, or none is left for a
    /// mail. A token that is refused is renewed once.
    fn call(&self, ask: &Ask, address: &str, largest: u64) -> Result<Answer, Error> {
        let mut patience = self.patience();
        let mut token = self.tokens.get()?;
        let mut renewed = false;
        loop {
            let answer = self.once(ask, address, &token, largest)?;
            let status = answer.status();
            if status == StatusCode::UNAUTHORIZED && !renewed {
                token = self.tokens.renew(&token)?;
                renewed = true;
                continue;
            }
            if let Some(trouble) = trouble(status, || told_by(answer.body())) {
                let asked = retry_after(&answer, clock::now());
                if patience.wait(asked) {
                    token = self.tokens.get()?;
                    continue;
                }
                if !ask.is_to_blame(trouble) || patience.was_asked_too_much(asked) {
                    return Err(self.busy(ask.name, status));
                }
            }
            let request_id = answer.headers().get("request-id");
            let request_id = request_id.and_then(|id| id.to_str().ok());
            return Ok(Answer {
                status,
                request_id: request_id.map_or_else(String::new, |id| clean(id, 80)),
                content: Content::Bytes(answer.into_body()),
            });
        }
    }

    fn once(
        &self,
        ask: &Ask,
        address: &str,
        token: &AccessToken,
        largest: u64,
    ) -> Result<Response<Vec<u8>>, Error> {
        let bearer = Secret::new(format!("Bearer {}", token.secret().expose()));
        let unusable = || self.protocol("token", "it holds characters that no request can carry");
        let mut bearer = header::HeaderValue::from_str(bearer.expose()).map_err(|_| unusable())?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(address)
            .header("Prefer", ask.prefer.header())
            .header("client-request-id", request_id())
            .header(header::AUTHORIZATION, bearer);
        let body = match &ask.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                body.to_string()
            }
            None => String::new(),
        };
        let request = request.body(body).map_err(|_| http::Error::BadAddress {
            address: clean(address.split('?').next().unwrap_or_default(), 300),
        })?;
        Ok(self.client.send_for(request, largest)?)
    }

    pub(super) fn busy(&self, name: &str, status: StatusCode) -> Error {
        Error::Busy {
            server: self.server.clone(),
            answer: format!("status {} to {name}", status.as_u16()),
        }
    }
}
