//! The records of the journal and the state that they add up to.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::dates::Dates;
use super::notices::{Notice, Notices};
use super::{Looks, MailId, Position};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Record {
    /// The records that follow are about this mailbox.
    Mailbox { name: String },
    /// `LastRunDate` said this when a run began, and not by this program's hand.
    Wish { number: u64, text: String },
    /// This mailbox follows the wish: mails received from `floor` (Unix seconds) on are wanted.
    Follow { wish: u64, floor: Option<i64> },
    /// The event file is staged and about to be moved into MSGIN.
    Intend(Intent),
    /// The mail's part is done, but for the notice that is due now.
    Handled {
        id: MailId,
        seen: Option<Looks>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<Notice>,
    },
    /// The notice is due.
    Notice(Notice),
    /// These notices are about to be sent.
    NoticesGoing { ids: Vec<String> },
    /// It is known what became of a notice: these addresses are left for another attempt.
    NoticeTried { id: String, left: Vec<String> },
    /// A notice was made that counts for this sender (Unix seconds).
    NoticeCounted { sender: String, at: i64 },
    /// The mail, shown to people by this name, failed by itself.
    Failed {
        id: MailId,
        mail: String,
        reason: String,
    },
    /// Mails that were set aside are to be tried again.
    Retry,
    /// A mail was handled that looks like this.
    Seen { seen: Looks },
    /// The mail is to be deleted on the server.
    Doomed { id: MailId },
    /// The mail is deleted, or need not be any more.
    Deleted { id: MailId },
    /// The mail does not exist any more.
    Forgotten { id: MailId },
    /// The mail was not there to be seen for the first time (Unix seconds).
    Absent { id: MailId, at: i64 },
    /// The mail is there again.
    Present { id: MailId },
    /// Everything before this position is dealt with.
    Position { at: Position },
    /// `LastRunDate` is about to be written.
    WritingDate { text: String },
    /// `LastRunDate` has been written.
    DateWritten { text: String },
}

/// An event file on its way into MSGIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The mail.
    pub id: MailId,
    /// Where its event file is staged.
    pub file: String,
    /// The mail is to be deleted on the server afterwards.
    pub delete: bool,
    /// How to recognise the mail under another number.
    pub seen: Option<Looks>,
    /// The notice that is due when the event file is in MSGIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// A mail that failed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The mail's name for people.
    pub mail: String,
    /// In how many runs.
    pub runs: u32,
    /// Why, the last time.
    pub reason: String,
}

/// A mail that failed in so many runs is set aside.
const ATTEMPTS: u32 = 5;

/// Fingerprints are kept for this long before the newest one, in seconds.
const MEMORY: i64 = 2 * 24 * 60 * 60;

/// And no more than so many of them.
const MOST_FINGERPRINTS: usize = 50_000;

/// What is known of one mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// How far the mailbox has been read.
    pub position: Option<Position>,
    /// Mails received before this time are not wanted.
    pub floor: Option<DateTime<Utc>>,
    /// With how to recognise the mail under another number, where its id may change.
    handled: BTreeMap<MailId, Option<Looks>>,
    intents: BTreeMap<MailId, Intent>,
    failed: BTreeMap<MailId, Failure>,
    doomed: BTreeSet<MailId>,
    absent: BTreeMap<MailId, i64>,
    seen: BTreeSet<Looks>,
    followed: u64,
}

impl State {
    /// Whether this mail's part is done.
    #[must_use]
    pub fn is_handled(&self, id: &MailId) -> bool {
        self.handled.contains_key(id)
    }

    /// Event files that were staged and perhaps not moved.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    /// Mails that failed and are to be looked at again.
    pub fn failures(&self) -> impl Iterator<Item = (&MailId, &Failure)> {
        self.failed
            .iter()
            .filter(|(_, failure)| failure.runs < ATTEMPTS)
    }

    /// Mails that failed too often and are left alone.
    pub fn set_aside(&self) -> impl Iterator<Item = (&MailId, &Failure)> {
        self.failed
            .iter()
            .filter(|(_, failure)| failure.runs >= ATTEMPTS)
    }

    /// Whether this mail failed too often.
    #[must_use]
    pub fn is_set_aside(&self, id: &MailId) -> bool {
        self.failed
            .get(id)
            .is_some_and(|failure| failure.runs >= ATTEMPTS)
    }

    /// The latest mails that were handled, under whatever number, and all those that are
    /// remembered one by one.
    #[must_use]
    pub fn seen(&self) -> BTreeSet<Looks> {
        let remembered = self.handled.values().flatten();
        self.seen.iter().chain(remembered).cloned().collect()
    }

