//! Many mails in one file: mbox (RFC 4155), as written by the mboxo and mboxrd rules.
//!
//! A line that starts with `From ` at the start of the file or after a blank line begins a
//! mail. Content-Length is not looked at: it is often wrong.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use super::{Error, Found, at, modified, open_regular, summary};
use crate::mailbox::identity::{self, Counted, Digest};
use crate::message::date;

const SEPARATOR: &[u8] = b"From ";

/// How long another program may hold the lock of the file: tries, and the pause between.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// An mbox file.
#[derive(Debug)]
pub(super) struct Mbox {
    /// The file itself, links followed: replacing a link would leave the mails behind it.
    path: PathBuf,
    /// What the file looked like when it was last scanned.
    stamp: Option<Stamp>,
}

/// One mail's place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Where its `From ` line starts.
    line: u64,
    /// Where its header starts.
    start: u64,
    /// Where its content ends; the blank line that ends it comes after.
    end: u64,
    /// Where the next mail's `From ` line starts.
    next: u64,
    /// The time in its `From ` line.
    stated: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl Mbox {
    /// Makes sure that the file is an mbox; an empty one is.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let path = dunce::canonicalize(path).map_err(|source| at(path, source))?;
        let mut start = Vec::new();
        let file = open_regular(&path).map_err(|source| at(&path, source))?;
        file.take(SEPARATOR.len() as u64)
            .read_to_end(&mut start)
            .map_err(|source| at(&path, source))?;
        if !start.is_empty() && start != SEPARATOR {
            let why =
                "a file of mails starts with a line that begins with \"From \" (mbox)".to_owned();
            return Err(Error::NotAMailbox {
                path: path.display().to_string(),
                why,
            });
        }
        Ok(Self { path, stamp: None })
    }

    pub(super) fn describe(&self) -> String {
        format!("mbox file {}", self.path.display())
    }

    pub(super) fn scan(&mut self) -> Result<Vec<Found>, Error> {
        let scanned = self.scan_file();
        scanned.map_err(|source| at(&self.path, source))
    }

    /// The bytes of a mail, unquoted, and the digest of what stands in the file.
    pub(super) fn read(&self, range: Range) -> io::Result<(Vec<u8>, Digest)> {
        let mut bytes = Vec::new();
        within(&open_regular(&self.path)?, range)?.read_to_end(&mut bytes)?;
        let digest = identity::digest(&bytes, Counted::WithoutState);
        Ok((unquoted(&bytes), digest))
    }

    /// Rewrites the file without the given mails, all at once or not at all, and only if
    /// nobody has changed it since it was scanned.
    pub(super) fn delete(&mut self, mut ranges: Vec<Range>) -> Result<(), Error> {
        if ranges.is_empty() {
            return Ok(());
        }
        ranges.sort_by_key(|range| range.line);
        self.rewrite(&ranges).map_err(|error| Error::Refused {
            server: self.path.display().to_string(),
            command: "the deletion of mails".to_owned(),
            answer: format!("{error}; nothing was deleted, the next run tries again"),
        })
    }

    fn scan_file(&mut self) -> io::Result<Vec<Found>> {
        let file = open_regular(&self.path)?;
        // Who delivers a mail holds the lock until it is whole.
        locked(&file, File::try_lock_shared)?;
        let metadata = file.metadata()?;
        self.stamp = Some(Stamp::of(&metadata));
        let mut occurrences: HashMap<Digest, u64> = HashMap::new();
        let mut mails = Vec::new();
        for range in ranges(&file)? {
            let read = identity::examine(within(&file, range)?, Counted::WithoutState)?;
            let occurrence = occurrences
                .entry(read.digest)
                .and_modify(|count| *count += 1)
                .or_insert(1);
            let id = identity::of_content(&read.digest, *occurrence);
            let fallback = range.stated.unwrap_or_else(|| modified(&metadata));
            let summary = summary(id.clone(), &read.start, read.size, fallback);
            mails.push(Found {
                id,
                received: summary.received,
                order: (PathBuf::new(), range.line),
                place: super::Place::Range(range),
                content: Ok((summary, read.digest)),
            });
        }
        Ok(mails)
    }

    fn rewrite(&self, without: &[Range]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let file = open_regular(&self.path)?;
        locked(&file, File::try_lock)?;
        let metadata = file.metadata()?;
        let same_file = Stamp::of(&std::fs::metadata(&self.path)?) == Stamp::of(&metadata);
        if !same_file || self.stamp.as_ref() != Some(&Stamp::of(&metadata)) {
            return Err(io::Error::other(
                "another program changed the file after it was read",
            ));
        }
        let mut kept = tempfile::NamedTempFile::new_in(folder)?;
        let mut position = 0;
        for range in without {
            copy(&file, position, range.line, kept.as_file_mut())?;
            position = range.next;
        }
        copy(&file, position, metadata.len(), kept.as_file_mut())?;
        give(kept.as_file(), &metadata)?;
        kept.as_file().sync_all()?;
        // The lock is held up to here; Windows replaces no file that is open.
        #[cfg(windows)]
        drop(file);
        let mut kept = kept.into_temp_path();
        crate::durable::move_over(&kept, &self.path)?;
        kept.disable_cleanup(true);
        // Without this, a power cut could bring the mails back, and no more.
        #[cfg(unix)]
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// The new file belongs to whom the old one did.
fn give(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.set_permissions(old.permissions())
}

/// Takes a lock on the file within a bounded time.
fn locked(file: &File, try_lock: fn(&File) -> Result<(), std::fs::TryLockError>) -> io::Result<()> {
    for _ in 0..TRIES {
        match try_lock(file) {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::WouldBlock,
        "another program holds the lock of the file",
    ))
}

fn within(mut file: &File, range: Range) -> io::Result<io::Take<&File>> {
    file.seek(SeekFrom::Start(range.start))?;
    Ok(file.take(range.end.saturating_sub(range.start)))
}

fn copy(mut from: &File, start: u64, end: u64, to: &mut File) -> io::Result<()> {
    let length = end.saturating_sub(start);
    from.seek(SeekFrom::Start(start))?;
    if io::copy(&mut from.take(length), to)? != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Finds the mails. Only the start of each line is ever in memory.
fn ranges(file: &File) -> io::Result<Vec<Range>> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut finder = Finder::default();
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            finder.take(piece);
        }
        let length = chunk.len();
        reader.consume(length);
    }
    Ok(finder.end())
}

