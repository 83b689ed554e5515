//! Security and log-ins: what crosses the network in clear text, and what never does.

use std::sync::{Arc, Mutex};

use smartemail::net::{Error as Lost, Security, Trace};
use smartemail::secret::Secret;
use smartemail::send::smtp::{Login, Mechanism};
use smartemail::send::{Error, Outbox, Refused, Service, Warning};

use crate::harness::world::{MAIL_PASSWORD, MAIL_USER};
use crate::harness::{CountingProxy, Exim, Recorder, exim, recorder};
use crate::{mail, outbox, password, send_one, settings};

fn taking_passwords_in_clear() -> Option<Exim> {
    Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    })
}

#[test]
fn every_security_goes_with_every_log_in() {
    let Some(server) = taking_passwords_in_clear() else {
        return;
    };
    let securities = [
        (Security::None, server.submission, "P=esmtpa"),
        (Security::StartTls, server.submission, "P=esmtpsa"),
        (Security::StartTlsRequired, server.submission, "P=esmtpsa"),
        (Security::Tls, server.smtps, "P=esmtpsa"),
    ];
    let mechanisms = [(Mechanism::Plain, "A=plain"), (Mechanism::Login, "A=login")];
    for (number, (security, port, protocol)) in securities.into_iter().enumerate() {
        for (mechanism, authenticator) in mechanisms {
            let subject = format!("by {number} and {}", mechanism.name());
            let mut settings = settings(port, security);
            settings.login = password(&[mechanism]);
            send_one(settings, mail(&subject, &["bob@example.test"])).unwrap();
            let id = format!("id={}@example.test", subject.replace(' ', "."));
            let log = server.log();
            let line = log.lines().find(|line| line.contains(&id)).unwrap();
            let who = format!("{authenticator}:{MAIL_USER}");
            assert!(
                line.contains(&format!("{protocol} ")) && line.contains(&who),
                "{line}"
            );
        }
    }
    let delivered = server.mails("bob", 8);
    assert!(
        delivered
            .iter()
            .all(|mail| mail.contains("\nOne line\n.\n..and a last one\n"))
    );
}

#[test]
fn no_log_in_where_none_is_wanted() {
    let Some(server) = Exim::start() else { return };
    for security in [Security::None, Security::StartTls] {
        let unnamed = settings(server.smtp, security);
        send_one(unnamed, mail("open", &["bob@example.test"])).unwrap();
    }
    server.mails("bob", 2);
    let refused = send_one(
        settings(server.smtps, Security::Tls),
        mail("closed", &["bob@example.test"]),
    );
    let error = refused.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Refused {
                what: Refused::Sender,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("Authentication required"),
        "{error}"
    );
}

#[test]
fn without_start_tls_everything_is_in_clear_text_only_if_the_settings_allow_that() {
    let Some(server) = Recorder::with(recorder::Options {
        hidden: &["STARTTLS"],
        clear_login: true,
        ..recorder::Options::default()
    }) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let mut required = settings(proxy.port, Security::StartTlsRequired);
    required.login = password(&[Mechanism::Plain]);
    let error = send_one(required.clone(), mail("never", &["a@example.test"])).unwrap_err();
    let Error::Connection(cause) = &error else {
        panic!("{error}");
    };
    assert!(
        matches!(cause.cause(), Lost::NoStartTls { .. }) && !error.is_transient(),
        "{error}"
    );
    assert_eq!(proxy.take_traffic().commands_with("AUTH"), [""; 0]);

    let mut allowed = required;
    allowed.endpoint.security = Security::StartTls;
    let outbox = outbox(allowed);
    let results = outbox.send(&[
        mail("a", &["a@example.test"]),
        mail("b", &["a@example.test"]),
    ]);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let server_name = format!("localhost:{}", proxy.port);
    assert_eq!(
        outbox.warnings(),
        [Warning::NoStartTls {
            server: server_name,
            login: true
        }]
    );
    assert_eq!(outbox.warnings(), []);
    outbox.close();
    assert!(!server.mails().iter().any(|mail| mail.secure));
}

