//! The key of an installation: random, kept apart from the INI file, readable by its owner only
//! (on Windows protected by DPAPI for that user as well).

use std::io::Write;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use zeroize::{Zeroize, Zeroizing};

use super::seal::Key;

/// Leads the content of a key file.
const PREFIX: &str = if cfg!(windows) {
    "smartemail-key:dpapi:"
} else {
    "smartemail-key:v1:"
};

/// Knows where the key is, and reads it when it is needed.
#[derive(Clone, Debug)]
pub struct Keeper {
    path: PathBuf,
}

/// The key can't be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is none: nothing was ever sealed here.
    #[error(
        "can't be opened: there is no key in {0}. Credentials are sealed on this machine, as the user that runs the job"
    )]
    Missing(String),
    /// The file can't be read or written.
    #[error("can't be opened or sealed: the key file {path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// Others could have read the key.
    #[error(
        "can't be opened: the key file {0} can be read by other users. Take their rights away (chmod 600), and if they may have read it, delete it and seal all credentials again"
    )]
    Rights(String),
    /// It holds something else.
    #[error(
        "can't be opened: {0} holds no key of this program, or one of another user. Delete it and seal all credentials again"
    )]
    Content(String),
    /// The machine gave no random numbers.
    #[error("can't be sealed: the system gave no random numbers")]
    Random,
}

impl Keeper {
    /// A keeper for a key file at this place.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The place of the key for this user: `%LOCALAPPDATA%\smartemail` on Windows; else
    /// `$XDG_CONFIG_HOME/smartemail`, for root `/etc/smartemail`, else `~/.config/smartemail`;
    /// where none of them is known, the state folder.
    #[must_use]
    pub fn for_user(is_root: bool, state: &Path) -> Self {
        let variable = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let folder = if cfg!(windows) {
            variable("LOCALAPPDATA")
        } else {
            variable("XDG_CONFIG_HOME")
                .or_else(|| is_root.then(|| PathBuf::from("/etc")))
                .or_else(|| std::env::home_dir().map(|home| home.join(".config")))
        };
        Self::at(
            folder
                .map_or_else(|| state.to_path_buf(), |folder| folder.join("smartemail"))
                .join("secret.key"),
        )
    }

    /// Where the key is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key.
    pub(super) fn key(&self) -> Result<Key, KeyError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyError::Missing(self.shown()));
            }
            Err(cause) => return Err(self.failed(cause)),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&self.path)
                .map_err(|cause| self.failed(cause))?
                .permissions()
                .mode();
            if mode & 0o077 != 0 {
                return Err(KeyError::Rights(self.shown()));
            }
        }
        let broken = || KeyError::Content(self.shown());
        let encoded = text.trim().strip_prefix(PREFIX).ok_or_else(broken)?;
        let stored = Zeroizing::new(BASE64.decode(encoded.as_bytes()).map_err(|_| broken())?);
        let plain = unprotect(&stored).ok_or_else(broken)?;
        let mut key = Key::default();
        if plain.len() != key.len() {
            return Err(broken());
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }

    /// The key, made when there is none.
    pub(super) fn key_or_new(&self) -> Result<Key, KeyError> {
        match self.key() {
            Err(KeyError::Missing(_)) => self.make(),
            other => other,
        }
    }

    fn make(&self) -> Result<Key, KeyError> {
        let mut key = Key::default();
        getrandom::fill(key.as_mut_slice()).map_err(|_| KeyError::Random)?;
        let stored = protect(key.as_slice()).ok_or_else(|| KeyError::Content(self.shown()))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        crate::durable::private_folder(folder).map_err(|cause| self.failed(cause))?;
        // A temporary file is its owner's only, and keeps that when it gets its name.
        let mut file =
            tempfile::NamedTempFile::new_in(folder).map_err(|cause| self.failed(cause))?;
        let mut text = format!("{PREFIX}{}\n", BASE64.encode(&stored));
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.as_file().sync_all());
        text.zeroize();
        written.map_err(|cause| self.failed(cause))?;
        match file.persist_noclobber(&self.path) {
            Ok(_) => Ok(key),
            // Somebody else made one in the meantime: theirs counts.
            Err(lost) if lost.error.kind() == std::io::ErrorKind::AlreadyExists => self.key(),
            Err(lost) => Err(self.failed(lost.error)),
        }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, cause: std::io::Error) -> KeyError {
        KeyError::File {
            path: self.shown(),
            cause,
        }
    }
}

#[cfg(windows)]
use super::dpapi::{protect, unprotect};

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "on Windows DPAPI can refuse")]
fn protect(key: &[u8]) -> Option<Vec<u8>> {
    Some(key.to_vec())
}

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "on Windows DPAPI can refuse")]
fn unprotect(stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    Some(Zeroizing::new(stored.to_vec()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_its_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("private/secret.key");
        let keeper = Keeper::at(path.clone());
        let key = keeper.key_or_new().unwrap();
        assert_eq!(*keeper.key().unwrap(), *key);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(keeper.key(), Err(KeyError::Rights(_))));
    }

    #[test]
    fn another_file_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        for content in ["", "hello", "smartemail-key:v1:AAAA\n"] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                matches!(Keeper::at(path.clone()).key(), Err(KeyError::Content(_))),
                "{content}"
            );
        }
    }
}
