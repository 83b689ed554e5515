//! Whole mails, in batches that memory can hold.

use super::ImapMailbox;
use super::batch;
use super::cursor::Text;
use super::response::Bounds;
use super::uid_set::UidSet;
use crate::mailbox::{Error, Fault, MailId, Outcome};

impl ImapMailbox {
    pub(super) fn raw_of(
        &mut self,
        ids: &[MailId],
        take: &mut dyn FnMut(&MailId, Outcome<Vec<u8>>),
    ) -> Result<(), Error> {
        let asked = self.uids(ids)?;
        let uids: Vec<u32> = asked.iter().map(|(_, uid)| *uid).collect();
        let mut names = asked.iter();
        self.whole(&uids, &mut |uid, mail| {
            // Both lists have the same order, and mails that are gone are left out.
            if let Some((id, _)) = names.find(|(_, own)| *own == uid) {
                take(id, mail);
            }
        })
    }

    /// Hands over whole mails in the order asked for.
    pub(super) fn whole(
        &mut self,
        uids: &[u32],
        take: &mut dyn FnMut(u32, Outcome<Vec<u8>>),
    ) -> Result<(), Error> {
        let limit = self.limits.mail;
        let sizes = self.sizes_of(uids)?;
        let mails = uids.iter().filter_map(|uid| Some((*uid, *sizes.get(uid)?)));
        for batch in batch::cut(mails.collect(), |(_, size)| *size) {
            let fetched: UidSet = batch
                .iter()
                .filter(|(_, size)| *size <= limit)
                .map(|(uid, _)| *uid)
                .collect();
            let announced = batch
                .iter()
                .map(|(_, size)| *size)
                .fold(0, u64::saturating_add);
            let bounds = Bounds {
                literal: limit,
                total: announced.saturating_mul(2).saturating_add(batch::SLACK),
                ..Bounds::default()
            };
            let mut harvest = self.fetch(&fetched, "(UID BODY.PEEK[])", |_| bounds)?;
            for (uid, size) in batch {
                if size > limit {
                    take(uid, Err(Fault::MailTooLong { size, limit }));
                } else if let Some(fault) = harvest.refused.remove(&uid) {
                    take(uid, Err(fault));
                } else if let Some(mut fetched) = harvest.found.remove(&uid) {
                    let text = fetched.text_of("");
                    take(uid, text.and_then(|text| body(text, size, limit)));
                }
            }
        }
        Ok(())
    }
}

/// What was handed out, if it can be the mail of this size.
fn body(text: Option<Text>, size: u64, limit: u64) -> Outcome<Vec<u8>> {
    match text {
        Some(Text::Bytes(mail)) if is_too_short(&mail, size) => {
            let why = format!("the server hands out {} of its {size} bytes", mail.len());
            Err(Fault::Unreadable(why))
        }
        Some(Text::Bytes(mail)) => Ok(mail),
        Some(Text::PassedOver(size)) => Err(Fault::MailTooLong { size, limit }),
        Some(Text::Nil) | None => Err(Fault::Unreadable("the server does not hand it out".into())),
    }
}

/// Saved and deleted, half a mail would be all that is left of it. Servers count a line's
/// end as one byte or as two, and some only estimate the size: a quarter is let pass.
fn is_too_short(mail: &[u8], size: u64) -> bool {
    let line_ends = mail.iter().filter(|byte| **byte == b'\n').count();
    let counted = (mail.len() as u64).saturating_add(line_ends as u64);
    mail.is_empty() || counted < size - size / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_mail_is_a_fault() {
        let body = |mail: &[u8], size| body(Some(Text::Bytes(mail.to_vec())), size, 1000);
        for (mail, size) in [(&b""[..], 0), (b"", 9), (b"a\nb\n", 10), (b"abc", 5)] {
            assert!(matches!(body(mail, size), Err(Fault::Unreadable(_))));
        }
        for (mail, size) in [
            (&b"a\nb\n"[..], 6),
            (b"a\nb\n", 4),
            (b"abc", 4),
            (b"abc", 0),
        ] {
            assert_eq!(body(mail, size).unwrap(), mail);
        }
    }
}
