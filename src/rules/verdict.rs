//! What a configuration says of a mail. Log, audit and `--explain` all read this one value.

use super::mask::MaskError;
use crate::events::{Captures, EventLine, LONGEST_LINE};

/// The verdict of one `[Configuration#]`.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The configuration's number.
    pub rule: u32,
    /// What it decided.
    pub outcome: Outcome,
}

/// Matched, or why not.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Every match with its events; never empty.
    Matched(Vec<Match>),
    /// The first step that refused.
    Refused(Refusal),
}

/// One match and the events it writes.
#[derive(Clone, Debug)]
pub struct Match {
    /// Where in the mail.
    pub place: Place,
    /// The matched attachment: its index among the mail's attachments.
    pub attachment: Option<usize>,
    /// What the masks captured.
    pub captures: Captures,
    /// The events, filled in, in the order of the file.
    pub events: Vec<EventLine>,
}

/// Where a mask matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the subject.
    Subject,
    /// In this body line, counted from one.
    BodyLine(usize),
    /// Somewhere in the body, by a mask that spans lines.
    Body,
}

/// Why a configuration wrote nothing.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The step that refused.
    pub step: Step,
    /// The subject or the body had matched, or would have: the mail was meant for this
    /// configuration, and its reason is the one that the sender is told.
    pub meant: bool,
    /// For people: what was compared with what.
    pub detail: String,
}

/// The steps in the order in which they are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `AllowedSenders`.
    Sender,
    /// `AllowedTimeFrame`.
    TimeFrame,
    /// `SubjectLineMask`, or `QualifyingSubjectLine` where there is one.
    Subject,
    /// `SubjectLineMask` in the body.
    Body,
    /// `AttachmentMask`.
    Attachment,
    /// An event can't be written with this mail's text.
    Event,
    /// A mask exceeded its limits: an error, the run ends with exit code 2.
    Mask(MaskError),
    /// More matches than one mail may have: an error as well.
    TooMany,
}

impl Step {
    /// One word for `--explain=json`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::TimeFrame => "time",
            Self::Subject => "subject",
            Self::Body => "body",
            Self::Attachment => "attachment",
            Self::Event => "unsafe",
            Self::Mask(_) | Self::TooMany => "error",
        }
    }

    /// Whether the step failed rather than said no.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Mask(_) | Self::TooMany)
    }
}

/// All verdicts on one mail, in the order of the configurations.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// One for each configuration.
    pub verdicts: Vec<Verdict>,
}

impl Judgement {
    /// Some configuration has events to write.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.matches().next().is_some()
    }

    /// Every match, with the number of its configuration.
    pub fn matches(&self) -> impl Iterator<Item = (u32, &Match)> {
        self.verdicts
            .iter()
            .flat_map(|verdict| match &verdict.outcome {
                Outcome::Matched(matches) => {
                    matches.iter().map(|found| (verdict.rule, found)).collect()
                }
                Outcome::Refused(_) => Vec::new(),
            })
    }

    /// Every event, in the order in which they are written.
    pub fn events(&self) -> impl Iterator<Item = &EventLine> {
        self.matches().flat_map(|(_, found)| &found.events)
    }

    /// Cuts what was captured to its beginning, which logs may use: the judgements of many mails
    /// wait to be committed together, and a capture can be as long as a body.
    pub fn shorten_captures(&mut self) {
        for verdict in &mut self.verdicts {
            if let Outcome::Matched(matches) = &mut verdict.outcome {
                for found in matches {
                    found.captures.shorten(LONGEST_LINE);
                }
            }
        }
    }

    /// Every refusal, with the number of its configuration.
    pub fn refusals(&self) -> impl Iterator<Item = (u32, &Refusal)> {
        self.verdicts
            .iter()
            .filter_map(|verdict| match &verdict.outcome {
                Outcome::Matched(_) => None,
                Outcome::Refused(refusal) => Some((verdict.rule, refusal)),
            })
    }

    /// The refusal that a rejected mail is told of: that of the first configuration which the
    /// mail was meant for; `None` when no subject (or body) matched at all.
    #[must_use]
    pub fn reason(&self) -> Option<(u32, &Refusal)> {
        self.refusals().find(|(_, refusal)| refusal.meant)
    }

    /// The mail must stay on the server whatever `DeleteEmails` says: a configuration could
    /// not finish with it.
    #[must_use]
    pub fn must_stay(&self) -> bool {
        self.refusals()
            .any(|(_, refusal)| refusal.step == Step::Event || refusal.step.is_error())
    }
}
