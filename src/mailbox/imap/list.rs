//! What is new: by UIDs, not by flags or clocks (RFC 9051, section 2.3.1.1).

use chrono::{DateTime, TimeDelta, Utc};

use super::ImapMailbox;
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
        let folder = self.select_anew()?;
        let void = match (&known.position, position) {
            (None, _) => None,
            (Some(_), None) => {
                Some("the remembered position is not one of this program's".to_owned())
            }
            (Some(_), Some(mark)) => void(mark, folder),
        };
        let (first, since) = match position {
            Some(mark) if void.is_none() => (mark.uid.max(1), known.since),
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
            self.list_with_summaries(&search)?
        } else {
            None
        };
        let mut uids = match at_once {
            Some(uids) => uids,
            None => self.list_by_search(&search)?,
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
        })
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
    fn list_with_summaries(&mut self, search: &Search) -> Result<Option<Vec<u32>>, Error> {
        let mut uids = Vec::new();
        let wanted = match search.from {
            Some(from) => search.again.clone().and_from(from),
            None => search.again.clone(),
        };
        let exists = self.select()?.exists.unwrap_or(FEW);
        for set in wanted.commands() {
            let bounds = summaries::bounds(set.len().min(exists.into()));
            let (found, answer) = self.fetch_once(&set, ITEMS, bounds)?;
            if let Answer::Refused { .. } = answer {
                return Ok(None);
            }
            for (uid, fetched) in found {
                self.keep_summary(uid, fetched)?;
                uids.push(uid);
            }
        }
        Ok(Some(uids))
    }

    fn list_by_search(&mut self, search: &Search) -> Result<Vec<u32>, Error> {
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
            uids.extend(
                self.session
                    .search(&query)?
                    .into_iter()
                    .filter(|uid| *uid >= from),
            );
        }
        Ok(uids)
    }

    fn is_known_to_be_before(&self, uid: u32, since: DateTime<Utc>) -> bool {
        matches!(self.summaries.get(&uid), Some(Ok(summary)) if summary.received < since)
    }
}

/// Why the remembered position means nothing in this folder any more.
fn void(mark: Mark, folder: Folder) -> Option<String> {
    if mark.validity != folder.validity {
        return Some(format!(
            "the server has numbered the mails anew (UIDVALIDITY was {} and is {})",
            mark.validity, folder.validity
        ));
    }
    let next = folder.next.filter(|next| *next < mark.uid)?;
    Some(format!(
        "the server counts from an earlier number than before (UIDNEXT was {} and is {next}), as after a restored \
         backup",
        mark.uid
    ))
}

/// A number of a STATUS answer, by its name in capitals.
pub(super) fn number(status: &[(Vec<u8>, u32)], name: &[u8]) -> Option<u32> {
    let found = status.iter().find(|(own, _)| own == name);
    found.map(|(_, number)| *number)
}
