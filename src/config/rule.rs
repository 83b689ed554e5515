//! `[Configuration#]` to a [`Rule`]: custom tokens put in, masks compiled. One that can't be used
//! is disabled alone, loudly.

use super::ini::{Entry, Section};
use super::keys::{self, Key};
use super::problem::{Problems, Severity};
use super::tokens::Tokens;
use super::values::{boolean, is_set, unsafe_text};
use crate::events::{Template, UnsafeText};
use crate::rules::{AttachmentRule, BodyRule, Mask, Rule, Senders, TimeWindow};

/// The number in `Configuration#`, if the section is one.
pub(super) fn number(section: &str) -> Option<u32> {
    let prefix = section.get(.."Configuration".len())?;
    let digits = section.get("Configuration".len()..)?;
    (prefix.eq_ignore_ascii_case("Configuration") && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// The number in `Event`, `Event2`, …; `Event` is the first.
pub(super) fn event_number(key: &str) -> Option<u32> {
    let prefix = key.get(..5)?;
    let digits = key.get(5..)?;
    if !prefix.eq_ignore_ascii_case("Event") {
        return None;
    }
    if digits.is_empty() {
        Some(1)
    } else {
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    }
}

/// One section on its way to a rule.
struct Builder<'a> {
    section: &'a Section,
    tokens: &'a Tokens,
    problems: &'a mut Problems,
    usable: bool,
}

/// Builds the rule; `None` when the section can't be used, which has then been told.
pub(super) fn build(
    section: &Section,
    number: u32,
    tokens: &Tokens,
    general_unsafe_text: UnsafeText,
    problems: &mut Problems,
) -> Option<Rule> {
    let mut builder = Builder {
        section,
        tokens,
        problems,
        usable: true,
    };
    let senders = builder.senders();
    let window = builder.value(
        &keys::ALLOWED_TIME_FRAME,
        "HHMM-HHMM as in 0800-1700",
        TimeWindow::parse,
    );
    let mask = builder.mask(&keys::SUBJECT_LINE_MASK);
    if mask.is_none() && builder.usable {
        builder.refuse(
            section.line,
            keys::SUBJECT_LINE_MASK.name,
            "is not set; write .* to match every subject",
        );
    }
    let with_body = builder
        .value(&keys::PROCESS_BODY, "Yes or No", boolean)
        .unwrap_or_default();
    let qualifier = builder.mask(&keys::QUALIFYING_SUBJECT_LINE);
    let with_attachments = builder
        .value(&keys::PROCESS_ATTACHMENTS, "True or False", boolean)
        .unwrap_or_default();
    let attachment_mask = builder.mask(&keys::ATTACHMENT_MASK);
    let unsafe_text = builder.value(
        &keys::RULE_UNSAFE_TEXT,
        "Reject, Replace or Allow",
        unsafe_text,
    );
    let max_events = builder.value(
        &keys::RULE_MAX_EVENTS_PER_RUN,
        "a number from 1 to 1000000",
        |text| {
            text.parse()
                .ok()
                .filter(|number| (1..=1_000_000).contains(number))
        },
    );
    let events = builder.events();
    if !builder.usable {
        return None;
    }
    Some(Rule {
        number,
        line: section.line,
        senders,
        window: window.unwrap_or(TimeWindow::ALWAYS),
        mask: mask?,
        body: match (with_body, qualifier) {
            (false, _) => BodyRule::Ignore,
            (true, None) => BodyRule::WithSubject,
            (true, Some(qualifier)) => BodyRule::Qualified(qualifier),
        },
        attachments: match (with_attachments, attachment_mask) {
            (false, _) => AttachmentRule::Ignore,
            (true, None) => AttachmentRule::Any,
            (true, Some(mask)) => AttachmentRule::Named(mask),
        },
        events,
        unsafe_text: unsafe_text.unwrap_or(general_unsafe_text),
        max_events,
    })
}

impl Builder<'_> {
    /// A setting with its custom tokens replaced; `None` when it is not set or can't be expanded.
    fn text(&mut self, entry: &Entry) -> Option<String> {
        match self.tokens.expand(&entry.value) {
            Ok(text) => is_set(&text).then_some(text),
            Err(why) => {
                self.refuse(entry.line, &entry.key, &why);
                None
            }
        }
    }

    fn entry(&self, key: &Key) -> Option<Entry> {
        self.section.get(key.name).cloned()
    }

    fn value<T>(
        &mut self,
        key: &Key,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        let text = self.text(&entry)?;
        let value = parse(&text);
        if value.is_none() {
            self.refuse(
                entry.line,
                key.name,
                &format!("\"{text}\" is not {expected}"),
            );
        }
        value
    }

    fn mask(&mut self, key: &Key) -> Option<Mask> {
        let entry = self.entry(key)?;
        let text = self.text(&entry)?;
        match Mask::compile(&text) {
            Ok(mask) => Some(mask),
            Err(why) => {
                self.refuse(
                    entry.line,
                    key.name,
                    &format!("the mask {text} can't be used: {why}"),
                );
                None
            }
        }
    }

    fn senders(&mut self) -> Senders {
        let Some(entry) = self.entry(&keys::ALLOWED_SENDERS) else {
            return Senders::default();
        };
        Senders::parse(&self.text(&entry).unwrap_or_default())
    }

    /// The events in the order of their numbers.
    fn events(&mut self) -> Vec<Template> {
        let mut entries: Vec<(u32, Entry)> = self
            .section
            .entries
            .iter()
            .filter_map(|entry| Some((event_number(&entry.key)?, entry.clone())))
            .collect();
        entries.sort_by_key(|(number, _)| *number);
        let events: Vec<Template> = entries
            .iter()
            .filter_map(|(_, entry)| self.text(entry).map(Template::new))
            .collect();
        if events.is_empty() && self.usable {
            self.refuse(
                self.section.line,
                keys::EVENT.name,
                "is not set; a configuration is there to write events",
            );
        }
        events
    }

    fn refuse(&mut self, line: usize, key: &str, why: &str) {
        self.usable = false;
        let place = format!("[{}] {key}", self.section.name);
        self.problems.add(
            Severity::Error,
            Some(line),
            place,
            format!("{why}. This configuration is disabled; when it is mended, set LastRunDate back to have the mails of the meantime looked at again"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names() {
        assert_eq!(number("configuration12"), Some(12));
        assert_eq!(number("Configuration"), None);
        assert_eq!(number("Configuration1x"), None);
        assert_eq!(number("Configuration99999999999"), None);
        assert_eq!(event_number("EVENT"), Some(1));
        assert_eq!(event_number("Event10"), Some(10));
        assert_eq!(event_number("Events"), None);
        assert_eq!(event_number("Even"), None);
    }
}
