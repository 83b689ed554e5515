//! Where a signed-in account is kept between runs: one sealed file for each INI file, of one user
//! on one machine, replaced in one step and by one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::tokens::Person;
use super::{Error, unified};
use crate::durable;
use crate::secret::{Keeper, SealError, Secret};

/// What the file's content is sealed for.
const SEALED_FOR: (&str, &str) = ("MSAL", "TokenCache");
/// How often a lock that another process holds is tried.
const PULSE: Duration = Duration::from_millis(50);

/// The place of an account.
#[derive(Clone, Debug)]
pub struct Cache {
    path: PathBuf,
    keeper: Keeper,
}

/// Who is signed in to which application, with what was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The authority's host.
    pub(super) environment: String,
    /// The application.
    pub(super) client_id: String,
    pub(super) person: Person,
    pub(super) access: Option<Access>,
    pub(super) refresh: Option<Refresh>,
    pub(super) id_token: Option<Secret>,
}

/// An access token. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) token: Secret,
    pub(super) scope: String,
    pub(super) cached_at: i64,
    pub(super) expires_on: i64,
}

/// A refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refresh {
    pub(super) token: Secret,
    pub(super) scope: String,
    pub(super) cached_at: i64,
}

/// The file is there and gives no account.
#[derive(Debug)]
pub(super) enum Unread {
    /// It can't be read at this time.
    File(std::io::Error),
    /// It never will be: why, in a few words.
    Unusable(&'static str),
}

impl Cache {
    /// A cache in a file, sealed with the user's key.
    #[must_use]
    pub fn at(path: PathBuf, keeper: Keeper) -> Self {
        Self { path, keeper }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The account of an application at an authority, if somebody is signed in.
    pub(super) fn read(&self, environment: &str, client: &str) -> Result<Option<Account>, Unread> {
        let sealed = match std::fs::read_to_string(&self.path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Unread::Unusable("it is damaged"));
            }
            Err(error) => return Err(Unread::File(error)),
        };
        let (section, key) = SEALED_FOR;
        let opened = self.keeper.open(sealed.trim_end(), section, key);
        let text = opened.map_err(|error| match error {
            SealError::Key(cause) => Unread::File(std::io::Error::other(cause.to_string())),
            SealError::Foreign(_) => Unread::Unusable("it was sealed with another key"),
            _ => Unread::Unusable("it is damaged"),
        })?;
        unified::read(text.expose(), environment, client)
            .map_err(|_| Unread::Unusable("it is not in MSAL's form"))
    }

    /// Keeps other processes out for as long as the value lives.
    pub(super) fn hold(&self, patience: Duration) -> Result<Held<'_>, Error> {
        let path = self.path.with_extension("lock");
        let failed = |cause: std::io::Error| self.failed("locked", &cause);
        durable::private_folder(durable::folder_of(&path)).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&path).map_err(failed)?;
        let began = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if began.elapsed() < patience => {
                    std::thread::sleep(PULSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::CacheHeld {
                        path: self.shown(),
                        after: began.elapsed(),
                    });
                }
                Err(TryLockError::Error(cause)) => return Err(failed(cause)),
            }
        }
        durable::clear_replacements(&self.path).map_err(failed)?;
        Ok(Held { cache: self, lock })
    }

    pub(super) fn failed(&self, what: &'static str, cause: &std::io::Error) -> Error {
        Error::Cache {
            path: self.shown(),
            what,
            cause: cause.to_string(),
        }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// The cache, while no other process can change it.
#[derive(Debug)]
pub(super) struct Held<'a> {
    cache: &'a Cache,
    #[expect(dead_code, reason = "it is the lock for as long as it is open")]
    lock: File,
}

impl Held<'_> {
    /// Stores the account; it is on the disk when this returns.
    pub(super) fn store(&self, account: &Account) -> Result<(), Error> {
        let cache = self.cache;
        let text = Secret::new(unified::write(account).to_string());
        let (section, key) = SEALED_FOR;
        cache
            .keeper
            .seal(&text, section, key)
            .map_err(std::io::Error::other)
            .and_then(|sealed| durable::replace(&cache.path, format!("{sealed}\n").as_bytes()))
            .map_err(|cause| cache.failed("written", &cause))
    }

    /// Gives a file that can't be used another name, for whoever wants to look into it.
    pub(super) fn set_aside(&self) -> Result<PathBuf, Error> {
        let cache = self.cache;
        let mut name = cache.path.file_name().unwrap_or_default().to_owned();
        name.push(".unreadable");
        let aside = cache.path.with_file_name(name);
        durable::move_over(&cache.path, &aside)
            .map_err(|cause| cache.failed("set aside", &cause))?;
        Ok(aside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(token: &str) -> Account {
        Account {
            environment: "login.test".into(),
            client_id: "app".into(),
            person: Person {
                username: "alice@example.test".into(),
                home_account_id: "u.t".into(),
                local_account_id: "u".into(),
                realm: "t".into(),
            },
            access: None,
            refresh: Some(Refresh {
                token: Secret::new(token.into()),
                scope: "a b".into(),
                cached_at: 7,
            }),
            id_token: None,
        }
    }

    fn cache(folder: &Path) -> Cache {
        let keeper = Keeper::at(folder.join("secret.key"));
        Cache::at(folder.join("own/msal.cache"), keeper)
    }

    #[test]
    fn what_is_stored_is_sealed_its_owners_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        assert!(cache.read("login.test", "app").unwrap().is_none());
        let held = cache.hold(Duration::ZERO).unwrap();
        held.store(&account("refresh-1")).unwrap();
        held.store(&account("refresh-2")).unwrap();
        let found = cache.read("login.test", "app").unwrap().unwrap();
        assert_eq!(found, account("refresh-2"));
        let text = std::fs::read_to_string(cache.path()).unwrap();
        assert!(text.starts_with("enc:") && !text.contains("refresh"));
        #[cfg(unix)]
        for path in [cache.path(), cache.path().parent().unwrap()] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }

    #[test]
    fn one_holds_it_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let held = cache.hold(Duration::ZERO).unwrap();
        let refused = cache.hold(Duration::ZERO).unwrap_err();
        assert!(matches!(refused, Error::CacheHeld { .. }), "{refused}");
        drop(held);
        // A process that another test is about to start has it for a moment.
        assert!(cache.hold(Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn what_can_not_be_used_is_told_from_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let held = cache.hold(Duration::ZERO).unwrap();
        held.store(&account("r")).unwrap();
        let good = std::fs::read(cache.path()).unwrap();
        let mut flipped = good.clone();
        let middle = flipped.len() / 2;
        flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
        for bytes in [
            &b""[..],
            b"\xff\xfe",
            b"{}",
            &good[..good.len() / 2],
            &flipped,
        ] {
            std::fs::write(cache.path(), bytes).unwrap();
            let unread = cache.read("login.test", "app");
            assert!(matches!(unread, Err(Unread::Unusable(_))), "{unread:?}");
        }
        assert!(held.set_aside().unwrap().exists());
        assert!(cache.read("login.test", "app").unwrap().is_none());
    }
}
