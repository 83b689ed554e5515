//! Walks through the values of a response: atoms, quoted strings, literals, lists
//! (RFC 9051, section 4). Tolerant where no meaning is lost.

use super::line::number;
use super::response::{Literal, Response};

/// The text is not made of the protocol's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub(super) &'static str);

/// A string value (`nstring`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// There is no such thing.
    Nil,
    /// Its bytes, without quotes and backslashes.
    Bytes(Vec<u8>),
    /// It had this many bytes, too many to keep.
    PassedOver(u64),
}

impl Text {
    /// The bytes; none where there are none or too many.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Nil | Self::PassedOver(_) => Vec::new(),
        }
    }
}

/// A place in a response.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    literals: &'a mut [Literal],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(response: &'a mut Response) -> Self {
        Self {
            rest: &response.text,
            literals: &mut response.literals,
        }
    }

    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Steps over this byte if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub(super) fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), Malformed> {
        self.skip_blanks();
        if self.eat(byte) {
            Ok(())
        } else {
            Err(Malformed(otherwise))
        }
    }

    /// Everything up to a byte for which `ends` holds.
    pub(super) fn until(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|b| ends(*b));
        let (taken, rest) = self.rest.split_at(length.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// An atom; empty if something else comes next.
    pub(super) fn atom(&mut self) -> &'a [u8] {
        self.until(|b| b.is_ascii_whitespace() || matches!(b, b'(' | b')' | b'"' | b'{'))
    }

    /// A number, or nothing if the next atom is none.
    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        self.skip_blanks();
        number(self.atom())
    }

    /// A string in any of its forms. An atom counts as one: some servers leave the quotes
    /// out.
    pub(super) fn text(&mut self) -> Result<Text, Malformed> {
        self.skip_blanks();
        match self.peek() {
            Some(b'"') => self.quoted().map(Text::Bytes),
            Some(b'{') => self.literal(),
            Some(b'~') if self.rest.get(1) == Some(&b'{') => {
                self.eat(b'~');
                self.literal()
            }
            _ => match self.atom() {
                b"" => Err(Malformed("a string is missing")),
                atom if atom.eq_ignore_ascii_case(b"NIL") => Ok(Text::Nil),
                atom => Ok(Text::Bytes(atom.to_vec())),
            },
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, Malformed> {
        self.eat(b'"');
        let mut bytes = Vec::new();
        loop {
            bytes.extend_from_slice(self.until(|b| matches!(b, b'"' | b'\\')));
            if self.eat(b'"') {
                return Ok(bytes);
            }
            self.eat(b'\\');
            match self.rest.split_first() {
                Some((escaped, rest)) => {
                    bytes.push(*escaped);
                    self.rest = rest;
                }
                None => return Err(Malformed("a quoted string does not end")),
            }
        }
    }

    fn literal(&mut self) -> Result<Text, Malformed> {
        self.until(|b| b == b'\n');
        if !self.eat(b'\n') {
            return Err(Malformed("a literal is missing"));
        }
        match self.skip_literals(1).first_mut() {
            Some(Literal::Bytes(bytes)) => Ok(Text::Bytes(std::mem::take(bytes))),
            Some(Literal::PassedOver(size)) => Ok(Text::PassedOver(*size)),
            None => Err(Malformed("a literal is missing")),
        }
    }

    fn skip_literals(&mut self, count: usize) -> &'a mut [Literal] {
        let literals = std::mem::take(&mut self.literals);
        let (passed, rest) = literals.split_at_mut(count.min(literals.len()));
        self.literals = rest;
        passed
    }

    /// Passes over one value, however deep its lists are.
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        self.value().map(|_| ())
    }

    /// Passes over what is left of a list, its end too.
    pub(super) fn skip_to_list_end(&mut self) -> Result<(), Malformed> {
        loop {
            self.skip_blanks();
            if self.eat(b')') {
                return Ok(());
            }
            self.skip()?;
        }
    }

    /// Passes over one value and gives it to look into, so that nothing wrong inside it
    /// moves the end of it.
    pub(super) fn value(&mut self) -> Result<Cursor<'a>, Malformed> {
        self.skip_blanks();
        let (length, literals) = measure(self.rest)?;
        let (text, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Ok(Cursor {
            rest: text,
            literals: self.skip_literals(literals),
        })
    }
}

