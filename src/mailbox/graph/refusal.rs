//! What Graph refuses, by its codes (learn.microsoft.com/graph/errors), and what to do about it.

use serde_json::Value;

use super::service::Answer;
use crate::net::clean;
use crate::net::http::StatusCode;

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{server} refused {what} ({code}{}): {advice}{}",
    told(message),
    traced(request_id)
)]
pub struct Refusal {
    /// Host and port.
    pub server: String,
    /// What was asked for.
    pub what: &'static str,
    /// The service's name of the error, or the answer's status.
    pub code: String,
    /// The service's own words, cleaned.
    pub message: String,
    /// By which the service's support finds the request; may be empty.
    pub request_id: String,
    /// What to do about it.
    pub advice: &'static str,
    scope: Scope,
    transient: bool,
    trouble: Option<Trouble>,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Whatever is asked for next would be refused too.
    Mailbox,
    /// The mail is not there any more.
    Vanished,
    /// This one mail.
    Mail,
}

use Scope::{Mail, Mailbox, Vanished};

fn told(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!("; {message}")
    }
}

fn traced(request_id: &str) -> String {
    if request_id.is_empty() {
        String::new()
    } else {
        format!(" (request-id {request_id})")
    }
}

const NO_MAILBOX: &str = "there is no such mailbox in Exchange Online, or it has no licence: check [Mail] User, or sign in with the \
                          account whose mailbox it is";
const NO_RIGHT: &str = "the application or the account may not do this: grant the application Mail.ReadWrite in Microsoft Entra \
                        (for somebody else's mailbox Mail.ReadWrite.Shared too, and the account full access to it), then sign \
                        in again";

const CODES: &[(&str, Scope, &str)] = &[
    ("ErrorItemNotFound", Vanished, "the mail is gone"),
    (
        "InvalidAuthenticationToken",
        Mailbox,
        "the token is not taken here: check [MSAL] Tenant, Scopes and GraphEndpoint, or sign in again",
    ),
    ("ErrorAccessDenied", Mailbox, NO_RIGHT),
    ("Authorization_RequestDenied", Mailbox, NO_RIGHT),
    ("MailboxNotEnabledForRESTAPI", Mailbox, NO_MAILBOX),
    ("ResourceNotFound", Mailbox, NO_MAILBOX),
    ("Request_ResourceNotFound", Mailbox, NO_MAILBOX),
    ("ErrorInvalidUser", Mailbox, NO_MAILBOX),
    ("ErrorNonExistentMailbox", Mailbox, NO_MAILBOX),
];

/// Why an answer asks for patience: the same request may do a little later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The service has no time, whatever is asked for.
    Overload,
    /// A server behind it failed over this request. If that goes on and lists can be had, it is the
    /// mail that was asked for: an item that is damaged makes the same answers.
    Failure,
}

/// Statuses: 429 and 503 (learn.microsoft.com/graph/throttling), and 509 for too much traffic.
const OVERLOAD: [u16; 3] = [429, 503, 509];
/// The same by a code, whatever the status (learn.microsoft.com/exchange/client-developer/
/// web-service-reference/responsecode).
const OVERLOAD_CODE: &str = "ErrorServerBusy";
/// Of a gateway.
const FAILURE: [u16; 2] = [502, 504];
const FAILURE_CODES: [&str; 2] = [
    "ErrorInternalServerTransientError",
    "ErrorMailboxStoreUnavailable",
];

/// Whether an answer asks for patience, and why. Its body is looked at where the status leaves it
/// open.
pub(super) fn trouble(status: StatusCode, told: impl FnOnce() -> Value) -> Option<Trouble> {
    if status.is_success() {
        return None;
    }
    if OVERLOAD.contains(&status.as_u16()) {
        return Some(Trouble::Overload);
    }
    let told = told();
    let code = code_of(&told);
    if code == OVERLOAD_CODE {
        return Some(Trouble::Overload);
    }
    let failed = FAILURE.contains(&status.as_u16()) || FAILURE_CODES.contains(&code);
    failed.then_some(Trouble::Failure)
}

/// What the service calls an error; blank where it does not say.
fn code_of(told: &Value) -> &str {
    let code = told.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_default()
}

