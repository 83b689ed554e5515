//! The certificates that were accepted though no known authority vouches for them: one for each
//! server, in a small file of the state folder.
//!
//! A leaf beside the journal. It is read by everybody and written under the run's lock.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::durable;
use crate::net::Fingerprint;

/// The first line of the file.
const HEADING: &str = "# server, SHA-256 of the certificate accepted for it, since when";

/// What is remembered of servers.
#[derive(Debug)]
pub struct Certificates {
    path: PathBuf,
    accepted: BTreeMap<String, (Fingerprint, NaiveDate)>,
}

/// The file can't be used; nobody is connected to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A line says nothing that could be relied on.
    #[error(
        "{path} is damaged in line {line}. Restore it from a backup, or remove the line (or the whole file): \
         then the certificate that the server shows next is accepted once more"
    )]
    Damaged {
        /// The file.
        path: String,
        /// The line.
        line: usize,
    },
    /// The file can't be read or written.
    #[error("can't {what} {path}: {cause}")]
    File {
        /// "read", "write".
        what: &'static str,
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

impl Certificates {
    /// Reads what is remembered in a state folder; nothing, where there is no file.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("certificates");
        let accepted = match std::fs::read(&path) {
            Ok(bytes) => parse(&bytes).map_err(|line| Error::Damaged {
                path: path.display().to_string(),
                line,
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(cause) => return Err(failed("read", &path)(cause)),
        };
        Ok(Self { path, accepted })
    }

    /// The certificate that was accepted for a server (`host:port`).
    #[must_use]
    pub fn of(&self, server: &str) -> Option<Fingerprint> {
        let (fingerprint, _) = self.accepted.get(&server.to_lowercase())?;
        Some(*fingerprint)
    }

    /// Accepts a certificate for a server, in place of the one before. Durable on return. The
    /// caller holds the lock of the state folder.
    pub fn accept(
        &mut self,
        server: &str,
        fingerprint: Fingerprint,
        today: NaiveDate,
    ) -> Result<(), Error> {
        self.accepted
            .insert(server.to_lowercase(), (fingerprint, today));
        let mut text = format!("{HEADING}\n");
        for (server, (fingerprint, since)) in &self.accepted {
            text += &format!("{server} {fingerprint} {since}\n");
        }
        durable::clear_replacements(&self.path)
            .and_then(|()| durable::replace(&self.path, text.as_bytes()))
            .map_err(failed("write", &self.path))
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |cause| Error::File { what, path, cause }
}

/// Gives the number of a line that can't be understood. A file that was cut off is one.
fn parse(bytes: &[u8]) -> Result<BTreeMap<String, (Fingerprint, NaiveDate)>, usize> {
    let mut accepted = BTreeMap::new();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    let heading = lines.next().is_some_and(|(_, line)| {
        line.ends_with(b"\n") && line.trim_ascii_end() == HEADING.as_bytes()
    });
    if !heading {
        return Err(1);
    }
    for (index, line) in lines {
        let number = index + 1;
        let line = std::str::from_utf8(line).map_err(|_| number)?;
        let whole = line.strip_suffix('\n').ok_or(number)?;
        let mut words = whole.split_whitespace();
        let (Some(server), Some(fingerprint), Some(since), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(number);
        };
        let entry = (
            fingerprint.parse().map_err(|_| number)?,
            since.parse().map_err(|_| number)?,
        );
        if accepted.insert(server.to_lowercase(), entry).is_some() {
            return Err(number);
        }
    }
    Ok(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 1, 6).unwrap();
        let (one, other) = (Fingerprint::of(b"1"), Fingerprint::of(b"2"));
        let mut certificates = Certificates::read(folder.path()).unwrap();
        assert_eq!(certificates.of("a.example:993"), None);
        for (server, fingerprint) in [
            ("A.example:993", one),
            ("a.example:995", one),
            ("a.example:993", other),
        ] {
            certificates.accept(server, fingerprint, day).unwrap();
        }
        let read = Certificates::read(folder.path()).unwrap();
        assert_eq!(read.of("a.EXAMPLE:993"), Some(other));
        assert_eq!(read.of("a.example:995"), Some(one));
        assert_eq!(read.of("b.example:993"), None);
    }

    #[test]
    fn damage_is_never_taken_for_nothing() {
        let line = format!("a.example:993 {} 2026-01-06\n", Fingerprint::of(b"1"));
        let good = format!("{HEADING}\n{line}");
        assert_eq!(parse(good.as_bytes()).unwrap().len(), 1);
        assert_eq!(
            parse(good.replace('\n', "\r\n").as_bytes()).unwrap().len(),
            1
        );
        assert!(parse(format!("{HEADING}\n").as_bytes()).unwrap().is_empty());
        for (damaged, line) in [
            (String::new(), 1),
            (line.clone(), 1),
            (HEADING.to_owned(), 1),
            (good.trim_end().to_owned(), 2),
            (good.replace("2026-01-06", "2026-01"), 2),
            (good.replace(" 2026-01-06", ""), 2),
            (good.replacen(':', "", 3).replacen("993 ", "993 0", 1), 2),
            (format!("{good}\n"), 3),
            (format!("{good}{line}"), 3),
            (format!("{good}\0\0\0\0\n"), 3),
        ] {
            assert_eq!(parse(damaged.as_bytes()), Err(line), "{damaged:?}");
        }
    }
}
