//! What is new: by UIDs, not by flags or clocks (RFC 9051, section 2.3.1.1).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::ImapMailbox;
use super::fetch::Fetched;
use super::position::Mark;
use super::session::{Answer, Folder};
use super::summaries::{self, ITEMS};
use super::uid_set::UidSet;
use crate::mailbox::{Error, Known, Listing};

/// Up to so many mails it is cheaper to fetch the summaries at once than to search first.
const FEW: u32 = 2000;

/// What is to be listed.
struct Search {
    /// Older mails that are wanted again.
    again: UidSet,
    /// The lowest UID that is new; `None` if nothing can be.
    from: Option<u32>,
    since: Option<DateTime<Utc>>,
}

impl ImapMailbox {
    pub(super) fn list_new(&mut self, known: &Known) -> Result<Listing, Error> {
        let position = known.position.as_ref().and_then(Mark::of_position);
        if known.again.is_empty()
            && let Some(mark) = position
            && self.is_still_at(mark)?
        {
            return Ok(Listing {
                position: known.position.clone(),
                ..Listing::default()
            });
        }
        let mut folder = self.select_anew()?;
        let void = match (&known.position, position) {
            (None, _) => None,
            (Some(_), None) => {
                Some("the remembered position is not one of this program's".to_owned())
            }
            (Some(_), Some(mark)) => void(mark, folder),
        };
        let (first, since) = match position {
            Some(mark) if void.is_none() => (self.first_new(mark, &mut folder)?, known.since),
            _ if void.is_some() => (1, known.since_if_void),
            _ => (1, known.since),
        };
        let again = known.again.iter().filter_map(Mark::of_id);
        let exists = folder.exists;
        let has_new = exists != Some(0) && folder.next.is_none_or(|next| first < next);
        let search = Search {
            again: again
                .filter(|mark| mark.validity == folder.validity && mark.uid < first)
                .map(|mark| mark.uid)
                .collect(),
            from: has_new.then_some(first),
            since,
        };
        let few = exists.is_some_and(|count| count <= FEW) && since.is_none();
        let span_is_short = folder
            .next
            .is_some_and(|next| next.saturating_sub(first) <= FEW);
        let at_once = if few || span_is_short {
            self.list_with_summaries(folder, &search)?
        } else {
            None
        };
        let mut uids = match at_once {
            Some(uids) => uids,
            None => self.list_by_search(folder, &search)?,
        };
        let beyond = uids.iter().max().map_or(first, |uid| uid.saturating_add(1));
        if let Some(since) = search.since {
            uids.retain(|uid| *uid < first || !self.is_known_to_be_before(*uid, since));
        }
        let id = |uid| Mark {
            validity: folder.validity,
            uid,
        };
        Ok(Listing {
            ids: uids.into_iter().map(|uid| id(uid).id()).collect(),
            position: Some(id(beyond.max(folder.next.unwrap_or(first))).position()),
            void,
            lasting: false,
        })
    }

    /// The lowest UID that can be new since the position was remembered.
    ///
    /// That is the position, unless the server now counts from a lower number, as after a
    /// restored backup. Servers also do so without having lost anything: they lag behind,
    /// or count from the highest mail that is left. So what exists decides: a number is
    /// new again only if no mail bears it that was there when the folder was opened.
    fn first_new(&mut self, mark: Mark, folder: &mut Folder) -> Result<u32, Error> {
        let remembered = mark.uid.max(1);
        let Some(next) = folder.next.filter(|next| *next < remembered) else {
            return Ok(remembered);
        };
        let existing = self.existing(&UidSet::default().and_from(next.max(1)))?;
        let held = self.session.heard(|heard| heard.exists).unwrap_or(0);
        let arrived = held.saturating_sub(folder.exists.unwrap_or(held)) as usize;
        let before = existing.len().saturating_sub(arrived);
        let highest = existing.iter().take(before).next_back();
        let first = match existing.last() {
            Some(uid) if uid.saturating_add(1) >= remembered => remembered,
            _ => highest.map_or(next.max(1), |uid| uid.saturating_add(1)),
        };
        // What exists is the better word on what comes next.
        folder.next = existing
            .last()
            .map_or(Some(first), |uid| Some(first.max(uid.saturating_add(1))));
        Ok(first)
    }

