//! Why a mail was not sent, and what that means for another attempt.

use super::{ComposeError, Lost, Refusal, web};
use crate::{auth, net};

/// A mail that nobody got, or of which nobody knows.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The mail has no form that could be sent.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The server could not be reached, or was lost before it had the whole mail.
    #[error(transparent)]
    Connection(Lost),
    /// A service over HTTP did not send it.
    #[error(transparent)]
    Web(#[from] web::Error),
    /// The whole mail went out, and no answer came: the server may have taken it.
    #[error("the mail went out, but whether it arrived is not known: {cause}")]
    Unanswered {
        /// What came instead of an answer.
        cause: Box<Error>,
    },
    /// There is no token to log in with.
    #[error(transparent)]
    Token(auth::Error),
    /// The server did not accept the credentials.
    #[error("{server} refused the log-in of {user}: {answer}. {advice}")]
    Login {
        /// Host and port.
        server: String,
        /// The user that was named.
        user: String,
        /// How.
        answer: LoginAnswer,
        /// The server was not able to check them now (RFC 4954, section 6: 454).
        transient: bool,
        /// What to do about it.
        advice: &'static str,
    },
    /// There is no way to log in that both sides have.
    #[error("no log-in to {server}: {why}")]
    NoLogin {
        /// Host and port.
        server: String,
        /// What is missing.
        why: NoLogin,
    },
    /// The server refused every recipient.
    #[error("no recipient was accepted: {}", listed(.0))]
    NobodyTook(Vec<Refusal>),
    /// The server refused the mail, or a command on the way to it.
    #[error("{server} refused {what}: {answer}{}", what.advice(*transient))]
    Refused {
        /// Host and port.
        server: String,
        /// What it refused.
        what: Refused,
        /// The server's own words, cleaned.
        answer: String,
        /// Another attempt may succeed (a 4yz reply, RFC 5321, section 4.2.1).
        transient: bool,
    },
    /// The mail is larger than the server takes (RFC 1870).
    #[error(
        "the mail has {size} bytes, and {server} takes no more than {limit}: send smaller attachments, or have \
         the server's limit raised"
    )]
    TooLarge {
        /// Host and port.
        server: String,
        /// The mail's size in bytes.
        size: u64,
        /// The server's limit in bytes.
        limit: u64,
    },
    /// The sender's address has letters that the server can't deal with (RFC 6531).
    #[error(
        "{server} takes no address with letters beyond ASCII, and mails are from {address}: send from another address"
    )]
    NotAscii {
        /// Host and port.
        server: String,
        /// The address.
        address: String,
    },
    /// The server says what no such server says.
    #[error("{server} does not answer as a mail server does ({what}): check server and port")]
    Protocol {
        /// Host and port.
        server: String,
        /// What is wrong with it, its words cleaned.
        what: String,
    },
}

/// Why a recipient was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Answer {
    /// In the server's own words, cleaned.
    #[error("{0}")]
    Said(String),
    /// It was not asked: the address has letters that it can't deal with (RFC 6531).
    #[error("{server} takes no address with letters beyond ASCII")]
    NotAscii {
        /// Host and port.
        server: String,
    },
}

/// How a server refused a log-in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LoginAnswer {
    /// In its own words, cleaned.
    #[error("{0}")]
    Said(String),
    /// By ending the connection, or by silence, in place of an answer.
    #[error("{}, which is how many servers refuse", .0.cause().brief())]
    Left(Lost),
}

/// Why nobody can log in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLogin {
    /// The server has none of the mechanisms that may be used.
    #[error("{}", not_offered(wanted, offered.as_deref()))]
    NotOffered {
        /// Those that may be used.
        wanted: Vec<&'static str>,
        /// Those that the server has, cleaned; `None` without AUTH.
        offered: Option<String>,
    },
    /// What can't be sent in any mechanism.
    #[error("the user or the password holds a zero byte. Enter them again")]
    ZeroByte,
    /// The server demands a log-in that the settings don't have.
    #[error(
        "it takes mails only after a log-in, or over a secure connection ({answer}). Check enable-authentication and \
         smtp-connection-security"
    )]
    Demanded {
        /// The server's own words, cleaned.
        answer: String,
    },
}

fn not_offered(wanted: &[&str], offered: Option<&str>) -> String {
    let wanted = wanted.join(" or ");
    match offered {
        None => format!(
            "the server offers none at this port and security, and the settings have {wanted}. Check port and \
             smtp-connection-security, or set enable-authentication=false if it wants none"
        ),
        Some(offered) => format!(
            "the server offers {offered}, and the settings have {wanted}. Check mail.smtp.auth.mechanisms"
        ),
    }
}

