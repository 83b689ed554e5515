//! Notices go out: those of this run and those that earlier ones have left.
//!
//! Each is sent once at the most. See the journal's `notices` for what is known of it when, and why.

use chrono::{DateTime, TimeDelta, Utc};

use super::output::Output;
use crate::audit::clean::short;
use crate::clock;
use crate::config::{Outbound, Settings};
use crate::crash::point;
use crate::journal::{Journal, Notice};
use crate::message::notice_id::notice_id;
use crate::send::{
    Address, Answered, Body, Delivery, Error, Mail, Outbox, Person, Priority, Refusal,
};

/// After so many notices in a row that found the server away or out of order the others are left
/// alone: each of them may take all the time there is. After one alone it may have been the notice
/// itself.
const MOST_LOSSES: usize = 2;

/// A notice that could not be sent for so long is given up.
const PATIENCE: TimeDelta = TimeDelta::days(1);

/// What became of the notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// The server has taken them.
    pub(super) sent: usize,
    /// It has not: they wait, or were given up.
    pub(super) failed: usize,
    /// Nobody knows.
    pub(super) unsure: usize,
}

/// Sends what is due. Only a journal that can't be written ends it early.
pub(super) fn send_due(
    settings: &Settings,
    journal: &mut Journal,
    now: DateTime<Utc>,
    output: &mut Output,
) -> anyhow::Result<Tally> {
    let mut sending = Sending {
        now,
        output,
        tally: Tally::default(),
        waiting: Vec::new(),
    };
    sending.tell_unsure(journal)?;
    let due: Vec<Notice> = journal.notices().due().cloned().collect();
    match &settings.outbound {
        _ if due.is_empty() => {}
        Some(outbound) => sending.send(outbound, &due, journal)?,
        None => {
            let why = if settings.audit.notices.wanted() {
                // How, has been told.
                "the settings for it can't be used"
            } else {
                "[Audit] asks for none, and there is no [smtp-client] that can be used"
            };
            sending.keep(&due, why, journal);
            sending.tell_waiting(true);
            journal.sync()?;
        }
    }
    Ok(sending.tally)
}

/// Notices on their way out.
struct Sending<'a> {
    now: DateTime<Utc>,
    output: &'a mut Output,
    tally: Tally,
    /// Those that wait for another run, by name, and why.
    waiting: Vec<(String, String)>,
}

