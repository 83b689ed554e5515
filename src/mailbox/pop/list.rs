//! Which mails there are, how long they are, and by what they are known in every run (UIDL and
//! LIST, RFC 1939, sections 5 and 7).

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use super::PopMailbox;
use super::capabilities::Capabilities;
use super::reply::Code;
use super::session::Session;
use crate::mailbox::identity::{self, Counted};
use crate::mailbox::{Error, Fault, Listing, MailId, Outcome};
use crate::net::Channel;

/// Longest list of mails, in bytes.
const LIST: u64 = 8 * 1024 * 1024;
/// Most mails in a mailbox. Each takes a few hundred bytes of memory, and POP3 has no way to ask
/// for some of them.
const MOST: usize = 100_000;
/// How the ids begin of mails that are known by their places only.
const UNREAD: &str = "unread.";
/// Longest name of a mail (RFC 1939, section 7).
const NAME: usize = 70;

/// The mails of a session by their numbers, which hold for this session only.
#[derive(Debug, Default)]
pub(super) struct Roll {
    pub(super) mails: BTreeMap<u32, Entry>,
    /// The numbers of the mails whose identity is known.
    numbers: HashMap<MailId, u32>,
    /// The lengths have been asked for.
    pub(super) measured: bool,
    /// Why mails can't be told by their headers, which have been asked for.
    pub(super) faults: HashMap<u32, Fault>,
}

/// One mail.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// `None` where only its header can tell, which has not been read.
    id: Option<MailId>,
    /// Bytes, as the server has it; zero where it does not say.
    pub(super) size: u64,
}

impl Roll {
    /// Asks the server. What is odd about the answer is put into words.
    pub(super) fn ask(
        session: &mut Session<Box<dyn Channel>>,
        known: Option<&Capabilities>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        session.send(&["UIDL".to_owned()])?;
        match session.verdict("UIDL")? {
            Ok(_) => {
                let list = session.list("UIDL", LIST)?;
                let pairs = pairs(&list).map_err(|what| session.protocol("UIDL", what))?;
                let roll = Self::named(pairs);
                let nameless = roll.nameless().len();
                if nameless > 0 {
                    warnings.push(format!(
                        "{} gives {nameless} of its mails names that are not theirs alone (UIDL), so these are known by \
                         their headers, which are read in every run",
                        session.server()
                    ));
                }
                Ok(roll)
            }
            // Only a server that never said that it could may be without it: taken for one
            // that can't, another would show all of its mails as new ones.
            Err(refusal)
                if refusal.code == Code::None && known.is_none_or(|own| !own.has("UIDL")) =>
            {
                let mut roll = Self {
                    measured: true,
                    ..Self::default()
                };
                for (number, size) in sizes(session)? {
                    let entry = Entry { id: None, size };
                    roll.mails.insert(number, entry);
                }
                warnings.push(format!(
                    "{} can't name its mails (no UIDL), so they are known by their headers, and those of all mails are \
                     read in every run (whole mails, if it has no TOP either); a mail whose header changes counts as new",
                    session.server()
                ));
                Ok(roll)
            }
            Err(refusal) => Err(session.refused("UIDL", refusal)),
        }
    }

    fn named(pairs: BTreeMap<u32, &[u8]>) -> Self {
        let mut bearers: HashMap<&[u8], usize> = HashMap::new();
        for name in pairs.values() {
            *bearers.entry(name).or_default() += 1;
        }
        let mut roll = Self::default();
        for (number, name) in pairs {
            let is_its_own = !name.is_empty() && bearers.get(name) == Some(&1);
            let id = is_its_own.then(|| id_of(name));
            if let Some(id) = &id {
                roll.numbers.insert(id.clone(), number);
            }
            roll.mails.insert(number, Entry { id, size: 0 });
        }
        roll
    }

    /// The numbers of the mails that are known by their headers, which have not been read.
    fn nameless(&self) -> Vec<u32> {
        let nameless = self.mails.iter().filter(|(_, entry)| entry.id.is_none());
        nameless.map(|(number, _)| *number).collect()
    }

    fn identify(&mut self, number: u32, id: MailId) {
        if let Some(entry) = self.mails.get_mut(&number) {
            entry.id = Some(id.clone());
            self.numbers.insert(id, number);
        }
    }

    pub(super) fn id(&self, number: u32) -> Option<&MailId> {
        self.mails.get(&number)?.id.as_ref()
    }

    pub(super) fn number(&self, id: &MailId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(super) fn size(&self, number: u32) -> u64 {
        self.mails.get(&number).map_or(0, |entry| entry.size)
    }

    /// Takes the lengths that LIST has given.
    pub(super) fn measure(&mut self, sizes: BTreeMap<u32, u64>) {
        for (number, size) in sizes {
            if let Some(entry) = self.mails.get_mut(&number) {
                entry.size = size;
            }
        }
        self.measured = true;
    }
}

impl PopMailbox {
    /// All mails: the caller knows which of them it has dealt with.
    pub(super) fn list_all(&mut self) -> Result<Listing, Error> {
        self.identify()?;
        let ids = self.roll.mails.values().filter_map(|mail| mail.id.clone());
        Ok(Listing {
            ids: ids.collect(),
            ..Listing::default()
        })
    }

