//! `--explain`: what the job would do with each mail, and why. The screen to look at when a rule
//! does not fire.
//!
//! It asks the same rules in the same way as the job and changes nothing anywhere.

mod json;
mod page;

use std::collections::HashSet;

use self::json::as_json;
use self::page::Page;
use super::exit::ExitCode;
use super::last_run::outlook;
use super::look::{Eye, Looked, titles};
use super::notices::{Decision, Limit, Notices};
use super::opening::{Visit, open_mailbox};
use super::output::Output;
use super::recognise::{Handled, is_new};
use super::report::count;
use super::save::Plan;
use super::{Place, mailbox_name};
use crate::audit::clean::one_line;
use crate::cli::Format;
use crate::clock;
use crate::config::Settings;
use crate::events::Signature;
use crate::journal::{Journal, Peeked, State};
use crate::mailbox::{self, Known, MailId, Mailbox};
use crate::rules::{Match, Place as Where};
use crate::secret::Secret;

/// Mails that are looked at together.
const BATCH: usize = 500;
/// After so many mails that the mailbox can't give, with none before them that it can, it is the
/// service that fails.
const ENOUGH: usize = 3;

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
    let (mut number, mut accepted, mut failed) = (0, 0, 0);
    let mut show = |id: &MailId, looked: Result<Looked, String>| {
        number += 1;
        let due = match &looked {
            Ok(looked) if floor.is_some_and(|floor| looked.summary.received < floor) => Due::TooOld,
            _ if state.is_set_aside(id) => Due::SetAside,
            Ok(looked) if new.contains(id) => match handled.recognise(&looked.summary) {
                Some(_) => Due::Handled,
                None => Due::New,
            },
            _ if new.contains(id) => Due::New,
            _ => Due::Handled,
        };
        let notice = match (&looked, due) {
            (Ok(looked), Due::New) => maker.decide(looked, &[], &notices, output),
            _ => Decision::Unwanted,
        };
        match &looked {
            Ok(looked) => accepted += usize::from(looked.judgement.is_accepted()),
            Err(_) => failed += 1,
        }
        if text {
            let page = Page {
                settings,
                number,
                total: all.len(),
                due,
                notice: &notice,
            };
            let lines = page.lines(id, &looked);
            lines.iter().for_each(|line| output.line(line));
        } else {
            output.line(&as_json(id, &looked, due, &notice, settings).to_string());
        }
    };
    for ids in all.chunks(BATCH) {
        look_at(ids, &mut eye, mailbox.as_mut(), &mut show)?;
    }
    mailbox.close();
    if text {
        output.line(&format!(
            "\nsummary: {}, {accepted} would be accepted, {} not{}",
            count(number, "mail"),
            number - accepted - failed,
            match failed {
                0 => String::new(),
                failed => format!(", {failed} failed"),
            }
        ));
    }
    Ok(if output.errors() > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::MATCHED
    })
}

/// Shows these mails, each once. A mail that the mailbox can't give keeps no other from being shown,
/// unless there are [`ENOUGH`] of them at the front.
fn look_at(
    ids: &[MailId],
    eye: &mut Eye<'_>,
    mailbox: &mut dyn Mailbox,
    show: &mut dyn FnMut(&MailId, Result<Looked, String>),
) -> anyhow::Result<()> {
    let mut left: Vec<MailId> = ids.to_vec();
    let mut in_a_row = 0;
    loop {
        let mut shown = HashSet::new();
        let looked = eye.look(mailbox, &left, &mut |_, id, looked| {
            show(&id, looked.map_err(|fault| fault.to_string()));
            shown.insert(id);
            Ok(())
        });
        let Err(error) = looked else { return Ok(()) };
        match error.downcast_ref() {
            Some(mailbox::Error::OneMail { mail, cause }) if left.contains(mail) => {
                in_a_row = if left.first() == Some(mail) {
                    in_a_row + 1
                } else {
                    1
                };
                if in_a_row == ENOUGH {
                    return Err(error);
                }
                let title = titles(mailbox, std::slice::from_ref(mail)).remove(mail);
                let title = title.map_or_else(String::new, |title| format!("{title}: "));
                show(mail, Err(format!("{title}{cause}")));
                left.retain(|id| id != mail && !shown.contains(id));
            }
            _ => return Err(error),
        }
    }
}

/// Whether the next run will look at a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    New,
    Handled,
    SetAside,
    TooOld,
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
