//! How a mail and a place in a mailbox are named across runs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The identity of one mail in its mailbox, the same in every run.
///
/// The text is the mailbox's own (IMAP: `UIDVALIDITY.UID`); everybody else only
/// compares and stores it. It is short, printable ASCII without blanks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailId(String);

impl MailId {
    /// Wraps a mailbox's own name of a mail.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MailId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a mailbox had been read, in the mailbox's own words (IMAP:
/// `UIDVALIDITY.UIDNEXT`). Mails before it need not be listed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(String);

impl Position {
    /// Wraps a mailbox's own words.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a mail is recognised when its mailbox has named the mails anew: by the second in which it was
/// received, and what its header says of it. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Looks {
    /// Unix seconds.
    received: i64,
    mark: String,
}

impl Looks {
    /// Of a mail received at this time. `name` is its Message-ID, or what else tells it apart.
    #[must_use]
    pub fn new(received: DateTime<Utc>, name: &str) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let mark = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            received: received.timestamp(),
            mark,
        }
    }

    /// Whether it is that of a mail whose header says the same, whenever that was received.
    #[must_use]
    pub fn has_the_name_of(&self, other: &Self) -> bool {
        self.mark == other.mark
    }

    /// When the mail was received, in Unix seconds.
    #[must_use]
    pub fn received(&self) -> i64 {
        self.received
    }
}