/// What a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The conversation as a whole: greeting, EHLO or STARTTLS.
    Conversation,
    /// The sender's address.
    Sender,
    /// The mail, before or after it had come in, and not for what it is.
    Mail,
    /// What the mail holds, or its size.
    Contents,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Conversation => "to talk with this machine",
            Self::Sender => "the sender",
            Self::Mail => "to take a mail",
            Self::Contents => "the mail",
        })
    }
}

impl Refused {
    /// What to do about it, where the server's words may not tell.
    fn advice(self, transient: bool) -> &'static str {
        match self {
            _ if transient => "",
            Self::Conversation => ". Have this machine allowed there",
            Self::Sender => {
                ". Check the address that mails are from: user may have to be allowed to send from it"
            }
            Self::Mail | Self::Contents => "",
        }
    }
}

fn listed(refusals: &[Refusal]) -> String {
    let each = refusals
        .iter()
        .map(|refusal| format!("{}: {}", refusal.recipient, refusal.answer));
    each.collect::<Vec<_>>().join("; ")
}

impl From<net::Error> for Error {
    fn from(cause: net::Error) -> Self {
        Self::Connection(cause.into())
    }
}

impl Error {
    /// Another attempt may succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection(lost) => lost.cause().is_transient(),
            Self::Web(cause) => cause.is_transient(),
            Self::Token(cause) => cause.is_transient(),
            Self::Unanswered { .. } => true,
            Self::Login { transient, .. } | Self::Refused { transient, .. } => *transient,
            Self::NobodyTook(refusals) => refusals.iter().any(|refusal| refusal.transient),
            Self::Compose(_)
            | Self::NoLogin { .. }
            | Self::TooLarge { .. }
            | Self::NotAscii { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// The credentials are at fault, or the lack of a way to use them.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        match self {
            Self::Login { .. } | Self::NoLogin { .. } => true,
            Self::Web(cause) => cause.is_authentication(),
            Self::Token(cause) => !cause.is_transient(),
            Self::Compose(_)
            | Self::Connection(_)
            | Self::Unanswered { .. }
            | Self::NobodyTook(_)
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::NotAscii { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// There was no conversation with the server, or it broke.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Unanswered { .. } | Self::Protocol { .. } => true,
            Self::Refused { what, .. } => *what == Refused::Conversation,
            Self::Web(cause) => cause.is_connection(),
            Self::Token(cause) => cause.is_transient(),
            Self::Compose(_)
            | Self::Login { .. }
            | Self::NoLogin { .. }
            | Self::NobodyTook(_)
            | Self::TooLarge { .. }
            | Self::NotAscii { .. } => false,
        }
    }

    /// A service over HTTP has no time or is out of order, whatever the mail may be.
    #[must_use]
    pub fn is_service_fault(&self) -> bool {
        matches!(self, Self::Web(cause) if cause.is_transient())
    }

    /// The mail may be with its recipients all the same: another attempt may double it.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Unanswered { .. } => true,
            Self::Web(cause) => cause.may_have_arrived(),
            Self::Compose(_)
            | Self::Token(_)
            | Self::Connection(_)
            | Self::Login { .. }
            | Self::NoLogin { .. }
            | Self::NobodyTook(_)
            | Self::Refused { .. }
            | Self::TooLarge { .. }
            | Self::NotAscii { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// The mail itself is at fault: no other attempt with it can succeed, whatever is changed about
    /// the account and its settings.
    #[must_use]
    pub fn is_unfit(&self) -> bool {
        match self {
            Self::Compose(_) | Self::TooLarge { .. } => true,
            Self::Refused { what, .. } => *what == Refused::Contents,
            Self::Web(cause) => cause.is_unfit(),
            Self::Connection(_)
            | Self::Unanswered { .. }
            | Self::Token(_)
            | Self::Login { .. }
            | Self::NoLogin { .. }
            | Self::NobodyTook(_)
            | Self::NotAscii { .. }
            | Self::Protocol { .. } => false,
        }
    }

    /// One of the recipients at the least is none, and nobody got the mail: the others would get it
    /// without that one.
    #[must_use]
    pub fn has_bad_recipient(&self) -> bool {
        matches!(self, Self::Web(cause) if cause.has_bad_recipient())
    }

    /// What it means for mails that were not tried because of it: of them nothing was sent.
    #[must_use]
    pub fn for_others(&self) -> Self {
        match self {
            Self::Unanswered { cause } => (**cause).clone(),
            Self::Web(cause) => Self::Web(cause.for_others()),
            other => other.clone(),
        }
    }
}
