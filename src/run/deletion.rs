//! Deleting on the server what is done with.

use super::look::titles;
use super::output::Output;
use super::report::count;
use crate::audit::clean::one_line;
use crate::config::Delete;
use crate::crash::point;
use crate::journal::Journal;
use crate::mailbox::{MailId, Mailbox};

/// So many mails that can't be deleted are told one by one.
const TOLD: usize = 5;

/// Deletes what the journal says is to be deleted, unless that is not wanted any more. Counts the
/// mails that are gone, also when it is cut short.
pub(super) fn delete(
    wanted: Delete,
    mailbox: &mut dyn Mailbox,
    journal: &mut Journal,
    gone: &mut usize,
    output: &mut Output,
) -> anyhow::Result<()> {
    let doomed: Vec<MailId> = journal.state().doomed().cloned().collect();
    if doomed.is_empty() {
        return Ok(());
    }
    if wanted == Delete::None {
        journal.deleted(&doomed);
        return Ok(());
    }
    point("deleting");
    let deletion = mailbox.delete(&doomed)?;
    point("deleted");
    if !deletion.marked.is_empty() {
        output.warning(&format!(
            "{} marked as deleted and not removed: the server has no UIDPLUS, and removing them could remove mails that \
             somebody else has marked",
            count(deletion.marked.len(), "mail")
        ));
    }
    journal.deleted(deletion.deleted.iter().chain(&deletion.marked));
    journal.sync()?;
    *gone += deletion.deleted.len();
    if let Some(error) = deletion.cut_short {
        return Err(error.into());
    }
    tell_refused(&deletion.refused, mailbox, output);
    Ok(())
}

/// Tells of mails that the server keeps. They stay in the journal, so that the next run tries once
/// more.
fn tell_refused(refused: &[(MailId, String)], mailbox: &mut dyn Mailbox, output: &mut Output) {
    let (told, others) = refused.split_at(refused.len().min(TOLD));
    if told.is_empty() {
        return;
    }
    let ids: Vec<MailId> = told.iter().map(|(id, _)| id.clone()).collect();
    let titles = titles(mailbox, &ids);
    for (id, words) in told {
        let mail = titles.get(id).map_or(id.as_str(), String::as_str);
        output.error(&format!(
            "mail {mail} can't be deleted: {}. What it had to write is written, and no event is written again; the next \
             run tries to delete it once more. If that goes on, delete it by hand, or set DeleteEmails=None",
            one_line(words)
        ));
    }
    if !others.is_empty() {
        output.error(&format!(
            "{} more can't be deleted, and the same holds for them",
            count(others.len(), "mail")
        ));
    }
}
