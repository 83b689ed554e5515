//! The order in which events become real. Read [`Commit::batch`]: everything about "exactly once"
//! hangs on it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::look::{Looked, named};
use super::output::Output;
use super::save::{Plan, SaveError};
use crate::crash::point;
use crate::events::spool::Spool;
use crate::events::{EventLine, Signature};
use crate::journal::{Intent, Journal, Looks, Notice};
use crate::mailbox::{MailId, Mailbox};
use crate::message::Limits;

/// A mail on its way into MSGIN.
#[derive(Debug)]
pub(super) struct Job {
    /// The mail.
    pub(super) looked: Looked,
    /// The events of its rejection: the `RejectEvent`, or nothing.
    pub(super) rejection: Vec<EventLine>,
    /// It is to be saved.
    pub(super) save: bool,
    /// It is to be deleted when its part is done.
    pub(super) delete: bool,
    /// How to recognise it under another number, in a mailbox that numbers its mails.
    pub(super) seen: Option<Looks>,
    /// What people are told about it.
    pub(super) notice: Option<Notice>,
}

impl Job {
    /// About how much memory it takes while it waits, in bytes.
    pub(super) fn cost(&self) -> usize {
        let events: usize = self.lines().map(|line| 2 * line.as_str().len() + 300).sum();
        let matches = self.looked.judgement.matches();
        let captures: usize = matches.map(|(_, found)| found.captures.cost()).sum();
        let names: usize = self
            .looked
            .content
            .attachments
            .iter()
            .map(|file| 4 * file.name.len() + 500)
            .sum();
        // It is recorded twice, as text.
        let notice = self.notice.as_ref().map_or(0, |notice| 4 * notice.cost());
        events + captures + names + notice
    }

    /// What it writes: its events when it was accepted, else those of its rejection.
    pub(super) fn lines(&self) -> impl Iterator<Item = &EventLine> {
        self.looked.judgement.events().chain(&self.rejection)
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The mails whose part is done.
    pub(super) done: Vec<Job>,
    /// Those that failed by themselves, and why.
    pub(super) failed: Vec<(Job, String)>,
}

/// Makes batches of mails real.
#[derive(Debug)]
pub(super) struct Commit<'a> {
    /// Where event files go.
    pub(super) spool: &'a Spool,
    /// Where mails are saved, if they are.
    pub(super) plan: Option<&'a Plan>,
    /// The credentials of events.
    pub(super) signature: &'a Signature,
    /// The bounds on one mail.
    pub(super) limits: Limits,
    /// When the run began; leads the names of event files.
    pub(super) began: DateTime<Utc>,
    /// The INI file's own name: event files of several may meet in one MSGIN.
    pub(super) tag: &'a str,
    /// Event files so far.
    pub(super) files: usize,
}

