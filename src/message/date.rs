//! Dates in headers (RFC 5322, section 3.3), in the forms that mailers really write.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, Utc};

/// A longer text is no date.
const LONGEST: usize = 200;

/// Reads the value of a Date header, what follows the semicolon of a Received header, or
/// what follows the address in an mbox's `From ` line.
///
/// Beyond RFC 5322: seconds, weekday or zone missing, a wrong weekday, full month names,
/// blanks and comments anywhere, two-digit years, the order of C's `asctime`, ISO 8601.
/// A zone that is unknown counts as UTC (RFC 5322, section 4.3). Garbage, and years
/// outside 1900 to 9999, give `None`.
#[must_use]
pub fn parse(value: &[u8]) -> Option<DateTime<Utc>> {
    let text = without_comments(value);
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if text.len() > LONGEST {
        return None;
    }
    let date = DateTime::parse_from_rfc2822(&text)
        .or_else(|_| DateTime::parse_from_rfc3339(&text))
        .ok()
        .or_else(|| Loose::read(&text)?.date())?;
    let date = date.with_timezone(&Utc);
    (1900..=9999).contains(&date.year()).then_some(date)
}

/// The value in text, each comment (RFC 5322, section 3.2.2) turned into a blank.
pub(super) fn without_comments(value: &[u8]) -> String {
    let mut out = String::new();
    let mut depth = 0_u32;
    let mut escaped = false;
    for c in String::from_utf8_lossy(value).chars() {
        let quoted = std::mem::replace(&mut escaped, false);
        match c {
            '\\' if depth > 0 && !quoted => escaped = true,
            '(' if !quoted => {
                depth = depth.saturating_add(1);
                out.push(' ');
            }
            ')' if depth > 0 && !quoted => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// A date read word by word, in whatever order the words come.
#[derive(Default)]
struct Loose {
    day: Option<u32>,
    month: Option<u32>,
    year: Option<i32>,
    time: Option<NaiveTime>,
    offset: Option<i32>,
    afternoon: Option<bool>,
}

impl Loose {
    fn read(text: &str) -> Option<Self> {
        let mut date = Self::default();
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            date.take(word)?;
        }
        Some(date)
    }

    /// `None` for a word that no date has.
    fn take(&mut self, word: &str) -> Option<()> {
        if word.contains(':') && self.time.is_none() {
            self.time = Some(time_of_day(word)?);
        } else if word.starts_with(['+', '-']) {
            self.offset = Some(numeric_zone(word)?);
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            self.number(word)?;
        } else if word.contains('-') && self.month.is_none() {
            for piece in word.split('-') {
                self.take(piece)?;
            }
        } else if let Some(month) = month(word).filter(|_| self.month.is_none()) {
            self.month = Some(month);
        } else if matches!(word, "AM" | "am" | "PM" | "pm") {
            self.afternoon = Some(word.eq_ignore_ascii_case("pm"));
        } else if word.chars().all(char::is_alphabetic) {
            // A weekday stands before the time; what stands behind it names a zone.
            if self.time.is_some() && self.offset.is_none() {
                self.offset = Some(named_zone(word));
            }
        } else {
            return None;
        }
        Some(())
    }

    fn number(&mut self, word: &str) -> Option<()> {
        let number: i32 = word.parse().ok()?;
        if self.day.is_none() && word.len() <= 2 {
            self.day = Some(number.unsigned_abs());
        } else if self.year.is_none() {
            // RFC 5322, section 4.3.
            self.year = Some(match (word.len(), number) {
                (1 | 2, 0..=49) => number + 2000,
                (1 | 2, _) | (3, _) => number + 1900,
                _ => number,
            });
        } else {
            return None;
        }
        Some(())
    }

    fn date(&self) -> Option<DateTime<FixedOffset>> {
        let day = NaiveDate::from_ymd_opt(self.year?, self.month?, self.day?)?;
        let mut time = self.time?;
        if let Some(afternoon) = self.afternoon {
            let hour = chrono::Timelike::hour12(&time).1 % 12 + if afternoon { 12 } else { 0 };
            time = chrono::Timelike::with_hour(&time, hour)?;
        }
        let zone = FixedOffset::east_opt(self.offset.unwrap_or(0))?;
        day.and_time(time).and_local_timezone(zone).single()
    }
}

fn time_of_day(word: &str) -> Option<NaiveTime> {
    let mut pieces = word.split(':');
    let mut next = || pieces.next().map(str::parse::<u32>);
    let (hour, minute) = (next()?.ok()?, next()?.ok()?);
    let second = match pieces.next() {
        // Fractions and the leap second are of no use here.
        Some(text) => text.split('.').next()?.parse::<u32>().ok()?.min(60),
        None => 0,
    };
    if pieces.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second.min(59))
}

/// `+0200`, `-05:00`, `+2`: seconds east.
fn numeric_zone(word: &str) -> Option<i32> {
    let east = if word.starts_with('-') { -1 } else { 1 };
    let digits: String = word.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 {
        (number, 0)
    } else {
        (number / 100, number % 100)
    };
    (hours < 24 && minutes < 60).then_some(east * (hours * 3600 + minutes * 60))
}

fn named_zone(word: &str) -> i32 {
    let hours = match word.to_ascii_uppercase().as_str() {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "BST" | "CET" | "MET" | "MEZ" => 1,
        "CEST" | "MEST" | "MESZ" | "EET" => 2,
        "EEST" | "MSK" => 3,
        "JST" | "KST" => 9,
        _ => 0,
    };
    hours * 3600
}

fn month(word: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    let found = NAMES.iter().position(|name| {
        word.len() >= 3 && (name.starts_with(&word) || word == "sept" && *name == "september")
    })?;
    u32::try_from(found + 1).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Option<String> {
        parse(value.as_bytes()).map(|date| date.format("%Y-%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn dates_as_they_come() {
        let cases = [
            ("Wed, 21 Oct 2026 10:00:00 +0200", "2026-10-21 08:00:00"),
            ("21 Oct 2026 10:00:00 -0530", "2026-10-21 15:30:00"),
            ("Wed, 21 Oct 2026 10:00 +0200", "2026-10-21 08:00:00"),
            (
                "Wed,  21   Oct 2026\r\n 10:00:00   +0200 (CEST)",
                "2026-10-21 08:00:00",
            ),
            (
                "Wed, 21 Oct 2026 10:00:00 (a (nested\\)) one) +0200",
                "2026-10-21 08:00:00",
            ),
            ("Wed,21 Oct 2026 10:00:00 GMT", "2026-10-21 10:00:00"),
            ("Wed, 21 Oct 2026 10:00:00 UT", "2026-10-21 10:00:00"),
            ("Wed, 21 Oct 2026 10:00:00 EST", "2026-10-21 15:00:00"),
            ("Wed, 21 Oct 2026 10:00:00 CEST", "2026-10-21 08:00:00"),
            ("Wed, 21 Oct 2026 10:00:00 Nowhere", "2026-10-21 10:00:00"),
            ("Wed, 21 Oct 2026 10:00:00", "2026-10-21 10:00:00"),
            // The weekday is wrong.
            ("Mon, 21 Oct 2026 10:00:00 +0000", "2026-10-21 10:00:00"),
            (
                "Wednesday, 21 October 2026 10:00:00 +0000",
                "2026-10-21 10:00:00",
            ),
            ("Wed, 21 Oct 26 10:00:00 +0000", "2026-10-21 10:00:00"),
            ("Thu, 21 Oct 99 10:00:00 +0000", "1999-10-21 10:00:00"),
            ("Wed Oct 21 10:00:00 2026", "2026-10-21 10:00:00"),
            ("Wed Oct 21 10:00:00 CEST 2026", "2026-10-21 08:00:00"),
            ("21-Oct-2026 10:00:00 +0200", "2026-10-21 08:00:00"),
            ("2026-10-21T10:00:00+02:00", "2026-10-21 08:00:00"),
            ("Wed, 21 Oct 2026 9:5:7 +02:00", "2026-10-21 07:05:07"),
            ("Wed, 21 Oct 2026 10:00:00.123 +0200", "2026-10-21 08:00:00"),
            ("21 Oct 2026 12:30:00 AM +0000", "2026-10-21 00:30:00"),
            ("21 Oct 2026 3:30:00 PM +0000", "2026-10-21 15:30:00"),
            // The edges of the world.
            ("Thu, 1 Jan 2026 00:30:00 +1400", "2025-12-31 10:30:00"),
            ("Thu, 31 Dec 2026 23:30:00 -1200", "2027-01-01 11:30:00"),
        ];
        for (value, expected) in cases {
            assert_eq!(read(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn garbage_is_no_date() {
        for value in [
            "",
            "garbage",
            "21",
            "10:00:00",
            "Wed, 32 Oct 2026 10:00:00 +0000",
            "Wed, 30 Feb 2026 10:00:00 +0000",
            "Wed, 21 Oct 2026 25:00:00 +0000",
            "Wed, 21 Oct 2026 10:00:00 +9900",
            "Wed, 21 Oct 2026 10:00:00 +99999999999",
            "Fri, 31 Dec 9999 23:59:59 -1200",
            "21 Oct 99999 10:00:00 +0000",
            "21 Oct 2026 10:00:00 +0000 <script>",
            "((((((",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(parse(&b"(".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn anything_is_read_without_panic(value in "[A-Za-z0-9:+(), \\\\.-]{0,60}") {
            let _ = parse(value.as_bytes());
        }
    }
}
