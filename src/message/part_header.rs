//! The header of one part: what it holds, how it is encoded, what its file is called.

use super::params::{parameter, raw, split};
use super::{Disposition, Encoding, Part, encoded_word, header};

/// A part's header to the part, without its place and bytes, and its boundary.
pub(super) fn describe(block: &[u8], default_type: &str) -> (Part, Option<Vec<u8>>) {
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

/// The decoded subject of a whole mail.
pub(super) fn subject_of(mail: &[u8]) -> String {
    let mut subject = None;
    header::fields(header::split(mail, true).0, |field| {
        if field.is("Subject") {
            subject.get_or_insert_with(|| encoded_word::decode(field.value));
        }
    });
    subject.unwrap_or_default()
}
