//! Delivery by Microsoft Graph (learn.microsoft.com/graph/api/user-sendmail).
//!
//! A mail goes out in one request, as the MIME text that SMTP would carry. Where that can't say
//! what is meant (on whose behalf, a delivery receipt), it is told in JSON. What is too large for
//! one request becomes a draft, gets its files one by one, and is sent then.

mod draft;
mod message;

use std::borrow::Cow;

use data_encoding::BASE64;
use serde::Serialize;
use serde_json::Value;

use super::web::{Call, Caller, Error, Login, Purpose, delivered};
use super::{Address, Delivery, Form, Mail, Person};
use crate::auth::TokenSource;
use crate::net::http::{
    Limits, Method, Patience, Response, StatusCode, Uri, path_segment, request_id,
};
use crate::net::{Trace, clean};

/// A request with more bytes goes by a draft: 4 MB is the service's limit for everything in it.
const LARGEST_REQUEST: usize = 3_500_000;
/// The part of an address that says which edition of Graph is meant.
const EDITION: &str = "v1.0";

/// Where mails are handed over, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of Graph, as [`root`] gives it.
    pub root: String,
    /// The mailbox that sends (`user`).
    pub user: String,
    /// Who the token stands for.
    pub access: Access,
    /// Mails from other senders go out on their behalf (`allow-delegate`); without it they go out
    /// from the mailbox itself.
    pub delegate: bool,
    /// Gives the tokens.
    pub tokens: TokenSource,
    /// Time limits of a request.
    pub limits: Limits,
}

/// Who a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The user who signed in (password grant).
    Delegated,
    /// The application itself (client credentials).
    Application,
}

/// Settings that lead to no Graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scope={scope} is not one of Graph: set scope to https://graph.microsoft.com/.default")]
pub struct NoGraph {
    /// The setting.
    pub scope: String,
}

/// The address of Graph: that of `server` where it is one, else the host that `scope` is for, as
/// each national cloud has its own (`https://graph.microsoft.us/.default`).
///
/// # Errors
/// The scope is for something else.
pub fn root(server: &str, scope: &str) -> Result<String, NoGraph> {
    let address = |text: &str| {
        let uri: Uri = text.trim().parse().ok()?;
        let scheme = uri
            .scheme_str()
            .filter(|s| matches!(*s, "http" | "https"))?;
        Some((format!("{scheme}://{}", uri.authority()?), uri.clone()))
    };
    if let Some((host, uri)) = address(server) {
        let path = uri.path().trim_end_matches('/');
        return Ok(match path {
            "" => format!("{host}/{EDITION}"),
            path => format!("{host}{path}"),
        });
    }
    let found = scope.split_whitespace().find_map(address);
    match found {
        Some((host, _)) if !host.to_ascii_lowercase().contains("//outlook.office") => {
            Ok(format!("{host}/{EDITION}"))
        }
        _ => Err(NoGraph {
            scope: clean(scope, 200),
        }),
    }
}

/// Sends mails by Graph.
#[derive(Debug)]
pub struct Graph {
    settings: Settings,
    caller: Caller,
    trace: Trace,
}

impl Graph {
    /// Nothing is asked before the first mail.
    #[must_use]
    pub fn new(settings: Settings, trace: Trace) -> Self {
        let login = Login::Token(settings.tokens.clone());
        Self {
            caller: Caller::new(&settings.root, login, settings.limits, trace.clone()),
            settings,
            trace,
        }
    }

