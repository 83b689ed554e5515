//! Why a service did not send a mail, and what that means for another attempt.

use super::{Kind, Refusal};
use crate::auth;
use crate::net::http;

/// A mail that a service did not send, or of which nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no token.
    #[error(transparent)]
    Token(#[from] auth::Error),
    /// The token can't stand in a request.
    #[error("the access token holds characters that no request can carry: check tenant-authority")]
    UnusableToken,
    /// The service could not be asked, or its answer was lost.
    #[error("{}{cause}", left_open(*arrived))]
    Unanswered {
        /// What became of the request.
        cause: http::Error,
        /// The service may have sent the mail.
        arrived: bool,
    },
    /// The service refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The answer is not that of such a service.
    #[error(
        "{}{server} does not answer as it should ({cause}): check server and scope",
        left_open(*arrived)
    )]
    Malformed {
        /// Host and port.
        server: String,
        /// What is wrong with it.
        cause: String,
        /// The service may have sent the mail.
        arrived: bool,
    },
    /// The settings lead to no request.
    #[error("no request can be made of {address}: check server and user")]
    BadRequest {
        /// The address without its query.
        address: String,
    },
}

fn left_open(arrived: bool) -> &'static str {
    if arrived {
        "the mail went out, but whether it arrived is not known: "
    } else {
        ""
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Error {
    /// Another attempt may succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Token(error) => error.is_transient(),
            Self::Unanswered { cause, .. } => cause.is_transient(),
            Self::Refused(refusal) => matches!(refusal.kind, Kind::Transient | Kind::Uncertain),
            Self::UnusableToken | Self::Malformed { .. } | Self::BadRequest { .. } => false,
        }
    }

    /// The credentials are at fault.
    #[must_use]
    pub fn is_authentication(&self) -> bool {
        match self {
            Self::Token(error) => !error.is_transient(),
            Self::UnusableToken => true,
            Self::Refused(refusal) => refusal.kind == Kind::Authentication,
            Self::Unanswered { .. } | Self::Malformed { .. } | Self::BadRequest { .. } => false,
        }
    }

    /// There was no conversation with the service, or it broke.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        match self {
            Self::Token(error) => error.is_transient(),
            Self::Unanswered { .. } | Self::Malformed { .. } | Self::BadRequest { .. } => true,
            Self::UnusableToken | Self::Refused(_) => false,
        }
    }

    /// The mail may be with its recipients all the same: another attempt may double it.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::Unanswered { arrived, .. } | Self::Malformed { arrived, .. } => *arrived,
            Self::Refused(refusal) => refusal.kind == Kind::Uncertain,
            Self::Token(_) | Self::UnusableToken | Self::BadRequest { .. } => false,
        }
    }

    /// The mail itself is at fault, or whom it names: no other attempt with it can succeed.
    #[must_use]
    pub fn is_unfit(&self) -> bool {
        match self {
            Self::Refused(refusal) => matches!(refusal.kind, Kind::Unfit | Kind::Recipient),
            _ => false,
        }
    }

    /// One of the recipients at the least is none, and nobody got the mail.
    #[must_use]
    pub fn has_bad_recipient(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.kind == Kind::Recipient)
    }

    /// What it means for mails that were not tried because of it: of them nothing was sent.
    #[must_use]
    pub fn for_others(&self) -> Self {
        let mut told = self.clone();
        match &mut told {
            Self::Unanswered { arrived, .. } | Self::Malformed { arrived, .. } => *arrived = false,
            Self::Refused(refusal) if refusal.kind == Kind::Uncertain => {
                refusal.kind = Kind::Transient;
                refusal.advice = "the service is out of order: a later run may have more luck";
            }
            _ => {}
        }
        told
    }
}
