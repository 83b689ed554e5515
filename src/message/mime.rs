//! A whole mail in memory: its tree of parts and where each part's bytes are (RFC 2046).

use std::collections::BTreeMap;

use super::params::{parameter, raw, split};
use super::{
    Body, Content, Disposition, Encoding, Fault, Limits, Part, decode, encoded_word, header,
};

/// A whole mail in memory, taken apart.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    header: &'a [u8],
    root: Part,
    /// The bytes of each leaf, still transfer-encoded, by its section.
    bodies: BTreeMap<String, &'a [u8]>,
}

impl<'a> Mail<'a> {
    /// Takes a mail apart.
    ///
    /// # Errors
    /// The mail is beyond one of the limits.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Mail<'a>, Fault> {
        let size = bytes.len() as u64;
        if size > limits.mail {
            return Err(Fault::MailTooLong {
                size,
                limit: limits.mail,
            });
        }
        let (header, body) = header::split(bytes, true);
        let mut builder = Builder {
            limits,
            line_end: header::line_end(bytes),
            count: 0,
            bodies: BTreeMap::new(),
        };
        let root = builder.part(header, body, String::new(), "text/plain", 0)?;
        Ok(Self {
            header,
            root,
            bodies: builder.bodies,
        })
    }

    /// The header block, without the blank line.
    #[must_use]
    pub fn header(&self) -> &'a [u8] {
        self.header
    }

    /// The tree of parts.
    #[must_use]
    pub fn root(&self) -> &Part {
        &self.root
    }

    /// Attachment names, and the body text if `text` asks for it.
    ///
    /// # Errors
    /// The body text is beyond the limit.
    pub fn content(&self, text: bool, limits: &Limits) -> Result<Content, Fault> {
        let attachments = self.root.attachments();
        if !text {
            return Ok(Content {
                attachments,
                body: None,
            });
        }
        let parts = self.root.body_parts();
        let size = parts.iter().map(|part| part.size).sum();
        if size > limits.text {
            return Err(Fault::TextTooLong {
                size,
                limit: limits.text,
            });
        }
        let with_bytes: Vec<_> = parts
            .into_iter()
            .map(|part| (part, self.bytes(&part.section)))
            .collect();
        Ok(Content {
            attachments,
            body: Some(Body::from_parts(&with_bytes)),
        })
    }

    /// The decoded bytes of the leaf at this section; those of an enclosed mail are the
    /// mail itself. `None` if there is no such section.
    #[must_use]
    pub fn attachment(&self, section: &str) -> Option<Vec<u8>> {
        let part = find(&self.root, section)?;
        Some(decode::bytes(self.bytes(section), part.encoding).into_owned())
    }

    fn bytes(&self, section: &str) -> &'a [u8] {
        self.bodies.get(section).copied().unwrap_or_default()
    }
}

/// The leaf at a section.
fn find<'p>(root: &'p Part, section: &str) -> Option<&'p Part> {
    let mut part = root;
    while !part.children.is_empty() {
        part = part.children.iter().find(|child| {
            child.section == section
                || section
                    .strip_prefix(&child.section)
                    .is_some_and(|rest| rest.starts_with('.'))
        })?;
    }
    (part.section == section).then_some(part)
}

struct Builder<'a, 'l> {
    limits: &'l Limits,
    /// The byte that ends lines in this mail.
    line_end: u8,
    count: usize,
    bodies: BTreeMap<String, &'a [u8]>,
}

