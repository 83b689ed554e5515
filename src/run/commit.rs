//! The order in which events become real. Read [`Commit::batch`]: everything about "exactly once" hangs on it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::look::Looked;
use super::output::Output;
use super::save::Plan;
use crate::events::spool::Spool;
use crate::events::{EventLine, Signature};
use crate::journal::Journal;
use crate::mailbox::{MailId, Mailbox};
use crate::message::Limits;

/// A mail on its way into MSGIN.
#[derive(Debug)]
pub(super) struct Job {
    /// The mail.
    pub(super) looked: Looked,
    /// What it writes: its events when it was accepted, else the `RejectEvent`, or nothing.
    pub(super) lines: Vec<EventLine>,
    /// It is to be saved.
    pub(super) save: bool,
    /// It is to be deleted when its part is done.
    pub(super) delete: bool,
}

impl Job {
    /// About how much memory its events take, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.lines.iter().map(|line| 2 * line.as_str().len() + 300).sum()
    }
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
    /// Event files so far.
    pub(super) files: usize,
}

impl Commit<'_> {
    /// Takes a batch through all steps. A crash between any two of them loses nothing and doubles nothing, because
    /// the next run finds out from the journal and the staging folder how far each mail had come ([`recover`]).
    ///
    /// Returns the mails that are done, and those that failed by themselves with the reason.
    pub(super) fn batch(
        &mut self,
        jobs: Vec<Job>,
        mailbox: &mut dyn Mailbox,
        journal: &mut Journal,
    ) -> anyhow::Result<(Vec<Job>, Vec<(Job, String)>)> {
        // 1. The copies are on disk.
        let (jobs, failed) = self.save(jobs, mailbox)?;
        // 2. The event files are complete, outside MSGIN.
        let mut staged: Vec<(MailId, PathBuf)> = Vec::new();
        for job in jobs.iter().filter(|job| !job.lines.is_empty()) {
            let lines: Vec<_> = job.lines.iter().map(|line| line.with_credentials(self.signature)).collect();
            self.files += 1;
            staged.push((job.looked.summary.id.clone(), self.spool.stage(&self.file_name(), &lines)?));
        }
        self.spool.sync_staging()?;
        // 3. The journal knows what is about to happen. From here on the events will be submitted, by this run or the next.
        let intents: Vec<_> = staged.iter().map(|(id, path)| (id.clone(), path.display().to_string())).collect();
        journal.intend(&intents)?;
        // 4. They are submitted.
        for (_, path) in &staged {
            self.spool.submit(path)?;
        }
        self.spool.sync_msgin()?;
        // 5. The journal knows that it has happened, and what may be deleted now.
        for job in &jobs {
            journal.handled(&job.looked.summary.id);
            if job.delete {
                journal.doom(&job.looked.summary.id);
            }
        }
        for (job, reason) in &failed {
            journal.failed(&job.looked.summary.id, reason);
        }
        journal.sync()?;
        Ok((jobs, failed))
    }

    /// Fetches and saves what is to be saved; a mail that can't be is taken out of the batch.
    fn save(&self, jobs: Vec<Job>, mailbox: &mut dyn Mailbox) -> anyhow::Result<(Vec<Job>, Vec<(Job, String)>)> {
        let Some(plan) = self.plan else { return Ok((jobs, Vec::new())) };
        let wanted: Vec<MailId> = jobs.iter().filter(|job| job.save).map(|job| job.looked.summary.id.clone()).collect();
        if wanted.is_empty() {
            return Ok((jobs, Vec::new()));
        }
        let by_id: std::collections::HashMap<&MailId, &Looked> = jobs.iter().map(|job| (&job.looked.summary.id, &job.looked)).collect();
        let mut outcomes: std::collections::HashMap<MailId, Result<(), String>> = std::collections::HashMap::new();
        mailbox.raw(&wanted, &mut |id, bytes| {
            let Some(looked) = by_id.get(id) else { return };
            let saved = bytes
                .map_err(|fault| fault.to_string())
                .and_then(|bytes| plan.save(looked, &bytes, &self.limits).map_err(|error| error.to_string()));
            outcomes.insert(id.clone(), saved);
        })?;
        plan.sync().context("can't sync [General] DownloadFolder")?;
        let mut good = Vec::new();
        let mut failed = Vec::new();
        for job in jobs {
            match outcomes.remove(&job.looked.summary.id) {
                Some(Err(reason)) => failed.push((job, reason)),
                None if job.save => failed.push((job, "the server did not deliver it".to_owned())),
                _ => good.push(job),
            }
        }
        Ok((good, failed))
    }

    /// A name that sorts in the order of processing.
    fn file_name(&self) -> String {
        format!("smartemail-{}-{:06}.txt", self.began.format("%Y%m%dT%H%M%S%3fZ"), self.files)
    }
}

/// Finishes what an interrupted run had begun: an intent whose file is still staged is submitted now, one whose
/// file is gone was submitted then, and a staged file without intent never counted (its mail comes again).
pub(super) fn recover(spool: &Spool, journal: &mut Journal, output: &Output) -> anyhow::Result<()> {
    let intents: Vec<(MailId, PathBuf)> = journal.state().intents().map(|(id, file)| (id.clone(), PathBuf::from(file))).collect();
    let staged: Vec<PathBuf> = intents.iter().map(|(_, path)| path.clone()).filter(|path| path.exists()).collect();
    let removed = spool.clear(&staged)?;
    for path in &staged {
        spool.submit(path)?;
    }
    if !staged.is_empty() {
        spool.sync_msgin()?;
    }
    for (id, _) in &intents {
        journal.handled(id);
    }
    journal.sync()?;
    if !intents.is_empty() || removed > 0 {
        output.line(&format!(
            "recovered: an earlier run was interrupted; {} submitted now, {} had been, {removed} unfinished removed",
            super::report::count(staged.len(), "event file"),
            intents.len() - staged.len(),
        ));
    }
    Ok(())
}

/// A short name of an INI file for its place in the staging folder.
pub(super) fn tag(ini: &Path) -> String {
    use sha2::{Digest, Sha256};
    let path = ini.canonicalize().unwrap_or_else(|_| ini.to_path_buf());
    let digest = Sha256::digest(path.display().to_string().as_bytes());
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
