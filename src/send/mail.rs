//! What is to be sent, before it has any form.

use chrono::{DateTime, FixedOffset};

use super::Address;

/// A mail to send.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Who it is from; also the sender of the envelope.
    pub from: Person,
    /// `To`.
    pub to: Vec<Person>,
    /// `Cc`.
    pub cc: Vec<Person>,
    /// Recipients that no other one sees.
    pub bcc: Vec<Person>,
    /// Those of all these who have it already, from an attempt in which others were refused: they
    /// are named in it and don't get it again. Only SMTP takes a mail for some.
    pub served: Vec<Address>,
    /// `Subject`; line breaks in it become blanks.
    pub subject: String,
    /// The text.
    pub body: Body,
    /// Files that come with it.
    pub attachments: Vec<File>,
    /// `X-Priority`, `Priority` and `Importance`.
    pub priority: Priority,
    /// Ask for a notice when it has been read (`Disposition-Notification-To`, RFC 8098).
    pub read_receipt: bool,
    /// Ask for a notice when it has been delivered (RFC 3461, or a header).
    pub delivery_receipt: bool,
    /// The mail that this one answers by itself (RFC 3834).
    pub answers: Option<Answered>,
    /// `Message-ID` with its angle brackets; the same for each attempt.
    pub message_id: String,
    /// `Date`.
    pub date: DateTime<FixedOffset>,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name to show; may be empty.
    pub name: String,
    /// The address.
    pub address: Address,
}

/// The text of a mail.
#[derive(Clone, Debug)]
pub enum Body {
    /// Plain text.
    Text(String),
    /// HTML, from which a text for others is made, and the files that it shows by `cid:` and the
    /// file's name.
    Html {
        /// The page.
        page: String,
        /// Its pictures.
        inline: Vec<File>,
    },
}

/// A file that is sent along.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name, without a path.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How urgent a mail is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// 1.
    Highest,
    /// 2.
    High,
    /// 3; no header is written.
    #[default]
    Normal,
    /// 4.
    Low,
    /// 5.
    Lowest,
}

/// The mail that an automatic one answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// Its Message-ID with angle brackets, if it has one.
    pub message_id: Option<String>,
}
