//! The log file: a line with its time and level for each thing that is worth knowing.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use crate::clock;
use crate::durable::LINE_END;
use crate::net::{Trace, clean};

/// A longer line is cut.
const LONGEST_LINE: usize = 4000;

/// How much is logged, and how important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    None,
    Error,
    Warning,
    Info,
    Debug,
}

impl Level {
    /// Reads the value of `/LOG_LEVEL`.
    pub(super) fn of_option(value: &str) -> Option<Self> {
        let all = [
            Self::None,
            Self::Error,
            Self::Warning,
            Self::Info,
            Self::Debug,
        ];
        all.into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(value))
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// Where lines go; copies of it write to the same file, line by line.
#[derive(Clone, Debug)]
pub(super) struct Log {
    file: Option<Arc<Mutex<File>>>,
    level: Level,
}

impl Log {
    /// No log at all.
    pub(super) fn off() -> Self {
        Self {
            file: None,
            level: Level::None,
        }
    }

    /// Opens a log file, behind whose end lines are added.
    pub(super) fn open(path: &str, level: Level) -> io::Result<Self> {
        if level == Level::None {
            return Ok(Self::off());
        }
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self {
            file: Some(Arc::new(Mutex::new(file))),
            level,
        })
    }

    /// Writes a line, if lines of this level are wanted; it is built only then. What holds several
    /// lines becomes several.
    pub(super) fn line(&self, level: Level, text: impl FnOnce() -> String) {
        let Some(file) = self.file.as_ref().filter(|_| level <= self.level) else {
            return;
        };
        let now = clock::to_local(clock::now()).format("%Y-%m-%d %H:%M:%S%.3f");
        let mut lines = String::new();
        for line in text().lines() {
            let name = level.name();
            lines.push_str(&format!(
                "{now} {name:7} {}{LINE_END}",
                clean(line, LONGEST_LINE)
            ));
        }
        // A mail is not held up by its log.
        if let Ok(mut file) = file.lock() {
            let _ = file.write_all(lines.as_bytes());
        }
    }

    /// Where the steps of protocols go.
    pub(super) fn trace(&self) -> Trace {
        if self.level < Level::Debug {
            return Trace::off();
        }
        let log = self.clone();
        Trace::to(move |line| log.line(Level::Debug, || line.to_owned()))
    }
}
