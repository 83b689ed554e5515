//! Mails of earlier runs under other names, and other mails under their names: told by what they
//! look like, as the names are the server's to give.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::journal::{Looks, State};
use crate::mailbox::{Listing, MailId, Summary};

/// How a mail is recognised under another name.
pub(super) fn looks_of(summary: &Summary) -> Looks {
    let envelope = &summary.envelope;
    // A Message-ID alone can be guessed and sent ahead by somebody else.
    let name = format!(
        "{}\n{}\n{}",
        envelope.message_id.as_deref().unwrap_or_default(),
        envelope.sender.address,
        envelope.subject
    );
    Looks::new(summary.received, &name)
}

/// Whether a mail has to be looked at: its name is new, or has been away. A server may give the
/// name of a mail that is gone to another (RFC 1939, section 7).
pub(super) fn is_new(state: &State, listing: &Listing, id: &MailId) -> bool {
    !state.is_handled(id) || !listing.lasting && state.absent_since(id).is_some()
}

/// What earlier runs have handled, to be recognised.
#[derive(Debug, Default)]
pub(super) enum Handled {
    /// A mail has the same name for ever.
    #[default]
    ByName,
    /// The mailbox numbers its mails, and a position covers those that were dealt with.
    ByPosition {
        /// What the latest ones look like.
        seen: BTreeSet<Looks>,
        /// The numbers mean nothing any more, so that even mails without a Message-ID must be
        /// recognised; otherwise two of them could only seem to be one.
        anew: bool,
    },
    /// Every mail is remembered by the name that the server gave it.
    OneByOne {
        /// Those that have been away and are listed again, if they are still the same.
        back: HashMap<MailId, Looks>,
        /// Those that are not listed: each may be listed under another name.
        gone: HashMap<Looks, Vec<MailId>>,
    },
}

/// A mail that an earlier run has handled.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recognised {
    /// Under the name that it has.
    ByName,
    /// Under another, which means nothing any more, where the mailbox remembers it.
    ByLooks(Option<MailId>),
}

impl Handled {
    /// What is known of the mailbox that has listed this.
    pub(super) fn of(state: &State, listing: &Listing) -> Self {
        if listing.lasting || listing.ids.is_empty() {
            return Self::ByName;
        }
        if listing.position.is_some() {
            return Self::ByPosition {
                seen: state.seen(),
                anew: listing.void.is_some(),
            };
        }
        let listed: HashSet<&MailId> = listing.ids.iter().collect();
        let mut back = HashMap::new();
        let mut gone: HashMap<Looks, Vec<MailId>> = HashMap::new();
        for (id, look) in state.looks() {
            let (id, look) = (id.clone(), look.clone());
            if !listed.contains(&id) {
                gone.entry(look).or_default().push(id);
            } else if state.absent_since(&id).is_some() {
                back.insert(id, look);
            }
        }
        Self::OneByOne { back, gone }
    }

    /// Whether this mail was handled, which is the case for no more mails than were handled.
    pub(super) fn recognise(&mut self, summary: &Summary) -> Option<Recognised> {
        let has_message_id = summary.envelope.message_id.is_some();
        match self {
            Self::ByName => None,
            Self::ByPosition { seen, anew } => {
                let is_known = (*anew || has_message_id) && seen.contains(&looks_of(summary));
                is_known.then_some(Recognised::ByLooks(None))
            }
            Self::OneByOne { back, gone } => {
                let look = looks_of(summary);
                // The time may be that of a look at it, where its header has none.
                let is_same =
                    |was: &Looks| *was == look || has_message_id && was.has_the_name_of(&look);
                if back.remove(&summary.id).is_some_and(|was| is_same(&was)) {
                    return Some(Recognised::ByName);
                }
                let former = gone.get_mut(&look).and_then(Vec::pop);
                former.map(|former| Recognised::ByLooks(Some(former)))
            }
        }
    }
}
