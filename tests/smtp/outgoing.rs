//! What is sent, by which settings.
#![expect(clippy::unwrap_used, reason = "what breaks ends the test, loudly")]

use std::time::Duration;

use chrono::DateTime;
use smartemail::net::{Endpoint, Security, Timeouts, TlsFloor, Trace, Trust};
use smartemail::secret::Secret;
use smartemail::send::smtp::{Login, Mechanism, Pool, Settings};
use smartemail::send::{Address, Body, Mail, Outbox, Person, Priority, Service};

use crate::harness::world::{MAIL_PASSWORD, MAIL_USER};

/// A mail to these addresses.
pub fn mail(subject: &str, recipients: &[&str]) -> Mail {
    let person = |address: &&str| Person {
        name: String::new(),
        address: Address::parse(address).unwrap(),
    };
    Mail {
        from: person(&"jobs@example.test"),
        to: recipients.iter().map(person).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        served: Vec::new(),
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
pub fn mails(count: usize, recipient: &str) -> Vec<Mail> {
    let numbered = |number| mail(&format!("mail {number}"), &[recipient]);
    (0..count).map(numbered).collect()
}

/// So many notices of five kilobytes.
pub fn notices(count: usize) -> Vec<Mail> {
    let text = "What a notice says in one of its lines.\n".repeat(128);
    let mut notices = mails(count, "bob@example.test");
    for notice in &mut notices {
        notice.body = Body::Text(text.clone());
    }
    notices
}

/// Connections to this port of this machine, for nobody in particular.
pub fn settings(port: u16, security: Security) -> Settings {
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

/// The user of the test servers, whose password goes out by these mechanisms.
pub fn password(mechanisms: &[Mechanism]) -> Login {
    Login::Password {
        user: MAIL_USER.into(),
        password: Secret::new(MAIL_PASSWORD.into()),
        mechanisms: mechanisms.to_vec(),
    }
}

/// An outbox that shows nothing.
pub fn outbox(settings: Settings) -> Outbox {
    Outbox::new(Service::Smtp(settings), Trace::off())
}