    /// Reads the headers of the mails that are known by nothing else.
    fn identify(&mut self) -> Result<(), Error> {
        let nameless = self.roll.nameless();
        let mut digests: BTreeMap<u32, Outcome<identity::Digest>> = BTreeMap::new();
        let refusals = self.headers(&nameless, &mut |number, header| {
            let digest = header.as_ref().map_err(Clone::clone);
            let digest = digest.map(|header| identity::digest(header, Counted::WithoutState));
            digests.insert(number, digest);
            // New ones among them will be asked for their summaries.
            header.ok()
        })?;
        for number in self.gone(&refusals)? {
            digests.remove(&number);
        }
        let mut occurrences: HashMap<identity::Digest, u64> = HashMap::new();
        for (number, digest) in digests {
            let id = match digest {
                Ok(digest) => {
                    let occurrence = occurrences.entry(digest).or_default();
                    *occurrence += 1;
                    identity::of_content(&digest, *occurrence)
                }
                // Known by its place for as long as it can't be read: as a mail that fails.
                Err(fault) => {
                    self.roll.faults.insert(number, fault);
                    MailId::new(format!("{UNREAD}{number}"))
                }
            };
            self.roll.identify(number, id);
        }
        Ok(())
    }
}

/// The lengths of all mails.
pub(super) fn sizes(session: &mut Session<Box<dyn Channel>>) -> Result<BTreeMap<u32, u64>, Error> {
    session.send(&["LIST".to_owned()])?;
    read_sizes(session)
}

/// The same when LIST has been sent.
pub(super) fn read_sizes(
    session: &mut Session<Box<dyn Channel>>,
) -> Result<BTreeMap<u32, u64>, Error> {
    match session.verdict("LIST")? {
        Ok(_) => {
            let list = session.list("LIST", LIST)?;
            let pairs = pairs(&list).map_err(|what| session.protocol("LIST", what))?;
            // Some servers add more; what is no number tells nothing.
            let size = |text: &[u8]| {
                let first = text.split(u8::is_ascii_whitespace).next();
                first.and_then(number::<u64>).unwrap_or_default()
            };
            Ok(pairs
                .into_iter()
                .map(|(number, text)| (number, size(text)))
                .collect())
        }
        Err(refusal) => Err(session.refused("LIST", refusal)),
    }
}

/// The lines of a list: the number of a mail, and what is said of it.
fn pairs(list: &[u8]) -> Result<BTreeMap<u32, &[u8]>, String> {
    let mut pairs = BTreeMap::new();
    for line in list.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() {
            continue;
        }
        let end = line.iter().position(u8::is_ascii_whitespace);
        let (first, rest) = line.split_at(end.unwrap_or(line.len()));
        let number = number::<u32>(first)
            .filter(|number| *number > 0)
            .ok_or("a line of its list does not begin with the number of a mail")?;
        if pairs.insert(number, rest.trim_ascii()).is_some() {
            return Err(format!("its list has mail {number} twice"));
        }
        if pairs.len() > MOST {
            return Err(format!(
                "its list has more than {MOST} mails, which is more than this program can read with POP3: have old \
                 ones removed, or use IMAP"
            ));
        }
    }
    Ok(pairs)
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| str::from_utf8(text).ok()?.parse().ok())?
}

/// A server's name of a mail as it is, if it is what the standard asks for.
fn id_of(name: &[u8]) -> MailId {
    let plain = name.len() <= NAME
        && name.iter().all(u8::is_ascii_graphic)
        && !name.starts_with(UNREAD.as_bytes());
    match str::from_utf8(name) {
        Ok(text) if plain => MailId::new(text),
        _ => identity::of_content(&Sha256::digest(name).into(), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_disorder() {
        let read = |list: &str| {
            let pairs = pairs(list.as_bytes())?;
            let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            let pairs = pairs.into_iter().map(|(n, name)| (n, text(name)));
            Ok::<_, String>(pairs.collect::<Vec<_>>())
        };
        let pair = |number: u32, text: &str| (number, text.to_owned());
        assert_eq!(
            read("2  b \r\n1 a\n\r\n 10 c d\r\n3\r\n"),
            Ok(vec![
                pair(1, "a"),
                pair(2, "b"),
                pair(3, ""),
                pair(10, "c d")
            ])
        );
        assert_eq!(read(""), Ok(vec![]));
        assert!(read("1 a\r\n1 b\r\n").unwrap_err().contains("mail 1 twice"));
        for wrong in ["x a", "0 a", "-1 a", "4294967296 a", "+OK 1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_that_are_no_names() {
        let seventy = "~".repeat(70);
        for name in ["!", "0001.abc", seventy.as_str()] {
            assert_eq!(id_of(name.as_bytes()).as_str(), name);
        }
        let odd = [
            "a b",
            "é",
            "\0",
            "unread.2",
            &"x".repeat(71),
            &"x".repeat(1000),
        ];
        let ids = odd.map(|name| id_of(name.as_bytes()));
        assert!(ids.iter().all(|id| id.as_str().len() == 32));
        assert!(
            ids.iter()
                .enumerate()
                .all(|(at, id)| !ids[..at].contains(id))
        );

        let names: [&[u8]; 5] = [b"a", b"b", b"", b"b", b"c"];
        let roll = Roll::named((1..).zip(names).collect());
        assert_eq!(roll.nameless(), [2, 3, 4]);
        assert_eq!(roll.number(&MailId::new("c")), Some(5));
        assert_eq!(roll.number(&MailId::new("b")), None);
    }
}
