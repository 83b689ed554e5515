//! `smail`: sends one mail from the command line, by SMTP or Microsoft Graph.
//!
//! Another face of the same program, on top of [`crate::send`]: options and their checks
//! (`table`, `options`, `values`, `list`, `request`), the files that they name (`files`, `body`,
//! `prepare`), attempts and what their failures mean (`attempts`, `reason`, `details`), and
//! everything that is said, in two languages (`texts`, `help`, `log`, `exit`). It knows no INI file
//! and no mailbox.

mod attempts;
mod body;
mod details;
mod exit;
mod files;
mod help;
mod list;
mod log;
mod options;
mod prepare;
mod reason;
mod request;
mod table;
mod texts;
mod values;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Mutex;

pub use help::Part;
pub use texts::Language;

use attempts::{Attempts, Sent};
use exit::Exit;
use log::{Level, Log};
use options::Given;
use request::{Request, Way};
use table::Key;
use texts::{Message, Phrase, Speaker};

use crate::durable::LINE_END;
use crate::net::clean;
use crate::send::{Receipt, Warning};

/// The name of this face.
pub const NAME: &str = "smail";

/// Why no mail was sent, or not to everybody.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    messages: Vec<Message>,
}

impl Failure {
    fn of(exit: Exit, message: impl Into<Message>) -> Self {
        Self {
            exit,
            messages: vec![message.into()],
        }
    }

    /// The program itself failed at this place.
    fn internal(place: impl Into<String>) -> Self {
        Self::of(
            Exit::Internal,
            Phrase::InternalFault.with("place", place.into()),
        )
    }
}

/// What `smail` is, in one line, and its help: for the manual.
#[must_use]
pub fn manual(language: Language) -> (String, Vec<Part>) {
    let speaker = Speaker::of(language);
    (help::about(&speaker), help::parts(&speaker))
}

/// Whether a program of this name is `smail`: `smail`, `SMail`, with or without `.exe`, in any
/// folder.
#[must_use]
pub fn is_called(program: &OsStr) -> bool {
    let program = program.to_string_lossy().to_ascii_lowercase();
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name) == NAME
}

/// Sends a mail as the arguments say; they come without the program's name.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments
        .into_iter()
        .map(|a| a.into_string().ok())
        .collect();
    let (given, problems) = Given::read(&arguments);
    let speaker = Speaker::of(given.language());
    if given.help {
        // Whoever does not read on does not want more.
        let _ = io::stdout().write_all(help::text(&speaker).as_bytes());
        return Exit::Ok.into();
    }
    let opened = open_log(&given);
    let log = opened.as_ref().map_or_else(|_| Log::off(), Clone::clone);
    let report = Report {
        speaker: &speaker,
        log: &log,
        error_file: given.get(Key::ErrorFile),
    };
    note_faults();
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
        let request = Request::read(&given, &|name| std::env::var(name).ok(), problems)?;
        opened?;
        send(&request, &given, &report)
    }));
    let outcome = outcome.unwrap_or_else(|_| Err(Failure::internal(fault())));
    match outcome {
        Ok(()) => {
            report.succeeded();
            Exit::Ok
        }
        Err(failure) => {
            report.failed(&failure);
            failure.exit
        }
    }
    .into()
}

fn open_log(given: &Given) -> Result<Log, Failure> {
    let level = given.get(Key::LogLevel).and_then(Level::of_option);
    let Some(path) = given.get(Key::Log) else {
        return Ok(Log::off());
    };
    Log::open(path, level.unwrap_or(Level::Info)).map_err(|error| {
        let message = unwritable(Key::Log, path, &error);
        Failure::of(Exit::Error, message)
    })
}

fn unwritable(option: Key, path: &str, error: &io::Error) -> Message {
    Phrase::FileUnwritable
        .with("option", option.shown())
        .with("file", clean(path, 300))
        .with("cause", files::cause(error))
}

