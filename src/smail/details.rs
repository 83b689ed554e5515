//! What libraries and the system say of a failure. Their words are in a language of their own, so
//! they stand in no message: only in the log, at DEBUG.

use crate::auth;
use crate::net::http::Error as Http;
use crate::net::{CertificateFlaw, Error as Net, TlsFault};
use crate::send::web::Error as Web;
use crate::send::{Error, LoginAnswer};

/// These words, if there are any.
pub(super) fn of(error: &Error) -> Option<String> {
    match error {
        Error::Connection(lost) => net(lost.cause()),
        Error::Login {
            answer: LoginAnswer::Left(lost),
            ..
        } => net(lost.cause()),
        Error::Unanswered { cause } => of(cause),
        Error::Web(cause) => web(cause),
        Error::Token(cause) => token(cause),
        Error::Protocol { what, .. } => Some(what.clone()),
        Error::Compose(_)
        | Error::Login { .. }
        | Error::NoLogin { .. }
        | Error::NobodyTook(_)
        | Error::Refused { .. }
        | Error::TooLarge { .. }
        | Error::NotAscii { .. } => None,
    }
}

fn net(cause: &Net) -> Option<String> {
    match cause {
        Net::Unresolved { source, .. }
        | Net::Refused { source, .. }
        | Net::Unreachable { source, .. } => Some(source.to_string()),
        Net::Broken { cause, .. } => Some(cause.to_string()),
        Net::Tls { fault, .. } => tls(fault),
        Net::TimedOut { .. } | Net::NoStartTls { .. } | Net::Closed { .. } => None,
    }
}

fn tls(fault: &TlsFault) -> Option<String> {
    match fault {
        TlsFault::BadCertificate(CertificateFlaw::Other(words)) | TlsFault::Other(words) => {
            Some(words.clone())
        }
        _ => None,
    }
}

fn web(cause: &Web) -> Option<String> {
    match cause {
        Web::Token(cause) => token(cause),
        Web::Unanswered { cause, .. } => http(cause),
        Web::Malformed { cause, .. } => Some(cause.clone()),
        Web::UnusableToken | Web::Refused(_) | Web::BadRequest { .. } => None,
    }
}

fn token(cause: &auth::Error) -> Option<String> {
    match cause {
        auth::Error::Unanswered(cause) => http(cause),
        auth::Error::Malformed { cause, .. } => Some(cause.clone()),
        _ => None,
    }
}

fn http(cause: &Http) -> Option<String> {
    match cause {
        Http::Unreachable { cause, .. } | Http::Broken { cause, .. } => Some(cause.clone()),
        Http::Tls { fault, .. } => tls(fault),
        Http::BadAddress { .. }
        | Http::ClearText { .. }
        | Http::Unresolved { .. }
        | Http::TimedOut { .. }
        | Http::TooLarge { .. } => None,
    }
}
