//! A logged-in conversation: commands through the `imap` crate, answers and errors in the
//! terms of a mailbox.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::Access;
use super::filter::{Data, Filter, Heard, Plan, Tap};
use super::response::{Bounds, Failure};
use crate::mailbox::Error;
use crate::net;

/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// Longest list of search results.
const SEARCH: u64 = 64 * 1024 * 1024;

/// A logged-in conversation.
pub(super) struct Session {
    server: String,
    filter: Rc<RefCell<Filter>>,
    engine: imap::Session<Tap>,
}

/// What SELECT tells of a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folder {
    /// Which numbering of the mails.
    pub(super) validity: u32,
    /// The UID that the next mail would get; not every server tells.
    pub(super) next: Option<u32>,
    /// How many mails it held when it was opened.
    pub(super) exists: Option<u32>,
}

impl Folder {
    /// Whether this UID had been given out when the folder was opened. Mails that came
    /// later are left to the next run, whose position is at or below them: a UID that is a
    /// lie would hide all mails to come if the position moved past it.
    pub(super) fn is_counted(&self, uid: u32) -> bool {
        self.next.is_none_or(|next| uid < next)
    }
}

/// The crate's answer when the server said NO or BAD, and our own error otherwise.
pub(super) enum Answer<T> {
    Done(T),
    /// The session goes on.
    Refused {
        /// The response code, in capitals.
        code: String,
        /// The server's words.
        words: String,
    },
}

impl Session {
    pub(super) fn new(
        server: String,
        filter: Rc<RefCell<Filter>>,
        engine: imap::Session<Tap>,
    ) -> Self {
        Self {
            server,
            filter,
            engine,
        }
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Runs a command of the crate. `command` names it in errors.
    pub(super) fn ask<T>(
        &mut self,
        command: &str,
        plan: Plan,
        run: impl FnOnce(&mut imap::Session<Tap>) -> imap::Result<T>,
    ) -> Result<Answer<T>, Error> {
        self.filter.borrow_mut().expect(plan);
        let result = run(&mut self.engine);
        let mut filter = self.filter.borrow_mut();
        match result {
            Ok(value) => Ok(Answer::Done(value)),
            Err(imap::Error::No(_) | imap::Error::Bad(_)) => Ok(Answer::Refused {
                code: filter.heard.code.clone(),
                words: filter.heard.words.clone(),
            }),
            Err(error) => Err(given_up(&self.server, command, &mut filter, &error)),
        }
    }

    /// The same for a command without which the run can't go on.
    pub(super) fn run<T>(
        &mut self,
        command: &str,
        plan: Plan,
        run: impl FnOnce(&mut imap::Session<Tap>) -> imap::Result<T>,
    ) -> Result<T, Error> {
        match self.ask(command, plan, run)? {
            Answer::Done(value) => Ok(value),
            Answer::Refused { words, .. } => Err(self.refused(command, words)),
        }
    }

    pub(super) fn refused(&self, command: &str, words: String) -> Error {
        Error::Refused {
            server: self.server.clone(),
            command: command.to_owned(),
            answer: words,
        }
    }

    /// What the last command made the server say.
    pub(super) fn heard<T>(&self, look: impl FnOnce(&mut Heard) -> T) -> T {
        look(&mut self.filter.borrow_mut().heard)
    }

    /// Opens a folder.
    pub(super) fn select(&mut self, folder: &str, access: Access) -> Result<Folder, Error> {
        let plan = Plan {
            data: Data::Folder,
            ..Plan::default()
        };
        self.heard(|heard| heard.exists = None);
        let (command, told) = match access {
            Access::ReadOnly => (
                "EXAMINE",
                self.run("EXAMINE", plan, |engine| engine.examine(folder))?,
            ),
            Access::ReadWrite => (
                "SELECT",
                self.run("SELECT", plan, |engine| engine.select(folder))?,
            ),
        };
        let validity = told.uid_validity.ok_or_else(|| Error::Protocol {
            server: self.server.clone(),
            command: command.into(),
            what: "it gives no UIDVALIDITY, so mails can't be told apart between runs".into(),
        })?;
        Ok(Folder {
            validity,
            next: told.uid_next,
            exists: self
                .heard(|heard| heard.exists.is_some())
                .then_some(told.exists),
        })
    }

    /// Numbers of a folder that need not be selected, by their names in capitals.
    pub(super) fn status(&mut self, folder: &str) -> Result<Vec<(Vec<u8>, u32)>, Error> {
        let folder = quoted(folder);
        let command = format!("STATUS {folder} (MESSAGES UIDVALIDITY UIDNEXT)");
        self.run("STATUS", Plan::default(), |engine| {
            engine.run_command_and_check_ok(command)
        })?;
        Ok(self.heard(|heard| std::mem::take(&mut heard.status)))
    }

    /// The UIDs that match, ascending.
    pub(super) fn search(&mut self, query: &str) -> Result<Vec<u32>, Error> {
        let plan = Plan {
            bounds: Bounds {
                total: SEARCH,
                ..Bounds::default()
            },
            data: Data::Search,
            ..Plan::default()
        };
        let found = self.run("SEARCH", plan, |engine| engine.uid_search(query))?;
        let mut uids: Vec<u32> = found.into_iter().collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// Whether the server has an extension, named in capitals. Asks if it never said.
    pub(super) fn can(&mut self, capability: &str) -> Result<bool, Error> {
        if self.heard(|heard| heard.capabilities.is_none()) {
            self.run("CAPABILITY", Plan::default(), |engine| {
                engine.run_command_and_check_ok("CAPABILITY")
            })?;
        }
        Ok(self.heard(|heard| {
            heard
                .capabilities
                .as_ref()
                .is_some_and(|own| own.has(capability))
        }))
    }

    /// Says good-bye and waits for the answer, but not for long.
    pub(super) fn close(mut self) {
        self.filter.borrow_mut().expect(Plan::default());
        // What goes wrong here hurts nobody.
        let limited = self.filter.borrow_mut().channel().limit(GOOD_BYE);
        if limited.is_ok() {
            let _ = self.engine.logout();
        }
    }
}

/// Why the conversation can't go on, in a mailbox's terms.
pub(super) fn given_up(
    server: &str,
    command: &str,
    filter: &mut Filter,
    error: &imap::Error,
) -> Error {
    filter.give_up();
    let server = server.to_owned();
    let farewell = filter.heard.farewell.take();
    match (filter.failure.take(), farewell) {
        (Some(Failure::Protocol(what)), _) => Error::Protocol {
            server,
            command: command.to_owned(),
            what,
        },
        (_, Some(words)) => Error::Connection(net::Error::Closed { server, words }),
        (Some(Failure::Connection(error)), None) => {
            Error::Connection(net::Error::of_io(&server, error))
        }
        (None, None) => Error::Protocol {
            server,
            command: command.to_owned(),
            what: error.to_string(),
        },
    }
}

/// A folder's name as an argument. `check` has seen to it that it can be one.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
