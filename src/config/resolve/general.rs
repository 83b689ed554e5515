//! `[General]`: where events go, and what becomes of mails.

use std::path::{Path, PathBuf};

use super::Resolver;
use crate::clock::stamp;
use crate::config::keys;
use crate::config::problem::Severity;
use crate::config::settings::{Delete, General, LastRun, MailSettings, Purpose};
use crate::config::values::Reader;
use crate::events::Signature;

impl Resolver<'_> {
    /// `None` when something is missing, which has been told.
    pub(super) fn general(
        &mut self,
        purpose: Purpose<'_>,
        mail: Option<&MailSettings>,
    ) -> Option<General> {
        let signature = purpose.writes_events.then(|| self.signature()).flatten();
        let mut reader = self.reader("General", Severity::Fatal);
        let msgin = reader.path(&keys::MSGIN_DIRECTORY);
        let staging = reader
            .path(&keys::STAGING_DIRECTORY)
            .or_else(|| msgin.as_deref().map(beside));
        let delete = reader.parsed(&keys::DELETE_EMAILS, "Match, All or None", delete)?;
        let delete = deletion(&mut reader, delete, purpose, mail);
        let download = if reader.boolean(&keys::DOWNLOAD_EMAILS) {
            Some(reader.path(&keys::DOWNLOAD_FOLDER))
        } else {
            None
        };
        let last_run = if reader.boolean(&keys::USE_LAST_RUN_DATE) {
            let time = reader.parsed(
                &keys::LAST_RUN_DATE,
                "a date such as 1/31/2017 12:30:00 AM",
                stamp::parse,
            );
            let text = reader
                .entry(&keys::LAST_RUN_DATE)
                .map(|entry| entry.value.clone())
                .unwrap_or_default();
            LastRun::Used { text, time }
        } else {
            LastRun::Unused
        };
        Some(General {
            signature,
            delete,
            exit_code_no_match: reader.number(&keys::EXIT_CODE_FOR_NO_MATCHING_EMAILS, 0, 255)?,
            last_run,
            max_events: reader.number(&keys::MAX_EVENTS_PER_RUN, 1, 1_000_000),
            max_mail_size: reader.number(&keys::MAX_MAIL_SIZE, 1, 1024)? * 1024 * 1024,
            // A path that can't be had has been told; `download` must not turn into "don't".
            download: match download {
                Some(path) => Some(path?),
                None => None,
            },
            msgin: msgin?,
            staging: staging?,
        })
    }

    fn signature(&mut self) -> Option<Signature> {
        let user = self.credential("General", &keys::OPCON_USER, false);
        let password = self.credential("General", &keys::OPCON_USER_PASSWORD, true);
        let (user, password) = user.zip(password)?;
        for (key, value) in [
            (&keys::OPCON_USER, &user),
            (&keys::OPCON_USER_PASSWORD, &password),
        ] {
            if value.expose().contains(',') || value.expose().contains(char::is_control) {
                let message = "holds a comma or a control character, which no event can carry; set it again with: smartemail --credentials";
                self.problems.add(
                    Severity::Fatal,
                    None,
                    format!("[General] {}", key.name),
                    message,
                );
                return None;
            }
        }
        Some(Signature {
            user: user.expose().to_owned(),
            password,
        })
    }
}

/// What becomes of mails in view of the command line and of what the mailbox can do.
fn deletion(
    reader: &mut Reader<'_>,
    asked: Delete,
    purpose: Purpose<'_>,
    mail: Option<&MailSettings>,
) -> Delete {
    let line = reader.entry(&keys::DELETE_EMAILS).map(|entry| entry.line);
    let is_wish = line.is_some() && asked != Delete::None;
    match mail {
        Some(MailSettings::Pop(_)) => {
            // The default is nobody's wish.
            let wish = match line {
                Some(line) if is_wish => Some((Some(line), "[General] DeleteEmails")),
                _ => purpose.delete.then_some((None, "--delete")),
            };
            if let Some((line, place)) = wish {
                let message = "has no effect: with POP nothing is deleted by this program. A server can be set to remove mails by \
                               itself; with IMAP they can be deleted";
                reader.problems.add(Severity::Warning, line, place, message);
            }
            Delete::None
        }
        Some(MailSettings::Folder(_)) if !is_wish && !purpose.delete => Delete::None,
        _ if purpose.delete && !is_wish => Delete::Match,
        _ => asked,
    }
}

/// The staging folder beside MSGIN: the same name with `.staging` behind it.
fn beside(msgin: &Path) -> PathBuf {
    let mut name = msgin.file_name().unwrap_or_default().to_owned();
    name.push(".staging");
    msgin.with_file_name(name)
}

fn delete(value: &str) -> Option<Delete> {
    match value.to_ascii_lowercase().as_str() {
        "none" => Some(Delete::None),
        "match" => Some(Delete::Match),
        "all" => Some(Delete::All),
        _ => None,
    }
}
