//! A mail's form: headers and MIME parts.

use super::Mail;

/// What the form of a mail is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Hidden recipients are named in a `Bcc` header: for services that read the recipients from
    /// the headers and take that one out. Never for SMTP.
    pub bcc: bool,
    /// A delivery receipt is asked for by a header (`Return-Receipt-To`), as there is no better way.
    pub receipt_header: bool,
}

/// Why a mail has no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// It is for nobody.
    #[error("the mail has no recipient")]
    NoRecipient,
    /// Its own Message-ID can't be one.
    #[error("\"{0}\" is no Message-ID")]
    MessageId(String),
    /// A file name that no system has.
    #[error("the file name \"{0}…\" is longer than 255 bytes")]
    FileName(String),
}

impl Mail {
    /// The mail as it is sent (RFC 5322, RFC 2045), with CRLF at the end of each line.
    ///
    /// # Errors
    /// It can't be sent in any form.
    pub fn compose(&self, _form: Form) -> Result<Vec<u8>, ComposeError> {
        Err(ComposeError::NoRecipient)
    }
}
