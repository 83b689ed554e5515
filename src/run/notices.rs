//! The notices that a run makes, and how many a sender gets.
//!
//! A notice is made when its mail is judged and recorded together with the mail's events; it goes
//! out when everything else is done (`sending`).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::look::{Looked, named};
use super::output::Output;
use crate::audit::notice::{Draft, Withheld};
use crate::audit::{AuditSettings, reason};
use crate::events::{EventLine, TokenValues};
use crate::journal::{self, Notice};
use crate::message::notice_id::notice_name;

/// Notices that wait to be sent take no more memory than about this, in bytes.
const MOST_WAITING: usize = 16 * 1024 * 1024;

/// What becomes of the notice of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// None is asked for.
    Unwanted,
    /// This one is made.
    Made(Draft),
    /// Nobody may be told.
    Withheld(Withheld),
    /// The sender has had enough of them within the hour.
    Limited,
}

/// Makes notices.
#[derive(Clone, Debug)]
pub(super) struct Notices<'a> {
    audit: &'a AuditSettings,
    began: DateTime<Utc>,
    /// Goes into their names; the mailbox's own.
    mailbox: &'a str,
    /// Notices of this hour by senders, as far as they were asked for.
    counts: HashMap<String, usize>,
    made: usize,
    /// What those that wait take, in bytes.
    waiting: usize,
    is_full: bool,
    /// Those that the limit kept back.
    pub(super) suppressed: usize,
}

impl<'a> Notices<'a> {
    /// Nothing has been made yet.
    pub(super) fn new(
        audit: &'a AuditSettings,
        known: &journal::Notices,
        mailbox: &'a str,
        began: DateTime<Utc>,
    ) -> Self {
        Self {
            audit,
            began,
            mailbox,
            counts: HashMap::new(),
            made: 0,
            waiting: known.cost(),
            is_full: false,
            suppressed: 0,
        }
    }

    /// Decides on the notice of a mail, which counts against its sender's limit. `rejection` holds the
    /// events that a rejection writes; those of an accepted mail are in its judgement.
    pub(super) fn decide(
        &mut self,
        looked: &Looked,
        rejection: &[EventLine],
        known: &journal::Notices,
        output: &mut Output,
    ) -> Decision {
        let settings = &self.audit.notices;
        let accepted = looked.judgement.is_accepted();
        let form = if accepted {
            &settings.on_accept
        } else {
            &settings.on_reject
        };
        let Some(form) = form else {
            return Decision::Unwanted;
        };
        let events = looked.judgement.events().chain(rejection);
        let events: Vec<&str> = events.map(EventLine::as_str).collect();
        let events = events.join("\n");
        let reason = if accepted {
            String::new()
        } else {
            reason(self.audit, &looked.judgement)
        };
        let values = TokenValues {
            event: Some(&events),
            reason: Some(&reason),
            ..looked.values()
        };
        let unusable = |text: &str| {
            let mail = named(looked);
            output.error(&format!(
                "the notice about {mail} can't go to \"{text}\": that is no mail address ([Audit] {})",
                if accepted { "NotifyOnAcceptTo" } else { "NotifyOnRejectTo" }
            ));
        };
        let envelope = &looked.summary.envelope;
        match settings.draft(form, envelope, &values, unusable) {
            Err(withheld) => Decision::Withheld(withheld),
            Ok(_) if !accepted && !self.admit(&envelope.sender.address, known) => Decision::Limited,
            Ok(draft) => Decision::Made(draft),
        }
    }

    /// Makes the notice of a mail, if there is to be one.
    pub(super) fn make(
        &mut self,
        looked: &Looked,
        rejection: &[EventLine],
        known: &journal::Notices,
        output: &mut Output,
    ) -> Option<Notice> {
        let draft = match self.decide(looked, rejection, known, output) {
            Decision::Made(draft) => draft,
            Decision::Limited => {
                self.suppressed += 1;
                return None;
            }
            Decision::Withheld(why @ Withheld::AnswersNotice) => {
                output.line(&format!("no notice: {}: {why}", named(looked)));
                return None;
            }
            Decision::Unwanted | Decision::Withheld(_) => return None,
        };
        let sender = looked.summary.envelope.sender.address.to_lowercase();
        let notice = Notice {
            id: self.name(looked),
            to: draft.to.iter().map(ToString::to_string).collect(),
            subject: draft.subject,
            body: draft.body,
            answers: looked.summary.envelope.message_id.clone(),
            at: self.began.timestamp(),
            counts_for: (!looked.judgement.is_accepted()).then_some(sender),
        };
        if self.waiting + notice.cost() > MOST_WAITING {
            if !std::mem::replace(&mut self.is_full, true) {
                output.error(
                    "too many notices wait to be sent; this run makes no more of them. See why they can't be sent",
                );
            }
            return None;
        }
        self.waiting += notice.cost();
        self.made += 1;
        Some(notice)
    }

    /// Whether this sender may have another notice, which is counted then.
    fn admit(&mut self, sender: &str, known: &journal::Notices) -> bool {
        let sender = sender.to_lowercase();
        let now = self.began.timestamp();
        let before = known.in_the_last_hour(&sender, now);
        let count = self.counts.entry(sender).or_insert(before);
        let admitted = *count < self.audit.notices.limit;
        *count += usize::from(admitted);
        admitted
    }

    /// A name that sorts in the order of processing and that no other notice has.
    fn name(&self, looked: &Looked) -> String {
        let digest = Sha256::new()
            .chain_update(self.mailbox.as_bytes())
            .chain_update([0])
            .chain_update(looked.summary.id.as_str())
            .finalize();
        notice_name(self.began, self.made, &digest)
    }
}
