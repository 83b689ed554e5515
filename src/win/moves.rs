//! Renames that are on the disk when they return.
#![expect(
    unsafe_code,
    reason = "MoveFileExW is only reachable through the C interface; the standard library's rename overwrites and isn't durable"
)]

use std::io;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::{
    MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW,
};

use super::wide;

/// Moves a file within a volume in one step, durably. Without `over` an existing file is left alone
/// and the move fails with [`io::ErrorKind::AlreadyExists`].
pub(crate) fn rename(from: &Path, to: &Path, over: bool) -> io::Result<()> {
    let (from, to) = (wide(from)?, wide(to)?);
    let flags = MOVEFILE_WRITE_THROUGH | if over { MOVEFILE_REPLACE_EXISTING } else { 0 };
    // SAFETY: both point to texts that end in zero and outlive the call.
    let done = unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_overwrites_only_when_told_to() {
        let folder = tempfile::tempdir().unwrap();
        // Longer than the 260 characters that plain paths may have.
        let deep = folder.path().join("d".repeat(120)).join("e".repeat(120));
        std::fs::create_dir_all(&deep).unwrap();
        let (a, b) = (deep.join("a.txt"), deep.join("b.txt"));
        std::fs::write(&a, "one").unwrap();
        std::fs::write(&b, "two").unwrap();
        let kind = |result: io::Result<()>| result.map_err(|error| error.kind());
        assert_eq!(
            kind(rename(&a, &b, false)),
            Err(io::ErrorKind::AlreadyExists)
        );
        assert_eq!(std::fs::read(&b).unwrap(), b"two");
        rename(&a, &b, true).unwrap();
        assert_eq!(std::fs::read(&b).unwrap(), b"one");
        assert_eq!(kind(rename(&a, &b, true)), Err(io::ErrorKind::NotFound));
    }
}
