//! Going through the mailbox once more after a failure that may pass (`[Mail] Retries`).

use std::thread;
use std::time::Duration;

use super::output::Output;
use crate::mailbox;

/// The first pause; each further one is three times as long,
const FIRST: Duration = Duration::from_secs(1);
/// but no longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// Counts the attempts of one run.
#[derive(Debug)]
pub(super) struct Retries {
    most: u32,
    made: u32,
}

impl Retries {
    /// At most so many after the first attempt.
    pub(super) fn new(most: u32) -> Self {
        Self { most, made: 0 }
    }

    /// Waits until it is time for another attempt; or gives the failure back, when it is for good
    /// or there have been enough.
    pub(super) fn wait(&mut self, failure: anyhow::Error, output: &Output) -> anyhow::Result<()> {
        let (warning, pause) = self.next(failure)?;
        output.warning(&warning);
        thread::sleep(pause);
        Ok(())
    }

    /// What to say before the next attempt, and how long to wait.
    fn next(&mut self, failure: anyhow::Error) -> anyhow::Result<(String, Duration)> {
        let passes = failure
            .downcast_ref::<mailbox::Error>()
            .is_some_and(mailbox::Error::is_transient);
        if !passes || self.most == 0 {
            return Err(failure);
        }
        let attempts = self.made + 1;
        if self.made == self.most {
            return Err(failure.context(format!("given up after {attempts} attempts")));
        }
        let pause = pause(self.made);
        self.made += 1;
        let warning = format!(
            "{failure:#}. Trying again in {} s (attempt {} of {})",
            pause.as_secs(),
            attempts + 1,
            self.most + 1
        );
        Ok((warning, pause))
    }
}

/// How long to wait after so many retries.
fn pause(made: u32) -> Duration {
    FIRST
        .saturating_mul(3_u32.saturating_pow(made))
        .min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let seconds = [0, 1, 2, 3, 4, 9].map(|made| pause(made).as_secs());
        assert_eq!(seconds, [1, 3, 9, 27, 60, 60]);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let busy = || mailbox::Error::Busy {
            server: "h:1".into(),
            answer: "later".into(),
        };
        let refused = mailbox::Error::Refused {
            server: "h:1".into(),
            command: "SELECT".into(),
            answer: "no".into(),
        };
        let mut retries = Retries::new(1);
        assert!(retries.next(anyhow::anyhow!("disk full")).is_err());
        assert!(retries.next(refused.into()).is_err());
        assert!(Retries::new(0).next(busy().into()).is_err());
        let (warning, _) = retries.next(busy().into()).unwrap();
        assert!(warning.ends_with("Trying again in 1 s (attempt 2 of 2)"));
        let error = retries.next(busy().into()).unwrap_err();
        assert!(format!("{error:#}").starts_with("given up after 2 attempts: h:1 has no time"));
    }
}
