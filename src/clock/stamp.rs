//! The forms of `LastRunDate`: `1/31/2017 12:30:00 AM` in local time, and ISO 8601.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use super::{from_local, to_local};

const FORM: &str = "%-m/%-d/%Y %-I:%M:%S %p";

/// Writes a wall-clock time in the form of `LastRunDate`.
#[must_use]
pub fn format_local(time: NaiveDateTime) -> String {
    time.format(FORM).to_string()
}

/// Writes an instant in the form of `LastRunDate`, in the machine's zone.
#[must_use]
pub fn format(time: DateTime<Utc>) -> String {
    format_local(to_local(time))
}

/// Reads what stands in `LastRunDate`: the form above (also without seconds or without a
/// time), or ISO 8601 with or without a zone. Without a zone it is local time.
#[must_use]
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    parse_local(text).map(from_local)
}

/// As [`parse`], for the forms without a zone: the wall-clock time.
fn parse_local(text: &str) -> Option<NaiveDateTime> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    const TIMES: [&str; 7] = [
        "%m/%d/%Y %I:%M:%S %p",
        "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let time = TIMES.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
    let date = || ["%m/%d/%Y", "%Y-%m-%d"].iter().find_map(|form| NaiveDate::parse_from_str(&text, form).ok());
    let time = time.or_else(|| Some(date()?.and_time(NaiveTime::MIN)))?;
    // A leap second would not survive being written back.
    time.with_nanosecond(time.nanosecond().min(999_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> Option<String> {
        parse_local(text).map(|time| time.format("%Y-%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn forms_that_people_write() {
        for (text, expected) in [
            ("1/31/2017 12:30:00 AM", "2017-01-31 00:30:00"),
            ("01/31/2017 12:30:00 PM", "2017-01-31 12:30:00"),
            ("1/1/2017  1:05 pm", "2017-01-01 13:05:00"),
            ("1/1/2017", "2017-01-01 00:00:00"),
            ("2017-01-31T00:30:00", "2017-01-31 00:30:00"),
            ("2017-01-31 00:30", "2017-01-31 00:30:00"),
            ("2017-01-31", "2017-01-31 00:00:00"),
        ] {
            assert_eq!(local(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "yesterday", "31/1/2017 12:30:00 AM", "1/31/2017 13:00:00 AM", "0"] {
            assert_eq!(local(text), None, "{text}");
        }
        let zoned = parse("2017-01-31T00:30:00+14:00").unwrap();
        assert_eq!(zoned.to_rfc3339(), "2017-01-30T10:30:00+00:00");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in -5_000_000_000i64..7_000_000_000) {
            let time = DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
            proptest::prop_assert_eq!(parse_local(&format_local(time)), Some(time));
        }
    }
}
