//! Files that are there whole or not at all, also after a power cut.
//!
//! A leaf. Everything is written under a temporary name in the folder where it will stay, synced,
//! and then given its name.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

/// Leads the names of files that are being written; what a crash leaves behind is known by it.
pub(crate) const TEMPORARY: &str = ".smartemail-";

/// Replaces a file by new content in one step, keeping its rights and its owner.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = folder_of(path);
    let file = write(folder, &replacement_prefix(path), bytes, 0o600)?;
    if let Ok(old) = std::fs::metadata(path) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            // Only root can give a file away; anybody else's new file is their own already.
            let _ = std::os::unix::fs::fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        }
        file.as_file().set_permissions(old.permissions())?;
    }
    file.persist(path)?;
    sync_folder(folder)
}

/// Removes what a crash during [`replace`] of this file has left beside it. Only for whoever holds
/// the lock under which the file is replaced.
pub(crate) fn clear_replacements(path: &Path) -> std::io::Result<()> {
    let prefix = replacement_prefix(path);
    for entry in std::fs::read_dir(folder_of(path))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            std::fs::remove_file(entry.path())?;
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
/// system, so that a crash leaves nothing unfinished in the folder where it will stay. On Unix it
/// gets the rights of `mode`, less what the process's mask takes away.
///
/// Fails with [`std::io::ErrorKind::AlreadyExists`] when it does exist. The name is durable when
/// [`sync_folder`] has been called for its folder.
pub(crate) fn create(workshop: &Path, path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    write(workshop, TEMPORARY, bytes, mode)?.persist_noclobber(path)?;
    Ok(())
}

/// Makes the names in a folder durable. Windows has no such call for folders and needs none.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
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
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Whether files can be made in a folder, tried by making one that has no name.
pub(crate) fn writable(folder: &Path) -> std::io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

fn write(folder: &Path, prefix: &str, bytes: &[u8], mode: u32) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder)?;
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
            std::io::ErrorKind::AlreadyExists
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        replace(&path, b"three").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
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
