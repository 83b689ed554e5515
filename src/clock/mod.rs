//! The only place that asks the machine what time it is and which zone it is in.
//!
//! Everything else gets a time passed in, so that every rule about time can be
//! tested at any time.

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, TimeZone, Utc};

pub mod stamp;

/// The time now.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The wall-clock time in the machine's zone.
#[must_use]
pub fn to_local(time: DateTime<Utc>) -> NaiveDateTime {
    time.with_timezone(&Local).naive_local()
}

/// The same instant with the offset of the machine's zone, as a Date header has it.
#[must_use]
pub fn with_offset(time: DateTime<Utc>) -> DateTime<FixedOffset> {
    time.with_timezone(&Local).fixed_offset()
}

/// The instant of a wall-clock time in the machine's zone.
///
/// An hour that happens twice (clocks set back) gives its first instant; an hour
/// that does not happen (clocks set forward) gives the instant of the change or the
/// nearest one before the hour asked for: a mail is rather looked at once more than
/// passed over.
#[must_use]
pub fn from_local(time: NaiveDateTime) -> DateTime<Utc> {
    let mut probe = time;
    for _ in 0..48 {
        if let Some(found) = Local.from_local_datetime(&probe).earliest() {
            return found.with_timezone(&Utc);
        }
        match probe.checked_sub_signed(chrono::TimeDelta::minutes(15)) {
            Some(earlier) => probe = earlier,
            None => break,
        }
    }
    Utc.from_utc_datetime(&time)
}
