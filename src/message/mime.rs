//! A whole mail in memory: its tree of parts and where each part's bytes are (RFC 2046).

use std::collections::BTreeMap;

use super::part_header::{describe, subject_of};
use super::{Attachment, Body, Content, Fault, Limits, Part, decode, header, safe_file_name};

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
    /// Names or the body text are beyond their limits.
    pub fn content(&self, text: bool, limits: &Limits) -> Result<Content, Fault> {
        let attachments = self.root.attachments()?;
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

    /// The decoded bytes of one of the attachments that a mailbox told of: by its section or, of a
    /// mailbox that knows none, by its name and its place among those of that name. `None` if there
    /// is no such attachment.
    #[must_use]
    pub fn attachment_told(&self, told: &[Attachment], index: usize) -> Option<Vec<u8>> {
        let wanted = told.get(index)?;
        if !wanted.section.is_empty() {
            return self.attachment(&wanted.section);
        }
        let name = safe_file_name(&wanted.name);
        let is_namesake = |other: &&Attachment| safe_file_name(&other.name) == name;
        let before = told.iter().take(index).filter(is_namesake).count();
        let own = self.root.attachments().ok()?;
        let found = own.iter().filter(is_namesake).nth(before)?;
        self.attachment(&found.section)
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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{Envelope, safe_file_name};
    use super::*;

    fn fixtures() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mails");
        let entries = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut mails: Vec<_> = entries
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        mails.sort();
        assert!(mails.len() >= 40, "{} mails", mails.len());
        mails
    }

    /// What a fixture's `.json` says, from the mail itself.
    fn read(bytes: &[u8], expected: &Value) -> Value {
        let limits = Limits::default();
        let mail = Mail::parse(bytes, &limits).unwrap();
        let content = mail.content(true, &limits).unwrap();
        let envelope = Envelope::parse(mail.header());
        let attachments: Vec<_> = content
            .attachments
            .iter()
            .map(|attachment| json!([attachment.section, attachment.name]))
            .collect();
        let mut found = json!({
            "from": envelope.sender.address,
            "reliable": envelope.sender.reliable,
            "subject": envelope.subject,
            "date": envelope.date.map(|date| date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            "lines": content.body.unwrap().lines().collect::<Vec<_>>(),
            "attachments": attachments,
        });
        if let Some(saved) = expected.get("saved").and_then(Value::as_object) {
            found["saved"] = saved
                .keys()
                .map(|section| (section.clone(), json!(mail.attachment(section))))
                .collect();
        }
        found
    }

    #[test]
    fn every_fixture_reads_as_it_says() {
        for path in fixtures() {
            let expected = std::fs::read(path.with_extension("json")).unwrap();
            let expected: Value = serde_json::from_slice(&expected).unwrap();
            let found = read(&std::fs::read(&path).unwrap(), &expected);
            assert_eq!(found, expected, "{}", path.display());
        }
    }

    #[test]
    fn limits_hold() {
        let tight = Limits {
            depth: 2,
            parts: 4,
            text: 10,
            mail: 10_000,
        };
        let fault = |mail: &str| Mail::parse(mail.as_bytes(), &tight).unwrap_err();
        let open = |boundary: &str| {
            format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n")
        };
        assert_eq!(
            fault(&"x".repeat(10_001)),
            Fault::MailTooLong {
                size: 10_001,
                limit: 10_000
            }
        );
        assert_eq!(
            fault(&(open("a") + &open("b") + &open("c"))),
            Fault::TooDeep { limit: 2 }
        );
        assert_eq!(
            fault(&(open("a") + &"--a\n".repeat(4))),
            Fault::TooManyParts { limit: 4 }
        );
        assert!(Mail::parse((open("a") + &open("b") + "\nx").as_bytes(), &tight).is_ok());
        let long = Mail::parse(b"Subject: x\n\n12345678901", &tight).unwrap();
        assert_eq!(
            long.content(true, &tight).unwrap_err(),
            Fault::TextTooLong {
                size: 11,
                limit: 10
            }
        );
        assert!(long.content(false, &tight).is_ok());
    }

    #[test]
    fn sections_are_those_of_imap() {
        let bytes = std::fs::read(
            fixtures()
                .iter()
                .find(|path| path.ends_with("nested-multipart.eml"))
                .unwrap(),
        )
        .unwrap();
        let mail = Mail::parse(&bytes, &Limits::default()).unwrap();
        let root = mail.root();
        let sections: Vec<_> = root
            .children
            .iter()
            .map(|part| part.section.as_str())
            .collect();
        assert_eq!((root.section.as_str(), sections), ("", vec!["1", "2"]));
        assert_eq!(mail.attachment("1.2").as_deref(), Some(&b"1;2"[..]));
        for none in ["", "1", "3", "1.2.1", "12", "1.", "x"] {
            assert_eq!(mail.attachment(none), None, "{none}");
        }
    }

    #[test]
    fn an_enclosed_mail_is_handed_out_whole() {
        let bytes = std::fs::read(
            fixtures()
                .iter()
                .find(|path| path.ends_with("enclosed-mail.eml"))
                .unwrap(),
        )
        .unwrap();
        let mail = Mail::parse(&bytes, &Limits::default()).unwrap();
        let enclosed = mail.attachment("2").unwrap();
        let inner = Mail::parse(&enclosed, &Limits::default()).unwrap();
        assert_eq!(inner.root().attachments().unwrap().len(), 1);
        assert!(
            enclosed.starts_with(b"From: other@example.com")
                && enclosed.ends_with(b"--inner--\r\n")
        );
    }

    fn stays_within_limits(bytes: &[u8]) -> Result<(), TestCaseError> {
        let limits = Limits {
            depth: 3,
            parts: 10,
            text: 2_000,
            mail: 100_000,
        };
        let Ok(mail) = Mail::parse(bytes, &limits) else {
            return Ok(());
        };
        if let Ok(content) = mail.content(true, &limits) {
            prop_assert!(content.attachments.len() <= limits.parts);
            prop_assert!(content.body.unwrap().text().len() <= 10_000);
            for attachment in content.attachments {
                prop_assert!(mail.attachment(&attachment.section).is_some());
                let _ = safe_file_name(&attachment.name);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_bytes_stay_within_limits(bytes: Vec<u8>) {
            stays_within_limits(&bytes)?;
        }

        #[test]
        fn damaged_mails_stay_within_limits(
            which in any::<prop::sample::Index>(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..20),
        ) {
            let mails = fixtures();
            let mut bytes = std::fs::read(which.get(&mails)).unwrap();
            for (place, byte, kind) in damage {
                let at = place.index(bytes.len().max(1));
                match kind {
                    0 if at < bytes.len() => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => bytes.truncate(bytes.len().saturating_sub(usize::from(byte) / 8)),
                }
            }
            stays_within_limits(&bytes)?;
        }
    }
}
