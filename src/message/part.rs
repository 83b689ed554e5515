//! The tree of a mail's parts: which of them are attachments and which are the body.

/// The transfer encoding of a part (RFC 2045, section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary` and everything unknown: the bytes as they are.
    #[default]
    Identity,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
}

impl Encoding {
    /// Reads the value of a Content-Transfer-Encoding header or of BODYSTRUCTURE's field.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            _ => Self::Identity,
        }
    }
}

/// How the author wants a part shown (RFC 2183).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Shown with the text.
    Inline,
    /// Offered apart. Unknown values count as this one (RFC 2183, section 2.8).
    Attachment,
}

impl Disposition {
    /// Reads the type of a Content-Disposition, without its parameters.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.trim().eq_ignore_ascii_case("inline") {
            Self::Inline
        } else {
            Self::Attachment
        }
    }
}

/// One node of the MIME tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// IMAP's section numbers (RFC 9051, section 6.4.5): `1`, `2.1`. Empty for a multipart
    /// root; a mail that is no multipart has the one part `1`.
    pub section: String,
    /// Lower case, as `text/plain`.
    pub media_type: String,
    /// The label of the charset as it is written.
    pub charset: Option<String>,
    /// The transfer encoding.
    pub encoding: Encoding,
    /// The disposition, if there is one.
    pub disposition: Option<Disposition>,
    /// The decoded file name: `filename*`, `filename`, `name*`, `name`, in this order.
    pub file_name: Option<String>,
    /// It has a Content-ID, so another part may show it.
    pub has_content_id: bool,
    /// Bytes as they come, still transfer-encoded.
    pub size: u64,
    /// The decoded subject of an enclosed mail (message/rfc822).
    pub enclosed_subject: Option<String>,
    /// The parts of a multipart.
    pub children: Vec<Part>,
}

impl Part {
    /// The attachments in document order.
    #[must_use]
    pub fn attachments(&self) -> Vec<Attachment> {
        Vec::new()
    }

    /// The parts whose text is the mail's body.
    #[must_use]
    pub fn body_parts(&self) -> Vec<&Part> {
        Vec::new()
    }
}

/// A part that counts as an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The part's section.
    pub section: String,
    /// The name as the mail gives it, decoded; it may hold separators and anything else.
    pub name: String,
}