#[derive(Default)]
struct Finder {
    found: Vec<Range>,
    position: u64,
    line_start: u64,
    /// The current line, as far as it matters.
    line: Vec<u8>,
    /// Where the blank line before the current line starts; the start of the file counts.
    blank: Option<u64>,
    started: bool,
}

impl Finder {
    /// As much of a line as is kept: enough for an address and a date.
    const KEPT: usize = 512;

    fn take(&mut self, piece: &[u8]) {
        let room = Self::KEPT.saturating_sub(self.line.len());
        self.line.extend(piece.iter().take(room));
        self.position += piece.len() as u64;
        if piece.ends_with(b"\n") {
            self.line_done();
        }
    }

    fn line_done(&mut self) {
        let length = self.position - self.line_start;
        if self.line.starts_with(SEPARATOR) && (self.blank.is_some() || !self.started) {
            self.close(self.line_start);
            let stated = self.line.get(SEPARATOR.len()..).and_then(stated_time);
            self.found.push(Range {
                line: self.line_start,
                start: self.position,
                end: self.position,
                next: self.position,
                stated,
            });
        }
        let blank = length <= 2 && matches!(self.line.as_slice(), b"\n" | b"\r\n");
        self.blank = blank.then_some(self.line_start);
        self.started = true;
        self.line_start = self.position;
        self.line.clear();
    }

    /// Ends the last mail found before `next`. The blank line at its end, if there is one,
    /// is the separator's.
    fn close(&mut self, next: u64) {
        let blank = self.blank;
        if let Some(last) = self.found.last_mut() {
            last.next = next;
            last.end = blank.filter(|blank| *blank > last.start).unwrap_or(next);
        }
    }

    fn end(mut self) -> Vec<Range> {
        if !self.line.is_empty() {
            self.line_done();
        }
        self.close(self.position);
        self.found
    }
}

/// The time in the rest of a `From ` line, which follows the address. It is UTC (RFC 4155).
fn stated_time(rest: &[u8]) -> Option<DateTime<Utc>> {
    let blank = rest.iter().position(|byte| *byte == b' ')?;
    date::parse(rest.get(blank..)?)
}

