//! What only Windows' own interface can do: data protection, files with rights of their own from
//! their first moment, moves that are durable and overwrite nothing.
//!
//! A leaf, and the one room with unsafe code; each of its modules gives a safe function for one
//! purpose.

use std::os::windows::ffi::OsStrExt;
use std::path::Path;

mod dpapi;
mod moves;
mod rights;

pub(crate) use dpapi::{Scope, protect, unprotect};
pub(crate) use moves::rename;
pub(crate) use rights::{copy_rights, create_private, exposure, private_folder};

/// A path as the system takes it, in the verbatim form that knows no limit of 260 characters.
fn wide(path: &Path) -> std::io::Result<Vec<u16>> {
    let path = std::path::absolute(path)?;
    let text: Vec<u16> = path.as_os_str().encode_wide().collect();
    let [slash, question] = [u16::from(b'\\'), u16::from(b'?')];
    let prefixed = |prefix: &str, rest: &[u16]| {
        let prefix: Vec<u16> = prefix.encode_utf16().collect();
        [&prefix, rest, &[0]].concat()
    };
    Ok(match text.as_slice() {
        // Verbatim or a device already.
        [a, b, c, d, ..]
            if [*a, *b, *d] == [slash; 3] && (*c == question || *c == u16::from(b'.')) =>
        {
            prefixed("", &text)
        }
        [a, b, share @ ..] if [*a, *b] == [slash; 2] => prefixed(r"\\?\UNC\", share),
        _ => prefixed(r"\\?\", &text),
    })
}

/// A text as the system takes it.
fn wide_text(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_every_kind_become_verbatim() {
        let shown = |path: &str| {
            let wide = wide(Path::new(path)).unwrap();
            String::from_utf16(wide.strip_suffix(&[0]).unwrap()).unwrap()
        };
        assert_eq!(shown(r"C:\a\..\b/c.txt"), r"\\?\C:\b\c.txt");
        assert_eq!(
            shown(r"\\server\share\a.txt"),
            r"\\?\UNC\server\share\a.txt"
        );
        assert_eq!(shown(r"\\?\C:\a.txt"), r"\\?\C:\a.txt");
        assert!(shown("a.txt").starts_with(r"\\?\"));
    }
}
