//! Whole mails, one request each. Exchange makes the MIME text anew from what it has stored, so it
//! need not be what was sent byte for byte.

use super::service::{Ask, Content};
use super::{GraphMailbox, Told};
use crate::mailbox::{Error, MailId, Outcome};
use crate::message::Fault;
use crate::net::http;

impl GraphMailbox {
    pub(super) fn raw_of(
        &mut self,
        ids: &[MailId],
        take: &mut dyn FnMut(&MailId, Outcome<Vec<u8>>),
    ) -> Result<(), Error> {
        let limit = self.limits.mail;
        for id in ids {
            let ask = Ask::of_mail("GET message/$value", id, "/$value");
            let answer = match self.service.ask_for(&ask, limit) {
                Err(Error::Http(http::Error::TooLarge { .. })) => None,
                answer => Some(answer?),
            };
            match self.service.told(&ask, answer)? {
                Told::Content(Content::Bytes(bytes)) => take(id, Ok(bytes)),
                // Not that of a request by itself.
                Told::Content(Content::Json(_)) | Told::Gone => {}
                Told::Fault(words) => take(id, Err(Fault::Unreadable(words))),
                Told::TooLarge => {
                    let size = limit.saturating_add(1);
                    take(id, Err(Fault::MailTooLong { size, limit }));
                }
            }
        }
        Ok(())
    }
}
