//! Why a mail was not sent: the exit code, and what to look at, in terms of options.
//!
//! Of the words that an error holds only a server's own stand in a message. Those of libraries and
//! of the system are in another language: see `details`.

use std::time::Duration;

use super::exit::Exit;
use super::table::Key;
use super::texts::{Message, Phrase, Value};
use crate::net::http::Error as Http;
use crate::net::{CertificateFlaw, Error as Net, Step, TlsFault, http};
use crate::send::web::{Code, Error as Web, Kind, Refusal};
use crate::send::{Answer, ComposeError, Error, LoginAnswer, NoLogin, Refused};
use crate::{auth, send};

/// What a failure means; `by_token` tells what a refused log-in was tried with.
pub(super) fn of(error: &Error, by_token: bool) -> (Exit, Message) {
    (exit(error), message(error, by_token))
}

fn exit(error: &Error) -> Exit {
    if error.may_have_arrived() {
        Exit::Send
    } else if let Error::Token(auth::Error::Unanswered(_))
    | Error::Web(Web::Token(auth::Error::Unanswered(_))) = error
    {
        // Whoever gives the tokens was not reached, or not securely.
        Exit::Connect
    } else if error.is_authentication() {
        Exit::Auth
    } else if error.is_connection() {
        Exit::Connect
    } else {
        match error {
            Error::Compose(ComposeError::MessageId(_)) => Exit::Internal,
            Error::Compose(_) => Exit::Param,
            _ => Exit::Send,
        }
    }
}

fn message(error: &Error, by_token: bool) -> Message {
    match error {
        Error::Compose(cause) => compose(cause),
        Error::Connection(lost) => net(lost.cause(), &smtp_options()),
        Error::Web(cause) => web(cause),
        Error::Unanswered { cause } => Phrase::Unanswered.with("cause", message(cause, by_token)),
        Error::Token(cause) => token(cause),
        Error::Login {
            server,
            user,
            answer,
            ..
        } => login(answer)
            .with("server", server.as_str())
            .with("user", user.as_str())
            .with(
                "advice",
                Message::from(match by_token {
                    false => Phrase::LoginAdvice,
                    true => Phrase::LoginAdviceToken,
                }),
            ),
        Error::NoLogin { server, why } => no_login(server, why),
        Error::NobodyTook(refusals) => Phrase::NobodyTook.with("list", listed(refusals)),
        Error::Refused {
            server,
            what,
            answer,
            ..
        } => match what {
            Refused::Conversation => Phrase::RefusedConversation,
            Refused::Sender => Phrase::RefusedSender,
            Refused::Mail => Phrase::RefusedMail,
            Refused::Contents => Phrase::RefusedContents,
        }
        .with("server", server.as_str())
        .with("answer", answer.as_str()),
        Error::TooLarge {
            server,
            size,
            limit,
        } => Phrase::TooLarge
            .with("server", server.as_str())
            .with("size", size.to_string())
            .with("limit", limit.to_string()),
        Error::NotAscii { server, address } => Phrase::NotAscii
            .with("server", server.as_str())
            .with("address", address.as_str()),
        Error::Protocol { server, .. } => Phrase::NoMailServer.with("server", server.as_str()),
    }
}

/// Recipients and why each was refused.
pub(super) fn listed(refusals: &[send::Refusal]) -> Value {
    let each = refusals.iter().map(|refusal| {
        let answer = match &refusal.answer {
            Answer::Said(words) => Value::from(words.as_str()),
            Answer::NotAscii { server } => at(Phrase::NotAsciiRecipient, server).into(),
        };
        let told = Phrase::RefusedRecipient.with("recipient", refusal.recipient.as_str());
        Value::from(told.with("answer", answer))
    });
    Value::List(each.collect(), ", ")
}

fn login(answer: &LoginAnswer) -> Message {
    let lost = match answer {
        LoginAnswer::Said(words) => return Phrase::LoginRefused.with("answer", words.as_str()),
        LoginAnswer::Left(lost) => lost,
    };
    let how = match lost.cause() {
        Net::Closed { words, .. } if words.is_empty() => Phrase::HowClosed.into(),
        Net::Closed { words, .. } => Phrase::HowClosedSaying.with("words", words.as_str()),
        Net::TimedOut { step, after, .. } => Phrase::HowTimedOut
            .with("step", under_way(*step))
            .with("seconds", seconds(*after)),
        _ => Phrase::HowBroken.into(),
    };
    Phrase::LoginUnanswered.with("how", how)
}

fn smtp_options() -> String {
    [Key::SmtpServer, Key::SmtpPort].map(Key::shown).join(", ")
}

fn web_options() -> String {
    [Key::GraphServer, Key::Authority]
        .map(Key::shown)
        .join(", ")
}

