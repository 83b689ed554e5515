//! Reading one setting: its default, "not set", and the types that values have.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::ini::{Entry, Section};
use super::keys::Key;
use super::places::{Environment, expand};
use super::problem::{Problems, Severity};
use crate::events::UnsafeText;
use crate::net::Security;

/// Reads the settings of one section and collects what is wrong with them.
pub(super) struct Reader<'a> {
    /// The section; absent sections have their defaults.
    pub(super) section: Option<&'a Section>,
    /// The section's name in messages.
    pub(super) name: &'a str,
    /// How bad a wrong value in this section is.
    pub(super) severity: Severity,
    /// Where problems go.
    pub(super) problems: &'a mut Problems,
    /// For `%NAME%`.
    pub(super) environment: Environment<'a>,
}

/// `N/A`, `N\A` and blank mean that a setting is not set.
pub(super) fn is_set(value: &str) -> bool {
    !value.is_empty() && !value.eq_ignore_ascii_case("n/a") && !value.eq_ignore_ascii_case(r"n\a")
}

/// true/false, yes/no, 1/0 in any case.
pub(super) fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// hh:mm:ss, as the options of the smtp-client section are written.
pub(super) fn duration(value: &str) -> Option<Duration> {
    let mut parts = value.split(':').map(|part| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<u64>().ok()).flatten()
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = parts.next().is_none() && minutes < 60 && seconds < 60;
    fits.then(|| Duration::from_secs((hours * 60 + minutes) * 60 + seconds))
}

/// The longest time that can be written so.
pub(super) const LONGEST_TIME: Duration = Duration::from_secs(100 * 3600 - 1);

/// How a port is secured, in the words of the smtp-client section.
pub(super) fn connection_security(value: &str) -> Option<Security> {
    match value.to_ascii_lowercase().as_str() {
        "none" => Some(Security::None),
        "start-tls" => Some(Security::StartTls),
        "start-tls-required" => Some(Security::StartTlsRequired),
        "ssl-tls" => Some(Security::Tls),
        _ => None,
    }
}

/// A length of time as it is written.
fn clock_face(seconds: u64) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
}

/// Reads an `UnsafeText` value.
pub(super) fn unsafe_text(value: &str) -> Option<UnsafeText> {
    match value.to_ascii_lowercase().as_str() {
        "reject" => Some(UnsafeText::Reject),
        "replace" => Some(UnsafeText::Replace),
        "allow" => Some(UnsafeText::Allow),
        _ => None,
    }
}

impl<'a> Reader<'a> {
    /// The setting as it stands in the file, if it is set.
    pub(super) fn entry(&self, key: &Key) -> Option<&'a Entry> {
        self.section?
            .get(key.name)
            .filter(|entry| is_set(&entry.value))
    }

    /// The value, or the default; `None` when both are "not set".
    pub(super) fn text(&self, key: &'static Key) -> Option<&'a str> {
        let value = self
            .entry(key)
            .map_or(key.default, |entry| entry.value.as_str());
        is_set(value).then_some(value)
    }

    /// A value of some type: that of the file if it can be read, else the default's.
    ///
    /// A value that can't be read is a problem that says what is `expected`.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static Key,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        if let Some(entry) = self.entry(key) {
            match parse(&entry.value) {
                Some(value) => return Some(value),
                None => self.wrong(
                    entry.line,
                    key,
                    format!("\"{}\" is not {expected}", entry.value),
                ),
            }
        }
        is_set(key.default).then(|| parse(key.default)).flatten()
    }

    /// A Boolean; its default stands in the table.
    pub(super) fn boolean(&mut self, key: &'static Key) -> bool {
        self.parsed(key, "True or False", boolean)
            .unwrap_or_default()
    }

    /// A whole number within bounds, both included.
    pub(super) fn number<T: FromStr + PartialOrd + std::fmt::Display>(
        &mut self,
        key: &'static Key,
        least: T,
        most: T,
    ) -> Option<T> {
        let expected = format!("a number from {least} to {most}");
        self.parsed(key, &expected, |value| {
            value
                .parse()
                .ok()
                .filter(|number| (&least..=&most).contains(&number))
        })
    }

    /// A length of time within bounds, both included.
    pub(super) fn duration(
        &mut self,
        key: &'static Key,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let expected = format!(
            "a time in hh:mm:ss from {} to {}",
            clock_face(bounds.start().as_secs()),
            clock_face(bounds.end().as_secs())
        );
        self.parsed(key, &expected, |value| {
            duration(value).filter(|time| bounds.contains(time))
        })
    }

    /// A path, expanded.
    pub(super) fn path(&mut self, key: &'static Key) -> Option<PathBuf> {
        let value = self.text(key)?;
        match expand(value, self.environment) {
            Ok(path) => Some(path),
            Err(name) => {
                let line = self.entry(key).map(|entry| entry.line);
                let message = format!("uses %{name}%, but there is no environment variable {name}");
                self.problems.add(
                    self.severity,
                    line,
                    format!("[{}] {}", self.name, key.name),
                    message,
                );
                None
            }
        }
    }

    /// Adds a problem with a setting of this section.
    pub(super) fn wrong(&mut self, line: usize, key: &Key, message: impl Into<String>) {
        self.problems.add(
            self.severity,
            Some(line),
            format!("[{}] {}", self.name, key.name),
            message,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_hours_minutes_seconds() {
        let seconds = |value| duration(value).map(|time| time.as_secs());
        assert_eq!(seconds("00:00:30"), Some(30));
        assert_eq!(seconds("1:2:3"), Some(3723));
        assert_eq!(seconds("99:59:59"), Some(359_999));
        for wrong in [
            "30",
            "00:30",
            "00:60:00",
            "00:00:60",
            "0:0:0:0",
            "a:0:0",
            "+1:0:0",
            "100:00:00",
            "::",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(clock_face(3723), "01:02:03");
    }
}
