//! `--explain`: what the job would do with each mail, and why. The screen to look at when a rule
//! does not fire.
//!
//! It asks the same rules in the same way as the job and changes nothing anywhere.

use std::collections::HashSet;

use console::{Style, measure_text_width};
use serde_json::{Value, json};

use super::exit::ExitCode;
use super::last_run::outlook;
use super::look::{Eye, Looked};
use super::notices::{Decision, Limit, Notices};
use super::opening::{Visit, open_mailbox};
use super::output::Output;
use super::recognise::{Handled, is_new};
use super::report::count;
use super::save::Plan;
use super::{Place, mailbox_name};
use crate::audit::clean::{one_line, short};
use crate::audit::reason;
use crate::cli::Format;
use crate::clock;
use crate::config::Settings;
use crate::events::{Captures, Signature};
use crate::journal::{Journal, Peeked, State};
use crate::mailbox::{Known, MailId};
use crate::message::Fault;
use crate::rules::{Judgement, Match, Outcome, Place as Where, Refusal, Verdict};
use crate::secret::Secret;

/// Mails that are looked at together.
const BATCH: usize = 500;

/// Captures and events of one configuration that are shown to people; the rest is counted.
const SHOWN: usize = 10;

/// Explains every mail in the mailbox.
pub(super) fn run(
    settings: &Settings,
    place: Place<'_>,
    format: Format,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let name = mailbox_name(&settings.mail)?;
    let Peeked {
        mut state,
        dates,
        notices,
    } = Journal::peek(place.state, &name)?;
    let outlook = outlook(&settings.general.last_run, &dates, &state);
    let floor = outlook.floor;
    if outlook.again {
        state = State::default();
    }
    let mut mailbox = open_mailbox(settings, place, Visit::Look, output)?;
    let known = Known {
        position: state.position.clone(),
        again: state.failures().map(|(id, _)| id.clone()).collect(),
        since: floor,
        since_if_void: floor,
    };
    // Asked first: on a mailbox that is not open yet this costs one turn.
    let listing = mailbox.list(&known)?;
    let mut handled = Handled::of(&state, &listing);
    let new = listing.ids.iter().filter(|id| is_new(&state, &listing, id));
    let new: HashSet<MailId> = new.cloned().collect();
    let all = mailbox.list(&Known::default())?.ids;
    let text = format == Format::Text;
    if text {
        output.line(&format!(
            "{}: {}, {}; nothing is changed",
            one_line(&mailbox.describe()),
            count(all.len(), "mail"),
            count(settings.rules.len(), "configuration")
        ));
    }
    // Stars stand for the credentials; the job counts their true length.
    let signature = Signature {
        user: "***".to_owned(),
        password: Secret::new("***".to_owned()),
    };
    let plan = settings
        .general
        .download
        .as_deref()
        .map(|folder| Plan::new(folder, &name, &place.tag()));
    let mut eye = Eye {
        rules: &settings.rules,
        signature: &signature,
        plan: plan.as_ref(),
        since: None,
        handled: Handled::ByName,
    };
    let mut maker = Notices::new(&settings.audit, &notices, &name, clock::now());
    let mut accepted = 0;
    let mut number = 0;
    for ids in all.chunks(BATCH) {
        eye.look(mailbox.as_mut(), ids, &mut |_, id, looked| {
            number += 1;
            let due = match &looked {
                Ok(looked) if floor.is_some_and(|floor| looked.summary.received < floor) => {
                    Due::TooOld
                }
                _ if state.is_set_aside(&id) => Due::SetAside,
                Ok(looked) if new.contains(&id) => match handled.recognise(&looked.summary) {
                    Some(_) => Due::Handled,
                    None => Due::New,
                },
                _ if new.contains(&id) => Due::New,
                _ => Due::Handled,
            };
            let notice = match (&looked, due) {
                (Ok(looked), Due::New) => maker.decide(looked, &[], &notices, output),
                _ => Decision::Unwanted,
            };
            accepted += usize::from(
                looked
                    .as_ref()
                    .is_ok_and(|looked| looked.judgement.is_accepted()),
            );
            if text {
                let lines = Page {
                    settings,
                    number,
                    total: all.len(),
                    due,
                    notice: &notice,
                }
                .lines(&id, &looked);
                lines.iter().for_each(|line| output.line(line));
            } else {
                output.line(&as_json(&id, &looked, due, &notice, settings).to_string());
            }
            Ok(())
        })?;
    }
    mailbox.close();
    if text {
        output.line(&format!(
            "\nsummary: {}, {accepted} would be accepted, {} not",
            count(number, "mail"),
            number - accepted
        ));
    }
    Ok(if output.errors() > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::MATCHED
    })
}

