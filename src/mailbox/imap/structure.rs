//! BODYSTRUCTURE (RFC 9051, section 7.5.2) to a tree of parts.
//!
//! Servers compute it from what anybody sends, and some compute it wrongly. What can't be
//! read, or looks as if the server had not understood the mail, is [`Broken::Doubtful`]:
//! then the whole mail is fetched and taken apart here.

use super::cursor::{Cursor, Malformed, Text};
use crate::message::{
    Disposition, Encoding, Fault, Limits, Part, encoded_word, parameter, params::Pairs,
};

/// Why there is no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The server's answer can't be relied on.
    Doubtful,
    /// The mail is beyond a limit.
    Fault(Fault),
}

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Self::Doubtful
    }
}

/// Reads the value of BODYSTRUCTURE.
pub(super) fn read(mut cursor: Cursor<'_>, limits: &Limits) -> Result<Part, Broken> {
    let mut reader = Reader { limits, parts: 0 };
    let root = reader.part(&mut cursor, String::new(), 0)?;
    if root.children.is_empty() && root.size == 0 {
        // No body: true of many mails, which are short to fetch, but servers say so of mails
        // whose line ends they do not know, too.
        return Err(Broken::Doubtful);
    }
    Ok(root)
}

struct Reader<'l> {
    limits: &'l Limits,
    parts: usize,
}

impl Reader<'_> {
    /// One part and what is in it. It calls itself once for each level of multiparts, of
    /// which the limits allow a fixed number.
    fn part(
        &mut self,
        cursor: &mut Cursor<'_>,
        section: String,
        depth: usize,
    ) -> Result<Part, Broken> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Broken::Fault(Fault::TooManyParts {
                limit: self.limits.parts,
            }));
        }
        cursor.expect(b'(', "a part is missing")?;
        cursor.skip_blanks();
        if cursor.peek() == Some(b'(') {
            self.multipart(cursor, section, depth)
        } else {
            single(cursor, section)
        }
    }

    fn multipart(
        &mut self,
        cursor: &mut Cursor<'_>,
        section: String,
        depth: usize,
    ) -> Result<Part, Broken> {
        if depth >= self.limits.depth {
            return Err(Broken::Fault(Fault::TooDeep {
                limit: self.limits.depth,
            }));
        }
        let mut children: Vec<Part> = Vec::new();
        while cursor.peek() == Some(b'(') {
            let number = children.len() + 1;
            let inner = if section.is_empty() {
                number.to_string()
            } else {
                format!("{section}.{number}")
            };
            children.push(self.part(cursor, inner, depth + 1)?);
            cursor.skip_blanks();
        }
        let subtype = lower(cursor.text()?);
        let parameters = pairs(cursor)?;
        let has_boundary = parameters.iter().any(|(key, _)| {
            key.get(..8)
                .is_some_and(|k| k.eq_ignore_ascii_case(b"boundary"))
        });
        let hollow =
            matches!(children.as_slice(), [only] if only.size == 0 && only.children.is_empty());
        if !has_boundary || hollow {
            // Servers put an empty part where they found none; what the mail holds then
            // counts as text.
            return Err(Broken::Doubtful);
        }
        cursor.skip_to_list_end()?;
        Ok(Part {
            section,
            media_type: format!("multipart/{subtype}"),
            children,
            ..Part::default()
        })
    }
}

