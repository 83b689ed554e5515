//! The journal's file: one record a line, `CRC32 JSON`, only ever appended to, or replaced whole.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Error;
use super::state::Record;

/// An open journal file.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    /// Opened at the first write: a run with nothing to remember leaves no trace.
    file: Option<File>,
    mailbox: Option<String>,
}

impl JournalFile {
    /// Reads the records. A torn last line, the trace of a crash while it was written, is cut off.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<Record>), Error> {
        let bytes = read(&path)?;
        let (records, good) = parse(&bytes, &path)?;
        if good < bytes.len() {
            let file = OpenOptions::new()
                .write(true)
                .open(&path)
                .map_err(Error::file("mend", &path))?;
            file.set_len(good as u64)
                .and_then(|()| file.sync_all())
                .map_err(Error::file("mend", &path))?;
        }
        let mailbox = records.iter().rev().find_map(|record| match record {
            Record::Mailbox { name } => Some(name.clone()),
            _ => None,
        });
        Ok((
            Self {
                path,
                file: None,
                mailbox,
            },
            records,
        ))
    }

    /// Reads the records and changes nothing.
    pub(super) fn peek(path: &Path) -> Result<Vec<Record>, Error> {
        Ok(parse(&read(path)?, path)?.0)
    }

    /// The mailbox that a record without a heading would belong to.
    pub(super) fn current_mailbox(&self) -> Option<&str> {
        self.mailbox.as_deref()
    }

    /// A heading for this mailbox is being written.
    pub(super) fn set_current_mailbox(&mut self, mailbox: &str) {
        self.mailbox = Some(mailbox.to_owned());
    }

    /// Appends records and makes them durable with one sync.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        let text = lines(records);
        let path = &self.path;
        let is_new = self.file.is_none() && !path.exists();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create(path).map_err(Error::file("write", path))?),
        };
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(Error::file("write", path))?;
        if is_new && let Some(folder) = path.parent() {
            crate::durable::sync_folder(folder).map_err(Error::file("write", folder))?;
        }
        Ok(())
    }

    /// Replaces the whole file in one step.
    pub(super) fn rewrite(&mut self, records: &[Record]) -> Result<(), Error> {
        self.file = None;
        self.mailbox = None;
        crate::durable::replace(&self.path, lines(records).as_bytes())
            .map_err(Error::file("replace", &self.path))
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    crate::durable::patiently(|| options.open(path))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(Error::file("read", path)),
    }
}

fn lines(records: &[Record]) -> String {
    let mut text = String::new();
    for record in records {
        // Records are plain structs of texts and numbers, which always have a JSON form.
        let json = serde_json::to_string(record).unwrap_or_default();
        text.push_str(&format!(
            "{:08x} {json}\n",
            crc32fast::hash(json.as_bytes())
        ));
    }
    text
}

/// The records and the length of the good part. A bad line that others follow is damage, not a
/// crash.
fn parse(bytes: &[u8], path: &Path) -> Result<(Vec<Record>, usize), Error> {
    let mut records = Vec::new();
    let mut good = 0;
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let place = || (path.display().to_string(), index + 1);
        match json(line) {
            Some(json) => {
                records.push(serde_json::from_str(json).map_err(|_| {
                    let (path, line) = place();
                    Error::Version { path, line }
                })?);
                good += line.len();
            }
            None if good + line.len() == bytes.len() => break,
            None => {
                let (path, line) = place();
                return Err(Error::Damaged { path, line });
            }
        }
    }
    Ok((records, good))
}

/// The record's text, if its checksum is right.
fn json(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (sum, json) = text.split_once(' ')?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    (sum == crc32fast::hash(json.as_bytes())).then_some(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::MailId;

    fn record(number: u32) -> Record {
        Record::Handled {
            id: MailId::new(number.to_string()),
            seen: None,
            notice: None,
        }
    }

    #[test]
    fn a_torn_tail_is_cut_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (mut file, _) = JournalFile::open(path.clone()).unwrap();
        file.append(&[record(1), record(2)]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() / 2 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let (mut file, records) = JournalFile::open(path.clone()).unwrap();
            assert_eq!(records, [record(1)], "{cut}");
            file.append(&[record(3)]).unwrap();
            assert_eq!(JournalFile::peek(&path).unwrap(), [record(1), record(3)]);
        }
        let unknown = br#"{"from-the-future":{}}"#;
        let line = [
            format!("{:08x} ", crc32fast::hash(unknown)).as_bytes(),
            unknown,
            b"\n",
        ]
        .concat();
        std::fs::write(&path, line).unwrap();
        assert!(matches!(
            JournalFile::open(path.clone()),
            Err(Error::Version { line: 1, .. })
        ));
        let mut damaged = whole.clone();
        damaged[12] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(matches!(
            JournalFile::open(path),
            Err(Error::Damaged { line: 1, .. })
        ));
    }
}
