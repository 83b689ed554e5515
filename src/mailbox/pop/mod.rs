//! POP3 (RFC 1939 with RFC 2449): mails are known by the server's own names for them (UIDL), read
//! by their headers (TOP) and fetched whole only when somebody wants more. Nothing is deleted:
//! there is no DELE in here.
//!
//! | a run over | turns after the connection, with PIPELINING |
//! |---|---|
//! | old mails only | CAPA, log-in, UIDL, QUIT |
//! | ten new mails | CAPA, log-in, UIDL, LIST and TOP, QUIT; RETR if they are saved or read |
//! | a mailbox never seen, 2,000 mails | the same with a turn for every 500 mails, and every 16 MiB to save |
//!
//! USER and PASS take a turn more than SASL PLAIN; without PIPELINING every command takes one.
//!
//! From the wire upwards: `wire` finds the ends of answers within bounds, `reply` reads status
//! lines, `session` runs commands, `opening` and `login` get it going; `list`, `headers` and
//! `whole` are what is asked of a mailbox.

mod cache;
mod capabilities;
mod headers;
mod list;
mod login;
mod opening;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod whole;
mod wire;

use std::collections::HashSet;

use self::cache::Cache;
use self::capabilities::Capabilities;
use self::list::Roll;
use self::opening::Stage;
use self::reply::Code;
use self::session::{Refusal, Session};
use super::login::Credentials;
use super::{
    Content, Deletion, Each, Error, Fault, Known, Listing, Login, MailId, Mailbox, Outcome, Query,
    Summary,
};
use crate::message::Limits;
use crate::net::{self, Certificate, Channel, Endpoint, Security, Trace};

/// How much is read from the connection at once.
const AHEAD: usize = 16 * 1024;

/// Commands that are sent ahead of their answers, where the server can do with that. So many of
/// them are at most 8 KiB: they fit into what systems hold for a connection, and are all sent
/// whatever answers pile up (RFC 2449, section 6.8).
const WINDOW: usize = 500;

/// From so many commands on it is worth a turn to ask whether they may be sent ahead.
const MANY: usize = 20;

/// Bytes of headers that are kept for a second look.
const HEADS: usize = 8 * 1024 * 1024;

/// Bytes of whole mails that are kept for a second look: what a rule has read may be saved next.
const KEPT: usize = 16 * 1024 * 1024;

/// After so many refusals in one call the server, not a mail, is at fault.
const REFUSALS: usize = 64;

/// A POP3 mailbox, logged in to.
pub struct PopMailbox {
    session: Session<Box<dyn Channel>>,
    title: String,
    warnings: Vec<String>,
    limits: Limits,
    roll: Roll,
    /// Whether the server can TOP; `None` as long as it has not told.
    top: Option<bool>,
    /// Commands may be sent ahead of the answers.
    pipelining: bool,
    /// The server might say more of what it can do.
    may_tell_more: bool,
    heads: Cache,
    kept: Cache,
}

impl PopMailbox {
    /// Connects, secures the connection as the endpoint demands, logs in and asks which mails
    /// there are. `meets` is told who vouches for the server, before the log-in.
    ///
    /// # Errors
    /// The server can't be reached or speaks otherwise, refuses the credentials, or has no time.
    pub fn open(
        endpoint: &Endpoint,
        login: &Login,
        limits: Limits,
        trace: Trace,
        meets: impl FnOnce(Certificate),
    ) -> Result<Self, Error> {
        let server = endpoint.server();
        let credentials = login.credentials(&server)?;
        let mut stage = Stage::Begun;
        let connection = net::connect(endpoint, |clear| {
            let (upgrade, reached) = opening::upgrade(clear, &server, &credentials, &trace)?;
            stage = reached;
            Ok::<_, Error>(upgrade)
        })?;
        let title = format!(
            "POP3 mailbox of {} at {server}, {}",
            login.user,
            connection.security()
        );
        meets(connection.certificate());
        let stripped = endpoint.security == Security::StartTls && !connection.is_encrypted();
        let mut mailbox = Self::start(
            Box::new(connection),
            stage,
            &server,
            credentials,
            limits,
            trace,
        )?;
        if stripped {
            mailbox.warnings.push(format!(
                "{server} does not offer STLS: the password and the mails cross the network in clear text"
            ));
        }
        mailbox.title = title;
        Ok(mailbox)
    }