fn single(cursor: &mut Cursor<'_>, section: String) -> Result<Part, Broken> {
    let (kind, subtype) = (lower(cursor.text()?), lower(cursor.text()?));
    let parameters = pairs(cursor)?;
    let id = cursor.text()?;
    cursor.skip()?;
    let encoding = cursor.text()?.into_bytes();
    let encoding = Encoding::parse(&String::from_utf8_lossy(&encoding));
    let size = cursor.number().ok_or(Broken::Doubtful)?;
    if kind.is_empty()
        || subtype.is_empty()
        || (kind == "message" && encoding != Encoding::Identity)
    {
        // A Content-Type that the server could not read, or an enclosed mail that it has
        // looked into without decoding it.
        return Err(Broken::Doubtful);
    }
    let media_type = format!("{kind}/{subtype}");
    let mut enclosed_subject = None;
    cursor.skip_blanks();
    if kind == "message" && cursor.peek() == Some(b'(') {
        enclosed_subject = Some(envelope_subject(&mut cursor.value()?)?);
        cursor.skip()?;
        cursor.skip()?;
    } else if kind == "text" {
        cursor.skip()?;
    }
    cursor.skip_blanks();
    if cursor.peek() == Some(b')') {
        // Without the extension data nothing says what is an attachment.
        return Err(Broken::Doubtful);
    }
    cursor.skip()?;
    let (disposition, disposition_parameters) = disposition(cursor)?;
    cursor.skip_to_list_end()?;
    let names = [
        parameter(&disposition_parameters, "filename"),
        parameter(&parameters, "name"),
    ];
    Ok(Part {
        section: if section.is_empty() {
            "1".into()
        } else {
            section
        },
        media_type,
        charset: parameter(&parameters, "charset").and_then(|label| {
            let label = label.split([' ', ';', '(']).next()?.to_owned();
            (!label.is_empty()).then_some(label)
        }),
        encoding,
        disposition,
        file_name: names.into_iter().flatten().find(|name| !name.is_empty()),
        has_content_id: !matches!(id, Text::Nil),
        size,
        enclosed_subject,
        children: Vec::new(),
    })
}

/// `NIL` or a list of keys and values.
fn pairs(cursor: &mut Cursor<'_>) -> Result<Pairs, Broken> {
    let mut pairs = Vec::new();
    cursor.skip_blanks();
    if !cursor.eat(b'(') {
        return match cursor.text()? {
            Text::Nil => Ok(pairs),
            _ => Err(Broken::Doubtful),
        };
    }
    loop {
        cursor.skip_blanks();
        if cursor.eat(b')') {
            return Ok(pairs);
        }
        pairs.push((cursor.text()?.into_bytes(), cursor.text()?.into_bytes()));
    }
}

/// `NIL` or the disposition and its parameters. The field may be missing at the end.
fn disposition(cursor: &mut Cursor<'_>) -> Result<(Option<Disposition>, Pairs), Broken> {
    cursor.skip_blanks();
    match cursor.peek() {
        Some(b')') => Ok((None, Pairs::new())),
        Some(b'(') => {
            cursor.eat(b'(');
            let kind = lower(cursor.text()?);
            let parameters = pairs(cursor)?;
            cursor.skip_to_list_end()?;
            Ok((Some(Disposition::parse(&kind)), parameters))
        }
        _ => {
            cursor.skip()?;
            Ok((None, Pairs::new()))
        }
    }
}

/// The second field of an envelope, decoded as the header that it comes from.
fn envelope_subject(cursor: &mut Cursor<'_>) -> Result<String, Broken> {
    cursor.expect(b'(', "an envelope is missing")?;
    cursor.skip()?;
    Ok(encoded_word::decode(&cursor.text()?.into_bytes()))
}

