//! `--check`: would a run work? Everything that is wrong or odd is told at once; nothing is
//! changed.

use std::path::{Path, PathBuf};

use super::exit::ExitCode;
use super::opening::{Visit, open_mailbox};
use super::output::Output;
use super::report::count;
use super::{Place, tokens};
use crate::audit::clean::one_line;
use crate::config::{LastRun, Outbound, Settings};
use crate::durable;
use crate::events::spool::Spool;
use crate::events::template::{Piece, pieces};
use crate::events::tokens::group_number;
use crate::events::{Signature, catalogue};
use crate::rules::doubts::doubts;
use crate::rules::{AttachmentRule, BodyRule, Rule};
use crate::send::{Checked, Outbox};

/// Checks the settings, the folders and the mailbox.
pub(super) fn run(
    settings: &Settings,
    place: Place<'_>,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    tell_doubts(
        &settings.rules,
        settings.general.signature.as_ref(),
        place.ini,
        output,
    );
    if let Some(event) = &settings.audit.reject_event
        && let Some(doubt) = catalogue::doubt(event.as_str())
    {
        output.warning(&format!(
            "{}: [Audit] RejectEvent: {doubt}",
            place.ini.display()
        ));
    }
    folders(settings, place, output);
    let has_token = tokens::check(settings, output);
    if has_token {
        mailbox(settings, place, output);
    }
    if let Some(outbound) = &settings.outbound
        && (has_token || !outbound.by_the_mailbox)
    {
        sending(outbound, output);
    }
    Ok(if output.errors() == 0 {
        output.line(&format!(
            "checked: a run would work, with {}",
            count(settings.rules.len(), "configuration")
        ));
        ExitCode::MATCHED
    } else {
        output.line(&format!(
            "checked: a run would not work as it should; {}",
            count(output.errors(), "error")
        ));
        ExitCode::FAILURE
    })
}

/// Opens the mailbox and counts its mails.
fn mailbox(settings: &Settings, place: Place<'_>, output: &mut Output) {
    let counted = open_mailbox(settings, place, Visit::Look, output).and_then(|mut mailbox| {
        let mails = mailbox.count()?;
        let described = mailbox.describe();
        mailbox.close();
        Ok((described, mails))
    });
    match counted {
        Ok((described, mails)) => output.line(&format!(
            "connected: {}, {}",
            one_line(&described),
            count(usize::try_from(mails).unwrap_or(usize::MAX), "mail")
        )),
        Err(error) => output.error(&format!("{error:#}")),
    }
}

/// Tries the way that notices go, without sending any.
fn sending(outbound: &Outbound, output: &mut Output) {
    let outbox = Outbox::new(outbound.service.clone(), outbound.trace.clone());
    match outbox.check() {
        Ok(checked) => output.line(&format!(
            "notices: {}, from {}; nothing was sent",
            match checked {
                Checked::Connected => "connected, without a log-in",
                Checked::LoggedIn => "connected and logged in",
                Checked::Token => "a token was given",
                Checked::Nothing => "the password shows its worth when a notice is sent",
            },
            outbound.from
        )),
        Err(error) => output.error(&format!(
            "[{}] {error}",
            if outbound.by_the_mailbox {
                "MSAL"
            } else {
                "smtp-client"
            }
        )),
    }
    for warning in outbox.warnings() {
        output.warning(&warning.to_string());
    }
    outbox.close();
}

/// Warns about what is odd in the rules.
pub(super) fn tell_doubts(
    rules: &[Rule],
    signature: Option<&Signature>,
    ini: &Path,
    output: &Output,
) {
    for rule in rules {
        for doubt in rule_doubts(rule, signature) {
            let (ini, line, number) = (ini.display(), rule.line, rule.number);
            output.warning(&format!("{ini}:{line}: [Configuration{number}] {doubt}"));
        }
    }
}

