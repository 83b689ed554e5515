//! `[Audit]`: what is wrong there is an error of the run, and the defaults stand in.

use std::path::Path;

use super::Resolver;
use crate::audit::notice::{Form, MOST_RECIPIENTS, NoticeSettings};
use crate::audit::{AuditSettings, Log};
use crate::config::keys::{self, Key};
use crate::config::problem::Severity;
use crate::config::tokens::Tokens;
use crate::config::values::{Reader, is_set, unsafe_text};
use crate::events::Template;
use crate::send::Address;

impl Resolver<'_> {
    /// Relative log paths are relative to `folder`, that of the INI file.
    pub(super) fn audit(&mut self, folder: &Path, tokens: &Tokens) -> AuditSettings {
        let unsafe_text = self
            .reader("General", Severity::Fatal)
            .parsed(&keys::UNSAFE_TEXT, "Reject, Replace or Allow", unsafe_text)
            .unwrap_or_default();
        let notices = self.notices(tokens);
        let mut reader = self.reader("Audit", Severity::Error);
        let log = |reader: &mut Reader<'_>,
                   switch: &'static Key,
                   file: &'static Key,
                   format: &'static Key| {
            let on = reader.boolean(switch);
            let path = reader.path(file).map(|path| folder.join(path));
            let format = audit_text(reader, format, tokens);
            if on && path.is_none() {
                let line = reader.entry(switch).map(|entry| entry.line);
                let message = format!("is set, but {} names no file; nothing is logged", file.name);
                reader.problems.add(
                    Severity::Warning,
                    line,
                    format!("[Audit] {}", switch.name),
                    message,
                );
            }
            path.map(|path| (on, Log { path, format }))
        };
        let accepts = log(
            &mut reader,
            &keys::LOG_ACCEPTS,
            &keys::AUDIT_ACCEPT_LOG_FILE,
            &keys::LOG_ACCEPT_FORMAT,
        );
        let rejects = log(
            &mut reader,
            &keys::LOG_REJECTS,
            &keys::AUDIT_REJECT_LOG_FILE,
            &keys::LOG_REJECT_FORMAT,
        );
        let events = log(
            &mut reader,
            &keys::LOG_OPCON_EVENTS,
            &keys::OPCON_EVENT_LOG_FILE,
            &keys::LOG_OPCON_EVENT_FORMAT,
        );
        let beside = rejects
            .as_ref()
            .map_or(folder, |(_, log)| log.path.parent().unwrap_or(folder));
        let on = |log: &Option<(bool, Log)>| {
            log.as_ref()
                .filter(|(on, _)| *on)
                .map(|(_, log)| log.clone())
        };
        AuditSettings {
            rejections: beside.join("SMArtEmailRejections.log"),
            accepts: on(&accepts),
            rejects: on(&rejects),
            events: on(&events),
            timeframe_message: audit_text(&mut reader, &keys::REJECT_TIMEFRAME_MESSAGE, tokens),
            sender_message: audit_text(&mut reader, &keys::REJECT_SENDER_MESSAGE, tokens),
            subject_message: audit_text(
                &mut reader,
                &keys::REJECT_NO_MATCHING_SUBJECT_MESSAGE,
                tokens,
            ),
            attachment_message: audit_text(
                &mut reader,
                &keys::REJECT_NO_ATTACHMENT_MESSAGE,
                tokens,
            ),
            reject_event: Some(audit_text(&mut reader, &keys::REJECT_EVENT, tokens))
                .filter(|t| is_set(t))
                .map(Template::new),
            unsafe_text,
            notices,
        }
    }

    /// What is to be sent to whom. Whose addresses are our own is known later.
    fn notices(&mut self, tokens: &Tokens) -> NoticeSettings {
        // The older names count where the newer ones are absent.
        let mut general = self.reader("General", Severity::Fatal);
        let older = [&keys::SEND_ACCEPTED_NOTICE, &keys::SEND_REJECTION_NOTICE]
            .map(|key| general.boolean(key));
        let [accepts, rejects] = older;
        let mut reader = self.reader("Audit", Severity::Error);
        let mut form = |older: bool,
                        switch: &'static Key,
                        subject: &'static Key,
                        body: &'static Key,
                        to: &'static Key| {
            let newer = reader.boolean(switch);
            let on = newer || (older && reader.entry(switch).is_none());
            let [subject, body, list] =
                [subject, body, to].map(|key| audit_text(&mut reader, key, tokens));
            let mut form = Form::new(subject, body, &list);
            if on && form.to.len() > MOST_RECIPIENTS {
                let line = reader.entry(to).map_or(0, |entry| entry.line);
                let count = form.to.len();
                let message =
                    format!("names {count} recipients; only the first {MOST_RECIPIENTS} are told");
                reader.wrong(line, to, message);
            }
            // What has a token in it is judged with each mail.
            form.to.retain(|entry| match Address::parse(entry) {
                Err(error) if !entry.contains("[[") => {
                    if on {
                        let line = reader.entry(to).map_or(0, |entry| entry.line);
                        reader.wrong(line, to, error.to_string());
                    }
                    false
                }
                _ => true,
            });
            on.then_some(form)
        };
        let on_accept = form(
            accepts,
            &keys::NOTIFY_ON_ACCEPTS,
            &keys::NOTIFY_ON_ACCEPT_SUBJECT,
            &keys::NOTIFY_ON_ACCEPT_BODY,
            &keys::NOTIFY_ON_ACCEPT_TO,
        );
        let on_reject = form(
            rejects,
            &keys::NOTIFY_ON_REJECTS,
            &keys::NOTIFY_ON_REJECT_SUBJECT,
            &keys::NOTIFY_ON_REJECT_BODY,
            &keys::NOTIFY_ON_REJECT_TO,
        );
        NoticeSettings {
            on_accept,
            on_reject,
            limit: reader.number(&keys::NOTIFY_LIMIT, 0, 1000).unwrap_or(1),
            limit_of_all: reader
                .number(&keys::NOTIFY_LIMIT_ALL, 0, 100_000)
                .unwrap_or(100),
            own: Vec::new(),
        }
    }
}

/// An `[Audit]` text with its custom tokens replaced; the default where that fails.
fn audit_text(reader: &mut Reader<'_>, key: &'static Key, tokens: &Tokens) -> String {
    let text = reader.text(key).unwrap_or_default();
    match tokens.expand(text) {
        Ok(text) => text,
        Err(why) => {
            let line = reader.entry(key).map_or(0, |entry| entry.line);
            reader.wrong(line, key, format!("{why}. The default is used"));
            key.default.to_owned()
        }
    }
}
