//! Deletion: as in Outlook a mail goes to Deleted Items, or, where that is wished for, for good.

use serde_json::json;

use super::service::{Ask, Prefer};
use super::{GraphMailbox, batch};
use crate::mailbox::{Deletion, Error, MailId};
use crate::net::http::{Method, StatusCode};

impl GraphMailbox {
    /// A mail that can't be deleted stops none of the others.
    pub(super) fn delete_exactly(&mut self, ids: &[MailId]) -> Deletion {
        let mut deletion = Deletion::default();
        for ids in ids.chunks(batch::MOST) {
            if let Err(error) = self.delete_some(ids, &mut deletion) {
                deletion.cut_short = Some(error);
                break;
            }
        }
        deletion
    }

    fn delete_some(&self, ids: &[MailId], deletion: &mut Deletion) -> Result<(), Error> {
        let asks: Vec<Ask> = ids.iter().map(|id| self.deletion_of(id)).collect();
        let answers = self.service.ask_all(&asks)?;
        let mut refused = Vec::new();
        let mut waited_for = 0;
        let mut busy = None;
        for ((id, ask), answer) in ids.iter().zip(&asks).zip(answers) {
            // An answer that is too large comes from a mail that was moved.
            let Some(answer) = answer.filter(|answer| !answer.status.is_success()) else {
                deletion.deleted.push(id.clone());
                continue;
            };
            let status = answer.status;
            let refusal = self.service.refusal(ask, answer);
            if status == StatusCode::UNAUTHORIZED {
                return Err(refusal.into());
            }
            if refusal.is_about_a_vanished_mail() {
                deletion.deleted.push(id.clone());
            } else {
                if refusal.has_outlasted_patience() {
                    waited_for += 1;
                    busy = Some(self.service.busy(ask.name, status));
                }
                refused.push((id.clone(), refusal.to_string()));
            }
        }
        // One mail may be at fault, all of a batch are not: each further batch would only wait as
        // long again.
        if let Some(busy) = busy
            && ids.len() > 1
            && waited_for == ids.len()
        {
            return Err(busy);
        }
        deletion.refused.append(&mut refused);
        Ok(())
    }

    fn deletion_of(&self, id: &MailId) -> Ask {
        let (name, action, body) = if self.permanently {
            ("POST permanentDelete", "/permanentDelete", None)
        } else {
            let body = json!({ "destinationId": "deleteditems" });
            ("POST move", "/move", Some(body))
        };
        Ask {
            method: Method::POST,
            prefer: Prefer::Minimal,
            body,
            ..Ask::of_mail(name, id, action)
        }
    }
}