    /// Has a token given, where one is needed.
    ///
    /// # Errors
    /// There is none, so no mail could be sent either.
    pub fn check(&self) -> Result<super::Checked, Error> {
        self.caller.check()
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// The service does not take it, or can't be asked.
    pub fn send(&self, mail: &Mail) -> Result<Delivery, super::Error> {
        let from = (self.settings.delegate && !self.is_own(mail)).then_some(&mail.from);
        let mut patience = self.caller.patience();
        match self.request_for(mail, from)? {
            Some((kind, body)) => self.send_at_once(kind, &body, &mut patience)?,
            None => self.send_by_draft(mail, from, &mut patience)?,
        }
        Ok(delivered(mail))
    }

    /// The mail in one request, media type and body; `None` if it is too large for that.
    fn request_for(
        &self,
        mail: &Mail,
        from: Option<&Person>,
    ) -> Result<Option<(&'static str, Vec<u8>)>, super::Error> {
        let sizes = message::attachments(mail).map(|attachment| attachment.file.bytes.len());
        if sizes.sum::<usize>() > LARGEST_REQUEST {
            return Ok(None);
        }
        let says_all = from.is_none() && !mail.delivery_receipt;
        let mime = says_all.then(|| self.in_own_name(mail)).flatten();
        let (kind, body) = if let Some(mail) = mime {
            let form = Form {
                bcc: true,
                receipt_header: false,
            };
            let coded = BASE64.encode(&mail.compose(form)?);
            ("text/plain", coded.into_bytes())
        } else {
            let body = message::SendMail {
                message: message::Message::with_files(mail, from),
                save_to_sent_items: true,
            };
            ("application/json", self.written(&body)?)
        };
        Ok((body.len() <= LARGEST_REQUEST).then_some((kind, body)))
    }

    fn is_own(&self, mail: &Mail) -> bool {
        let from = mail.from.address.as_str();
        from.eq_ignore_ascii_case(&self.settings.user)
    }

    /// The mail from the mailbox itself; `None` where that is known by its ID alone, so that no
    /// header can name it.
    fn in_own_name<'a>(&self, mail: &'a Mail) -> Option<Cow<'a, Mail>> {
        if self.is_own(mail) {
            return Some(Cow::Borrowed(mail));
        }
        let from = Person {
            name: mail.from.name.clone(),
            address: Address::parse(&self.settings.user).ok()?,
        };
        Some(Cow::Owned(Mail {
            from,
            ..mail.clone()
        }))
    }

    fn send_at_once(&self, kind: &str, body: &[u8], patience: &mut Patience) -> Result<(), Error> {
        let answer = self.call(
            Request {
                method: Method::POST,
                path: "sendMail",
                content: Some((kind, body)),
                purpose: Purpose::Sends,
            },
            patience,
        )?;
        self.accepted(&answer, StatusCode::ACCEPTED, Purpose::Sends)
    }

    fn send_by_draft(
        &self,
        mail: &Mail,
        from: Option<&Person>,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        let draft = self.create_draft(mail, from, patience)?;
        let sent = self
            .attach_all(&draft, mail, patience)
            .and_then(|()| self.send_draft(&draft, patience));
        match &sent {
            Err(error) if error.may_have_arrived() => self.trace.line(|| {
                "the draft stays, as it may have been sent: see the folders Drafts and Sent Items"
                    .into()
            }),
            Err(_) => self.delete_draft(&draft),
            Ok(()) => {}
        }
        sent
    }

    /// A request below the mailbox's address.
    fn call(
        &self,
        request: Request<'_>,
        patience: &mut Patience,
    ) -> Result<Response<Vec<u8>>, Error> {
        let Request {
            method,
            path,
            content,
            purpose,
        } = request;
        let root = &self.settings.root;
        let address = match self.settings.access {
            Access::Delegated => format!("{root}/me/{path}"),
            Access::Application => {
                format!("{root}/users/{}/{path}", path_segment(&self.settings.user))
            }
        };
        let mut headers = vec![("client-request-id", request_id())];
        if let Some((kind, _)) = content {
            headers.push(("Content-Type", kind.to_owned()));
        }
        let call = Call {
            method,
            address: &address,
            headers,
            body: content.map_or(&[], |(_, body)| body),
            purpose,
        };
        self.caller.call(&call, patience)
    }

    fn written(&self, content: &impl Serialize) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(content)
            .map_err(|error| self.caller.malformed(&error.to_string(), Purpose::Prepares))
    }

    /// The answer has the status that stands for success.
    fn accepted(
        &self,
        answer: &Response<Vec<u8>>,
        expected: StatusCode,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let status = answer.status();
        if status == expected {
            return Ok(());
        }
        if status.is_success() {
            return Err(self.caller.malformed(
                &format!(
                    "status {} instead of {}",
                    status.as_u16(),
                    expected.as_u16()
                ),
                purpose,
            ));
        }
        let told: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        let text = |pointer| {
            told.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (code, message) = (text("/error/code"), text("/error/message"));
        Err(self.caller.refusal(answer, code, message, purpose).into())
    }
}

/// A request below the mailbox's address.
struct Request<'a> {
    method: Method,
    path: &'a str,
    /// Its media type and its bytes.
    content: Option<(&'a str, &'a [u8])>,
    purpose: Purpose,
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn the_scope_names_the_cloud_and_server_wins() {
        let of = |server, scope| root(server, scope).unwrap();
        let default = "https://graph.microsoft.com/.default";
        assert_eq!(of("", default), "https://graph.microsoft.com/v1.0");
        assert_eq!(
            of("", "offline_access https://dod-graph.microsoft.us/.default"),
            "https://dod-graph.microsoft.us/v1.0"
        );
        assert_eq!(
            of("smtp.example.com", default),
            "https://graph.microsoft.com/v1.0"
        );
        assert_eq!(
            of("http://localhost:1/", default),
            "http://localhost:1/v1.0"
        );
        assert_eq!(
            of("https://gate.example/graph/v1.0/", ""),
            "https://gate.example/graph/v1.0"
        );
        for wrong in [
            "",
            "Mail.Send",
            "https://outlook.office.com/.default",
            "https://outlook.office365.com/x",
        ] {
            assert!(root("", wrong).is_err(), "{wrong}");
        }
    }
}
