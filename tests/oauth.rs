//! Tokens: each grant against a real identity provider, with every outcome.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that breaks ends, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::idp::{
    self, DAEMON, DIRECTORY, NARROW, NATIVE, PASSWORD, SECRET, USER, USER_WITH_MFA,
};
use harness::site::{self, Reply};
use harness::{IdentityProvider, RudeServer, Table, certs, schemas};
use serde_json::json;
use smartemail::auth::{Authority, Error, Grant, Settings, TokenSource};
use smartemail::net::Trace;
use smartemail::net::http::Limits;
use smartemail::secret::Secret;

const SCOPE: &str = "https://graph.microsoft.com/.default";

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn password(user: &str, password: &str) -> Grant {
    Grant::Password {
        user: user.into(),
        password: secret(password),
        secret: None,
    }
}

fn credentials() -> Grant {
    Grant::ClientCredentials {
        secret: secret(SECRET),
    }
}

fn refresh(token: &str) -> Grant {
    Grant::Refresh {
        secret: Some(secret(SECRET)),
        token: secret(token),
    }
}

/// Settings against the provider, Microsoft's way.
fn settings(provider: &IdentityProvider, grant: Grant) -> Settings {
    let limit = Duration::from_secs(20);
    Settings {
        authority: Authority::of(&provider.authority(), DIRECTORY).unwrap(),
        client_id: match grant {
            Grant::Password { secret: None, .. } => NATIVE,
            _ => DAEMON,
        }
        .into(),
        grant,
        scope: SCOPE.into(),
        margin: Duration::from_secs(10),
        limits: Limits {
            connect: limit,
            answer: limit,
        },
    }
}

fn source(settings: Settings) -> TokenSource {
    TokenSource::new(settings, Trace::off())
}

fn google(provider: &IdentityProvider, token: &str) -> Settings {
    Settings {
        authority: Authority::of(&provider.google(), "").unwrap(),
        ..settings(provider, refresh(token))
    }
}

/// What a source comes to, in a word for the table, after a mail server looked at the token.
fn outcome(provider: &IdentityProvider, settings: Settings) -> String {
    let shown = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&shown);
    let trace = Trace::to(move |line| {
        let mut shown = sink.lock().unwrap();
        *shown += line;
        *shown += "\n";
    });
    let mut secrets: Vec<String> = vec![PASSWORD.into(), SECRET.into()];
    if let Grant::Refresh { token, .. } = &settings.grant {
        secrets.push(token.expose().into());
    }
    let source = TokenSource::new(settings, trace);
    let outcome = match source.get() {
        Ok(token) => {
            let token = token.secret().expose().to_owned();
            let told =
                idp::introspect(provider.port, &token).expect("the provider knows the token");
            assert_eq!(told["username"], USER);
            secrets.push(token);
            secrets.extend(source.rotated().map(|token| token.expose().to_owned()));
            "token".to_owned()
        }
        Err(error) => {
            let kind = match &error {
                Error::Rejected { error, code, .. } => {
                    let code = code.map_or_else(String::new, |code| format!(" AADSTS{code}"));
                    format!("rejected: {error}{code}")
                }
                Error::Busy { status, .. } => format!("busy: {status}"),
                Error::Unanswered(_) => "unanswered".into(),
                Error::Malformed { .. } => "malformed".into(),
            };
            *shown.lock().unwrap() += &format!("{error}\n{error:?}\n{source:?}");
            kind
        }
    };
    let shown = shown.lock().unwrap();
    for secret in secrets {
        assert!(!shown.contains(&secret), "{secret} in:\n{shown}");
    }
    outcome
}

