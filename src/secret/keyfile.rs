//! The key of an installation: random, kept apart from the INI file, readable by its owner only.
//!
//! On Windows the installer and the job are often different accounts. The key of the settings is
//! the machine's there: protected by DPAPI for the machine, in a file of the administrators, the
//! system and the account that made it. The key of the tokens is the account's own. Elsewhere both
//! are the same.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::seal::Key;
use crate::durable;
#[cfg(windows)]
use crate::win::Scope;

/// Leads the content of a key file.
const PREFIX: &str = if cfg!(windows) {
    "smartemail-key:dpapi:"
} else {
    "smartemail-key:v1:"
};

/// Where key files are, in a folder of the system's choice.
const FOLDER: &str = "smartemail";
const NAME: &str = "secret.key";
/// No key file is longer; what DPAPI adds is some hundred bytes.
const LONGEST: u64 = 16 * 1024;

/// Knows where the key is, and reads it when it is needed.
#[derive(Clone, Debug)]
pub struct Keeper {
    path: PathBuf,
    #[cfg(windows)]
    scope: Scope,
}

/// The key can't be read or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is none: nothing was ever sealed here.
    #[error(
        "can't be opened: there is no key in {0}. Credentials are sealed on this machine{WHOSE}"
    )]
    Missing(String),
    /// The file can't be read or written.
    #[error("can't be opened or sealed: the key file {path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// Others could have read the key.
    #[error(
        "can't be opened: the key file {0} can be read by other users. Take their rights away ({TAKE_AWAY}), and if they may have read it, delete it and seal all credentials again"
    )]
    Rights(String),
    /// This account may not read it.
    #[error(
        "can't be opened: this account may not read the key file {0}. Run the job as the account that sealed the credentials{GRANT}"
    )]
    Denied(String),
    /// Somebody else may have put it there, and know it.
    #[cfg(windows)]
    #[error(
        "can't be sealed: the key file {0} belongs to another account. If an installer made it, seal as that account or as an \
         administrator who has taken the file over; else delete it and seal all credentials again"
    )]
    Stranger(String),
    /// It holds something else.
    #[error(
        "can't be opened: {0} holds no key of this program, or one of another account or machine. Delete it and seal all credentials again"
    )]
    Content(String),
    /// The machine gave no random numbers.
    #[error("can't be sealed: the system gave no random numbers")]
    Random,
}

/// Who seals: see the head of this module.
const WHOSE: &str = if cfg!(windows) {
    ""
} else {
    ", as the user that runs the job"
};
/// How others lose their rights on the key file.
const TAKE_AWAY: &str = if cfg!(windows) {
    "icacls FILE /inheritance:d /remove *S-1-1-0 *S-1-5-11 *S-1-5-32-545"
} else {
    "chmod 600"
};
/// How the job's account gets at the key file.
const GRANT: &str = if cfg!(windows) {
    ", as SYSTEM or as an administrator, or let an administrator grant it: icacls FILE /grant ACCOUNT:R"
} else {
    ""
};