/// Takes the `>` off that was put before lines that start with `From `, or with `>` and it.
fn unquoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let marks = line.iter().take_while(|byte| **byte == b'>').count();
        let quoted = marks > 0
            && line
                .get(marks..)
                .is_some_and(|rest| rest.starts_with(SEPARATOR));
        out.extend_from_slice(line.get(usize::from(quoted)..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{listed, opened, raw, subjects};
    use super::*;
    use crate::mailbox::Mailbox;

    const THREE: &str = "From a@example.test Thu Oct  1 10:00:00 2026
Subject: one

Text
From here on no mail
>From quoted
>>From twice
> From not

From MAILER-DAEMON Thu Oct  1 09:00:00 2026
Subject: two
Date: Fri, 2 Oct 2026 09:00:00 +0000
Content-Length: 999999


From c@example.test Thu Oct  1 09:00:00 2026
Subject: three

Last
";

    fn mbox(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn mails_are_cut_unquoted_and_ordered() {
        let (_folder, path) = mbox(THREE);
        let mut mailbox = opened(&path);
        assert_eq!(subjects(&mut mailbox), ["three", "one", "two"]);
        let ids = listed(&mut mailbox);
        let bytes: Vec<_> = raw(&mut mailbox, &ids)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let expected = [
            "Subject: three\n\nLast\n",
            "Subject: one\n\nText\nFrom here on no mail\nFrom quoted\n>From twice\n> From not\n",
            "Subject: two\nDate: Fri, 2 Oct 2026 09:00:00 +0000\nContent-Length: 999999\n\n",
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn ids_outlive_new_mails_and_state_fields() {
        let (_folder, path) = mbox(THREE);
        let before = listed(&mut opened(&path));
        let state = "Status: RO\nX-Keywords: a\n b\nSubject: one\n";
        let touched = THREE.replace("Subject: one\n", state);
        let new = "\nFrom d@example.test Thu Oct  1 08:00:00 2026\nSubject: four\n\n";
        fs::write(&path, format!("{touched}{new}")).unwrap();
        let after = listed(&mut opened(&path));
        assert_eq!(after[1..], before[..]);
    }

    #[test]
    fn equal_mails_have_ids_of_their_own() {
        let one = "From a@example.test Thu Oct  1 10:00:00 2026\nSubject: same\n\nText\n\n";
        let (_folder, path) = mbox(&one.repeat(3));
        let ids = listed(&mut opened(&path));
        assert_eq!(ids.len(), 3);
        assert_eq!(ids, listed(&mut opened(&path)));
    }

    #[test]
    fn deletion_rewrites_the_file() {
        let (folder, path) = mbox(THREE);
        let mut mailbox = opened(&path);
        let ids = listed(&mut mailbox);
        // "one" and "three": the first and the last in the file.
        mailbox.delete(&[ids[1].clone(), ids[0].clone()]).unwrap();
        let (_, rest) = THREE.split_once("not\n\n").unwrap();
        let (two, _) = rest.split_once("From c@").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), two);
        assert_eq!(subjects(&mut mailbox), ["two"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let rest = listed(&mut mailbox);
        mailbox.delete(&rest).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(opened(&path).count().unwrap(), 0);
    }

    #[test]
    fn a_changed_file_is_left_alone() {
        let (_folder, path) = mbox(THREE);
        let mut mailbox = opened(&path);
        let ids = listed(&mut mailbox);
        let new = "From d@example.test Thu Oct  1 08:00:00 2026\n\nnew\n";
        let longer = format!("{THREE}\n{new}");
        fs::write(&path, &longer).unwrap();
        let error = mailbox.delete(&ids[..1]).unwrap_err().to_string();
        assert!(
            error.contains("another program changed the file"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), longer);
        // What still stands in its place can be read all the same.
        assert!(raw(&mut mailbox, &ids).iter().all(Result::is_ok));
        fs::write(&path, format!("{new}\n{THREE}")).unwrap();
        assert!(raw(&mut mailbox, &ids).iter().all(Result::is_err));
    }

    #[test]
    fn separators_stand_at_the_start_or_after_a_blank_line() {
        let found = |text: &str| {
            let (_folder, path) = mbox(text);
            ranges(&File::open(&path).unwrap()).unwrap().len()
        };
        assert_eq!(found(""), 0);
        assert_eq!(found("From a\n"), 1);
        assert_eq!(found("From a"), 1);
        assert_eq!(found("From a\nFrom b\n"), 1);
        assert_eq!(found("From a\r\n\r\nFrom b\r\n"), 2);
        assert_eq!(found("From a\n\n From b\n\nFromc\n\nfrom d\n"), 1);
        let long = format!("From a\n\n{}\n\nFrom b\n", "x".repeat(200_000));
        assert_eq!(found(&long), 2);
    }

    #[test]
    fn a_lock_is_waited_for() {
        let (_folder, path) = mbox(THREE);
        let holder = File::open(&path).unwrap();
        holder.lock().unwrap();
        let release = std::thread::spawn(move || {
            std::thread::sleep(PAUSE * 2);
            drop(holder);
        });
        assert_eq!(subjects(&mut opened(&path)).len(), 3);
        release.join().unwrap();
    }
}
