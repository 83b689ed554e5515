//! Why there is no token.

use std::time::Duration;

use crate::net::http;

/// No token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server refuses, and will go on refusing until something is changed.
    #[error("{server} gave no token ({}): {advice}", said(error, description))]
    Rejected {
        /// Host and port.
        server: String,
        /// The error's name (RFC 6749, section 5.2).
        error: String,
        /// Microsoft's number of it (`AADSTS…`).
        code: Option<u32>,
        /// The server's own words, cleaned, without secrets.
        description: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The server is not able to answer now.
    #[error(
        "{server} gave no token for the moment (status {status}): a later run may have more luck"
    )]
    Busy {
        /// Host and port.
        server: String,
        /// The answer's status.
        status: u16,
        /// For how long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// The server could not be asked.
    #[error("no token: {0}")]
    Unanswered(#[from] http::Error),
    /// The answer is not that of a token endpoint.
    #[error(
        "{server} answered, but not as a token endpoint does ({cause}): check tenant-authority and directory-id"
    )]
    Malformed {
        /// Host and port.
        server: String,
        /// What is wrong with it.
        cause: String,
    },
}

fn said(error: &str, description: &str) -> String {
    if description.is_empty() {
        error.to_owned()
    } else {
        format!("{error}; {description}")
    }
}

impl Error {
    /// Another attempt may succeed without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } => true,
            Self::Unanswered(cause) => cause.is_transient(),
            Self::Rejected { .. } | Self::Malformed { .. } => false,
        }
    }
}