#[test]
fn each_grant_with_each_outcome() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let with_secret = Grant::Password {
        user: USER.into(),
        password: secret(PASSWORD),
        secret: Some(secret(SECRET)),
    };
    let of = |grant| settings(&provider, grant);
    let renamed = |grant, client: &str| Settings {
        client_id: client.into(),
        ..settings(&provider, grant)
    };
    let elsewhere = |grant| Settings {
        authority: Authority::of(&provider.authority(), "fabrikam.example").unwrap(),
        ..settings(&provider, grant)
    };
    let fresh = || provider.refresh_token(SCOPE);
    let wrong_secret = Grant::ClientCredentials {
        secret: secret("wrong"),
    };
    let mut table = Table::new(
        "grant",
        [
            "good",
            "wrong secret",
            "unknown client",
            "not allowed",
            "unknown directory",
        ]
        .map(str::to_owned),
    );
    table.row(
        "password",
        vec![
            Some((of(password(USER, PASSWORD)), "token")),
            Some((
                of(password(USER, "wrong")),
                "rejected: invalid_grant AADSTS50126",
            )),
            Some((
                renamed(password(USER, PASSWORD), "nobody"),
                "rejected: invalid_client",
            )),
            Some((
                of(password(USER_WITH_MFA, "x")),
                "rejected: invalid_grant AADSTS50076",
            )),
            Some((
                elsewhere(password(USER, PASSWORD)),
                "rejected: invalid_request",
            )),
        ],
    );
    table.row(
        "password and secret",
        vec![Some((of(with_secret), "token")), None, None, None, None],
    );
    table.row(
        "client_credentials",
        vec![
            Some((of(credentials()), "token")),
            Some((of(wrong_secret), "rejected: invalid_client")),
            Some((renamed(credentials(), "nobody"), "rejected: invalid_client")),
            Some((renamed(credentials(), NARROW), "rejected: invalid_request")),
            Some((elsewhere(credentials()), "rejected: invalid_request")),
        ],
    );
    table.row(
        "refresh_token",
        vec![
            Some((of(refresh(&fresh())), "token")),
            Some((of(refresh("wrong")), "rejected: invalid_grant")),
            Some((
                renamed(refresh(&fresh()), "nobody"),
                "rejected: invalid_client",
            )),
            Some((
                renamed(refresh(&fresh()), NARROW),
                "rejected: invalid_request",
            )),
            Some((elsewhere(refresh(&fresh())), "rejected: invalid_request")),
        ],
    );
    table.row(
        "refresh_token, Google",
        vec![
            Some((google(&provider, &fresh()), "token")),
            Some((google(&provider, "wrong"), "rejected: invalid_grant")),
            None,
            None,
            None,
        ],
    );
    table.prove(|(settings, expected)| {
        let outcome = outcome(&provider, settings.clone());
        assert_eq!(outcome, *expected);
        outcome
    });
}

#[test]
fn requests_and_answers_are_those_of_the_description() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let token = provider.refresh_token(SCOPE);
    for grant in [password(USER, PASSWORD), credentials(), refresh(&token)] {
        source(settings(&provider, grant)).get().unwrap();
    }
    source(google(&provider, &provider.refresh_token(SCOPE)))
        .get()
        .unwrap();
    let forms: Vec<_> = provider
        .requests()
        .into_iter()
        .map(|request| request.form)
        .collect();
    assert_eq!(
        forms[0],
        json!({ "grant_type": "password", "client_id": NATIVE, "username": USER, "password": PASSWORD, "scope": SCOPE })
    );
    assert_eq!(
        forms[1],
        json!({ "grant_type": "client_credentials", "client_id": DAEMON, "client_secret": SECRET, "scope": SCOPE })
    );
    assert_eq!(
        forms[2],
        json!({ "grant_type": "refresh_token", "client_id": DAEMON, "client_secret": SECRET, "refresh_token": token, "scope": SCOPE })
    );
    assert!(
        forms[3].get("scope").is_none(),
        "Google's tokens carry their own scope"
    );

    let path = schemas::folder().join("identity/token-endpoint.schema.json");
    let Ok(text) = std::fs::read(path) else {
        println!(
            "no description of the token endpoint in {:?}",
            schemas::folder()
        );
        return;
    };
    let description: serde_json::Value = serde_json::from_slice(&text).unwrap();
    for form in &forms {
        let grant = form["grant_type"].as_str().unwrap();
        let schema = json!({
            "$schema": description["$schema"], "$defs": description["$defs"], "$ref": format!("#/$defs/request.{grant}"),
        });
        let valid = jsonschema::validate(&schema, form);
        assert!(valid.is_ok(), "{grant}: {valid:?}");
    }
}

