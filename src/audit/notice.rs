//! Notices: what `[Audit]` has people told about an accepted or a rejected mail, and when nobody may
//! be told anything (RFC 3834).

use super::clean::short;
use crate::events::TokenValues;
use crate::events::template::fill;
use crate::events::tokens::Value;
use crate::message::{Automatic, Envelope};
use crate::net::clean;
use crate::send::Address;

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 400;
/// The longest text, in bytes.
const LONGEST_BODY: usize = 16 * 1024;
/// The most recipients of one notice.
pub const MOST_RECIPIENTS: usize = 50;

/// What `[Audit]` says of notices.
#[derive(Debug, Default)]
pub struct NoticeSettings {
    /// The notice of an accepted mail, when `NotifyOnAccepts` is set.
    pub on_accept: Option<Form>,
    /// The notice of a rejected mail, when `NotifyOnRejects` is set.
    pub on_reject: Option<Form>,
    /// `NotifyLimitPerSenderPerHour`.
    pub limit: usize,
    /// `NotifyLimitPerHour`.
    pub limit_of_all: usize,
    /// The addresses that this program sends from and reads at: they get no notice.
    pub own: Vec<Address>,
}

/// The words of a notice, with tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// Its recipients, one entry for each: what a mail says can't add one.
    pub to: Vec<String>,
}

/// A notice about one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its recipients; at least one.
    pub to: Vec<Address>,
    /// Its subject, in one line.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// Nobody is told anything, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The mail names no sender.
    NoSender,
    /// The mail is one of ours.
    Own,
    /// A program sent it.
    Automatic(Automatic),
    /// The mail was accepted and answers a notice: another one could bring the next answer, without
    /// an end.
    AnswersNotice,
    /// There is nobody left to be told.
    NoRecipient,
}

impl std::fmt::Display for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSender => f.write_str("it names no sender"),
            Self::Own => f.write_str("it comes from an address of our own"),
            Self::Automatic(sign) => sign.fmt(f),
            Self::AnswersNotice => f.write_str("it answers a notice (In-Reply-To or References)"),
            Self::NoRecipient => f.write_str("nobody is left to be told"),
        }
    }
}

