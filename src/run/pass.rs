//! One pass over a mailbox: what is new, what the rules say, what becomes of it.

use std::collections::HashSet;

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::commit::{Commit, Job, Outcome, recover};
use super::exit::ExitCode;
use super::look::{Eye, Looked};
use super::output::Output;
use super::report::{Report, count};
use super::save::Plan;
use super::{Place, last_run, limits, mailbox_name, open_mailbox};
use crate::audit::clean::{one_line, short};
use crate::audit::{AuditLog, reason};
use crate::clock;
use crate::config::{Delete, General, LastRun, Settings};
use crate::durable;
use crate::events::spool::Spool;
use crate::events::{EventLine, TokenValues};
use crate::journal::Journal;
use crate::mailbox::{Known, Listing, MailId, Mailbox};
use crate::message::Content;
use crate::rules::{Files, Judgement, mail_values};

/// Mails that are looked at and committed together. Their summaries are held in memory, and they
/// share the journal's durable writes.
const BATCH: usize = 2000;

/// Events that wait to be committed hold no more memory than about this, in bytes.
const EVENT_MEMORY: usize = 8 * 1024 * 1024;

/// Runs the job.
pub(super) fn run(
    settings: &Settings,
    place: Place<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let now = clock::now();
    let general = &settings.general;
    let signature = general
        .signature
        .as_ref()
        .context("the OpCon credentials are missing")?;
    let name = mailbox_name(&settings.mail);
    let mut journal = Journal::open(place.state, &name, now)?;
    let tag = place.tag();
    let spool = Spool::open(&general.msgin, &general.staging, &tag)?;
    let plan = general
        .download
        .as_deref()
        .map(|folder| Plan::new(folder, &name, &tag));
    check_disk(general, plan.as_ref(), place)?;
    recover(&spool, &mut journal, output)?;

    let mut mailbox = open_mailbox(settings, output)?;
    output.line(&format!("connected: {}", one_line(&mailbox.describe())));
    last_run::note(&general.last_run, &mut journal, output)?;
    let (listing, since) = list(&general.last_run, &journal, mailbox.as_mut(), output)?;
    forget_vanished(&mut journal, &listing);
    let ids: Vec<MailId> = listing
        .ids
        .iter()
        .filter(|id| !journal.state().is_handled(id))
        .cloned()
        .collect();

    let eye = Eye {
        rules: &settings.rules,
        signature,
        plan: plan.as_ref(),
        since,
    };
    let commit = Commit {
        spool: &spool,
        plan: plan.as_ref(),
        signature,
        limits: limits(settings),
        began: now,
        tag: &tag,
        files: 0,
    };
    let audit = AuditLog::new(&settings.audit);
    let mut run = Run {
        settings,
        now,
        audit,
        commit,
        report: Report::default(),
        newest: None,
    };
    for (index, batch) in ids.chunks(BATCH).enumerate() {
        run.batch(batch, &eye, mailbox.as_mut(), &mut journal, output)?;
        output.progress(index * BATCH + batch.len(), ids.len());
    }
    output.finish_progress();
    run.delete(mailbox.as_mut(), &mut journal, output)?;
    mailbox.close();
    if let Some(plan) = &plan {
        plan.finish();
    }

    match &listing.position {
        Some(position) => journal.advance(position),
        None => journal.retain(&listing.ids, now),
    }
    journal.sync()?;
    last_run::write(
        &general.last_run,
        run.newest,
        now,
        place,
        &mut journal,
        output,
    )?;
    output.line(&run.report.line(output.elapsed()));
    Ok(if output.errors() > 0 {
        ExitCode::FAILURE
    } else if run.report.accepted > 0 {
        ExitCode::MATCHED
    } else {
        ExitCode::no_match(general.exit_code_no_match)
    })
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
        durable::writable(durable::folder_of(place.ini)).with_context(|| {
            format!(
                "can't replace {} to keep LastRunDate (its folder must be writable; or set \
                 UseLastRunDate=False)",
                place.ini.display()
            )
        })?;
    }
    Ok(())
}

