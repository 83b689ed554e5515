//! Outgoing mail: composed once, delivered by SMTP, EWS or Graph.
//!
//! A [`Mail`] says what is to be sent; a [`Service`] says by whom. [`Outbox`] brings the two
//! together, several mails at a time where the service allows it. Nothing here knows of rules,
//! settings files or the journal, and nothing here repeats a mail: whether another attempt makes
//! sense is a question that [`Error`] answers and the caller decides on.

mod address;
mod compose;
mod error;
pub mod ews;
pub mod graph;
mod lost;
mod mail;
pub mod smtp;
pub mod web;

pub use address::{Address, AddressError};
pub use compose::{ComposeError, Form};
pub use error::{Answer, Error, LoginAnswer, NoLogin, Refused};
pub use lost::Lost;
pub use mail::{Answered, Body, File, Mail, Person, Priority};

use crate::net::Trace;

/// Who delivers.
#[derive(Clone, Debug)]
pub enum Service {
    /// A server that speaks SMTP.
    Smtp(smtp::Settings),
    /// A server that speaks EWS.
    Ews(ews::Settings),
    /// Microsoft Graph.
    Graph(graph::Settings),
}

impl Service {
    /// So many mails go out at the same time, at the most; at least one.
    #[must_use]
    pub fn at_once(&self) -> usize {
        match self {
            Self::Smtp(settings) => settings.pool.size.max(1),
            Self::Ews(_) | Self::Graph(_) => 1,
        }
    }
}

/// Where mails go out, for the length of a run.
///
/// Nothing is connected before the first mail; what is connected stays for the next one.
#[derive(Debug)]
pub struct Outbox(Route);

#[derive(Debug)]
enum Route {
    Smtp(smtp::Connections),
    Ews(ews::Ews),
    Graph(graph::Graph),
}

impl Outbox {
    /// An outbox that has not been used yet.
    #[must_use]
    pub fn new(service: Service, trace: Trace) -> Self {
        Self(match service {
            Service::Smtp(settings) => Route::Smtp(smtp::Connections::new(settings, trace)),
            Service::Ews(settings) => Route::Ews(ews::Ews::new(settings, trace)),
            Service::Graph(settings) => Route::Graph(graph::Graph::new(settings, trace)),
        })
    }

    /// Sends mails, several at the same time where the service allows it. The answers stand in
    /// the order of the mails.
    #[must_use]
    pub fn send(&self, mails: &[Mail]) -> Vec<Result<Delivery, Error>> {
        match &self.0 {
            Route::Smtp(connections) => connections.send(mails),
            Route::Ews(ews) => mails.iter().map(|mail| ews.send(mail)).collect(),
            Route::Graph(graph) => mails.iter().map(|mail| graph.send(mail)).collect(),
        }
    }

    /// Tries what can be tried without sending anything.
    ///
    /// # Errors
    /// A mail could not be sent either.
    pub fn check(&self) -> Result<Checked, Error> {
        match &self.0 {
            Route::Smtp(connections) => connections.check(),
            Route::Ews(ews) => Ok(ews.check()?),
            Route::Graph(graph) => Ok(graph.check()?),
        }
    }

    /// What somebody should know of how mails went out since the last time that this was asked.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        match &self.0 {
            Route::Smtp(connections) => connections.warnings(),
            // They have no way without TLS.
            Route::Ews(_) | Route::Graph(_) => Vec::new(),
        }
    }

    /// Says good-bye, within a short time.
    pub fn close(self) {
        match self.0 {
            Route::Smtp(connections) => connections.close(),
            Route::Ews(_) | Route::Graph(_) => {}
        }
    }
}

/// What [`Outbox::check`] has found to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The server was reached; nobody logs in there.
    Connected,
    /// The server was reached and took the log-in.
    LoggedIn,
    /// A token was given; whether the service takes it shows with the first mail.
    Token,
    /// Nothing: a password is only looked at when a mail is sent.
    Nothing,
}

/// What somebody should know although the mails went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The server did not offer STARTTLS, so everything crossed the network in clear text
    /// (`smtp-connection-security=start-tls`).
    NoStartTls {
        /// Host and port.
        server: String,
        /// The password or a token too.
        login: bool,
    },
    /// The password or a token crossed the network in clear text, as the settings have it
    /// (`smtp-connection-security=none`).
    LoginInClear {
        /// Host and port.
        server: String,
    },
}

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
    /// Why.
    pub answer: Answer,
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
    /// By a property of the mail, which the service (Graph, EWS) acts on.
    Property,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoStartTls { server, login } => write!(
                f,
                "{server} does not offer STARTTLS: mails{} crossed the network in clear text. Set \
                 smtp-connection-security to start-tls-required or ssl-tls",
                if *login { " and the log-in" } else { "" }
            ),
            Self::LoginInClear { server } => write!(
                f,
                "the log-in to {server} crossed the network in clear text. Set smtp-connection-security to \
                 start-tls-required or ssl-tls"
            ),
        }
    }
}
