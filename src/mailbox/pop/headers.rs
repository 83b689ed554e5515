//! Headers of many mails without their bodies (TOP, RFC 1939, section 7), and the summaries that
//! are made of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{PopMailbox, Refusals, list};
use crate::clock;
use crate::mailbox::{Each, Error, Fault, MailId, Outcome, Summary};
use crate::message::{Envelope, received_time};

/// The longest header that is read, in bytes.
pub(super) const HEADER: usize = 1024 * 1024;

/// The header of a mail that arrives in pieces; the body behind it is passed over.
#[derive(Debug, Default)]
pub(super) struct Header {
    bytes: Vec<u8>,
    /// The blank line has come.
    ended: bool,
}

impl Header {
    pub(super) fn take(&mut self, piece: &[u8]) {
        if self.ended || self.bytes.len() > HEADER {
            return;
        }
        // A mail may begin with blank lines.
        let piece = if self.bytes.is_empty() {
            piece.trim_ascii_start()
        } else {
            piece
        };
        let seen = self.bytes.len().saturating_sub(2);
        let room = HEADER + 1 - self.bytes.len();
        self.bytes
            .extend_from_slice(piece.get(..room).unwrap_or(piece));
        let new = self.bytes.get(seen..).unwrap_or_default();
        let blank = |at: &usize| {
            let rest = new.get(*at..).unwrap_or_default();
            rest.starts_with(b"\n\r\n") || rest.starts_with(b"\n\n")
        };
        if let Some(at) = (0..new.len()).find(blank) {
            self.bytes.truncate(seen + at + 1);
            self.ended = true;
        }
    }

    /// Everything has come.
    pub(super) fn finish(self) -> Outcome<Vec<u8>> {
        if self.bytes.len() > HEADER {
            let why = format!("its header is longer than {HEADER} bytes");
            return Err(Fault::Unreadable(why));
        }
        Ok(self.bytes)
    }

    /// The header of a whole mail.
    pub(super) fn of(mail: &[u8]) -> Outcome<Vec<u8>> {
        let mut header = Self::default();
        header.take(mail);
        header.finish()
    }
}

/// Receives headers or whole mails, and gives back the bytes that may be wanted again.
pub(super) type Take<'a> = dyn FnMut(u32, Outcome<Vec<u8>>) -> Option<Vec<u8>> + 'a;

/// What a summary needs of a header.
struct Head {
    received: Option<DateTime<Utc>>,
    envelope: Envelope,
}

impl Head {
    fn of(header: &[u8]) -> Self {
        let envelope = Envelope::parse(header);
        Self {
            received: received_time(header).or(envelope.date),
            envelope,
        }
    }
}

impl PopMailbox {
    pub(super) fn summaries_of(&mut self, ids: &[MailId]) -> Result<Each<Summary>, Error> {
        let asked = self.numbers(ids);
        let numbers: Vec<u32> = asked.iter().map(|(_, number)| *number).collect();
        let mut heads: HashMap<u32, Outcome<Head>> = HashMap::new();
        let refusals = self.headers(&numbers, &mut |number, header| {
            heads.insert(number, header.map(|header| Head::of(&header)));
            None
        })?;
        for number in self.gone(&refusals)? {
            heads.remove(&number);
        }
        let summary = |(id, number): (MailId, u32)| {
            let summary = heads.remove(&number)?.map(|head| Summary {
                id: id.clone(),
                // It has come by now: that is all that is known.
                received: head.received.unwrap_or_else(clock::now),
                size: self.roll.size(number),
                envelope: head.envelope,
            });
            Some((id, summary))
        };
        Ok(asked.into_iter().filter_map(summary).collect())
    }

