//! Why a mail was not sent: the exit code, and what to look at, in terms of options.

use super::exit::Exit;
use super::options::Name;
use super::texts::{Message, Text};
use crate::net::http::Error as Http;
use crate::net::{Error as Net, Step, TlsFault, http};
use crate::send::web::{Error as Web, Kind, Refusal};
use crate::send::{ComposeError, Error, NoLogin, Refused};
use crate::{auth, send};

/// What a failure means; `by_token` tells what a refused log-in was tried with.
pub(super) fn of(error: &Error, by_token: bool) -> (Exit, Message) {
    (exit(error), message(error, by_token))
}

fn exit(error: &Error) -> Exit {
    if error.may_have_arrived() {
        Exit::Send
    } else if error.is_authentication() {
        Exit::Auth
    } else if error.is_connection() {
        Exit::Connect
    } else {
        match error {
            Error::Compose(ComposeError::MessageId(_)) => Exit::Internal,
            Error::Compose(_) | Error::NotAscii { .. } => Exit::Param,
            _ => Exit::Send,
        }
    }
}

fn message(error: &Error, by_token: bool) -> Message {
    match error {
        Error::Compose(cause) => compose(cause),
        Error::Connection(lost) => net(lost.cause(), &smtp_options()),
        Error::Web(cause) => web(cause),
        Error::Unanswered { cause } => Text::Unanswered.with("cause", message(cause, by_token)),
        Error::Token(cause) => token(cause),
        Error::Login {
            server,
            user,
            answer,
            ..
        } => match by_token {
            false => Text::LoginRefused,
            true => Text::LoginRefusedToken,
        }
        .with("server", server.as_str())
        .with("user", user.as_str())
        .with("answer", answer.as_str()),
        Error::NoLogin { server, why } => no_login(server, why),
        Error::NobodyTook(refusals) => Text::NobodyTook.with("list", listed(refusals)),
        Error::Refused {
            server,
            what,
            answer,
            ..
        } => match what {
            Refused::Conversation => Text::RefusedConversation,
            Refused::Sender => Text::RefusedSender,
            Refused::Mail => Text::RefusedMail,
            Refused::Contents => Text::RefusedContents,
        }
        .with("server", server.as_str())
        .with("answer", answer.as_str()),
        Error::TooLarge {
            server,
            size,
            limit,
        } => Text::TooLarge
            .with("server", server.as_str())
            .with("size", size.to_string())
            .with("limit", limit.to_string()),
        Error::NotAscii { server, address } => Text::NotAscii
            .with("server", server.as_str())
            .with("address", address.as_str()),
        Error::Protocol { server, .. } => Text::NoMailServer.with("server", server.as_str()),
    }
}

/// Recipients and why each was refused.
pub(super) fn listed(refusals: &[send::Refusal]) -> String {
    let each = refusals
        .iter()
        .map(|refusal| format!("{} ({})", refusal.recipient, refusal.answer));
    each.collect::<Vec<_>>().join(", ")
}

fn smtp_options() -> String {
    [Name::SmtpServer, Name::SmtpPort]
        .map(Name::shown)
        .join(", ")
}

fn web_options() -> String {
    [Name::GraphServer, Name::Authority]
        .map(Name::shown)
        .join(", ")
}

fn compose(cause: &ComposeError) -> Message {
    match cause {
        ComposeError::NoRecipient => Text::WrongMissing
            .with("count", 1)
            .with("way", Message::from(Text::WaySmtp))
            .with("options", Name::To.shown()),
        ComposeError::MessageId(id) => Text::InternalFault.with("place", id.as_str()),
        ComposeError::FileName(name) => {
            Text::WrongFileName.with("file", crate::net::clean(name, 80))
        }
    }
}

fn net(cause: &Net, options: &str) -> Message {
    match cause {
        Net::Unresolved { host, .. } => Text::LostUnresolved
            .with("host", host.as_str())
            .with("option", Name::SmtpServer.shown()),
        Net::Refused { server, .. } => at(Text::LostRefused, server).with("options", options),
        Net::Unreachable { server, .. } => {
            at(Text::LostUnreachable, server).with("options", options)
        }
        Net::TimedOut {
            server,
            step,
            after,
        } => {
            let step = match step {
                Step::Resolving => Text::StepResolving,
                Step::Connecting => Text::StepConnecting,
                Step::Answering => Text::StepAnswering,
                Step::Sending => Text::StepSending,
            };
            timed_out(server, step, after.as_secs_f64(), options)
        }
        Net::Tls { server, fault } => tls(server, fault, options),
        Net::NoStartTls { server } => at(Text::LostNoStartTls, server),
        Net::Closed { server, words } if words.is_empty() => at(Text::LostClosed, server),
        Net::Closed { server, words } => {
            at(Text::LostClosedSaying, server).with("words", words.as_str())
        }
        Net::Broken { server, .. } => at(Text::LostBroken, server),
    }
}

fn at(text: Text, server: &str) -> Message {
    text.with("server", server)
}

fn timed_out(server: &str, step: Text, seconds: f64, options: &str) -> Message {
    at(Text::LostTimedOut, server)
        .with("step", Message::from(step))
        .with("seconds", format!("{seconds:.0}"))
        .with("options", options)
}

