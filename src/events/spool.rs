//! The way into MSGIN: event files are written in the staging folder, and appear in MSGIN by a
//! rename.
//!
//! OpCon reads every file it finds in MSGIN, whatever its name, and deletes it; so nothing
//! unfinished may ever be there, and a file that is gone was read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::durable::{self, LINE_END};
use crate::secret::Secret;

/// MSGIN and this INI file's own folder in the staging folder.
#[derive(Debug)]
pub struct Spool {
    msgin: PathBuf,
    staging: PathBuf,
}

/// MSGIN or the staging folder can't be used; the run stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// MSGIN is not there.
    #[error(
        "[General] MSGINDirectory {0} is not there. Events are written nowhere else; mend the setting or make the folder"
    )]
    NoMsgin(String),
    /// A rename between the two would not be one step.
    #[error(
        "[General] StagingDirectory {staging} is on another file system than MSGINDirectory {msgin}, or in another mount of \
         the same one, so event files could be read half-written. Set StagingDirectory to a folder in the same mount, \
         outside MSGIN"
    )]
    OtherFileSystem {
        /// Staging folder.
        staging: String,
        /// MSGIN.
        msgin: String,
    },
    /// The staging folder is MSGIN or inside it, where OpCon would read unfinished files.
    #[error(
        "[General] StagingDirectory {0} lies in MSGINDirectory, where OpCon reads every file. Set it to a folder outside MSGIN"
    )]
    Inside(String),
    /// A staged file is gone, and not into MSGIN as far as can be seen.
    #[error(
        "the event file {0} has left the staging folder, and nobody can tell whether for MSGIN: a virus scanner may have \
         taken it, or a file server's answer was lost. The next run takes its events for written: find out whether they \
         were"
    )]
    TakenAway(String),
    /// What an earlier run has staged can't be looked for.
    #[error(
        "an earlier run was interrupted with the event file {path} in its staging folder, which can't be read now \
         ({cause}), so nobody can tell whether its events were written. Let the folder be reached again; where it is gone \
         for good, an empty one in its place says that they were"
    )]
    OutOfReach {
        /// Where it was.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// Something can't be written.
    #[error("can't {what} {path}: {cause}. The mail stays on the server")]
    File {
        /// What was attempted.
        what: &'static str,
        /// Where.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

impl Spool {
    /// Looks at both folders and makes what is missing of the staging folder. `tag` is a name of
    /// this INI file's own: several may share an MSGIN, and none may clear away what another has
    /// staged.
    pub fn open(msgin: &Path, staging: &Path, tag: &str) -> Result<Self, SpoolError> {
        // The journal keeps the paths of staged files for the next run, which may start elsewhere.
        let own = std::path::absolute(staging.join(tag)).map_err(failed("find", staging))?;
        check_places(msgin, staging)?;
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        // Event files hold a password while they wait here.
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&own)
            .map_err(failed("make the staging folder", &own))?;
        check_places(msgin, staging)?;
        Ok(Self {
            msgin: msgin.to_path_buf(),
            staging: own,
        })
    }

    /// As [`Self::open`], but changes nothing: a missing staging folder is judged by the one that
    /// it would be made in.
    pub fn check(msgin: &Path, staging: &Path) -> Result<(), SpoolError> {
        check_places(msgin, staging)?;
        let staging = existing(staging);
        durable::writable(staging).map_err(failed("write into", staging))?;
        may_write(msgin).map_err(failed("write into", msgin))
    }

    /// Writes the event file of one mail into the staging folder, durably but for its name.
    /// Returns where it is.
    pub fn stage(&self, name: &str, lines: &[Secret]) -> Result<PathBuf, SpoolError> {
        let mut text = String::new();
        for line in lines {
            text.push_str(line.expose());
            text.push_str(LINE_END);
        }
        let text = Secret::new(text);
        let path = self.staging.join(name);
        // The agent that reads it may be another user of the same group; nobody else is to see the
        // password.
        durable::create(&self.staging, &path, text.expose().as_bytes(), 0o660)
            .map_err(failed("write the event file", &path))?;
        Ok(path)
    }

    /// Makes the names of staged files durable.
    pub fn sync_staging(&self) -> Result<(), SpoolError> {
        durable::sync_folder(&self.staging).map_err(failed("sync", &self.staging))
    }

    /// Moves a staged file into MSGIN. This is the moment at which its events are submitted.
    pub fn submit(&self, staged: &Path) -> Result<(), SpoolError> {
        let to = self.msgin.join(staged.file_name().unwrap_or_default());
        let Err(cause) = durable::move_new(staged, &to) else {
            return Ok(());
        };
        if is_listed(staged).unwrap_or(true) {
            return Err(failed("move the event file into MSGIN as", &to)(cause));
        }
        if is_taken_away(&cause) && !to.exists() {
            return Err(SpoolError::TakenAway(staged.display().to_string()));
        }
        // A move can be done and reported as failed: the answer of a file server was lost, or the
        // agent has taken the file before the system looked at it again.
        Ok(())
    }

    /// Makes the moves durable.
    pub fn sync_msgin(&self) -> Result<(), SpoolError> {
        durable::sync_folder(&self.msgin).map_err(failed("sync", &self.msgin))
    }

    /// Where a file is now that an earlier run has staged as `path`; `None` if it is certainly gone,
    /// and so was submitted. The staging folder may have another name by now: moved, by a link, or
    /// in other letters.
    pub fn find(&self, path: &Path) -> Result<Option<PathBuf>, SpoolError> {
        let here = self.staging.join(path.file_name().unwrap_or_default());
        for place in [here, path.to_path_buf()] {
            match is_listed(&place) {
                Ok(true) => return Ok(Some(place)),
                Ok(false) => {}
                Err(cause) => {
                    let path = place.display().to_string();
                    return Err(SpoolError::OutOfReach { path, cause });
                }
            }
        }
        Ok(None)
    }

    /// Removes what an interrupted run has left in the staging folder, but for the files to `keep`.
    /// Returns how many there were.
    pub fn clear(&self, keep: &[PathBuf]) -> Result<usize, SpoolError> {
        let mut removed = 0;
        for entry in std::fs::read_dir(&self.staging).map_err(failed("list", &self.staging))? {
            let path = entry.map_err(failed("list", &self.staging))?.path();
            if !keep.contains(&path) {
                durable::remove(&path).map_err(failed("remove", &path))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Whether a file that has left was missing to begin with, or Windows' virus scanner has removed it.
fn is_taken_away(cause: &std::io::Error) -> bool {
    const VIRUS_INFECTED: i32 = 225;
    const VIRUS_DELETED: i32 = 226;
    cause.kind() == ErrorKind::NotFound
        || matches!(cause.raw_os_error(), Some(VIRUS_INFECTED | VIRUS_DELETED))
}

/// Whether a file's folder lists it. That a path isn't found would not tell that it is gone: so it
/// is, too, where a file server doesn't answer.
fn is_listed(file: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(durable::folder_of(file))? {
        if Some(entry?.file_name().as_os_str()) == file.file_name() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses places at which OpCon could read an unfinished file.
fn check_places(msgin: &Path, staging: &Path) -> Result<(), SpoolError> {
    if !msgin.is_dir() {
        return Err(SpoolError::NoMsgin(msgin.display().to_string()));
    }
    let found = existing(staging);
    let canonical = |path: &Path| canonical(path).map_err(failed("find", path));
    if staging.starts_with(msgin) || canonical(found)?.starts_with(canonical(msgin)?) {
        return Err(SpoolError::Inside(staging.display().to_string()));
    }
    let mount = |path: &Path| mount(path).map_err(failed("look at", path));
    if mount(msgin)? != mount(found)? {
        return Err(SpoolError::OtherFileSystem {
            staging: staging.display().to_string(),
            msgin: msgin.display().to_string(),
        });
    }
    Ok(())
}

/// Where a path leads; not every file system of Windows can tell.
fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    dunce::canonicalize(path).or_else(|_| std::path::absolute(path))
}

/// What no move leaves in one step: a drive or a share.
#[cfg(windows)]
fn mount(path: &Path) -> std::io::Result<Option<std::ffi::OsString>> {
    let path = canonical(path)?;
    Ok(path
        .components()
        .next()
        .map(|first| first.as_os_str().to_owned()))
}

/// What no rename leaves: a file system, and where the system tells, a mount of it (`rename(2)`,
/// EXDEV). Services and containers see one file system in several mounts.
#[cfg(unix)]
fn mount(path: &Path) -> std::io::Result<(u64, Option<u64>)> {
    let device = std::os::unix::fs::MetadataExt::dev(&path.metadata()?);
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
        // Since Linux 5.8.
        if let Ok(found) = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID)
            && found.stx_mask & StatxFlags::MNT_ID.bits() != 0
        {
            return Ok((device, Some(found.stx_mnt_id)));
        }
    }
    Ok((device, None))
}

/// The folder, or the nearest one above it that exists.
fn existing(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|path| path.is_dir())
        .unwrap_or(Path::new("."))
}

/// Judges MSGIN by its rights: a file made there to try it would be read by OpCon.
fn may_write(msgin: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    rustix::fs::access(
        msgin,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    )?;
    #[cfg(not(unix))]
    if std::fs::metadata(msgin)?.permissions().readonly() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    Ok(())
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SpoolError {
    let path = path.display().to_string();
    move |cause| SpoolError::File { what, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_by_a_rename_and_leftovers_go() {
        let folder = tempfile::tempdir().unwrap();
        let (msgin, staging) = (
            folder.path().join("MSGIN"),
            folder.path().join("MSGIN.staging"),
        );
        assert!(matches!(
            Spool::open(&msgin, &staging, "t"),
            Err(SpoolError::NoMsgin(_))
        ));
        std::fs::create_dir(&msgin).unwrap();
        let spool = Spool::open(&msgin, &staging, "t").unwrap();
        let other = Spool::open(&msgin, &staging, "u").unwrap();
        let a = spool
            .stage(
                "a.txt",
                &[Secret::new("one".into()), Secret::new("two".into())],
            )
            .unwrap();
        let b = spool.stage("b.txt", &[]).unwrap();
        let c = spool.stage("c.txt", &[]).unwrap();
        let theirs = other.stage("d.txt", &[]).unwrap();
        assert!(!msgin.join("a.txt").exists());
        spool.submit(&a).unwrap();
        assert_eq!(
            std::fs::read_to_string(msgin.join("a.txt")).unwrap(),
            format!("one{LINE_END}two{LINE_END}")
        );
        std::fs::write(msgin.join("b.txt"), "somebody else's").unwrap();
        assert!(spool.submit(&b).is_err());
        assert_eq!(
            std::fs::read(msgin.join("b.txt")).unwrap(),
            b"somebody else's"
        );
        assert_eq!(spool.clear(std::slice::from_ref(&b)).unwrap(), 1);
        assert!(b.exists() && !c.exists() && theirs.exists());
    }

    #[test]
    fn what_was_staged_is_found_wherever_its_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir(place("MSGIN")).unwrap();
        let open = |staging| Spool::open(&place("MSGIN"), &place(staging), "t").unwrap();
        let file = open("one").stage("a.txt", &[]).unwrap();
        // The old folder is still there, and then it is the new one.
        assert_eq!(open("two").find(&file).unwrap(), Some(file.clone()));
        std::fs::remove_dir_all(place("two")).unwrap();
        std::fs::rename(place("one"), place("two")).unwrap();
        let moved = open("two").find(&file).unwrap().unwrap();
        assert_eq!(moved, place("two").join("t").join("a.txt"));
        open("two").submit(&moved).unwrap();
        // Nobody can tell, until somebody says that nothing is left.
        assert!(matches!(
            open("two").find(&file),
            Err(SpoolError::OutOfReach { .. })
        ));
        std::fs::create_dir_all(place("one").join("t")).unwrap();
        assert_eq!(open("two").find(&file).unwrap(), None);
        // It is in MSGIN, so it was moved, whatever was said of that.
        open("two").submit(&moved).unwrap();
        std::fs::remove_file(place("MSGIN").join("a.txt")).unwrap();
        assert!(matches!(
            open("two").submit(&moved),
            Err(SpoolError::TakenAway(_))
        ));
    }

    #[test]
    fn a_missing_file_and_a_scanner_s_are_no_moves() {
        let code = std::io::Error::from_raw_os_error;
        assert!(is_taken_away(&ErrorKind::NotFound.into()));
        assert!(is_taken_away(&code(225)) && is_taken_away(&code(226)));
        assert!(!is_taken_away(&code(8)) && !is_taken_away(&ErrorKind::TimedOut.into()));
    }

    #[test]
    fn staging_must_not_be_in_msgin() {
        let folder = tempfile::tempdir().unwrap();
        let msgin = folder.path().join("MSGIN");
        std::fs::create_dir(&msgin).unwrap();
        for staging in [msgin.clone(), msgin.join("tmp")] {
            assert!(matches!(
                Spool::check(&msgin, &staging),
                Err(SpoolError::Inside(_))
            ));
            assert!(matches!(
                Spool::open(&msgin, &staging, "t"),
                Err(SpoolError::Inside(_))
            ));
            assert!(std::fs::read_dir(&msgin).unwrap().next().is_none());
        }
    }
}
