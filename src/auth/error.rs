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
        advice: String,
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
    #[error("{server} answered, but not as a token endpoint does ({cause}): {advice}")]
    Malformed {
        /// Host and port.
        server: String,
        /// What is wrong with it.
        cause: String,
        /// What to do about it.
        advice: String,
    },
    /// There is no account to get a token for.
    #[error("nobody is signed in: {why}; {advice}")]
    NotSignedIn {
        /// What was looked at.
        why: String,
        /// What to do about it.
        advice: String,
    },
    /// Another account is signed in than the one that tokens are wanted of.
    #[error(
        "the account has changed from {wanted} to {found}, since somebody has signed in: nothing more is done for the \
         mailbox of either. To go on with {found}, run the job again; to go on with {wanted}, {advice}"
    )]
    OtherAccount {
        /// Whose tokens are wanted.
        wanted: String,
        /// Who is signed in.
        found: String,
        /// What to do about it.
        advice: String,
    },
    /// Where the account is kept can't be read or written.
    #[error("the token cache {path} can't be {what}: {cause}")]
    Cache {
        /// Which file.
        path: String,
        /// "read", "written" or "locked".
        what: &'static str,
        /// What the system says.
        cause: String,
    },
    /// Another process holds the account for too long.
    #[error(
        "another process has held the token cache {path} for {:.0} s: try again when it has ended",
        after.as_secs_f64()
    )]
    CacheHeld {
        /// Which file.
        path: String,
        /// For how long it was waited.
        after: Duration,
    },
    /// The authority can't be signed in to.
    #[error(
        "there is no sign-in with Google here: get a refresh token from Google and seal it (see the README)"
    )]
    NoSignIn,
    /// The browser's answer can't be listened for.
    #[error("can't listen for the browser's answer: {cause}. Use --deviceCode")]
    Listener {
        /// What the system says.
        cause: String,
    },
    /// The browser's answer did not come.
    #[error("nobody signed in within {} minutes: {advice}", after.as_secs() / 60)]
    NobodyCame {
        /// For how long it was waited.
        after: Duration,
        /// What to do about it.
        advice: String,
    },
    /// The key of the certificate can't sign.
    #[error("the certificate's key can't sign: check that it is an RSA key of 2048 to 4096 bits")]
    Signing,
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
            Self::Busy { .. } | Self::CacheHeld { .. } => true,
            Self::Unanswered(cause) => cause.is_transient(),
            Self::Rejected { .. }
            | Self::Malformed { .. }
            | Self::NotSignedIn { .. }
            | Self::OtherAccount { .. }
            | Self::Cache { .. }
            | Self::NoSignIn
            | Self::Listener { .. }
            | Self::NobodyCame { .. }
            | Self::Signing => false,
        }
    }
}
