//! What a service refuses, by its codes: how final that is, and what to do about it.

use super::{Purpose, is_untouched};
use crate::net::clean;
use crate::net::http::{Response, StatusCode};

/// A refusal with a code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{server} refused the mail ({code}{}): {advice}{}",
    told(message),
    traced(request_id)
)]
pub struct Refusal {
    /// Host and port.
    pub server: String,
    /// What the service calls it.
    pub code: Code,
    /// The service's own words, cleaned.
    pub message: String,
    /// By which the service's support finds the request; may be empty.
    pub request_id: String,
    /// What it means for another attempt.
    pub kind: Kind,
    /// What to do about it.
    pub advice: &'static str,
}

/// What a service calls a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// Its own name of it, cleaned.
    Name(String),
    /// Nothing but the answer's status.
    Status(u16),
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

/// What a refusal means for another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It will be refused again until something is changed.
    Permanent,
    /// The mail itself is at fault: it will always be refused.
    Unfit,
    /// One of its recipients at the least is none: nobody gets the mail as long as it names that one.
    Recipient,
    /// The credentials or the rights are at fault.
    Authentication,
    /// Nothing was sent; it may go out at another time.
    Transient,
    /// The service failed in the middle of it: whether the mail went out is not known.
    Uncertain,
}

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

use Kind::{Authentication, Permanent, Recipient, Transient, Uncertain, Unfit};

/// Graph's codes (learn.microsoft.com/graph/errors) and those of Exchange, which EWS calls
/// `ResponseCode` and Graph passes on.
const CODES: &[(&str, Kind, &str)] = &[
    (
        "ErrorSendAsDenied",
        Permanent,
        "the account may not send as this sender: give it Send As or Send on Behalf on that mailbox, or set \
         allow-delegate=false (Graph)",
    ),
    (
        "ErrorAccessDenied",
        Authentication,
        "the application or the account lacks a permission: Mail.Send, for mails over 3.5 MB Mail.ReadWrite, for other \
         senders Mail.Send.Shared (EWS: full_access_as_app or EWS.AccessAsUser.All)",
    ),
    (
        "Authorization_RequestDenied",
        Authentication,
        "the application lacks the permission Mail.Send: have it granted in Microsoft Entra",
    ),
    (
        "ErrorImpersonateUserDenied",
        Authentication,
        "the application may not act for this user: give it the role ApplicationImpersonation",
    ),
    (
        "InvalidAuthenticationToken",
        Authentication,
        "the token is not taken here: check scope and tenant-authority",
    ),
    (
        "MailboxNotEnabledForRESTAPI",
        Permanent,
        "the mailbox is not in Exchange Online or has no licence: check user, or send by SMTP or EWS",
    ),
    (
        "ResourceNotFound",
        Permanent,
        "there is no such mailbox: check user",
    ),
    (
        "Request_ResourceNotFound",
        Permanent,
        "there is no such mailbox: check user",
    ),
    (
        "ErrorInvalidUser",
        Permanent,
        "there is no such mailbox: check user",
    ),
    (
        "ErrorNonExistentMailbox",
        Permanent,
        "there is no such mailbox: check user",
    ),
    (
        "ErrorInvalidRecipients",
        Recipient,
        "one of the recipients at least is not valid, and nobody gets the mail: check their addresses",
    ),
    (
        "ErrorMessageSizeExceeded",
        Unfit,
        "the mail is larger than the organisation allows: send smaller attachments, or have the limit raised",
    ),
    (
        "ErrorQuotaExceeded",
        Permanent,
        "the sender's mailbox is full: have it cleared or its quota raised",
    ),
    (
        "ErrorSubmissionQuotaExceeded",
        Transient,
        "the account has sent as many mails as it may in a day: wait, or have the quota raised",
    ),
    (
        "ErrorInvalidServerVersion",
        Permanent,
        "the server is older than the settings say: check exchange-version, or leave it empty",
    ),
    (
        "ErrorServerBusy",
        Transient,
        "the server is busy: a later run may have more luck",
    ),
    (
        "ErrorExceededConnectionCount",
        Transient,
        "the account has too many connections: a later run may have more luck",
    ),
    (
        "ErrorMailboxStoreUnavailable",
        Transient,
        "the mailbox is not reachable for the moment: a later run may have more luck",
    ),
    (
        "ErrorInternalServerTransientError",
        Uncertain,
        "look whether the mail went out before it is sent again",
    ),
    (
        "ErrorInternalServerError",
        Uncertain,
        "look whether the mail went out before it is sent again",
    ),
    (
        "ErrorTimeoutExpired",
        Uncertain,
        "look whether the mail went out before it is sent again",
    ),
];

impl Refusal {
    /// Judges a refusal by its code, and by the answer's status where the code says nothing.
    pub(super) fn of<T>(
        server: &str,
        answer: &Response<T>,
        code: &str,
        message: &str,
        purpose: Purpose,
    ) -> Self {
        let known = CODES.iter().find(|(known, ..)| *known == code);
        let (kind, advice) = known.map_or_else(|| by_status(answer), |row| (row.1, row.2));
        let kind = match (kind, purpose) {
            // What was under way was not the sending.
            (Uncertain, Purpose::Prepares) => Transient,
            (kind, _) => kind,
        };
        let code = if code.is_empty() {
            Code::Status(answer.status().as_u16())
        } else {
            Code::Name(clean(code, 80))
        };
        Self {
            server: server.to_owned(),
            code,
            message: clean(message, 300),
            request_id: String::new(),
            kind,
            advice,
        }
    }
}

fn by_status<T>(answer: &Response<T>) -> (Kind, &'static str) {
    match answer.status() {
        StatusCode::UNAUTHORIZED => (
            Authentication,
            "the log-in was not accepted: check user, password and scope, and that the server offers what \
             mail.ews.auth.mechanisms says",
        ),
        StatusCode::FORBIDDEN => (
            Authentication,
            "the account or the application lacks the right to do this",
        ),
        StatusCode::NOT_FOUND => (Permanent, "nothing answers there: check user and server"),
        StatusCode::PAYLOAD_TOO_LARGE => (
            Unfit,
            "the mail is larger than the server takes: send smaller attachments, or have the limit raised",
        ),
        _ if is_untouched(answer) => (
            Transient,
            "the service is busy: a later run may have more luck",
        ),
        status if status.is_server_error() => (
            Uncertain,
            "look whether the mail went out before it is sent again",
        ),
        status if status.is_redirection() => (
            Permanent,
            "it points elsewhere, where the credentials don't go: check server",
        ),
        _ => (
            Permanent,
            "check the settings of [smtp-client], or without it those of [MSAL]",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_says_more_than_the_status() {
        let of = |status: u16, code, purpose| {
            let mut answer = Response::new(());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            Refusal::of("h", &answer, code, "m", purpose)
        };
        let sends = Purpose::Sends;
        assert_eq!(of(403, "ErrorSendAsDenied", sends).kind, Permanent);
        assert_eq!(of(403, "ErrorNew", sends).kind, Authentication);
        assert_eq!(of(500, "", sends).kind, Uncertain);
        assert_eq!(of(500, "", Purpose::Prepares).kind, Transient);
        assert_eq!(of(503, "", sends).kind, Uncertain);
        assert_eq!(of(503, "ErrorServerBusy", sends).kind, Transient);
        assert_eq!(of(429, "", sends).kind, Transient);
        assert_eq!(
            of(500, "ErrorQuotaExceeded", sends).to_string(),
            "h refused the mail (ErrorQuotaExceeded; m): the sender's mailbox is full: have it cleared or its quota raised"
        );
    }
}