    /// When the newest mail that was handled was received, in Unix seconds.
    #[must_use]
    pub fn newest_seen(&self) -> Option<i64> {
        self.seen.last().map(Looks::received)
    }

    /// Mails to delete on the server.
    pub fn doomed(&self) -> impl Iterator<Item = &MailId> {
        self.doomed.iter()
    }

    /// Mails that are remembered one by one.
    pub fn ids(&self) -> impl Iterator<Item = &MailId> {
        self.handled.keys()
    }

    /// How those among them are recognised under another number.
    pub fn looks(&self) -> impl Iterator<Item = (&MailId, &Looks)> {
        let look = |(id, look)| Some((id, Option::as_ref(look)?));
        self.handled.iter().filter_map(look)
    }

    /// Since when (Unix seconds) a mail that is remembered has not been there to be seen.
    #[must_use]
    pub fn absent_since(&self, id: &MailId) -> Option<i64> {
        self.absent.get(id).copied()
    }

    /// The number of the wish that was followed last; zero for a mailbox that has followed none.
    #[must_use]
    pub fn followed(&self) -> u64 {
        self.followed
    }

    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Mailbox { .. }
            | Record::Notice(_)
            | Record::NoticesGoing { .. }
            | Record::NoticeTried { .. }
            | Record::NoticeCounted { .. }
            | Record::Wish { .. }
            | Record::WritingDate { .. }
            | Record::DateWritten { .. } => {}
            Record::Follow { wish, floor } => {
                // The first wish asks for nothing again. What is under way goes on in any case.
                if self.followed > 0 {
                    *self = Self {
                        intents: std::mem::take(&mut self.intents),
                        doomed: std::mem::take(&mut self.doomed),
                        ..Self::default()
                    };
                }
                self.followed = *wish;
                self.floor = floor.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            }
            Record::Intend(intent) => {
                self.intents.insert(intent.id.clone(), intent.clone());
            }
            Record::Handled { id, seen, .. } => {
                self.intents.remove(id);
                self.failed.remove(id);
                self.absent.remove(id);
                self.handled.insert(id.clone(), seen.clone());
                self.seen.extend(seen.clone());
                self.drop_old_looks();
            }
            Record::Failed { id, mail, reason } => {
                let runs = self.failed.get(id).map_or(0, |failure| failure.runs) + 1;
                let failure = Failure {
                    mail: mail.clone(),
                    runs,
                    reason: reason.clone(),
                };
                self.failed.insert(id.clone(), failure);
            }
            // They have one run again, the one that will show whether anything has changed.
            Record::Retry => {
                for failure in self.failed.values_mut() {
                    failure.runs = 1;
                }
            }
            Record::Seen { seen } => {
                self.seen.insert(seen.clone());
                self.drop_old_looks();
            }
            Record::Doomed { id } => {
                self.doomed.insert(id.clone());
            }
            Record::Deleted { id } => {
                self.doomed.remove(id);
            }
            Record::Forgotten { id } => {
                self.handled.remove(id);
                self.failed.remove(id);
                self.doomed.remove(id);
                self.absent.remove(id);
            }
            Record::Absent { id, at } => {
                self.absent.insert(id.clone(), *at);
            }
            Record::Present { id } => {
                self.absent.remove(id);
            }
            Record::Position { at } => {
                self.position = Some(at.clone());
                self.handled.clear();
                self.absent.clear();
            }
        }
    }

    fn drop_old_looks(&mut self) {
        let newest = self.seen.last().map_or(0, Looks::received);
        while self.seen.len() > MOST_FINGERPRINTS
            || self
                .seen
                .first()
                .is_some_and(|first| first.received() < newest - MEMORY)
        {
            self.seen.pop_first();
        }
    }

    /// The records that add up to this state.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        if self.followed > 0 {
            let floor = self.floor.map(|time| time.timestamp());
            records.push(Record::Follow {
                wish: self.followed,
                floor,
            });
        }
        records.extend(
            self.position
                .iter()
                .map(|at| Record::Position { at: at.clone() }),
        );
        records.extend(self.handled.iter().map(|(id, seen)| Record::Handled {
            id: id.clone(),
            seen: seen.clone(),
            notice: None,
        }));
        let absent = self.absent.iter().map(|(id, at)| Record::Absent {
            id: id.clone(),
            at: *at,
        });
        records.extend(absent);
        records.extend(self.intents.values().cloned().map(Record::Intend));
        records.extend(
            self.doomed
                .iter()
                .map(|id| Record::Doomed { id: id.clone() }),
        );
        for (id, failure) in &self.failed {
            let Failure { mail, runs, reason } = failure;
            let record = Record::Failed {
                id: id.clone(),
                mail: mail.clone(),
                reason: reason.clone(),
            };
            records.extend(std::iter::repeat_n(
                record,
                usize::try_from(*runs).unwrap_or(1),
            ));
        }
        let seen = self
            .seen
            .iter()
            .map(|seen| Record::Seen { seen: seen.clone() });
        records.extend(seen);
        records
    }
}

