//! The body of a mail as text and as lines.

use super::{Part, decode, html};

/// The text that body rules look at; its line ends are `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    text: String,
}

impl Body {
    /// Decodes the bytes of the body parts (still transfer-encoded), turns HTML into
    /// text, and joins them with a line end. CRLF, LF and CR each end a line.
    #[must_use]
    pub fn from_parts(parts: &[(&Part, &[u8])]) -> Self {
        let mut text = String::new();
        for (part, raw) in parts {
            let decoded = decode::text(&decode::bytes(raw, part.encoding), part.charset.as_deref());
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            if part.media_type == "text/html" {
                text.push_str(&html::to_text(&decoded));
            } else {
                push_lines(&mut text, &decoded);
            }
        }
        Self { text }
    }

    /// Text that a service has decoded.
    #[must_use]
    pub fn of_text(decoded: &str) -> Self {
        let mut text = String::new();
        push_lines(&mut text, decoded);
        Self { text }
    }

    /// A page that a service has decoded.
    #[must_use]
    pub fn of_html(decoded: &str) -> Self {
        Self {
            text: html::to_text(decoded),
        }
    }

    /// The lines without their ends. A line end at the very end begins no further line.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\n')
    }

    /// The whole text; line ends are `\n`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Adds text, its line ends turned into `\n`.
fn push_lines(out: &mut String, text: &str) {
    out.reserve(text.len());
    let mut pieces = text.split('\r');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        // Of CRLF, the LF is already there.
        if !piece.starts_with('\n') {
            out.push('\n');
        }
        out.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Encoding;
    use super::*;

    fn plain() -> Part {
        Part {
            media_type: "text/plain".to_owned(),
            ..Part::default()
        }
    }

    fn lines(parts: &[(&Part, &[u8])]) -> Vec<String> {
        Body::from_parts(parts).lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_line_end_ends_one_line() {
        assert_eq!(
            lines(&[(&plain(), b"a\r\nb\nc\rd\r\r\ne\n\nf")]),
            ["a", "b", "c", "d", "", "e", "", "f"]
        );
        assert_eq!(lines(&[(&plain(), b"a\r\n")]), ["a"]);
        assert_eq!(lines(&[(&plain(), b"")]), Vec::<String>::new());
        assert_eq!(
            Body::from_parts(&[(&plain(), b"a\r\n b\r")]).text(),
            "a\n b\n"
        );
    }

    #[test]
    fn parts_are_decoded_and_joined() {
        let coded = Part {
            encoding: Encoding::QuotedPrintable,
            charset: Some("iso-8859-1".to_owned()),
            ..plain()
        };
        let html = Part {
            media_type: "text/html".to_owned(),
            encoding: Encoding::Base64,
            ..Part::default()
        };
        assert_eq!(
            lines(&[
                (&plain(), b"one"),
                (&coded, b"gr=FCn=\r\n!\r\n"),
                (&html, b"PHA+YTxicj5iPC9wPg")
            ]),
            ["one", "grün!", "a", "b"]
        );
    }
}
