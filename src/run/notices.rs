//! The notices that a run makes, and how many a sender gets.
//!
//! A notice is made when its mail is judged and recorded together with the mail's events; it goes
//! out when everything else is done (`sending`).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::look::{Looked, named};
use super::output::Output;
use super::report::count;
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
    /// There were enough of them within the hour.
    Limited(Limit),
}

/// How many rejections bring a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// `NotifyLimitPerSenderPerHour`.
    Sender,
    /// `NotifyLimitPerHour`.
    All,
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
    /// Notices of this hour to all senders that have a limit.
    count_of_all: usize,
    made: usize,
    /// What those that wait take, in bytes.
    waiting: usize,
    /// Those that a limit kept back.
    pub(super) suppressed: usize,
    /// Those of them for which there was no room.
    left_out: usize,
    /// Those of them that were too many for all senders together.
    crowded_out: usize,
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
            count_of_all: known.of_all_in_the_last_hour(began.timestamp()),
            made: 0,
            waiting: known.cost(),
            suppressed: 0,
            left_out: 0,
            crowded_out: 0,
        }
    }

    /// Decides on the notice of a mail, which counts against the limits. `rejection` holds the
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
        let envelope = &looked.summary.envelope;
        if let Some(why) = settings.withheld(envelope, accepted) {
            return Decision::Withheld(why);
        }
        if !accepted && let Err(limit) = self.admit(&envelope.sender.address, known) {
            return Decision::Limited(limit);
        }
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
        let unusable = |text: &str, by_mail: bool| {
            let mail = named(looked);
            let said = format!(
                "the notice about {mail} can't go to \"{text}\": that is no mail address ([Audit] {})",
                if accepted {
                    "NotifyOnAcceptTo"
                } else {
                    "NotifyOnRejectTo"
                }
            );
            // No run fails by what can be no address at all in a mail.
            if by_mail {
                output.warning(&said);
            } else {
                output.error(&said);
            }
        };
        match settings.draft(form, &values, unusable) {
            Err(withheld) => Decision::Withheld(withheld),
            Ok(draft) => {
                self.count_of_all += usize::from(!accepted);
                Decision::Made(draft)
            }
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
            Decision::Limited(limit) => {
                self.suppressed += 1;
                self.crowded_out += usize::from(limit == Limit::All);
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
            tries: 0,
        };
        if self.waiting + notice.cost() > MOST_WAITING {
            self.suppressed += 1;
            self.left_out += 1;
            let mail = named(looked);
            output.line(&format!("no notice: {mail}: too many wait to be sent"));
            return None;
        }
        self.waiting += notice.cost();
        self.made += 1;
        Some(notice)
    }

    /// Whether this sender may have another notice, which is counted for him then: whom no mail
    /// reaches is not told of again and again.
    fn admit(&mut self, sender: &str, known: &journal::Notices) -> Result<(), Limit> {
        let settings = &self.audit.notices;
        let sender = sender.to_lowercase();
        let now = self.began.timestamp();
        let before = known.in_the_last_hour(&sender, now);
        let count = self.counts.entry(sender).or_insert(before);
        if *count >= settings.limit {
            return Err(Limit::Sender);
        }
        if self.count_of_all >= settings.limit_of_all {
            return Err(Limit::All);
        }
        *count += 1;
        Ok(())
    }

    /// Tells of those that were too many: to wait, or for all senders together.
    pub(super) fn tell_crowd(&self, output: &mut Output) {
        if self.left_out > 0 {
            output.error(&format!(
                "{} brought no notice: too many wait to be sent. See why they can't be sent",
                count(self.left_out, "mail")
            ));
        }
        if self.crowded_out > 0 {
            output.warning(&format!(
                "{} brought no notice: [Audit] NotifyLimitPerHour={} allows no more within an hour, to all senders together",
                count(self.crowded_out, "rejection"),
                self.audit.notices.limit_of_all
            ));
        }
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