#[test]
fn what_is_forged_after_start_tls_ends_the_conversation() {
    let Some(server) = Exim::start() else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    proxy.rewrite(
        "220 TLS go ahead\r\n",
        "220 TLS go ahead\r\n250-forged\r\n250 AUTH PLAIN\r\n",
    );
    for security in [Security::StartTls, Security::StartTlsRequired] {
        let mut settings = settings(proxy.port, security);
        settings.login = password(&[Mechanism::Plain]);
        let error = send_one(settings, mail("x", &["bob@example.test"])).unwrap_err();
        assert!(
            matches!(error, Error::Protocol { .. }) && error.to_string().contains("STARTTLS"),
            "{error}"
        );
        let lines = proxy.take_traffic().lines();
        assert_eq!(lines.last().unwrap(), "STARTTLS");
    }
}

#[test]
fn a_log_in_in_clear_text_is_warned_of() {
    let Some(server) = Recorder::with(recorder::Options {
        clear_login: true,
        ..recorder::Options::default()
    }) else {
        return;
    };
    for (login, warns) in [(password(&[Mechanism::Login]), true), (Login::None, false)] {
        let mut settings = settings(server.smtp, Security::None);
        settings.login = login;
        let outbox = outbox(settings);
        assert!(outbox.send(&[mail("a", &["a@example.test"])])[0].is_ok());
        let warnings = outbox.warnings();
        assert_eq!(
            matches!(warnings[..], [Warning::LoginInClear { .. }]),
            warns,
            "{warnings:?}"
        );
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_shown_nowhere() {
    let Some(server) = taking_passwords_in_clear() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    let shown = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&shown);
    let trace = Trace::to(move |line| sink.lock().unwrap().push_str(line));
    let mut settings = settings(proxy.port, Security::None);
    settings.login = Login::Password {
        user: MAIL_USER.into(),
        password: Secret::new("Wrong-4471".into()),
        mechanisms: vec![Mechanism::Plain],
    };
    let outbox = Outbox::new(Service::Smtp(settings), trace);
    let results = outbox.send(&crate::mails(20, "bob@example.test"));
    outbox.close();
    for result in &results {
        let error = result.as_ref().unwrap_err();
        assert!(
            matches!(
                error,
                Error::Login {
                    transient: false,
                    ..
                }
            ),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("535 Incorrect authentication data"),
            "{error}"
        );
    }
    let traffic = proxy.traffic();
    assert_eq!(
        (traffic.connections, traffic.commands_with("AUTH").len()),
        (1, 1)
    );
    let shown = format!("{}{results:?}", shown.lock().unwrap());
    assert!(shown.contains("AUTH PLAIN ***"), "{shown}");
    for secret in ["Wrong-4471", "V3JvbmctNDQ3M", MAIL_PASSWORD] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_password_that_got_no_answer_is_not_tried_again() {
    let Some(server) = taking_passwords_in_clear() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    proxy.lose_answer_to("AUTH PLAIN");
    let mut settings = settings(proxy.port, Security::None);
    settings.login = password(&[Mechanism::Plain]);
    for result in outbox(settings).send(&crate::mails(3, "bob@example.test")) {
        let error = result.unwrap_err();
        assert!(
            error.is_authentication() && !error.is_transient(),
            "{error}"
        );
    }
    assert_eq!(proxy.traffic().connections, 1);
}

#[test]
fn a_log_in_that_is_not_offered_says_what_is() {
    let Some(server) = Exim::start() else { return };
    let mut clear = settings(server.submission, Security::None);
    clear.login = password(&[Mechanism::Plain]);
    let error = send_one(clear, mail("x", &["bob@example.test"])).unwrap_err();
    assert!(
        error.is_authentication() && error.to_string().contains("smtp-connection-security"),
        "{error}"
    );
}
