//! The files that options name. All are read before anybody is spoken to, and all that are
//! missing are told at once.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;
use super::body;
use super::exit::Exit;
use super::table::Key;
use super::texts::{Message, Phrase};
use crate::net::clean;
use crate::secret::Secret;
use crate::send::File;

/// In MiB. No server takes a mail with a larger file.
const LARGEST: u64 = 512;
/// In MiB, too: passwords and tokens have a few KiB at the most.
const LARGEST_SECRET: u64 = 1;

/// Reads files and remembers which could not be read.
#[derive(Debug, Default)]
pub(super) struct Files {
    missing: Vec<Message>,
    unreadable: Vec<Message>,
}

impl Files {
    /// The bytes of a file that an option names.
    pub(super) fn read(&mut self, option: Key, path: &str) -> Option<Vec<u8>> {
        self.bytes(option, path, path, LARGEST, Phrase::FileMissing)
    }

    /// A file to send along. It is called by its name, without its folder.
    pub(super) fn attachment(&mut self, option: Key, path: &str) -> Option<File> {
        Some(File {
            bytes: self.read(option, path)?,
            name: name_of(path),
        })
    }

    /// The text of a file with a secret.
    pub(super) fn secret(&mut self, option: Key, path: &str) -> Option<Secret> {
        let (shown, missing) = match option {
            Key::SmtpTokenFile => (path, Phrase::FileMissing),
            // It may be a password that happens to begin with @.
            _ => ("@…", Phrase::FileMissingSecret),
        };
        let bytes = self.bytes(option, path, shown, LARGEST_SECRET, missing)?;
        // What PowerShell writes is UTF-16. A file that holds no text holds no secret.
        Some(Secret::new(body::text(&bytes, false).unwrap_or_default()))
    }

    /// `shown` is what messages call the file.
    fn bytes(
        &mut self,
        option: Key,
        path: &str,
        shown: &str,
        limit: u64,
        missing: Phrase,
    ) -> Option<Vec<u8>> {
        let told = |text: Phrase| {
            let message = text.with("option", option.shown());
            message.with("file", clean(shown, 300))
        };
        match read(path, limit) {
            Ok(Some(bytes)) => return Some(bytes),
            Ok(None) => {
                let limit = limit.to_string();
                self.unreadable
                    .push(told(Phrase::FileTooLarge).with("limit", limit));
            }
            Err(error) if is_missing(&error) => self.missing.push(told(missing)),
            Err(error) => {
                let message = told(Phrase::FileUnreadable).with("cause", cause(&error));
                self.unreadable.push(message);
            }
        }
        None
    }

    /// Everything could be read, or what could not and why.
    pub(super) fn all_there(self) -> Result<(), Failure> {
        let exit = match (self.missing.is_empty(), self.unreadable.is_empty()) {
            (true, true) => return Ok(()),
            (true, false) => Exit::Error,
            (false, _) => Exit::FileNotFound,
        };
        Err(Failure {
            exit,
            messages: [self.missing, self.unreadable].concat(),
        })
    }
}

/// `None` for a file that is larger than so many MiB.
fn read(path: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let limit = limit * 1024 * 1024;
    let file = fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

/// A file's name without its folder.
fn name_of(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What an error of the operating system means.
pub(super) fn cause(error: &io::Error) -> Message {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Phrase::CauseDenied.into(),
        io::ErrorKind::IsADirectory => Phrase::CauseFolder.into(),
        _ if is_missing(error) => Phrase::CauseMissing.into(),
        _ => {
            let number = error.raw_os_error().unwrap_or_default();
            Phrase::CauseOther.with("number", number.to_string())
        }
    }
}