impl Refusal {
    pub(super) fn of(server: &str, what: &'static str, answer: Answer) -> Self {
        let (status, request_id) = (answer.status, answer.request_id);
        let told: Value = answer.content.json().unwrap_or_default();
        let code = code_of(&told);
        let message = told.pointer("/error/message").and_then(Value::as_str);
        let known = CODES.iter().find(|(known, ..)| *known == code);
        let (scope, advice) = known.map_or_else(|| by_status(status), |row| (row.1, row.2));
        Self {
            server: server.to_owned(),
            what,
            code: if code.is_empty() {
                format!("status {}", status.as_u16())
            } else {
                clean(code, 80)
            },
            message: clean(message.unwrap_or_default(), 300),
            request_id,
            advice,
            scope,
            transient: status.is_server_error(),
            trouble: trouble(status, || told.clone()),
        }
    }

    /// The same may well work a little later, with nothing changed by anybody.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// The mail that was asked for is no longer there.
    pub(super) fn is_about_a_vanished_mail(&self) -> bool {
        self.scope == Vanished
    }

    /// Other mails can be had.
    pub(super) fn is_about_one_mail(&self) -> bool {
        self.scope == Mail
    }

    /// It was asked for again until there was no patience left.
    pub(super) fn has_outlasted_patience(&self) -> bool {
        self.trouble.is_some()
    }
}

fn by_status(status: StatusCode) -> (Scope, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => (
            Mailbox,
            "the token is not taken here: check [MSAL] Tenant, Scopes and GraphEndpoint, or sign in again",
        ),
        StatusCode::FORBIDDEN => (Mailbox, NO_RIGHT),
        StatusCode::NOT_FOUND => (
            Mailbox,
            "there is nothing at this address: check [MSAL] GraphEndpoint and [Mail] User",
        ),
        status if status.is_redirection() => (
            Mailbox,
            "it points elsewhere, where the token does not go: check [MSAL] GraphEndpoint",
        ),
        _ => (
            Mail,
            "if it goes on like that, ask Microsoft's support with the request-id",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::service::Content;
    use super::*;

    fn refusal(status: u16, body: &Value) -> Refusal {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            content: Content::Bytes(body.to_string().into_bytes()),
            request_id: "r-1".into(),
        };
        Refusal::of("h", "GET messages", answer)
    }

    #[test]
    fn the_code_says_more_than_the_status() {
        let of = |status, code: &str| {
            refusal(
                status,
                &json!({ "error": { "code": code, "message": "m" } }),
            )
        };
        assert_eq!(of(404, "ErrorItemNotFound").scope, Vanished);
        assert_eq!(of(404, "MailboxNotEnabledForRESTAPI").scope, Mailbox);
        assert_eq!(of(404, "").scope, Mailbox);
        assert_eq!(of(403, "ErrorNew").scope, Mailbox);
        assert_eq!(of(500, "ErrorInternalServerError").scope, Mail);
        assert_eq!(of(400, "ErrorInvalidIdMalformed").scope, Mail);
    }

    #[test]
    fn what_asks_for_patience_is_known_by_status_or_code() {
        let trouble = |status, code: &str| {
            let told = json!({ "error": { "code": code } });
            trouble(StatusCode::from_u16(status).unwrap(), || told)
        };
        for status in [429, 503, 509] {
            for code in ["", "ErrorMailboxStoreUnavailable"] {
                assert_eq!(trouble(status, code), Some(Trouble::Overload), "{status}");
            }
        }
        for status in [502, 504] {
            assert_eq!(trouble(status, ""), Some(Trouble::Failure), "{status}");
        }
        for status in [400, 500, 502] {
            assert_eq!(trouble(status, OVERLOAD_CODE), Some(Trouble::Overload));
            for code in FAILURE_CODES {
                assert_eq!(trouble(status, code), Some(Trouble::Failure), "{code}");
                assert_eq!(trouble(200, code), None, "what is done is done");
            }
        }
        for code in ["ErrorInternalServerError", ""] {
            assert_eq!(trouble(500, code), None);
        }
    }

    #[test]
    fn the_services_words_are_shown_without_harm() {
        let body =
            json!({ "error": { "code": "Error\u{1b}[31m", "message": "no\r\nerror: forged" } });
        assert_eq!(
            refusal(500, &body).to_string(),
            "h refused GET messages (Error [31m; no  error: forged): if it goes on like that, ask Microsoft's support \
             with the request-id (request-id r-1)"
        );
        for body in [json!("x"), json!({ "error": "x" }), json!([])] {
            assert_eq!(refusal(503, &body).code, "status 503");
        }
    }
}
