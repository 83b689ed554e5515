//! Tokens, and mails over services that are spoken to by HTTP, sent by the library.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "what breaks ends the test, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

mod ews;
mod grants;
mod graph;
mod graph_faults;
mod renewals;
mod trust;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::IdentityProvider;
use harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
use smartemail::auth::{Authority, Grant, Names, Settings as TokenSettings};
use smartemail::net::Trace;
use smartemail::net::http::Limits;
use smartemail::secret::Secret;
use smartemail::send::{Address, Body, Mail, Person, Priority};

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

/// The grant of a user with this password.
fn by_password(user: &str, password: &str) -> Grant {
    Grant::Password {
        user: user.into(),
        password: secret(password),
    }
}

/// The grant of the application.
fn by_secret(text: &str) -> Grant {
    Grant::ClientCredentials {
        secret: secret(text),
    }
}

/// The same time for everything.
fn limits(limit: Duration) -> Limits {
    Limits {
        connect: limit,
        answer: limit,
    }
}

/// Tokens of the provider, as Microsoft gives them.
fn tokens(provider: &IdentityProvider, grant: Grant, scope: &str) -> TokenSettings {
    TokenSettings {
        authority: Authority::of(&provider.authority(), DIRECTORY).unwrap(),
        client_id: match grant {
            Grant::Password { .. } => NATIVE,
            _ => DAEMON,
        }
        .into(),
        grant,
        scope: scope.into(),
        margin: Duration::from_secs(10),
        names: Names::SmtpClient,
        limits: limits(Duration::from_secs(20)),
    }
}

/// Everything that a test is shown.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<String>>);

impl Shown {
    fn add(&self, line: &str) {
        let mut shown = self.0.lock().unwrap();
        *shown += line;
        *shown += "\n";
    }

    fn trace(&self) -> Trace {
        let shown = self.clone();
        Trace::to(move |line| shown.add(line))
    }

    /// Fails if one of the secrets is among it, or one that all tests have.
    #[track_caller]
    fn hides(&self, secrets: impl IntoIterator<Item = String>) {
        let known = [PASSWORD, SECRET].map(str::to_owned);
        let shown = self.0.lock().unwrap();
        harness::secrets::assert_hidden(&shown, secrets.into_iter().chain(known));
    }
}

fn person(name: &str, address: &str) -> Person {
    Person {
        name: name.into(),
        address: Address::parse(address).unwrap(),
    }
}

/// A mail from the user of the provider.
fn mail() -> Mail {
    Mail {
        from: person("Operations", USER),
        to: vec![person("J\u{f6}rg", "joerg@example.net")],
        cc: Vec::new(),
        bcc: Vec::new(),
        served: Vec::new(),
        subject: "Gr\u{fc}\u{df}e <&>".into(),
        body: Body::Text("Hello\n]]> & goodbye \u{20ac}\n".into()),
        attachments: Vec::new(),
        priority: Priority::Normal,
        read_receipt: false,
        delivery_receipt: false,
        answers: None,
        message_id: "<1234.5678@ops.example.com>".into(),
        date: chrono::DateTime::parse_from_rfc3339("2026-11-21T10:00:00Z").unwrap(),
    }
}