    /// Hands over the headers of mails, reading as little else as can be.
    pub(super) fn headers(
        &mut self,
        numbers: &[u32],
        take: &mut Take<'_>,
    ) -> Result<Refusals, Error> {
        let mut asked = Vec::new();
        for number in numbers {
            if let Some(fault) = self.roll.faults.get(number) {
                take(*number, Err(fault.clone()));
            } else if let Some(header) = self.heads.take(*number) {
                if let Some(header) = take(*number, Ok(header)) {
                    self.heads.put(*number, header);
                }
            } else {
                asked.push(*number);
            }
        }
        self.look_for_pipelining(asked.len())?;
        let mut refusals = Refusals::default();
        let mut left = asked.as_slice();
        while !left.is_empty() && self.top != Some(false) {
            // Whether a server can TOP that does not tell, one mail shows.
            let most = if self.top.is_some() { self.window() } else { 1 };
            let (window, rest) = left.split_at(most.min(left.len()));
            self.read_headers(window, &mut refusals, take)?;
            refusals = self.weigh(refusals, asked.len())?;
            if self.top.is_some_and(|can| can) {
                left = rest;
            }
        }
        if left.is_empty() {
            return Ok(refusals);
        }
        self.headers_of_whole(left, take)
    }

    /// Reads headers in one turn.
    fn read_headers(
        &mut self,
        numbers: &[u32],
        refusals: &mut Refusals,
        take: &mut Take<'_>,
    ) -> Result<(), Error> {
        let mut commands: Vec<String> = numbers.iter().map(|n| format!("TOP {n} 0")).collect();
        let measures = self.pipelining && !self.roll.measured;
        if measures {
            commands.insert(0, "LIST".to_owned());
        } else {
            self.measure()?;
        }
        self.session.send(&commands)?;
        if measures {
            self.roll.measure(list::read_sizes(&mut self.session)?);
        }
        for number in numbers {
            let header = match self.session.verdict("TOP")? {
                Ok(_) => {
                    self.top = Some(true);
                    let mut header = Header::default();
                    let mut read = |piece: &[u8]| header.take(piece);
                    // Some servers hand out the whole mail.
                    self.data(*number, &mut read)?;
                    header.finish()
                }
                Err(_) if self.top.is_none() => {
                    self.top = Some(false);
                    return Ok(());
                }
                Err(refusal) => Err(refusals.add(*number, "TOP", refusal)),
            };
            if let Some(header) = take(*number, header) {
                self.heads.put(*number, header);
            }
        }
        Ok(())
    }

    /// The same without TOP: there is no other way than to read all.
    fn headers_of_whole(
        &mut self,
        numbers: &[u32],
        take: &mut Take<'_>,
    ) -> Result<Refusals, Error> {
        let mut heads = std::mem::take(&mut self.heads);
        let read = self.whole(numbers, &mut |number, mail| {
            let header = mail.as_ref().map_err(Clone::clone);
            let header = header.and_then(|mail| Header::of(mail));
            if let Some(header) = take(number, header) {
                heads.put(number, header);
            }
            mail.ok()
        });
        self.heads = heads;
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(pieces: &[&str]) -> Outcome<String> {
        let mut header = Header::default();
        pieces
            .iter()
            .for_each(|piece| header.take(piece.as_bytes()));
        header
            .finish()
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn the_body_is_left_out() {
        let whole = "a: b\r\nc: d\r\n";
        let ok = || Ok(whole.to_owned());
        assert_eq!(header(&["a: b\r\nc: d\r\n\r\nbody\r\n\r\n"]), ok());
        let letters = "a: b\r\nc: d\r\n\r\nx".chars().map(String::from);
        let letters: Vec<_> = letters.collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(header(&letters), ok());
        assert_eq!(header(&["\r\n", "\r\na: b\r\nc: d\r\n"]), ok());
        assert_eq!(header(&["a: b\n\nbody"]), Ok("a: b\n".to_owned()));
        assert_eq!(header(&[]), Ok(String::new()));
    }

    #[test]
    fn a_header_has_an_end() {
        let line = "x".repeat(999) + "\n";
        let mut endless = Header::default();
        for _ in 0..5000 {
            endless.take(line.as_bytes());
        }
        assert_eq!(endless.bytes.len(), HEADER + 1);
        assert!(matches!(endless.finish(), Err(Fault::Unreadable(_))));
        let body = format!("a: b\n\n{}", "x".repeat(2 * HEADER));
        assert_eq!(header(&[&body]), Ok("a: b\n".to_owned()));
    }
}
