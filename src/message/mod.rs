//! Bytes of a mail, or of its parts, to what the rules look at: sender, subject, date,
//! body lines and attachment names.
//!
//! Pure: no network, no files, no rules. Mail is hostile input: nothing here panics,
//! everything is bounded by [`Limits`], and what can't be read gives a defined weaker
//! answer (an empty subject, no sender) or a [`Fault`], never a guess.
//!
//! Two roads lead to the same answers. A mailbox that has the whole mail uses
//! [`Mail::parse`]; one that asks the server for the structure first builds a [`Part`]
//! tree from BODYSTRUCTURE and decodes only the text parts that the tree names.

mod automatic;
pub mod body;
pub mod date;
pub mod decode;
pub mod encoded_word;
pub mod envelope;
pub mod file_name;
mod header;
pub mod html;
pub mod mime;
pub mod notice_id;
pub mod params;
pub mod part;
mod part_header;
pub mod sender;

pub use automatic::Automatic;
pub use body::Body;
pub use envelope::{Envelope, received_time};
pub use file_name::{distinct_file_name, safe_file_name};
pub use mime::Mail;
pub use params::parameter;
pub use part::{Attachment, Disposition, Encoding, Part};
pub use sender::Sender;

/// Bounds on what one mail may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of multiparts inside each other.
    pub depth: usize,
    /// Parts of one mail, multiparts counted too.
    pub parts: usize,
    /// Bytes of body text in one mail, as they come (still transfer-encoded).
    pub text: u64,
    /// Bytes of the largest mail that is read whole.
    pub mail: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            depth: 50,
            parts: 1000,
            text: 16 * MIB,
            mail: 150 * MIB,
        }
    }
}

/// Why one mail can't be dealt with; the others go on.
///
/// The text is the second half of a sentence that begins with the mail's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Multiparts inside each other beyond [`Limits::depth`].
    #[error("its parts are nested more than {limit} deep")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// More parts than [`Limits::parts`].
    #[error("it has more than {limit} parts")]
    TooManyParts {
        /// The bound.
        limit: usize,
    },
    /// Names of attachments beyond [`part::LONGEST_NAMES`].
    #[error("the names of its attachments are longer than {limit} bytes together")]
    NamesTooLong {
        /// The bound.
        limit: usize,
    },
    /// More body text than [`Limits::text`].
    #[error("its body text of {size} bytes is over the limit of {limit}")]
    TextTooLong {
        /// Bytes of body text.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// A whole mail above [`Limits::mail`].
    #[error("its {size} bytes are over the limit of {limit} for a whole mail (MaxMailSize)")]
    MailTooLong {
        /// Bytes of the mail.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// The mailbox could not hand the mail over.
    #[error("it can't be read: {0}")]
    Unreadable(String),
}

/// What the rules look at beyond the envelope.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// The attachments in document order.
    pub attachments: Vec<Attachment>,
    /// The body text; `None` when it was not asked for.
    pub body: Option<Body>,
}
