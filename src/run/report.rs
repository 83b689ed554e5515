//! What a run did, counted.

use std::time::Duration;

use super::sending::Tally;

/// The counts of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Mails that some configuration wrote events for.
    pub(super) accepted: usize,
    /// Mails that none did.
    pub(super) rejected: usize,
    /// Mails that could not be dealt with.
    pub(super) failed: usize,
    /// Event lines handed to MSGIN.
    pub(super) events: usize,
    /// Mails saved.
    pub(super) saved: usize,
    /// Mails deleted on the server.
    pub(super) deleted: usize,
    /// Mails that wait for the next run (`MaxEventsPerRun`).
    pub(super) held_back: usize,
    /// What became of the notices that were due.
    pub(super) notices: Tally,
    /// Notices that `NotifyLimitPerSenderPerHour` or `NotifyLimitPerHour` kept back, or for which
    /// there was no room.
    pub(super) suppressed: usize,
}

impl Report {
    /// The closing line of the job output.
    pub(super) fn line(&self, took: Duration) -> String {
        let Self {
            accepted,
            rejected,
            failed,
            events,
            saved,
            deleted,
            held_back,
            notices,
            suppressed,
        } = self;
        let held_back = match held_back {
            0 => String::new(),
            number => format!(", {number} held back"),
        };
        let notices = notice_counts(*notices, *suppressed);
        format!(
            "summary: {} looked at, {accepted} accepted, {rejected} rejected, {failed} failed{held_back}; {} written, {saved} saved, \
             {deleted} deleted{notices}; {:.1} s",
            count(accepted + rejected + failed, "mail"),
            count(*events, "event"),
            took.as_secs_f64(),
        )
    }
}

/// What there is to say of notices.
fn notice_counts(
    Tally {
        sent,
        failed,
        unsure,
    }: Tally,
    suppressed: usize,
) -> String {
    if sent + failed + unsure + suppressed == 0 {
        return String::new();
    }
    let mut text = format!("; {} sent", count(sent, "notice"));
    for (number, word) in [
        (failed, "failed"),
        (unsure, "unsure"),
        (suppressed, "suppressed"),
    ] {
        if number > 0 {
            text.push_str(&format!(", {number} {word}"));
        }
    }
    text
}

/// A number and its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line() {
        let report = Report {
            accepted: 1,
            rejected: 2,
            events: 1,
            ..Report::default()
        };
        assert_eq!(
            report.line(Duration::from_millis(1250)),
            "summary: 3 mails looked at, 1 accepted, 2 rejected, 0 failed; 1 event written, 0 saved, 0 deleted; 1.2 s"
        );
        let report = Report {
            notices: Tally {
                sent: 1,
                failed: 2,
                unsure: 0,
            },
            suppressed: 3,
            ..report
        };
        let line = report.line(Duration::ZERO);
        assert!(
            line.ends_with("0 deleted; 1 notice sent, 2 failed, 3 suppressed; 0.0 s"),
            "{line}"
        );
    }
}
