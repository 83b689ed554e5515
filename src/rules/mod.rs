//! The rules: each `[Configuration#]` looks at a mail and answers with a [`Verdict`].
//!
//! Pure. A rule is asked twice: [`Rule::needs`] says, from the summary alone, what else of the mail
//! it wants to see; [`Rule::judge`] decides when that is there. Both take the same steps in the
//! same order: sender, time window, subject, body lines, attachment names.

use chrono::NaiveDateTime;

use crate::events::{Captures, Signature, Template, TokenValues, UnsafeText};
use crate::message::{Content, Envelope};

pub mod doubts;
pub mod mask;
pub mod sender;
pub mod verdict;
pub mod window;

pub use mask::{Budget, Mask, MaskError};
pub use sender::Senders;
pub use verdict::{Judgement, Match, Outcome, Place, Refusal, Step, Verdict};
pub use window::TimeWindow;

/// Matches that one mail may have in one configuration; more is an attack or a mistake.
const MOST_MATCHES: usize = 1_000;

/// One `[Configuration#]`, compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The number in the section's name.
    pub number: u32,
    /// The line of the section's header.
    pub line: usize,
    /// `AllowedSenders`.
    pub senders: Senders,
    /// `AllowedTimeFrame`.
    pub window: TimeWindow,
    /// `SubjectLineMask`.
    pub mask: Mask,
    /// `ProcessBody` and `QualifyingSubjectLine`.
    pub body: BodyRule,
    /// `ProcessAttachments` and `AttachmentMask`.
    pub attachments: AttachmentRule,
    /// `Event`, `Event2` and so on.
    pub events: Vec<Template>,
    /// `UnsafeText`.
    pub unsafe_text: UnsafeText,
    /// `MaxEventsPerRun`.
    pub max_events: Option<usize>,
}

/// What a rule does with the body.
#[derive(Clone, Debug)]
pub enum BodyRule {
    /// Nothing: the subject decides.
    Ignore,
    /// Subject and body are tried against the mask.
    WithSubject,
    /// The subject must match this mask; then the body is tried.
    Qualified(Mask),
}

/// What a rule does with attachments.
#[derive(Clone, Debug)]
pub enum AttachmentRule {
    /// Nothing.
    Ignore,
    /// At least one must be there.
    Any,
    /// At least one must have a name that matches.
    Named(Mask),
}

/// What is known of a mail from its summary.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Sender, subject, date, Message-ID.
    pub envelope: &'a Envelope,
    /// When it was received.
    pub received: chrono::DateTime<chrono::Utc>,
    /// The same on the machine's clock.
    pub received_local: NaiveDateTime,
}

/// Where the mail will be saved; empty texts when it won't.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The mail.
    pub email: String,
    /// Each of its attachments, in the order of [`Content::attachments`].
    pub attachments: Vec<String>,
}

/// What a rule wants to see before it can decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The body text.
    pub text: bool,
    /// The attachment names.
    pub attachments: bool,
}

impl Needs {
    /// What either wants.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            text: self.text || other.text,
            attachments: self.attachments || other.attachments,
        }
    }

    /// Whether anything is wanted.
    #[must_use]
    pub fn any(self) -> bool {
        self.text || self.attachments
    }
}

/// Asks every rule.
#[must_use]
pub fn judge(
    rules: &[Rule],
    head: &Head<'_>,
    content: &Content,
    files: &Files,
    signature: &Signature,
) -> Judgement {
    Judgement {
        verdicts: rules
            .iter()
            .map(|rule| rule.judge(head, content, files, signature))
            .collect(),
    }
}

impl Rule {
    /// What this rule wants to see of a mail beyond its summary. It asks for the body as long as
    /// the subject leaves open whether the mail was meant for it, and for attachment names only
    /// when nothing else stands against the mail.
    #[must_use]
    pub fn needs(&self, head: &Head<'_>) -> Needs {
        let budget = Budget::new();
        let open = self.gate(head).is_none();
        let matches = |mask: &Mask| {
            mask.find(&head.envelope.subject, budget)
                .is_ok_and(|found| found.is_some())
        };
        let wants_attachments = open && !matches!(self.attachments, AttachmentRule::Ignore);
        match &self.body {
            BodyRule::Ignore => Needs {
                text: false,
                attachments: wants_attachments && matches(&self.mask),
            },
            BodyRule::WithSubject => Needs {
                text: open || !matches(&self.mask),
                attachments: wants_attachments,
            },
            BodyRule::Qualified(qualifier) => {
                let qualified = open && matches(qualifier);
                Needs {
                    text: qualified,
                    attachments: qualified && wants_attachments,
                }
            }
        }
    }

