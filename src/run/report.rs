//! What a run did, counted.

use std::time::Duration;

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
        } = self;
        let held_back = match held_back {
            0 => String::new(),
            number => format!(", {number} held back"),
        };
        format!(
            "summary: {} looked at, {accepted} accepted, {rejected} rejected, {failed} failed{held_back}; {} written, {saved} saved, \
             {deleted} deleted; {:.1} s",
            count(accepted + rejected + failed, "mail"),
            count(*events, "event"),
            took.as_secs_f64(),
        )
    }
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
    }
}
