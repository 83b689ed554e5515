//! What was handled: crash-safe memory of the mails of one INI file, and the lock that lets one run
//! at a time use it.
//!
//! An append-only file of records with checksums (`file`), replayed at start into a [`State`] for
//! each mailbox. What must survive a power cut before the next step is synced by the call that says
//! so; everything else rides along with the next sync.

use std::collections::HashSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

mod dates;
mod file;
mod identity;
mod lock;
mod notices;
mod state;

pub use dates::Dates;
pub use identity::{Looks, MailId, Position};
pub use notices::{Notice, Notices};
pub use state::{Failure, Intent, State};

use crate::durable;
use file::JournalFile;
use lock::Lock;
use state::{Memory, Record};

/// How long a mail may be absent before it is forgotten.
const ABSENCE: TimeDelta = TimeDelta::days(30);

/// The journal of one INI file, opened for one mailbox and locked for this run.
#[derive(Debug)]
pub struct Journal {
    file: JournalFile,
    mailbox: String,
    memory: Memory,
    /// Records not yet written.
    pending: Vec<Record>,
    /// How often records were made durable.
    writes: usize,
    _lock: Lock,
}

/// What a journal says, for those who change nothing.
#[derive(Debug)]
pub struct Peeked {
    /// Of the mailbox.
    pub state: State,
    /// Of `LastRunDate`.
    pub dates: Dates,
    /// Of notices.
    pub notices: Notices,
}