#[test]
fn a_token_is_used_until_its_margin_and_fetched_once_for_all() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let source = source(settings(&provider, credentials()));
    let tokens = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let token = source.get().unwrap();
                tokens
                    .lock()
                    .unwrap()
                    .push(token.secret().expose().to_owned());
            });
        }
    });
    let tokens = tokens.into_inner().unwrap();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(provider.requests().len(), 1);

    // A server refuses it: all who were refused share one new token.
    let refused = source.get().unwrap();
    let renewed = source.renew(&refused).unwrap();
    assert_ne!(renewed.secret(), refused.secret());
    assert_eq!(source.renew(&refused).unwrap().secret(), renewed.secret());
    assert_eq!(provider.requests().len(), 2);

    // A lifetime below the margin: each call needs a new one.
    provider.lifetime(5);
    let short = source.renew(&renewed).unwrap();
    assert!(short.expires() <= Instant::now() + Duration::from_secs(5));
    assert_ne!(source.get().unwrap().secret(), short.secret());
    assert_eq!(provider.requests().len(), 4);
}

#[test]
fn an_expired_token_is_replaced() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    provider.lifetime(3);
    let source = source(Settings {
        // The provider counts whole seconds.
        margin: Duration::from_millis(1200),
        ..settings(&provider, credentials())
    });
    let first = source.get().unwrap();
    assert_eq!(source.get().unwrap().secret(), first.secret());
    while idp::introspect(provider.port, first.secret().expose()).is_some() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let second = source.get().unwrap();
    assert!(idp::introspect(provider.port, second.secret().expose()).is_some());
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn a_new_refresh_token_takes_the_place_of_the_old_one() {
    for rotating in [true, false] {
        let Some(provider) = IdentityProvider::with(rotating) else {
            return;
        };
        let given = provider.refresh_token(SCOPE);
        let source = source(settings(&provider, refresh(&given)));
        assert_eq!(source.rotated(), None);
        let first = source.get().unwrap();
        let after_first = source.rotated().map(|token| token.expose().to_owned());
        source.renew(&first).unwrap();
        let after_second = source.rotated().map(|token| token.expose().to_owned());
        let used: Vec<_> = provider
            .requests()
            .into_iter()
            .map(|request| request.form["refresh_token"].as_str().unwrap().to_owned())
            .collect();
        if rotating {
            assert_eq!(used, [given, after_first.clone().unwrap()]);
            assert!(after_second.is_some() && after_second != after_first);
        } else {
            assert_eq!(used, [given.clone(), given]);
            assert_eq!((after_first, after_second), (None, None));
        }
    }
}

#[test]
fn a_busy_provider_is_asked_again_and_a_refusal_stands() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    // The pauses that it asks for are made.
    let began = Instant::now();
    provider.fault(1, 503, json!({ "Retry-After": "1" }), "busy");
    provider.fault(1, 429, json!({ "Retry-After": "0" }), "");
    source(settings(&provider, credentials())).get().unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(provider.requests().len(), 3);

    // One that asks for too much is left to a later run.
    provider.fault(1, 503, json!({ "Retry-After": "3600" }), "busy");
    let busy = source(settings(&provider, credentials()));
    let error = busy.get().unwrap_err();
    assert!(
        matches!(&error, Error::Busy { status: 503, retry_after: Some(pause), .. } if pause.as_secs() == 3600),
        "{error:?}"
    );
    assert!(error.is_transient());
    assert_eq!(provider.requests().len(), 4);
    // That does not stand: the next mail may ask.
    busy.get().unwrap();
    assert_eq!(provider.requests().len(), 5);

    // A connection that breaks is not asked again, and does not stand either.
    provider.hang_up();
    let lost = source(settings(&provider, credentials()));
    let error = lost.get().unwrap_err();
    assert!(
        matches!(error, Error::Unanswered(_)) && error.is_transient(),
        "{error:?}"
    );
    lost.get().unwrap();
    assert_eq!(provider.requests().len(), 7);

    // A wrong password is tried once, however many mails there are: more would lock the account.
    let wrong = source(settings(&provider, password(USER, "wrong")));
    for _ in 0..3 {
        let error = wrong.get().unwrap_err();
        assert!(!error.is_transient());
        let told = error.to_string();
        assert!(
            told.contains("AADSTS50126") && told.contains("check user and password"),
            "{told}"
        );
        assert!(
            !told.contains("wrong password: wrong") && !told.contains("Trace ID"),
            "{told}"
        );
    }
    assert_eq!(provider.requests().len(), 8);
}

