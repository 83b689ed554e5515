//! The text of a mail out of the bytes of a file.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::send::{Body, File};

/// A page says within so many bytes how it is encoded (HTML standard, section 4.2.5.4).
const HEAD: usize = 1024;

/// Whether a file is sent as HTML, by its name.
pub(super) fn is_page(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["htm", "html"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// The body of a mail; `None` where the file holds no text.
pub(super) fn body(path: &str, bytes: &[u8], inline: Vec<File>) -> Option<Body> {
    let page = is_page(path);
    let text = text(bytes, page)?;
    Some(if page {
        Body::Html { page: text, inline }
    } else {
        Body::Text(text)
    })
}

/// UTF-8 or UTF-16 by their mark or by their bytes, what a page says of itself, else Windows-1252;
/// `None` for what is no text.
pub(super) fn text(bytes: &[u8], page: bool) -> Option<String> {
    let (encoding, mark) = match Encoding::for_bom(bytes) {
        Some(found) => found,
        None => (unmarked(bytes, page), 0),
    };
    let content = bytes.get(mark..).unwrap_or_default();
    let text = encoding.decode_without_bom_handling(content).0;
    (!text.contains('\0')).then(|| text.into_owned())
}

fn unmarked(bytes: &[u8], page: bool) -> &'static Encoding {
    // Text has no zero bytes; the letters of Western languages have one each in UTF-16.
    let zeros_at = |offset| {
        bytes
            .iter()
            .skip(offset)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (zeros_at(0), zeros_at(1));
    if bytes.len().is_multiple_of(2) && even.max(odd) * 4 > bytes.len() {
        return if odd > even { UTF_16LE } else { UTF_16BE };
    }
    if str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    page.then(|| declared(bytes))
        .flatten()
        .unwrap_or(WINDOWS_1252)
}

/// `<meta charset="…">` or the same in the content of one. What says so in ASCII is not UTF-16,
/// and what is not UTF-8 has been found out before.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..HEAD.min(bytes.len()))?.to_ascii_lowercase();
    let head = String::from_utf8_lossy(&head);
    let (_, behind) = head.split_once("charset=")?;
    let label = behind.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(['"', '\'', ' ', ';', '>', '/'])?;
    let found = Encoding::for_label(label.get(..end)?.as_bytes())?;
    (![UTF_8, UTF_16LE, UTF_16BE].contains(&found)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "D\u{e9}j\u{e0} vu \u{2013} 5 \u{20ac}\r\n";

    fn utf16(big: bool) -> Vec<u8> {
        let units = TEXT.encode_utf16();
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn encodings_are_found() {
        let utf8 = TEXT.as_bytes().to_vec();
        let windows = WINDOWS_1252.encode(TEXT).0.into_owned();
        for (name, bytes) in [
            ("UTF-8", utf8.clone()),
            (
                "UTF-8 with a mark",
                [b"\xEF\xBB\xBF".to_vec(), utf8].concat(),
            ),
            (
                "UTF-16LE with a mark",
                [b"\xFF\xFE".to_vec(), utf16(false)].concat(),
            ),
            (
                "UTF-16BE with a mark",
                [b"\xFE\xFF".to_vec(), utf16(true)].concat(),
            ),
            ("UTF-16LE", utf16(false)),
            ("UTF-16BE", utf16(true)),
            ("Windows-1252", windows),
        ] {
            assert_eq!(text(&bytes, false).as_deref(), Some(TEXT), "{name}");
        }
        assert_eq!(text(b"", false).as_deref(), Some(""));
    }

    #[test]
    fn a_page_may_say_how_it_is_encoded() {
        for head in [
            "<meta charset=\"ISO-8859-15\">",
            "<META http-equiv='Content-Type' content='text/html; charset=iso-8859-15'>",
        ] {
            let bytes = [head.as_bytes(), b"5 \xA4"].concat();
            let read = text(&bytes, true).unwrap();
            assert!(read.ends_with("5 \u{20ac}"), "{read}");
            assert!(text(&bytes, false).unwrap().ends_with("5 \u{a4}"));
        }
        // What is UTF-8 is UTF-8, whatever it says; what says so and is not is Windows-1252.
        let wrong = "<meta charset=iso-8859-1>\u{e9}";
        assert_eq!(text(wrong.as_bytes(), true).as_deref(), Some(wrong));
        let wrong = text(b"<meta charset=utf-8>\xE9", true).unwrap();
        assert!(wrong.ends_with('\u{e9}'));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [&b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF"[..], b"a\0b", b"\0"] {
            assert_eq!(text(bytes, false), None, "{bytes:?}");
        }
    }

    #[test]
    fn the_name_decides_what_it_is() {
        for (name, page) in [
            ("a.htm", true),
            ("C:\\a.b\\Mail.HTML", true),
            ("a.txt", false),
            ("html", false),
            ("a.html.log", false),
        ] {
            assert_eq!(is_page(name), page, "{name}");
        }
    }
}