    /// Decides. `content` holds at least what [`Rule::needs`] asked for.
    #[must_use]
    pub fn judge(
        &self,
        head: &Head<'_>,
        content: &Content,
        files: &Files,
        signature: &Signature,
    ) -> Verdict {
        let outcome = self
            .steps(head, content, files, signature)
            .map_or_else(Outcome::Refused, Outcome::Matched);
        Verdict {
            rule: self.number,
            outcome,
        }
    }

    fn steps(
        &self,
        head: &Head<'_>,
        content: &Content,
        files: &Files,
        signature: &Signature,
    ) -> Result<Vec<Match>, Refusal> {
        let budget = Budget::new();
        if let Some((step, detail)) = self.gate(head) {
            // A qualified rule is meant for the mail when the qualifier matched; its body need not
            // be read.
            let meant = match self.text_matches(head, content, 1, budget) {
                Ok(_) => true,
                Err(refusal) => refusal.step == Step::Body,
            };
            return Err(Refusal {
                step,
                meant,
                detail,
            });
        }
        let texts = self.text_matches(head, content, MOST_MATCHES + 1, budget)?;
        let mut matches = Vec::new();
        for (place, captures) in texts {
            for (attachment, captures) in self.attachment_matches(content, captures, budget)? {
                if matches.len() == MOST_MATCHES {
                    let detail = format!("more than {MOST_MATCHES} matches in one mail");
                    return Err(Refusal {
                        step: Step::TooMany,
                        meant: true,
                        detail,
                    });
                }
                matches.push(Match {
                    place,
                    attachment,
                    captures,
                    events: Vec::new(),
                });
            }
        }
        for found in &mut matches {
            found.events = self.events_of(found, head, content, files, signature)?;
        }
        Ok(matches)
    }

    /// Sender and time window: the step that stands against the mail, and why.
    fn gate(&self, head: &Head<'_>) -> Option<(Step, String)> {
        let sender = &head.envelope.sender;
        if !self.senders.allow(sender) {
            let detail = match (sender.address.as_str(), sender.reliable) {
                ("", _) => {
                    "its From header gives no address, so it matches no listed sender".into()
                }
                (address, true) => format!("{address} is not in AllowedSenders"),
                (_, false) => {
                    "its From header is not one plain address, so it matches no listed sender"
                        .into()
                }
            };
            return Some((Step::Sender, detail));
        }
        let time = head.received_local;
        (!self.window.contains(time)).then(|| {
            (
                Step::TimeFrame,
                format!(
                    "received at {}, outside {}",
                    time.format("%H:%M"),
                    self.window
                ),
            )
        })
    }

    /// Subject and body: the places where the mask matched, `most` of them.
    fn text_matches(
        &self,
        head: &Head<'_>,
        content: &Content,
        most: usize,
        budget: Budget,
    ) -> Result<Vec<(Place, Captures)>, Refusal> {
        let subject = &head.envelope.subject;
        let mut found = Vec::new();
        match &self.body {
            BodyRule::Qualified(qualifier) => {
                if find(qualifier, subject, budget)?.is_none() {
                    return Err(refused(
                        Step::Subject,
                        format!(
                            "the subject does not match the qualifier {}",
                            qualifier.as_str()
                        ),
                    ));
                }
                self.body_matches(content, most, budget, &mut found)?;
                if found.is_empty() {
                    return Err(refused(
                        Step::Body,
                        format!("no body line matches {}", self.mask.as_str()),
                    ));
                }
            }
            body => {
                found.extend(
                    find(&self.mask, subject, budget)?.map(|captures| (Place::Subject, captures)),
                );
                let with_body = matches!(body, BodyRule::WithSubject);
                if with_body {
                    self.body_matches(content, most, budget, &mut found)?;
                }
                if found.is_empty() {
                    let what = if with_body {
                        "neither the subject nor a body line matches"
                    } else {
                        "the subject does not match"
                    };
                    return Err(refused(
                        Step::Subject,
                        format!("{what} {}", self.mask.as_str()),
                    ));
                }
            }
        }
        Ok(found)
    }

