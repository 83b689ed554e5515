//! A header block to its fields, whatever state the block is in.
//!
//! mailparse splits one field from the next. Around it: what it refuses (a first line
//! that starts with a blank, CR CR LF), what it misses (a byte order mark, a blank before
//! the colon, CR alone as the line end) and what later readings must know of (fields on
//! which two readers may disagree).

use std::borrow::Cow;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One field of a header block.
pub(super) struct Field<'a> {
    /// The name without blanks around it; compare it without regard to case.
    pub(super) name: &'a [u8],
    /// The value as it is written, folds included.
    pub(super) value: &'a [u8],
    /// Another reader may see other fields here: a bare CR inside, or a first line that
    /// starts with a blank or a byte order mark.
    pub(super) odd: bool,
}

impl Field<'_> {
    /// Whether this is the field of that name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether a reader that ends lines at a bare CR finds a field of that name inside
    /// this one.
    pub(super) fn hides(&self, name: &str) -> bool {
        let named = |text: &[u8]| text.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes());
        let in_value = self.value.split(|byte| *byte == b'\r').skip(1).any(|line| {
            let mut halves = line.splitn(2, |byte| *byte == b':');
            halves.next().is_some_and(named) && halves.next().is_some()
        });
        let in_name = self.name.contains(&b'\r')
            && self
                .name
                .rsplit(|byte| *byte == b'\r')
                .next()
                .is_some_and(named);
        in_value || in_name
    }
}

/// Hands over the fields of a block in their order, up to the blank line or the end.
pub(super) fn fields(block: &[u8], mut take: impl FnMut(Field<'_>)) {
    let unmarked = block.strip_prefix(BYTE_ORDER_MARK).unwrap_or(block);
    let mut odd = unmarked.len() != block.len();
    let lines = with_line_feeds(unmarked);
    let mut rest = after_blank_lines(&lines, b'\n');
    if starts_with_blank(rest) {
        odd = true;
        rest = rest.trim_ascii_start();
    }
    while !rest.is_empty() && blank_line(rest, b'\n').is_none() {
        if starts_with_blank(rest) {
            // The continuation of a line that was no field.
            rest = after_line(rest);
            continue;
        }
        let Ok((header, used)) = mailparse::parse_header(rest) else {
            return;
        };
        let next = rest.get(used..).unwrap_or_default();
        let value = header.get_value_raw();
        let name = header.get_key_raw().trim_ascii();
        take(Field {
            name,
            value,
            odd: odd || has_bare_cr(name) || has_bare_cr(value),
        });
        odd = false;
        rest = next;
    }
}

/// The header block of a mail or part and what follows its blank line. A part without a
/// blank line is all header.
///
/// `root` skips blank lines in front: a part that starts with one has no header, but a
/// file that does has only been stored carelessly.
pub(super) fn split(bytes: &[u8], root: bool) -> (&[u8], &[u8]) {
    let end = line_end(bytes);
    let skipped = if root {
        let unmarked = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        bytes.len() - after_blank_lines(unmarked, end).len()
    } else {
        0
    };
    let mut position = skipped;
    while let Some(rest) = bytes.get(position..).filter(|rest| !rest.is_empty()) {
        if let Some(length) = blank_line(rest, end) {
            let header = bytes.get(..position).unwrap_or_default();
            return (header, rest.get(length..).unwrap_or_default());
        }
        position += rest
            .iter()
            .position(|byte| *byte == end)
            .map_or(rest.len(), |at| at + 1);
    }
    (bytes, &[])
}

/// The byte that ends lines: LF, but CR in texts that have no LF at all.
pub(super) fn line_end(bytes: &[u8]) -> u8 {
    if bytes.contains(&b'\n') || !bytes.contains(&b'\r') {
        b'\n'
    } else {
        b'\r'
    }
}

/// A value in one line: each fold (line end and the blanks after it) becomes one blank,
/// and so does any other CR or LF.
pub(super) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut folding = false;
    for byte in value {
        match byte {
            b'\r' | b'\n' => {
                if !folding {
                    out.push(b' ');
                }
                folding = true;
            }
            b' ' | b'\t' if folding => {}
            other => {
                folding = false;
                out.push(*other);
            }
        }
    }
    Cow::Owned(out)
}

fn with_line_feeds(block: &[u8]) -> Cow<'_, [u8]> {
    if line_end(block) == b'\n' {
        return Cow::Borrowed(block);
    }
    Cow::Owned(
        block
            .iter()
            .map(|byte| if *byte == b'\r' { b'\n' } else { *byte })
            .collect(),
    )
}

