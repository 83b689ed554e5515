//! The exit codes that scripts rely on.

use super::texts::Phrase;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// The mail was taken for everybody.
    Ok,
    /// Anything that has no code of its own.
    Error,
    /// An option is missing, unknown or has a wrong value.
    Param,
    /// The server can't be reached, or not as securely as demanded.
    Connect,
    /// The credentials are not taken.
    Auth,
    /// The mail, or some of its recipients, was refused; or nobody knows what became of it.
    Send,
    /// Each of the attempts that were asked for failed.
    RetryExceeded,
    /// A fault of the program.
    Internal,
    /// A file that an option names is not there.
    FileNotFound,
    /// `/MODE` is none.
    InvalidMode,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub(super) const ALL: [Self; 10] = [
        Self::Ok,
        Self::Error,
        Self::Param,
        Self::Connect,
        Self::Auth,
        Self::Send,
        Self::RetryExceeded,
        Self::Internal,
        Self::FileNotFound,
        Self::InvalidMode,
    ];

    /// The code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::Param => 2,
            Self::Connect => 3,
            Self::Auth => 4,
            Self::Send => 5,
            Self::RetryExceeded => 6,
            Self::Internal => 7,
            Self::FileNotFound => 8,
            Self::InvalidMode => 9,
        }
    }

    /// What manuals call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "EXIT_OK",
            Self::Error => "EXIT_ERROR",
            Self::Param => "EXIT_PARAM",
            Self::Connect => "EXIT_CONNECT",
            Self::Auth => "EXIT_AUTH",
            Self::Send => "EXIT_SEND",
            Self::RetryExceeded => "EXIT_RETRY_EXCEEDED",
            Self::Internal => "EXIT_INTERNAL",
            Self::FileNotFound => "EXIT_FILE_NOT_FOUND",
            Self::InvalidMode => "EXIT_INVALID_MODE",
        }
    }

    /// What it stands for.
    pub(super) fn meaning(self) -> Phrase {
        match self {
            Self::Ok => Phrase::ExitOk,
            Self::Error => Phrase::ExitError,
            Self::Param => Phrase::ExitParam,
            Self::Connect => Phrase::ExitConnect,
            Self::Auth => Phrase::ExitAuth,
            Self::Send => Phrase::ExitSend,
            Self::RetryExceeded => Phrase::ExitRetryExceeded,
            Self::Internal => Phrase::ExitInternal,
            Self::FileNotFound => Phrase::ExitFileNotFound,
            Self::InvalidMode => Phrase::ExitInvalidMode,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_table() {
        let codes: Vec<_> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, (0..10).collect::<Vec<_>>());
    }
}
