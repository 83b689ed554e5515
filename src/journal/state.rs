//! The records of the journal and the state that they add up to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{MailId, Position};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Record {
    /// The records that follow are about this mailbox.
    Mailbox { name: String },
    /// Look at everything from `floor` (Unix seconds) on; `LastRunDate` said `text`.
    Rewind { text: String, floor: Option<i64> },
    /// The event file is staged and about to be moved into MSGIN.
    Intend(Intent),
    /// The mail's part is done.
    Handled { id: MailId },
    /// The mail failed by itself.
    Failed { id: MailId, reason: String },
    /// The mail is to be deleted on the server.
    Doomed { id: MailId },
    /// The mail is deleted, or need not be any more.
    Deleted { id: MailId },
    /// The mail does not exist any more.
    Forgotten { id: MailId },
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
}

/// A mail that failed by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In how many runs.
    pub runs: u32,
    /// Why, the last time.
    pub reason: String,
}

/// What is known of one mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// How far the mailbox has been read.
    pub position: Option<Position>,
    /// Mails received before this time are not wanted.
    pub floor: Option<DateTime<Utc>>,
    handled: BTreeSet<MailId>,
    intents: BTreeMap<MailId, Intent>,
    failed: BTreeMap<MailId, Failure>,
    doomed: BTreeSet<MailId>,
    /// The texts of `LastRunDate` that are our own.
    dates: Vec<String>,
}

impl State {
    /// Whether this mail's part is done.
    #[must_use]
    pub fn is_handled(&self, id: &MailId) -> bool {
        self.handled.contains(id)
    }

    /// Event files that were staged and perhaps not moved.
    pub fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    /// Mails to look at again.
    pub fn failures(&self) -> impl Iterator<Item = (&MailId, &Failure)> {
        self.failed.iter()
    }

    /// Mails to delete on the server.
    pub fn doomed(&self) -> impl Iterator<Item = &MailId> {
        self.doomed.iter()
    }

    /// Mails that are remembered one by one.
    pub fn ids(&self) -> impl Iterator<Item = &MailId> {
        self.handled.iter()
    }

    /// Whether `LastRunDate` still says what this program wrote there (or took note of).
    #[must_use]
    pub fn is_our_date(&self, text: &str) -> bool {
        self.dates.iter().any(|date| date == text)
    }

    /// Whether `LastRunDate` was ever taken note of.
    #[must_use]
    pub fn has_date(&self) -> bool {
        !self.dates.is_empty()
    }

    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Mailbox { .. } => {}
            Record::Rewind { text, floor } => {
                *self = Self {
                    floor: floor.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
                    dates: vec![text.clone()],
                    // What is under way has nothing to do with what the user wants to see again.
                    intents: std::mem::take(&mut self.intents),
                    doomed: std::mem::take(&mut self.doomed),
                    ..Self::default()
                };
            }
            Record::Intend(intent) => {
                self.intents.insert(intent.id.clone(), intent.clone());
            }
            Record::Handled { id } => {
                self.intents.remove(id);
                self.failed.remove(id);
                self.handled.insert(id.clone());
            }
            Record::Failed { id, reason } => {
                let runs = self.failed.get(id).map_or(0, |failure| failure.runs) + 1;
                self.failed.insert(
                    id.clone(),
                    Failure {
                        runs,
                        reason: reason.clone(),
                    },
                );
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
            }
            Record::Position { at } => {
                self.position = Some(at.clone());
                self.handled.clear();
            }
            Record::WritingDate { text } => self.dates.push(text.clone()),
            Record::DateWritten { text } => self.dates = vec![text.clone()],
        }
    }

    /// The records that add up to this state.
    pub(super) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        if let Some((first, more)) = self.dates.split_first() {
            records.push(Record::Rewind {
                text: first.clone(),
                floor: self.floor.map(|time| time.timestamp()),
            });
            records.extend(
                more.iter()
                    .map(|text| Record::WritingDate { text: text.clone() }),
            );
        }
        records.extend(
            self.position
                .iter()
                .map(|at| Record::Position { at: at.clone() }),
        );
        records.extend(
            self.handled
                .iter()
                .map(|id| Record::Handled { id: id.clone() }),
        );
        records.extend(self.intents.values().cloned().map(Record::Intend));
        records.extend(
            self.doomed
                .iter()
                .map(|id| Record::Doomed { id: id.clone() }),
        );
        for (id, failure) in &self.failed {
            let record = Record::Failed {
                id: id.clone(),
                reason: failure.reason.clone(),
            };
            records.extend(std::iter::repeat_n(
                record,
                usize::try_from(failure.runs).unwrap_or(1),
            ));
        }
        records
    }
}

/// Adds the records up, mailbox by mailbox.
pub(super) fn replay(records: &[Record]) -> HashMap<String, State> {
    let mut states: HashMap<String, State> = HashMap::new();
    let mut current = String::new();
    for record in records {
        if let Record::Mailbox { name } = record {
            current.clone_from(name);
        }
        states.entry(current.clone()).or_default().apply(record);
    }
    states
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = Record> {
        let id = || "[a-c]".prop_map(MailId::new);
        let text = || "[xy]";
        prop_oneof![
            (text(), proptest::option::of(0i64..9))
                .prop_map(|(text, floor)| Record::Rewind { text, floor }),
            (id(), text(), any::<bool>()).prop_map(|(id, file, delete)| Record::Intend(Intent {
                id,
                file,
                delete
            })),
            id().prop_map(|id| Record::Handled { id }),
            (id(), text()).prop_map(|(id, reason)| Record::Failed { id, reason }),
            id().prop_map(|id| Record::Doomed { id }),
            id().prop_map(|id| Record::Deleted { id }),
            id().prop_map(|id| Record::Forgotten { id }),
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
            let mut state = State::default();
            // The first thing a run notes is the date it found.
            state.apply(&Record::Rewind { text: "x".into(), floor: None });
            records.iter().for_each(|record| state.apply(record));
            let mut again = State::default();
            state.records().iter().for_each(|record| again.apply(record));
            prop_assert_eq!(again, state);
        }
    }
}