    /// Asks without opening the folder. A server that refuses is asked in the other way.
    fn is_still_at(&mut self, mark: Mark) -> Result<bool, Error> {
        let status = match self.session.status(&self.folder) {
            Ok(status) => status,
            Err(Error::Refused { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        self.counted = number(&status, b"MESSAGES").map(u64::from);
        Ok(number(&status, b"UIDVALIDITY") == Some(mark.validity)
            && number(&status, b"UIDNEXT") == Some(mark.uid))
    }

    /// Fetches the summaries of everything that may be wanted; what comes back exists.
    /// `None` if the server refuses.
    fn list_with_summaries(
        &mut self,
        folder: Folder,
        search: &Search,
    ) -> Result<Option<Vec<u32>>, Error> {
        let mut uids = Vec::new();
        let wanted = match search.from {
            Some(from) => search.again.clone().and_from(from),
            None => search.again.clone(),
        };
        let exists = folder.exists.unwrap_or(FEW);
        for set in wanted.commands() {
            let bounds = summaries::bounds(set.len().min(exists.into()));
            let (found, answer) = self.fetch_once(&set, ITEMS, bounds)?;
            if let Answer::Refused { .. } = answer {
                return Ok(None);
            }
            let counted = found.into_iter().filter(|(uid, _)| folder.is_counted(*uid));
            let counted: BTreeMap<u32, Fetched> = counted.collect();
            uids.extend(counted.keys());
            self.keep_summaries(counted)?;
        }
        let left_out = self.left_out(folder, search, &uids)?;
        uids.extend(left_out);
        uids.sort_unstable();
        Ok(Some(uids))
    }

    /// The mails that exist and are not among those that a FETCH brought, even though the
    /// server called its answer complete. Taken for gone they would be lost, as the
    /// position moves past them. Asks only if the numbers leave room for any.
    fn left_out(
        &mut self,
        folder: Folder,
        search: &Search,
        found: &[u32],
    ) -> Result<Vec<u32>, Error> {
        let fetched: UidSet = found.iter().copied().collect();
        let missing = |uid: &u32| !fetched.contains(*uid);
        let again: UidSet = search.again.iter().filter(missing).collect();
        let mut left_out = self.existing(&again)?;
        let Some(from) = search.from else {
            return Ok(left_out);
        };
        let new = found.iter().filter(|uid| **uid >= from).count() as u64;
        let highest = found.iter().max().map_or(0, |uid| uid.saturating_add(1));
        let room = u64::from(highest.max(folder.next.unwrap_or(0)).saturating_sub(from));
        // All that the folder holds now, where everything was asked for.
        let held = self.session.heard(|heard| heard.exists);
        let expected = match held {
            Some(held) if from == 1 => u64::from(held),
            _ => room,
        };
        if expected > new {
            let existing = self.existing(&UidSet::default().and_from(from))?;
            let missing = existing.into_iter().filter(missing);
            left_out.extend(missing.filter(|uid| folder.is_counted(*uid)));
        }
        Ok(left_out)
    }

    fn list_by_search(&mut self, folder: Folder, search: &Search) -> Result<Vec<u32>, Error> {
        self.read_summaries(&search.again)?;
        let mut uids: Vec<u32> = search
            .again
            .iter()
            .filter(|uid| self.summaries.contains_key(uid))
            .collect();
        if let Some(from) = search.from {
            let mut query = format!("UID {from}:*");
            // A day earlier: servers compare with dates in their own zone.
            if let Some(day) = search
                .since
                .and_then(|since| since.checked_sub_signed(TimeDelta::days(1)))
            {
                query.push_str(&day.format(" SINCE %-d-%b-%Y").to_string());
            }
            // `7:*` names the newest mail even if its UID is below 7.
            let found = self.session.search(&query)?.into_iter();
            uids.extend(found.filter(|uid| *uid >= from && folder.is_counted(*uid)));
        }
        Ok(uids)
    }

    fn is_known_to_be_before(&self, uid: u32, since: DateTime<Utc>) -> bool {
        matches!(self.summaries.get(&uid), Some(Ok(summary)) if summary.received < since)
    }
}

/// Why the remembered position means nothing in this folder any more.
fn void(mark: Mark, folder: Folder) -> Option<String> {
    (mark.validity != folder.validity).then(|| {
        format!(
            "the server has numbered the mails anew (UIDVALIDITY was {} and is {})",
            mark.validity, folder.validity
        )
    })
}

/// A number of a STATUS answer, by its name in capitals.
pub(super) fn number(status: &[(Vec<u8>, u32)], name: &[u8]) -> Option<u32> {
    let found = status.iter().find(|(own, _)| own == name);
    found.map(|(_, number)| *number)
}