/// Everything that the records of a journal add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) dates: Dates,
    pub(super) notices: Notices,
    pub(super) mailboxes: BTreeMap<String, State>,
}

impl Memory {
    /// Adds the records up.
    pub(super) fn of(records: &[Record]) -> Self {
        let mut memory = Self::default();
        let mut current = String::new();
        for record in records {
            if let Record::Mailbox { name } = record {
                current.clone_from(name);
            }
            memory.apply(&current, record);
        }
        memory
    }

    /// Adds a record of this mailbox.
    pub(super) fn apply(&mut self, mailbox: &str, record: &Record) {
        self.dates.apply(record);
        self.notices.apply(record);
        self.mailboxes
            .entry(mailbox.to_owned())
            .or_default()
            .apply(record);
    }

    /// The records that add up to this.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = self.dates.records();
        records.extend(self.notices.records());
        for (name, state) in self
            .mailboxes
            .iter()
            .filter(|(_, state)| **state != State::default())
        {
            records.push(Record::Mailbox { name: name.clone() });
            records.extend(state.records());
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = Record> {
        let id = || "[a-c]".prop_map(MailId::new);
        let text = || "[xy]";
        let notice = || {
            (text(), 0i64..9, proptest::option::of(text())).prop_map(|(id, at, counts_for)| {
                Notice {
                    id,
                    to: vec!["a".into()],
                    subject: String::new(),
                    body: String::new(),
                    answers: None,
                    at: at * 1000,
                    counts_for,
                    tries: 0,
                }
            })
        };
        prop_oneof![
            (1u64..9, proptest::option::of(0i64..9))
                .prop_map(|(wish, floor)| Record::Follow { wish, floor }),
            (1u64..9, text()).prop_map(|(number, text)| Record::Wish { number, text }),
            text().prop_map(|name| Record::Mailbox { name: name.clone() }),
            (id(), text(), any::<bool>()).prop_map(|(id, file, delete)| Record::Intend(Intent {
                id,
                file,
                delete,
                seen: None,
                notice: None
            })),
            (
                id(),
                proptest::option::of(0i64..9),
                proptest::option::of(notice())
            )
                .prop_map(|(id, at, notice)| Record::Handled {
                    id,
                    seen: at.map(|at| Looks::new(DateTime::from_timestamp(at, 0).unwrap(), "m")),
                    notice,
                }),
            proptest::collection::vec(text(), 0..3).prop_map(|ids| Record::NoticesGoing { ids }),
            (text(), proptest::collection::vec(text(), 0..2))
                .prop_map(|(id, left)| Record::NoticeTried { id, left }),
            Just(Record::Retry),
            (id(), text()).prop_map(|(id, reason)| Record::Failed {
                id,
                mail: "m".into(),
                reason
            }),
            id().prop_map(|id| Record::Doomed { id }),
            id().prop_map(|id| Record::Deleted { id }),
            id().prop_map(|id| Record::Forgotten { id }),
            (id(), 0i64..9).prop_map(|(id, at)| Record::Absent { id, at }),
            id().prop_map(|id| Record::Present { id }),
            text().prop_map(|text| Record::Position {
                at: Position::new(text)
            }),
            text().prop_map(|text| Record::WritingDate { text }),
            text().prop_map(|text| Record::DateWritten { text }),
        ]
    }

    proptest! {
        /// Compaction loses nothing.
        #[test]
        fn a_state_is_the_sum_of_its_records(records in proptest::collection::vec(record(), 0..30)) {
            // A date is only ever written after a wish was noted.
            let first = Record::Wish { number: 1, text: "x".into() };
            let records: Vec<Record> = std::iter::once(first).chain(records).collect();
            let mut memory = Memory::of(&records);
            memory.mailboxes.retain(|_, state| *state != State::default());
            let mut again = Memory::of(&memory.records());
            again.mailboxes.retain(|_, state| *state != State::default());
            prop_assert_eq!(again, memory);
        }
    }
}
