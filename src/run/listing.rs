//! What is new in the mailbox: its own answer, held against what the journal knows.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::output::Output;
use super::recognise::{Handled, is_new};
use super::report::count;
use crate::audit::clean::one_line;
use crate::config::LastRun;
use crate::journal::{Journal, State};
use crate::mailbox::{Known, Listing, MailId, Mailbox};

/// How far before the newest known mail a mailbox is read that has numbered its mails anew.
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// How a mailbox names its mails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Naming {
    /// By number: a position covers those that were dealt with. Otherwise each of them has to be
    /// remembered.
    pub(super) by_position: bool,
    /// A mail has the same name for ever.
    pub(super) lasting: bool,
}

/// The mails of this run.
#[derive(Debug)]
pub(super) struct Fresh {
    /// Those to look at, in order.
    pub(super) ids: Vec<MailId>,
    /// Mails received before this time are passed over.
    pub(super) since: Option<DateTime<Utc>>,
    /// Mails that were handled, perhaps under another name.
    pub(super) handled: Handled,
    listing: Listing,
}

impl Fresh {
    /// Asks the mailbox.
    pub(super) fn ask(
        last_run: &LastRun,
        journal: &mut Journal,
        mailbox: &mut dyn Mailbox,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let state = journal.state();
        let (floor, date) = match last_run {
            LastRun::Used { time, .. } => (state.floor, *time),
            LastRun::Unused => (None, None),
        };
        let since_if_void = since_if_void(floor, date, state);
        let known = Known {
            position: state.position.clone(),
            again: state.failures().map(|(id, _)| id.clone()).collect(),
            since: floor,
            since_if_void,
        };
        let listing = mailbox.list(&known)?;
        let since = match &listing.void {
            None => floor,
            Some(why) => {
                let since = since_if_void.map_or_else(String::new, |time| {
                    format!(" received since {}", crate::clock::stamp::format(time))
                });
                output.warning(&format!(
                    "{}: mails{since} are looked at, except those whose Message-ID and time of receipt are known",
                    one_line(why)
                ));
                since_if_void
            }
        };
        let ids = listing
            .ids
            .iter()
            .filter(|id| is_new(state, &listing, id) && !state.is_set_aside(id))
            .cloned()
            .collect();
        let handled = Handled::of(state, &listing);
        let fresh = Self {
            ids,
            since,
            handled,
            listing,
        };
        fresh.forget_vanished(journal, output);
        Ok(fresh)
    }

    /// How the mailbox names its mails.
    pub(super) fn naming(&self) -> Naming {
        Naming {
            by_position: self.listing.position.is_some(),
            lasting: self.listing.lasting,
        }
    }

    /// Every mail is dealt with: the next run need not be told of them again.
    pub(super) fn done(&self, journal: &mut Journal, now: DateTime<Utc>) {
        match &self.listing.position {
            Some(position) => journal.advance(position),
            None => journal.retain(&self.listing.ids, now),
        }
    }

    /// Drops the failures of mails that somebody else has removed.
    fn forget_vanished(&self, journal: &mut Journal, output: &Output) {
        let existing: HashSet<&MailId> = self.listing.ids.iter().collect();
        let state = journal.state();
        // A position does not list what was set aside.
        let lists_all = self.listing.position.is_none();
        let set_aside = state.set_aside().filter(|_| lists_all);
        let vanished: Vec<MailId> = state
            .failures()
            .chain(set_aside)
            .map(|(id, _)| id)
            .filter(|id| !existing.contains(id))
            .cloned()
            .collect();
        if self.listing.void.is_some() && !vanished.is_empty() {
            output.warning(&format!(
                "{} that had failed can't be found under their old numbers; older ones than the above are not tried again",
                count(vanished.len(), "mail")
            ));
        }
        journal.forget(&vanished);
    }
}

/// From when on mails are looked at when their numbers mean nothing any more: from a day before the
/// newest one that is known by its looks, or else from `LastRunDate`; but never from before the
/// floor.
fn since_if_void(
    floor: Option<DateTime<Utc>>,
    date: Option<DateTime<Utc>>,
    state: &State,
) -> Option<DateTime<Utc>> {
    let newest = state.newest_seen();
    let newest = newest.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let known = newest.map(|time| date.map_or(time, |date| date.min(time)) - OVERLAP);
    known.or(date).max(floor)
}