fn compose(cause: &ComposeError) -> Message {
    match cause {
        ComposeError::NoRecipient => Phrase::WrongMissing
            .with("count", 1)
            .with("way", Message::from(Phrase::WaySmtp))
            .with("options", Key::To.shown()),
        ComposeError::MessageId(id) => Phrase::InternalFault.with("place", id.as_str()),
        ComposeError::FileName(name) => {
            Phrase::WrongFileName.with("file", crate::net::clean(name, 80))
        }
    }
}

fn net(cause: &Net, options: &str) -> Message {
    match cause {
        Net::Unresolved { host, .. } => Phrase::LostUnresolved
            .with("host", host.as_str())
            .with("option", Key::SmtpServer.shown()),
        Net::Refused { server, .. } => at(Phrase::LostRefused, server).with("options", options),
        Net::Unreachable { server, .. } => {
            at(Phrase::LostUnreachable, server).with("options", options)
        }
        Net::TimedOut {
            server,
            step,
            after,
        } => timed_out(server, under_way(*step), *after, options),
        Net::Tls { server, fault } => tls(server, fault, options),
        Net::NoStartTls { server } => at(Phrase::LostNoStartTls, server),
        Net::Closed { server, words } if words.is_empty() => at(Phrase::LostClosed, server),
        Net::Closed { server, words } => {
            at(Phrase::LostClosedSaying, server).with("words", words.as_str())
        }
        Net::Broken { server, .. } => at(Phrase::LostBroken, server),
    }
}

fn at(text: Phrase, server: &str) -> Message {
    text.with("server", server)
}

fn under_way(step: Step) -> Message {
    match step {
        Step::Resolving => Phrase::StepResolving,
        Step::Connecting => Phrase::StepConnecting,
        Step::Answering => Phrase::StepAnswering,
        Step::Sending => Phrase::StepSending,
    }
    .into()
}

fn seconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64())
}

fn timed_out(server: &str, step: Message, after: Duration, options: &str) -> Message {
    at(Phrase::LostTimedOut, server)
        .with("step", step)
        .with("seconds", seconds(after))
        .with("options", options)
}

fn tls(server: &str, fault: &TlsFault, options: &str) -> Message {
    let fault = match fault {
        TlsFault::VersionFloor(floor) => Phrase::TlsFloor.with("floor", floor.to_string()),
        TlsFault::NotOnThisMachine(versions) => {
            let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
            Phrase::TlsNotHere.with("versions", versions.join(", "))
        }
        TlsFault::NothingInCommon => Phrase::TlsNothingInCommon.into(),
        TlsFault::NotTls => Phrase::TlsNotTls.with("options", options),
        TlsFault::NotTlsAfterAll => Phrase::TlsNotTlsAfterAll.into(),
        TlsFault::HungUp { floor, .. } => Phrase::TlsHungUp.with("floor", floor.to_string()),
        TlsFault::Expired => Phrase::TlsExpired.into(),
        TlsFault::OutsideItsTime => Phrase::TlsOutsideItsTime.into(),
        TlsFault::NotYetValid => Phrase::TlsNotYetValid.into(),
        TlsFault::WrongHost(host) => Phrase::TlsWrongHost.with("host", host.as_str()),
        // No certificate is remembered here, so none can have changed.
        TlsFault::UnknownAuthority | TlsFault::CertificateChanged { .. } => {
            Phrase::TlsUnknownAuthority.into()
        }
        TlsFault::SelfSigned => Phrase::TlsSelfSigned.into(),
        TlsFault::BadCertificate(flaw) => {
            let flaw = match flaw {
                CertificateFlaw::Revoked => Phrase::FlawRevoked,
                CertificateFlaw::TooWeak => Phrase::FlawTooWeak,
                CertificateFlaw::WrongPurpose => Phrase::FlawWrongPurpose,
                CertificateFlaw::Other(_) => Phrase::FlawOther,
            };
            Phrase::TlsBadCertificate.with("flaw", Message::from(flaw))
        }
        TlsFault::Other(_) => Phrase::TlsOther.into(),
    };
    at(Phrase::LostTls, server).with("fault", fault)
}

/// The same for services of the web, whose TLS 1.2 at least is no matter of options.
fn web_tls(server: &str, fault: &TlsFault, options: &str) -> Message {
    let fault = match fault {
        TlsFault::VersionFloor(_) | TlsFault::NotOnThisMachine(_) | TlsFault::NothingInCommon => {
            Phrase::TlsWebFloor
        }
        TlsFault::Other(_) => Phrase::TlsWebOther,
        _ => return tls(server, fault, options),
    };
    at(Phrase::LostTls, server).with("fault", Message::from(fault))
}

