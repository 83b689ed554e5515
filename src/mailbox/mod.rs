//! Mailboxes: asked for what is new, never emptied blindly.
//!
//! The trait and one file or folder per protocol. A mailbox knows protocols and the
//! structure of mails; it knows nothing of rules, events or the journal.

use chrono::{DateTime, Utc};

pub use crate::journal::{MailId, Position};
use crate::message::{Content, Envelope, Fault};

#[cfg(test)]
mod bearer;
pub mod folder;
pub mod graph;
mod identity;
pub mod imap;
mod login;
pub mod pop;

pub use login::{Login, Proof};

/// Where mails come from (`[Mail] EmailProtocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// IMAP4rev1 (RFC 3501, RFC 9051).
    Imap,
    /// POP3 (RFC 1939).
    Pop,
    /// Microsoft 365 through Graph, after an MSAL sign-in.
    Msal,
    /// A folder of `.eml` files, a Maildir or an mbox on this machine.
    Folder,
}

/// The mailbox as far as the command line names it; settings fill the gaps.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// `--imap`, `--pop`, `--msal` or `-folder`.
    pub protocol: Option<Protocol>,
    /// `-server`.
    pub server: Option<String>,
    /// `-port`.
    pub port: Option<u16>,
    /// `-folder`.
    pub folder: Option<String>,
    /// `--ssl`, `--tls1_1`, `--tls1_2`.
    pub floor: Option<crate::net::TlsFloor>,
}

/// What the caller remembers of a mailbox when it asks for new mails.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Where the last run stopped; `None` for a mailbox never seen, or to look at
    /// everything again.
    pub position: Option<Position>,
    /// Mails before the position that must be listed once more if they still exist
    /// (they failed in an earlier run).
    pub again: Vec<MailId>,
    /// Only mails received at or after this time are wanted. The mailbox may list
    /// earlier ones (IMAP SINCE knows days only); the caller looks at the received time
    /// again.
    pub since: Option<DateTime<Utc>>,
    /// What takes the place of `since` when the position turns out to be void
    /// (IMAP: UIDVALIDITY changed).
    pub since_if_void: Option<DateTime<Utc>>,
}

/// What a mailbox answers to [`Mailbox::list`].
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The mails to look at, in the order in which they are to be processed.
    pub ids: Vec<MailId>,
    /// The position to remember when all of them have been dealt with; `None` where the
    /// mailbox has no such thing and every mail must be remembered by itself.
    pub position: Option<Position>,
    /// The remembered position was void (why, in words for the job output).
    pub void: Option<String>,
    /// The ids follow from the mails alone. Otherwise they are the server's to give, and one day
    /// it may give the same mails others.
    pub lasting: bool,
}

/// What is known of a mail before anything of its body is asked for.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which mail.
    pub id: MailId,
    /// When the mailbox received it (IMAP INTERNALDATE; with POP and for files the newest
    /// Received header, else Date, else the time of this look at it or the file's time).
    pub received: DateTime<Utc>,
    /// Size in bytes as the mailbox counts it.
    pub size: u64,
    /// Sender, subject, date and Message-ID.
    pub envelope: Envelope,
}

/// What the rules want to know of one mail beyond its summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which mail.
    pub id: MailId,
    /// The body text is wanted. Without it, the attachment names alone.
    pub text: bool,
}

/// What became of a request to delete mails.
#[derive(Debug, Default)]
pub struct Deletion {
    /// These are gone (or were gone already).
    pub deleted: Vec<MailId>,
    /// These could only be marked (IMAP without UIDPLUS: expunging could remove mails
    /// that somebody else had marked).
    pub marked: Vec<MailId>,
    /// The server keeps these: why, in words.
    pub refused: Vec<(MailId, String)>,
    /// What ended it early: nothing is said of the others, and the run can't go on.
    pub cut_short: Option<Error>,
}

