//! Looking at mails: the mailbox is asked for summaries, and for more only where a rule wants more.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::recognise::{Handled, Recognised, looks_of};
use super::save::Plan;
use crate::audit::clean::short;
use crate::clock;
use crate::events::{Signature, TokenValues};
use crate::journal::Looks;
use crate::mailbox::{MailId, Mailbox, Query, Summary};
use crate::message::part::LONGEST_NAMES;
use crate::message::{Content, Fault};
use crate::rules::{Files, Head, Judgement, Match, Needs, Rule, judge, mail_values, match_values};

/// Mails whose contents are held in memory at a time, in bytes of their size on the server.
const CONTENT_BATCH: u64 = 16 * 1024 * 1024;

/// A mail that was looked at.
#[derive(Debug)]
pub(super) struct Looked {
    /// What the mailbox says of it.
    pub(super) summary: Summary,
    /// Its attachments, as far as a rule wanted to know; its body is dropped again.
    pub(super) content: Content,
    /// Where it will be saved.
    pub(super) files: Files,
    /// What the rules say.
    pub(super) judgement: Judgement,
}

impl Looked {
    /// What the tokens of `[Audit]` stand for: those of the mail, and of its first match or else of
    /// the configuration whose reason counts.
    pub(super) fn values(&self) -> TokenValues<'_> {
        match self.judgement.matches().next() {
            Some((rule, found)) => self.values_of(rule, found),
            None => TokenValues {
                configuration: self.judgement.reason().map(|(rule, _)| rule),
                ..mail_values(&head(&self.summary))
            },
        }
    }

    /// The same for one of its matches.
    pub(super) fn values_of(&self, rule: u32, found: &Match) -> TokenValues<'_> {
        let head = head(&self.summary);
        match_values(rule, found, &head, &self.content, &self.files)
    }
}

/// Mails that were not looked at, and how to recognise them under other names.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) mails: Vec<(MailId, Looks)>,
    /// So many of them because they were handled under other names.
    pub(super) known: usize,
    /// These names, as far as they are remembered.
    pub(super) former: Vec<MailId>,
    /// So many were listed and were not there any more.
    pub(super) vanished: usize,
}

/// Receives what was looked at, one mail at a time.
pub(super) type Take<'a> =
    dyn FnMut(&mut dyn Mailbox, MailId, Result<Looked, Fault>) -> anyhow::Result<()> + 'a;

/// What looks at mails.
#[derive(Debug)]
pub(super) struct Eye<'a> {
    /// The rules to ask.
    pub(super) rules: &'a [Rule],
    /// The credentials of events, for their length.
    pub(super) signature: &'a Signature,
    /// Where accepted mails are saved, if they are.
    pub(super) plan: Option<&'a Plan>,
    /// Mails received before this are passed over.
    pub(super) since: Option<DateTime<Utc>>,
    /// What was handled in earlier runs.
    pub(super) handled: Handled,
}

impl Eye<'_> {
    /// Looks at these mails and hands each over, in order, together with the mailbox, which is free
    /// for other use at that moment. Gives those that were not looked at.
    pub(super) fn look(
        &mut self,
        mailbox: &mut dyn Mailbox,
        ids: &[MailId],
        take: &mut Take<'_>,
    ) -> anyhow::Result<Passed> {
        let mut passed = Passed::default();
        let mut batch: Vec<(MailId, Result<Summary, Fault>, Needs)> = Vec::new();
        let mut bytes = 0;
        let summaries = mailbox.summaries(ids)?;
        passed.vanished = ids.len().saturating_sub(summaries.len());
        for (id, summary) in summaries {
            if let Ok(summary) = &summary {
                let is_old = self.since.is_some_and(|since| summary.received < since);
                let recognised = if is_old {
                    None
                } else {
                    self.handled.recognise(summary)
                };
                if is_old || recognised.is_some() {
                    passed.mails.push((id, looks_of(summary)));
                    if let Some(Recognised::ByLooks(former)) = recognised {
                        passed.known += 1;
                        passed.former.extend(former);
                    }
                    continue;
                }
            }
            let needs = summary
                .as_ref()
                .map(|summary| self.needs(summary))
                .unwrap_or_default();
            let size = summary.as_ref().map_or(0, |summary| summary.size);
            let cost = match needs {
                Needs { text: true, .. } => size,
                needs if needs.any() => size.min(LONGEST_NAMES as u64),
                _ => 0,
            };
            bytes = cost.saturating_add(bytes);
            if bytes > CONTENT_BATCH && !batch.is_empty() {
                self.judge_batch(mailbox, std::mem::take(&mut batch), take)?;
                bytes = cost;
            }
            batch.push((id, summary, needs));
        }
        self.judge_batch(mailbox, batch, take)?;
        Ok(passed)
    }

    fn needs(&self, summary: &Summary) -> Needs {
        let head = head(summary);
        self.rules
            .iter()
            .fold(Needs::default(), |needs, rule| needs.and(rule.needs(&head)))
    }

    fn judge_batch(
        &self,
        mailbox: &mut dyn Mailbox,
        batch: Vec<(MailId, Result<Summary, Fault>, Needs)>,
        take: &mut Take<'_>,
    ) -> anyhow::Result<()> {
        let queries: Vec<Query> = batch
            .iter()
            .filter(|(_, summary, needs)| summary.is_ok() && needs.any())
            .map(|(id, _, needs)| Query {
                id: id.clone(),
                text: needs.text,
            })
            .collect();
        let mut contents: HashMap<MailId, Result<Content, Fault>> = if queries.is_empty() {
            HashMap::new()
        } else {
            mailbox.contents(&queries)?.into_iter().collect()
        };
        for (id, summary, needs) in batch {
            let content = match contents.remove(&id) {
                Some(content) => content,
                // It was asked for and has vanished in the meantime.
                None if summary.is_ok() && needs.any() => continue,
                None => Ok(Content::default()),
            };
            let looked =
                summary.and_then(|summary| content.map(|content| self.judge(summary, content)));
            take(mailbox, id, looked)?;
        }
        Ok(())
    }

    fn judge(&self, summary: Summary, mut content: Content) -> Looked {
        let files = self
            .plan
            .map(|plan| plan.files(&summary, &content.attachments))
            .unwrap_or_default();
        let judgement = judge(
            self.rules,
            &head(&summary),
            &content,
            &files,
            self.signature,
        );
        content.body = None;
        Looked {
            summary,
            content,
            files,
            judgement,
        }
    }
}

/// A mail's name in the job output.
pub(super) fn named(looked: &Looked) -> String {
    title(&looked.summary)
}

/// Who sent a mail and what it is about.
pub(super) fn title(summary: &Summary) -> String {
    let envelope = &summary.envelope;
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

/// The same of mails that are no more than ids. These are for people: where one can't be had, the
/// id has to do.
pub(super) fn titles(mailbox: &mut dyn Mailbox, ids: &[MailId]) -> HashMap<MailId, String> {
    let summaries = mailbox.summaries(ids).unwrap_or_default().into_iter();
    let titles = summaries.filter_map(|(id, summary)| Some((id, title(&summary.ok()?))));
    titles.collect()
}

fn head(summary: &Summary) -> Head<'_> {
    Head {
        envelope: &summary.envelope,
        received: summary.received,
        received_local: clock::to_local(summary.received),
    }
}
