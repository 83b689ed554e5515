//! One mail of `--explain`, for programs: a JSON object on a line.

use serde_json::{Value, json};

use super::{Due, place, why_not};
use crate::audit::reason;
use crate::config::Settings;
use crate::mailbox::MailId;
use crate::rules::{Match, Outcome, Refusal, Verdict};
use crate::run::look::Looked;
use crate::run::notices::Decision;

/// What is known of a mail, or why it can't be had.
pub(super) fn as_json(
    id: &MailId,
    looked: &Result<Looked, String>,
    due: Due,
    notice: &Decision,
    settings: &Settings,
) -> Value {
    let looked = match looked {
        Ok(looked) => looked,
        Err(fault) => {
            return json!({ "id": id.as_str(), "new": due == Due::New, "failed": fault });
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