fn send(request: &Request, given: &Given, report: &Report<'_>) -> Result<(), Failure> {
    let Report { speaker, log, .. } = report;
    let kind = match &request.way {
        Way::Graph(_) => request::Kind::Graph,
        Way::Smtp(smtp) => match &smtp.login {
            request::Login::None => request::Kind::Smtp,
            request::Login::Password { .. } => request::Kind::Sasl,
            request::Login::Token { .. } => request::Kind::Xoauth2,
        },
    };
    log.line(Level::Info, || {
        let start = Phrase::TellStart.with("version", env!("CARGO_PKG_VERSION"));
        speaker.say(&start.with("way", Message::from(kind.text())))
    });
    log.line(Level::Debug, || given.shown().join("\n"));
    crate::crash::slip("smail");
    let trace = log.trace();
    let prepared = prepare::prepare(request, &trace)?;
    log.line(Level::Info, || speaker.say(&prepare::route(&prepared)));
    let sent = Phrase::TellSent
        .with("recipients", prepare::recipients(&prepared.mail))
        .with("server", prepared.server.as_str());
    let attempts = Attempts {
        tries: request.tries,
        trace: &trace,
        log,
        speaker,
    };
    let (Sent { receipt, warnings }, result) = attempts.send(prepared);
    for warning in &warnings {
        let (Warning::NoStartTls { server, .. } | Warning::LoginInClear { server }) = warning;
        report.warn(&Phrase::WarnClearLogin.with("server", server.as_str()));
    }
    if result.is_ok() {
        report.tell(Level::Info, &sent);
    }
    report.tell_receipt(receipt);
    result
}

/// Where results are told: the console, the log, and the file for the final error.
struct Report<'a> {
    speaker: &'a Speaker,
    log: &'a Log,
    error_file: Option<&'a str>,
}

impl Report<'_> {
    fn tell(&self, level: Level, message: &Message) {
        let text = self.speaker.say(message);
        let _ = writeln!(io::stdout(), "{text}");
        self.log.line(level, || text);
    }

    fn warn(&self, message: &Message) {
        let text = self.speaker.say(message);
        self.complain(Phrase::WarningLine, &text);
        self.log.line(Level::Warning, || text);
    }

    fn complain(&self, line: Phrase, text: &str) {
        let line = self.speaker.say(&line.with("message", text));
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// How the receipt was asked for, if it was.
    fn tell_receipt(&self, receipt: Receipt) {
        let (level, text) = match receipt {
            Receipt::None => return,
            Receipt::Dsn => (Level::Info, Phrase::TellReceiptDsn),
            Receipt::Header => (Level::Warning, Phrase::TellReceiptHeader),
            Receipt::Property => (Level::Info, Phrase::TellReceiptService),
        };
        self.tell(level, &text.into());
    }

    /// The mail is on its way; no error is left over from another one.
    fn succeeded(&self) {
        let Some(path) = self.error_file else {
            return;
        };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.warn(
                &Phrase::ErrorFileStays
                    .with("file", clean(path, 300))
                    .with("cause", files::cause(&error)),
            ),
            _ => {}
        }
    }

    fn failed(&self, failure: &Failure) {
        let messages = failure.messages.iter();
        let lines: Vec<_> = messages.map(|message| self.speaker.say(message)).collect();
        for line in &lines {
            self.complain(Phrase::ErrorLine, line);
            let exit = failure.exit;
            let (code, name) = (exit.code(), exit.name());
            self.log
                .line(Level::Error, || format!("{line} [{name} {code}]"));
        }
        let Some(path) = self.error_file else {
            return;
        };
        if let Err(error) = fs::write(path, lines.join(LINE_END) + LINE_END) {
            self.warn(&unwritable(Key::ErrorFile, path, &error));
        }
    }
}

/// Where the program failed, if it did.
static FAULT: Mutex<String> = Mutex::new(String::new());

/// From now on a fault of the program is noted in place of being shown: it is told in the user's
/// language, and where every other error is.
fn note_faults() {
    panic::set_hook(Box::new(|fault| {
        if let (Some(place), Ok(mut noted)) = (fault.location(), FAULT.lock()) {
            *noted = place.to_string();
        }
    }));
}

fn fault() -> String {
    FAULT.lock().map(|noted| noted.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_by_its_name() {
        for name in [
            "smail",
            "/usr/bin/smail",
            "SMail.exe",
            "C:\\Tools\\SMAIL.EXE",
            "./SMail",
        ] {
            assert!(is_called(OsStr::new(name)), "{name}");
        }
        for name in ["smartemail", "/smail/smartemail", "smail.bat", "xsmail", ""] {
            assert!(!is_called(OsStr::new(name)), "{name}");
        }
    }
}
