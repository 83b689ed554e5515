//! `smartemail`: mail becomes OpCon events.
//!
//! One pass over one mailbox, from the command line to the exit code. A mail's way through
//! the modules, in order: [`cli`] reads the switches and [`config`] the INI file; a
//! [`mailbox`] (over [`net`]) says what is new; [`message`] turns bytes into what the
//! [`rules`] look at; [`events`] writes the event lines and hands them to MSGIN; the
//! [`journal`] remembers what was handled, [`certificates`] whom to trust; [`audit`] logs it. [`run`] alone knows the
//! order. [`secret`] and [`clock`] are leaves that any of them may use. [`smail`] is another face
//! of the program, which sends a mail from the command line.
//!
//! Nothing here is a library for others: it is public so that tests and benchmarks can
//! reach it, and it changes with the program.

pub mod audit;
pub mod auth;
pub mod certificates;
pub mod cli;
pub mod clock;
pub mod config;
mod crash;
mod durable;
pub mod events;
pub mod journal;
pub mod mailbox;
pub mod message;
pub mod net;
pub mod rules;
pub mod run;
pub mod secret;
pub mod send;
pub mod smail;
mod suggest;
mod visible;
#[cfg(windows)]
mod win;

/// Runs the program with the arguments of the process: as [`smail`] where it is called so, or where
/// that is its first argument.
#[must_use]
pub fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let mut arguments = arguments.peekable();
    let is_named = arguments.next_if(|first| first.eq_ignore_ascii_case(smail::NAME));
    if smail::is_called(&program) || is_named.is_some() {
        return smail::main(arguments);
    }
    let arguments: Result<Vec<String>, _> =
        arguments.map(std::ffi::OsString::into_string).collect();
    let request = match arguments {
        Ok(arguments) => cli::parse(&arguments),
        Err(argument) => Err(cli::UsageError::not_text(&argument)),
    };
    match request {
        Ok(request) => run::perform(request),
        Err(error) => run::refuse(&error),
    }
    .into()
}
