//! `LastRunDate`: the user's wish when it was edited, a courtesy to people otherwise.
//!
//! What is new is known by the mails' identity. The journal knows which dates are this program's own, so that
//! any other one is recognised as somebody's request.

use chrono::{DateTime, Utc};

use super::Place;
use super::output::Output;
use crate::clock::stamp;
use crate::config::LastRun;
use crate::config::edit::{Change, change, current};
use crate::journal::Journal;

/// Takes note of `LastRunDate`: the first time, and whenever somebody has edited it.
pub(super) fn note(
    last_run: &LastRun,
    journal: &mut Journal,
    output: &Output,
) -> anyhow::Result<()> {
    let LastRun::Used { text, time } = last_run else {
        return Ok(());
    };
    if !journal.dates().is_ours(text) {
        journal.wish(text);
    }
    let followed = journal.state().followed();
    if followed != journal.dates().wishes() {
        if followed > 0 {
            output.line(&match time {
                Some(_) => {
                    format!("LastRunDate was edited: looking again at mails received since {text}")
                }
                None => "LastRunDate was cleared: looking again at every mail".to_owned(),
            });
        }
        journal.follow(*time)?;
    }
    Ok(())
}

/// Writes the time of the newest mail into `LastRunDate`, unless somebody edited it while this run
/// was at work.
pub(super) fn write(
    last_run: &LastRun,
    newest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    place: Place<'_>,
    journal: &mut Journal,
    output: &mut Output,
) -> anyhow::Result<()> {
    let (LastRun::Used { text, time }, Some(newest)) = (last_run, newest) else {
        return Ok(());
    };
    // A forged time of receipt must not carry the date into the future.
    let newest = newest.min(now);
    let new = stamp::format(time.map_or(newest, |time| time.max(newest)));
    if new == *text {
        return Ok(());
    }
    let found = current(place.ini, "General", "LastRunDate")
        .unwrap_or_default()
        .unwrap_or_default();
    if found != *text {
        output.line("LastRunDate was edited during this run and is left as it is; the next run will follow it");
        return Ok(());
    }
    journal.writing_date(&new)?;
    change(
        place.ini,
        &[Change {
            section: "General",
            key: "LastRunDate",
            value: &new,
        }],
    )?;
    journal.date_written(&new);
    journal.sync()?;
    Ok(())
}