/// Whether the next run will look at a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    New,
    Handled,
    SetAside,
    TooOld,
}

/// One mail on the screen.
struct Page<'a> {
    settings: &'a Settings,
    number: usize,
    total: usize,
    due: Due,
    notice: &'a Decision,
}

impl Page<'_> {
    fn lines(&self, id: &MailId, looked: &Result<Looked, Fault>) -> Vec<String> {
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
                lines.push(format!("     {}", one_line(&fault.to_string())));
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

/// Why nobody would be told; empty where somebody would be.
fn why_not(notice: &Decision) -> String {
    match notice {
        Decision::Unwanted | Decision::Made(_) => String::new(),
        Decision::Withheld(why) => why.to_string(),
        Decision::Limited(Limit::Sender) => {
            "the sender has had NotifyLimitPerSenderPerHour of them within the hour".to_owned()
        }
        Decision::Limited(Limit::All) => {
            "as many rejections as NotifyLimitPerHour allows have brought one within the hour"
                .to_owned()
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

fn place(found: &Match) -> String {
    let text = match found.place {
        Where::Subject => "subject".to_owned(),
        Where::BodyLine(number) => format!("body line {number}"),
        Where::Body => "body".to_owned(),
    };
    match found.attachment {
        Some(index) => format!("{text}, attachment {}", index + 1),
        None => text,
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

fn as_json(
    id: &MailId,
    looked: &Result<Looked, Fault>,
    due: Due,
    notice: &Decision,
    settings: &Settings,
) -> Value {
    let looked = match looked {
        Ok(looked) => looked,
        Err(fault) => {
            return json!({ "id": id.as_str(), "new": due == Due::New, "failed": fault.to_string() });
        }
    };
    let accepted = looked.judgement.is_accepted();
    let (notice, no_notice) = match notice {
        Decision::Unwanted => (Value::Null, Value::Null),
        Decision::Made(draft) => {
            let to = draft.to.iter().map(ToString::to_string);
            let notice = json!({ "to": to.collect::<Vec<_>>(), "subject": draft.subject });
            (notice, Value::Null)
        }
        kept_back => (Value::Null, why_not(kept_back).into()),
    };
    json!({
        "id": id.as_str(),
        "new": due == Due::New,
        "received": looked.summary.received.to_rfc3339(),
        "sender": looked.summary.envelope.sender.address,
        "subject": looked.summary.envelope.subject,
        "accepted": accepted,
        "reason": if accepted { Value::Null } else { reason(&settings.audit, &looked.judgement).into() },
        "notice": notice,
        "no_notice": no_notice,
        "configurations": looked.judgement.verdicts.iter().map(verdict_json).collect::<Vec<_>>(),
    })
}

fn verdict_json(verdict: &Verdict) -> Value {
    let (matches, refusal): (&[Match], Option<&Refusal>) = match &verdict.outcome {
        Outcome::Matched(matches) => (matches, None),
        Outcome::Refused(refusal) => (&[], Some(refusal)),
    };
    let pairs = |found: &Match| -> serde_json::Map<String, Value> {
        let numbered = found
            .captures
            .numbered
            .iter()
            .enumerate()
            .map(|(index, value)| ((index + 1).to_string(), value.clone()));
        numbered
            .chain(found.captures.named.iter().cloned())
            .map(|(name, value)| (name, value.into()))
            .collect()
    };
    json!({
        "number": verdict.rule,
        "matched": refusal.is_none(),
        "step": refusal.map(|refusal| refusal.step.word()),
        "reason": refusal.map(|refusal| refusal.detail.as_str()),
        "captures": matches.first().map(pairs).unwrap_or_default(),
        "matches": matches.iter().map(|found| json!({ "place": place(found), "captures": pairs(found) })).collect::<Vec<_>>(),
        "events": matches.iter().flat_map(|found| &found.events).map(crate::events::EventLine::with_stars).collect::<Vec<_>>(),
    })
}
