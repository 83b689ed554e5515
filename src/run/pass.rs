//! One run over a mailbox: what is new, what the rules say, what becomes of it.

use anyhow::Context;

use super::commit::{Commit, recover};
use super::exit::ExitCode;
use super::listing::Fresh;
use super::mails::Mails;
use super::notices::Notices;
use super::opening::{Visit, open_mailbox};
use super::output::Output;
use super::report::{Report, count};
use super::retries::Retries;
use super::save::Plan;
use super::sending::send_due;
use super::{Place, last_run, limits, mailbox_name};
use crate::audit::clean::one_line;
use crate::cli::Accept;
use crate::clock;
use crate::config::{General, LastRun, Settings};
use crate::crash::point;
use crate::durable;
use crate::events::spool::Spool;
use crate::journal::Journal;
use crate::mailbox;

/// Mails that are looked at and committed together. Their summaries are held in memory, and they
/// share the journal's durable writes.
const BATCH: usize = 2000;

/// Runs the job. `retry` takes up again what was set aside; `accept` is the server's certificate
/// that somebody has decided to accept.
pub(super) fn run(
    settings: &Settings,
    place: Place<'_>,
    retry: bool,
    mut accept: Option<Accept>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let now = clock::now();
    let general = &settings.general;
    let signature = general
        .signature
        .as_ref()
        .context("the OpCon credentials are missing")?;
    let known = mailbox_name(&settings.mail);
    let name = known.as_deref().unwrap_or_default();
    let mut journal = Journal::open(place.state, name, now)?;
    let tag = place.tag();
    let spool = Spool::open(&general.msgin, &general.staging, &tag)?;
    let plan = general
        .download
        .as_deref()
        .map(|folder| Plan::new(folder, name, &tag));
    check_disk(general, plan.as_ref(), place)?;
    recover(&spool, &mut journal, output)?;
    if let Err(error) = known {
        // What earlier runs have left does not wait for somebody to sign in.
        send_due(settings, &mut journal, now, output)?;
        return Err(error.into());
    }
    if retry {
        output.line(&format!(
            "retry: {} taken up again",
            count(journal.state().set_aside().count(), "mail")
        ));
        journal.retry();
    }

    let commit = Commit {
        spool: &spool,
        plan: plan.as_ref(),
        signature,
        limits: limits(settings),
        began: now,
        tag: &tag,
        files: 0,
    };
    let notices = Notices::new(&settings.audit, journal.notices(), name, now);
    let mut mails = Mails::new(settings, commit, notices, now);
    let done = work(
        settings,
        place,
        &mut accept,
        &mut mails,
        &mut journal,
        output,
    );
    mails.tell_crowd(output);
    if let Err(error) = done {
        // A mailbox that is out of order keeps no notice back.
        if error.downcast_ref::<mailbox::Error>().is_some() {
            send_due(settings, &mut journal, now, output)?;
        }
        return Err(error);
    }
    if let Some(plan) = &plan {
        plan.finish();
    }
    let last_run = &general.last_run;
    last_run::write(last_run, mails.newest(), now, place, &mut journal, output)?;
    // Nothing waits for notices.
    let report = Report {
        notices: send_due(settings, &mut journal, now, output)?,
        ..mails.report()
    };
    let writes = count(journal.writes(), "durable write");
    output.trace().line(|| format!("journal: {writes}"));
    for (_, failure) in journal.state().set_aside() {
        output.line(&format!(
            "set aside: {} failed in {} runs ({}); --retry takes it up again",
            failure.mail,
            failure.runs,
            one_line(&failure.reason)
        ));
    }
    output.line(&report.line(output.elapsed()));
    Ok(if output.errors() > 0 {
        ExitCode::FAILURE
    } else if report.accepted > 0 {
        ExitCode::MATCHED
    } else {
        ExitCode::no_match(general.exit_code_no_match)
    })
}

/// Goes through the mailbox until that has worked, as often as `Retries` allows.
fn work(
    settings: &Settings,
    place: Place<'_>,
    accept: &mut Option<Accept>,
    mails: &mut Mails<'_>,
    journal: &mut Journal,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut retries = Retries::new(settings.mail.retries());
    let mut met = None;
    loop {
        let met = &mut met;
        let visit = Visit::Work { accept, met };
        match go_through(settings, place, visit, mails, journal, output) {
            Ok(()) => return Ok(()),
            Err(error) => {
                output.finish_progress();
                mails.blame(&error, None, journal, output)?;
                retries.wait(error, output)?;
            }
        }
    }
}

/// Goes through the mailbox. When it is lost in the middle, what was committed by then stays
/// committed, and the mailbox can be gone through once more.
fn go_through(
    settings: &Settings,
    place: Place<'_>,
    visit: Visit<'_>,
    mails: &mut Mails<'_>,
    journal: &mut Journal,
    output: &mut Output,
) -> anyhow::Result<()> {
    let last_run = &settings.general.last_run;
    let mut mailbox = open_mailbox(settings, place, visit, output)?;
    output.line(&format!("connected: {}", one_line(&mailbox.describe())));
    last_run::note(last_run, journal, output)?;
    let mut fresh = Fresh::ask(last_run, journal, mailbox.as_mut(), output)?;
    mails.begin(fresh.naming());
    fresh.ids.retain(|id| !mails.has_failed(id));
    let mut eye = mails.eye(fresh.since, std::mem::take(&mut fresh.handled));
    for (index, batch) in fresh.ids.chunks(BATCH).enumerate() {
        if let Err(error) = mails.batch(batch, &mut eye, mailbox.as_mut(), journal, output) {
            output.finish_progress();
            mails.blame(&error, Some(mailbox.as_mut()), journal, output)?;
            return Err(error);
        }
        output.progress(index * BATCH + batch.len(), fresh.ids.len());
    }
    output.finish_progress();
    mails.delete(mailbox.as_mut(), journal, output)?;

    // What was held back must be told of again.
    if mails.report().held_back == 0 {
        fresh.done(journal, clock::now());
    }
    journal.sync()?;
    point("advanced");
    mailbox.close();
    Ok(())
}

/// What will be written at the end is tried at the start, before anything has happened.
fn check_disk(general: &General, plan: Option<&Plan>, place: Place<'_>) -> anyhow::Result<()> {
    if let (Some(plan), Some(folder)) = (plan, &general.download) {
        plan.prepare().with_context(|| {
            format!(
                "can't write into [General] DownloadFolder {}",
                folder.display()
            )
        })?;
    }
    if general.last_run != LastRun::Unused {
        let ini = dunce::canonicalize(place.ini).unwrap_or_else(|_| place.ini.to_path_buf());
        durable::clear_replacements(&ini)
            .and_then(|()| durable::writable(durable::folder_of(&ini)))
            .with_context(|| {
                format!(
                    "can't replace {} to keep LastRunDate (its folder must be writable; or set \
                     UseLastRunDate=False)",
                    ini.display()
                )
            })?;
    }
    Ok(())
}
