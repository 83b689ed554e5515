//! What the job prints: plain lines, results on standard output, trouble on standard error.
//!
//! Operators read it in View Job Output, so there are no colours and no progress bar but on a
//! terminal.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::config::Severity;
use crate::config::problem::Problem;
use crate::net::Trace;

/// A run that takes longer than this shows its progress on a terminal.
const PATIENCE: Duration = Duration::from_secs(2);

/// The two streams of the process.
#[derive(Debug)]
pub(super) struct Output {
    verbose: bool,
    /// `-inifile`, as it was typed.
    inifile: Option<String>,
    errors: usize,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Output {
    /// Quiet about protocol steps until told otherwise.
    pub(super) fn new() -> Self {
        Self {
            verbose: false,
            inifile: None,
            errors: 0,
            started: Instant::now(),
            bar: None,
        }
    }

    /// `--verbose`.
    pub(super) fn set_verbose(&mut self, verbose: bool) {
        self.verbose = verbose;
    }

    /// `-inifile`: commands that messages advise are to name the file too.
    pub(super) fn set_inifile(&mut self, inifile: Option<&str>) {
        self.inifile = inifile.map(str::to_owned);
    }

    /// A message whose commands do here what they say.
    fn advise(&self, message: &str) -> String {
        let Some(inifile) = &self.inifile else {
            return message.to_owned();
        };
        let switch = format!("-inifile:{inifile}");
        let switch = if switch.contains(char::is_whitespace) {
            format!("\"{switch}\"")
        } else {
            switch
        };
        message.replace("smartemail -", &format!("smartemail {switch} -"))
    }

    /// A line of results.
    pub(super) fn line(&self, text: &str) {
        // A reader that has gone away is no reason to stop working.
        self.beside_bar(|| drop(writeln!(std::io::stdout(), "{text}")));
    }

    /// Something that went wrong; the run ends with exit code 2.
    pub(super) fn error(&mut self, text: &str) {
        self.errors += 1;
        let text = self.advise(text);
        self.beside_bar(|| drop(writeln!(std::io::stderr(), "error: {text}")));
    }

    /// Something worth a look.
    pub(super) fn warning(&self, text: &str) {
        let text = self.advise(text);
        self.beside_bar(|| drop(writeln!(std::io::stderr(), "warning: {text}")));
    }

    /// A problem of the INI file.
    pub(super) fn problem(&mut self, problem: &Problem, path: &Path) {
        if problem.severity >= Severity::Error {
            self.errors += 1;
        }
        let text = self.advise(&problem.render(path).to_string());
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// How many errors there were so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// How long the process has been at work.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Where protocol steps go.
    pub(super) fn trace(&self) -> Trace {
        if self.verbose {
            Trace::to(|line| drop(writeln!(std::io::stderr(), "{line}")))
        } else {
            Trace::off()
        }
    }

    /// Where the conversation with the sending server goes with `enable-debug`: to standard output,
    /// and wherever `--verbose` has it.
    pub(super) fn debug_trace(&self) -> Trace {
        let usual = self.trace();
        Trace::to(move |line| {
            drop(writeln!(std::io::stdout(), "{line}"));
            usual.line(|| line.to_owned());
        })
    }

    /// So many mails out of so many are done.
    pub(super) fn progress(&mut self, done: usize, total: usize) {
        if self.bar.is_none() && self.elapsed() > PATIENCE && std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} mails") {
                bar.set_style(style);
            }
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        }
    }

    /// Takes the progress bar away.
    pub(super) fn finish_progress(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn beside_bar(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advised_commands_name_the_file_that_they_are_for() {
        let advice = |inifile| {
            let mut output = Output::new();
            output.set_inifile(inifile);
            output.advise("set it with: smartemail --credentials")
        };
        let mut output = Output::new();
        output.set_inifile(Some("b.ini"));
        assert_eq!(
            output.advise("smartemail -seal:Mail.Password"),
            "smartemail -inifile:b.ini -seal:Mail.Password"
        );
        assert_eq!(advice(None), "set it with: smartemail --credentials");
        assert_eq!(
            advice(Some("a/b.ini")),
            "set it with: smartemail -inifile:a/b.ini --credentials"
        );
        assert_eq!(
            advice(Some("C:\\my jobs\\b.ini")),
            "set it with: smartemail \"-inifile:C:\\my jobs\\b.ini\" --credentials"
        );
    }
}
