//! Attachment names and body text without fetching attachments: the structure first, then
//! the text parts that it names.

use std::collections::BTreeMap;

use super::ImapMailbox;
use super::batch;
use super::cursor::Text;
use super::fetch::Fetched;
use super::response::Bounds;
use super::structure::Broken;
use super::uid_set::UidSet;
use crate::mailbox::{Content, Each, Error, Fault, MailId, Query};
use crate::message::{Attachment, Body, Limits, Mail, Part};

/// Longest list of sections in a command, in bytes.
const SECTIONS: usize = 800;
/// How much longer than twice the mail its text may be said to be.
const SIZE_SLACK: u64 = 64 * 1024;

type Answers = BTreeMap<u32, Result<Content, Fault>>;

/// A mail whose text parts are still to be fetched.
struct Awaited {
    uid: u32,
    attachments: Vec<Attachment>,
    parts: Vec<Part>,
    /// Bytes of all parts as the structure has it.
    size: u64,
}

/// What the structure of a mail leads to.
enum Next {
    Answer(Result<Content, Fault>),
    Text(Awaited),
    /// The structure can't be relied on: the mail as a whole has to tell.
    Whole,
}

impl ImapMailbox {
    pub(super) fn contents_of(&mut self, queries: &[Query]) -> Result<Each<Content>, Error> {
        let asked = self.uids(queries.iter().map(|query| &query.id))?;
        let with_text: BTreeMap<&MailId, bool> = queries
            .iter()
            .map(|query| (&query.id, query.text))
            .collect();
        let wants_text: BTreeMap<u32, bool> = asked
            .iter()
            .map(|(id, uid)| (*uid, with_text.get(id).copied().unwrap_or_default()))
            .collect();
        let mut answers = Answers::new();
        let mut texts: BTreeMap<Vec<String>, Vec<Awaited>> = BTreeMap::new();
        let mut whole = Vec::new();
        let sizes: Vec<(u32, Option<u64>)> = wants_text
            .keys()
            .map(|uid| (*uid, self.sizes.get(uid).copied()))
            .collect();
        for group in batch::cut(sizes, |(_, size)| structure_cost(*size)) {
            let uids: UidSet = group.iter().map(|(uid, _)| *uid).collect();
            let bounds = structure_bounds(&group);
            let mut harvest = self.fetch(&uids, "(UID BODYSTRUCTURE)", |_| bounds)?;
            for (uid, size) in group {
                if let Some(fault) = harvest.refused.remove(&uid) {
                    answers.insert(uid, Err(fault));
                }
                let Some(fetched) = harvest.found.remove(&uid) else {
                    continue;
                };
                let text = wants_text.get(&uid).copied().unwrap_or_default();
                match next(uid, fetched, text, size, &self.limits) {
                    Next::Answer(answer) => {
                        answers.insert(uid, answer);
                    }
                    Next::Text(awaited) => {
                        let sections = awaited.parts.iter().map(|part| part.section.clone());
                        texts.entry(sections.collect()).or_default().push(awaited);
                    }
                    Next::Whole => whole.push(uid),
                }
            }
        }
        for (sections, mails) in texts {
            for batch in batch::cut(mails, |mail| mail.size) {
                self.read_texts(&sections, batch, &mut answers)?;
            }
        }
        let limits = self.limits;
        self.whole(&whole, &mut |uid, mail| {
            let text = wants_text.get(&uid).copied().unwrap_or_default();
            let content =
                mail.and_then(|bytes| Mail::parse(&bytes, &limits)?.content(text, &limits));
            answers.insert(uid, content);
        })?;
        let answered = asked
            .into_iter()
            .filter_map(|(id, uid)| Some((id.clone(), answers.remove(&uid)?)));
        Ok(answered.collect())
    }

    /// Fetches the same sections of several mails in one turn.
    fn read_texts(
        &mut self,
        sections: &[String],
        mails: Vec<Awaited>,
        answers: &mut Answers,
    ) -> Result<(), Error> {
        let items: Vec<String> = sections
            .iter()
            .map(|section| format!("BODY.PEEK[{section}]"))
            .collect();
        let items = format!("(UID {})", items.join(" "));
        let uids: UidSet = mails.iter().map(|mail| mail.uid).collect();
        let announced = mails
            .iter()
            .map(|mail| mail.size)
            .fold(0, u64::saturating_add);
        let bounds = Bounds {
            literal: self.limits.text,
            total: announced.saturating_mul(2).saturating_add(batch::SLACK),
            ..Bounds::default()
        };
        let mut harvest = self.fetch(&uids, &items, |_| bounds)?;
        for mail in mails {
            if let Some(fault) = harvest.refused.remove(&mail.uid) {
                answers.insert(mail.uid, Err(fault));
            } else if let Some(fetched) = harvest.found.remove(&mail.uid) {
                answers.insert(mail.uid, content(mail, fetched, &self.limits));
            }
        }
        Ok(())
    }
}

