//! Why a server could not be reached or was lost, and which setting to look at.

use std::io;
use std::time::Duration;

use super::TlsFault;

/// A connection that could not be made or that broke.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host name has no address.
    #[error("the address of {host} can't be found: check the setting Server and the name service")]
    Unresolved {
        /// The name that was asked for.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing listens there, or something on the way refuses.
    #[error(
        "{server} refused the connection: check the settings Server and Port, and that the server runs"
    )]
    Refused {
        /// Host and port.
        server: String,
        /// What the system says.
        source: io::Error,
    },
    /// The network leads nowhere.
    #[error("{server} can't be reached: check the settings Server and Port, and the network")]
    Unreachable {
        /// Host and port.
        server: String,
        /// What the system says.
        source: io::Error,
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
    },
    /// No TLS that the settings allow came about.
    #[error("no secure connection to {server}: {fault}")]
    Tls {
        /// Host and port.
        server: String,
        /// What is wrong.
        fault: TlsFault,
    },
    /// STARTTLS is required and not offered.
    #[error(
        "{server} does not offer STARTTLS, so the password would cross the network in clear text: \
         check Port, or change ConnectionSecurity (ssl-tls for a port that starts with TLS)"
    )]
    NoStartTls {
        /// Host and port.
        server: String,
    },
    /// The server ended the conversation.
    #[error(
        "{server} closed the connection{}. If that happens again, its administrator can see why in its log",
        said(words)
    )]
    Closed {
        /// Host and port.
        server: String,
        /// What it said before, cleaned; empty if nothing.
        words: String,
    },
    /// The connection broke in another way.
    #[error(
        "the connection to {server} broke: {cause}. If that happens again, look at the network, and at firewalls and \
         proxies on the way"
    )]
    Broken {
        /// Host and port.
        server: String,
        /// What the system says.
        cause: io::Error,
    },
}

fn said(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(" and said: {words}")
    }
}

impl Error {
    /// Whether the same may well work a little later, with nothing changed by anybody.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unresolved { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Closed { .. }
            | Self::Broken { .. } => true,
            Self::Tls { fault, .. } => fault.is_transient(),
            Self::NoStartTls { .. } => false,
        }
    }

    /// What became of an established connection, without the server's name and without advice.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Closed { words, .. } => format!("it closed the connection{}", said(words)),
            Self::TimedOut { step, after, .. } => {
                format!("it took too long ({step}, {:.1} s)", after.as_secs_f64())
            }
            _ => "the connection broke".to_owned(),
        }
    }

    /// Names what an operation on an established connection came to.
    #[must_use]
    pub fn of_io(server: &str, error: io::Error) -> Self {
        let server = server.to_owned();
        if let Some(late) = error.get_ref().and_then(|e| e.downcast_ref::<Late>()) {
            return Self::TimedOut {
                server,
                step: late.step,
                after: late.after,
            };
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed {
                server,
                words: String::new(),
            },
            _ => Self::Broken {
                server,
                cause: error,
            },
        }
    }
}

/// What was under way when a time limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The name service was asked for the address.
    Resolving,
    /// The connection was being made.
    Connecting,
    /// An answer was awaited, or TLS was being agreed on.
    Answering,
    /// Bytes were being handed to the network.
    Sending,
}

impl Step {
    fn advice(self) -> &'static str {
        match self {
            Self::Resolving => "check the name service, or raise ConnectTimeout",
            Self::Connecting => {
                "check the settings Server and Port and the firewalls, or raise ConnectTimeout"
            }
            Self::Answering => {
                "check ConnectionSecurity (a port that awaits TLS says nothing in clear text), or raise ReadTimeout"
            }
            Self::Sending => "check the network, or raise WriteTimeout",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Resolving => "finding its address",
            Self::Connecting => "connecting",
            Self::Answering => "waiting for its answer",
            Self::Sending => "sending",
        })
    }
}

/// A time limit that ran out, on its way through the TLS library as an [`io::Error`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("time limit: {step}, {:.1} s", after.as_secs_f64())]
pub(super) struct Late {
    pub(super) step: Step,
    pub(super) after: Duration,
}

impl Late {
    pub(super) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_server_and_the_setting() {
        let late = Late {
            step: Step::Answering,
            after: Duration::from_millis(1500),
        };
        let error = Error::of_io("mail.example.com:993", late.into_io());
        assert_eq!(
            error.to_string(),
            "mail.example.com:993 took too long (waiting for its answer, 1.5 s): check ConnectionSecurity \
             (a port that awaits TLS says nothing in clear text), or raise ReadTimeout"
        );
        let closed = Error::of_io("h:1", io::ErrorKind::UnexpectedEof.into());
        assert_eq!(
            closed.to_string(),
            "h:1 closed the connection. If that happens again, its administrator can see why in its log"
        );
        let said = Error::Closed {
            server: "h:1".into(),
            words: "too many connections".into(),
        };
        let told = "h:1 closed the connection and said: too many connections. If";
        assert!(said.to_string().starts_with(told));
    }
}
