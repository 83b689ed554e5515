//! What the mail's own tokens stand for: `[[SENDER]]`, `[[SUBJECT]]`, `[[1]]` and the rest
//! (`behaviour`: section "Tokens" of the README).

use chrono::{DateTime, Utc};

use crate::clock::stamp;

/// The tokens with fixed names, for the checks of the INI file.
pub const NAMES: [&str; 11] = [
    "SENDER",
    "SUBJECT",
    "DATE",
    "EVENT",
    "REASON",
    "ATTACHMENT",
    "ATTACHMENTNAME",
    "EMAILFILE",
    "MESSAGEID",
    "RECEIVED",
    "CONFIGURATION",
];

/// Groups that a mask captured: by number from one, and by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    /// `[[1]]` is the first. A group that did not take part is empty.
    pub numbered: Vec<String>,
    /// Named groups; they have a number too.
    pub named: Vec<(String, String)>,
}

impl Captures {
    /// These groups followed by those of another mask, numbered through.
    #[must_use]
    pub fn followed_by(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.numbered.extend(other.numbered.iter().cloned());
        all.named.extend(other.named.iter().cloned());
        all
    }

    fn get(&self, name: &str) -> Option<&str> {
        if let Some(index) = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
            return self.numbered.get(index).map(String::as_str);
        }
        self.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A token's value and whose words it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The text.
    pub text: String,
    /// The mail supplied it, or a part of it.
    pub from_mail: bool,
}

/// Everything the tokens of one mail (and one match in it) can say.
#[derive(Clone, Debug, Default)]
pub struct TokenValues<'a> {
    /// `SENDER`.
    pub sender: &'a str,
    /// `SUBJECT`.
    pub subject: &'a str,
    /// `DATE`: the Date header, where it could be read.
    pub date: Option<DateTime<Utc>>,
    /// `RECEIVED`, and `DATE` where there is none.
    pub received: DateTime<Utc>,
    /// `MESSAGEID`.
    pub message_id: &'a str,
    /// `CONFIGURATION`: the number of the section.
    pub configuration: Option<u32>,
    /// `EMAILFILE`: where the mail is saved.
    pub email_file: &'a str,
    /// `ATTACHMENT`: where the matched attachment is saved.
    pub attachment: &'a str,
    /// `ATTACHMENTNAME`.
    pub attachment_name: &'a str,
    /// `EVENT`: what was written, for logs and notices.
    pub event: Option<&'a str>,
    /// `REASON`: why the mail was rejected, for logs and notices.
    pub reason: Option<&'a str>,
    /// `1`…`n` and the names of groups.
    pub captures: Captures,
}

impl TokenValues<'_> {
    /// The value of a token; `None` for a name that this mail does not know.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        let mail = |text: &str| Some(Value { text: text.to_owned(), from_mail: true });
        let ours = |text: String| Some(Value { text, from_mail: false });
        match name.to_ascii_uppercase().as_str() {
            "SENDER" => mail(self.sender),
            "SUBJECT" => mail(self.subject),
            "DATE" => ours(stamp::format(self.date.unwrap_or(self.received))),
            "RECEIVED" => ours(stamp::format(self.received)),
            "MESSAGEID" => mail(self.message_id),
            "CONFIGURATION" => ours(self.configuration.map(|number| number.to_string())?),
            "EMAILFILE" => mail(self.email_file),
            "ATTACHMENT" => mail(self.attachment),
            "ATTACHMENTNAME" => mail(self.attachment_name),
            "EVENT" => mail(self.event?),
            "REASON" => mail(self.reason?),
            _ => mail(self.captures.get(name)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let first = Captures { numbered: vec!["a".into()], named: vec![("Who".into(), "a".into())] };
        let second = Captures { numbered: vec!["b".into()], named: vec![] };
        let values = TokenValues { captures: first.followed_by(&second), configuration: Some(7), ..TokenValues::default() };
        let text = |name| values.get(name).map(|value| value.text);
        assert_eq!(text("1").as_deref(), Some("a"));
        assert_eq!(text("2").as_deref(), Some("b"));
        assert_eq!(text("who").as_deref(), Some("a"));
        assert_eq!(text("Configuration").as_deref(), Some("7"));
        assert_eq!(text("3"), None);
        assert_eq!(text("0"), None);
        assert_eq!(text("EVENT"), None);
        assert_eq!(text("$DATE"), None);
    }

    #[test]
    fn every_fixed_name_is_answered() {
        let values = TokenValues { event: Some(""), reason: Some(""), configuration: Some(1), ..TokenValues::default() };
        for name in NAMES {
            assert!(values.get(&name.to_lowercase()).is_some(), "{name}");
        }
    }
}