/// What is odd about a rule, each as the rest of a line.
fn rule_doubts(rule: &Rule, signature: Option<&Signature>) -> Vec<String> {
    let mut found = Vec::new();
    if rule.senders.is_nobody() {
        found.push("AllowedSenders: is blank, so no mail is ever accepted; list addresses, any@domain or ALL".to_owned());
    }
    found.extend(rule.senders.odd_entries().map(|entry| {
        format!("AllowedSenders: \"{entry}\" is no address; no sender will match it")
    }));
    let with_body = !matches!(rule.body, BodyRule::Ignore);
    let mut masks = vec![("SubjectLineMask", &rule.mask, !with_body)];
    if let BodyRule::Qualified(qualifier) = &rule.body {
        masks.push(("QualifyingSubjectLine", qualifier, true));
    }
    let mut groups = rule.mask.group_count();
    if let AttachmentRule::Named(mask) = &rule.attachments {
        masks.push(("AttachmentMask", mask, true));
        groups += mask.group_count();
    }
    for (key, mask, single_line) in masks {
        found.extend(
            doubts(mask, single_line)
                .into_iter()
                .map(|doubt| format!("{key}: {} {doubt}", mask.as_str())),
        );
    }
    for event in &rule.events {
        let text = event.as_str();
        found.extend(catalogue::doubt(text).map(|doubt| format!("Event: {doubt}")));
        for piece in pieces(text) {
            if let Piece::Token { name, raw } = piece
                && group_number(name).is_some_and(|number| number > groups)
            {
                found.push(format!(
                    "Event: {raw} stays as it is, because the masks have {}",
                    count(groups, "group")
                ));
            }
        }
        if signature.is_some_and(|signature| carries_credentials(text, signature)) {
            found.push(
                "Event: ends with credentials; leave them out, they are appended by the program"
                    .to_owned(),
            );
        }
    }
    found
}

/// Whether somebody has written the OpCon user, with or without the password, at the end of an
/// event.
fn carries_credentials(event: &str, signature: &Signature) -> bool {
    let fields: Vec<&str> = event.split(',').map(str::trim).collect();
    let behind = |from_end: usize| {
        fields
            .len()
            .checked_sub(from_end)
            .and_then(|index| fields.get(index))
            .copied()
    };
    behind(1) == Some(signature.password.expose())
        || behind(2)
            .is_some_and(|user| fields.len() > 2 && user.eq_ignore_ascii_case(&signature.user))
}

fn folders(settings: &Settings, place: Place<'_>, output: &mut Output) {
    let general = &settings.general;
    if let Err(error) = Spool::check(&general.msgin, &general.staging) {
        output.error(&error.to_string());
    }
    // What is missing of these would be made; so the nearest folder that exists counts.
    let nearest = |folder: &Path| {
        let mut above = folder.ancestors();
        above
            .find(|path| path.is_dir())
            .unwrap_or(Path::new("."))
            .to_path_buf()
    };
    let mut wanted: Vec<(&str, PathBuf)> = vec![("the state folder", nearest(place.state))];
    if let Some(folder) = &general.download {
        wanted.push(("[General] DownloadFolder", nearest(folder)));
    }
    if general.last_run != LastRun::Unused {
        let folder = durable::folder_of(place.ini).to_path_buf();
        wanted.push((
            "the INI file's folder, where LastRunDate is written",
            folder,
        ));
    }
    let audit = &settings.audit;
    for log in [&audit.accepts, &audit.rejects, &audit.events]
        .into_iter()
        .flatten()
    {
        wanted.push((
            "[Audit] the folder of a log",
            durable::folder_of(&log.path).to_path_buf(),
        ));
    }
    wanted.push((
        "the folder of SMArtEmailRejections.log",
        durable::folder_of(&audit.rejections).to_path_buf(),
    ));
    for (what, folder) in wanted {
        if let Err(error) = durable::writable(&folder) {
            output.error(&format!(
                "{what}: can't write into {}: {error}",
                folder.display()
            ));
        }
    }
}