impl Sending<'_> {
    /// Those that were going out when a run was interrupted.
    fn tell_unsure(&mut self, journal: &mut Journal) -> anyhow::Result<()> {
        let unsure: Vec<Notice> = journal.notices().going().cloned().collect();
        for notice in &unsure {
            self.tally.unsure += 1;
            self.output.warning(&format!(
                "{} was going out when a run was interrupted; it may have arrived and is not repeated",
                named(notice)
            ));
            journal.notice_tried(&notice.id, Vec::new());
        }
        Ok(journal.sync()?)
    }

    fn send(
        &mut self,
        outbound: &Outbound,
        due: &[Notice],
        journal: &mut Journal,
    ) -> anyhow::Result<()> {
        let outbox = Outbox::new(outbound.service.clone(), outbound.trace.clone());
        let mut losses = 0;
        // What is noted as going out is what goes out at the same time, and nothing that waits.
        let mut chunks = due.chunks(outbound.service.at_once());
        while let Some(chunk) = chunks.next() {
            let mails: Vec<Mail> = chunk
                .iter()
                .map(|notice| mail(notice, &outbound.from))
                .collect();
            let ids = chunk.iter().map(|notice| notice.id.clone());
            journal.notices_going(ids.collect())?;
            point("notifying");
            let results = outbox.send(&mails);
            point("notified");
            let mut failure = common_failure(&results);
            for (notice, result) in chunk.iter().zip(results) {
                let left = match result {
                    Err(error) if error.has_bad_recipient() && notice.to.len() > 1 => {
                        let (left, lost) = self.send_apart(&outbox, notice, &outbound.from);
                        failure = failure.or(lost);
                        left
                    }
                    result => self.judge(notice, result),
                };
                journal.notice_tried(&notice.id, left);
            }
            losses = match &failure {
                None => 0,
                // Another attempt could lock the account.
                Some(error) if error.is_authentication() => MOST_LOSSES,
                Some(_) => losses + chunk.len(),
            };
            match failure {
                None => self.tell_waiting(false),
                Some(error) if losses >= MOST_LOSSES => {
                    let cause = error.to_string();
                    chunks
                        .by_ref()
                        .for_each(|chunk| self.keep(chunk, &cause, journal));
                }
                Some(_) => {}
            }
            journal.sync()?;
            point("noticed");
        }
        self.tell_waiting(true);
        for warning in outbox.warnings() {
            self.output.warning(&warning.to_string());
        }
        outbox.close();
        Ok(())
    }

    /// Sends a notice to each recipient by itself, as one of them keeps it from all. The addresses
    /// that are left for another attempt, and why not all of them were tried.
    fn send_apart(
        &mut self,
        outbox: &Outbox,
        notice: &Notice,
        from: &Address,
    ) -> (Vec<String>, Option<Error>) {
        let to_some = |some: &[String]| Notice {
            to: some.to_vec(),
            ..notice.clone()
        };
        let mut left = Vec::new();
        let mut rest = &notice.to[..];
        while let Some((next, others)) = rest.split_first() {
            rest = others;
            let alone = to_some(std::slice::from_ref(next));
            let results = outbox.send(&[mail(&alone, from)]);
            let lost = common_failure(&results);
            for result in results {
                left.extend(self.judge(&alone, result));
            }
            if let Some(lost) = lost {
                if !rest.is_empty() {
                    self.tally.failed += 1;
                    left.extend(self.again(&to_some(rest), rest.to_vec(), &lost.to_string()));
                }
                return (left, Some(lost));
            }
        }
        (left, None)
    }

    /// Tells what became of a notice. The addresses that are left for another attempt.
    fn judge(&mut self, notice: &Notice, result: Result<Delivery, Error>) -> Vec<String> {
        match result {
            Ok(Delivery { refused, .. }) => {
                self.tally.sent += 1;
                self.refused(notice, refused)
            }
            Err(error) if error.may_have_arrived() => {
                self.tally.unsure += 1;
                let name = named(notice);
                self.output
                    .warning(&format!("{name}: {error}. It is not repeated"));
                Vec::new()
            }
            Err(Error::NobodyTook(refused)) => {
                self.tally.failed += 1;
                self.refused(notice, refused)
            }
            Err(error) if error.is_unfit() => {
                self.tally.failed += 1;
                self.output.error(&format!(
                    "{} is given up: {error}. See its words and its recipients in [Audit], and ask the server's \
                     administrator what is refused",
                    named(notice)
                ));
                Vec::new()
            }
            Err(error) => {
                self.tally.failed += 1;
                self.again(notice, notice.to.clone(), &error.to_string())
            }
        }
    }

    /// Some recipients were refused: for good, or for another attempt.
    fn refused(&mut self, notice: &Notice, refused: Vec<Refusal>) -> Vec<String> {
        let (later, never): (Vec<_>, Vec<_>) =
            refused.into_iter().partition(|refusal| refusal.transient);
        for Refusal {
            recipient, answer, ..
        } in never
        {
            let name = named(notice);
            self.output.error(&format!(
                "{name}: {recipient} was refused for good: {answer}"
            ));
        }
        let Some(Refusal { answer, .. }) = later.first() else {
            return Vec::new();
        };
        let cause = format!("refused for now: {answer}");
        let left = later.iter().map(|refusal| refusal.recipient.clone());
        self.again(notice, left.collect(), &cause)
    }

    /// These addresses wait for another run, unless it has been tried for long enough.
    fn again(&mut self, notice: &Notice, left: Vec<String>, cause: &str) -> Vec<String> {
        let made = DateTime::from_timestamp(notice.at, 0).unwrap_or(self.now);
        if self.now - made > PATIENCE {
            self.output.error(&format!(
                "{} could not be sent for a day and is given up: {cause}",
                named(notice)
            ));
            return Vec::new();
        }
        self.waiting.push((named(notice), cause.to_owned()));
        left
    }

    /// These are not tried at all in this run.
    fn keep(&mut self, notices: &[Notice], cause: &str, journal: &mut Journal) {
        for notice in notices {
            self.tally.failed += 1;
            if self.again(notice, notice.to.clone(), cause).is_empty() {
                journal.notice_tried(&notice.id, Vec::new());
            }
        }
    }

    /// Names those that wait; in one line if it is the server that is at fault.
    fn tell_waiting(&mut self, together: bool) {
        let waiting = std::mem::take(&mut self.waiting);
        if let (true, Some((_, cause))) = (together, waiting.first()) {
            let waiting = match waiting.len() {
                1 => "1 notice waits and is".to_owned(),
                number => format!("{number} notices wait and are"),
            };
            self.output.error(&format!(
                "notices can't be sent: {cause}. {waiting} tried again in later runs"
            ));
            return;
        }
        for (name, cause) in waiting {
            self.output
                .error(&format!("{name}: {cause}. It is tried again in later runs"));
        }
    }
}

/// Why all of them failed, if it is the server or the log-in that is at fault.
fn common_failure(results: &[Result<Delivery, Error>]) -> Option<Error> {
    let at_fault = |error: &Error| {
        error.is_connection() || error.is_service_fault() || error.is_authentication()
    };
    let all = results
        .iter()
        .all(|result| result.as_ref().err().is_some_and(at_fault));
    let first = results.iter().find_map(|result| result.as_ref().err());
    first.filter(|_| all).map(Error::for_others)
}

/// The notice as a mail. It is the same for each attempt.
fn mail(notice: &Notice, from: &Address) -> Mail {
    let person = |address: Address| Person {
        name: String::new(),
        address,
    };
    let made = DateTime::from_timestamp(notice.at, 0).unwrap_or_default();
    let to = notice.to.iter().filter_map(|to| Address::parse(to).ok());
    Mail {
        from: person(from.clone()),
        to: to.map(person).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        served: Vec::new(),
        subject: notice.subject.clone(),
        body: Body::Text(notice.body.clone()),
        attachments: Vec::new(),
        priority: Priority::default(),
        read_receipt: false,
        delivery_receipt: false,
        answers: Some(Answered {
            message_id: notice.answers.clone(),
        }),
        message_id: notice_id(&notice.id, from.domain()),
        date: clock::with_offset(made),
    }
}

/// A notice's name in the job output.
fn named(notice: &Notice) -> String {
    let to = notice.to.join(", ");
    format!(
        "the notice to {} \"{}\"",
        short(&to, 100),
        short(&notice.subject, 100)
    )
}
