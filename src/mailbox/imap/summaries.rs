//! Size, date of receipt and a few header fields of many mails in one turn.

use std::collections::{BTreeMap, HashMap};

use super::ImapMailbox;
use super::fetch::{Fetched, Header};
use super::position::Mark;
use super::response::Bounds;
use super::uid_set::UidSet;
use crate::mailbox::{Each, Error, Fault, MailId, Summary};

/// The header fields of a summary. PEEK, so that nothing is marked as read.
macro_rules! header_fields {
    () => {
        "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES AUTO-SUBMITTED PRECEDENCE RETURN-PATH LIST-ID)]"
    };
}

/// What a summary is made of.
pub(super) const ITEMS: &str = concat!(
    "(UID RFC822.SIZE INTERNALDATE ",
    header_fields!(),
    "<0.65536>)"
);

/// The same for servers that can't cut a part of several mails to a length: Hoodiecrow 2.1
/// gives the first one and nothing of the others.
const UNCUT: &str = concat!("(UID ", header_fields!(), ")");

/// How many bytes of a mail's header fields are asked for ([`ITEMS`] has the number, too).
/// They are more than mail servers take, so a mail that fills them is a fault.
pub(super) const HEADER: u64 = 64 * 1024;

/// What the summaries of so many mails may cost.
pub(super) fn bounds(mails: u64) -> Bounds {
    Bounds {
        literal: HEADER,
        total: mails
            .saturating_mul(2 * HEADER)
            .saturating_add(16 * 1024 * 1024),
        ..Bounds::default()
    }
}

impl ImapMailbox {
    pub(super) fn summaries_of(&mut self, ids: &[MailId]) -> Result<Each<Summary>, Error> {
        let asked = self.uids(ids)?;
        let unknown: UidSet = asked
            .iter()
            .map(|(_, uid)| *uid)
            .filter(|uid| !self.summaries.contains_key(uid))
            .collect();
        self.read_summaries(&unknown)?;
        let answers = asked.into_iter().filter_map(|(id, uid)| {
            let summary = self.summaries.remove(&uid)?;
            Some((id.clone(), summary))
        });
        Ok(answers.collect())
    }

    /// Fetches summaries and keeps them until they are asked for.
    pub(super) fn read_summaries(&mut self, uids: &UidSet) -> Result<(), Error> {
        let harvest = self.fetch(uids, ITEMS, |set| bounds(set.len()))?;
        self.keep_summaries(harvest.found)?;
        let refused = harvest.refused.into_iter();
        self.summaries
            .extend(refused.map(|(uid, fault)| (uid, Err(fault))));
        Ok(())
    }

    /// Keeps what a FETCH of [`ITEMS`] brought.
    pub(super) fn keep_summaries(
        &mut self,
        mut found: BTreeMap<u32, Fetched>,
    ) -> Result<(), Error> {
        let is_empty = |fetched: &Fetched| fetched.header == Some(Header::Missing);
        let empty = found.iter().filter(|(_, fetched)| is_empty(fetched));
        let empty: UidSet = empty.map(|(uid, _)| *uid).collect();
        let again = self.fetch(&empty, UNCUT, |set| bounds(set.len()))?;
        for (uid, fetched) in again.found {
            if let Some(first) = found.get_mut(&uid) {
                first.merge(fetched);
            }
        }
        let validity = self.select()?.validity;
        for (uid, fetched) in found {
            let summary = summary(Mark { validity, uid }.id(), fetched);
            if let Ok(summary) = &summary {
                self.sizes.insert(uid, summary.size);
            }
            self.summaries.insert(uid, summary);
        }
        Ok(())
    }

    /// The sizes of these mails, asked for where they are not known. Mails that no longer
    /// exist have none.
    pub(super) fn sizes_of(&mut self, uids: &[u32]) -> Result<HashMap<u32, u64>, Error> {
        let unknown = uids
            .iter()
            .copied()
            .filter(|uid| !self.sizes.contains_key(uid));
        let harvest = self.fetch(&unknown.collect(), "(UID RFC822.SIZE)", |_| {
            Bounds::default()
        })?;
        for (uid, fetched) in harvest.found {
            // Without a size the mail is fetched all the same, within the bounds.
            self.sizes.insert(uid, fetched.size.unwrap_or_default());
        }
        // A refusal here says nothing about the mail itself.
        self.sizes
            .extend(harvest.refused.into_keys().map(|uid| (uid, 0)));
        let known = uids
            .iter()
            .filter_map(|uid| Some((*uid, *self.sizes.get(uid)?)));
        Ok(known.collect())
    }
}

fn summary(id: MailId, fetched: Fetched) -> Result<Summary, Fault> {
    let unreadable = |why: &str| Fault::Unreadable(why.to_owned());
    if let Some(damage) = fetched.damage {
        return Err(unreadable(damage));
    }
    let envelope = match fetched.header {
        Some(Header::Envelope(envelope)) => envelope,
        Some(Header::TooLong(size)) => {
            let why = format!("its sender, subject, date and references take {size} bytes or more");
            return Err(Fault::Unreadable(why));
        }
        Some(Header::Missing) | None => {
            return Err(unreadable("the server gives no header fields of it"));
        }
    };
    Ok(Summary {
        id,
        received: fetched
            .received
            .ok_or_else(|| unreadable("the server does not say when it was received"))?,
        size: fetched
            .size
            .ok_or_else(|| unreadable("the server does not say how long it is"))?,
        envelope,
    })
}