fn tls(server: &str, fault: &TlsFault, options: &str) -> Message {
    let fault = match fault {
        TlsFault::VersionFloor(floor) => Text::TlsFloor.with("floor", floor.to_string()),
        TlsFault::NotOnThisMachine(versions) => {
            let versions: Vec<_> = versions.iter().map(ToString::to_string).collect();
            Text::TlsNotHere.with("versions", versions.join(", "))
        }
        TlsFault::NotTls => Text::TlsNotTls.with("options", options),
        TlsFault::NotTlsAfterAll => Text::TlsNotTlsAfterAll.into(),
        TlsFault::HungUp(floor) => Text::TlsHungUp.with("floor", floor.to_string()),
        TlsFault::Expired => Text::TlsExpired.into(),
        TlsFault::NotYetValid => Text::TlsNotYetValid.into(),
        TlsFault::WrongHost(host) => Text::TlsWrongHost.with("host", host.as_str()),
        // No certificate is remembered here, so none can have changed.
        TlsFault::UnknownAuthority | TlsFault::CertificateChanged { .. } => {
            Text::TlsUnknownAuthority.into()
        }
        TlsFault::SelfSigned => Text::TlsSelfSigned.into(),
        TlsFault::BadCertificate(words) => Text::TlsBadCertificate.with("words", words.as_str()),
        TlsFault::Other(words) => Text::TlsOther.with("words", words.as_str()),
    };
    at(Text::LostTls, server).with("fault", fault)
}

fn no_login(server: &str, why: &NoLogin) -> Message {
    match why {
        NoLogin::NotOffered {
            wanted,
            offered: Some(offered),
        } => at(Text::LoginNotOffered, server)
            .with("offered", offered.as_str())
            .with("wanted", wanted.replace(" or ", ", ")),
        NoLogin::NotOffered { offered: None, .. } => at(Text::LoginNoneOffered, server),
        NoLogin::ZeroByte => Text::LoginZeroByte.into(),
        NoLogin::Demanded { answer } => {
            at(Text::LoginDemanded, server).with("answer", answer.as_str())
        }
    }
}

fn web(cause: &Web) -> Message {
    match cause {
        Web::Token(cause) => token(cause),
        Web::UnusableToken => Text::TokenUnusable.into(),
        Web::Unanswered { cause, arrived } => match arrived {
            true => Text::Unanswered.with("cause", http(cause)),
            false => http(cause),
        },
        Web::Refused(refusal) => refused(refusal),
        Web::Malformed {
            server, arrived, ..
        } => {
            let told = at(Text::WebMalformed, server);
            match arrived {
                true => Text::Unanswered.with("cause", told),
                false => told,
            }
        }
        Web::BadRequest { address } => Text::WebBadAddress.with("address", address.as_str()),
    }
}

fn refused(refusal: &Refusal) -> Message {
    let text = match refusal.kind {
        Kind::Permanent | Kind::Transient => Text::GraphRefused,
        Kind::Authentication => Text::GraphRefusedRights,
        Kind::Uncertain => Text::GraphUncertain,
    };
    let words = [&refusal.code, &refusal.message, &refusal.request_id];
    let words: Vec<_> = words
        .into_iter()
        .filter(|word| !word.is_empty())
        .cloned()
        .collect();
    at(text, &refusal.server).with("said", words.join("; "))
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
                Some(7_000_215) => Text::TokenAdviceSecret,
                Some(7_000_222) => Text::TokenAdviceExpired,
                Some(700_016) => Text::TokenAdviceApplication,
                Some(90_002) => Text::TokenAdviceTenant,
                _ => Text::TokenAdviceOther,
            };
            let said = match description.as_str() {
                "" => error.clone(),
                description => format!("{error}; {description}"),
            };
            at(Text::TokenRejected, server)
                .with("said", said)
                .with("advice", Message::from(advice))
        }
        auth::Error::Busy { server, status, .. } => {
            at(Text::TokenBusy, server).with("status", status.to_string())
        }
        auth::Error::Unanswered(cause) => http(cause),
        auth::Error::Malformed { server, .. } => at(Text::TokenMalformed, server),
    }
}

fn http(cause: &Http) -> Message {
    let options = web_options();
    match cause {
        Http::BadAddress { address } => Text::WebBadAddress.with("address", address.as_str()),
        Http::ClearText { server } => at(Text::WebClearText, server),
        Http::Unresolved { server } => Text::LostUnresolved
            .with("host", server.as_str())
            .with("option", options),
        Http::Unreachable { server, .. } => {
            at(Text::LostUnreachable, server).with("options", options)
        }
        Http::Tls { server, fault } => tls(server, fault, &options),
        Http::TimedOut {
            server,
            step,
            after,
            ..
        } => {
            let step = match step {
                http::Step::Connecting => Text::StepConnecting,
                http::Step::Sending => Text::StepSending,
                http::Step::Answering => Text::StepAnswering,
            };
            timed_out(server, step, after.as_secs_f64(), &options)
        }
        Http::Broken { server, .. } => at(Text::LostBroken, server),
        Http::TooLarge { server, .. } => at(Text::WebMalformed, server),
    }
}
