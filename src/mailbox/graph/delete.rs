//! Deletion: as in Outlook a mail goes to Deleted Items, or, where that is wished for, for good.

use serde_json::json;

use super::service::{Ask, Prefer};
use super::{GraphMailbox, batch, path_of};
use crate::mailbox::{Deletion, Error, MailId};
use crate::net::http::{Method, StatusCode};

impl GraphMailbox {
    /// A mail that can't be deleted stops none of the others. Where nothing may be deleted at all,
    /// it is not tried with each of them.
    pub(super) fn delete_exactly(&mut self, ids: &[MailId]) -> Result<Deletion, Error> {
        let mut deletion = Deletion::default();
        let mut chunks = ids.chunks(batch::MOST);
        while let Some(ids) = chunks.next() {
            let barred = self.delete_some(ids, &mut deletion)?;
            if let Some(words) = barred.filter(|_| deletion.deleted.is_empty()) {
                let rest = chunks.flatten();
                let rest = rest.map(|id| (id.clone(), words.clone()));
                deletion.refused.extend(rest);
                break;
            }
        }
        Ok(deletion)
    }

    /// Gives the service's words if it refuses each of these for a reason that is not the mail's.
    fn delete_some(
        &self,
        ids: &[MailId],
        deletion: &mut Deletion,
    ) -> Result<Option<String>, Error> {
        let asks: Vec<Ask> = ids.iter().map(|id| self.deletion_of(id)).collect();
        let answers = self.service.ask_all(&asks)?;
        let mut barred = 0;
        for ((id, ask), answer) in ids.iter().zip(&asks).zip(answers) {
            // An answer that is too large comes from a mail that was moved.
            let Some(answer) = answer.filter(|answer| !answer.status.is_success()) else {
                deletion.deleted.push(id.clone());
                continue;
            };
            let is_about_the_token = answer.status == StatusCode::UNAUTHORIZED;
            let refusal = self.service.refusal(ask, answer);
            if is_about_the_token {
                return Err(refusal.into());
            }
            if refusal.is_about_a_vanished_mail() {
                deletion.deleted.push(id.clone());
                continue;
            }
            barred += usize::from(refusal.is_about_the_mailbox());
            deletion.refused.push((id.clone(), refusal.to_string()));
        }
        let last = deletion.refused.last().filter(|_| barred == ids.len());
        Ok(last.map(|(_, words)| words.clone()))
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
