//! The one pass: from what was asked to the exit code. The only room that knows the order of
//! things.
//!
//! `look` asks the mailbox and the rules, `save` keeps copies, `commit` holds the order in which
//! events become real, `pass` goes through a mailbox once, and `sending` has people told of it.
//! `explain`, `check` and `credentials` are the other things that can be asked for; the first two
//! change nothing anywhere.

use std::path::Path;

use crate::auth::{self, Person};
use crate::cli::{Mode, Pass, Request, UsageError};
use crate::config::places::{is_root, process_environment, state_folder, tag};
use crate::config::{
    Account, LoadError, MailSettings, Problems, Purpose, Settings, SettingsFile, Traces,
};
use crate::message::Limits;
use crate::secret::Keeper;

mod brake;
mod check;
mod commit;
mod credentials;
mod deletion;
pub mod exit;
mod explain;
mod last_run;
mod listing;
mod look;
mod mails;
mod notices;
mod opening;
mod output;
mod pass;
mod recognise;
mod report;
mod retries;
mod save;
mod sending;
mod sign_in;
mod tokens;

use exit::ExitCode;
use output::Output;

/// Does what was asked for and says how it ended.
#[must_use]
pub fn perform(request: Request) -> ExitCode {
    let mut output = Output::new();
    let result = match request {
        Request::Print(text) => {
            output.line(text.trim_end());
            Ok(ExitCode::MATCHED)
        }
        Request::Credentials(asked) => {
            credentials::seal(asked, &mut output).map(|()| ExitCode::MATCHED)
        }
        Request::Seal(asked) => {
            credentials::seal_one(asked, &mut output).map(|()| ExitCode::MATCHED)
        }
        Request::SignIn(asked) => {
            output.set_verbose(asked.verbose);
            output.set_inifile(asked.inifile.as_deref());
            sign_in::run(&asked, &mut output).map(|()| ExitCode::MATCHED)
        }
        Request::Pass(pass) => perform_pass(&pass, &mut output),
    };
    result.unwrap_or_else(|error| {
        let code = if error.downcast_ref::<UsageError>().is_some() {
            ExitCode::USAGE
        } else {
            ExitCode::FAILURE
        };
        output.error(&format!("{error:#}"));
        code
    })
}

/// Says what is wrong with the arguments.
#[must_use]
pub fn refuse(error: &UsageError) -> ExitCode {
    Output::new().error(&error.to_string());
    ExitCode::USAGE
}

fn perform_pass(pass: &Pass, output: &mut Output) -> anyhow::Result<ExitCode> {
    output.set_verbose(pass.verbose);
    output.set_inifile(pass.inifile.as_deref());
    let file = SettingsFile::read(pass.inifile.as_deref(), &process_environment)?;
    let path = file.path().to_path_buf();
    let state = state_folder(&path);
    let keeper = Keeper::for_settings(is_root(), &state);
    let changes = !matches!(pass.mode, Mode::Explain(_));
    let (usual, debug) = (output.trace(), output.debug_trace());
    let purpose = Purpose {
        mailbox: &pass.mailbox,
        delete: pass.delete,
        writes_events: changes,
        sends: changes,
        traces: Traces {
            usual: &usual,
            debug: &debug,
        },
    };
    let settings = match file.resolve(purpose, &keeper, &process_environment) {
        Ok(settings) => settings,
        Err(LoadError::Unusable(found)) => {
            tell(&found.problems, &path, output);
            if pass.mode == Mode::Check {
                check::tell_doubts(&found.rules, None, &path, output);
            }
            anyhow::bail!(
                "{} can't be used as it is; nothing was done",
                path.display()
            );
        }
        // Found late, but wrong arguments all the same.
        Err(LoadError::Missing { setting, switch }) => {
            return Err(UsageError::missing(setting, switch).into());
        }
        Err(other) => return Err(other.into()),
    };
    tell(&settings.problems, &path, output);
    if pass.accept.is_some() && !settings.mail.remembers_certificates() {
        return Err(UsageError::nothing_to_accept().into());
    }
    let place = Place {
        ini: &path,
        state: &state,
    };
    match pass.mode {
        Mode::Run => pass::run(&settings, place, pass.retry, pass.accept, output),
        Mode::Explain(format) => explain::run(&settings, place, format, output),
        Mode::Check => check::run(&settings, place, output),
    }
}

/// Where a pass keeps its things.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    /// The INI file.
    ini: &'a Path,
    /// The state folder.
    state: &'a Path,
}

impl Place<'_> {
    /// A short name of the INI file, for its own corner of folders that several may share.
    fn tag(&self) -> String {
        tag(self.ini)
    }
}

fn tell(problems: &Problems, path: &Path, output: &mut Output) {
    for problem in problems.sorted() {
        output.problem(problem, path);
    }
}

/// The bounds on one mail.
fn limits(settings: &Settings) -> Limits {
    Limits {
        mail: settings.general.max_mail_size,
        ..Limits::default()
    }
}

/// The name under which the journal knows the mailbox. The port is no part of it: the same
/// mailbox is reached through several, and a UIDVALIDITY tells mailboxes apart. Nor is the way to a
/// token: what was handled is known to whoever reads the mailbox.
///
/// # Errors
/// It is the mailbox of whoever is signed in, and nobody is.
fn mailbox_name(mail: &MailSettings) -> Result<String, auth::Error> {
    let on_server = |protocol, account: &Account| {
        let (user, host) = (&account.login.user, &account.endpoint.host);
        format!("{protocol}:{}@{}", user.to_lowercase(), host.to_lowercase())
    };
    Ok(match mail {
        MailSettings::Imap(account) => on_server("imap", account),
        MailSettings::Pop(account) => on_server("pop", account),
        MailSettings::Msal(account) => {
            let name = match &account.mailbox {
                Some(mailbox) => mailbox.as_str(),
                // Whose refresh token stands in the settings is not told.
                None => account.tokens.holder()?.map_or("", Person::name),
            };
            format!("msal:{}", name.to_lowercase())
        }
        MailSettings::Folder(path) => {
            let path = dunce::canonicalize(path).unwrap_or_else(|_| path.clone());
            format!("folder:{}", path.display())
        }
    })
}