impl Commit<'_> {
    /// Takes a batch through all steps. A crash between any two of them loses nothing and doubles
    /// nothing, because the next run finds out from the journal and the staging folder how far each
    /// mail had come ([`recover`]).
    pub(super) fn batch(
        &mut self,
        jobs: Vec<Job>,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
    ) -> anyhow::Result<Outcome> {
        // 1. The copies are on disk.
        let Outcome { done: jobs, failed } = self.save(jobs, mailbox)?;
        point("saved");
        // 2. The event files are complete, outside MSGIN.
        let mut staged: Vec<(PathBuf, Intent)> = Vec::new();
        for job in jobs.iter().filter(|job| job.lines().next().is_some()) {
            staged.push(self.stage(job)?);
            point("staging");
        }
        self.spool.sync_staging()?;
        point("staged");
        // 3. The journal knows what is about to happen. From here on the events will be
        //    submitted, by this run or the next.
        journal.intend(staged.iter().map(|(_, intent)| intent))?;
        point("intended");
        // 4. They are submitted.
        for (path, _) in &staged {
            self.spool.submit(path)?;
            point("submitting");
        }
        self.spool.sync_msgin()?;
        point("submitted");
        // 5. The journal knows that it has happened, what may be deleted now, and which notices are
        //    due. (Those of an intent are due as well when the next run finishes it.)
        for job in &jobs {
            journal.handled(&job.looked.summary.id, job.seen.clone(), job.notice.clone());
            if job.delete {
                journal.doom(&job.looked.summary.id);
            }
        }
        for (job, reason) in &failed {
            journal.failed(&job.looked.summary.id, &named(&job.looked), reason);
        }
        journal.sync()?;
        point("recorded");
        Ok(Outcome { done: jobs, failed })
    }

    /// Fetches and saves what is to be saved. A mail that can't be saved by itself is taken out of
    /// the batch; a disk that refuses ends the run.
    fn save(&self, jobs: Vec<Job>, mailbox: &mut dyn Mailbox) -> anyhow::Result<Outcome> {
        let looked: HashMap<&MailId, &Looked> = jobs
            .iter()
            .filter(|job| job.save)
            .map(|job| (&job.looked.summary.id, &job.looked))
            .collect();
        let (Some(plan), false) = (self.plan, looked.is_empty()) else {
            return Ok(Outcome {
                done: jobs,
                failed: Vec::new(),
            });
        };
        let wanted: Vec<MailId> = jobs
            .iter()
            .map(|job| &job.looked.summary.id)
            .filter(|id| looked.contains_key(id))
            .cloned()
            .collect();
        let mut results: HashMap<MailId, Result<(), String>> = HashMap::new();
        let mut disk: Option<SaveError> = None;
        mailbox.raw(&wanted, &mut |id, bytes| {
            let (Some(looked), None) = (looked.get(id), &disk) else {
                return;
            };
            let saved = bytes
                .map_err(SaveError::from)
                .and_then(|bytes| plan.save(looked, &bytes, &self.limits));
            match saved {
                Err(error @ SaveError::File { .. }) => disk = Some(error),
                other => drop(results.insert(id.clone(), other.map_err(|error| error.to_string()))),
            }
        })?;
        if let Some(error) = disk {
            return Err(error).context("[General] DownloadFolder: the mails stay on the server");
        }
        plan.sync().context("can't sync [General] DownloadFolder")?;
        let mut outcome = Outcome::default();
        for job in jobs {
            match results.remove(&job.looked.summary.id) {
                Some(Err(reason)) => outcome.failed.push((job, reason)),
                None if job.save => {
                    outcome
                        .failed
                        .push((job, "the mailbox did not deliver it".to_owned()));
                }
                _ => outcome.done.push(job),
            }
        }
        Ok(outcome)
    }

    /// Writes a mail's event file into the staging folder.
    fn stage(&mut self, job: &Job) -> anyhow::Result<(PathBuf, Intent)> {
        let lines: Vec<_> = job
            .lines()
            .map(|line| line.with_credentials(self.signature))
            .collect();
        self.files += 1;
        let path = self.spool.stage(&self.file_name(), &lines)?;
        let id = job.looked.summary.id.clone();
        let file = path.display().to_string();
        Ok((
            path,
            Intent {
                id,
                file,
                delete: job.delete,
                seen: job.seen.clone(),
                notice: job.notice.clone(),
            },
        ))
    }

    /// A name that sorts in the order of processing.
    fn file_name(&self) -> String {
        format!(
            "smartemail-{}-{:06}-{}.txt",
            self.began.format("%Y%m%dT%H%M%S%3fZ"),
            self.files,
            self.tag
        )
    }
}

/// Finishes what an interrupted run had begun: an intent whose file is still staged is submitted
/// now, one whose file is gone was submitted then, and a staged file without intent never counted
/// (its mail comes again). That run may have been on another mailbox: `-folder:` or an edited INI
/// file.
pub(super) fn recover(spool: &Spool, journal: &mut Journal, output: &Output) -> anyhow::Result<()> {
    let intents = journal.unfinished();
    let mut staged = Vec::new();
    for (_, intent) in &intents {
        staged.extend(spool.find(Path::new(&intent.file))?);
    }
    let removed = spool.clear(&staged)?;
    for path in &staged {
        spool.submit(path)?;
    }
    if !staged.is_empty() {
        spool.sync_msgin()?;
    }
    let begun = intents.len();
    for (mailbox, intent) in intents {
        journal.finish(&mailbox, intent);
    }
    journal.sync()?;
    if begun > 0 || removed > 0 {
        output.line(&format!(
            "recovered: an earlier run was interrupted; {} submitted now, {} had been, {removed} unfinished removed",
            super::report::count(staged.len(), "event file"),
            begun - staged.len(),
        ));
    }
    Ok(())
}
