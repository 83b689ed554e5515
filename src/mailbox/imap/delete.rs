//! Deleting exactly the named mails (RFC 4315).

use std::collections::HashSet;

use super::ImapMailbox;
use super::filter::Plan;
use super::response::Bounds;
use super::uid_set::UidSet;
use crate::mailbox::{Deletion, Error, MailId};

impl ImapMailbox {
    /// Marks the mails as deleted and expunges them by UID. Without UIDPLUS they are only
    /// marked: EXPUNGE and CLOSE would remove what other clients have marked, too.
    pub(super) fn delete_exactly(&mut self, ids: &[MailId]) -> Result<Deletion, Error> {
        let asked = self.uids(ids)?;
        let uids: UidSet = asked.iter().map(|(_, uid)| *uid).collect();
        let expunges = uids.is_empty() || self.session.can("UIDPLUS")?;
        for set in uids.commands() {
            let (set, plan) = (set.to_string(), || Plan {
                // A server that is not silent answers with a line for each mail.
                bounds: Bounds {
                    total: set.len().saturating_mul(1024).saturating_add(1024 * 1024),
                    ..Bounds::default()
                },
                ..Plan::default()
            });
            self.session.run("STORE", plan(), |engine| {
                engine.uid_store(&set, "+FLAGS.SILENT (\\Deleted)")
            })?;
            if expunges {
                self.session
                    .run("EXPUNGE", plan(), |engine| engine.uid_expunge(&set))?;
            }
        }
        let named: HashSet<&MailId> = asked.into_iter().map(|(id, _)| id).collect();
        // A mail of another numbering is gone: no command reaches it under that name.
        let (named, gone): (Vec<_>, Vec<_>) =
            ids.iter().cloned().partition(|id| named.contains(id));
        Ok(if expunges {
            Deletion {
                deleted: ids.to_vec(),
                ..Deletion::default()
            }
        } else {
            Deletion {
                deleted: gone,
                marked: named,
                ..Deletion::default()
            }
        })
    }
}
