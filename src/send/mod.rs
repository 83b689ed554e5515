//! Outgoing mail: composed once, delivered by SMTP, EWS or Graph.
//!
//! A [`Mail`] says what is to be sent; a [`Service`] says by whom. [`Outbox`] brings the two
//! together, several mails at a time where the service allows it. Nothing here knows of rules,
//! settings files or the journal, and nothing here repeats a mail: whether another attempt makes
//! sense is a question that [`Error`] answers and the caller decides on.

mod mail;

pub use mail::{Answered, Body, File, Mail, Person, Priority};

/// What became of a mail that the server took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Recipients that the server refused; it took the mail for the others.
    pub refused: Vec<Refusal>,
    /// How a delivery receipt was asked for.
    pub receipt: Receipt,
}

/// A recipient that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The address.
    pub recipient: String,
    /// The server's own words, cleaned.
    pub answer: String,
    /// Another attempt may succeed (a 4yz reply, RFC 5321, section 4.2.1).
    pub transient: bool,
}

/// How a delivery receipt was asked for ([`Mail::delivery_receipt`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receipt {
    /// It was not asked for.
    #[default]
    None,
    /// By the SMTP extension for delivery status notifications (RFC 3461).
    Dsn,
    /// By a header, as the server does not offer that extension: whether anybody answers is up to
    /// the recipient's server.
    Header,
}
