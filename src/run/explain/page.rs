//! One mail of `--explain`, for people.

use console::{Style, measure_text_width};

use super::{Due, place, why_not};
use crate::audit::clean::{one_line, short};
use crate::audit::reason;
use crate::clock;
use crate::config::Settings;
use crate::events::Captures;
use crate::mailbox::MailId;
use crate::rules::{Judgement, Outcome, Refusal, Verdict};
use crate::run::look::Looked;
use crate::run::notices::Decision;
use crate::run::report::count;

/// Captures and events of one configuration that are shown; the rest is counted.
const SHOWN: usize = 10;

/// One mail on the screen.
pub(super) struct Page<'a> {
    pub(super) settings: &'a Settings,
    /// Which one it is of how many.
    pub(super) number: usize,
    pub(super) total: usize,
    pub(super) due: Due,
    pub(super) notice: &'a Decision,
}

impl Page<'_> {
    pub(super) fn lines(&self, id: &MailId, looked: &Result<Looked, String>) -> Vec<String> {
        let bold = Style::new().bold();
        let dim = Style::new().dim();
        let mut lines = vec![String::new()];
        let looked = match looked {
            Ok(looked) => looked,
            Err(fault) => {
                lines.push(format!(
                    "{}/{}  {} {}",
                    self.number,
                    self.total,
                    bold.apply_to(id),
                    Style::new().red().apply_to("failed")
                ));
                lines.push(format!("     {}", one_line(fault)));
                return lines;
            }
        };
        let envelope = &looked.summary.envelope;
        let received = clock::to_local(looked.summary.received).format("%Y-%m-%d %H:%M");
        let sender = if envelope.sender.address.is_empty() {
            "(no sender)"
        } else {
            &envelope.sender.address
        };
        let title = format!("{}  {}", short(sender, 60), short(&envelope.subject, 100));
        lines.push(format!(
            "{}/{}  {received}  {}",
            self.number,
            self.total,
            bold.apply_to(title)
        ));
        match self.due {
            Due::New => {}
            Due::Handled => lines.push(format!(
                "     {}",
                dim.apply_to("an earlier run has dealt with it; the job will not look at it again")
            )),
            Due::SetAside => lines.push(format!(
                "     {}",
                dim.apply_to("set aside after failing in five runs; --retry takes it up again")
            )),
            Due::TooOld => lines.push(format!(
                "     {}",
                dim.apply_to("received before LastRunDate; the job does not look at it")
            )),
        }
        let width = self
            .settings
            .rules
            .iter()
            .map(|rule| label(rule.number).len())
            .max()
            .unwrap_or(0);
        for verdict in &looked.judgement.verdicts {
            lines.extend(verdict_lines(verdict, width));
        }
        lines.push(format!("     => {}", self.conclusion(&looked.judgement)));
        lines.extend(match self.notice {
            Decision::Unwanted => None,
            Decision::Made(draft) => {
                let to = draft.to.iter().map(ToString::to_string);
                Some(format!(
                    "     notice to {}: {}",
                    short(&to.collect::<Vec<_>>().join(", "), 200),
                    short(&draft.subject, 100)
                ))
            }
            kept_back => Some(format!("     no notice: {}", why_not(kept_back))),
        });
        lines
    }

    fn conclusion(&self, judgement: &Judgement) -> String {
        if judgement.is_accepted() {
            let events: usize = judgement
                .matches()
                .map(|(_, found)| found.events.len())
                .sum();
            Style::new()
                .green()
                .apply_to(format!("accepted: {}", count(events, "event")))
                .to_string()
        } else {
            let reason = reason(&self.settings.audit, judgement);
            Style::new()
                .yellow()
                .apply_to(format!("rejected: {}", one_line(&reason)))
                .to_string()
        }
    }
}

fn label(number: u32) -> String {
    format!("Configuration{number}")
}

fn verdict_lines(verdict: &Verdict, width: usize) -> Vec<String> {
    let label = label(verdict.rule);
    match &verdict.outcome {
        Outcome::Refused(Refusal { step, detail, .. }) => {
            let style = if step.is_error() {
                Style::new().red()
            } else {
                Style::new().dim()
            };
            vec![format!(
                "     {label:width$}  {}  {}",
                style.apply_to(format!("no: {:10}", step.word())),
                one_line(detail)
            )]
        }
        Outcome::Matched(matches) => {
            let mut lines = Vec::new();
            let margin = " ".repeat(5 + width + 2);
            for (index, found) in matches.iter().take(SHOWN).enumerate() {
                let yes = Style::new().green().apply_to(format!("{:14}", "yes"));
                if index == 0 {
                    lines.push(format!("     {label:width$}  {yes}  {}", place(found)));
                } else {
                    lines.push(format!("{margin}{yes}  {}", place(found)));
                }
                let pairs: Vec<(String, String)> = captures(&found.captures);
                let widest = pairs
                    .iter()
                    .map(|(name, _)| measure_text_width(name))
                    .max()
                    .unwrap_or(0);
                lines.extend(pairs.iter().map(|(name, value)| {
                    format!("{margin}{name:widest$} = {}", short(value, 100))
                }));
                lines.extend(
                    found
                        .events
                        .iter()
                        .map(|event| format!("{margin}event  {}", one_line(&event.with_stars()))),
                );
            }
            if matches.len() > SHOWN {
                lines.push(format!(
                    "{margin}and {} more",
                    count(matches.len() - SHOWN, "match").replace("matchs", "matches")
                ));
            }
            lines
        }
    }
}

fn captures(captures: &Captures) -> Vec<(String, String)> {
    captures
        .numbered
        .iter()
        .enumerate()
        .map(|(index, value)| (format!("[[{}]]", index + 1), value.clone()))
        .chain(
            captures
                .named
                .iter()
                .map(|(name, value)| (format!("[[{name}]]"), value.clone())),
        )
        .collect()
}