/// How many bytes the first value has, and how many literals.
fn measure(text: &[u8]) -> Result<(usize, usize), Malformed> {
    let mut open = 0_usize;
    let mut literals = 0;
    let mut at = 0;
    loop {
        let Some(byte) = text.get(at) else {
            return Err(Malformed("a value does not end"));
        };
        match byte {
            b'(' => {
                open += 1;
                at += 1;
            }
            b')' => {
                open = open.checked_sub(1).ok_or(Malformed("a value is missing"))?;
                at += 1;
            }
            b'"' => at = quoted_end(text, at)?,
            b'{' => {
                at = position(text, at, |b| b == b'\n').ok_or(Malformed("a literal is missing"))?
                    + 1;
                literals += 1;
            }
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => {
                let ends =
                    |b: u8| b.is_ascii_whitespace() || matches!(b, b'(' | b')' | b'"' | b'{');
                let begin = at;
                at = position(text, at + 1, ends).unwrap_or(text.len());
                // A tilde before a literal says that it is binary.
                if text.get(begin..=at) == Some(b"~{") {
                    continue;
                }
            }
        }
        if open == 0 {
            return Ok((at, literals));
        }
    }
}

/// Where the quoted string that begins at `begin` has ended.
fn quoted_end(text: &[u8], begin: usize) -> Result<usize, Malformed> {
    let mut at = begin + 1;
    loop {
        at = position(text, at, |b| matches!(b, b'"' | b'\\'))
            .ok_or(Malformed("a quoted string does not end"))?;
        if text.get(at) == Some(&b'"') {
            return Ok(at + 1);
        }
        at += 2;
    }
}

fn position(text: &[u8], from: usize, found: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.iter().position(|b| found(*b)).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn response(text: &str, literals: &[&str]) -> Response {
        Response {
            text: text.as_bytes().to_vec(),
            literals: literals
                .iter()
                .map(|l| Literal::Bytes(l.as_bytes().to_vec()))
                .collect(),
            cut: false,
        }
    }

    fn bytes(text: &str) -> Text {
        Text::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn strings_in_every_form() {
        let mut response = response(
            "\"a \\\"b\\\\\" {3}\r\n ~{1}\r\n nil atom \"\"",
            &["x\"y", "\0"],
        );
        let mut cursor = Cursor::new(&mut response);
        assert_eq!(cursor.text(), Ok(bytes("a \"b\\")));
        assert_eq!(cursor.text(), Ok(bytes("x\"y")));
        assert_eq!(cursor.text(), Ok(bytes("\0")));
        assert_eq!(cursor.text(), Ok(Text::Nil));
        assert_eq!(cursor.text(), Ok(bytes("atom")));
        assert_eq!(cursor.text(), Ok(bytes("")));
        assert!(cursor.text().is_err());
    }

    #[test]
    fn a_value_keeps_its_literals_and_leaves_the_others() {
        let mut response = response("(a ({1}\r\n \")\") ~{1}\r\n) {1}\r\n", &["1", "2", "3"]);
        let mut cursor = Cursor::new(&mut response);
        let mut inner = cursor.value().unwrap();
        assert_eq!(cursor.text(), Ok(bytes("3")));
        assert!(cursor.at_end());
        assert!(inner.eat(b'('));
        inner.skip().unwrap();
        inner.skip().unwrap();
        assert_eq!(inner.text(), Ok(bytes("2")));
        assert_eq!(inner.skip_to_list_end(), Ok(()));
        assert!(inner.at_end());
    }

    #[test]
    fn what_does_not_end_is_malformed() {
        for wrong in ["(", "(a (b)", "\"a", "\"a\\", "{3}", ")", ""] {
            assert!(
                Cursor::new(&mut response(wrong, &[])).skip().is_err(),
                "{wrong}"
            );
        }
        let deep = "(".repeat(1_000_000) + &")".repeat(1_000_000);
        assert_eq!(Cursor::new(&mut response(&deep, &[])).skip(), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn walking_and_measuring_agree(text in "[()\"\\\\{}~ a\r\n1]{0,60}") {
            let mut first = response(&text, &["1", "2", "3"]);
            let mut second = response(&text, &["1", "2", "3"]);
            let (mut measured, mut walked) = (Cursor::new(&mut first), Cursor::new(&mut second));
            measured.skip_blanks();
            walked.skip_blanks();
            if measured.peek().is_some_and(|b| !matches!(b, b'(' | b')')) && walked.text().is_ok() {
                prop_assert_eq!(measured.skip(), Ok(()));
                prop_assert_eq!(measured.rest, walked.rest);
                prop_assert_eq!(measured.literals.len(), walked.literals.len());
            }
        }
    }
}
