//! The exit codes that users' job definitions rely on.

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode(u8);

impl ExitCode {
    /// Some mail matched; or what was asked for (help, credentials, a check) worked.
    pub const MATCHED: Self = Self(0);
    /// Wrong command-line arguments.
    pub const USAGE: Self = Self(1);
    /// Any other failure.
    pub const FAILURE: Self = Self(2);

    /// Nothing matched: `ExitCodeForNoMatchingEmails`.
    #[must_use]
    pub fn no_match(code: u8) -> Self {
        Self(code)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.0)
    }
}
