//! Log lines and notices from judgements: accepted and rejected mails, events, and the rejections by
//! sender or time.
//!
//! A log is for people. One that can't be written is an error of the run and holds nothing else up.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use crate::durable::{self, LINE_END};
use crate::events::template::fill;
use crate::events::tokens::Value;
use crate::events::{EventLine, Template, TokenValues, UnsafeText};
use crate::rules::{Judgement, Refusal, Step};

pub mod clean;
pub mod notice;

use clean::one_line;
use notice::NoticeSettings;

/// `[Audit]`: what to log where, and in which words.
#[derive(Debug)]
pub struct AuditSettings {
    /// Log of accepted mails and the line's format, when `LogAccepts` is set.
    pub accepts: Option<Log>,
    /// Log of rejected mails, when `LogRejects` is set.
    pub rejects: Option<Log>,
    /// Log of events, when `LogOpConEvents` is set and `OpConEventLogFile` names a file.
    pub events: Option<Log>,
    /// `SMArtEmailRejections.log`, beside the log of rejected mails.
    pub rejections: PathBuf,
    /// `RejectTimeframeMessage`.
    pub timeframe_message: String,
    /// `RejectSenderMessage`.
    pub sender_message: String,
    /// `RejectNoMatchingSubjectMessage`.
    pub subject_message: String,
    /// `RejectNoAttachmentMessage`.
    pub attachment_message: String,
    /// `RejectEvent`.
    pub reject_event: Option<Template>,
    /// `UnsafeText` of `[General]`, for the reject event.
    pub unsafe_text: UnsafeText,
    /// What is sent to people.
    pub notices: NoticeSettings,
}

/// A log file and the format of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The file.
    pub path: PathBuf,
    /// A line, with tokens.
    pub format: String,
}

/// Collects log lines and appends them to their files.
#[derive(Debug)]
pub struct AuditLog<'a> {
    settings: &'a AuditSettings,
    lines: Vec<(PathBuf, String)>,
}

/// A log file can't be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write the log {path}: {cause}")]
pub struct LogError {
    path: String,
    cause: std::io::Error,
}

impl<'a> AuditLog<'a> {
    /// An empty log.
    #[must_use]
    pub fn new(settings: &'a AuditSettings) -> Self {
        Self {
            settings,
            lines: Vec::new(),
        }
    }

    /// Notes an accepted mail. Its events are noted by [`Self::wrote`].
    pub fn accepted(
        &mut self,
        values: &TokenValues<'_>,
        events: &[&EventLine],
        now: NaiveDateTime,
    ) {
        let values = TokenValues {
            event: Some(&joined(events.iter().copied())),
            reason: Some(""),
            ..values.clone()
        };
        self.note(self.settings.accepts.as_ref(), &values, now);
    }

    /// Notes a rejected mail, the event that the rejection wrote, and the rejections by sender or
    /// time.
    pub fn rejected(
        &mut self,
        values: &TokenValues<'_>,
        reason: &str,
        judgement: &Judgement,
        events: &[EventLine],
        now: NaiveDateTime,
    ) {
        let values = TokenValues {
            event: Some(&joined(events)),
            reason: Some(reason),
            ..values.clone()
        };
        self.note(self.settings.rejects.as_ref(), &values, now);
        self.wrote(&values, events, now);
        if let Some((rule, refusal)) = judgement.reason()
            && matches!(refusal.step, Step::Sender | Step::TimeFrame)
        {
            let line = format!(
                "Configuration{rule} - {reason} - From: {} Subject: {} - {}",
                values.sender, values.subject, refusal.detail
            );
            let path = self.settings.rejections.clone();
            self.lines.push((path, stamped(&line, now)));
        }
    }

    /// Notes the events that one match, or a rejection, has written.
    pub fn wrote(&mut self, values: &TokenValues<'_>, events: &[EventLine], now: NaiveDateTime) {
        for event in events {
            let values = TokenValues {
                event: Some(event.as_str()),
                reason: values.reason.or(Some("")),
                ..values.clone()
            };
            self.note(self.settings.events.as_ref(), &values, now);
        }
    }

    /// Appends what was noted, one write for each file, and forgets it.
    pub fn flush(&mut self) -> Vec<LogError> {
        let mut errors = Vec::new();
        let lines = std::mem::take(&mut self.lines);
        let mut paths: Vec<&Path> = lines.iter().map(|(path, _)| path.as_path()).collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            let text: String = lines
                .iter()
                .filter(|(to, _)| to == path)
                .map(|(_, line)| line.as_str())
                .collect();
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            let written = durable::patiently(|| options.open(path))
                .and_then(|mut file| file.write_all(text.as_bytes()));
            errors.extend(written.err().map(|cause| LogError {
                path: path.display().to_string(),
                cause,
            }));
        }
        errors
    }

    fn note(&mut self, log: Option<&Log>, values: &TokenValues<'_>, now: NaiveDateTime) {
        if let Some(log) = log {
            let line = fill(&log.format, |name| values.get(name).map(Value::text));
            self.lines.push((log.path.clone(), stamped(&line, now)));
        }
    }
}

/// What a rejected mail's sender and the log are told.
#[must_use]
pub fn reason(settings: &AuditSettings, judgement: &Judgement) -> String {
    match judgement.reason() {
        None => settings.subject_message.clone(),
        Some((rule, Refusal { step, detail, .. })) => match step {
            Step::Sender => settings.sender_message.clone(),
            Step::TimeFrame => settings.timeframe_message.clone(),
            Step::Attachment => settings.attachment_message.clone(),
            _ => format!("Configuration{rule}: {detail}"),
        },
    }
}

/// The events of one mail, in one line.
fn joined<'a>(events: impl IntoIterator<Item = &'a EventLine>) -> String {
    let events = events.into_iter().map(EventLine::as_str);
    events.collect::<Vec<_>>().join("; ")
}

fn stamped(line: &str, now: NaiveDateTime) -> String {
    let stamp = now.format("%Y-%m-%d %H:%M:%S");
    format!("{stamp} {}{LINE_END}", one_line(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_one_line_whatever_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Audit.log");
        let log = |format: &str| {
            Some(Log {
                path: path.clone(),
                format: format.to_owned(),
            })
        };
        let settings = AuditSettings {
            accepts: log("From: [[SENDER]] Subject: [[SUBJECT]] [[X]]"),
            rejects: None,
            events: log("Generated Event: [[Event]]"),
            rejections: folder.path().join("r.log"),
            timeframe_message: String::new(),
            sender_message: String::new(),
            subject_message: String::new(),
            attachment_message: String::new(),
            reject_event: None,
            unsafe_text: UnsafeText::Reject,
            notices: NoticeSettings::default(),
        };
        let values = TokenValues {
            sender: "a@example.com",
            subject: "one\r\ntwo\u{1b}[2J\u{202e}",
            ..TokenValues::default()
        };
        let mut audit = AuditLog::new(&settings);
        audit.accepted(&values, &[], NaiveDateTime::default());
        assert!(audit.flush().is_empty());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            format!(
                "1970-01-01 00:00:00 From: a@example.com Subject: one\\r\\ntwo\\u{{1b}}[2J\\u{{202e}} [[X]]{LINE_END}"
            )
        );
    }
}
