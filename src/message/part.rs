//! The tree of a mail's parts: which of them are attachments and which are the body.

use super::Fault;

/// Longest names that all attachments of a mail may have together, in bytes.
pub const LONGEST_NAMES: usize = 128 * 1024;

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
        // Some write a comment or a semicolon behind it.
        let word = text
            .trim()
            .split([' ', '\t', ';', '('])
            .next()
            .unwrap_or_default();
        match word.to_ascii_lowercase().as_str() {
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
    ///
    /// An attachment is: a part with disposition attachment; any leaf with a file name,
    /// inline ones too; an enclosed mail; and a leaf that is no text, without a name, that
    /// no other part can show (no Content-ID, not inline). Multiparts only hold parts.
    ///
    /// # Errors
    /// Their names are longer than [`LONGEST_NAMES`] together.
    pub fn attachments(&self) -> Result<Vec<Attachment>, Fault> {
        let mut attachments = Vec::new();
        let mut length = 0;
        for part in self.leaves() {
            if part.is_attachment() {
                let name = part.attachment_name();
                length += name.len();
                if length > LONGEST_NAMES {
                    return Err(Fault::NamesTooLong {
                        limit: LONGEST_NAMES,
                    });
                }
                let section = part.section.clone();
                attachments.push(Attachment { section, name });
            }
        }
        Ok(attachments)
    }

    /// The parts whose text is the mail's body: the plain ones that are no attachments,
    /// or, if there is none, the HTML ones.
    #[must_use]
    pub fn body_parts(&self) -> Vec<&Self> {
        let leaves = self.leaves();
        let of_type = |media_type: &str| -> Vec<&Self> {
            leaves
                .iter()
                .copied()
                .filter(|part| part.media_type == media_type && !part.is_attachment())
                .collect()
        };
        let plain = of_type("text/plain");
        if plain.is_empty() {
            of_type("text/html")
        } else {
            plain
        }
    }

    /// The parts that hold no others, in document order.
    fn leaves(&self) -> Vec<&Self> {
        let mut leaves = Vec::new();
        let mut open = vec![self];
        while let Some(part) = open.pop() {
            if part.children.is_empty() {
                leaves.push(part);
            } else {
                open.extend(part.children.iter().rev());
            }
        }
        leaves
    }

    fn is_enclosed_mail(&self) -> bool {
        matches!(
            self.media_type.as_str(),
            "message/rfc822" | "message/global"
        )
    }

    fn is_attachment(&self) -> bool {
        let wordless =
            !self.media_type.starts_with("text/") && !self.media_type.starts_with("multipart/");
        self.disposition == Some(Disposition::Attachment)
            || self.file_name.is_some()
            || self.is_enclosed_mail()
            || (wordless && !self.has_content_id && self.disposition != Some(Disposition::Inline))
    }

    fn attachment_name(&self) -> String {
        match (&self.file_name, &self.enclosed_subject) {
            (Some(name), _) => name.clone(),
            (None, Some(subject)) if self.is_enclosed_mail() && !subject.is_empty() => {
                format!("{subject}.eml")
            }
            (None, _) if self.is_enclosed_mail() => "message.eml".to_owned(),
            (None, _) => String::new(),
        }
    }
}

