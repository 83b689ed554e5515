//! A connection that did not come about or broke, with the settings of `[smtp-client]` to look at.

use std::fmt;
use std::sync::Arc;

use crate::net::{Error, Step, TlsFault};

/// What became of a connection to a mail server. Several mails may have the same one to blame.
#[derive(Clone, Debug)]
pub struct Lost(Arc<Error>);

impl Lost {
    /// What happened.
    #[must_use]
    pub fn cause(&self) -> &Error {
        &self.0
    }
}

impl From<Error> for Lost {
    fn from(cause: Error) -> Self {
        Self(Arc::new(cause))
    }
}

impl std::error::Error for Lost {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

/// [`Error`] speaks of the settings of `[Mail]`; the same advice for those of `[smtp-client]`.
impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Error::TimedOut {
                server,
                step,
                after,
            } => write!(
                f,
                "{server} took too long ({step}, {:.1} s): {}",
                after.as_secs_f64(),
                match step {
                    Step::Resolving => "check the name service, or raise connect-timeout",
                    Step::Connecting =>
                        "check server, port and the firewalls, or raise connect-timeout",
                    Step::Answering =>
                        "check smtp-connection-security (a port that awaits TLS says nothing in clear text), or \
                         raise protocol-timeout",
                    Step::Sending => "check the network, or raise protocol-timeout",
                }
            ),
            Error::NoStartTls { server } => write!(
                f,
                "{server} does not offer STARTTLS, so the mails and the log-in would cross the network in clear \
                 text: check port, or change smtp-connection-security (ssl-tls for a port that starts with TLS)"
            ),
            Error::Tls { server, fault } => {
                write!(f, "no secure connection to {server}: ")?;
                tell(fault, f)
            }
            neutral => fmt::Display::fmt(neutral, f),
        }
    }
}

fn tell(fault: &TlsFault, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match fault {
        TlsFault::VersionFloor(floor) => {
            write!(f, "the server has nothing as new as {floor}: have it updated")
        }
        TlsFault::NotOnThisMachine(_) => f.write_str(
            "the server and this machine have no version in common: have the server updated, or look at Protocol in \
             this machine's openssl.cnf",
        ),
        TlsFault::NotTls => f.write_str(
            "the port does not speak TLS: check port, or set smtp-connection-security to start-tls-required",
        ),
        TlsFault::HungUp { floor, .. } => write!(
            f,
            "the server hung up in the middle of the handshake: it may have nothing as new as {floor}, or the port \
             is for something else (check port and smtp-connection-security)"
        ),
        TlsFault::UnknownAuthority => f.write_str(
            "the authority that issued the server's certificate is not trusted here: have its root certificate \
             installed",
        ),
        TlsFault::SelfSigned => f.write_str(
            "the server's certificate is self-signed: have it installed as trusted, or replaced by one of an \
             authority that is",
        ),
        TlsFault::Other(words) => write!(
            f,
            "{words}. Check port and smtp-connection-security, and ask the server's administrator"
        ),
        neutral => fmt::Display::fmt(neutral, f),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::{CertificateFlaw, TlsFloor};

    #[test]
    fn no_setting_of_the_mailbox_is_named() {
        let server = || "h:25".to_owned();
        let late = |step| Error::TimedOut {
            server: server(),
            step,
            after: Duration::from_secs(1),
        };
        let tls = |fault| Error::Tls {
            server: server(),
            fault,
        };
        let floor = TlsFloor::Tls1_2;
        let all = [
            late(Step::Resolving),
            late(Step::Connecting),
            late(Step::Answering),
            late(Step::Sending),
            Error::NoStartTls { server: server() },
            tls(TlsFault::VersionFloor(floor)),
            tls(TlsFault::NotOnThisMachine(vec![floor])),
            tls(TlsFault::NotTls),
            tls(TlsFault::NotTlsAfterAll),
            tls(TlsFault::NothingInCommon),
            tls(TlsFault::HungUp {
                floor,
                missing: Vec::new(),
            }),
            tls(TlsFault::Expired),
            tls(TlsFault::NotYetValid),
            tls(TlsFault::WrongHost("h".into())),
            tls(TlsFault::UnknownAuthority),
            tls(TlsFault::SelfSigned),
            tls(TlsFault::BadCertificate(CertificateFlaw::Revoked)),
            tls(TlsFault::Other("x".into())),
        ];
        for error in all {
            let told = Lost::from(error).to_string();
            assert!(told.contains("h:25"), "{told}");
            for setting in [
                " ConnectionSecurity",
                "ConnectTimeout",
                "ReadTimeout",
                "SecurityProtocol",
                "SelfSignedCertificate",
            ] {
                assert!(!told.contains(setting), "{told}");
            }
        }
    }
}
