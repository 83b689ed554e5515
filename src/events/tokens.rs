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

    /// Cuts each of them to so many characters.
    pub fn shorten(&mut self, most: usize) {
        let named = self.named.iter_mut().map(|(_, value)| value);
        for value in self.numbered.iter_mut().chain(named) {
            if let Some((end, _)) = value.char_indices().nth(most) {
                value.truncate(end);
                value.shrink_to_fit();
            }
        }
    }

    /// About how much memory they take, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        let named = self
            .named
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let numbered = self.numbered.iter().map(String::len);
        named.chain(numbered).map(|length| length + 50).sum()
    }

    fn get(&self, name: &str) -> Option<&str> {
        if let Some(number) = group_number(name) {
            return self
                .numbered
                .get(number.checked_sub(1)?)
                .map(String::as_str);
        }
        self.named
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The number of `[[1]]`, `[[2]]` and so on: digits without a leading zero.
#[must_use]
pub fn group_number(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && !name.starts_with('0');
    is_number.then(|| name.parse().ok())?
}

/// A token's value: what the program or the administrator says, followed by what the mail says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// Not from the mail: a date, a folder, a message of the settings.
    pub ours: String,
    /// The mail's own words, which must not change an event.
    pub mails: String,
}

impl Value {
    /// The whole text, for logs and notices.
    #[must_use]
    pub fn text(self) -> String {
        self.ours + &self.mails
    }
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
        let mail = |text: &str| {
            Some(Value {
                mails: text.to_owned(),
                ..Value::default()
            })
        };
        let ours = |text: &str| {
            Some(Value {
                ours: text.to_owned(),
                ..Value::default()
            })
        };
        match name.to_ascii_uppercase().as_str() {
            "SENDER" => mail(self.sender),
            "SUBJECT" => mail(self.subject),
            "DATE" => ours(&stamp::format(self.date.unwrap_or(self.received))),
            "RECEIVED" => ours(&stamp::format(self.received)),
            "MESSAGEID" => mail(self.message_id),
            "CONFIGURATION" => ours(&self.configuration?.to_string()),
            "EMAILFILE" => ours(self.email_file),
            // The folder is ours, the file's name the mail's.
            "ATTACHMENT" => {
                let name = self
                    .attachment
                    .rfind(std::path::is_separator)
                    .map_or(0, |at| at + 1);
                let (ours, mails) = self.attachment.split_at(name);
                Some(Value {
                    ours: ours.to_owned(),
                    mails: mails.to_owned(),
                })
            }
            "ATTACHMENTNAME" => mail(self.attachment_name),
            "EVENT" => mail(self.event?),
            "REASON" => ours(self.reason?),
            _ => mail(self.captures.get(name)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let first = Captures {
            numbered: vec!["a".into()],
            named: vec![("Who".into(), "a".into())],
        };
        let second = Captures {
            numbered: vec!["b".into()],
            named: vec![],
        };
        let values = TokenValues {
            captures: first.followed_by(&second),
            configuration: Some(7),
            ..TokenValues::default()
        };
        let text = |name| values.get(name).map(Value::text);
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
        let values = TokenValues {
            event: Some(""),
            reason: Some(""),
            configuration: Some(1),
            ..TokenValues::default()
        };
        for name in NAMES {
            assert!(values.get(&name.to_lowercase()).is_some(), "{name}");
        }
    }
}
