//! What makes a mail the same one in every run where nothing but the mail itself tells.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::mailbox::MailId;

/// The SHA-256 of a mail's content.
pub(super) type Digest = [u8; 32];

/// How much of a mail is read for its header.
const START: u64 = 1024 * 1024;

/// A mail as it was read in passing.
pub(super) struct Examined {
    /// The first bytes, with the header in them.
    pub(super) start: Vec<u8>,
    /// Bytes in all.
    pub(super) size: u64,
    /// The digest of the content.
    pub(super) digest: Digest,
}

/// Which bytes make the identity of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// All of them.
    All,
    /// All but the fields in which mail programs and servers keep a mail's state.
    WithoutState,
}

/// Reads a mail to its end, keeping only the start of it in memory.
pub(super) fn examine(mut reader: impl Read, counted: Counted) -> io::Result<Examined> {
    let mut start = Vec::new();
    let mut size = reader.by_ref().take(START).read_to_end(&mut start)? as u64;
    let mut hasher = Sha256::new();
    update(&mut hasher, &start, counted);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = reader.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        size += length as u64;
        hasher.update(chunk.get(..length).unwrap_or_default());
    }
    Ok(Examined {
        start,
        size,
        digest: hasher.finalize().into(),
    })
}

/// The same digest for a mail in memory.
pub(super) fn digest(bytes: &[u8], counted: Counted) -> Digest {
    let length = usize::try_from(START)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let (start, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    let mut hasher = Sha256::new();
    update(&mut hasher, start, counted);
    hasher.update(rest);
    hasher.finalize().into()
}

/// The id of a mail in a file of its own. `name` is the part of the file's name that stays.
pub(super) fn of_file(name: &[u8], size: u64, digest: &Digest) -> MailId {
    let mut hasher = Sha256::new();
    hasher.update((name.len() as u64).to_be_bytes());
    hasher.update(name);
    hasher.update(size.to_be_bytes());
    hasher.update(digest);
    shortened(hasher)
}

/// The id of a mail that has no name; `occurrence` tells mails of the same content apart.
pub(super) fn of_content(digest: &Digest, occurrence: u64) -> MailId {
    let mut hasher = Sha256::new();
    hasher.update(digest);
    hasher.update(occurrence.to_be_bytes());
    shortened(hasher)
}

/// 128 bits: plenty against accident, and against a sender who wants two of his own mails
/// taken for one.
fn shortened(hasher: Sha256) -> MailId {
    let digest: Digest = hasher.finalize().into();
    let (half, _) = digest.split_at(16);
    MailId::new(data_encoding::HEXLOWER.encode(half))
}

fn update(hasher: &mut Sha256, start: &[u8], counted: Counted) {
    if counted == Counted::All {
        hasher.update(start);
        return;
    }
    let mut rest = start;
    let mut state = false;
    while !rest.is_empty() {
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if line.trim_ascii().is_empty() {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            state = is_state(line);
        }
        if !state {
            hasher.update(line);
        }
        rest = after;
    }
    hasher.update(rest);
}

fn is_state(line: &[u8]) -> bool {
    const NAMES: [&str; 8] = [
        "Status",
        "X-Status",
        "X-Keywords",
        "X-UID",
        "X-UIDL",
        "X-IMAP",
        "X-IMAPbase",
        "Content-Length",
    ];
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    NAMES
        .iter()
        .any(|state| name.eq_ignore_ascii_case(state.as_bytes()))
}
