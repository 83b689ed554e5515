//! Whole mails (RETR, RFC 1939, section 5): for saving, and for what a rule wants to know beyond
//! the header, as nothing between the two can be asked for.

use std::collections::{BTreeMap, HashMap};

use super::headers::Take;
use super::{PopMailbox, Refusals, list};
use crate::mailbox::{Content, Each, Error, Fault, MailId, Outcome, Query};
use crate::message::Mail;

/// What one turn may bring by the server's own account, in bytes; a single mail may be longer.
const TURN: u64 = 16 * 1024 * 1024;
/// How much longer mails may be than twice what the server says of their lengths, in bytes.
const SLACK: u64 = 16 * 1024 * 1024;

/// How much is taken in where the server says that it will be so much.
fn most_of(announced: u64) -> u64 {
    announced.saturating_mul(2).saturating_add(SLACK)
}

/// Most text and names of the mails of one call, in bytes: all text that one mail may have, and
/// what others have besides.
const ROOM: u64 = 48 * 1024 * 1024;

/// About what it takes to hold this, in bytes.
fn length_of(content: &Content) -> u64 {
    let text = content.body.as_ref().map_or(0, |body| body.text().len());
    let names = content.attachments.iter().map(|file| file.name.len() + 100);
    text.saturating_add(names.sum()) as u64
}

/// A mail that arrives in pieces.
struct Body {
    bytes: Vec<u8>,
    size: u64,
    limit: u64,
}

impl Body {
    /// A mail of which no more than `limit` bytes are taken.
    fn new(announced: u64, limit: u64) -> Self {
        let mut bytes = Vec::new();
        let announced = usize::try_from(announced.min(limit)).unwrap_or_default();
        // Without the memory it will fail when the bytes come, and they may not.
        let _ = bytes.try_reserve(announced);
        Self {
            bytes,
            size: 0,
            limit,
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.size = self.size.saturating_add(piece.len() as u64);
        if self.size <= self.limit {
            self.bytes.extend_from_slice(piece);
        } else {
            self.bytes = Vec::new();
        }
    }

    fn finish(self) -> Outcome<Vec<u8>> {
        let Self { bytes, size, limit } = self;
        if size > limit {
            return Err(Fault::MailTooLong { size, limit });
        }
        Ok(bytes)
    }
}

/// Where a mail comes from.
enum Source {
    /// It was fetched before.
    Kept(Vec<u8>),
    /// It is not fetched.
    TooLong(u64),
    /// It has been asked for.
    Server(u64),
}

impl PopMailbox {
    pub(super) fn raw_of(
        &mut self,
        ids: &[MailId],
        take: &mut dyn FnMut(&MailId, Outcome<Vec<u8>>),
    ) -> Result<(), Error> {
        let asked = self.numbers(ids);
        let numbers: Vec<u32> = asked.iter().map(|(_, number)| *number).collect();
        let mut names = asked.iter();
        self.whole(&numbers, &mut |_, mail| {
            // Both lists are the same.
            if let Some((id, _)) = names.next() {
                take(id, mail);
            }
            None
        })?;
        Ok(())
    }

    pub(super) fn contents_of(&mut self, queries: &[Query]) -> Result<Each<Content>, Error> {
        let asked = self.numbers(queries.iter().map(|query| &query.id));
        let texts: HashMap<&MailId, bool> = queries
            .iter()
            .map(|query| (&query.id, query.text))
            .collect();
        let texts: BTreeMap<u32, bool> = asked
            .iter()
            .map(|(id, number)| (*number, texts.get(id).copied().unwrap_or_default()))
            .collect();
        let numbers: Vec<u32> = texts.keys().copied().collect();
        self.measure()?;
        // The caller cuts what it asks for by the sizes of the mails. A server may be wrong about
        // these, but the memory is not at its mercy.
        let sizes = numbers.iter().map(|number| self.roll.size(*number));
        let read = sizes.filter(|size| *size <= self.limits.mail);
        let mut room = most_of(read.fold(0, u64::saturating_add)).min(ROOM);
        let limits = self.limits;
        let mut contents: HashMap<u32, Outcome<Content>> = HashMap::new();
        let refusals = self.whole(&numbers, &mut |number, mail| {
            let text = texts.get(&number).copied().unwrap_or_default();
            let content = mail.as_ref().map_err(Clone::clone).and_then(|mail| {
                let content = Mail::parse(mail, &limits)?.content(text, &limits)?;
                room = room.checked_sub(length_of(&content)).ok_or_else(|| {
                    let why = "it and those before it are much longer than the server says";
                    Fault::Unreadable(why.to_owned())
                })?;
                Ok(content)
            });
            contents.insert(number, content);
            mail.ok()
        })?;
        for number in self.gone(&refusals)? {
            contents.remove(&number);
        }
        let answers = asked
            .into_iter()
            .filter_map(|(id, number)| Some((id, contents.remove(&number)?)));
        Ok(answers.collect())
    }