/// A failure of the mailbox as a whole: the run can't go on with it.
///
/// The message says what was attempted with which server, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection could not be made, broke, or ran out of time.
    #[error(transparent)]
    Connection(#[from] crate::net::Error),
    /// The server refused the credentials.
    #[error(
        "{server} refused the log-in of {user}: {answer}. If that tells of a locked account, ask its administrator; if not, \
         check the user, or set the password again with: smartemail --credentials"
    )]
    Login {
        /// Host and port.
        server: String,
        /// The user name that was sent.
        user: String,
        /// The server's own words.
        answer: String,
    },
    /// The server refused the token.
    #[error(
        "{server} refused the token for {user}: {answer}. Check that [Mail] User is the address of the mailbox, that the \
         account may open it by this protocol, and with --check what the token is good for"
    )]
    TokenRefused {
        /// Host and port.
        server: String,
        /// The user name that was sent.
        user: String,
        /// The server's own words.
        answer: String,
    },
    /// There is no token to log in with.
    #[error(transparent)]
    NoToken(#[from] crate::auth::Error),
    /// The connection was lost between the credentials and the server's word on them. Many servers
    /// refuse a password by hanging up, so this may be a refusal.
    #[error(
        "{server} did not answer the log-in of {user}: {how}. The user or the password may be wrong, so it is not tried \
         again in this run. Check the user and the server, or set the password again with: smartemail --credentials"
    )]
    Unanswered {
        /// Host and port.
        server: String,
        /// The user name that was sent.
        user: String,
        /// How the connection was lost.
        how: String,
    },
    /// The server knows the account and does not let it in.
    #[error("{server} does not let {user} in: {answer}. {}", bar.advice())]
    Barred {
        /// Host and port.
        server: String,
        /// The user name that was sent.
        user: String,
        /// The server's own words.
        answer: String,
        /// Why, as far as it said so in a way that can be relied on.
        bar: Bar,
    },
    /// The server has no time for this mailbox now; the credentials are not at fault.
    #[error(
        "{server} has no time for this mailbox now: {answer}. Nothing is wrong with the credentials; if it stays like that, \
         run the job less often, look for another program that keeps the mailbox open, or ask the server's administrator"
    )]
    Busy {
        /// Host and port.
        server: String,
        /// The server's own words.
        answer: String,
    },
    /// The last log-in is not long enough ago for the server (RFC 2449, section 8.1.1).
    #[error("{server} wants more time between log-ins: {answer}. Run the job less often")]
    TooSoon {
        /// Host and port.
        server: String,
        /// The server's own words.
        answer: String,
    },
    /// The server and these credentials have no way to log in in common.
    #[error("{server} has no log-in that can be used: {why}")]
    NoLogin {
        /// Host and port.
        server: String,
        /// What is missing, and what to do.
        why: String,
    },
    /// A setting holds what a command can't carry.
    #[error(
        "the {argument} can't be sent to {server}: it holds a line break or a zero byte. Set it again"
    )]
    Argument {
        /// Host and port.
        server: String,
        /// Which setting, in words.
        argument: &'static str,
    },
    /// The server refused another command.
    #[error(
        "{server} refused {command}: {answer}. Ask its administrator; --verbose shows the conversation"
    )]
    Refused {
        /// Host and port.
        server: String,
        /// The command's name, without its arguments where they hold secrets.
        command: String,
        /// The server's own words.
        answer: String,
    },
    /// The server's answer broke the protocol or a limit.
    #[error(
        "{server} answered {command} in a way that can't be used: {what}. If that happens again, ask its \
         administrator; --verbose shows the conversation"
    )]
    Protocol {
        /// Host and port.
        server: String,
        /// The command's name.
        command: String,
        /// What was wrong with the answer.
        what: String,
    },
    /// A request had no answer.
    #[error(transparent)]
    Http(#[from] crate::net::http::Error),
    /// Graph refused a request.
    #[error(transparent)]
    Graph(Box<graph::Refusal>),
    /// Graph fails over one mail, however often it is asked for.
    #[error("one mail holds up the others: {cause}")]
    OneMail {
        /// Which one: without it the others can be had.
        mail: MailId,
        /// What Graph says.
        cause: Box<graph::Refusal>,
    },
    /// The server hands out a mail without an end, and so nothing else.
    #[error("{server} sends a mail that {what}; the connection was given up")]
    Endless {
        /// Host and port.
        server: String,
        /// Which one, if that is known: without it the others can be had.
        mail: Option<MailId>,
        /// How that showed.
        what: String,
    },
    /// A folder or file of mails can't be read.
    #[error("can't read {path}: {cause}")]
    File {
        /// Which one.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A folder holds nothing that is a mail, a Maildir or an mbox.
    #[error("{path} is no mailbox: {why}")]
    NotAMailbox {
        /// Which one.
        path: String,
        /// What was expected.
        why: String,
    },
}

impl Error {
    /// Whether the same may well work a little later, with nothing changed by anybody.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection(error) => error.is_transient(),
            Self::NoToken(error) => error.is_transient(),
            Self::Http(error) => error.is_transient(),
            Self::Graph(refusal) => refusal.is_transient(),
            Self::Busy { .. } | Self::OneMail { .. } => true,
            Self::Endless { mail, .. } => mail.is_some(),
            Self::Login { .. }
            | Self::TokenRefused { .. }
            | Self::Unanswered { .. }
            | Self::Barred { .. }
            | Self::TooSoon { .. }
            | Self::NoLogin { .. }
            | Self::Argument { .. }
            | Self::Refused { .. }
            | Self::Protocol { .. }
            | Self::File { .. }
            | Self::NotAMailbox { .. } => false,
        }
    }
}

