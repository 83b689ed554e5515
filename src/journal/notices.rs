//! Notices on their way to people, which all mailboxes of an INI file share.
//!
//! A mail server has no commit: between the last byte of a mail and the answer to it nobody can know
//! whether it was taken. So a notice is noted as going out, durably, before its first byte is sent,
//! and what became of it when that is known. One that is still going out when the next run begins may
//! have arrived; it is told of and not sent again. A notice too few is the lesser evil: it says what
//! the log says as well, while a repeated one could come with every run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::state::Record;

/// Within this time (in seconds) the notices to one sender are counted.
const HOUR: i64 = 60 * 60;

/// A notice to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What its Message-ID begins with; no other notice has it.
    pub id: String,
    /// The addresses that are still to get it.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// Message-ID of the mail that it is about, with angle brackets.
    pub answers: Option<String>,
    /// When it was made, in Unix seconds.
    pub at: i64,
    /// The sender whose limit it counts for, in lower case; `None` where there is no limit.
    pub counts_for: Option<String>,
    /// How often it was tried in vain.
    #[serde(default)]
    pub tries: u32,
}

impl Notice {
    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        let texts = [&self.id, &self.subject, &self.body].map(String::len);
        let to: usize = self.to.iter().map(|address| address.len() + 50).sum();
        texts.iter().sum::<usize>() + to + 300
    }
}

/// What is known of notices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// By their names, which sort in the order of their making.
    due: BTreeMap<String, Notice>,
    going: BTreeSet<String>,
    /// When those that count for a sender were made, in Unix seconds, in the hour before the latest.
    times: BTreeMap<String, Vec<i64>>,
    latest: i64,
}

impl Notices {
    /// Those that wait to be sent, the oldest first; but before them those that were tried less
    /// often, so that none is kept back by others that fail again and again.
    pub fn due(&self) -> impl Iterator<Item = &Notice> {
        let waits = |notice: &&Notice| !self.going.contains(&notice.id);
        let mut due: Vec<_> = self.due.values().filter(waits).collect();
        due.sort_by_key(|notice| notice.tries);
        due.into_iter()
    }

    /// Those that were about to be sent when it was last heard of them.
    pub fn going(&self) -> impl Iterator<Item = &Notice> {
        self.going.iter().filter_map(|id| self.due.get(id))
    }

