//! Why there is no answer to a request, and whether the server may have acted on it.

use std::io;
use std::time::Duration;

use ureq::Timeout;

use super::Fate;
use crate::net::{TlsFault, TlsFloor, clean};

/// A request without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not an address of the web.
    #[error("{address} is not an address that can be asked: it has to be like https://host/path")]
    BadAddress {
        /// The address, without user and query.
        address: String,
    },
    /// Tokens and mails do not cross a network in clear text.
    #[error(
        "{server} would be asked in clear text: write https:// (http:// is for this machine itself only)"
    )]
    ClearText {
        /// Host and port.
        server: String,
    },
    /// The host name has no address.
    #[error("the address of {server} can't be found: check the name and the name service")]
    Unresolved {
        /// Host and port.
        server: String,
    },
    /// Nobody answers there.
    #[error(
        "{server} can't be reached ({cause}): check the address and the network, and whether a proxy is needed (HTTPS_PROXY)"
    )]
    Unreachable {
        /// Host and port.
        server: String,
        /// What the system says.
        cause: String,
    },
    /// No TLS came about.
    #[error("no secure connection to {server}: {}", tls_advice(fault, server))]
    Tls {
        /// Host and port.
        server: String,
        /// What is wrong.
        fault: Box<TlsFault>,
    },
    /// A time limit ran out.
    #[error("{server} took too long ({step}, {:.1} s): {}", after.as_secs_f64(), step.advice())]
    TimedOut {
        /// Host and port.
        server: String,
        /// What was under way.
        step: Step,
        /// How long it had taken.
        after: Duration,
        /// The server may have had the whole request.
        arrived: bool,
    },
    /// The connection broke, or what came over it was not HTTP.
    #[error("the connection to {server} broke before the answer was there ({cause})")]
    Broken {
        /// Host and port.
        server: String,
        /// What the system says.
        cause: String,
        /// The server may have had the whole request.
        arrived: bool,
    },
    /// The answer has no end, or none that fits.
    #[error(
        "{server} answered with more than {largest} bytes, which is no answer to what was asked"
    )]
    TooLarge {
        /// Host and port.
        server: String,
        /// The limit.
        largest: u64,
    },
}

/// What was under way when a time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name service, the connection, TLS.
    Connecting,
    /// The request was being handed to the network.
    Sending,
    /// The answer was awaited or was coming.
    Answering,
}

impl Step {
    fn advice(self) -> &'static str {
        match self {
            Self::Connecting => {
                "check the address, the firewalls and whether a proxy is needed (HTTPS_PROXY), or raise \
                 ConnectTimeout ([smtp-client]: connect-timeout)"
            }
            Self::Sending | Self::Answering => {
                "check the network, or raise ReadTimeout ([smtp-client]: protocol-timeout)"
            }
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Sending => "sending",
            Self::Answering => "waiting for its answer",
        })
    }
}

/// A TLS fault in words that name no setting: none of the mailbox's is heeded here.
fn tls_advice(fault: &TlsFault, server: &str) -> String {
    match fault {
        TlsFault::SelfSigned | TlsFault::UnknownAuthority => {
            "the authority that issued the server's certificate is not trusted here: have its root certificate \
             installed on this machine (a proxy that looks into TLS has its own)"
                .to_owned()
        }
        TlsFault::WrongHost(_) => {
            format!("the server's certificate is not for {server}: check the address")
        }
        TlsFault::VersionFloor(_)
        | TlsFault::NotOnThisMachine(_)
        | TlsFault::NothingInCommon
        | TlsFault::HungUp { .. } => {
            "the server has no TLS 1.2, or something between hung up: have it updated, or check the network"
                .to_owned()
        }
        TlsFault::NotTls | TlsFault::NotTlsAfterAll => {
            "the port does not speak TLS: check the address".to_owned()
        }
        TlsFault::Expired
        | TlsFault::OutsideItsTime
        | TlsFault::NotYetValid
        | TlsFault::CertificateChanged { .. }
        | TlsFault::BadCertificate(_) => fault.to_string(),
        TlsFault::Other(words) => format!("{words}. Ask the server's administrator"),
    }
}