impl Keeper {
    /// A keeper for a key file at this place, for the account's own use.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            #[cfg(windows)]
            scope: Scope::Account,
        }
    }

    /// The key of the settings: in `%PROGRAMDATA%\smartemail` on Windows, for all accounts; else in
    /// `$XDG_CONFIG_HOME/smartemail`, for root `/etc/smartemail`, else `~/.config/smartemail`, for
    /// this one; where none of them is known, in the state folder.
    #[must_use]
    pub fn for_settings(is_root: bool, state: &Path) -> Self {
        let folder = if cfg!(windows) {
            variable("PROGRAMDATA")
        } else {
            variable("XDG_CONFIG_HOME")
                .or_else(|| is_root.then(|| PathBuf::from("/etc")))
                .or_else(|| std::env::home_dir().map(|home| home.join(".config")))
        };
        let folder = folder.map_or_else(|| state.to_path_buf(), |folder| folder.join(FOLDER));
        Self {
            path: folder.join(NAME),
            #[cfg(windows)]
            scope: Scope::Machine,
        }
    }

    /// The key of what no other account is to read: this one, or where accounts share it, one in
    /// `%LOCALAPPDATA%\smartemail`.
    #[must_use]
    pub fn personal(&self) -> Self {
        #[cfg(windows)]
        if let (Scope::Machine, Some(folder)) = (self.scope, variable("LOCALAPPDATA")) {
            return Self::at(folder.join(FOLDER).join(NAME));
        }
        self.clone()
    }

    /// Where the key is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key.
    pub(super) fn key(&self) -> Result<Key, KeyError> {
        self.read(false)
    }

    /// The key, made when there is none.
    pub(super) fn key_or_new(&self) -> Result<Key, KeyError> {
        match self.read(true) {
            Err(KeyError::Missing(_)) => self.make(),
            other => other,
        }
    }

    fn read(&self, to_seal: bool) -> Result<Key, KeyError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Missing(self.shown()));
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(KeyError::Denied(self.shown()));
            }
            Err(cause) => return Err(self.failed(cause)),
        };
        self.judge(&file, to_seal)?;
        let mut text = Zeroizing::new(String::new());
        match file.take(LONGEST).read_to_string(&mut text) {
            Err(error) if error.kind() != io::ErrorKind::InvalidData => {
                return Err(self.failed(error));
            }
            _ => {}
        }
        let broken = || KeyError::Content(self.shown());
        let encoded = text.trim().strip_prefix(PREFIX).ok_or_else(broken)?;
        let stored = Zeroizing::new(BASE64.decode(encoded.as_bytes()).map_err(|_| broken())?);
        let plain = self.unprotect(&stored).ok_or_else(broken)?;
        let mut key = Key::default();
        if plain.len() != key.len() {
            return Err(broken());
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }

    /// Whether others may have read the key, or put it there for somebody to seal with.
    #[cfg(windows)]
    fn judge(&self, file: &File, to_seal: bool) -> Result<(), KeyError> {
        let exposure = crate::win::exposure(file).map_err(|cause| self.failed(cause))?;
        if exposure.crowd {
            return Err(KeyError::Rights(self.shown()));
        }
        if exposure.stranger && to_seal {
            return Err(KeyError::Stranger(self.shown()));
        }
        Ok(())
    }

    /// Whether others may have read the key.
    #[cfg(not(windows))]
    fn judge(&self, file: &File, _to_seal: bool) -> Result<(), KeyError> {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata().map_err(|cause| self.failed(cause))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Rights(self.shown()));
        }
        Ok(())
    }

    fn make(&self) -> Result<Key, KeyError> {
        let mut key = Key::default();
        getrandom::fill(key.as_mut_slice()).map_err(|_| KeyError::Random)?;
        let stored = self
            .protect(key.as_slice())
            .ok_or_else(|| KeyError::Content(self.shown()))?;
        let text = Zeroizing::new(format!("{PREFIX}{}\n", BASE64.encode(&stored)));
        let folder = durable::folder_of(&self.path);
        let written = durable::private_folder(folder)
            .and_then(|()| durable::create(folder, &self.path, text.as_bytes(), 0o600))
            .and_then(|()| durable::sync_folder(folder));
        match written {
            Ok(()) => Ok(key),
            // Somebody else made one in the meantime: theirs counts.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.read(true),
            Err(cause) => Err(self.failed(cause)),
        }
    }

    #[cfg(windows)]
    fn protect(&self, key: &[u8]) -> Option<Vec<u8>> {
        crate::win::protect(key, self.scope)
    }

    #[cfg(windows)]
    fn unprotect(&self, stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        crate::win::unprotect(stored)
    }

    #[cfg(not(windows))]
    #[expect(clippy::unnecessary_wraps, reason = "on Windows DPAPI can refuse")]
    #[expect(clippy::unused_self, reason = "on Windows it knows the scope")]
    fn protect(&self, key: &[u8]) -> Option<Vec<u8>> {
        Some(key.to_vec())
    }

    #[cfg(not(windows))]
    #[expect(clippy::unnecessary_wraps, reason = "on Windows DPAPI can refuse")]
    #[expect(clippy::unused_self, reason = "on Windows it knows the scope")]
    fn unprotect(&self, stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(stored.to_vec()))
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, cause: io::Error) -> KeyError {
        KeyError::File {
            path: self.shown(),
            cause,
        }
    }
}

/// A folder that the environment names.
fn variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_key_is_its_owners_only() {
        use std::os::unix::fs::PermissionsExt;
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

    fn assert_made_once(keeper: &Keeper) {
        assert!(matches!(keeper.key(), Err(KeyError::Missing(_))));
        let key = keeper.key_or_new().unwrap();
        assert_eq!(*keeper.key_or_new().unwrap(), *key);
        assert_eq!(*keeper.key().unwrap(), *key);
        let own = std::fs::read_dir(keeper.path().parent().unwrap()).unwrap();
        assert_eq!(own.count(), 1, "nothing is left beside the key");
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_made_once(&Keeper::at(folder.path().join("own/secret.key")));
    }

    #[cfg(windows)]
    #[test]
    fn so_is_the_key_that_accounts_share() {
        let folder = tempfile::tempdir().unwrap();
        assert_made_once(&Keeper {
            path: folder.path().join("shared/secret.key"),
            scope: Scope::Machine,
        });
    }

    #[test]
    fn another_file_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let short = format!("{PREFIX}AAAA\n");
        let long = "x".repeat(100_000);
        for content in ["", "hello", &short, &long] {
            let _ = std::fs::remove_file(&path);
            durable::create(folder.path(), &path, content.as_bytes(), 0o600).unwrap();
            assert!(
                matches!(Keeper::at(path.clone()).key(), Err(KeyError::Content(_))),
                "{content}"
            );
        }
    }
}