/// A part that counts as an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The part's section; empty where the mailbox does not tell it, so that the name has to do.
    pub section: String,
    /// The name as the mail gives it, decoded; it may hold separators and anything else.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(section: &str, media_type: &str) -> Part {
        Part {
            section: section.to_owned(),
            media_type: media_type.to_owned(),
            ..Part::default()
        }
    }

    fn multipart(children: Vec<Part>) -> Part {
        Part {
            children,
            ..leaf("", "multipart/mixed")
        }
    }

    fn names(part: &Part) -> Vec<(String, String)> {
        let attachments = part.attachments().unwrap().into_iter();
        attachments
            .map(|attachment| (attachment.section, attachment.name))
            .collect()
    }

    fn bodies(part: &Part) -> Vec<&str> {
        part.body_parts()
            .into_iter()
            .map(|part| part.section.as_str())
            .collect()
    }

    #[test]
    fn names_have_an_end() {
        let named = |length: usize| Part {
            file_name: Some("n".repeat(length)),
            ..leaf("1", "image/png")
        };
        let half = LONGEST_NAMES / 2;
        let most = multipart(vec![named(half), named(half)]);
        assert_eq!(names(&most).len(), 2);
        let more = multipart(vec![named(half), named(half), named(1)]);
        assert!(matches!(
            more.attachments(),
            Err(Fault::NamesTooLong { .. })
        ));
    }

    #[test]
    fn what_an_attachment_is() {
        let named = |part: Part| Part {
            file_name: Some("n".to_owned()),
            ..part
        };
        let inline = |part: Part| Part {
            disposition: Some(Disposition::Inline),
            ..part
        };
        let apart = |part: Part| Part {
            disposition: Some(Disposition::Attachment),
            ..part
        };
        let shown = |part: Part| Part {
            has_content_id: true,
            ..part
        };
        let cases = [
            (leaf("1", "text/plain"), false),
            (leaf("1", "text/html"), false),
            (leaf("1", "text/calendar"), false),
            (leaf("1", "multipart/mixed"), false),
            (leaf("1", "application/pdf"), true),
            (inline(leaf("1", "image/png")), false),
            (shown(leaf("1", "image/png")), false),
            (named(inline(shown(leaf("1", "image/png")))), true),
            (named(inline(leaf("1", "text/plain"))), true),
            (apart(leaf("1", "text/plain")), true),
            (apart(shown(leaf("1", "image/png"))), true),
            (leaf("1", "message/rfc822"), true),
            (inline(leaf("1", "message/rfc822")), true),
        ];
        for (part, expected) in cases {
            assert_eq!(!names(&part).is_empty(), expected, "{part:?}");
        }
    }

    #[test]
    fn names_of_attachments() {
        let enclosed = |subject: &str| Part {
            enclosed_subject: Some(subject.to_owned()),
            ..leaf("1", "message/rfc822")
        };
        assert_eq!(
            names(&enclosed("Re: x")),
            [("1".to_owned(), "Re: x.eml".to_owned())]
        );
        assert_eq!(
            names(&enclosed("")),
            [("1".to_owned(), "message.eml".to_owned())]
        );
        assert_eq!(
            names(&leaf("1", "message/rfc822")),
            [("1".to_owned(), "message.eml".to_owned())]
        );
        let both = Part {
            file_name: Some("a/b.eml".to_owned()),
            ..enclosed("x")
        };
        assert_eq!(names(&both), [("1".to_owned(), "a/b.eml".to_owned())]);
        assert_eq!(
            names(&leaf("1", "application/pdf")),
            [("1".to_owned(), String::new())]
        );
    }

    #[test]
    fn document_order_and_body() {
        let inner = Part {
            section: "2".to_owned(),
            ..multipart(vec![
                leaf("2.1", "application/a"),
                leaf("2.2", "text/plain"),
            ])
        };
        let tree = multipart(vec![
            leaf("1", "text/plain"),
            inner,
            leaf("3", "application/b"),
            leaf("4", "text/html"),
        ]);
        assert_eq!(
            names(&tree)
                .into_iter()
                .map(|(section, _)| section)
                .collect::<Vec<_>>(),
            ["2.1", "3"]
        );
        assert_eq!(bodies(&tree), ["1", "2.2"]);
        let html = multipart(vec![
            leaf("1", "text/html"),
            Part {
                file_name: Some("x".to_owned()),
                ..leaf("2", "text/plain")
            },
        ]);
        assert_eq!(bodies(&html), ["1"]);
        assert_eq!(bodies(&leaf("1", "image/png")), Vec::<&str>::new());
    }

    #[test]
    fn labels() {
        assert_eq!(Encoding::parse(" BASE64 "), Encoding::Base64);
        assert_eq!(
            Encoding::parse("quoted-printable; x"),
            Encoding::QuotedPrintable
        );
        assert_eq!(Encoding::parse("8bit"), Encoding::Identity);
        assert_eq!(Disposition::parse("INLINE"), Disposition::Inline);
        assert_eq!(Disposition::parse("form-data"), Disposition::Attachment);
    }
}