impl Form {
    /// Takes the texts of the settings, their custom tokens already replaced.
    #[must_use]
    pub fn new(subject: String, body: String, to: &str) -> Self {
        let entries = to.split(';').map(str::trim);
        Self {
            subject,
            body,
            to: entries
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

impl NoticeSettings {
    /// Whether any notice is asked for.
    #[must_use]
    pub fn wanted(&self) -> bool {
        self.on_accept.is_some() || self.on_reject.is_some()
    }

    /// Why nobody may be told that a mail was accepted, or that it was not, if that is so.
    #[must_use]
    pub fn withheld(&self, envelope: &Envelope, accepted: bool) -> Option<Withheld> {
        let sender = &envelope.sender.address;
        if sender.is_empty() {
            Some(Withheld::NoSender)
        } else if Address::parse(sender).is_ok_and(|sender| self.is_own(&sender)) {
            Some(Withheld::Own)
        } else if let Some(sign) = envelope.automatic {
            Some(Withheld::Automatic(sign))
        } else {
            // Rejections have a limit for each sender, which ends any circle, and people who answer
            // a notice are to know that nothing came of it.
            let circles = accepted && envelope.answers_notice;
            circles.then_some(Withheld::AnswersNotice)
        }
    }

    /// Fills the form for a mail of which somebody may be told. `unusable` is told of each recipient
    /// that is none, and whether it is one of the mail's making.
    pub fn draft(
        &self,
        form: &Form,
        values: &TokenValues<'_>,
        mut unusable: impl FnMut(&str, bool),
    ) -> Result<Draft, Withheld> {
        let filled = |text: &str| fill(text, |name| values.get(name).map(Value::text));
        let mut to: Vec<Address> = Vec::new();
        for entry in form.to.iter().take(MOST_RECIPIENTS) {
            let mut by_mail = false;
            let text = fill(entry, |name| {
                let value = values.get(name).map(Value::text);
                by_mail |= value.is_some();
                value
            });
            match Address::parse(&text) {
                Ok(address) if self.is_own(&address) || is_among(&to, &address) => {}
                Ok(address) => to.push(address),
                Err(_) => unusable(&short(&text, 100), by_mail),
            }
        }
        if to.is_empty() {
            return Err(Withheld::NoRecipient);
        }
        Ok(Draft {
            to,
            subject: clean(&filled(&form.subject), LONGEST_SUBJECT),
            body: cut(filled(&form.body)),
        })
    }

    fn is_own(&self, address: &Address) -> bool {
        is_among(&self.own, address)
    }
}

/// However it is written: hardly a server tells addresses apart by their case.
fn is_among(addresses: &[Address], address: &Address) -> bool {
    let same = |known: &Address| known.as_str().eq_ignore_ascii_case(address.as_str());
    addresses.iter().any(same)
}

/// The text, or its beginning.
fn cut(mut body: String) -> String {
    if body.len() > LONGEST_BODY {
        body.truncate(body.floor_char_boundary(LONGEST_BODY));
        body.push_str("…\n");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Captures;

    fn settings() -> NoticeSettings {
        NoticeSettings {
            own: vec![Address::parse("jobs@example.test").unwrap()],
            ..NoticeSettings::default()
        }
    }

    fn envelope(header: &str) -> Envelope {
        Envelope::parse(header.as_bytes())
    }

    /// Who gets a notice that goes to these, with this as the first group; and what of the mail's is
    /// no recipient.
    fn recipients(to: &str, group: &str) -> (Result<Vec<String>, Withheld>, Vec<String>) {
        let envelope = envelope("From: ops@example.test\n\n");
        let values = TokenValues {
            sender: &envelope.sender.address,
            captures: Captures {
                numbered: vec![group.to_owned()],
                named: vec![],
            },
            ..TokenValues::default()
        };
        let form = Form::new("s".into(), "b".into(), to);
        let mut unusable = Vec::new();
        let draft = settings().draft(&form, &values, |text, by_mail| {
            assert!(by_mail, "{text}");
            unusable.push(text.to_owned());
        });
        let to = draft.map(|draft| draft.to.iter().map(ToString::to_string).collect());
        (to, unusable)
    }

    #[test]
    fn a_mail_adds_no_recipient() {
        let (to, unusable) = recipients("[[SENDER]]; admin@example.test ;; [[1]]", "x@y.test");
        assert_eq!(
            to.unwrap(),
            ["ops@example.test", "admin@example.test", "x@y.test"]
        );
        assert_eq!(unusable, [""; 0]);
        for group in [
            "x@y.test;z@y.test",
            "x@y.test,z@y.test",
            "x@y.test z@y.test",
            "x@y.test\r\nBcc: z@y.test",
            "X <x@y.test>",
            "",
            "x",
        ] {
            let (to, unusable) = recipients("admin@example.test;[[1]]", group);
            assert_eq!(to.unwrap(), ["admin@example.test"], "{group}");
            assert_eq!(unusable.len(), 1, "{group}");
        }
    }

    #[test]
    fn what_the_administrator_wrote_is_not_the_mail_s_fault() {
        let form = Form::new("s".into(), "b".into(), "[[TYPO]];x;[[SENDER]]");
        let mut told = Vec::new();
        let values = TokenValues {
            sender: "[[TYPO]]",
            ..TokenValues::default()
        };
        let draft = settings().draft(&form, &values, |text, by_mail| {
            told.push((text.to_owned(), by_mail));
        });
        assert_eq!(draft, Err(Withheld::NoRecipient));
        let told: Vec<_> = told.iter().map(|(text, by)| (text.as_str(), *by)).collect();
        assert_eq!(
            told,
            [("[[TYPO]]", false), ("x", false), ("[[TYPO]]", true)]
        );
    }

    #[test]
    fn nobody_is_told_twice_and_we_are_not_told_at_all() {
        let (to, _) = recipients(
            "[[SENDER]];ops@example.test;Ops@Example.test;JOBS@example.test",
            "",
        );
        assert_eq!(to.unwrap(), ["ops@example.test"]);
        let (to, _) = recipients("jobs@example.test", "");
        assert_eq!(to, Err(Withheld::NoRecipient));
    }

    #[test]
    fn no_program_is_answered() {
        let judged = |header: &str, accepted| settings().withheld(&envelope(header), accepted);
        let withheld = |header: &str| {
            let [one, other] = [true, false].map(|accepted| judged(header, accepted).unwrap());
            assert_eq!(one, other);
            one
        };
        assert_eq!(judged("From: a@b.test\n\n", true), None);
        assert_eq!(withheld("Subject: x\n\n"), Withheld::NoSender);
        assert_eq!(withheld("From: Jobs@Example.test\n\n"), Withheld::Own);
        assert!(matches!(
            withheld("From: a@b.test\nAuto-Submitted: auto-replied\n\n"),
            Withheld::Automatic(_)
        ));
        let notice = "20260106T120000000Z.000001.0123456789ab@b.test";
        for field in ["In-Reply-To", "References"] {
            let header = format!("From: a@b.test\n{field}: <{notice}>\n\n");
            assert_eq!(judged(&header, true), Some(Withheld::AnswersNotice));
            // A circle of rejections ends with the limit.
            assert_eq!(judged(&header, false), None);
        }
    }

    #[test]
    fn a_subject_is_one_line_and_a_text_has_an_end() {
        let group = format!("a\r\nBcc: b\u{202e}{}", "x".repeat(40_000));
        let values = TokenValues {
            captures: Captures {
                numbered: vec![group],
                named: vec![],
            },
            ..TokenValues::default()
        };
        let form = Form::new("[[1]] [[$DATE]]".into(), "[[1]]".into(), "ops@example.test");
        let draft = settings().draft(&form, &values, |_, _| {}).unwrap();
        assert!(draft.subject.starts_with("a  Bcc: b x") && draft.subject.ends_with('…'));
        assert!(draft.body.len() < LONGEST_BODY + 10 && draft.body.starts_with("a\r\nBcc"));
    }
}
