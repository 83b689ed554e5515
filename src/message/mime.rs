//! A whole mail in memory: its tree of parts and where each part's bytes are.

use super::{Content, Fault, Limits, Part};

/// A whole mail in memory, taken apart.
#[derive(Clone, Debug)]
pub struct Mail<'a> {
    header: &'a [u8],
    root: Part,
}

impl<'a> Mail<'a> {
    /// Takes a mail apart.
    ///
    /// # Errors
    /// The mail is beyond one of the limits.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Mail<'a>, Fault> {
        let _ = limits;
        Ok(Self {
            header: bytes,
            root: Part::default(),
        })
    }

    /// The header block.
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
        let _ = (text, limits);
        Ok(Content::default())
    }

    /// The decoded bytes of the attachment at this section (an enclosed mail: its bytes as
    /// they are); `None` if there is no such section.
    #[must_use]
    pub fn attachment(&self, section: &str) -> Option<Vec<u8>> {
        let _ = section;
        None
    }
}
