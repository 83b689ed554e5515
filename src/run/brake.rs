//! The storm brake: `MaxEventsPerRun`, of the run and of each configuration.
//!
//! A mail is written whole or held back whole; what is held back stays on the server for the next
//! run.

use std::collections::BTreeMap;

use crate::rules::{Judgement, Rule};

/// Counts events against the limits.
#[derive(Clone, Debug)]
pub(super) struct Brake {
    run: Limit,
    rules: BTreeMap<u32, Limit>,
    /// The limit of the run was reached: everything that is left waits for the next run.
    pulled: bool,
}

/// What is to become of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Its events may be written.
    Write,
    /// It waits for the next run. The first time that a limit is reached, this says which.
    Hold(Option<String>),
    /// It alone has more events than the limit, so that no run could ever write it.
    TooMany(String),
}

#[derive(Clone, Debug)]
struct Limit {
    /// The section that sets it.
    place: String,
    most: Option<usize>,
    written: usize,
    reached: bool,
}

impl Brake {
    /// A brake for one run.
    pub(super) fn new(most: Option<usize>, rules: &[Rule]) -> Self {
        let limit = |place: String, most| Limit {
            place,
            most,
            written: 0,
            reached: false,
        };
        let of_rule = |rule: &Rule| {
            (
                rule.number,
                limit(format!("[Configuration{}]", rule.number), rule.max_events),
            )
        };
        Self {
            run: limit("[General]".to_owned(), most),
            rules: rules.iter().map(of_rule).collect(),
            pulled: false,
        }
    }

    /// Whether nothing more is written in this run.
    pub(super) fn is_pulled(&self) -> bool {
        self.pulled
    }

    /// Decides on a mail with this judgement, which writes so many events in all.
    pub(super) fn admit(&mut self, judgement: &Judgement, events: usize) -> Admission {
        let mut by_rule: BTreeMap<u32, usize> = BTreeMap::new();
        for (rule, found) in judgement.matches() {
            *by_rule.entry(rule).or_default() += found.events.len();
        }
        let mut limits: Vec<(&mut Limit, usize)> = vec![(&mut self.run, events)];
        for (number, limit) in &mut self.rules {
            if let Some(count) = by_rule.get(number) {
                limits.push((limit, *count));
            }
        }
        if let Some((limit, count)) = limits
            .iter()
            .find(|(limit, count)| limit.most.is_some_and(|most| *count > most))
        {
            return Admission::TooMany(format!(
                "it alone would write {count} events, and {} MaxEventsPerRun is {}",
                limit.place,
                limit.most.unwrap_or_default()
            ));
        }
        let full = limits
            .iter_mut()
            .find(|(limit, count)| limit.most.is_some_and(|most| limit.written + *count > most));
        if let Some((limit, _)) = full {
            let first = !std::mem::replace(&mut limit.reached, true);
            let said = first.then(|| {
                format!(
                    "{} MaxEventsPerRun={} is reached: what is left stays on the server for the next run",
                    limit.place,
                    limit.most.unwrap_or_default()
                )
            });
            self.pulled |= self.run.reached;
            return Admission::Hold(said);
        }
        for (limit, count) in limits {
            limit.written += count;
        }
        Admission::Write
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brake(run: Option<usize>) -> Brake {
        Brake::new(run, &[])
    }

    #[test]
    fn the_limit_is_reached_and_told_once() {
        let mut brake = brake(Some(5));
        let mail = Judgement::default();
        assert_eq!(brake.admit(&mail, 3), Admission::Write);
        assert!(
            matches!(brake.admit(&mail, 3), Admission::Hold(Some(said)) if said.contains("MaxEventsPerRun=5"))
        );
        assert!(brake.is_pulled());
        assert_eq!(brake.admit(&mail, 3), Admission::Hold(None));
    }

    #[test]
    fn a_mail_that_no_run_could_write_is_told_apart() {
        let mut brake = brake(Some(2));
        assert!(matches!(
            brake.admit(&Judgement::default(), 3),
            Admission::TooMany(_)
        ));
        assert!(!brake.is_pulled());
        assert_eq!(brake.admit(&Judgement::default(), 2), Admission::Write);
    }

    #[test]
    fn without_a_limit_everything_is_written() {
        let mut brake = brake(None);
        assert_eq!(
            brake.admit(&Judgement::default(), usize::MAX / 2),
            Admission::Write
        );
    }
}
