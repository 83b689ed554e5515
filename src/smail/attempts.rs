//! Sends a mail, again where that may help, and never twice to anybody.
//!
//! Each recipient has an answer of its own: those who were refused for the moment are tried again
//! alone, while the others have their mail.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use super::Failure;
use super::details;
use super::exit::Exit;
use super::log::{Level, Log};
use super::prepare::Prepared;
use super::reason;
use super::texts::{Message, Phrase, Speaker};
use crate::net::Trace;
use crate::send::{Delivery, Error, Mail, Outbox, Receipt, Refusal, Service, Warning};

/// No pause between attempts is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What somebody should know of how a mail went out, whoever got it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// How the receipt was asked for, if it was and anybody has the mail.
    pub(super) receipt: Receipt,
    pub(super) warnings: Vec<Warning>,
}

/// Attempts to send one mail.
pub(super) struct Attempts<'a> {
    /// `/RETRY`: with it, a failure after so many attempts has a code of its own.
    pub(super) tries: Option<usize>,
    pub(super) trace: &'a Trace,
    pub(super) log: &'a Log,
    pub(super) speaker: &'a Speaker,
}

/// What has become of the recipients so far.
#[derive(Default)]
struct Outcome {
    /// Somebody has the mail.
    delivered: bool,
    /// Those who won't get it.
    refused: Vec<Refusal>,
    /// Those who may get it later.
    open: Vec<Refusal>,
}

impl Attempts<'_> {
    /// Sends the mail: what is to be known of that, and whether everybody got it.
    pub(super) fn send(&self, prepared: Prepared) -> (Sent, Result<(), Failure>) {
        let mut sent = Sent::default();
        let result = self.deliver(prepared, &mut sent);
        (sent, result)
    }

    fn deliver(&self, prepared: Prepared, sent: &mut Sent) -> Result<(), Failure> {
        let by_token = prepared.by_token();
        let Prepared {
            mut mail, service, ..
        } = prepared;
        let most = self.tries.unwrap_or(1);
        let mut outcome = Outcome::default();
        let mut number = 1;
        loop {
            self.tell(Level::Info, || {
                let attempt = Phrase::TellAttempt.with("number", number);
                attempt.with("tries", most)
            });
            let (result, warnings) = once(&service, &mail, self.trace);
            for warning in warnings {
                if !sent.warnings.contains(&warning) {
                    sent.warnings.push(warning);
                }
            }
            self.log.line(Level::Debug, || {
                let error = result.as_ref().err();
                error.and_then(details::of).unwrap_or_default()
            });
            let cause = match result {
                Ok(delivery) => {
                    outcome.delivered = true;
                    sent.receipt = delivery.receipt;
                    outcome.sort(delivery.refused)
                }
                Err(Error::NobodyTook(refusals)) => outcome.sort(refusals),
                Err(error) => {
                    let (exit, cause) = reason::of(&error, by_token);
                    if error.may_have_arrived() || !error.is_transient() {
                        return Err(outcome.with(exit, cause));
                    }
                    if number >= most {
                        return Err(outcome.with(self.exit(exit), self.used_up(cause)));
                    }
                    Some(cause)
                }
            };
            let Some(cause) = cause else {
                return match outcome.told() {
                    None => Ok(()),
                    Some(told) => Err(Failure::of(Exit::Send, told)),
                };
            };
            if number >= most {
                return Err(Failure::of(self.exit(Exit::Send), self.used_up(cause)));
            }
            outcome.leave_out(&mut mail);
            self.pause(number, &cause);
            number += 1;
        }
    }

    fn tell(&self, level: Level, message: impl FnOnce() -> Message) {
        self.log.line(level, || self.speaker.say(&message()));
    }

    /// The code after the last attempt.
    fn exit(&self, exit: Exit) -> Exit {
        self.tries.map_or(exit, |_| Exit::RetryExceeded)
    }

    /// The message after the last attempt.
    fn used_up(&self, cause: Message) -> Message {
        match self.tries {
            None => cause,
            Some(tries) => {
                let message = Phrase::RetriesUsedUp.with("tries", tries);
                message.with("cause", cause)
            }
        }
    }

    fn pause(&self, number: usize, cause: &Message) {
        let pause = pause(number);
        self.tell(Level::Warning, || {
            let failed = Phrase::TellAttemptFailed.with("cause", cause.clone());
            let seconds = usize::try_from(pause.as_secs()).unwrap_or(usize::MAX);
            failed.with("seconds", seconds)
        });
        thread::sleep(pause);
    }
}

impl Outcome {
    /// Takes in what each recipient was told; gives a message while somebody may get the mail
    /// later.
    fn sort(&mut self, refusals: Vec<Refusal>) -> Option<Message> {
        let (open, refused) = refusals.into_iter().partition(|refusal| refusal.transient);
        self.open = open;
        self.refused.extend::<Vec<_>>(refused);
        if self.open.is_empty() {
            None
        } else {
            self.told()
        }
    }

    /// Who has not got the mail, if anybody.
    fn told(&self) -> Option<Message> {
        let all = [self.refused.clone(), self.open.clone()].concat();
        let phrase = match self.delivered {
            true => Phrase::SomeRefused,
            false => Phrase::NobodyTook,
        };
        (!all.is_empty()).then(|| phrase.with("list", reason::listed(&all)))
    }

    /// A failure, beside what has become of the recipients before.
    fn with(&self, exit: Exit, cause: Message) -> Failure {
        let before = self.told().filter(|_| self.delivered);
        Failure {
            exit,
            messages: before.into_iter().chain([cause]).collect(),
        }
    }

    /// The next attempt is for those alone who may still get the mail.
    fn leave_out(&self, mail: &mut Mail) {
        if self.open.is_empty() {
            return;
        }
        let open: HashSet<_> = self
            .open
            .iter()
            .map(|open| open.recipient.as_str())
            .collect();
        let people = [&mail.to, &mail.cc, &mail.bcc].into_iter().flatten();
        let addresses = people.map(|person| person.address.clone());
        mail.served = addresses
            .filter(|address| !open.contains(address.as_str()))
            .collect();
    }
}

/// One attempt, over a connection of its own: none is held during a pause.
fn once(service: &Service, mail: &Mail, trace: &Trace) -> (Result<Delivery, Error>, Vec<Warning>) {
    let outbox = Outbox::new(service.clone(), trace.clone());
    let result = outbox.send(std::slice::from_ref(mail)).pop();
    let warnings = outbox.warnings();
    outbox.close();
    // One mail has one answer.
    let result = result.unwrap_or_else(|| Err(Error::NobodyTook(Vec::new())));
    (result, warnings)
}

/// The pause after this attempt: 1, 2, 4 … seconds.
fn pause(number: usize) -> Duration {
    let doublings = u32::try_from(number).unwrap_or(u32::MAX).saturating_sub(1);
    let seconds = 2_u64.checked_pow(doublings).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let seconds: Vec<_> = (1..=8).map(|number| pause(number).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(100), LONGEST_PAUSE);
    }
}