    /// About how much memory those that wait take, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.due.values().map(Notice::cost).sum()
    }

    /// How many notices were made that count for this sender (in lower case), in the hour before
    /// `now` (Unix seconds).
    #[must_use]
    pub fn in_the_last_hour(&self, sender: &str, now: i64) -> usize {
        let times = self.times.get(sender).into_iter().flatten();
        times.filter(|at| **at > now - HOUR && **at <= now).count()
    }

    /// The same for all senders together.
    #[must_use]
    pub fn of_all_in_the_last_hour(&self, now: i64) -> usize {
        let senders = self.times.keys();
        senders
            .map(|sender| self.in_the_last_hour(sender, now))
            .sum()
    }

    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Handled {
                notice: Some(notice),
                ..
            } => {
                if let Some(sender) = &notice.counts_for {
                    self.count(sender, notice.at);
                }
                self.due.insert(notice.id.clone(), notice.clone());
            }
            Record::Notice(notice) => {
                self.due.insert(notice.id.clone(), notice.clone());
            }
            Record::NoticesGoing { ids } => {
                let known = ids.iter().filter(|id| self.due.contains_key(*id));
                self.going.extend(known.cloned());
            }
            Record::NoticeTried { id, left } => {
                self.going.remove(id);
                if left.is_empty() {
                    self.due.remove(id);
                } else if let Some(notice) = self.due.get_mut(id) {
                    notice.to.clone_from(left);
                    notice.tries = notice.tries.saturating_add(1);
                }
            }
            Record::NoticeCounted { sender, at } => self.count(sender, *at),
            _ => {}
        }
    }

    fn count(&mut self, sender: &str, at: i64) {
        if at <= self.latest - HOUR {
            // The clock was set back: what it said before means nothing.
            self.times.clear();
            self.latest = at;
        }
        self.times.entry(sender.to_owned()).or_default().push(at);
        if at > self.latest {
            self.latest = at;
            self.times.retain(|_, times| {
                times.retain(|time| *time > at - HOUR);
                !times.is_empty()
            });
        }
    }

    /// The records that add up to this.
    pub(super) fn records(&self) -> Vec<Record> {
        let counted = self.times.iter().flat_map(|(sender, times)| {
            times.iter().map(|at| Record::NoticeCounted {
                sender: sender.clone(),
                at: *at,
            })
        });
        let due = self.due.values().cloned().map(Record::Notice);
        let going = (!self.going.is_empty()).then(|| Record::NoticesGoing {
            ids: self.going.iter().cloned().collect(),
        });
        counted.chain(due).chain(going).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::MailId;

    fn handled(at: i64, sender: &str) -> Record {
        let notice = Notice {
            id: at.to_string(),
            to: vec!["a@b.test".into(), "c@d.test".into()],
            subject: "s".into(),
            body: "b".into(),
            answers: None,
            at,
            counts_for: Some(sender.into()),
            tries: 0,
        };
        Record::Handled {
            id: MailId::new("1"),
            seen: None,
            notice: Some(notice),
        }
    }

    #[test]
    fn the_hour_moves_on() {
        let mut notices = Notices::default();
        for at in [1000, 2000, 4000] {
            notices.apply(&handled(at, "a"));
        }
        notices.apply(&handled(4000, "b"));
        let count = |now| notices.in_the_last_hour("a", now);
        assert_eq!(
            [3000, 4000, 5599, 5600, 7599, 7600].map(count),
            [2, 3, 2, 1, 1, 0]
        );
        assert_eq!(notices.in_the_last_hour("b", 4000), 1);
        assert_eq!(notices.in_the_last_hour("c", 4000), 0);
        let all = |now| notices.of_all_in_the_last_hour(now);
        assert_eq!([4000, 5600, 7599, 7600].map(all), [4, 2, 2, 0]);
    }

    #[test]
    fn a_clock_that_is_set_back_limits_nobody_for_ever() {
        let mut notices = Notices::default();
        notices.apply(&handled(1_000_000, "a"));
        assert_eq!(notices.in_the_last_hour("a", 5000), 0);
        notices.apply(&handled(5000, "a"));
        assert_eq!(notices.in_the_last_hour("a", 5000), 1);
    }

    #[test]
    fn what_goes_out_is_due_again_only_for_those_left() {
        let mut notices = Notices::default();
        notices.apply(&handled(1, "a"));
        notices.apply(&handled(2, "a"));
        let going = Record::NoticesGoing {
            ids: vec!["1".into(), "unknown".into()],
        };
        notices.apply(&going);
        assert_eq!(notices.due().map(|n| n.at).collect::<Vec<_>>(), [2]);
        assert_eq!(notices.going().map(|n| n.at).collect::<Vec<_>>(), [1]);
        let tried = |left: &[&str]| Record::NoticeTried {
            id: "1".into(),
            left: left.iter().map(|text| (*text).to_owned()).collect(),
        };
        notices.apply(&tried(&["c@d.test"]));
        assert_eq!(notices.going().count(), 0);
        let due: Vec<_> = notices.due().map(|n| (n.at, n.to.len())).collect();
        assert_eq!(due, [(2, 2), (1, 1)], "what has failed goes last");
        notices.apply(&tried(&[]));
        assert_eq!(notices.due().map(|n| n.at).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_notice_of_an_older_version_is_read() {
        let text = r#"{"id":"1","to":["a@b.test"],"subject":"s","body":"b","answers":null,"at":1,"counts_for":null}"#;
        let notice: Notice = serde_json::from_str(text).unwrap();
        assert_eq!((notice.at, notice.tries), (1, 0));
    }
}
