//! Files that are there whole or not at all, also after a power cut.
//!
//! A leaf. Everything is written under a temporary name in the folder where it will stay, synced,
//! and then given its name.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// Ends a line in the files that other programs of this system read: event files and logs.
pub(crate) const LINE_END: &str = if cfg!(windows) { "\r\n" } else { "\n" };

/// Leads the names of files that are being written; what a crash leaves behind is known by it.
pub(crate) const TEMPORARY: &str = ".smartemail-";
/// For so long another program may hold a file.
const PATIENCE: Duration = Duration::from_secs(3);
/// For so long files may be held altogether: what then is held still, or may not be touched, keeps
/// no run any longer.
const MOST: Duration = Duration::from_secs(30);
/// How often it is tried until then.
const PULSE: Duration = Duration::from_millis(20);

/// The rights of a file that [`replace`] makes anew: its owner's, on Windows its folder's, for the
/// installer's account and the job's often differ there.
const NEW: u32 = if cfg!(windows) { 0o666 } else { 0o600 };

/// Replaces a file by new content in one step, keeping its rights and its owner.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let file = write(folder, &replacement_prefix(path), bytes, NEW)?;
    if let Ok(old) = std::fs::metadata(path) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            // Only root can give a file away; anybody else's new file is their own already.
            let _ = std::os::unix::fs::fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        }
        #[cfg(windows)]
        crate::win::copy_rights(path, file.path())?;
        file.as_file().set_permissions(old.permissions())?;
    }
    name(file, |temporary| move_over(temporary, path))?;
    sync_folder(folder)
}

/// Removes what a crash during [`replace`] of this file has left beside it. Only for whoever holds
/// the lock under which the file is replaced.
pub(crate) fn clear_replacements(path: &Path) -> io::Result<()> {
    let prefix = replacement_prefix(path);
    for entry in std::fs::read_dir(folder_of(path))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// Replacements carry the name of their file: its folder may hold others' as well.
fn replacement_prefix(path: &Path) -> String {
    format!(
        "{TEMPORARY}{}-",
        path.file_name().unwrap_or_default().to_string_lossy()
    )
}

/// Creates a file that must not exist yet. It is written in `workshop`, a folder on the same file
/// system, so that a crash leaves nothing unfinished in the folder where it will stay. It gets the
/// rights of `mode`, less what the process's mask takes away; on Windows those of its folder, or
/// its owner's only where `mode` gives others none.
///
/// Fails with [`io::ErrorKind::AlreadyExists`] when it does exist. The name is durable when
/// [`sync_folder`] has been called for its folder.
pub(crate) fn create(workshop: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let file = write(workshop, TEMPORARY, bytes, mode)?;
    // Also where no rename spares an existing file, as on NFS.
    #[cfg(unix)]
    file.persist_noclobber(path)?;
    #[cfg(windows)]
    name(file, |temporary| move_new(temporary, path))?;
    Ok(())
}

/// Moves a file within a file system in one step, and never onto another one. The name is durable
/// when [`sync_folder`] has been called for its folder.
pub(crate) fn move_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(windows)]
    return patiently(|| crate::win::rename(from, to, false));
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Not every file system knows this kind of rename.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            other => return other.map_err(Into::into),
        }
    }
    #[cfg(unix)]
    {
        if to.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        std::fs::rename(from, to)
    }
}

/// Moves a file within a file system in one step, also onto another one.
pub(crate) fn move_over(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(windows)]
    return patiently(|| crate::win::rename(from, to, true));
    #[cfg(unix)]
    std::fs::rename(from, to)
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    patiently(|| std::fs::remove_file(path))
}

/// Does something with a file, again and again for a bounded time while another program has it
/// open: on Windows a virus scanner, a backup or an agent keeps a file from being moved, removed
/// or opened. Other systems have no such thing.
pub(crate) fn patiently<T>(mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    static PULSES: AtomicU32 = AtomicU32::new(0);
    let began = Instant::now();
    loop {
        match act() {
            Err(error)
                if is_held(&error)
                    && began.elapsed() < PATIENCE
                    && PULSE * PULSES.fetch_add(1, Ordering::Relaxed) < MOST =>
            {
                std::thread::sleep(PULSE);
            }
            other => return other,
        }
    }
}

/// Whether somebody else's open file may be the reason. Windows says "access denied" too where
/// another program has a file open or its removal pending.
fn is_held(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    cfg!(windows)
        && matches!(
            error.raw_os_error(),
            Some(ACCESS_DENIED | SHARING_VIOLATION | LOCK_VIOLATION)
        )
}

/// Makes the names in a folder durable. On Windows every move is durable by itself.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// The folder of a path; the current one for a bare name.
#[must_use]
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Makes a folder, and what is above it, that nobody else can look into. An existing one stays as
/// it is.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    #[cfg(windows)]
    return crate::win::private_folder(folder);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700)
        .create(folder)
}

/// Whether files can be made in a folder, tried by making one that has no name.
pub(crate) fn writable(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

/// Gives a written file its name; where that fails, nothing of it is left. It is closed before:
/// Windows moves no file that is open.
fn name(file: NamedTempFile, give: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut temporary = file.into_temp_path();
    give(&temporary)?;
    temporary.disable_cleanup(true);
    Ok(())
}

fn write(folder: &Path, prefix: &str, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    let mut file = builder
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))
        .tempfile_in(folder)?;
    #[cfg(windows)]
    let mut file = if mode & 0o077 == 0 {
        builder.make_in(folder, crate::win::create_private)?
    } else {
        // A file like any other: a temporary one has an attribute that would stay with it.
        builder.make_in(folder, |path| std::fs::File::create_new(path))?
    };
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_overwritten_by_create() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(folder.path(), &path, b"one", 0o666).unwrap();
        assert_eq!(
            create(folder.path(), &path, b"two", 0o666)
                .unwrap_err()
                .kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        replace(&path, b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_another_program_holds_is_waited_for() {
        use std::cell::Cell;
        let tries = Cell::new(0);
        let held = || -> io::Result<()> {
            tries.set(tries.get() + 1);
            match tries.get() {
                3 => Ok(()),
                _ => Err(io::Error::from_raw_os_error(32)),
            }
        };
        assert_eq!(patiently(held).is_ok(), cfg!(windows));
        assert_eq!(tries.get(), if cfg!(windows) { 3 } else { 1 });
        let missing = || -> io::Result<()> { Err(io::ErrorKind::NotFound.into()) };
        assert!(patiently(missing).is_err());
    }

    #[test]
    fn only_the_file_s_own_leftovers_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ini");
        for name in [
            "a.ini",
            ".smartemail-a.ini-x1y2",
            ".smartemail-b.ini-x1y2",
            "c",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        clear_replacements(&path).unwrap();
        assert!(!folder.path().join(".smartemail-a.ini-x1y2").exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
