//! One run at a time: a lock of the operating system, which goes away with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use chrono::{DateTime, Utc};

use super::Error;
use crate::clock::stamp;

/// The lock; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a state folder, or says who has it.
    pub(super) fn take(folder: &Path, now: DateTime<Utc>) -> Result<Self, Error> {
        let path = folder.join("lock");
        // The holder's name stands in a file of its own: Windows keeps others from reading a locked
        // one.
        let holder = folder.join("lock.holder");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {
                let text = format!(
                    "process {} since {}",
                    std::process::id(),
                    stamp::format(now)
                );
                std::fs::write(&holder, text).map_err(Error::file("write", &holder))?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = std::fs::read_to_string(&holder)
                    .map(|text| format!(": {text}"))
                    .unwrap_or_default();
                Err(Error::Locked {
                    folder: folder.display().to_string(),
                    holder,
                })
            }
            Err(TryLockError::Error(source)) => Err(Error::file("lock", &path)(source)),
        }
    }
}