    /// Logs in over a channel on which the conversation has come so far.
    fn start(
        channel: Box<dyn Channel>,
        stage: Stage,
        server: &str,
        credentials: Credentials,
        limits: Limits,
        trace: Trace,
    ) -> Result<Self, Error> {
        let mut session = Session::new(channel, AHEAD, server, trace);
        // A server may know them from an earlier attempt.
        session.hide(&credentials);
        let known = opening::open(&mut session, stage)?;
        login::log_in(&mut session, credentials, known.as_ref())?;
        let mut warnings = Vec::new();
        let roll = Roll::ask(&mut session, known.as_ref(), &mut warnings)?;
        let mut mailbox = Self {
            session,
            title: String::new(),
            warnings,
            limits,
            roll,
            top: None,
            pipelining: false,
            may_tell_more: known.is_some(),
            heads: Cache::new(HEADS),
            kept: Cache::new(KEPT),
        };
        mailbox.learn(known);
        Ok(mailbox)
    }

    /// What the caller should know about the server, each a line for the job output.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn learn(&mut self, known: Option<Capabilities>) {
        let has = |name| known.as_ref().is_some_and(|own| own.has(name));
        self.top = has("TOP").then_some(true).or(self.top);
        self.pipelining |= has("PIPELINING");
    }

    /// What a server can do may be more after the log-in (RFC 2449, section 5). Worth a question
    /// only before many commands.
    fn look_for_pipelining(&mut self, commands: usize) -> Result<(), Error> {
        if !self.pipelining && self.may_tell_more && commands >= MANY {
            self.may_tell_more = false;
            let known = opening::capabilities(&mut self.session)?;
            self.learn(known);
        }
        Ok(())
    }

    /// How many commands may be sent at once.
    fn window(&self) -> usize {
        if self.pipelining { WINDOW } else { 1 }
    }

    /// The numbers of these mails. Others exist no longer.
    fn numbers<'m>(&self, ids: impl IntoIterator<Item = &'m MailId>) -> Vec<(MailId, u32)> {
        let numbered = |id: &MailId| Some((id.clone(), self.roll.number(id)?));
        ids.into_iter().filter_map(numbered).collect()
    }

    /// What the server hands out of a mail, as far as it may go on.
    fn data(&mut self, number: u32, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let most = self.most(number);
        let length = self.roll.size(number);
        let read = self.session.data(Some(length), most, take);
        read.map_err(|error| match error {
            Error::Endless {
                server,
                mail: None,
                what,
            } => Error::Endless {
                mail: self.roll.id(number).cloned(),
                server,
                what,
            },
            error => error,
        })
    }

    /// Tells a server that refuses whatever it is asked for from one that refuses a mail.
    fn weigh(&self, refusals: Refusals, asked: usize) -> Result<Refusals, Error> {
        let Refusals { numbers, last } = refusals;
        let (all, many) = (numbers.len() == asked, numbers.len() > REFUSALS);
        match last {
            Some((command, refusal)) if many || all && refusal.code == Code::Passing => {
                Err(self.session.refused(command, refusal))
            }
            last => Ok(Refusals { numbers, last }),
        }
    }

    /// Which of the mails that were refused are no longer there. Costs turns if there are any.
    fn gone(&mut self, refusals: &Refusals) -> Result<HashSet<u32>, Error> {
        let mut gone = HashSet::new();
        for number in &refusals.numbers {
            self.session.send(&[format!("LIST {number}")])?;
            match self.session.verdict("LIST")? {
                Err(refusal) if refusal.code == Code::None => {
                    gone.insert(*number);
                }
                _ => {}
            }
        }
        Ok(gone)
    }
}

/// The mails that a server has refused.
#[derive(Debug, Default)]
struct Refusals {
    numbers: Vec<u32>,
    last: Option<(&'static str, Refusal)>,
}

impl Refusals {
    /// Counts one and gives what it means for the mail.
    fn add(&mut self, number: u32, command: &'static str, refusal: Refusal) -> Fault {
        let fault = refusal.fault();
        self.numbers.push(number);
        self.last = Some((command, refusal));
        fault
    }
}

impl std::fmt::Debug for PopMailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PopMailbox({})", self.title)
    }
}

impl Mailbox for PopMailbox {
    fn describe(&self) -> String {
        self.title.clone()
    }

    fn count(&mut self) -> Result<u64, Error> {
        Ok(self.roll.mails.len() as u64)
    }

    /// All mails: there is no position, so the caller knows which of them it has dealt with.
    fn list(&mut self, _: &Known) -> Result<Listing, Error> {
        self.list_all()
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

    /// Deletes nothing.
    fn delete(&mut self, _: &[MailId]) -> Result<Deletion, Error> {
        Ok(Deletion::default())
    }

    fn close(self: Box<Self>) {
        self.session.close();
    }
}
