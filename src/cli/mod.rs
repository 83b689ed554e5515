//! Switches to a [`Request`]: what was typed, checked for contradictions, and nothing else.
//!
//! Pure: no file, no network, no terminal. The Windows spelling (`-server:HOST`, any case,
//! one dash or two) is brought into one form by `spelling`; clap does the rest.

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::mailbox::{Choice, Protocol};
use crate::net::{Fingerprint, TlsFloor};
use crate::secret::{Sealable, Secret};

mod spelling;
mod switches;

pub use switches::{EXAMPLES, EXIT_CODES, SPELLING, command};

/// What the user asked for.
#[derive(Debug)]
pub enum Request {
    /// Print this text and leave.
    Print(String),
    /// Seal credentials into the INI file.
    Credentials(Credentials),
    /// Seal one setting into the INI file; its value is asked for.
    Seal(Seal),
    /// Sign in to Microsoft 365.
    SignIn(SignIn),
    /// One pass over the mailbox, or a dry one.
    Pass(Pass),
}

/// `--credentials`: what to seal. A value that was asked for without being given is
/// [`Typed::Ask`].
#[derive(Debug)]
pub struct Credentials {
    /// `-inifile`, as typed.
    pub inifile: Option<String>,
    /// `-user`.
    pub user: Option<Typed>,
    /// `-password`.
    pub password: Option<Typed>,
    /// `-opconuser`.
    pub opcon_user: Typed,
    /// `-opconpassword`.
    pub opcon_password: Typed,
    /// `-smtpuser`.
    pub smtp_user: Option<Typed>,
    /// `-smtppassword`.
    pub smtp_password: Option<Typed>,
}

/// `-seal`: which setting to seal.
#[derive(Debug)]
pub struct Seal {
    /// `-inifile`, as typed.
    pub inifile: Option<String>,
    /// The setting.
    pub setting: Sealable,
}

/// A credential as it came in.
#[derive(Debug)]
pub enum Typed {
    /// The value stood on the command line.
    Value(Secret),
    /// Ask for it without echo, or read a line of standard input.
    Ask,
}

/// One pass over the mailbox, as typed; the INI file fills the gaps.
#[derive(Debug, Default)]
pub struct Pass {
    /// `-inifile`, as typed.
    pub inifile: Option<String>,
    /// What the command line says about the mailbox.
    pub mailbox: Choice,
    /// `--delete`: delete matched mails even where the INI file says `DeleteEmails=None`.
    pub delete: bool,
    /// Run, explain or check.
    pub mode: Mode,
    /// `--retry`: take up again what was set aside.
    pub retry: bool,
    /// `--acceptCertificate`: the server's certificate to accept from now on.
    pub accept: Option<Accept>,
    /// `--verbose`: show the protocol steps.
    pub verbose: bool,
}

/// `--renewMsalToken`: sign in to Microsoft 365 instead of reading mail.
#[derive(Debug)]
pub struct SignIn {
    /// `-inifile`, as typed.
    pub inifile: Option<String>,
    /// `--msal`: for Graph, even if the file names a mailbox of another protocol.
    pub msal: bool,
    /// Who signs in, and how.
    pub way: Way,
    /// `--verbose`: show the protocol steps.
    pub verbose: bool,
}

/// How an account is signed in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A person, by a browser or a code.
    Person {
        /// `--deviceCode`: by a code that is entered on another device, without trying a browser.
        device: bool,
        /// Without `--doNotSaveAccount`.
        save: bool,
    },
    /// `--renewTokenSilent`: nobody; the stored account is refreshed.
    Silent,
}

/// Which certificate to accept for the server, though no known authority vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// The one that it shows in this run.
    Shown,
    /// This one and no other.
    Exactly(Fingerprint),
}

/// What a pass may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything: the job.
    #[default]
    Run,
    /// Nothing: show what would happen to each mail and why.
    Explain(Format),
    /// Nothing: tell whether a run would work.
    Check,
}

/// How `--explain` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Wrong arguments: one line that names the switch, then the usage line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}\nusage: {usage}; --help tells more", usage = switches::USAGE)]
pub struct UsageError(pub(crate) String);

impl UsageError {
    /// An error found later than parsing: neither the INI file nor the command line has it.
    #[must_use]
    pub fn missing(setting: &str, switch: &str) -> Self {
        Self(format!(
            "no mailbox to read: set {setting} in the INI file, or give {switch}"
        ))
    }

    /// `-seal` of a setting that is never sealed.
    fn not_sealable(name: &str) -> Self {
        let (name, all) = (crate::net::clean(name, 100), Sealable::names());
        Self(format!(
            "--seal: {name} is no setting that is sealed; these are: {all}"
        ))
    }

    /// `--acceptCertificate` where no certificate is remembered.
    #[must_use]
    pub fn nothing_to_accept() -> Self {
        Self(
            "--acceptCertificate goes with an encrypted connection and SelfSignedCertificate=True only"
                .to_owned(),
        )
    }

