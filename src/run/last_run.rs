//! `LastRunDate`: the user's wish when it was edited, a courtesy to people otherwise.
//!
//! What is new is known by the mails' identity. The journal knows which dates are this program's
//! own, so that any other one is recognised as somebody's request.

use chrono::{DateTime, Utc};

use super::Place;
use super::output::Output;
use crate::clock::stamp;
use crate::config::LastRun;
use crate::config::edit::{Change, change, current};
use crate::crash::point;
use crate::journal::{Dates, Journal, State};

/// What `LastRunDate` means for one mailbox at the beginning of a run.
#[derive(Debug)]
pub(super) struct Outlook<'a> {
    /// The date is not this program's own: somebody wishes for something.
    new_wish: bool,
    /// A wish is to be followed that has not been followed yet.
    follows: bool,
    /// What was handled is to be looked at again.
    pub(super) again: bool,
    /// What the wish says.
    text: &'a str,
    /// Mails received before this time are not looked at.
    pub(super) floor: Option<DateTime<Utc>>,
}

/// Looks at the date and at what is known of it. Changes nothing.
pub(super) fn outlook<'a>(last_run: &'a LastRun, dates: &'a Dates, state: &State) -> Outlook<'a> {
    let LastRun::Used { text, time } = last_run else {
        return Outlook {
            new_wish: false,
            follows: false,
            again: false,
            text: "",
            floor: None,
        };
    };
    let new_wish = !dates.is_ours(text);
    let follows = new_wish || state.followed() != dates.wishes();
    let again = follows && state.followed() > 0;
    let wish = if new_wish { text } else { dates.wish() };
    let floor = match (follows, again) {
        (false, _) => state.floor,
        // The date itself may have been written over by another mailbox's run.
        (true, true) => stamp::parse(wish),
        // A mailbox that is seen for the first time begins where the date stands.
        (true, false) => *time,
    };
    Outlook {
        new_wish,
        follows,
        again,
        text: wish,
        floor,
    }
}

/// Takes note of `LastRunDate`: the first time, and whenever somebody has edited it.
pub(super) fn note(
    last_run: &LastRun,
    journal: &mut Journal,
    output: &Output,
) -> anyhow::Result<()> {
    let dates = journal.dates().clone();
    let outlook = outlook(last_run, &dates, journal.state());
    if outlook.new_wish {
        journal.wish(outlook.text);
    }
    if outlook.follows {
        match (outlook.again, outlook.floor) {
            (true, Some(_)) => output.line(&format!(
                "LastRunDate was edited: looking again at mails received since {}",
                outlook.text
            )),
            (true, None) => output.line("LastRunDate was cleared: looking again at every mail"),
            (false, Some(floor)) => output.line(&format!(
                "first run on this mailbox: mails received before LastRunDate {} are not looked at",
                stamp::format(floor)
            )),
            (false, None) => {}
        }
        journal.follow(outlook.floor)?;
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
    point("dating");
    let section = "General";
    change(
        place.ini,
        &[Change {
            section,
            key: "LastRunDate",
            value: &new,
        }],
    )?;
    point("dated");
    journal.date_written(&new);
    journal.sync()?;
    Ok(())
}
