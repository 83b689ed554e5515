//! Delivery by EWS: what is asked, by whom, its faults, and never a second mail.

use std::time::{Duration, Instant};

use mailparse::MailHeaderMap;
use smartemail::auth::TokenSource;
use smartemail::net::Trace;
use smartemail::send::ews::{self, Login, Version};
use smartemail::send::{Error, File, Mail, Outbox, Receipt, Service};

use crate::harness::ews::Fault;
use crate::harness::idp::{PASSWORD, SECRET, USER};
use crate::harness::{Ews, IdentityProvider};
use crate::{Shown, by_password, by_secret, limits, person, secret, tokens};

fn basic(password: &str) -> Login {
    Login::Basic {
        user: USER.into(),
        password: secret(password),
    }
}

fn settings(server: &Ews, login: Login) -> ews::Settings {
    ews::Settings {
        address: server.address(),
        version: Version::default(),
        login,
        impersonate: None,
        limits: limits(Duration::from_secs(30)),
    }
}

/// A mail with a file.
fn mail() -> Mail {
    Mail {
        attachments: vec![File {
            name: "report.bin".into(),
            bytes: (0..=255).collect(),
        }],
        ..crate::mail()
    }
}

/// Sends one mail; nothing that is shown of it may have a secret in it.
fn send(settings: ews::Settings, mail: &Mail) -> Result<Receipt, Error> {
    let shown = Shown::default();
    let outbox = Outbox::new(Service::Ews(settings), shown.trace());
    let sent = outbox.send(std::slice::from_ref(mail)).pop().unwrap();
    shown.add(&format!("{sent:?}{outbox:?}"));
    if let Err(error) = &sent {
        shown.add(&error.to_string());
    }
    shown.hides([]);
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
        "Hello\r\n]]> & goodbye \u{20ac}"
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
    let token = |grant| {
        let settings = tokens(&provider, grant, "https://outlook.office365.com/.default");
        Login::Token(TokenSource::new(settings, Trace::off()))
    };
    let user = token(by_password(USER, PASSWORD));
    let application = token(by_secret(SECRET));
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
    let service = Service::Ews(settings(&server, basic("wrong")));
    let outbox = Outbox::new(service, Trace::off());
    let mut sent = outbox.send(&[mail(), mail()]);
    sent.extend(outbox.send(&[mail()]));
    let told: Vec<_> = sent.iter().map(|sent| format!("{sent:?}")).collect();
    assert!(told.iter().all(|of| *of == told[0]), "{told:?}");
    let kept = format!("{outbox:?}");
    assert!(!kept.contains("www-authenticate"), "{kept}");
    let error = sent.remove(0).unwrap_err();
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
fn what_a_server_quotes_of_the_credentials_is_not_shown() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    server.fail(Fault::Quote);
    let error = send(settings(&server, basic(PASSWORD)), &mail()).unwrap_err();
    let expected = format!("Who is Basic ***, {USER}:***?");
    assert!(error.to_string().contains(&expected), "{error}");
}

#[test]
fn the_pause_of_a_busy_server_is_made() {
    let Some(server) = Ews::start(None) else {
        return;
    };
    let began = Instant::now();
    server.fail(Fault::Busy(700));
    server.fail(Fault::Gateway(429));
    send(settings(&server, basic(PASSWORD)), &mail()).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(700));
    assert_eq!(server.statuses(), [500, 429, 200]);

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
        (Fault::Gateway(503), "look whether", true, true),
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
