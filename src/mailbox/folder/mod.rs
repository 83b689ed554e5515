//! Mails on the local disk: a folder of `.eml` files, a Maildir, or an mbox file.
//!
//! Nothing is ever written but deletions that are asked for. A mail is known by its
//! content, so every mail handed over is checked against the content that its id stands
//! for: another program may be at work in the same place.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use self::files::{Files, Kind};
use self::mbox::Mbox;
use super::identity::Digest;
use super::{Deletion, Error, Known, Listing, MailId, Mailbox, Outcome, Query, Summary};
use crate::message::{Content, Envelope, Fault, Limits, Mail, received_time};

mod files;
mod mbox;

/// Mails on the local disk.
#[derive(Debug)]
pub struct FolderMailbox {
    store: Store,
    limits: Limits,
    scan: Option<Scan>,
}

#[derive(Debug)]
enum Store {
    Files(Files),
    Mbox(Mbox),
}

/// The mails as they were when last looked at, in the order of processing.
#[derive(Debug, Default)]
struct Scan {
    mails: Vec<Found>,
    by_id: HashMap<MailId, usize>,
}

/// One mail as it was found.
#[derive(Debug)]
struct Found {
    id: MailId,
    received: DateTime<Utc>,
    /// What decides the order of mails received in the same second.
    order: (PathBuf, u64),
    place: Place,
    /// The summary and the digest of the content, or why the mail can't be read.
    content: Result<(Summary, Digest), Fault>,
}

/// Where a mail is.
#[derive(Clone, Debug)]
enum Place {
    File(files::Place),
    Range(mbox::Range),
}

