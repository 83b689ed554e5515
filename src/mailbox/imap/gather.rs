//! FETCH for many mails, so that one mail that the server can't deliver is that mail's
//! fault alone.

use std::collections::{BTreeMap, VecDeque};

use super::ImapMailbox;
use super::fetch::Fetched;
use super::filter::Plan;
use super::response::Bounds;
use super::session::Answer;
use super::uid_set::UidSet;
use crate::mailbox::{Error, Fault};

/// After so many refusals in one call the server, not a mail, is at fault.
const REFUSALS: usize = 64;

/// Why a mail that exists can't be had.
const LEFT_OUT: &str = "the server left it out of its answer";

/// What came of a FETCH. Mails in neither list exist no longer.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    pub(super) found: BTreeMap<u32, Fetched>,
    pub(super) refused: BTreeMap<u32, Fault>,
}

impl ImapMailbox {
    /// One FETCH. What came before a refusal is given too.
    pub(super) fn fetch_once(
        &mut self,
        uids: &UidSet,
        items: &str,
        bounds: Bounds,
    ) -> Result<(BTreeMap<u32, Fetched>, Answer<()>), Error> {
        let plan = Plan {
            bounds,
            wanted: uids.clone(),
            items: items.to_owned(),
            ..Plan::default()
        };
        let command = format!("UID FETCH {uids} {items}");
        let answer = self.session.ask("FETCH", plan, |engine| {
            engine.run_command_and_check_ok(command)
        })?;
        let found = self
            .session
            .heard(|heard| std::mem::take(&mut heard.fetched));
        Ok((found, answer))
    }

    /// FETCH of named mails. When the server refuses, the mails that it left out are asked
    /// for again in halves until the guilty ones stand alone. When it left mails out of an
    /// answer that it calls complete, a search tells which of them exist: those are faults,
    /// as nothing would ask for them again if they were taken for gone.
    pub(super) fn fetch(
        &mut self,
        uids: &UidSet,
        items: &str,
        bounds: impl Fn(&UidSet) -> Bounds,
    ) -> Result<Harvest, Error> {
        let mut harvest = Harvest::default();
        let mut waiting: VecDeque<UidSet> = uids.commands().into();
        let mut refusals = 0;
        while let Some(set) = waiting.pop_front() {
            let (mut found, answer) = self.fetch_once(&set, items, bounds(&set))?;
            let missing: UidSet = set.iter().filter(|uid| !found.contains_key(uid)).collect();
            harvest.found.append(&mut found);
            let Answer::Refused { code, words } = answer else {
                for uid in self.existing(&missing)? {
                    let fault = Fault::Unreadable(LEFT_OUT.to_owned());
                    harvest.refused.insert(uid, fault);
                }
                continue;
            };
            refusals += 1;
            if refusals > REFUSALS {
                return Err(self.session.refused("FETCH", words));
            }
            match missing.halves() {
                Some((low, high)) => waiting.extend([low, high]),
                // Another client removed it a moment ago (RFC 5530, section 3).
                None if code == "EXPUNGEISSUED" => {}
                None => {
                    let why = format!("the server refuses it: {words}");
                    let refused = missing
                        .iter()
                        .map(|uid| (uid, Fault::Unreadable(why.clone())));
                    harvest.refused.extend(refused);
                }
            }
        }
        Ok(harvest)
    }

    /// Which of these mails exist. Costs a turn if there are any, so it is asked only
    /// where something is amiss.
    pub(super) fn existing(&mut self, uids: &UidSet) -> Result<Vec<u32>, Error> {
        let mut existing = Vec::new();
        for set in uids.commands() {
            let found = self.session.search(&format!("UID {set}"))?;
            existing.extend(found.into_iter().filter(|uid| set.contains(*uid)));
        }
        Ok(existing)
    }
}
