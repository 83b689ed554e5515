//! The time matcher: `AllowedTimeFrame`.

use chrono::{NaiveDateTime, Timelike};

/// A part of the day, both ends included, possibly over midnight. Minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWindow {
    from: u32,
    to: u32,
}

impl TimeWindow {
    /// The whole day.
    pub const ALWAYS: Self = Self { from: 0, to: MIDNIGHT };

    /// Reads `HHMM-HHMM`; `2400` is the end of the day. `None` when it is not of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let window = Self { from: minutes(from.trim())?, to: minutes(to.trim())? };
        (window.from < MIDNIGHT).then_some(window)
    }

    /// Whether a wall-clock time lies in the window; its seconds do not count.
    #[must_use]
    pub fn contains(&self, time: NaiveDateTime) -> bool {
        let minute = time.hour() * 60 + time.minute();
        if self.from <= self.to {
            (self.from..=self.to).contains(&minute)
        } else {
            minute >= self.from || minute <= self.to
        }
    }
}

impl std::fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}{:02}-{:02}{:02}", self.from / 60, self.from % 60, self.to / 60, self.to % 60)
    }
}

const MIDNIGHT: u32 = 24 * 60;

fn minutes(text: &str) -> Option<u32> {
    if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u32 = text.parse().ok()?;
    let (hour, minute) = (number / 100, number % 100);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= MIDNIGHT).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;

    fn at(hour: u32, minute: u32, second: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 3, 1).unwrap().and_hms_opt(hour, minute, second).unwrap()
    }

    #[test]
    fn both_ends_are_included() {
        let day = TimeWindow::parse("0800-1700").unwrap();
        for (time, expected) in
            [(at(7, 59, 59), false), (at(8, 0, 0), true), (at(17, 0, 59), true), (at(17, 1, 0), false)]
        {
            assert_eq!(day.contains(time), expected, "{time}");
        }
    }

    #[test]
    fn a_window_may_cross_midnight() {
        let night = TimeWindow::parse(" 2200 - 0600 ").unwrap();
        assert!(night.contains(at(23, 0, 0)) && night.contains(at(6, 0, 30)) && night.contains(at(0, 0, 0)));
        assert!(!night.contains(at(6, 1, 0)) && !night.contains(at(21, 59, 0)));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "0800", "800-1700", "0860-1700", "0000-2401", "2500-2600", "2400-0100", "08:00-17:00", "+800-1700"] {
            assert_eq!(TimeWindow::parse(text), None, "{text}");
        }
        assert!(TimeWindow::parse("0000-2400").unwrap().contains(at(23, 59, 59)));
        assert_eq!(TimeWindow::parse("0000-2400"), Some(TimeWindow::ALWAYS));
    }

    proptest! {
        #[test]
        fn a_window_and_its_complement_cover_the_day(from in 0u32..1440, to in 0u32..1440, minute in 0u32..1440) {
            let text = |from: u32, to: u32| format!("{:02}{:02}-{:02}{:02}", from / 60, from % 60, to / 60, to % 60);
            let window = TimeWindow::parse(&text(from, to)).unwrap();
            let time = at(minute / 60, minute % 60, 0);
            prop_assert_eq!(window.to_string(), text(from, to));
            let rest = TimeWindow::parse(&text((to + 1) % 1440, (from + 1439) % 1440)).unwrap();
            // A window that is the whole day has no complement to compare with.
            if (to + 1) % 1440 != from {
                prop_assert!(window.contains(time) != rest.contains(time));
            }
        }
    }
}