/// The journal can't be used; the run stops before it has touched anything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another run holds the lock.
    #[error(
        "another run is using {folder}{holder}. This run ends; the next scheduled one will look at the mails"
    )]
    Locked {
        /// The state folder.
        folder: String,
        /// By whom and since when, where that is known.
        holder: String,
    },
    /// A record in the middle of the file is damaged.
    #[error(
        "{path} is damaged in line {line}. Restore it from a backup, or move it away: then the mails received since LastRunDate \
         are looked at again, and those already handled write their events once more"
    )]
    Damaged {
        /// The file.
        path: String,
        /// The line.
        line: usize,
    },
    /// A record that this version does not know.
    #[error(
        "{path} was written by another version of this program (line {line}). Use that version, or move the file away as for a damaged one (README, Files)"
    )]
    Version {
        /// The file.
        path: String,
        /// The line.
        line: usize,
    },
    /// A file of the state folder can't be used.
    #[error("can't {what} {path}: {cause}")]
    File {
        /// "read", "write", …
        what: &'static str,
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

impl Error {
    fn file(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |cause| Self::File { what, path, cause }
    }
}

impl Journal {
    /// Takes the lock and reads the journal in the state folder, which is made when it is missing.
    pub fn open(folder: &Path, mailbox: &str, now: DateTime<Utc>) -> Result<Self, Error> {
        make_folder(folder).map_err(Error::file("make the state folder", folder))?;
        let lock = Lock::take(folder, now)?;
        let path = folder.join("journal");
        durable::clear_replacements(&path).map_err(Error::file("clear the folder of", &path))?;
        let (file, records) = JournalFile::open(path)?;
        let mut journal = Self {
            file,
            mailbox: mailbox.to_owned(),
            memory: Memory::of(&records),
            pending: Vec::new(),
            writes: 0,
            _lock: lock,
        };
        journal.compact(records.len())?;
        Ok(journal)
    }

    /// Reads the journal without taking the lock and without changing anything; for `--explain`.
    pub fn peek(folder: &Path, mailbox: &str) -> Result<Peeked, Error> {
        let records = JournalFile::peek(&folder.join("journal"))?;
        let mut memory = Memory::of(&records);
        Ok(Peeked {
            state: memory.mailboxes.remove(mailbox).unwrap_or_default(),
            dates: memory.dates,
            notices: memory.notices,
        })
    }

    /// What is known of this mailbox.
    #[must_use]
    pub fn state(&self) -> &State {
        static EMPTY: std::sync::LazyLock<State> = std::sync::LazyLock::new(State::default);
        self.memory.mailboxes.get(&self.mailbox).unwrap_or(&EMPTY)
    }

    /// What is known of `LastRunDate`.
    #[must_use]
    pub fn dates(&self) -> &Dates {
        &self.memory.dates
    }

    /// `LastRunDate` holds somebody's wish: every mailbox is to look again at what it asks for.
    pub fn wish(&mut self, text: &str) {
        let number = self.dates().wishes() + 1;
        self.add(Record::Wish {
            number,
            text: text.to_owned(),
        });
    }

    /// This mailbox follows the latest wish: mails received from this time on are wanted, and what
    /// was handled is forgotten, unless it is the first wish that the mailbox follows. Durable on
    /// return.
    pub fn follow(&mut self, floor: Option<DateTime<Utc>>) -> Result<(), Error> {
        let wish = self.dates().wishes();
        self.add(Record::Follow {
            wish,
            floor: floor.map(|time| time.timestamp()),
        });
        self.sync()
    }

    /// These event files are staged and about to be moved into MSGIN. Durable on return.
    pub fn intend<'a>(
        &mut self,
        intents: impl IntoIterator<Item = &'a Intent>,
    ) -> Result<(), Error> {
        for intent in intents {
            self.add(Record::Intend(intent.clone()));
        }
        self.sync()
    }

    /// What interrupted runs had intended, on this mailbox and on the others of the INI file, which
    /// share a staging folder: each with its mailbox's name.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(String, Intent)> {
        let of_mailbox = |(name, state): (&String, &State)| {
            let intents = state.intents().map(|intent| (name.clone(), intent.clone()));
            intents.collect::<Vec<_>>()
        };
        self.memory.mailboxes.iter().flat_map(of_mailbox).collect()
    }

    /// The event file of an intent of that mailbox is in MSGIN: the mail's part is done.
    pub fn finish(&mut self, mailbox: &str, intent: Intent) {
        let Intent {
            id,
            delete,
            seen,
            notice,
            ..
        } = intent;
        self.add_to(
            mailbox,
            Record::Handled {
                id: id.clone(),
                seen,
                notice,
            },
        );
        if delete {
            self.add_to(mailbox, Record::Doomed { id });
        }
    }

    /// This mail's part is done: its event file is in MSGIN, or it had none to write. `seen` tells
    /// how to recognise it under another number; the notice is due from now on.
    pub fn handled(&mut self, id: &MailId, seen: Option<Looks>, notice: Option<Notice>) {
        self.add(Record::Handled {
            id: id.clone(),
            seen,
            notice,
        });
    }

    /// What is known of notices.
    #[must_use]
    pub fn notices(&self) -> &Notices {
        &self.memory.notices
    }

    /// These notices are about to be sent. Durable on return: whatever happens now, none of them is
    /// sent again before it is known what became of it.
    pub fn notices_going(&mut self, ids: Vec<String>) -> Result<(), Error> {
        self.add(Record::NoticesGoing { ids });
        self.sync()
    }

    /// It is known what became of a notice: these addresses are left for another attempt.
    pub fn notice_tried(&mut self, id: &str, left: Vec<String>) {
        let id = id.to_owned();
        self.add(Record::NoticeTried { id, left });
    }

    /// This mail, shown to people by this name, failed by itself and will be looked at again, but
    /// not for ever.
    pub fn failed(&mut self, id: &MailId, mail: &str, reason: &str) {
        let (mail, reason) = (mail.to_owned(), reason.to_owned());
        self.add(Record::Failed {
            id: id.clone(),
            mail,
            reason,
        });
    }

    /// Mails that were set aside are to be tried again.
    pub fn retry(&mut self) {
        self.add(Record::Retry);
    }

    /// This mail is to be deleted on the server.
    pub fn doom(&mut self, id: &MailId) {
        self.add(Record::Doomed { id: id.clone() });
    }

    /// These mails are gone from the server, or will not be deleted after all.
    pub fn deleted<'a>(&mut self, ids: impl IntoIterator<Item = &'a MailId>) {
        for id in ids {
            self.add(Record::Deleted { id: id.clone() });
        }
    }

    /// Every mail before this position is dealt with (but those that failed).
    pub fn advance(&mut self, position: &Position) {
        if self.state().position.as_ref() != Some(position) {
            self.add(Record::Position {
                at: position.clone(),
            });
        }
    }

    /// These are the mails that exist now. Others are forgotten, but not before they have been
    /// absent for a while: a file that another program is moving, or a disk that is not mounted,
    /// comes back.
    pub fn retain(&mut self, existing: &[MailId], now: DateTime<Utc>) {
        let existing: HashSet<_> = existing.iter().collect();
        let mut changes = Vec::new();
        for id in self.state().ids() {
            let id = id.clone();
            match (existing.contains(&id), self.state().absent_since(&id)) {
                (true, None) => {}
                (true, Some(_)) => changes.push(Record::Present { id }),
                (false, None) => changes.push(Record::Absent {
                    id,
                    at: now.timestamp(),
                }),
                (false, Some(since)) if now.timestamp() - since > ABSENCE.num_seconds() => {
                    changes.push(Record::Forgotten { id });
                }
                (false, Some(_)) => {}
            }
        }
        changes.into_iter().for_each(|record| self.add(record));
    }

    /// These mails do not exist any more.
    pub fn forget(&mut self, gone: &[MailId]) {
        for id in gone {
            self.add(Record::Forgotten { id: id.clone() });
        }
    }

    /// `LastRunDate` is about to be written with this text. Durable on return, so that the text is
    /// known for ours when it is read back, whatever happens in between.
    pub fn writing_date(&mut self, text: &str) -> Result<(), Error> {
        self.add(Record::WritingDate {
            text: text.to_owned(),
        });
        self.sync()
    }

    /// `LastRunDate` has been written.
    pub fn date_written(&mut self, text: &str) {
        self.add(Record::DateWritten {
            text: text.to_owned(),
        });
    }

    /// Makes everything so far durable. Costs nothing when there is nothing new.
    pub fn sync(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.pending);
        self.writes += 1;
        self.file.append(&records)
    }

    /// How many durable writes this run has cost.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.writes
    }

    fn add(&mut self, record: Record) {
        let mailbox = self.mailbox.clone();
        self.add_to(&mailbox, record);
    }

    fn add_to(&mut self, mailbox: &str, record: Record) {
        if self.file.current_mailbox() != Some(mailbox) {
            let heading = Record::Mailbox {
                name: mailbox.to_owned(),
            };
            self.file.set_current_mailbox(mailbox);
            self.pending.push(heading);
        }
        self.memory.apply(mailbox, &record);
        self.pending.push(record);
    }

    /// Rewrites the file when most of its records are history.
    fn compact(&mut self, records: usize) -> Result<(), Error> {
        let live = self.memory.records();
        if records > 2 * live.len() + 1000 {
            self.file.rewrite(&live)?;
        }
        Ok(())
    }
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests;
