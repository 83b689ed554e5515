//! `[General]`: where events go, and what becomes of mails.

use std::path::{Path, PathBuf};

use super::Resolver;
use crate::clock::stamp;
use crate::config::keys;
use crate::config::problem::Severity;
use crate::config::settings::{Delete, General, LastRun, MailSettings, Purpose};
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
        let mut delete = reader.parsed(&keys::DELETE_EMAILS, "Match, All or None", delete)?;
        if matches!(mail, Some(MailSettings::Folder(_)))
            && reader.entry(&keys::DELETE_EMAILS).is_none()
        {
            delete = Delete::None;
        }
        if purpose.delete && delete == Delete::None {
            delete = Delete::Match;
        }
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
