//! FETCH responses (RFC 9051, section 7.5.2): any order of attributes, any number of
//! responses for one mail, unknown attributes passed over.

use chrono::{DateTime, Utc};

use super::cursor::{Cursor, Malformed, Text};
use super::response::Response;
use super::structure::{self, Broken};
use crate::message::{Limits, Part};

/// What the server told of one mail.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// RFC822.SIZE.
    pub(super) size: Option<u64>,
    /// INTERNALDATE.
    pub(super) received: Option<DateTime<Utc>>,
    /// BODYSTRUCTURE.
    pub(super) structure: Option<Result<Part, Broken>>,
    sections: Vec<(String, Text)>,
    /// The response could not be read to its end.
    pub(super) damage: Option<&'static str>,
}

impl Fetched {
    /// Takes the text of `BODY[section]` out. The fields of `HEADER.FIELDS (…)` are not
    /// compared, as servers quote and order them as they like.
    pub(super) fn take_section(&mut self, section: &str) -> Option<Text> {
        let at = self.sections.iter().position(|(name, _)| name == section)?;
        Some(self.sections.swap_remove(at).1)
    }

    /// Adds what another response told of the same mail.
    pub(super) fn merge(&mut self, other: Self) {
        self.size = other.size.or(self.size);
        self.received = other.received.or(self.received);
        self.structure = other.structure.or(self.structure.take());
        self.damage = other.damage.or(self.damage);
        for (name, text) in other.sections {
            self.take_section(&name);
            self.sections.push((name, text));
        }
    }

    /// Nothing that a command of ours asks for: flags that another client changed.
    fn is_bare(&self) -> bool {
        self.size.is_none()
            && self.received.is_none()
            && self.structure.is_none()
            && self.sections.is_empty()
    }
}

/// Reads a FETCH response.
///
/// Without a UID it is news of flags, and `None`.
///
/// # Errors
/// There is data that was asked for, but nothing says which mail it belongs to.
pub(super) fn read(
    mut response: Response,
    limits: &Limits,
) -> Result<Option<(u32, Fetched)>, Malformed> {
    let cut = response.cut;
    let mut fetched = Fetched::default();
    let mut uid = None;
    let mut cursor = Cursor::new(&mut response);
    let end = attributes(&mut cursor, &mut fetched, &mut uid, limits);
    fetched.damage = match end {
        _ if cut => Some("its data is longer than any mail's should be"),
        Err(Malformed(why)) => Some(why),
        Ok(()) => None,
    };
    match uid {
        Some(uid) => Ok(Some((uid, fetched))),
        None if fetched.is_bare() && fetched.damage.is_none() => Ok(None),
        None => Err(Malformed("data of a mail came without its UID")),
    }
}

fn attributes(
    cursor: &mut Cursor<'_>,
    fetched: &mut Fetched,
    uid: &mut Option<u32>,
    limits: &Limits,
) -> Result<(), Malformed> {
    for _ in ["*", "number", "FETCH"] {
        cursor.skip_blanks();
        cursor.atom();
    }
    cursor.expect(b'(', "the list of attributes is missing")?;
    loop {
        cursor.skip_blanks();
        if cursor.eat(b')') {
            return Ok(());
        }
        if cursor.at_end() {
            return Err(Malformed("the list of attributes does not end"));
        }
        let name = cursor
            .until(|b| b.is_ascii_whitespace() || matches!(b, b'[' | b'(' | b')' | b'"' | b'{'))
            .to_ascii_uppercase();
        match name.as_slice() {
            b"UID" => *uid = cursor.number(),
            b"RFC822.SIZE" => fetched.size = cursor.number(),
            b"INTERNALDATE" => fetched.received = date(&cursor.text()?.into_bytes()),
            b"BODYSTRUCTURE" => fetched.structure = Some(structure::read(cursor.value()?, limits)),
            b"BODY" if cursor.peek() == Some(b'[') => {
                let section = section(cursor)?;
                fetched.sections.push((section, cursor.text()?));
            }
            _ => cursor.skip()?,
        }
    }
}

/// What stands in the brackets, in capitals, and for header fields only that it is them.
fn section(cursor: &mut Cursor<'_>) -> Result<String, Malformed> {
    cursor.eat(b'[');
    let name = cursor.until(|b| b.is_ascii_whitespace() || matches!(b, b']' | b'('));
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    cursor.skip_blanks();
    if cursor.peek() == Some(b'(') {
        cursor.skip()?;
    }
    cursor.expect(b']', "the name of a section does not end")?;
    if cursor.eat(b'<') {
        cursor.until(|b| b == b'>');
        cursor.eat(b'>');
    }
    Ok(name)
}

/// `" 1-Jan-2020 00:00:00 +0000"`.
fn date(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = str::from_utf8(text).ok()?.trim();
    let time = DateTime::parse_from_str(text, "%d-%b-%Y %H:%M:%S %z").ok()?;
    Some(time.with_timezone(&Utc))
}
