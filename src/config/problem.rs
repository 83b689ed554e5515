//! What is wrong with an INI file: collected, not thrown, so that one run reports all of it.

use std::path::Path;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the run is as good as without it.
    Warning,
    /// Something is left out (one `[Configuration#]`, one audit setting); the rest of the run goes
    /// on and ends with exit code 2.
    Error,
    /// The run stops before it connects.
    Fatal,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The line in the INI file, where there is one.
    pub line: Option<usize>,
    /// Section and key, as far as they are known.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// The problem as one line for the job output.
    #[must_use]
    pub fn render(&self, file: &Path) -> String {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error | Severity::Fatal => "error",
        };
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = if self.place.is_empty() {
            String::new()
        } else {
            format!("{} ", self.place)
        };
        format!("{word}: {}{line}: {place}{}", file.display(), self.message)
    }
}

/// The problems of one file, in the order in which they were found.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds one.
    pub fn add(
        &mut self,
        severity: Severity,
        line: Option<usize>,
        place: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.0.push(Problem {
            severity,
            line,
            place: place.into(),
            message: message.into(),
        });
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The worst of them; `None` when there is none.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.0.iter().map(|problem| problem.severity).max()
    }

    /// All of them, in the order of the file's lines.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|problem| problem.line);
        all
    }
}