    fn body_matches(
        &self,
        content: &Content,
        most: usize,
        budget: Budget,
        found: &mut Vec<(Place, Captures)>,
    ) -> Result<(), Refusal> {
        let Some(body) = &content.body else {
            return Ok(());
        };
        if self.mask.spans_lines() {
            let all = self
                .mask
                .find_all(body.text(), most, budget)
                .map_err(failed)?;
            found.extend(all.into_iter().map(|captures| (Place::Body, captures)));
            return Ok(());
        }
        for (index, line) in body.lines().enumerate() {
            if found.len() >= most {
                break;
            }
            let place = Place::BodyLine(index + 1);
            found.extend(find(&self.mask, line, budget)?.map(|captures| (place, captures)));
        }
        Ok(())
    }

    /// The matching attachments, their groups numbered on from those of the text.
    fn attachment_matches(
        &self,
        content: &Content,
        text: Captures,
        budget: Budget,
    ) -> Result<Vec<(Option<usize>, Captures)>, Refusal> {
        let mask = match &self.attachments {
            AttachmentRule::Ignore => return Ok(vec![(None, text)]),
            AttachmentRule::Any => None,
            AttachmentRule::Named(mask) => Some(mask),
        };
        let mut found = Vec::new();
        for (index, attachment) in content.attachments.iter().enumerate() {
            match mask {
                None => found.push((Some(index), text.clone())),
                Some(mask) => {
                    found.extend(
                        find(mask, &attachment.name, budget)?
                            .map(|captures| (Some(index), text.followed_by(&captures))),
                    );
                }
            }
        }
        if found.is_empty() {
            let count = content.attachments.len();
            let detail = match mask {
                Some(mask) if count > 0 => format!(
                    "none of its {count} attachment names matches {}",
                    mask.as_str()
                ),
                _ => "it has no attachment".to_owned(),
            };
            return Err(Refusal {
                meant: true,
                ..refused(Step::Attachment, detail)
            });
        }
        Ok(found)
    }

    fn events_of(
        &self,
        found: &Match,
        head: &Head<'_>,
        content: &Content,
        files: &Files,
        signature: &Signature,
    ) -> Result<Vec<crate::events::EventLine>, Refusal> {
        let values = match_values(self.number, found, head, content, files);
        self.events
            .iter()
            .map(|event| event.fill(&values, self.unsafe_text, signature))
            .collect::<Result<_, _>>()
            .map_err(|why| Refusal {
                meant: true,
                ..refused(Step::Event, why.to_string())
            })
    }
}

/// The tokens of one match of a configuration.
#[must_use]
pub fn match_values<'a>(
    rule: u32,
    found: &Match,
    head: &Head<'a>,
    content: &'a Content,
    files: &'a Files,
) -> TokenValues<'a> {
    let attachment = found
        .attachment
        .and_then(|index| content.attachments.get(index));
    let file = found
        .attachment
        .and_then(|index| files.attachments.get(index));
    TokenValues {
        configuration: Some(rule),
        email_file: &files.email,
        attachment: file.map_or("", String::as_str),
        attachment_name: attachment.map_or("", |attachment| attachment.name.as_str()),
        captures: found.captures.clone(),
        ..mail_values(head)
    }
}

/// The tokens that are the same for every match in a mail.
#[must_use]
pub fn mail_values<'a>(head: &Head<'a>) -> TokenValues<'a> {
    TokenValues {
        sender: &head.envelope.sender.address,
        subject: &head.envelope.subject,
        date: head.envelope.date,
        received: head.received,
        message_id: head.envelope.message_id.as_deref().unwrap_or_default(),
        ..TokenValues::default()
    }
}

fn find(mask: &Mask, text: &str, budget: Budget) -> Result<Option<Captures>, Refusal> {
    mask.find(text, budget).map_err(failed)
}

fn failed(error: MaskError) -> Refusal {
    refused(Step::Mask(error.clone()), error.to_string())
}

fn refused(step: Step, detail: String) -> Refusal {
    Refusal {
        step,
        meant: false,
        detail,
    }
}