fn no_login(server: &str, why: &NoLogin) -> Message {
    match why {
        NoLogin::NotOffered {
            wanted,
            offered: Some(offered),
        } => at(Phrase::LoginNotOffered, server)
            .with("offered", offered.as_str())
            .with("wanted", wanted.join(", ")),
        NoLogin::NotOffered { offered: None, .. } => at(Phrase::LoginNoneOffered, server),
        NoLogin::ZeroByte => Phrase::LoginZeroByte.into(),
        NoLogin::Demanded { answer } => {
            at(Phrase::LoginDemanded, server).with("answer", answer.as_str())
        }
    }
}

fn web(cause: &Web) -> Message {
    match cause {
        Web::Token(cause) => token(cause),
        Web::UnusableToken => Phrase::TokenUnusable.into(),
        Web::Unanswered { cause, arrived } => match arrived {
            true => Phrase::Unanswered.with("cause", http(cause)),
            false => http(cause),
        },
        Web::Refused(refusal) => refused(refusal),
        Web::Malformed {
            server, arrived, ..
        } => {
            let told = at(Phrase::WebMalformed, server);
            match arrived {
                true => Phrase::Unanswered.with("cause", told),
                false => told,
            }
        }
        Web::BadRequest { address } => Phrase::WebBadAddress.with("address", address.as_str()),
    }
}

fn refused(refusal: &Refusal) -> Message {
    let text = match refusal.kind {
        Kind::Permanent | Kind::Recipient => Phrase::GraphRefused,
        Kind::Unfit => Phrase::GraphTooLarge,
        Kind::Transient => Phrase::GraphBusy,
        Kind::Authentication => Phrase::GraphRefusedRights,
        Kind::Uncertain => Phrase::GraphUncertain,
    };
    let code = match &refusal.code {
        Code::Name(name) => Value::from(name.as_str()),
        Code::Status(status) => Phrase::Status.with("status", status.to_string()).into(),
    };
    at(text, &refusal.server).with("said", said(code, &[&refusal.message, &refusal.request_id]))
}

/// What a service calls its refusal, and its words about it.
fn said(code: Value, words: &[&str]) -> Value {
    let words = words.iter().filter(|words| !words.is_empty());
    let words = words.map(|words| Value::from(*words));
    Value::List([code].into_iter().chain(words).collect(), " \u{2013} ")
}

fn token(cause: &auth::Error) -> Message {
    match cause {
        auth::Error::Rejected {
            server,
            error,
            code,
            description,
            ..
        } => {
            // learn.microsoft.com/entra/identity-platform/reference-error-codes
            let advice = match code {
                Some(7_000_215) => Phrase::TokenAdviceSecret,
                Some(7_000_222) => Phrase::TokenAdviceExpired,
                Some(700_016) => Phrase::TokenAdviceApplication,
                Some(90_002) => Phrase::TokenAdviceTenant,
                _ => Phrase::TokenAdviceOther,
            };
            at(Phrase::TokenRejected, server)
                .with("said", said(error.as_str().into(), &[description]))
                .with("advice", Message::from(advice))
        }
        auth::Error::Busy { server, status, .. } => {
            at(Phrase::TokenBusy, server).with("status", status.to_string())
        }
        auth::Error::Unanswered(cause) => http(cause),
        auth::Error::Malformed { server, .. } => at(Phrase::TokenMalformed, server),
        // Nobody signs in here, and no certificate is used.
        auth::Error::NotSignedIn { .. }
        | auth::Error::Cache { .. }
        | auth::Error::CacheHeld { .. }
        | auth::Error::NoSignIn
        | auth::Error::Listener { .. }
        | auth::Error::NobodyCame { .. }
        | auth::Error::OtherAccount { .. }
        | auth::Error::Signing => Phrase::InternalFault.with("place", "auth"),
    }
}

fn http(cause: &Http) -> Message {
    let options = web_options();
    match cause {
        Http::BadAddress { address } => Phrase::WebBadAddress.with("address", address.as_str()),
        Http::ClearText { server } => at(Phrase::WebClearText, server),
        Http::Unresolved { server } => Phrase::LostUnresolved
            .with("host", server.as_str())
            .with("option", options),
        Http::Unreachable { server, .. } => {
            at(Phrase::LostUnreachable, server).with("options", options)
        }
        Http::Tls { server, fault } => web_tls(server, fault, &options),
        Http::TimedOut {
            server,
            step,
            after,
            ..
        } => {
            let step = match step {
                http::Step::Connecting => Phrase::StepConnecting,
                http::Step::Sending => Phrase::StepSending,
                http::Step::Answering => Phrase::StepAnswering,
            };
            timed_out(server, step.into(), *after, &options)
        }
        Http::Broken { server, .. } => at(Phrase::LostBroken, server),
        Http::TooLarge { server, .. } => at(Phrase::WebMalformed, server),
    }
}

#[cfg(test)]
mod tests;
