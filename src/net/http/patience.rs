//! How long a service that asks for a pause is waited for.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ureq::http::{Response, header::RETRY_AFTER};

/// What is waited when the service does not say for how long; doubled each time.
const FIRST: Duration = Duration::from_secs(1);
/// So often a request is repeated.
const ATTEMPTS: u32 = 4;

/// The pauses of one request. Together they are bounded, in number and time.
#[derive(Debug)]
pub struct Patience {
    left: Duration,
    pauses: u32,
}

impl Patience {
    /// Waits at most this long, all pauses together.
    #[must_use]
    pub fn of(most: Duration) -> Self {
        Self {
            left: most,
            pauses: 0,
        }
    }

    /// Does not wait at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            left: Duration::ZERO,
            pauses: ATTEMPTS,
        }
    }

    /// The same for another request: it may be repeated as often, in the time that is left.
    pub fn renew(&mut self) {
        self.pauses = 0;
    }

    /// Waits as long as the service asked for, and says whether another attempt is due. It is
    /// not when the service wants a longer pause than there is patience left: that is for a
    /// later run.
    pub fn wait(&mut self, asked: Option<Duration>) -> bool {
        let Some(pause) = self.next(asked) else {
            return false;
        };
        thread::sleep(pause);
        true
    }

    /// Whether it was the service that wanted a longer pause than there is patience left, so that
    /// nothing is known of what another attempt would come to.
    #[must_use]
    pub fn was_asked_too_much(&self, asked: Option<Duration>) -> bool {
        asked.is_some() && self.pauses < ATTEMPTS
    }

    fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.pauses >= ATTEMPTS {
            return None;
        }
        let pause = asked.unwrap_or(FIRST * 2_u32.pow(self.pauses));
        self.left = self.left.checked_sub(pause)?;
        self.pauses += 1;
        Some(pause)
    }
}

/// For how long an answer asks to wait (`Retry-After`, RFC 9110, section 10.2.3: seconds or a
/// date).
#[must_use]
pub fn retry_after<T>(answer: &Response<T>, now: DateTime<Utc>) -> Option<Duration> {
    let value = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(value: &str) -> Response<()> {
        Response::builder()
            .header(RETRY_AFTER, value)
            .body(())
            .unwrap()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-10-21T07:28:00Z".parse().unwrap();
        let asked = |value| retry_after(&answer(value), now).map(|pause| pause.as_secs());
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked(" 0 "), Some(0));
        assert_eq!(asked("Wed, 21 Oct 2026 07:29:30 GMT"), Some(90));
        assert_eq!(asked("Wed, 21 Oct 2026 07:00:00 GMT"), Some(0));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
        assert_eq!(retry_after(&Response::new(()), now), None);
    }

    #[test]
    fn pauses_end_by_time_and_by_number() {
        let seconds = Duration::from_secs;
        let mut patience = Patience::of(seconds(10));
        assert_eq!(patience.next(None), Some(seconds(1)));
        assert_eq!(patience.next(None), Some(seconds(2)));
        assert_eq!(patience.next(Some(seconds(8))), None);
        assert_eq!(patience.next(Some(seconds(7))), Some(seconds(7)));
        let mut patience = Patience::of(seconds(1000));
        let granted = (0..9).filter(|_| patience.next(Some(seconds(0))).is_some());
        assert_eq!(granted.count(), 4);
        assert_eq!(patience.next(Some(seconds(900))), None);
        patience.renew();
        assert_eq!(patience.next(Some(seconds(900))), Some(seconds(900)));
        patience.renew();
        assert_eq!(patience.next(Some(seconds(101))), None);
    }
}