fn starts_with_blank(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(b' ' | b'\t'))
}

/// The length of the blank line that the text starts with, its end included.
fn blank_line(bytes: &[u8], end: u8) -> Option<usize> {
    let returns = if end == b'\n' {
        bytes.iter().take_while(|byte| **byte == b'\r').count()
    } else {
        0
    };
    (bytes.get(returns) == Some(&end)).then_some(returns + 1)
}

fn after_blank_lines(mut bytes: &[u8], end: u8) -> &[u8] {
    while let Some(length) = blank_line(bytes, end) {
        bytes = bytes.get(length..).unwrap_or_default();
    }
    bytes
}

fn after_line(bytes: &[u8]) -> &[u8] {
    let length = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| at + 1);
    bytes.get(length..).unwrap_or_default()
}

fn has_bare_cr(bytes: &[u8]) -> bool {
    let mut pieces = bytes.split(|byte| *byte == b'\r').skip(1);
    pieces.any(|piece| !piece.starts_with(b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(block: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        fields(block, |field| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let odd = if field.odd { "!" } else { "" };
            all.push(format!(
                "{odd}{}={}",
                text(field.name),
                text(&unfold(field.value))
            ));
        });
        all
    }

    #[test]
    fn blocks_in_every_state() {
        let cases: &[(&[u8], &[&str])] = &[
            (b"A: 1\r\nB: 2\r\n\r\nC: 3\r\n", &["A=1", "B=2"]),
            (b"A: 1\nB: 2", &["A=1", "B=2"]),
            (b"A: 1\rB: 2\r\rC: 3", &["A=1", "B=2"]),
            (b"A: 1\r\r\nB: 2\r\r\n\r\r\nC: 3", &["A=1", "B=2"]),
            (
                b"A: 1\r\n  more\r\n\tyet\r\nB: 2\n\n",
                &["A=1 more yet", "B=2"],
            ),
            (b"A : 1\nB\t: 2\n", &["A=1", "B=2"]),
            (b"\xEF\xBB\xBFA: 1\nB: 2\n", &["!A=1", "B=2"]),
            (b" A: 1\nB: 2\n", &["!A=1", "B=2"]),
            (b"\r\n\r\nA: 1\r\n", &["A=1"]),
            (
                b"From a@example.test Mon Jan  1 10:00:00 2024\nA: 1\n",
                &["From a@example.test Mon Jan  1 10=00:00 2024", "A=1"],
            ),
            (b"no colon\n goes on\nA: 1\n", &["no colon=", "A=1"]),
            (b"A: 1\rB: 2\nC: 3\n", &["!A=1 B: 2", "C=3"]),
            (b"", &[]),
            (b"\r\r\r", &[]),
        ];
        for (block, expected) in cases {
            assert_eq!(
                &listed(block),
                expected,
                "{:?}",
                String::from_utf8_lossy(block)
            );
        }
    }

    #[test]
    fn the_split_agrees_with_the_fields() {
        assert_eq!(
            split(b"A: 1\r\n\r\nbody", true),
            (&b"A: 1\r\n"[..], &b"body"[..])
        );
        assert_eq!(
            split(b"A: 1\n\nbody\n\nmore", true),
            (&b"A: 1\n"[..], &b"body\n\nmore"[..])
        );
        assert_eq!(split(b"A: 1\r\rbody", true), (&b"A: 1\r"[..], &b"body"[..]));
        assert_eq!(
            split(b"\n\nA: 1\n\nbody", true),
            (&b"\n\nA: 1\n"[..], &b"body"[..])
        );
        assert_eq!(split(b"\nbody", false), (&b""[..], &b"body"[..]));
        assert_eq!(split(b"A: 1", false), (&b"A: 1"[..], &b""[..]));
    }

    #[test]
    fn a_field_behind_a_bare_cr_is_noticed() {
        let hides = |block: &[u8]| {
            let mut any = false;
            fields(block, |field| any |= field.hides("From"));
            any
        };
        assert!(hides(b"Subject: x\rFrom: a@example.test\n\n"));
        assert!(hides(b"X\rFROM : a@example.test\n\n"));
        assert!(!hides(b"Subject: x\r\n From: y\r\n\r\n"));
        assert!(!hides(b"From: a@example.test\r\n\r\n"));
    }
}
