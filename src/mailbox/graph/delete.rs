//! Deletion: as in Outlook a mail goes to Deleted Items, or, where that is wished for, for good.

use serde_json::json;

use super::service::{Ask, Prefer};
use super::{GraphMailbox, Told, batch, path_of};
use crate::mailbox::{Deletion, Error, MailId};
use crate::net::http::Method;

impl GraphMailbox {
    /// A mail that can't be deleted stops none of the others.
    pub(super) fn delete_exactly(&mut self, ids: &[MailId]) -> Result<Deletion, Error> {
        let mut deletion = Deletion::default();
        let mut refused = None;
        for ids in ids.chunks(batch::MOST) {
            let asks: Vec<Ask> = ids.iter().map(|id| self.deletion_of(id)).collect();
            let answers = self.service.ask_all(&asks)?;
            for ((id, ask), answer) in ids.iter().zip(&asks).zip(answers) {
                match self.service.told(ask, answer)? {
                    // An answer that is too large comes from a mail that was moved.
                    Told::Content(_) | Told::Gone | Told::TooLarge => {
                        deletion.deleted.push(id.clone());
                    }
                    Told::Fault(words) => {
                        refused.get_or_insert(Error::Refused {
                            server: self.service.server().to_owned(),
                            command: ask.name.to_owned(),
                            answer: words,
                        });
                    }
                }
            }
        }
        refused.map_or(Ok(deletion), Err)
    }

    fn deletion_of(&self, id: &MailId) -> Ask {
        let (name, action, body) = if self.permanently {
            ("POST permanentDelete", "permanentDelete", None)
        } else {
            let body = json!({ "destinationId": "deleteditems" });
            ("POST move", "move", Some(body))
        };
        Ask {
            name,
            method: Method::POST,
            path: format!("{}/{action}", path_of(id)),
            prefer: Prefer::Minimal,
            body,
        }
    }
}