    /// Hands over whole mails in the order asked for. What `take` gives back is kept, within
    /// bounds, for being asked for again.
    pub(super) fn whole(
        &mut self,
        numbers: &[u32],
        take: &mut Take<'_>,
    ) -> Result<Refusals, Error> {
        self.look_for_pipelining(numbers.len())?;
        self.measure()?;
        let mut refusals = Refusals::default();
        for turn in self.turns(numbers) {
            let sources: Vec<(u32, Source)> = turn
                .iter()
                .map(|number| (*number, self.source(*number)))
                .collect();
            let asked = sources
                .iter()
                .filter(|(_, source)| matches!(source, Source::Server(_)));
            let commands: Vec<String> = asked.map(|(n, _)| format!("RETR {n}")).collect();
            if !commands.is_empty() {
                self.session.send(&commands)?;
            }
            for (number, source) in sources {
                let limit = self.limits.mail;
                let mail = match source {
                    Source::Kept(bytes) => Ok(bytes),
                    Source::TooLong(size) => Err(Fault::MailTooLong { size, limit }),
                    Source::Server(size) => match self.session.verdict("RETR")? {
                        Ok(_) => {
                            let mut body = Body::new(size, limit);
                            self.data(number, &mut |piece| body.take(piece))?;
                            body.finish()
                        }
                        Err(refusal) => Err(refusals.add(number, "RETR", refusal)),
                    },
                };
                if let Some(bytes) = take(number, mail) {
                    self.kept.put(number, bytes);
                }
            }
            refusals = self.weigh(refusals, numbers.len())?;
        }
        Ok(refusals)
    }

    /// How far a mail may go on before the server is left. What is over what is taken of it is
    /// passed over, so that one mail does not stop the others.
    pub(super) fn most(&self, number: u32) -> u64 {
        match self.roll.size(number) {
            0 => most_of(self.limits.mail),
            announced => most_of(announced),
        }
    }

    fn source(&mut self, number: u32) -> Source {
        let size = self.roll.size(number);
        match self.kept.take(number) {
            Some(bytes) => Source::Kept(bytes),
            None if size > self.limits.mail => Source::TooLong(size),
            None => Source::Server(size),
        }
    }

    /// The lengths of all mails are known.
    pub(super) fn measure(&mut self) -> Result<(), Error> {
        if !self.roll.measured {
            self.roll.measure(list::sizes(&mut self.session)?);
        }
        Ok(())
    }

    /// Cuts a list into what is asked for in one turn.
    pub(super) fn turns(&self, numbers: &[u32]) -> Vec<Vec<u32>> {
        let mut turns: Vec<Vec<u32>> = Vec::new();
        let mut announced = 0_u64;
        for number in numbers {
            let size = self.roll.size(*number);
            announced = announced.saturating_add(size);
            match turns.last_mut() {
                Some(turn) if turn.len() < self.window() && announced <= TURN => turn.push(*number),
                _ => {
                    turns.push(vec![*number]);
                    announced = size;
                }
            }
        }
        turns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_is_too_long_takes_no_memory() {
        let mut body = Body::new(u64::MAX, 10);
        body.take(b"12345");
        body.take(b"67890");
        assert!(body.bytes.capacity() < 100);
        body.take(b"1");
        assert_eq!(body.bytes.capacity(), 0);
        body.take(b"23");
        assert_eq!(
            body.finish(),
            Err(Fault::MailTooLong {
                size: 13,
                limit: 10
            })
        );
        let mut body = Body::new(0, 10);
        body.take(b"1234567890");
        assert_eq!(body.finish(), Ok(b"1234567890".to_vec()));
    }
}