fn lower(text: Text) -> String {
    String::from_utf8_lossy(&text.into_bytes())
        .trim()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::response::{Literal, Response};
    use super::*;

    fn structure(text: &str, literals: &[&[u8]]) -> Result<Part, Broken> {
        let limits = Limits {
            depth: 3,
            parts: 6,
            ..Limits::default()
        };
        let mut response = Response {
            text: text.as_bytes().to_vec(),
            literals: literals
                .iter()
                .map(|l| Literal::Bytes(l.to_vec()))
                .collect(),
            cut: false,
        };
        read(Cursor::new(&mut response), &limits)
    }

    const PLAIN: &str =
        r#"("text" "plain" ("charset" "utf-8") NIL NIL "8bit" 6 1 NIL NIL NIL NIL)"#;

    fn mixed(parts: &str) -> String {
        format!(r#"({parts} "mixed" ("boundary" "b") NIL NIL NIL)"#)
    }

    #[test]
    fn a_plain_mail_is_part_one() {
        let part = structure(PLAIN, &[]).unwrap();
        assert_eq!(
            (part.section.as_str(), part.media_type.as_str()),
            ("1", "text/plain")
        );
        assert_eq!((part.charset.as_deref(), part.size), (Some("utf-8"), 6));
        assert_eq!(part.body_parts().len(), 1);
    }

    #[test]
    fn attachments_with_names_in_every_form() {
        let text = mixed(&format!(
            r#"{PLAIN}("APPLICATION" "PDF" ("name" {{4}}
) "<id>" NIL "BASE64" 99 NIL ("ATTACHMENT" ("filename*" "utf-8''%C3%A4.pdf")) NIL "loc" ("more" (1)))("image" "png" ("name" "=?utf-8?Q?=C3=BC.png?=") NIL NIL "base64" 9 NIL NIL)({PLAIN} "related" ("boundary*0" "x"))"#
        ));
        let root = structure(&text, &[b"n\xffme"]).unwrap();
        let names: Vec<_> = root
            .attachments()
            .unwrap()
            .into_iter()
            .map(|a| (a.section, a.name))
            .collect();
        assert_eq!(
            names,
            [
                ("2".into(), "ä.pdf".to_owned()),
                ("3".into(), "ü.png".to_owned())
            ]
        );
        let bodies: Vec<_> = root
            .body_parts()
            .iter()
            .map(|part| part.section.as_str())
            .collect();
        assert_eq!(bodies, ["1", "4.1"]);
        assert!(root.children.get(1).unwrap().has_content_id);
    }

    #[test]
    fn an_enclosed_mail_is_one_part_however_deep_it_is() {
        let inside = format!("{}{}", "(".repeat(50_000), ")".repeat(50_000));
        let text = mixed(&format!(
            r#"{PLAIN}("message" "rfc822" NIL NIL NIL "7bit" 500 ("date" "=?utf-8?Q?s=C3=BC?=" NIL NIL NIL NIL NIL NIL NIL NIL) {inside} 9 NIL NIL NIL NIL)"#
        ));
        let root = structure(&text, &[]).unwrap();
        assert_eq!(root.attachments().unwrap().first().unwrap().name, "sü.eml");
    }

    #[test]
    fn what_the_server_did_not_understand_is_doubtful() {
        let base64 = r#"("message" "rfc822" NIL NIL NIL "base64" 5 ("" "" NIL NIL NIL NIL NIL NIL NIL NIL) () 9 NIL NIL NIL NIL)"#;
        let empty = r#"("text" "plain" NIL NIL NIL "7bit" 0 0 NIL NIL NIL NIL)"#;
        for text in [
            "NIL",
            "()",
            r#"("text" "" NIL NIL NIL "7bit" 6 1 NIL NIL NIL NIL)"#,
            r#"("text" "plain" NIL NIL NIL "7bit" NIL 1 NIL NIL NIL NIL)"#,
            r#"("text" "plain" NIL NIL NIL "7bit" -1 1 NIL NIL NIL NIL)"#,
            r#"("text" "plain" NIL NIL NIL "7bit" 6 1)"#,
            r#"("text" "plain" ("a") NIL NIL "7bit" 6 1 NIL NIL)"#,
            &format!(r#"({PLAIN} "mixed")"#),
            &format!(r#"({PLAIN} "mixed" NIL NIL NIL)"#),
            &mixed(empty),
            empty,
            base64,
            &mixed(&format!("{PLAIN}()")),
        ] {
            assert_eq!(structure(text, &[]), Err(Broken::Doubtful), "{text}");
        }
    }

    #[test]
    fn limits_are_those_of_whole_mails() {
        let deep = |levels: usize| (0..levels).fold(PLAIN.to_owned(), |inner, _| mixed(&inner));
        assert!(structure(&deep(3), &[]).is_ok());
        assert_eq!(
            structure(&deep(4), &[]),
            Err(Broken::Fault(Fault::TooDeep { limit: 3 }))
        );
        assert!(structure(&mixed(&PLAIN.repeat(5)), &[]).is_ok());
        assert_eq!(
            structure(&mixed(&PLAIN.repeat(6)), &[]),
            Err(Broken::Fault(Fault::TooManyParts { limit: 6 }))
        );
    }
}
