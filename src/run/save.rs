//! `DownloadEmails`: accepted mails as `.eml` files, their matched attachments beside them in a
//! folder of the same stem. Nothing is ever overwritten.
//!
//! The names follow from the mail alone, so that a run that was interrupted and its successor mean
//! the same file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::look::Looked;
use crate::clock;
use crate::durable;
use crate::mailbox::Summary;
use crate::message::{Attachment, Fault, Limits, Mail, distinct_file_name, safe_file_name};
use crate::rules::Files;

/// Where mails are saved.
#[derive(Debug)]
pub(super) struct Plan {
    folder: PathBuf,
    /// Where files are written before they get their names; this INI file's own.
    workshop: PathBuf,
    /// Tells apart the mails of different mailboxes.
    mailbox: String,
}

/// A mail could not be saved.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    /// It can't be read as the mail that was judged.
    #[error("{0}")]
    Mail(String),
    /// The mail breaks a bound.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A file of that name holds something else.
    #[error("{0} is there already and holds something else; move it away")]
    Exists(String),
    /// The disk refused.
    #[error("can't save {path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

impl Plan {
    /// A plan for one mailbox. `tag` is a name of the INI file's own: several may share a folder.
    pub(super) fn new(folder: &Path, mailbox: &str, tag: &str) -> Self {
        Self {
            folder: folder.to_path_buf(),
            workshop: folder.join(format!("{}{tag}", durable::TEMPORARY)),
            mailbox: mailbox.to_owned(),
        }
    }

    /// Makes the folders and clears away what an interrupted run left unfinished.
    pub(super) fn prepare(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.workshop)?;
        for entry in std::fs::read_dir(&self.workshop)? {
            durable::remove(&entry?.path())?;
        }
        durable::writable(&self.workshop)
    }

    /// Takes the empty workshop away again.
    pub(super) fn finish(&self) {
        // A run that could not remove it will find it empty the next time.
        let _ = std::fs::remove_dir(&self.workshop);
    }

    /// Where a mail and each of its attachments would go.
    pub(super) fn files(&self, summary: &Summary, attachments: &[Attachment]) -> Files {
        let stem = self.folder.join(self.stem(summary));
        let mut taken = Vec::new();
        for attachment in attachments {
            taken.push(distinct_file_name(
                &safe_file_name(&attachment.name),
                &taken,
            ));
        }
        Files {
            email: shown(&stem.with_extension("eml")),
            attachments: taken.iter().map(|name| shown(&stem.join(name))).collect(),
        }
    }

    /// Saves a mail and its matched attachments, durably.
    pub(super) fn save(
        &self,
        looked: &Looked,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<(), SaveError> {
        self.keep(Path::new(&looked.files.email), bytes)?;
        let matched: BTreeSet<usize> = looked
            .judgement
            .matches()
            .filter_map(|(_, found)| found.attachment)
            .collect();
        if !matched.is_empty() {
            let folder = self.folder.join(self.stem(&looked.summary));
            std::fs::create_dir_all(&folder).map_err(|cause| SaveError::File {
                path: shown(&folder),
                cause,
            })?;
            let mail = Mail::parse(bytes, limits)?;
            for index in matched {
                let (Some(attachment), Some(file)) = (
                    looked.content.attachments.get(index),
                    looked.files.attachments.get(index),
                ) else {
                    continue;
                };
                let told = &looked.content.attachments;
                let decoded = mail.attachment_told(told, index).ok_or_else(|| {
                    SaveError::Mail(format!(
                        "the attachment \"{}\" can't be found in the mail as it was delivered",
                        attachment.name
                    ))
                })?;
                self.keep(Path::new(file), &decoded)?;
            }
            durable::sync_folder(&folder).map_err(|cause| SaveError::File {
                path: shown(&folder),
                cause,
            })?;
        }
        Ok(())
    }

    /// Makes the names of the saved mails durable.
    pub(super) fn sync(&self) -> std::io::Result<()> {
        durable::sync_folder(&self.folder)
    }

    /// Puts a file there. If the very same is there already, an interrupted run has done the work.
    fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), SaveError> {
        match durable::create(&self.workshop, path, bytes, 0o666) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                match std::fs::read(path) {
                    Ok(found) if found == bytes => Ok(()),
                    Ok(_) => Err(SaveError::Exists(shown(path))),
                    Err(cause) => Err(SaveError::File {
                        path: shown(path),
                        cause,
                    }),
                }
            }
            Err(cause) => Err(SaveError::File {
                path: shown(path),
                cause,
            }),
        }
    }

    /// The file name without ending: when it was received, and which mail it is.
    fn stem(&self, summary: &Summary) -> String {
        let digest = Sha256::new()
            .chain_update(self.mailbox.as_bytes())
            .chain_update([0])
            .chain_update(summary.id.as_str())
            .finalize();
        let mark: String = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!(
            "{}-{mark}",
            clock::to_local(summary.received).format("%Y%m%d-%H%M%S")
        )
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
