//! Sends a mail, again where that may help, and never twice.

use std::thread;
use std::time::Duration;

use super::Failure;
use super::exit::Exit;
use super::log::{Level, Log};
use super::prepare::Prepared;
use super::reason;
use super::texts::{Message, Phrase, Speaker};
use crate::net::Trace;
use crate::send::{Delivery, Error, Outbox, Warning};

/// No pause between attempts is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Sends the mail. With `tries` given, a failure after that many of them has a code of its own.
pub(super) fn send(
    prepared: &Prepared,
    tries: Option<usize>,
    trace: &Trace,
    log: &Log,
    speaker: &Speaker,
) -> Result<(Delivery, Vec<Warning>), Failure> {
    let most = tries.unwrap_or(1);
    let mut number = 1;
    loop {
        log.line(Level::Info, || {
            let message = Phrase::TellAttempt.with("number", number);
            speaker.say(&message.with("tries", most))
        });
        let (result, warnings) = once(prepared, trace);
        let error = match result {
            Ok(delivery) => return Ok((delivery, warnings)),
            Err(error) => error,
        };
        let (exit, cause) = reason::of(&error, prepared.by_token());
        if error.may_have_arrived() || !error.is_transient() {
            return Err(Failure::of(exit, cause));
        }
        if number >= most {
            return Err(match tries {
                Some(tries) => Failure::of(Exit::RetryExceeded, used_up(tries, cause)),
                None => Failure::of(exit, cause),
            });
        }
        let pause = pause(number);
        log.line(Level::Warning, || {
            let message = Phrase::TellAttemptFailed.with("cause", cause.clone());
            let seconds = usize::try_from(pause.as_secs()).unwrap_or(usize::MAX);
            speaker.say(&message.with("seconds", seconds))
        });
        thread::sleep(pause);
        number += 1;
    }
}

fn used_up(tries: usize, cause: Message) -> Message {
    let message = Phrase::RetriesUsedUp.with("tries", tries);
    message.with("cause", cause)
}

/// One attempt, over a connection of its own: none is held during a pause.
fn once(prepared: &Prepared, trace: &Trace) -> (Result<Delivery, Error>, Vec<Warning>) {
    let outbox = Outbox::new(prepared.service.clone(), trace.clone());
    let mails = std::slice::from_ref(&prepared.mail);
    let result = outbox.send(mails).pop();
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