impl<'a> Builder<'a, '_> {
    /// Builds a part and those inside it; `depth` is bounded, so the recursion is.
    fn part(
        &mut self,
        header: &'a [u8],
        body: &'a [u8],
        section: String,
        default_type: &str,
        depth: usize,
    ) -> Result<Part, Fault> {
        self.count += 1;
        if self.count > self.limits.parts {
            return Err(Fault::TooManyParts {
                limit: self.limits.parts,
            });
        }
        let (mut part, boundary) = describe(header, default_type);
        part.size = body.len() as u64;
        if let Some(boundary) = boundary.filter(|_| part.media_type.starts_with("multipart/")) {
            if depth >= self.limits.depth {
                return Err(Fault::TooDeep {
                    limit: self.limits.depth,
                });
            }
            let default_type = if part.media_type == "multipart/digest" {
                "message/rfc822"
            } else {
                "text/plain"
            };
            for (index, bytes) in self.between(body, &boundary)?.into_iter().enumerate() {
                let dot = if section.is_empty() { "" } else { "." };
                let number = format!("{section}{dot}{}", index + 1);
                let (header, body) = header::split(bytes, false);
                part.children
                    .push(self.part(header, body, number, default_type, depth + 1)?);
            }
        }
        part.section = section;
        if part.children.is_empty() {
            self.leaf(&mut part, body);
        }
        Ok(part)
    }

    fn leaf(&mut self, part: &mut Part, body: &'a [u8]) {
        if part.section.is_empty() {
            "1".clone_into(&mut part.section);
        }
        if part.media_type.starts_with("multipart/") {
            "text/plain".clone_into(&mut part.media_type);
        }
        if matches!(
            part.media_type.as_str(),
            "message/rfc822" | "message/global"
        ) {
            part.enclosed_subject = Some(subject_of(&decode::bytes(body, part.encoding)));
        }
        self.bodies.insert(part.section.clone(), body);
    }

    /// The bytes between the boundary lines (RFC 2046, section 5.1.1). The line end before
    /// a boundary belongs to it; a missing last boundary is taken as standing at the end.
    fn between(&self, body: &'a [u8], boundary: &[u8]) -> Result<Vec<&'a [u8]>, Fault> {
        let mut parts = Vec::new();
        let mut start = None;
        let mut position = 0;
        let mut rest = body;
        while !rest.is_empty() {
            let length = rest
                .iter()
                .position(|byte| *byte == self.line_end)
                .map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if let Some(last) = delimiter(line, boundary) {
                if let Some(start) = start {
                    parts.push(without_line_end(
                        body.get(start..position).unwrap_or_default(),
                    ));
                }
                start = (!last).then_some(position + length);
                if last {
                    break;
                }
                if parts.len() > self.limits.parts {
                    return Err(Fault::TooManyParts {
                        limit: self.limits.parts,
                    });
                }
            }
            position += length;
            rest = after;
        }
        parts.extend(start.and_then(|start| body.get(start..)));
        Ok(parts)
    }
}

/// Whether a line is this boundary, and if so, whether it is the last one. Nothing but
/// blanks may follow: another boundary may begin with the same characters.
fn delimiter(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line
        .strip_prefix(b"--")?
        .strip_prefix(boundary)?
        .trim_ascii_end();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// A part's header to the part, without its place and bytes, and its boundary.
fn describe(block: &[u8], default_type: &str) -> (Part, Option<Vec<u8>>) {
    let mut content_type = None;
    let mut disposition = None;
    let mut encoding = None;
    let mut part = Part {
        media_type: default_type.to_owned(),
        ..Part::default()
    };
    header::fields(block, |field| {
        if field.is("Content-Type") {
            content_type.get_or_insert_with(|| split(field.value));
        } else if field.is("Content-Disposition") {
            disposition.get_or_insert_with(|| split(field.value));
        } else if field.is("Content-Transfer-Encoding") {
            encoding.get_or_insert_with(|| Encoding::parse(&String::from_utf8_lossy(field.value)));
        } else if field.is("Content-ID") {
            part.has_content_id = true;
        }
    });
    part.encoding = encoding.unwrap_or_default();
    let typed = content_type.is_some();
    let (media_type, type_pairs) = content_type.unwrap_or_default();
    let (shown, pairs) = disposition.unwrap_or_default();
    if typed {
        part.media_type = media_type_of(&media_type);
    }
    if !shown.is_empty() {
        part.disposition = Some(Disposition::parse(&String::from_utf8_lossy(&shown)));
    }
    part.charset = parameter(&type_pairs, "charset").and_then(|label| {
        let label = label.split([' ', ';', '(']).next()?.to_owned();
        (!label.is_empty()).then_some(label)
    });
    part.file_name = [
        parameter(&pairs, "filename"),
        parameter(&type_pairs, "name"),
    ]
    .into_iter()
    .flatten()
    .find(|name| !name.is_empty());
    let boundary = raw(&type_pairs, "boundary").map(<[u8]>::to_vec);
    let boundary = boundary.or_else(|| parameter(&type_pairs, "boundary").map(String::into_bytes));
    (
        part,
        boundary
            .map(|boundary| boundary.trim_ascii_end().to_vec())
            .filter(|boundary| !boundary.is_empty()),
    )
}

/// Lower case and without comments; what has no slash is plain text (RFC 2045, section 5.2).
fn media_type_of(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let word: String = text
        .split('(')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    match word.split_once('/') {
        Some((kind, subtype)) if !kind.is_empty() && !subtype.is_empty() => word,
        _ => "text/plain".to_owned(),
    }
}

fn subject_of(mail: &[u8]) -> String {
    let mut subject = None;
    header::fields(header::split(mail, true).0, |field| {
        if field.is("Subject") {
            subject.get_or_insert_with(|| encoded_word::decode(field.value));
        }
    });
    subject.unwrap_or_default()
}
