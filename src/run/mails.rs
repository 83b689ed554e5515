//! What becomes of the mails of a run: judged, committed, told, deleted.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::brake::{Admission, Brake};
use super::commit::{Commit, Job, Outcome};
use super::deletion::delete;
use super::listing::Naming;
use super::look::{Eye, Looked, Passed, named, titles};
use super::notices::Notices;
use super::output::Output;
use super::recognise::{Handled, looks_of};
use super::report::{Report, count};
use crate::audit::clean::one_line;
use crate::audit::{AuditLog, reason};
use crate::clock;
use crate::config::{Delete, Settings};
use crate::events::{EventLine, TokenValues};
use crate::journal::Journal;
use crate::mailbox::{self, MailId, Mailbox};
use crate::message::Content;
use crate::rules::{Files, Judgement};

/// Events that wait to be committed hold no more memory than about this, in bytes.
const EVENT_MEMORY: usize = 8 * 1024 * 1024;

/// A run under way.
pub(super) struct Mails<'a> {
    settings: &'a Settings,
    now: DateTime<Utc>,
    audit: AuditLog<'a>,
    commit: Commit<'a>,
    report: Report,
    brake: Brake,
    notices: Notices<'a>,
    /// Both as they were when everything that they let through had been committed.
    settled: (Brake, Notices<'a>),
    /// The mails that failed in this run: one failure each is enough.
    failed: BTreeSet<MailId>,
    naming: Naming,
    /// When the newest mail that was looked at was received.
    newest: Option<DateTime<Utc>>,
}

impl<'a> Mails<'a> {
    /// Nothing has happened yet.
    pub(super) fn new(
        settings: &'a Settings,
        commit: Commit<'a>,
        notices: Notices<'a>,
        now: DateTime<Utc>,
    ) -> Self {
        let brake = Brake::new(settings.general.max_events, &settings.rules);
        Self {
            settings,
            now,
            naming: Naming::default(),
            audit: AuditLog::new(&settings.audit),
            settled: (brake.clone(), notices.clone()),
            brake,
            failed: BTreeSet::new(),
            commit,
            notices,
            report: Report::default(),
            newest: None,
        }
    }

    /// The mailbox is gone through from the start, perhaps once more after the connection broke:
    /// what had been let through and was not committed by then is asked about again.
    pub(super) fn begin(&mut self, naming: Naming) {
        self.naming = naming;
        (self.brake, self.notices) = self.settled.clone();
        self.report.held_back = 0;
    }