#[test]
fn what_is_no_token_endpoint_is_told() {
    let of = |base: &str| Settings {
        authority: Authority::of(base, DIRECTORY).unwrap(),
        client_id: NATIVE.into(),
        grant: password(USER, PASSWORD),
        scope: SCOPE.into(),
        margin: Duration::ZERO,
        limits: Limits {
            connect: Duration::from_secs(5),
            answer: Duration::from_millis(300),
        },
    };
    let answer = |kind: &'static str, body: &'static str| {
        let port = site::serve(move |_| Reply::Answer {
            status: 200,
            headers: vec![("Content-Type", kind.into())],
            body: body.into(),
        });
        source(of(&format!("http://127.0.0.1:{port}")))
            .get()
            .unwrap_err()
    };
    let page = answer("text/html", "<html>");
    assert!(matches!(page, Error::Malformed { .. }), "{page:?}");
    let other = answer(
        "application/json",
        "{\"access_token\": [\"s3cret\"], \"token_type\": \"s3cret\"}",
    );
    assert!(matches!(other, Error::Malformed { .. }), "{other:?}");
    let told = format!("{other} {other:?}");
    assert!(!told.contains("s3cret"), "{told}");
    let silent = RudeServer::silent();
    let error = source(of(&format!("http://127.0.0.1:{}", silent.port)))
        .get()
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let clear = source(of("http://login.example.com")).get().unwrap_err();
    assert!(
        clear.to_string().contains("https://") && !clear.is_transient(),
        "{clear}"
    );
}

/// The part of the next test that needs an environment of its own, and what it found.
#[test]
#[ignore = "a part of another test"]
fn a_token_over_tls() {
    let Some(base) = std::env::var_os("TEST_AUTHORITY") else {
        return;
    };
    let limit = Duration::from_secs(20);
    let told = source(Settings {
        authority: Authority::of(base.to_str().unwrap(), DIRECTORY).unwrap(),
        client_id: NATIVE.into(),
        grant: password(USER, PASSWORD),
        scope: SCOPE.into(),
        margin: Duration::ZERO,
        limits: Limits {
            connect: limit,
            answer: limit,
        },
    })
    .get()
    .map_or_else(
        |error| format!("{}: {error}", error.is_transient()),
        |_| "token".into(),
    );
    println!("told: {told}");
}

#[test]
fn the_authorities_of_this_machine_are_trusted_and_no_others() {
    for (certificate, trusted, expected) in [
        ("good", true, "told: token"),
        (
            "good",
            false,
            "told: false: no token: no secure connection to localhost:PORT: the authority that issued",
        ),
        (
            "wronghost",
            true,
            "told: false: no token: no secure connection to localhost:PORT: the server's certificate is not for",
        ),
        (
            "expired",
            true,
            "told: false: no token: no secure connection to localhost:PORT: the server's certificate has expired",
        ),
    ] {
        let Some(provider) = IdentityProvider::over_tls(certificate) else {
            return;
        };
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "a_token_over_tls", "--ignored", "--nocapture"])
            .env(
                "TEST_AUTHORITY",
                format!("https://localhost:{}", provider.port),
            );
        if trusted {
            child.env("SSL_CERT_FILE", certs::folder().unwrap().join("ca.pem"));
        }
        let done = child.output().unwrap();
        let told = String::from_utf8(done.stdout).unwrap();
        let expected = expected.replace("PORT", &provider.port.to_string());
        assert!(told.contains(&expected), "{certificate}: {told}");
    }
}