impl Error {
    pub(super) fn of(server: String, error: ureq::Error, fate: Fate, after: Duration) -> Self {
        let arrived = matches!(fate, Fate::Complete | Fate::Unknown | Fate::Harmless);
        let broken = |server, cause: &dyn std::fmt::Display| Self::Broken {
            server,
            cause: clean(&cause.to_string(), 200),
            arrived,
        };
        match error {
            ureq::Error::Timeout(limit) => {
                let step = step(limit, fate);
                Self::TimedOut {
                    server,
                    step,
                    after,
                    arrived: arrived && step != Step::Connecting,
                }
            }
            ureq::Error::HostNotFound => Self::Unresolved { server },
            ureq::Error::NativeTls(cause) => {
                let host = server.split(':').next().unwrap_or_default().to_owned();
                let text = clean(&cause.to_string(), 200);
                Self::Tls {
                    server,
                    fault: Box::new(TlsFault::of_text(&text, &host, TlsFloor::Tls1_2)),
                }
            }
            ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
                let cause = clean(&error.to_string(), 200);
                Self::Unreachable { server, cause }
            }
            ureq::Error::Io(cause) if is_about_reaching(cause.kind(), fate) => Self::Unreachable {
                server,
                cause: clean(&cause.to_string(), 200),
            },
            ureq::Error::Io(cause) => broken(server, &cause),
            ureq::Error::BodyExceedsLimit(largest) => Self::TooLarge { server, largest },
            other => broken(server, &other),
        }
    }

    /// Another attempt may succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unresolved { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Broken { .. } => true,
            Self::BadAddress { .. }
            | Self::ClearText { .. }
            | Self::Tls { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// The server may have acted on the request, so that a repetition may do it twice.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::TimedOut { arrived, .. } | Self::Broken { arrived, .. } => *arrived,
            Self::TooLarge { .. } => true,
            Self::BadAddress { .. }
            | Self::ClearText { .. }
            | Self::Unresolved { .. }
            | Self::Unreachable { .. }
            | Self::Tls { .. } => false,
        }
    }
}

/// Errors that the making of a connection gives. A route that is lost while the answer is awaited
/// gives some of them as well: only where nothing is done twice do these tell anything.
fn is_about_reaching(kind: io::ErrorKind, fate: Fate) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable,
    };
    match fate {
        Fate::Untouched => true,
        Fate::Incomplete | Fate::Complete => false,
        Fate::Unknown => matches!(kind, ConnectionRefused | AddrNotAvailable),
        Fate::Harmless => matches!(
            kind,
            ConnectionRefused
                | AddrNotAvailable
                | HostUnreachable
                | NetworkUnreachable
                | NetworkDown
        ),
    }
}

/// The limit for everything may run out anywhere, so then the body tells how far it got.
fn step(limit: Timeout, fate: Fate) -> Step {
    match limit {
        Timeout::Resolve | Timeout::Connect => Step::Connecting,
        Timeout::SendRequest | Timeout::SendBody => Step::Sending,
        _ if matches!(fate, Fate::Untouched | Fate::Incomplete) => Step::Sending,
        _ => Step::Answering,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_whole_may_have_arrived_however_the_route_was_lost() {
        use io::ErrorKind::{
            AddrNotAvailable, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
            NetworkUnreachable,
        };
        let connecting = [ConnectionRefused, AddrNotAvailable];
        let route = [HostUnreachable, NetworkUnreachable, NetworkDown];
        let any = [ConnectionReset];
        for (fate, reached, arrived) in [
            // Which of the three kinds leave it open whether the server was reached, and whether
            // the request is said to have arrived then.
            (Fate::Untouched, [false, false, false], false),
            (Fate::Incomplete, [true, true, true], false),
            (Fate::Complete, [true, true, true], true),
            (Fate::Unknown, [false, true, true], true),
            (Fate::Harmless, [false, false, true], true),
        ] {
            let kinds = [&connecting[..], &route[..], &any[..]];
            for (kinds, reached) in kinds.into_iter().zip(reached) {
                for kind in kinds {
                    let cause = ureq::Error::Io((*kind).into());
                    let error = Error::of("h:1".into(), cause, fate, Duration::ZERO);
                    let broken = matches!(error, Error::Broken { .. });
                    assert_eq!(broken, reached, "{fate:?} {kind:?}: {error:?}");
                    let known = error.may_have_arrived();
                    assert_eq!(known, reached && arrived, "{fate:?} {kind:?}: {error:?}");
                    assert!(error.is_transient());
                }
            }
        }
    }
}