    /// What looks at mails on behalf of this run: at none received before `since`, nor at those
    /// that were `handled` before.
    pub(super) fn eye(&self, since: Option<DateTime<Utc>>, handled: Handled) -> Eye<'a> {
        Eye {
            rules: &self.settings.rules,
            signature: self.commit.signature,
            plan: self.commit.plan,
            since,
            handled,
        }
    }

    /// Whether a mail has failed in this run.
    pub(super) fn has_failed(&self, id: &MailId) -> bool {
        self.failed.contains(id)
    }

    /// What has been done so far.
    pub(super) fn report(&self) -> Report {
        Report {
            suppressed: self.notices.suppressed,
            ..self.report.clone()
        }
    }

    /// Tells of notices that were too many.
    pub(super) fn tell_crowd(&self, output: &mut Output) {
        self.notices.tell_crowd(output);
    }

    /// When the newest mail that was dealt with was received.
    pub(super) fn newest(&self) -> Option<DateTime<Utc>> {
        self.newest
    }

    /// Looks at a batch of mails and commits it, in more than one piece where its events take much
    /// memory.
    pub(super) fn batch(
        &mut self,
        ids: &[MailId],
        eye: &mut Eye<'_>,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        if self.brake.is_pulled() {
            self.report.held_back += ids.len();
            return Ok(());
        }
        let mut jobs = Vec::new();
        let mut cost = 0;
        let passed = eye.look(mailbox, ids, &mut |mailbox, id, looked| {
            match looked {
                Ok(looked) => {
                    if let Some(job) = self.admit(looked, journal, output) {
                        cost += job.cost();
                        jobs.push(job);
                    }
                }
                Err(fault) => self.fail(&id, id.as_str(), &fault.to_string(), journal, output),
            }
            if cost > EVENT_MEMORY {
                cost = 0;
                self.commit(std::mem::take(&mut jobs), mailbox, journal, output)?;
            }
            Ok(())
        })?;
        self.commit(jobs, mailbox, journal, output)?;
        if passed.vanished > 0 {
            let vanished = count(passed.vanished, "mail");
            output.line(&format!(
                "gone: {vanished}, listed by the server but no longer there"
            ));
        }
        self.pass_over(passed, journal, output);
        Ok(())
    }

    /// Sees to it that mails which are too old or were handled before are not looked at again.
    fn pass_over(&self, passed: Passed, journal: &mut Journal, output: &Output) {
        if self.naming.by_position {
            return;
        }
        for (id, seen) in passed.mails {
            journal.handled(&id, (!self.naming.lasting).then_some(seen), None);
        }
        journal.forget(&passed.former);
        if passed.known > 0 {
            output.warning(&format!(
                "{} passed over that an earlier run has handled, as Message-ID and time of receipt show: the server names them \
                 otherwise now (UIDL with POP), or has them twice",
                count(passed.known, "mail")
            ));
        }
    }

    /// Makes a job of a mail, unless the storm brake holds it back.
    fn admit(&mut self, looked: Looked, journal: &mut Journal, output: &mut Output) -> Option<Job> {
        let reject = if looked.judgement.is_accepted() {
            Some(Vec::new())
        } else {
            self.reject_event(&looked, output)
        };
        let events = looked.judgement.events().count();
        match self.brake.admit(
            &looked.judgement,
            events + reject.as_ref().map_or(0, Vec::len),
        ) {
            Admission::Write => {
                self.newest = self.newest.max(Some(looked.summary.received));
                Some(self.job(looked, reject, journal, output))
            }
            Admission::Hold(said) => {
                self.report.held_back += 1;
                if let Some(said) = said {
                    output.error(&said);
                }
                None
            }
            Admission::TooMany(why) => {
                self.fail(&looked.summary.id, &named(&looked), &why, journal, output);
                None
            }
        }
    }

    /// A mail could not be dealt with.
    fn fail(
        &mut self,
        id: &MailId,
        mail: &str,
        reason: &str,
        journal: &mut Journal,
        output: &mut Output,
    ) {
        journal.failed(id, mail, reason);
        self.tell_failed(id, mail, reason, output);
    }

    /// A mail over which the mailbox was lost has failed by itself: without it the others can be
    /// had. A mailbox that is still there may know what it is called.
    pub(super) fn blame(
        &mut self,
        error: &anyhow::Error,
        mailbox: Option<&mut dyn Mailbox>,
        journal: &mut Journal,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let (id, title, reason) = match error.downcast_ref() {
            Some(mailbox::Error::Endless {
                mail: Some(id),
                what,
                ..
            }) => (id, None, format!("it {what}")),
            Some(mailbox::Error::OneMail { mail, cause }) => {
                let ids = [mail.clone()];
                let title = mailbox.and_then(|mailbox| titles(mailbox, &ids).remove(mail));
                (mail, title, cause.to_string())
            }
            _ => return Ok(()),
        };
        if self.has_failed(id) {
            return Ok(());
        }
        let mail = title.as_deref().unwrap_or(id.as_str());
        self.fail(id, mail, &reason, journal, output);
        Ok(journal.sync()?)
    }

    fn commit(
        &mut self,
        jobs: Vec<Job>,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let Outcome { done, failed } = self.commit.batch(jobs, mailbox, journal)?;
        self.settled = (self.brake.clone(), self.notices.clone());
        for job in &done {
            self.tell_done(job, output);
        }
        for (job, reason) in &failed {
            let id = &job.looked.summary.id;
            self.tell_failed(id, &named(&job.looked), reason, output);
        }
        for error in self.audit.flush() {
            output.error(&error.to_string());
        }
        Ok(())
    }

    /// What a mail writes, and what becomes of it. `reject` is the event of its rejection; `None`
    /// when that was refused for the mail's text.
    fn job(
        &mut self,
        mut looked: Looked,
        reject: Option<Vec<EventLine>>,
        journal: &Journal,
        output: &mut Output,
    ) -> Job {
        let accepted = looked.judgement.is_accepted();
        let rejection = reject.as_deref().unwrap_or_default();
        let known = journal.notices();
        let notice = self.notices.make(&looked, rejection, known, output);
        if accepted {
            looked.judgement.shorten_captures();
        } else {
            looked.content = Content::default();
            looked.files = Files::default();
        }
        // A rejected mail might have matched a configuration that is disabled: it is kept until
        // that is mended.
        let wanted = match self.settings.general.delete {
            Delete::None => false,
            Delete::Match => accepted,
            Delete::All => accepted || self.settings.disabled_rules == 0,
        };
        let seen = (!self.naming.lasting).then(|| looks_of(&looked.summary));
        let delete = wanted && reject.is_some() && !looked.judgement.must_stay();
        Job {
            looked,
            rejection: reject.unwrap_or_default(),
            save: accepted,
            delete,
            seen,
            notice,
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
        let values = TokenValues {
            reason: Some(&reason),
            ..looked.values()
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

    fn tell_done(&mut self, job: &Job, output: &mut Output) {
        let looked = &job.looked;
        for (rule, refusal) in looked
            .judgement
            .refusals()
            .filter(|(_, refusal)| refusal.step.is_error())
        {
            let (mail, why) = (named(looked), one_line(&refusal.detail));
            output.error(&format!("[Configuration{rule}] on {mail}: {why}"));
        }
        let now = clock::to_local(self.now);
        let values = looked.values();
        let events: Vec<&EventLine> = job.lines().collect();
        self.report.events += events.len();
        if looked.judgement.is_accepted() {
            self.report.accepted += 1;
            self.report.saved += usize::from(job.save && self.commit.plan.is_some());
            self.audit.accepted(&values, &events, now);
            for (rule, found) in looked.judgement.matches() {
                let values = looked.values_of(rule, found);
                self.audit.wrote(&values, &found.events, now);
            }
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
                .rejected(&values, &reason, &looked.judgement, &job.rejection, now);
            output.line(&format!(
                "rejected: {} -> {}",
                named(looked),
                one_line(&reason)
            ));
        }
    }

    fn tell_failed(&mut self, id: &MailId, mail: &str, reason: &str, output: &mut Output) {
        self.report.failed += 1;
        self.failed.insert(id.clone());
        output.line(&format!("failed: {mail} -> {}", one_line(reason)));
        output.error(&format!(
            "mail {mail}: {}. It stays on the server and is tried again in the next run",
            one_line(reason)
        ));
    }

    /// Deletes what this run, or one before it that was cut off, is done with.
    pub(super) fn delete(
        &mut self,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let wanted = self.settings.general.delete;
        delete(wanted, mailbox, journal, &mut self.report.deleted, output)
    }
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
