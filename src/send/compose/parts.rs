//! The parts of a mail: text, page, pictures and attachments (RFC 2046, RFC 2387).

use std::cmp::Reverse;
use std::fmt::Write;

use lettre::message::header::{
    ContentId, ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{MultiPart, SinglePart};

use super::header::{encoded, escaped, is_plain, one_line};
use super::{ComposeError, content_type};
use crate::message::html;
use crate::send::{Body, File, Mail};

/// No file system has longer names.
const LONGEST_NAME: usize = 255;

/// What a mail is made of.
pub(super) enum Part {
    Single(SinglePart),
    Multi(MultiPart),
}

impl Part {
    /// The part's headers, an empty line, and its body.
    pub(super) fn formatted(&self) -> Vec<u8> {
        match self {
            Self::Single(part) => part.formatted(),
            Self::Multi(part) => part.formatted(),
        }
    }

    fn into(self, parent: MultiPart) -> MultiPart {
        match self {
            Self::Single(part) => parent.singlepart(part),
            Self::Multi(part) => parent.multipart(part),
        }
    }
}

/// The mail's text and its files.
pub(super) fn of(mail: &Mail) -> Result<Part, ComposeError> {
    let body = match &mail.body {
        Body::Text(text) => Part::Single(text_part(text, ContentType::TEXT_PLAIN)),
        Body::Html { page, inline } => {
            let text = text_part(
                html::to_text(page).trim_matches('\n'),
                ContentType::TEXT_PLAIN,
            );
            let both = MultiPart::alternative().singlepart(text);
            Part::Multi(page_part(page, inline)?.into(both))
        }
    };
    if mail.attachments.is_empty() {
        return Ok(body);
    }
    let mut mixed = body.into(MultiPart::mixed().build());
    for file in &mail.attachments {
        mixed = mixed.singlepart(file_part(file, "attachment", None)?);
    }
    Ok(Part::Multi(mixed))
}

/// A page, with its pictures where it has any.
fn page_part(page: &str, inline: &[File]) -> Result<Part, ComposeError> {
    if inline.is_empty() {
        return Ok(Part::Single(text_part(page, ContentType::TEXT_HTML)));
    }
    let page = with_content_ids(page, inline);
    let mut related = MultiPart::related().singlepart(text_part(&page, ContentType::TEXT_HTML));
    for file in inline {
        related = related.singlepart(file_part(file, "inline", Some(content_id(&file.name)))?);
    }
    Ok(Part::Multi(related))
}

/// The page with the [`content_id`] of each picture in place of its name, where that stands as it
/// is, with `&amp;`, or in `%20` fashion.
pub(in crate::send) fn with_content_ids(page: &str, inline: &[File]) -> String {
    let mut renamed: Vec<_> = inline.iter().map(|file| file.name.as_str()).collect();
    renamed.retain(|name| content_id(name) != *name);
    // A name may begin with another one.
    renamed.sort_by_key(|name| Reverse(name.len()));
    let mut page = page.to_owned();
    for name in renamed {
        let id = content_id(name);
        for spelled in [name.to_owned(), name.replace('&', "&amp;"), percent(name)] {
            page = page.replace(&format!("cid:{spelled}"), &format!("cid:{id}"));
        }
    }
    page
}

/// The encoding is lettre's choice: as it is, quoted-printable or base64.
fn text_part(text: &str, kind: ContentType) -> SinglePart {
    SinglePart::builder().header(kind).body(lines(text))
}

/// Text whose lines end in one way only, without what has no place in a text. The line end of the
/// last line comes with the part's.
fn lines(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let odd = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t');
    let mut clean: String = unified
        .chars()
        .map(|c| if odd(c) { ' ' } else { c })
        .collect();
    if clean.ends_with('\n') {
        clean.pop();
    }
    clean
}

/// A file's bytes always go as base64: nothing on the way may change its line ends.
fn file_part(
    file: &File,
    disposition: &str,
    content_id: Option<String>,
) -> Result<SinglePart, ComposeError> {
    let name = one_line(&file.name);
    if name.len() > LONGEST_NAME {
        return Err(ComposeError::FileName(crate::net::clean(&name, 300)));
    }
    let mut part = SinglePart::builder()
        .header(MediaType(format!(
            "{};\r\n {}",
            content_type::of(&name),
            type_name(&name)
        )))
        .header(ContentTransferEncoding::Base64)
        .header(Disposition(format!(
            "{disposition};\r\n {}",
            file_name(&name)
        )));
    if let Some(id) = content_id {
        part = part.header(ContentId::from(format!("<{id}>")));
    }
    Ok(part.body(file.bytes.clone()))
}

/// The name for readers that know RFC 2231: all of today's. One parameter, as several parts of a
/// name (section 3) are what some of them fail at.
fn file_name(name: &str) -> String {
    if is_plain(name) {
        format!("filename=\"{}\"", escaped(name))
    } else {
        format!("filename*=utf-8''{}", percent(name))
    }
}

/// The name for the others, who look here, and decode what RFC 2047 does not want to be decoded
/// in this place. Were it a second, plain `filename`, newer readers could take that one.
fn type_name(name: &str) -> String {
    if is_plain(name) {
        format!("name=\"{}\"", escaped(name))
    } else {
        format!("name=\"{}\"", encoded(name))
    }
}

/// What a picture is called within the mail: its file's name, as far as that can be the name of
/// a part (RFC 2392): letters, digits, `.`, `_`, `+` and `-`.
pub(in crate::send) fn content_id(name: &str) -> String {
    let mut id = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-') {
            id.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(id, "_{byte:02x}");
        }
    }
    id
}

/// `%20` for everything that is neither letter nor digit nor `-._~` (RFC 3986, section 2.3).
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Makes a header of a value that is ready.
macro_rules! ready_header {
    ($type:ident, $name:literal) => {
        #[derive(Clone)]
        struct $type(String);

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(value.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                let value = self.0.clone();
                HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
            }
        }
    };
}

ready_header!(MediaType, "Content-Type");
ready_header!(Disposition, "Content-Disposition");
