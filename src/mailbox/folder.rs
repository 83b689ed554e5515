//! Mails on the local disk: a folder of `.eml` files, a Maildir, or an mbox file.

use std::path::Path;

use super::Error;
use crate::message::Limits;

/// Mails on the local disk.
#[derive(Debug)]
pub struct FolderMailbox {
    limits: Limits,
}

impl FolderMailbox {
    /// Opens a folder or an mbox file.
    ///
    /// # Errors
    /// It can't be read, or is nothing that holds mails.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, Error> {
        let _ = path;
        Ok(Self { limits })
    }
}