/// Asks the mailbox for new mails; answers with the listing and the time before which mails are
/// passed over.
fn list(
    last_run: &LastRun,
    journal: &Journal,
    mailbox: &mut dyn Mailbox,
    output: &Output,
) -> anyhow::Result<(Listing, Option<DateTime<Utc>>)> {
    let state = journal.state();
    let (since, last) = match last_run {
        LastRun::Used { time, .. } => (state.floor, time.or(state.floor)),
        LastRun::Unused => (None, None),
    };
    let known = Known {
        position: state.position.clone(),
        again: state.failures().map(|(id, _)| id.clone()).collect(),
        since,
        since_if_void: last,
    };
    let listing = mailbox.list(&known)?;
    let since = match &listing.void {
        Some(why) => {
            output.warning(&format!(
                "{}; mails received since LastRunDate are looked at",
                one_line(why)
            ));
            last
        }
        None => since,
    };
    Ok((listing, since))
}

/// Drops the failures of mails that somebody else has removed.
fn forget_vanished(journal: &mut Journal, listing: &Listing) {
    let existing: HashSet<&MailId> = listing.ids.iter().collect();
    let vanished: Vec<MailId> = journal
        .state()
        .failures()
        .map(|(id, _)| id)
        .filter(|id| !existing.contains(id))
        .cloned()
        .collect();
    journal.forget(&vanished);
}

/// A pass under way.
struct Run<'a> {
    settings: &'a Settings,
    now: DateTime<Utc>,
    audit: AuditLog<'a>,
    commit: Commit<'a>,
    report: Report,
    /// When the newest mail that was looked at was received.
    newest: Option<DateTime<Utc>>,
}