    /// An argument that is not text.
    #[must_use]
    pub fn not_text(argument: &std::ffi::OsStr) -> Self {
        Self(format!(
            "{} is not valid Unicode",
            argument.to_string_lossy()
        ))
    }
}

/// Reads the arguments (without the program's name).
pub fn parse(arguments: &[String]) -> Result<Request, UsageError> {
    let mut command = command();
    let spelled = spelling::normalise(arguments, &command)?;
    if spelled.iter().any(|argument| argument == "--help") {
        return Ok(Request::Print(command.render_help().to_string()));
    }
    if spelled.iter().any(|argument| argument == "--version") {
        return Ok(Request::Print(command.render_version()));
    }
    let matches = command
        .try_get_matches_from_mut(spelled)
        .map_err(|error| usage_error(&error))?;
    if let Some(name) = matches.get_one::<String>("seal") {
        let setting = Sealable::find(name).ok_or_else(|| UsageError::not_sealable(name))?;
        let inifile = matches.get_one::<String>("inifile").cloned();
        return Ok(Request::Seal(Seal { inifile, setting }));
    }
    Ok(if matches.get_flag("credentials") {
        Request::Credentials(credentials(&matches))
    } else if matches.get_flag("renewMsalToken") {
        Request::SignIn(sign_in(&matches))
    } else {
        Request::Pass(pass(&matches))
    })
}

fn credentials(matches: &ArgMatches) -> Credentials {
    let typed = |name: &str| {
        matches
            .get_one::<String>(name)
            .map(|value| match value.as_str() {
                spelling::ASK => Typed::Ask,
                _ => Typed::Value(Secret::new(value.clone())),
            })
    };
    Credentials {
        inifile: matches.get_one::<String>("inifile").cloned(),
        user: typed("user"),
        password: typed("password"),
        // clap demands both beside --credentials.
        opcon_user: typed("opconuser").unwrap_or(Typed::Ask),
        opcon_password: typed("opconpassword").unwrap_or(Typed::Ask),
        smtp_user: typed("smtpuser"),
        smtp_password: typed("smtppassword"),
    }
}

fn sign_in(matches: &ArgMatches) -> SignIn {
    let flag = |name: &str| matches.get_flag(name);
    SignIn {
        inifile: matches.get_one::<String>("inifile").cloned(),
        msal: flag("msal"),
        way: if flag("renewTokenSilent") {
            Way::Silent
        } else {
            Way::Person {
                device: flag("deviceCode"),
                save: !flag("doNotSaveAccount"),
            }
        },
        verbose: flag("verbose"),
    }
}

fn pass(matches: &ArgMatches) -> Pass {
    let flag = |name: &str| matches.get_flag(name);
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let folder = text("folder");
    let protocol = if flag("imap") {
        Some(Protocol::Imap)
    } else if flag("pop") {
        Some(Protocol::Pop)
    } else if flag("msal") {
        Some(Protocol::Msal)
    } else {
        folder.as_ref().map(|_| Protocol::Folder)
    };
    let floor = if flag("ssl") {
        Some(TlsFloor::Tls1_0)
    } else if flag("tls1_1") {
        Some(TlsFloor::Tls1_1)
    } else {
        flag("tls1_2").then_some(TlsFloor::Tls1_2)
    };
    let mode = match text("explain").as_deref() {
        Some("json") => Mode::Explain(Format::Json),
        Some(_) => Mode::Explain(Format::Text),
        None if flag("check") => Mode::Check,
        None => Mode::Run,
    };
    Pass {
        inifile: text("inifile"),
        mailbox: Choice {
            protocol,
            server: text("server"),
            port: matches.get_one::<u16>("port").copied(),
            folder,
            floor,
        },
        delete: flag("delete"),
        retry: flag("retry"),
        accept: matches.get_one::<Accept>("acceptCertificate").copied(),
        mode,
        verbose: flag("verbose"),
    }
}

/// clap's error, which fills several lines, in one.
fn usage_error(error: &clap::Error) -> UsageError {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => switch_in(text),
        Some(ContextValue::Strings(texts)) => texts
            .iter()
            .map(|text| switch_in(text))
            .collect::<Vec<_>>()
            .join(" and "),
        _ => String::new(),
    };
    let switch = context(ContextKind::InvalidArg);
    UsageError(match error.kind() {
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg);
            if other.is_empty() || other == switch {
                format!("{switch} is given twice")
            } else {
                format!("{switch} and {other} can't be used together")
            }
        }
        ErrorKind::MissingRequiredArgument => {
            format!(
                "missing: {} (they go together)",
                switch.replace(" and ", ", ")
            )
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = match error.get(ContextKind::InvalidValue) {
                Some(ContextValue::String(text)) => text.as_str(),
                _ => "",
            };
            format!("{switch} has a value that can't be used: {value}")
        }
        _ => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// The switch in clap's rendering of an argument (`--port <PORT>`).
fn switch_in(text: &str) -> String {
    text.split([' ', '=', '['])
        .next()
        .unwrap_or(text)
        .to_owned()
}

#[cfg(test)]
mod tests;
