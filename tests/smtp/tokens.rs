//! Logging in with tokens: an identity provider issues them, Exim asks about them.

use std::time::Duration;

use smartemail::auth::{Authority, Grant, Names, Settings as TokenSettings, TokenSource};
use smartemail::net::http::Limits;
use smartemail::net::{Security, Trace};
use smartemail::secret::Secret;
use smartemail::send::smtp::{Login, Settings};
use smartemail::send::{Error, LoginAnswer};

use crate::harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
use crate::harness::{CountingProxy, Exim, IdentityProvider, exim};
use crate::{mails, outbox, settings};

const SCOPE: &str = "https://outlook.office.com/SMTP.Send";

/// A provider, and an Exim that takes its tokens.
fn servers() -> Option<(IdentityProvider, Exim)> {
    let provider = IdentityProvider::start()?;
    let server = Exim::with(exim::Options {
        clear_login: true,
        tokens: Some(provider.port),
        extra: "queue_only = true",
        ..exim::Options::default()
    })?;
    Some((provider, server))
}

/// Connections over this port with tokens of the provider.
fn with_tokens(provider: &IdentityProvider, port: u16, grant: Grant) -> Settings {
    let limit = Duration::from_secs(20);
    let tokens = TokenSettings {
        authority: Authority::of(&provider.authority(), DIRECTORY).unwrap(),
        client_id: match grant {
            Grant::Password { .. } => NATIVE,
            _ => DAEMON,
        }
        .into(),
        grant,
        scope: SCOPE.into(),
        margin: Duration::from_secs(10),
        names: Names::SmtpClient,
        limits: Limits {
            connect: limit,
            answer: limit,
        },
    };
    let mut settings = settings(port, Security::None);
    settings.login = Login::Token {
        user: USER.into(),
        source: TokenSource::new(tokens, Trace::off()),
    };
    settings
}

fn by_password() -> Grant {
    Grant::Password {
        user: USER.into(),
        password: Secret::new(PASSWORD.into()),
    }
}

/// So many tokens that the provider gives are others than those that it knows.
fn give_stale_tokens(provider: &IdentityProvider, count: usize) {
    let stale = r#"{"token_type":"Bearer","access_token":"stale-4711","expires_in":3600}"#;
    let json = serde_json::json!({"Content-Type": "application/json"});
    provider.fault(count, 200, json, stale);
}

#[test]
fn tokens_of_every_grant_log_in() {
    let Some((provider, server)) = servers() else {
        return;
    };
    let secret = || Secret::new(SECRET.into());
    let grants = [
        by_password(),
        Grant::ClientCredentials { secret: secret() },
        Grant::Refresh {
            secret: Some(secret()),
            token: Secret::new(provider.refresh_token(SCOPE)),
        },
    ];
    for (number, grant) in grants.into_iter().enumerate() {
        for (security, port) in [
            (Security::Tls, server.smtps),
            (Security::StartTls, server.submission),
        ] {
            let mut settings = with_tokens(&provider, port, grant.clone());
            settings.endpoint.security = security;
            if number == 2 && security == Security::StartTls {
                // A refresh token that is good for one use.
                continue;
            }
            let results = outbox(settings).send(&mails(1, "bob@example.test"));
            assert!(results[0].is_ok(), "{number}: {results:?}");
        }
    }
    let log = server.log();
    assert_eq!(
        log.matches(&format!("A=xoauth2:{USER}")).count(),
        5,
        "{log}"
    );
}

#[test]
fn one_token_is_enough_for_all_connections() {
    let Some((provider, server)) = servers() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    let outbox = outbox(with_tokens(&provider, proxy.port, by_password()));
    let results = outbox.send(&mails(60, "bob@example.test"));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let traffic = proxy.traffic();
    assert_eq!(
        traffic.connections,
        traffic.commands_with("AUTH XOAUTH2").len()
    );
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let Some((provider, server)) = servers() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    give_stale_tokens(&provider, 1);
    let renewed = outbox(with_tokens(&provider, proxy.port, by_password()));
    let results = renewed.send(&mails(5, "bob@example.test"));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(provider.requests().len(), 2);

    give_stale_tokens(&provider, 2);
    // A rude server repeats it.
    proxy.rewrite("535 ", "535 stale-4711 ");
    proxy.take_traffic();
    let refused = outbox(with_tokens(&provider, proxy.port, by_password()));
    for result in refused.send(&mails(20, "bob@example.test")) {
        let error = result.unwrap_err();
        let Error::Login {
            answer: LoginAnswer::Said(answer),
            transient: false,
            ..
        } = &error
        else {
            panic!("{error}");
        };
        // What Dovecot says in its last question is kept.
        assert!(
            answer.contains("535 ***") && answer.contains("\"status\""),
            "{answer}"
        );
        assert!(!answer.contains("stale-4711"));
    }
    let traffic = proxy.traffic();
    assert_eq!(
        (traffic.connections, traffic.commands_with("AUTH").len()),
        (1, 2)
    );
}

#[test]
fn where_tokens_are_not_taken_none_is_asked_for() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let Some(server) = Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    }) else {
        return;
    };
    let outbox = outbox(with_tokens(&provider, server.submission, by_password()));
    let error = outbox.send(&mails(1, "bob@example.test")).remove(0);
    let error = error.unwrap_err();
    assert!(
        error.is_authentication() && error.to_string().contains("offers PLAIN LOGIN"),
        "{error}"
    );
    assert_eq!(provider.requests().len(), 0);
}

#[test]
fn a_token_that_can_not_be_checked_now_is_not_renewed() {
    let Some((provider, server)) = servers() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    proxy.rewrite("535 ", "454 ");
    give_stale_tokens(&provider, 1);
    let outbox = outbox(with_tokens(&provider, proxy.port, by_password()));
    let error = outbox.send(&mails(1, "bob@example.test")).remove(0);
    let error = error.unwrap_err();
    assert!(error.is_transient() && error.is_authentication(), "{error}");
    assert_eq!(provider.requests().len(), 1);
    assert_eq!(proxy.traffic().commands_with("AUTH").len(), 1);
}

#[test]
fn a_connection_is_not_used_beyond_its_token() {
    let Some((provider, server)) = servers() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    for (lifetime, connections) in [(3600, 1), (8, 3)] {
        // Eight seconds are less than the margin of ten: each mail needs a token of its own.
        provider.lifetime(lifetime);
        let mut settings = with_tokens(&provider, proxy.port, by_password());
        settings.pool.size = 1;
        proxy.take_traffic();
        let results = outbox(settings).send(&mails(3, "bob@example.test"));
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(proxy.traffic().connections, connections);
    }
}

#[test]
fn without_a_token_nothing_is_tried() {
    let Some((provider, server)) = servers() else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", server.submission);
    let wrong = Grant::Password {
        user: USER.into(),
        password: Secret::new("Wrong-4471".into()),
    };
    for result in
        outbox(with_tokens(&provider, proxy.port, wrong)).send(&mails(20, "bob@example.test"))
    {
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::Token(_)) && error.is_authentication(),
            "{error}"
        );
    }
    assert_eq!(provider.requests().len(), 1);
    assert_eq!(proxy.traffic().commands_with("AUTH"), [""; 0]);
}
