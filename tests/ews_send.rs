//! Delivery by EWS: what is asked, by whom, its faults, and never a second mail.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that breaks ends, loudly")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::ews::Fault;
use harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
use harness::{Ews, IdentityProvider};
use mailparse::MailHeaderMap;
use smartemail::auth::{Authority, Grant, Settings as TokenSettings, TokenSource};
use smartemail::net::Trace;
use smartemail::net::http::Limits;
use smartemail::secret::Secret;
use smartemail::send::ews::{self, Login, Version};
use smartemail::send::{
    Address, Body, Error, File, Mail, Outbox, Person, Priority, Receipt, Service,
};

fn limits(seconds: u64) -> Limits {
    let limit = Duration::from_secs(seconds);
    Limits {
        connect: limit,
        answer: limit,
    }
}

fn basic(password: &str) -> Login {
    Login::Basic {
        user: USER.into(),
        password: Secret::new(password.into()),
    }
}

fn settings(server: &Ews, login: Login) -> ews::Settings {
    ews::Settings {
        address: server.address(),
        version: Version::default(),
        login,
        impersonate: None,
        limits: limits(10),
    }
}

fn person(name: &str, address: &str) -> Person {
    Person {
        name: name.into(),
        address: Address::parse(address).unwrap(),
    }
}

fn mail() -> Mail {
    Mail {
        from: person("Operations", USER),
        to: vec![person("J\u{f6}rg", "joerg@example.net")],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Gr\u{fc}\u{df}e <&>".into(),
        body: Body::Text("Hello\n]]> & goodbye\n".into()),
        attachments: vec![File {
            name: "report.bin".into(),
            bytes: (0..=255).collect(),
        }],
        priority: Priority::Normal,
        read_receipt: false,
        delivery_receipt: false,
        answers: None,
        message_id: "<1234.5678@ops.example.com>".into(),
        date: chrono::DateTime::parse_from_rfc3339("2026-11-21T10:00:00Z").unwrap(),
    }
}

/// Sends one mail; nothing that is shown of it may have the password in it.
fn send(settings: ews::Settings, mail: &Mail) -> Result<Receipt, Error> {
    let shown = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&shown);
    let trace = Trace::to(move |line| *sink.lock().unwrap() += line);
    let outbox = Outbox::new(Service::Ews(settings), trace);
    let sent = outbox.send(std::slice::from_ref(mail)).pop().unwrap();
    let told = format!("{}{sent:?}{outbox:?}", shown.lock().unwrap());
    let coded = data_encoding::BASE64.encode(format!("{USER}:{PASSWORD}").as_bytes());
    for secret in [PASSWORD, SECRET, &coded] {
        assert!(!told.contains(secret), "{told}");
    }
    sent.map(|delivery| delivery.receipt)
}

#[test]
fn a_mail_goes_out_with_a_password_in_every_version() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    let versions = [
        "",
        "Exchange2010",
        "Exchange2010_SP1",
        "Exchange2010_SP2",
        "Exchange2010_SP3",
    ];
    let versions = versions
        .into_iter()
        .chain(["Exchange2013", "Office365", "Exchange2016"]);
    for version in versions.clone() {
        let settings = ews::Settings {
            version: Version::parse(version).unwrap(),
            ..settings(&server, basic(PASSWORD))
        };
        assert_eq!(send(settings, &mail()).unwrap(), Receipt::None);
    }
    let taken = server.taken();
    assert_eq!(taken.len(), versions.count());
    let told: Vec<_> = taken.iter().map(|mail| mail.version.as_str()).collect();
    assert_eq!(
        told[..4],
        [
            "Exchange2013_SP1",
            "Exchange2010",
            "Exchange2010_SP1",
            "Exchange2010_SP2"
        ]
    );
    let parsed = mailparse::parse_mail(&taken[0].mime).unwrap();
    assert_eq!(
        parsed.headers.get_first_value("Subject").unwrap(),
        "Gr\u{fc}\u{df}e <&>"
    );
    assert_eq!(
        parsed.headers.get_first_value("From").unwrap(),
        format!("Operations <{USER}>")
    );
    assert_eq!(
        parsed.subparts[0].get_body().unwrap().trim_end(),
        "Hello\r\n]]> & goodbye"
    );
    assert_eq!(
        parsed.subparts[1].get_body_raw().unwrap(),
        mail().attachments[0].bytes
    );
    assert!(!taken[0].receipt && taken[0].bcc.is_empty() && taken[0].impersonated.is_none());
}

#[test]
fn what_no_header_says_stands_beside_the_mail() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    let mut mail = mail();
    mail.bcc = vec![
        person("D <&> \"ave\"", "dave@example.net"),
        person("", "erin@example.net"),
    ];
    mail.delivery_receipt = true;
    assert_eq!(
        send(settings(&server, basic(PASSWORD)), &mail).unwrap(),
        Receipt::Property
    );
    let taken = server.taken().pop().unwrap();
    let of = |name: &str, address: &str| (name.to_owned(), address.to_owned());
    assert_eq!(
        taken.bcc,
        [
            of("D <&> \"ave\"", "dave@example.net"),
            of("", "erin@example.net")
        ]
    );
    assert!(taken.receipt);
    let text = String::from_utf8(taken.mime).unwrap();
    assert!(
        !text.contains("dave") && !text.contains("erin"),
        "hidden recipients stay hidden"
    );
}

