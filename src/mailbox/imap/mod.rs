//! IMAP (RFC 9051 and the older RFC 3501): what is new is asked for with as few turns as
//! can be, nothing is marked as read, and only mails named by their UIDs are deleted.
//!
//! | a run over | turns after the connection |
//! |---|---|
//! | old mails only | log-in, STATUS, LOGOUT |
//! | ten new mails, saved and deleted | log-in, STATUS, SELECT, FETCH, FETCH, STORE, EXPUNGE, LOGOUT |
//! | a mailbox never seen, 2,000 mails | log-in, SELECT, FETCH, a FETCH for each 16 MiB, STORE, EXPUNGE, LOGOUT |
//!
//! An answer that leaves a mail out costs a SEARCH more.
//!
//! From the wire upwards: `response` cuts the stream into responses within bounds, `line`,
//! `cursor`, `fetch` and `structure` read them, `filter` keeps what matters and shows the
//! `imap` crate the rest, `session` runs commands, and one file for each operation of the
//! trait uses it.

mod batch;
mod capabilities;
mod contents;
mod cursor;
mod delete;
mod fetch;
mod filter;
mod folder_name;
mod gather;
mod line;
mod list;
mod login;
mod mask;
mod opening;
mod position;
mod raw;
mod response;
mod session;
mod structure;
mod summaries;
#[cfg(test)]
mod tests;
mod uid_set;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use self::capabilities::Capabilities;
use self::filter::Filter;
use self::opening::Opening;
use self::position::Mark;
use self::session::{Folder, Session};
use super::login::{Credentials, sendable};
use super::{
    Content, Deletion, Each, Error, Fault, Known, Listing, Login, MailId, Mailbox, Outcome, Query,
    Summary,
};
use crate::message::Limits;
use crate::net::{self, Certificate, Channel, Endpoint, Security, Trace};

/// How much is read from the connection at once.
const AHEAD: usize = 16 * 1024;

/// What may happen to a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it is opened with EXAMINE, so not even `\\Recent` goes from a mail.
    ReadOnly,
    /// Mails may be deleted: it is opened with SELECT.
    ReadWrite,
}

/// A folder of an IMAP account, logged in to.
pub struct ImapMailbox {
    session: Session,
    /// The folder's name on the wire.
    folder: String,
    access: Access,
    title: String,
    warnings: Vec<String>,
    limits: Limits,
    selected: Option<Folder>,
    /// How many mails the folder holds, as long as it is not selected.
    counted: Option<u64>,
    /// Summaries that came with the list and were not asked for yet.
    summaries: HashMap<u32, Result<Summary, Fault>>,
    /// The sizes of all mails with a summary.
    sizes: HashMap<u32, u64>,
}

impl ImapMailbox {
    /// Connects, secures the connection as the endpoint demands and logs in. The folder,
    /// `INBOX` as a rule, is opened when something is asked of it. `meets` is told who vouches for
    /// the server, before the log-in.
    ///
    /// # Errors
    /// The server can't be reached or speaks otherwise, or refuses the credentials.
    pub fn open(
        endpoint: &Endpoint,
        login: &Login,
        folder: &str,
        access: Access,
        limits: Limits,
        trace: Trace,
        meets: impl FnOnce(Certificate),
    ) -> Result<Self, Error> {
        let server = endpoint.server();
        let credentials = login.credentials(&server)?;
        sendable(&server, "folder name", folder)?;
        let mut greeted = None;
        let mut connection = net::connect(endpoint, |clear| {
            let (upgrade, capabilities) = opening::upgrade(clear, &server, &credentials, &trace)?;
            greeted = Some(capabilities);
            Ok::<_, Error>(upgrade)
        })?;
        if greeted.is_none() && !connection.is_encrypted() {
            let offers = opening::in_clear(&mut connection, &server, &credentials, &trace)?;
            greeted = Some(Some(offers));
        }
        let place = format!(
            "{folder} of {} at {server}, {}",
            login.user,
            connection.security()
        );
        let mut warnings = Vec::new();
        if endpoint.security == Security::StartTls && !connection.is_encrypted() {
            warnings.push(format!(
                "{server} does not offer STARTTLS: the password and the mails cross the network in clear text"
            ));
        }
        meets(connection.certificate());
        let mut mailbox = Self::start(
            Box::new(connection),
            greeted,
            &server,
            credentials,
            folder,
            limits,
            trace,
        )?;
        mailbox.title = place;
        mailbox.access = access;
        mailbox.warnings = warnings;
        Ok(mailbox)
    }

    /// Logs in over a channel; `greeted` holds what a greeting told that was read before.
    fn start(
        channel: Box<dyn Channel>,
        greeted: Option<Option<Capabilities>>,
        server: &str,
        credentials: Credentials,
        folder: &str,
        limits: Limits,
        trace: Trace,
    ) -> Result<Self, Error> {
        let mut opening = Opening::new(channel, AHEAD, server, &trace);
        opening.hide(&credentials);
        let known = match greeted {
            Some(known) => known,
            None => opening.greeting()?,
        };
        let responses = opening.into_responses();
        let filter = Rc::new(RefCell::new(Filter::new(responses, limits, trace)));
        Ok(Self {
            session: login::log_in(server, filter, credentials, known)?,
            folder: folder_name::encode(folder),
            access: Access::ReadWrite,
            title: String::new(),
            warnings: Vec::new(),
            limits,
            selected: None,
            counted: None,
            summaries: HashMap::new(),
            sizes: HashMap::new(),
        })
    }

    /// What the caller should know about the connection, each a line for the job output.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Opens the folder if that has not been done.
    fn select(&mut self) -> Result<Folder, Error> {
        match self.selected {
            Some(folder) => Ok(folder),
            None => self.select_anew(),
        }
    }

    fn select_anew(&mut self) -> Result<Folder, Error> {
        let folder = self.session.select(&self.folder, self.access)?;
        self.selected = Some(folder);
        Ok(folder)
    }

    /// The UIDs of these mails. Those of another numbering exist no longer.
    fn uids<'m>(
        &mut self,
        ids: impl IntoIterator<Item = &'m MailId>,
    ) -> Result<Vec<(&'m MailId, u32)>, Error> {
        let validity = self.select()?.validity;
        let current = |id| Mark::of_id(id).filter(|mark| mark.validity == validity);
        let uids = ids
            .into_iter()
            .filter_map(|id| Some((id, current(id)?.uid)));
        Ok(uids.collect())
    }
}

impl std::fmt::Debug for ImapMailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImapMailbox({})", self.title)
    }
}

impl Mailbox for ImapMailbox {
    fn describe(&self) -> String {
        self.title.clone()
    }

    fn count(&mut self) -> Result<u64, Error> {
        if let Some(exists) = self.session.heard(|heard| heard.exists) {
            return Ok(exists.into());
        }
        if let Some(count) = self.counted {
            return Ok(count);
        }
        let status = self.session.status(&self.folder)?;
        let count = list::number(&status, b"MESSAGES").map(u64::from);
        self.counted = count;
        count.ok_or_else(|| Error::Protocol {
            server: self.session.server().to_owned(),
            command: "STATUS".into(),
            what: "it gives no number of mails".into(),
        })
    }

    fn list(&mut self, known: &Known) -> Result<Listing, Error> {
        self.list_new(known)
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
        self.delete_exactly(ids)
    }

    fn close(self: Box<Self>) {
        self.session.close();
    }
}
