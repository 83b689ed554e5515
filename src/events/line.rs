//! One event line: the administrator's template filled with a mail's words, and the OpCon
//! user's credentials behind it.

use super::safety::{Segment, UnsafeText, escape_xml, join};
use super::template::{Piece, pieces};
use super::tokens::TokenValues;
use crate::secret::Secret;

/// OpCon reads no longer line.
pub const LONGEST_LINE: usize = 2000;

/// An `Event` setting: text with tokens, in the comma form or the XML form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
}

/// An event filled in, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    text: String,
    /// The template is in the XML form; a mail's words never decide that.
    xml: bool,
}

/// The OpCon user and external event password that every event carries.
#[derive(Clone, Debug)]
pub struct Signature {
    /// `OpConUser`.
    pub user: String,
    /// `OpConUserPassword`.
    pub password: Secret,
}

/// Why an event can't be written for this mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// `UnsafeText` forbids it.
    #[error("the text of {token} holds {what} and would change the event (UnsafeText)")]
    Unsafe {
        /// The token that brought it.
        token: String,
        /// What it brought.
        what: &'static str,
    },
    /// Longer than OpCon reads.
    #[error("the event would have {length} characters and OpCon reads {LONGEST_LINE}")]
    TooLong {
        /// Characters with the credentials.
        length: usize,
    },
}

impl Template {
    /// Takes a template from the INI file, its custom tokens already replaced.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The text as the administrator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Fills the template in one pass. `signature` counts for the length only.
    pub fn fill(
        &self,
        values: &TokenValues<'_>,
        policy: UnsafeText,
        signature: &Signature,
    ) -> Result<EventLine, Unwritable> {
        let mut segments: Vec<Segment<'_>> = Vec::new();
        let mut add = |text: String, token| segments.push(Segment { text, token });
        for piece in pieces(&self.text) {
            match piece {
                Piece::Text(text) => add(text.to_owned(), None),
                Piece::Token { name, raw } => match values.get(name) {
                    None => add(raw.to_owned(), None),
                    Some(value) => {
                        add(value.ours, None);
                        add(value.mails, Some(name));
                    }
                },
            }
        }
        let xml = is_xml(&self.text);
        let text = join(&segments, policy, xml).map_err(|found| Unwritable::Unsafe {
            token: found.token,
            what: found.what,
        })?;
        let line = EventLine { text, xml };
        let length = line
            .signed(&signature.user, signature.password.expose())
            .chars()
            .count();
        if length > LONGEST_LINE {
            return Err(Unwritable::TooLong { length });
        }
        Ok(line)
    }
}

impl EventLine {
    /// The event without credentials.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The line for MSGIN.
    #[must_use]
    pub fn with_credentials(&self, signature: &Signature) -> Secret {
        Secret::new(self.signed(&signature.user, signature.password.expose()))
    }

    /// The line for people.
    #[must_use]
    pub fn with_stars(&self) -> String {
        self.signed("***", "***")
    }

    fn signed(&self, user: &str, password: &str) -> String {
        if !self.xml {
            return format!("{},{user},{password}", self.text);
        }
        let mut text = self.text.clone();
        for (element, value) in [("USERNAME", user), ("USERPWD", password)] {
            text = with_element(&text, element, value);
        }
        text
    }
}

/// Whether an event is in the XML form.
#[must_use]
pub fn is_xml(text: &str) -> bool {
    text.trim_start()
        .get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("<EVENT"))
}

/// The XML event with this element holding this value: filled in where it stands, else put
/// before the end of the event.
fn with_element(event: &str, element: &str, value: &str) -> String {
    let mut filled = format!("<{element}>");
    value
        .chars()
        .for_each(|character| escape_xml(character, &mut filled));
    filled.push_str(&format!("</{element}>"));
    // ASCII case folding keeps every byte offset.
    let folded = event.to_ascii_uppercase();
    let (open, close, empty) = (
        format!("<{element}>"),
        format!("</{element}>"),
        format!("<{element}/>"),
    );
    let place = if let Some(at) = folded.find(&empty) {
        at..at + empty.len()
    } else if let Some(at) = folded.find(&open) {
        let end = folded
            .get(at..)
            .and_then(|tail| tail.find(&close))
            .map_or(at + open.len(), |end| at + end + close.len());
        at..end
    } else {
        let at = folded.rfind("</EVENT>").unwrap_or(event.len());
        at..at
    };
    let mut out = event.to_owned();
    out.replace_range(place, &filled);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::tokens::Captures;

    fn signature() -> Signature {
        Signature {
            user: "ocadm".into(),
            password: Secret::new("p<w".into()),
        }
    }

    fn fill(template: &str, groups: &[&str], policy: UnsafeText) -> Result<String, Unwritable> {
        let numbered = groups.iter().map(|&g| g.to_owned()).collect();
        let values = TokenValues {
            captures: Captures {
                numbered,
                named: vec![],
            },
            ..TokenValues::default()
        };
        let line = Template::new(template).fill(&values, policy, &signature())?;
        Ok(line.with_credentials(&signature()).expose().to_owned())
    }

    #[test]
    fn the_worked_example_of_the_specification() {
        let line = fill(
            "$TOKEN:SET,[[1]],[[2]]",
            &["ACHBalanceTotal", "149926.22"],
            UnsafeText::Reject,
        );
        assert_eq!(
            line.as_deref(),
            Ok("$TOKEN:SET,ACHBalanceTotal,149926.22,ocadm,p<w")
        );
    }

    #[test]
    fn unknown_tokens_stay_and_mail_text_is_not_scanned_again() {
        let line = fill("$X,[[$DATE]],[[9]],[[1]]", &["[2]"], UnsafeText::Reject);
        assert_eq!(line.as_deref(), Ok("$X,[[$DATE]],[[9]],[2],ocadm,p<w"));
        assert!(fill("[[1]]", &["[[2]]", "x"], UnsafeText::Reject).is_err());
    }

    #[test]
    fn xml_events_carry_the_credentials_as_elements() {
        for template in [
            "<EVENT><A>[[1]]</A></EVENT>",
            "<EVENT><A>[[1]]</A><USERNAME></USERNAME><USERPWD>old</USERPWD></EVENT>",
            "<event><A>[[1]]</A><UserName/><UserPwd/></event>",
        ] {
            let line = fill(template, &["1<2"], UnsafeText::Reject).unwrap();
            let end = template.get(template.len() - 8..).unwrap();
            assert!(
                line.ends_with(&format!(
                    "<A>1&lt;2</A><USERNAME>ocadm</USERNAME><USERPWD>p&lt;w</USERPWD>{end}"
                )),
                "{line}"
            );
        }
    }

    #[test]
    fn the_length_counts_characters_with_credentials() {
        let room = LONGEST_LINE - ",ocadm,p<w".len();
        assert!(fill("[[1]]", &[&"ü".repeat(room)], UnsafeText::Reject).is_ok());
        assert_eq!(
            fill("[[1]]", &[&"ü".repeat(room + 1)], UnsafeText::Reject),
            Err(Unwritable::TooLong {
                length: LONGEST_LINE + 1
            })
        );
    }
}