#[test]
fn a_token_speaks_for_a_user_or_for_an_application_that_acts_for_one() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let Some(server) = Ews::start(Some(&provider)) else {
        return;
    };
    let token = |client_id: &str, grant| {
        let settings = TokenSettings {
            authority: Authority::of(&provider.authority(), DIRECTORY).unwrap(),
            client_id: client_id.into(),
            grant,
            scope: "https://outlook.office365.com/.default".into(),
            margin: Duration::from_secs(10),
            limits: limits(10),
        };
        Login::Token(TokenSource::new(settings, Trace::off()))
    };
    let user = token(
        NATIVE,
        Grant::Password {
            user: USER.into(),
            password: Secret::new(PASSWORD.into()),
            secret: None,
        },
    );
    let secret = Secret::new(SECRET.into());
    let application = token(DAEMON, Grant::ClientCredentials { secret });
    let acting = |login: &Login, impersonate: Option<&str>| ews::Settings {
        impersonate: impersonate.map(str::to_owned),
        ..settings(&server, login.clone())
    };
    send(acting(&user, None), &mail()).unwrap();
    send(acting(&application, Some(USER)), &mail()).unwrap();
    let error = send(acting(&application, None), &mail()).unwrap_err();
    assert!(error.is_authentication(), "{error:?}");
    assert!(
        error.to_string().contains("ApplicationImpersonation"),
        "{error}"
    );
    let acted: Vec<_> = server
        .taken()
        .into_iter()
        .map(|mail| mail.impersonated)
        .collect();
    assert_eq!(acted, [None, Some(USER.to_owned())]);
}

#[test]
fn a_wrong_password_is_told() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    let error = send(settings(&server, basic("wrong")), &mail()).unwrap_err();
    assert!(
        error.is_authentication() && !error.is_transient(),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("check user, password"),
        "{error}"
    );
    assert_eq!(
        server.statuses(),
        [401],
        "asked once, as more would lock the account"
    );
}

#[test]
fn the_pause_of_a_busy_server_is_made() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    let began = Instant::now();
    server.fail(Fault::Busy(700));
    server.fail(Fault::Gateway(503));
    send(settings(&server, basic(PASSWORD)), &mail()).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(700));
    assert_eq!(server.statuses(), [500, 503, 200]);

    // Longer than there is patience for: a later run's business.
    server.fail(Fault::Busy(297_749));
    let error = send(settings(&server, basic(PASSWORD)), &mail()).unwrap_err();
    assert!(
        error.is_transient() && !error.may_have_arrived(),
        "{error:?}"
    );
    assert_eq!(server.taken().len(), 1);

    for _ in 0..9 {
        server.fail(Fault::Busy(1));
    }
    assert!(
        send(settings(&server, basic(PASSWORD)), &mail())
            .unwrap_err()
            .is_transient()
    );
    assert_eq!(server.statuses().len(), 9);
}

#[test]
fn refusals_are_not_repeated_and_say_what_to_do() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    for (fault, words, transient, arrived) in [
        (Fault::Answer("ErrorSendAsDenied"), "Send As", false, false),
        (
            Fault::Answer("ErrorInvalidRecipients"),
            "addresses",
            false,
            false,
        ),
        (
            Fault::Answer("ErrorMessageSizeExceeded"),
            "larger",
            false,
            false,
        ),
        (
            Fault::Answer("ErrorMailboxStoreUnavailable"),
            "later",
            true,
            false,
        ),
        (
            Fault::Answer("ErrorInternalServerError"),
            "look whether",
            true,
            true,
        ),
        (
            Fault::Refuse("ErrorInvalidServerVersion"),
            "exchange-version",
            false,
            false,
        ),
        (
            Fault::Refuse("ErrorNonExistentMailbox"),
            "check user",
            false,
            false,
        ),
        (Fault::Gateway(500), "look whether", true, true),
        (Fault::Gateway(502), "look whether", true, true),
        (Fault::Gateway(404), "check user and server", false, false),
        (Fault::Gateway(302), "elsewhere", false, false),
        (
            Fault::Gateway(200),
            "does not answer as it should",
            false,
            true,
        ),
        (Fault::HangUp, "not known", true, true),
        (Fault::LoseAnswer, "not known", true, true),
    ] {
        let before = server.statuses().len();
        server.fail(fault);
        let error = send(settings(&server, basic(PASSWORD)), &mail()).unwrap_err();
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
        assert_eq!(error.is_transient(), transient, "{fault:?}: {error:?}");
        assert_eq!(error.may_have_arrived(), arrived, "{fault:?}: {error:?}");
        assert_eq!(server.statuses().len(), before + 1, "{fault:?}");
    }
    assert_eq!(server.taken().len(), 1, "the lost answer's");
}

#[test]
fn a_password_never_crosses_a_network_in_clear_text() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    let settings = ews::Settings {
        address: "http://mail.example.com/EWS/Exchange.asmx".into(),
        ..settings(&server, basic(PASSWORD))
    };
    let error = send(settings, &mail()).unwrap_err();
    assert!(error.to_string().contains("https://"), "{error}");
    assert!(!error.is_transient() && !error.may_have_arrived());
}
