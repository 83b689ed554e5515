//! A mail's form: headers and MIME parts.
//!
//! The tree of parts and its encodings are lettre's. The headers are written here: lettre puts
//! a list of any length on one line, leaves text as it is that looks like an encoded word, and
//! reads back what it wrote to see who the sender is.

pub(super) mod content_type;
pub(super) mod header;
pub(super) mod parts;
#[cfg(test)]
mod tests;

use header::Headers;

use super::{Answered, Mail, Priority};

impl Answered {
    /// The Message-ID if it can be one: it comes from whoever sent the mail, so it may be anything.
    pub(super) fn usable_id(&self) -> Option<&str> {
        let id = self.message_id.as_deref();
        id.filter(|id| header::is_message_id(id))
    }
}

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
    #[error("the name of the file to send is longer than 255 bytes: {0}")]
    FileName(String),
}

impl Mail {
    /// The mail as it is sent (RFC 5322, RFC 2045), with CRLF at the end of each line.
    ///
    /// It is 7 bit, unless an address has letters beyond ASCII (RFC 6532). No value can add a
    /// header or a part: what is no text for a header becomes blanks.
    ///
    /// # Errors
    /// It can't be sent in any form.
    pub fn compose(&self, form: Form) -> Result<Vec<u8>, ComposeError> {
        if self.to.is_empty() && self.cc.is_empty() && self.bcc.is_empty() {
            return Err(ComposeError::NoRecipient);
        }
        if !header::is_message_id(&self.message_id) {
            let shown = crate::net::clean(&self.message_id, 100);
            return Err(ComposeError::MessageId(shown));
        }
        let mut headers = Headers::default();
        let date = self.date.format("%a, %d %b %Y %H:%M:%S %z").to_string();
        headers.ready("Date", &date);
        headers.people("From", std::slice::from_ref(&self.from));
        headers.people("To", &self.to);
        headers.people("Cc", &self.cc);
        if form.bcc {
            headers.people("Bcc", &self.bcc);
        }
        headers.text("Subject", &self.subject);
        headers.ready("Message-ID", &self.message_id);
        self.say_what_it_answers(&mut headers);
        self.say_how_urgent(&mut headers);
        let sender = format!("<{}>", self.from.address);
        if self.read_receipt {
            headers.ready("Disposition-Notification-To", &sender);
        }
        if self.delivery_receipt && form.receipt_header {
            headers.ready("Return-Receipt-To", &sender);
        }
        headers.ready("MIME-Version", "1.0");
        let mut mail = headers.into_bytes();
        mail.extend(parts::of(self)?.formatted());
        Ok(mail)
    }

    /// RFC 3834, section 5, and what keeps Exchange from answering an answer
    /// (\[MS-OXCMAIL\], section 2.1.3.2.20).
    fn say_what_it_answers(&self, headers: &mut Headers) {
        let Some(answered) = &self.answers else {
            return;
        };
        if let Some(id) = answered.usable_id() {
            headers.ready("In-Reply-To", id);
            headers.ready("References", id);
        }
        headers.ready("Auto-Submitted", "auto-replied");
        headers.ready("X-Auto-Response-Suppress", "All");
    }

    /// `Importance` and `Priority` are those of RFC 2156, section 5.3; `X-Priority` is what most
    /// clients show.
    fn say_how_urgent(&self, headers: &mut Headers) {
        let (number, importance, priority) = match self.priority {
            Priority::Highest => ("1 (Highest)", "high", "urgent"),
            Priority::High => ("2 (High)", "high", "urgent"),
            Priority::Normal => return,
            Priority::Low => ("4 (Low)", "low", "non-urgent"),
            Priority::Lowest => ("5 (Lowest)", "low", "non-urgent"),
        };
        headers.ready("X-Priority", number);
        headers.ready("Importance", importance);
        headers.ready("Priority", priority);
    }
}
