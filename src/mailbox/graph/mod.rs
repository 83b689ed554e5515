//! Microsoft 365 through Graph (learn.microsoft.com/graph/api/resources/message): the Inbox by its
//! well-known name, mails by ids that stay when a mail is moved within the mailbox. Nothing is
//! marked as read; what is deleted goes to Deleted Items, as in Outlook.
//!
//! | a run over | requests after the token |
//! |---|---|
//! | old mails only | 1 for each 1,000 |
//! | 10 new mails, deleted | 2 more; and 1 for each mail that is saved |
//! | a mailbox never seen, 2,000 mails, deleted | 2 for the list, 20 for summaries, 100 to delete |
//!
//! What a rule wants to know beyond that takes one request for 20 mails (their attachments) or
//! for 10 (their text too).
//!
//! `service` makes requests and `batch` several at once, `refusal` tells what a service's no
//! means, `message` reads what it says of mails; `list`, `contents` and `delete` are what is asked
//! of a mailbox.

mod batch;
mod contents;
mod delete;
mod list;
mod message;
mod raw;
mod refusal;
mod service;

use serde_json::Value;

pub use self::refusal::Refusal;

use self::list::Roll;
use self::service::{Ask, Service};
use super::{
    Content, Deletion, Each, Error, Known, Listing, MailId, Mailbox, Outcome, Query, Summary,
};
use crate::auth::TokenSource;
use crate::message::Limits;
use crate::net::Trace;
use crate::net::http;

/// The Inbox, whatever it is called in the mailbox's language (resources/mailfolder). In a path of
/// its own, as `/messages` is the whole mailbox with Deleted Items.
const INBOX: &str = "mailFolders/inbox";

/// Which mailbox, and how to get at it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of Graph (`GraphEndpoint`), without a slash at the end.
    pub endpoint: String,
    /// Whose mailbox (`[Mail] User`); `None` for that of the account that the tokens stand for.
    pub mailbox: Option<String>,
    /// Gives the tokens.
    pub tokens: TokenSource,
    /// Time limits of a request.
    pub limits: http::Limits,
    /// Mails are not moved to Deleted Items but removed for good.
    pub permanently: bool,
}

/// The Inbox of a Microsoft 365 mailbox.
pub struct GraphMailbox {
    service: Service,
    title: String,
    limits: Limits,
    /// What a summary is made of, in an address.
    summary: String,
    permanently: bool,
    roll: Roll,
}

impl GraphMailbox {
    /// Has a token given. The mailbox is asked when something is wanted of it.
    ///
    /// # Errors
    /// There is no token.
    pub fn open(settings: &Settings, limits: Limits, trace: Trace) -> Result<Self, Error> {
        let service = Service::open(settings, &limits, trace)?;
        let whose = match &settings.mailbox {
            Some(mailbox) => format!("of {mailbox}"),
            None => "of the account that is signed in".to_owned(),
        };
        Ok(Self {
            title: format!("Inbox {whose} at {}, Microsoft Graph", service.server()),
            service,
            limits,
            summary: message::summary_fields(),
            permanently: settings.permanently,
            roll: Roll::default(),
        })
    }
}

impl std::fmt::Debug for GraphMailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GraphMailbox({})", self.title)
    }
}

impl Mailbox for GraphMailbox {
    fn describe(&self) -> String {
        self.title.clone()
    }

    fn count(&mut self) -> Result<u64, Error> {
        let ask = Ask::get(
            "GET mailFolder",
            format!("{INBOX}?$select=id,totalItemCount"),
        );
        let folder: Value = self.service.json(&ask)?;
        folder
            .get("totalItemCount")
            .and_then(Value::as_u64)
            .ok_or_else(|| {
                self.service
                    .protocol(ask.name, "it gives no number of mails")
            })
    }

    /// All mails received since the time that is wanted: there is no position, so the caller knows
    /// which of them it has dealt with.
    fn list(&mut self, known: &Known) -> Result<Listing, Error> {
        self.list_since(known.since)
    }

    fn summaries(&mut self, ids: &[MailId]) -> Result<Each<Summary>, Error> {
        self.summaries_of(ids)
    }

    fn contents(&mut self, queries: &[Query]) -> Result<Each<Content>, Error> {
        self.contents_of(queries)
    }

    fn raw(
        &mut self,
        ids: &[MailId],
        take: &mut dyn FnMut(&MailId, Outcome<Vec<u8>>),
    ) -> Result<(), Error> {
        self.raw_of(ids, take)
    }

    fn delete(&mut self, ids: &[MailId]) -> Result<Deletion, Error> {
        Ok(self.delete_exactly(ids))
    }

    fn close(self: Box<Self>) {}
}

/// What a mail's own request came to.
enum Told {
    /// What was asked for.
    Content(service::Content),
    /// The mail is no longer there.
    Gone,
    /// This mail can't be had, in words; others can.
    Fault(String),
    /// The answer is larger than what is taken.
    TooLarge,
}