impl FolderMailbox {
    /// Opens a folder or an mbox file.
    ///
    /// # Errors
    /// It can't be read, or is nothing that holds mails.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, Error> {
        let metadata = std::fs::metadata(path).map_err(|source| at(path, source))?;
        let store = if metadata.is_dir() {
            let is_maildir = path.join("new").is_dir() && path.join("cur").is_dir();
            let kind = if is_maildir { Kind::Maildir } else { Kind::Eml };
            Store::Files(Files::new(path.to_owned(), kind))
        } else if metadata.is_file() {
            Store::Mbox(Mbox::open(path)?)
        } else {
            let why = "it is neither a folder nor a file".to_owned();
            return Err(Error::NotAMailbox {
                path: path.display().to_string(),
                why,
            });
        };
        Ok(Self {
            store,
            limits,
            scan: None,
        })
    }

    /// Looks at every mail anew.
    fn scan(&mut self) -> Result<&Scan, Error> {
        let mut mails = match &mut self.store {
            Store::Files(files) => files.scan()?,
            Store::Mbox(mbox) => mbox.scan()?,
        };
        mails.sort_by(|a, b| (a.received, &a.order).cmp(&(b.received, &b.order)));
        let mut scan = Scan::default();
        for mail in mails {
            // A Maildir can hold a mail twice for a moment; once is enough.
            if let std::collections::hash_map::Entry::Vacant(slot) =
                scan.by_id.entry(mail.id.clone())
            {
                slot.insert(scan.mails.len());
                scan.mails.push(mail);
            }
        }
        Ok(self.scan.insert(scan))
    }

    fn scanned(&mut self) -> Result<(), Error> {
        if self.scan.is_none() {
            self.scan()?;
        }
        Ok(())
    }

    fn find(&self, id: &MailId) -> Option<&Found> {
        let scan = self.scan.as_ref()?;
        scan.mails.get(*scan.by_id.get(id)?)
    }

    /// The bytes of a mail; `None` if it is gone.
    fn read(&self, id: &MailId) -> Option<Result<Vec<u8>, Fault>> {
        let found = self.find(id)?;
        let digest = match &found.content {
            Ok((summary, _)) if summary.size > self.limits.mail => {
                return Some(Err(Fault::MailTooLong {
                    size: summary.size,
                    limit: self.limits.mail,
                }));
            }
            Ok((_, digest)) => digest,
            Err(fault) => return Some(Err(fault.clone())),
        };
        let read = match (&self.store, &found.place) {
            (Store::Files(files), Place::File(place)) => files.read(place, self.limits.mail),
            (Store::Mbox(mbox), Place::Range(range)) => mbox.read(*range),
            _ => return None,
        };
        match read {
            Ok((bytes, now)) if now == *digest => Some(Ok(bytes)),
            Ok(_) => Some(Err(Fault::Unreadable(
                "another program changed it meanwhile".to_owned(),
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(Err(Fault::Unreadable(error.to_string()))),
        }
    }
}

impl Mailbox for FolderMailbox {
    fn describe(&self) -> String {
        match &self.store {
            Store::Files(files) => files.describe(),
            Store::Mbox(mbox) => mbox.describe(),
        }
    }

    fn count(&mut self) -> Result<u64, Error> {
        self.scanned()?;
        Ok(self.scan.as_ref().map_or(0, |scan| scan.mails.len() as u64))
    }

    fn list(&mut self, known: &Known) -> Result<Listing, Error> {
        let scan = self.scan()?;
        let again: HashSet<&MailId> = known.again.iter().collect();
        let wanted = |mail: &&Found| {
            known.since.is_none_or(|since| mail.received >= since) || again.contains(&mail.id)
        };
        let ids = scan
            .mails
            .iter()
            .filter(wanted)
            .map(|mail| mail.id.clone())
            .collect();
        Ok(Listing {
            ids,
            lasting: true,
            ..Listing::default()
        })
    }

    fn summaries(
        &mut self,
        ids: &[MailId],
    ) -> Result<Vec<(MailId, Result<Summary, Fault>)>, Error> {
        self.scanned()?;
        let found = ids.iter().filter_map(|id| self.find(id));
        Ok(found
            .map(|mail| {
                let summary = mail.content.as_ref().map(|(summary, _)| summary.clone());
                (mail.id.clone(), summary.map_err(Clone::clone))
            })
            .collect())
    }

    fn contents(
        &mut self,
        queries: &[Query],
    ) -> Result<Vec<(MailId, Result<Content, Fault>)>, Error> {
        self.scanned()?;
        let mut answers = Vec::new();
        for query in queries {
            let Some(bytes) = self.read(&query.id) else {
                continue;
            };
            let content = bytes.and_then(|bytes| {
                Mail::parse(&bytes, &self.limits)?.content(query.text, &self.limits)
            });
            answers.push((query.id.clone(), content));
        }
        Ok(answers)
    }

    fn raw(
        &mut self,
        ids: &[MailId],
        take: &mut dyn FnMut(&MailId, Outcome<Vec<u8>>),
    ) -> Result<(), Error> {
        self.scanned()?;
        for id in ids {
            if let Some(bytes) = self.read(id) {
                take(id, bytes);
            }
        }
        Ok(())
    }

    fn delete(&mut self, ids: &[MailId]) -> Result<Deletion, Error> {
        self.scanned()?;
        let places: Vec<Place> = ids
            .iter()
            .filter_map(|id| self.find(id))
            .map(|mail| mail.place.clone())
            .collect();
        match &mut self.store {
            Store::Files(files) => {
                files.delete(places.iter().filter_map(|place| match place {
                    Place::File(place) => Some(place),
                    Place::Range(_) => None,
                }))?;
            }
            Store::Mbox(mbox) => {
                let ranges = places.iter().filter_map(|place| match place {
                    Place::Range(range) => Some(*range),
                    Place::File(_) => None,
                });
                mbox.delete(ranges.collect())?;
            }
        }
        // What was found is no longer what is there.
        self.scan = None;
        Ok(Deletion {
            deleted: ids.to_vec(),
            ..Deletion::default()
        })
    }

    fn close(self: Box<Self>) {}
}

/// The summary of a mail from the start of it.
fn summary(id: MailId, start: &[u8], size: u64, fallback: DateTime<Utc>) -> Summary {
    let envelope = Envelope::parse(start);
    let received = received_time(start).or(envelope.date).unwrap_or(fallback);
    Summary {
        id,
        received,
        size,
        envelope,
    }
}

/// When a file was last changed; the epoch where the system can't say.
fn modified(metadata: &std::fs::Metadata) -> DateTime<Utc> {
    let time = metadata.modified().unwrap_or(std::time::UNIX_EPOCH);
    let after = time
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(after.as_secs()).unwrap_or_default();
    DateTime::from_timestamp(seconds, after.subsec_nanos()).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Opens a regular file, or what a link to one leads to; never a device or a pipe, which
/// could block for ever or hold anything.
fn open_regular(path: &Path) -> io::Result<File> {
    let refuse = || io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
    if !std::fs::metadata(path)?.is_file() {
        return Err(refuse());
    }
    let file = File::open(path)?;
    // Somebody may have put another thing in its place between the two lines above.
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(refuse())
    }
}

fn at(path: &Path, cause: io::Error) -> Error {
    Error::File {
        path: path.display().to_string(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn opened(path: &Path) -> FolderMailbox {
        FolderMailbox::open(path, Limits::default()).unwrap()
    }

    pub(super) fn listed(mailbox: &mut FolderMailbox) -> Vec<MailId> {
        mailbox.list(&Known::default()).unwrap().ids
    }

    /// The subjects of all mails, or why one can't be read.
    pub(super) fn subjects(mailbox: &mut FolderMailbox) -> Vec<String> {
        let ids = listed(mailbox);
        let summaries = mailbox.summaries(&ids).unwrap().into_iter();
        summaries
            .map(|(_, summary)| match summary {
                Ok(summary) => summary.envelope.subject,
                Err(fault) => fault.to_string(),
            })
            .collect()
    }

    pub(super) fn raw(mailbox: &mut FolderMailbox, ids: &[MailId]) -> Vec<Result<String, Fault>> {
        let mut all = Vec::new();
        mailbox
            .raw(ids, &mut |_, bytes| {
                all.push(bytes.map(|bytes| String::from_utf8(bytes).unwrap()));
            })
            .unwrap();
        all
    }

    fn mail(subject: &str, received: &str) -> String {
        format!(
            "Received: by x; {received}\r\nFrom: a@example.test\r\nSubject: {subject}\r\n\r\n\
             Text of {subject}\r\n"
        )
    }

    #[test]
    fn oldest_first_then_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, day) in [("c.eml", 3), ("b.EML", 1), ("a.eml", 1), ("x.txt", 1)] {
            let text = mail(name, &format!("{day} Oct 2026 10:00:00 +0000"));
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::create_dir(folder.path().join("folder.eml")).unwrap();
        let mut mailbox = opened(folder.path());
        assert_eq!(subjects(&mut mailbox), ["a.eml", "b.EML", "c.eml"]);
        assert_eq!(mailbox.count().unwrap(), 3);
        let ids = listed(&mut mailbox);
        let short = |id: &MailId| {
            id.as_str().len() == 32 && id.as_str().bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        assert!(ids.iter().all(short));
        assert_eq!(listed(&mut opened(folder.path())), ids);

        let since = DateTime::parse_from_rfc3339("2026-10-02T00:00:00Z").unwrap();
        let known = Known {
            since: Some(since.to_utc()),
            again: vec![ids[0].clone()],
            ..Known::default()
        };
        let listing = mailbox.list(&known).unwrap();
        assert_eq!(listing.ids, [ids[0].clone(), ids[2].clone()]);
        assert_eq!(listing.position, None);
    }

    #[test]
    fn contents_and_raw_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let text = mail("one", "1 Oct 2026 10:00:00 +0000");
        std::fs::write(folder.path().join("a.eml"), &text).unwrap();
        let mut mailbox = opened(folder.path());
        let ids = listed(&mut mailbox);
        let gone = MailId::new("gone");
        let mut body = |text| {
            let queries = [&ids[0], &gone].map(|id| Query {
                id: id.clone(),
                text,
            });
            let mut contents = mailbox.contents(&queries).unwrap();
            assert_eq!(contents.len(), 1);
            contents.remove(0).1.unwrap().body
        };
        assert_eq!(body(true).unwrap().text(), "Text of one\n");
        assert_eq!(body(false), None);
        let wanted = [ids[0].clone(), gone];
        assert_eq!(raw(&mut mailbox, &wanted), [Ok(text.clone())]);

        let tight = Limits {
            mail: 10,
            ..Limits::default()
        };
        let mut mailbox = FolderMailbox::open(folder.path(), tight).unwrap();
        let fault = Fault::MailTooLong {
            size: text.len() as u64,
            limit: 10,
        };
        assert_eq!(raw(&mut mailbox, &ids), [Err(fault)]);
        assert_eq!(subjects(&mut mailbox), ["one"]);
    }

    #[test]
    fn what_holds_no_mails() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text");
        std::fs::write(&file, "Subject: x\n").unwrap();
        let open = |path: &Path| FolderMailbox::open(path, Limits::default());
        assert!(matches!(open(&file), Err(Error::NotAMailbox { .. })));
        assert!(matches!(
            open(&folder.path().join("none")),
            Err(Error::File { .. })
        ));
        assert_eq!(opened(folder.path()).count().unwrap(), 0);
    }
}
