//! One run at a time: a lock of the operating system, which goes away with its process.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Error;
use crate::clock::stamp;

/// So many moments are given to a holder that has just come, to say its name, or is going.
const MOMENTS: usize = 10;
const MOMENT: Duration = Duration::from_millis(30);

/// The lock; it is given back when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    holder: PathBuf,
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
        for _ in 0..MOMENTS {
            match file.try_lock() {
                Ok(()) => {
                    let since = stamp::format(now);
                    let text = format!("process {} since {since}\n", std::process::id());
                    crate::durable::patiently(|| std::fs::write(&holder, &text))
                        .map_err(Error::file("write", &holder))?;
                    let _file = file;
                    return Ok(Self { _file, holder });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(Error::file("lock", &path)(source)),
            }
            // Without a whole line the holder has just come, or has just gone.
            let text = std::fs::read_to_string(&holder).unwrap_or_default();
            if let Some(name) = text.strip_suffix('\n') {
                return Err(locked(folder, &format!(": {name}")));
            }
            std::thread::sleep(MOMENT);
        }
        Err(locked(folder, ""))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is still held: a name that is left behind by a kill is only ever read in the
        // moment before the next holder has written its own.
        let _ = std::fs::remove_file(&self.holder);
    }
}

fn locked(folder: &Path, holder: &str) -> Error {
    Error::Locked {
        folder: folder.display().to_string(),
        holder: holder.to_owned(),
    }
}