impl From<graph::Refusal> for Error {
    fn from(refusal: graph::Refusal) -> Self {
        Self::Graph(Box::new(refusal))
    }
}

/// Why a server does not let an account in that it knows (RFC 5530, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// The password or the account has expired.
    Expired,
    /// The account may not do this.
    NotAllowed,
    /// The administrator has to look into it.
    AskAdministrator,
    /// The log-in has to be encrypted.
    NeedsEncryption,
}

impl Bar {
    fn advice(self) -> &'static str {
        match self {
            Self::Expired => {
                "The password or the account has expired: have it renewed on the server, then set the new password \
                 with: smartemail --credentials"
            }
            Self::NotAllowed => {
                "The account may be locked, or not allowed to use this protocol: ask the server's administrator"
            }
            Self::AskAdministrator => "Ask the server's administrator",
            Self::NeedsEncryption => "Set SecurityProtocol, so that the log-in is encrypted",
        }
    }
}

/// What was asked of one mail, or why that can't be had.
pub type Outcome<T> = Result<T, Fault>;

/// Outcomes for several mails.
pub type Each<T> = Vec<(MailId, Outcome<T>)>;

/// One mailbox, opened and logged in to.
///
/// Ids that no longer exist (another client removed the mail) are left out of answers
/// without an error. A mail that can't be delivered by itself is answered with its
/// [`Fault`]; a failure of the mailbox ends the call.
pub trait Mailbox {
    /// For the job output: what was opened, where and how well secured, without secrets.
    fn describe(&self) -> String;

    /// How many mails the mailbox holds.
    fn count(&mut self) -> Result<u64, Error>;

    /// The mails that are to be looked at. Asks as little as can be when nothing is new.
    fn list(&mut self, known: &Known) -> Result<Listing, Error>;

    /// Summaries of the given mails, in the order asked for. A mail whose summary can't
    /// be had by itself is answered with its fault.
    fn summaries(&mut self, ids: &[MailId]) -> Result<Each<Summary>, Error>;

    /// Attachment names and, where asked for, body text.
    fn contents(&mut self, queries: &[Query]) -> Result<Each<Content>, Error>;

    /// The whole mails, byte for byte, handed over one by one in the order asked for.
    /// Memory holds at most a batch of them; the mailbox cuts the batches.
    fn raw(
        &mut self,
        ids: &[MailId],
        take: &mut dyn FnMut(&MailId, Outcome<Vec<u8>>),
    ) -> Result<(), Error>;

    /// Deletes exactly these mails.
    fn delete(&mut self, ids: &[MailId]) -> Result<Deletion, Error>;

    /// Says good-bye. Errors at this point hurt nobody and are not reported.
    fn close(self: Box<Self>);
}

/// Longest server text that is kept for an error, in characters.
const WORDS: usize = 300;

/// A server's words as a part of a sentence of ours.
fn words_of(text: &str) -> String {
    let cleaned = crate::net::clean(text, WORDS);
    cleaned.trim_end_matches(['.', ' ']).to_owned()
}
