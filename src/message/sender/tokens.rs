//! The words and marks of an address header (RFC 5322, section 3.2).

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Atom,
    Quoted,
    /// One of `< > @ , ; :`.
    Mark(u8),
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: Vec<u8>,
    /// A blank or comment stands before it.
    pub(super) apart: bool,
}

impl Token {
    /// Whether it is this mark.
    pub(super) fn is(&self, mark: u8) -> bool {
        self.kind == Kind::Mark(mark)
    }
}

/// Splits an unfolded value; `false` if something in it is outside the grammar.
pub(super) fn tokens(value: &[u8]) -> (Vec<Token>, bool) {
    let mut all: Vec<Token> = Vec::new();
    let mut legal = true;
    let mut apart = true;
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let token = match first {
            b' ' | b'\t' => {
                apart = true;
                continue;
            }
            b'(' => {
                rest = comment(after, &mut legal);
                apart = true;
                continue;
            }
            b'"' => {
                let (text, next) = quoted(after, &mut legal);
                rest = next;
                Token {
                    kind: Kind::Quoted,
                    text,
                    apart,
                }
            }
            b'<' | b'>' | b'@' | b',' | b';' | b':' => Token {
                kind: Kind::Mark(*first),
                text: Vec::new(),
                apart,
            },
            b'[' if all.last().is_some_and(|last| last.is(b'@')) => {
                // A domain literal may hold colons.
                let length = after
                    .iter()
                    .position(|byte| *byte == b']')
                    .map_or(after.len(), |at| at + 1);
                let (inside, next) = after.split_at_checked(length).unwrap_or((after, &[]));
                rest = next;
                Token {
                    kind: Kind::Atom,
                    text: [b"[", inside].concat(),
                    apart,
                }
            }
            b')' | b'\\' | b'[' | b']' => {
                legal = false;
                continue;
            }
            _ => {
                let length = after.iter().position(is_special).unwrap_or(after.len());
                let (tail, next) = after.split_at_checked(length).unwrap_or((after, &[]));
                rest = next;
                Token {
                    kind: Kind::Atom,
                    text: [&[*first], tail].concat(),
                    apart,
                }
            }
        };
        legal &= !token
            .text
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t');
        all.push(token);
        apart = false;
    }
    (all, legal)
}

/// What follows the comment whose opening bracket has been read.
fn comment<'a>(value: &'a [u8], legal: &mut bool) -> &'a [u8] {
    let mut depth = 1_usize;
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'(' => depth += 1,
            b')' => depth -= 1,
            byte if byte.is_ascii_control() && *byte != b'\t' => *legal = false,
            _ => {}
        }
        if depth == 0 {
            return bytes.as_slice();
        }
    }
    *legal = false;
    &[]
}

/// The content of the quoted string whose opening quote has been read, and what follows.
fn quoted<'a>(value: &'a [u8], legal: &mut bool) -> (Vec<u8>, &'a [u8]) {
    let mut text = Vec::new();
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return (text, bytes.as_slice()),
            b'\\' => text.extend(bytes.next()),
            other => text.push(*other),
        }
    }
    *legal = false;
    (text, &[])
}

/// What ends an atom: blanks and the specials of RFC 5322, section 3.2.3, but the dot.
fn is_special(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t') || b"()<>[]:;@\\,\"".contains(byte)
}