/// What a mail's structure counts for in a batch, so that one has 500 mails at most and 64
/// that can have the longest structure. A part takes a few bytes of a mail and ten times as
/// many of its structure.
fn structure_cost(size: Option<u64>) -> u64 {
    let size = size.unwrap_or_default();
    (size.saturating_mul(10) / 4).clamp(batch::BATCH / 500, batch::BATCH / 64)
}

/// What the structures of these mails may cost. Long file names come as literals.
fn structure_bounds(mails: &[(u32, Option<u64>)]) -> Bounds {
    let bounds = Bounds::default();
    let sizes = mails.iter().map(|(_, size)| size.unwrap_or_default());
    let passed_over = sizes
        .fold(0, u64::saturating_add)
        .saturating_mul(20)
        .saturating_add(bounds.passed_over);
    Bounds {
        literal: 64 * 1024,
        total: (mails.len() as u64)
            .saturating_mul(2 * 1024 * 1024)
            .saturating_add(64 * 1024 * 1024),
        passed_over,
    }
}

fn next(uid: u32, fetched: Fetched, text: bool, whole: Option<u64>, limits: &Limits) -> Next {
    let root = match fetched.structure {
        Some(Ok(root)) if fetched.damage.is_none() => root,
        Some(Err(Broken::Fault(fault))) => return Next::Answer(Err(fault)),
        _ => return Next::Whole,
    };
    let attachments = match root.attachments() {
        Ok(attachments) => attachments,
        Err(fault) => return Next::Answer(Err(fault)),
    };
    if attachments
        .iter()
        .any(|attachment| is_mangled(&attachment.name))
    {
        return Next::Whole;
    }
    if !text {
        return Next::Answer(Ok(Content {
            attachments,
            body: None,
        }));
    }
    let parts: Vec<Part> = root.body_parts().into_iter().cloned().collect();
    let size = parts
        .iter()
        .map(|part| part.size)
        .fold(0, u64::saturating_add);
    if size > limits.text {
        return Next::Answer(Err(Fault::TextTooLong {
            size,
            limit: limits.text,
        }));
    }
    // The caller cuts what it asks for by the sizes of the mails. Servers may be wrong about
    // these, but not so much that the memory is at their mercy.
    if let Some(whole) = whole
        && size > whole.saturating_mul(2).saturating_add(SIZE_SLACK)
    {
        let why = format!("the server says that it has {whole} bytes and {size} bytes of text");
        return Next::Answer(Err(Fault::Unreadable(why)));
    }
    if size == 0 {
        let empty: Vec<(&Part, &[u8])> = parts.iter().map(|part| (part, &[][..])).collect();
        return Next::Answer(Ok(Content {
            attachments,
            body: Some(Body::from_parts(&empty)),
        }));
    }
    let sections = parts
        .iter()
        .map(|part| part.section.len() + "BODY.PEEK[] ".len());
    if sections.sum::<usize>() > SECTIONS {
        return Next::Whole;
    }
    Next::Text(Awaited {
        uid,
        attachments,
        parts,
        size,
    })
}

/// Whether a server may have spoilt an attachment's name. It cuts an unquoted name with
/// blanks at the first one, leaves out a name in broken quotes, and takes the backslashes
/// of `C:\temp\a.txt` for escapes; senders write all of that.
fn is_mangled(name: &str) -> bool {
    !name.contains('.') || name.contains([':', '\\'])
}

fn content(mail: Awaited, mut fetched: Fetched, limits: &Limits) -> Result<Content, Fault> {
    let mut texts = Vec::new();
    for part in &mail.parts {
        match fetched.text_of(&part.section)? {
            Some(Text::Bytes(bytes)) => texts.push((part, bytes)),
            Some(Text::Nil) if part.size == 0 => texts.push((part, Vec::new())),
            Some(Text::PassedOver(size)) => {
                return Err(Fault::TextTooLong {
                    size,
                    limit: limits.text,
                });
            }
            Some(Text::Nil) | None => {
                let why = format!("the server does not hand out its part {}", part.section);
                return Err(Fault::Unreadable(why));
            }
        }
    }
    let texts: Vec<(&Part, &[u8])> = texts
        .iter()
        .map(|(part, bytes)| (*part, bytes.as_slice()))
        .collect();
    Ok(Content {
        attachments: mail.attachments,
        body: Some(Body::from_parts(&texts)),
    })
}