impl Run<'_> {
    /// Looks at a batch of mails and commits it, in more than one piece where its events take much
    /// memory.
    fn batch(
        &mut self,
        ids: &[MailId],
        eye: &Eye<'_>,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let mut jobs = Vec::new();
        let mut cost = 0;
        eye.look(mailbox, ids, &mut |mailbox, id, looked| {
            self.report.looked_at += 1;
            match looked {
                Ok(looked) => {
                    self.newest = self.newest.max(Some(looked.summary.received));
                    let job = self.job(looked, output);
                    cost += job.cost();
                    jobs.push(job);
                }
                Err(fault) => {
                    journal.failed(&id, &fault.to_string());
                    self.tell_failed(id.as_str(), &fault.to_string(), output);
                }
            }
            if cost > EVENT_MEMORY {
                cost = 0;
                self.commit(std::mem::take(&mut jobs), mailbox, journal, output)?;
            }
            Ok(())
        })?;
        self.commit(jobs, mailbox, journal, output)
    }

    fn commit(
        &mut self,
        jobs: Vec<Job>,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let Outcome { done, failed } = self.commit.batch(jobs, mailbox, journal)?;
        for job in &done {
            self.tell_done(job, output);
        }
        for (job, reason) in &failed {
            self.tell_failed(&named(&job.looked), reason, output);
        }
        for error in self.audit.flush() {
            output.error(&error.to_string());
        }
        Ok(())
    }

    /// What a mail writes, and what becomes of it.
    fn job(&self, mut looked: Looked, output: &mut Output) -> Job {
        for (rule, refusal) in looked
            .judgement
            .refusals()
            .filter(|(_, refusal)| refusal.step.is_error())
        {
            let (mail, why) = (named(&looked), one_line(&refusal.detail));
            output.error(&format!("[Configuration{rule}] on {mail}: {why}"));
        }
        let accepted = looked.judgement.is_accepted();
        let lines = if accepted {
            Some(looked.judgement.take_events())
        } else {
            looked.content = Content::default();
            looked.files = Files::default();
            self.reject_event(&looked, output)
        };
        // A rejected mail might have matched a configuration that is disabled: it is kept until
        // that is mended.
        let wanted = match self.settings.general.delete {
            Delete::None => false,
            Delete::Match => accepted,
            Delete::All => accepted || self.settings.disabled_rules == 0,
        };
        let delete = wanted && lines.is_some() && !looked.judgement.must_stay();
        Job {
            looked,
            lines: lines.unwrap_or_default(),
            save: accepted,
            delete,
        }
    }

    /// The `RejectEvent` of a rejected mail, if there is one; `None` when it is refused for the
    /// mail's text.
    fn reject_event(&self, looked: &Looked, output: &Output) -> Option<Vec<EventLine>> {
        let audit = &self.settings.audit;
        let Some(template) = &audit.reject_event else {
            return Some(Vec::new());
        };
        let reason = reason(audit, &looked.judgement);
        let head = looked.head();
        let values = TokenValues {
            reason: Some(&reason),
            ..mail_values(&head)
        };
        match template.fill(&values, audit.unsafe_text, self.commit.signature) {
            Ok(line) => Some(vec![line]),
            Err(why) => {
                let (mail, why) = (named(looked), one_line(&why.to_string()));
                output.warning(&format!(
                    "[Audit] RejectEvent is not written for {mail}: {why}"
                ));
                None
            }
        }
    }

    fn tell_done(&mut self, job: &Job, output: &Output) {
        let looked = &job.looked;
        let now = clock::to_local(self.now);
        let head = looked.head();
        let values = TokenValues {
            email_file: &looked.files.email,
            ..mail_values(&head)
        };
        let events: Vec<&EventLine> = job.lines.iter().collect();
        self.report.events += events.len();
        if looked.judgement.is_accepted() {
            self.report.accepted += 1;
            self.report.saved += usize::from(job.save && self.commit.plan.is_some());
            self.audit.accepted(&values, &events, now);
            output.line(&format!(
                "accepted: {} -> {}, {}",
                named(looked),
                configurations(&looked.judgement),
                count(events.len(), "event")
            ));
            for (rule, refusal) in looked
                .judgement
                .refusals()
                .filter(|(_, refusal)| refusal.step == crate::rules::Step::Event)
            {
                output.warning(&format!(
                    "[Configuration{rule}] wrote no event for {}: {}",
                    named(looked),
                    one_line(&refusal.detail)
                ));
            }
        } else {
            self.report.rejected += 1;
            let reason = reason(&self.settings.audit, &looked.judgement);
            self.audit
                .rejected(&values, &reason, &looked.judgement, &events, now);
            output.line(&format!(
                "rejected: {} -> {}",
                named(looked),
                one_line(&reason)
            ));
        }
    }

    fn tell_failed(&mut self, mail: &str, reason: &str, output: &mut Output) {
        self.report.failed += 1;
        output.line(&format!("failed: {mail} -> {}", one_line(reason)));
        output.error(&format!(
            "mail {mail}: {}. It stays on the server and is tried again in the next run",
            one_line(reason)
        ));
    }

    /// Deletes what this run, or one before it that was cut off, is done with.
    fn delete(
        &mut self,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
        output: &Output,
    ) -> anyhow::Result<()> {
        let doomed: Vec<MailId> = journal.state().doomed().cloned().collect();
        if doomed.is_empty() {
            return Ok(());
        }
        if self.settings.general.delete == Delete::None {
            journal.deleted(&doomed);
            return Ok(());
        }
        let deletion = mailbox.delete(&doomed)?;
        self.report.deleted += deletion.deleted.len();
        if !deletion.marked.is_empty() {
            output.warning(&format!(
                "{} marked as deleted and not removed: the server has no UIDPLUS, and removing them could remove mails that \
                 somebody else has marked",
                count(deletion.marked.len(), "mail")
            ));
        }
        journal.deleted(deletion.deleted.iter().chain(&deletion.marked));
        Ok(())
    }
}

/// A mail's name in the job output: who sent it and what it is about.
fn named(looked: &Looked) -> String {
    let envelope = &looked.summary.envelope;
    let sender = if envelope.sender.address.is_empty() {
        "(no sender)"
    } else {
        &envelope.sender.address
    };
    format!(
        "{} \"{}\"",
        short(sender, 80),
        short(&envelope.subject, 100)
    )
}

/// The configurations that matched.
fn configurations(judgement: &Judgement) -> String {
    let mut numbers: Vec<u32> = judgement.matches().map(|(rule, _)| rule).collect();
    numbers.dedup();
    numbers
        .iter()
        .map(|number| format!("Configuration{number}"))
        .collect::<Vec<_>>()
        .join(", ")
}
