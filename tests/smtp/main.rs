//! Mails over SMTP, sent by the library to real servers.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what breaks ends the test, loudly")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

mod cost;
mod delivery;
mod faults;
mod pool;
mod tokens;

use std::time::Duration;

use chrono::DateTime;
use harness::world::{MAIL_PASSWORD, MAIL_USER};
use smartemail::net::{Endpoint, Security, Timeouts, TlsFloor, Trace, Trust};
use smartemail::secret::Secret;
use smartemail::send::smtp::{Login, Mechanism, Pool, Settings};
use smartemail::send::{Address, Body, Delivery, Error, Mail, Outbox, Person, Priority, Service};

/// A mail to these addresses.
fn mail(subject: &str, recipients: &[&str]) -> Mail {
    let person = |address: &&str| Person {
        name: String::new(),
        address: Address::parse(address).unwrap(),
    };
    Mail {
        from: person(&"jobs@example.test"),
        to: recipients.iter().map(person).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: subject.into(),
        body: Body::Text("One line\n.\n..and a last one\n".into()),
        attachments: Vec::new(),
        priority: Priority::Normal,
        read_receipt: false,
        delivery_receipt: false,
        answers: None,
        message_id: format!("<{}@example.test>", subject.replace(' ', ".")),
        date: DateTime::from_timestamp(1_767_700_800, 0)
            .unwrap()
            .fixed_offset(),
    }
}

/// So many mails to one address.
fn mails(count: usize, recipient: &str) -> Vec<Mail> {
    let numbered = |number| mail(&format!("mail {number}"), &[recipient]);
    (0..count).map(numbered).collect()
}

/// Connections to this port of this machine, for nobody in particular.
fn settings(port: u16, security: Security) -> Settings {
    let limit = Duration::from_secs(20);
    Settings {
        endpoint: Endpoint {
            host: "localhost".into(),
            port,
            security,
            floor: TlsFloor::Tls1_2,
            // The authority of the tests is none of the machine's.
            trust: Trust::Remembered(None),
            timeouts: Timeouts {
                connect: limit,
                read: limit,
                write: limit,
            },
        },
        login: Login::None,
        pool: Pool {
            size: 10,
            check_idle: Duration::from_secs(30),
            max_idle: Duration::from_secs(300),
            token_margin: Duration::from_secs(10),
        },
    }
}

fn password(mechanisms: &[Mechanism]) -> Login {
    Login::Password {
        user: MAIL_USER.into(),
        password: Secret::new(MAIL_PASSWORD.into()),
        mechanisms: mechanisms.to_vec(),
    }
}

fn outbox(settings: Settings) -> Outbox {
    Outbox::new(Service::Smtp(settings), Trace::off())
}

/// Sends one mail over a connection of its own.
fn send_one(settings: Settings, mail: Mail) -> Result<Delivery, Error> {
    let outbox = outbox(settings);
    let result = outbox.send(&[mail]).pop().unwrap();
    outbox.close();
    result
}
