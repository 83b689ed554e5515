//! BODYSTRUCTURE (RFC 9051, section 7.5.2) to a tree of parts.
//!
//! Servers compute it from what anybody sends, and some compute it wrongly. What can't be
//! read, or looks as if the server had not understood the mail, is [`Broken::Doubtful`]:
//! then the whole mail is fetched and taken apart here.

use super::cursor::{Cursor, Malformed, Text};
use crate::message::{Disposition, Encoding, Envelope, Fault, Limits, Part, parameter};

/// Why there is no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The server's answer can't be relied on.
    Doubtful,
    /// The mail is beyond a limit.
    Fault(Fault),
}

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Self::Doubtful
    }
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads the value of BODYSTRUCTURE.
pub(super) fn read(mut cursor: Cursor<'_>, limits: &Limits) -> Result<Part, Broken> {
    let mut reader = Reader { limits, parts: 0 };
    reader.part(&mut cursor, String::new(), 0)
}

struct Reader<'l> {
    limits: &'l Limits,
    parts: usize,
}

impl Reader<'_> {
    /// One part and what is in it. It calls itself once for each level of multiparts, of
    /// which the limits allow a fixed number.
    fn part(
        &mut self,
        cursor: &mut Cursor<'_>,
        section: String,
        depth: usize,
    ) -> Result<Part, Broken> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Broken::Fault(Fault::TooManyParts {
                limit: self.limits.parts,
            }));
        }
        cursor.expect(b'(', "a part is missing")?;
        cursor.skip_blanks();
        if cursor.peek() == Some(b'(') {
            self.multipart(cursor, section, depth)
        } else {
            single(cursor, section)
        }
    }

    fn multipart(
        &mut self,
        cursor: &mut Cursor<'_>,
        section: String,
        depth: usize,
    ) -> Result<Part, Broken> {
        if depth >= self.limits.depth {
            return Err(Broken::Fault(Fault::TooDeep {
                limit: self.limits.depth,
            }));
        }
        let mut children: Vec<Part> = Vec::new();
        while cursor.peek() == Some(b'(') {
            let number = children.len() + 1;
            let inner = if section.is_empty() {
                number.to_string()
            } else {
                format!("{section}.{number}")
            };
            children.push(self.part(cursor, inner, depth + 1)?);
            cursor.skip_blanks();
        }
        let subtype = lower(cursor.text()?);
        let parameters = pairs(cursor)?;
        let has_boundary = parameters.iter().any(|(key, _)| {
            key.get(..8)
                .is_some_and(|k| k.eq_ignore_ascii_case(b"boundary"))
        });
        let hollow =
            matches!(children.as_slice(), [only] if only.size == 0 && only.children.is_empty());
        if !has_boundary || hollow {
            // Servers put an empty part where they found none; what the mail holds then
            // counts as text.
            return Err(Broken::Doubtful);
        }
        cursor.skip_to_list_end()?;
        Ok(Part {
            section,
            media_type: format!("multipart/{subtype}"),
            children,
            ..Part::default()
        })
    }
}

fn single(cursor: &mut Cursor<'_>, section: String) -> Result<Part, Broken> {
    let (kind, subtype) = (lower(cursor.text()?), lower(cursor.text()?));
    let parameters = pairs(cursor)?;
    let id = cursor.text()?.into_bytes();
    cursor.skip()?;
    let encoding = cursor.text()?.into_bytes();
    let size = cursor.number().ok_or(Broken::Doubtful)?;
    let media_type = format!("{kind}/{subtype}");
    let mut enclosed_subject = None;
    cursor.skip_blanks();
    if kind == "message" && cursor.peek() == Some(b'(') {
        enclosed_subject = Some(envelope_subject(&mut cursor.value()?)?);
        cursor.skip()?;
        cursor.skip()?;
    } else if kind == "text" {
        cursor.skip()?;
    }
    cursor.skip_blanks();
    if cursor.peek() == Some(b')') {
        // Without the extension data nothing says what is an attachment.
        return Err(Broken::Doubtful);
    }
    cursor.skip()?;
    let (disposition, disposition_parameters) = disposition(cursor)?;
    cursor.skip_to_list_end()?;
    Ok(Part {
        section: if section.is_empty() {
            "1".into()
        } else {
            section
        },
        media_type,
        charset: parameter(&parameters, "charset"),
        encoding: Encoding::parse(&String::from_utf8_lossy(&encoding)),
        disposition,
        file_name: parameter(&disposition_parameters, "filename")
            .or_else(|| parameter(&parameters, "name")),
        has_content_id: !id.is_empty(),
        size,
        enclosed_subject,
        children: Vec::new(),
    })
}

/// `NIL` or a list of keys and values.
fn pairs(cursor: &mut Cursor<'_>) -> Result<Pairs, Broken> {
    let mut pairs = Vec::new();
    cursor.skip_blanks();
    if !cursor.eat(b'(') {
        return match cursor.text()? {
            Text::Nil => Ok(pairs),
            _ => Err(Broken::Doubtful),
        };
    }
    loop {
        cursor.skip_blanks();
        if cursor.eat(b')') {
            return Ok(pairs);
        }
        pairs.push((cursor.text()?.into_bytes(), cursor.text()?.into_bytes()));
    }
}

/// `NIL` or the disposition and its parameters. The field may be missing at the end.
fn disposition(cursor: &mut Cursor<'_>) -> Result<(Option<Disposition>, Pairs), Broken> {
    cursor.skip_blanks();
    match cursor.peek() {
        Some(b')') => Ok((None, Pairs::new())),
        Some(b'(') => {
            cursor.eat(b'(');
            let kind = lower(cursor.text()?);
            let parameters = pairs(cursor)?;
            cursor.skip_to_list_end()?;
            Ok((Some(Disposition::parse(&kind)), parameters))
        }
        _ => {
            cursor.skip()?;
            Ok((None, Pairs::new()))
        }
    }
}

/// The second field of an envelope, decoded as the header that it comes from.
fn envelope_subject(cursor: &mut Cursor<'_>) -> Result<String, Broken> {
    cursor.expect(b'(', "an envelope is missing")?;
    cursor.skip()?;
    let mut header = b"Subject: ".to_vec();
    header.extend(cursor.text()?.into_bytes());
    header.extend(b"\r\n\r\n");
    Ok(Envelope::parse(&header).subject)
}

fn lower(text: Text) -> String {
    String::from_utf8_lossy(&text.into_bytes())
        .trim()
        .to_ascii_lowercase()
}
