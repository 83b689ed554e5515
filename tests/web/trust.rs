//! Tokens: servers that can't or must not be asked.

use std::time::Duration;

use smartemail::auth::{Authority, Error, Names, Settings, TokenSource};
use smartemail::net::Trace;
use smartemail::net::http::Limits;

use crate::grants::SCOPE;
use crate::harness::idp::{DIRECTORY, NATIVE, PASSWORD, USER};
use crate::harness::site::{self, Reply};
use crate::harness::{IdentityProvider, RudeServer, certs};
use crate::{by_password, limits};

/// Tokens of the server at this address.
fn of(base: &str, limits: Limits) -> TokenSource {
    let settings = Settings {
        authority: Authority::of(base, DIRECTORY).unwrap(),
        client_id: NATIVE.into(),
        grant: by_password(USER, PASSWORD),
        scope: SCOPE.into(),
        margin: Duration::ZERO,
        names: Names::SmtpClient,
        limits,
    };
    TokenSource::new(settings, Trace::off())
}

#[test]
fn what_is_no_token_endpoint_is_told() {
    let patient = limits(Duration::from_secs(20));
    let answer = |kind: &'static str, body: &'static str| {
        let port = site::serve(move |_| Reply::Answer {
            status: 200,
            headers: vec![("Content-Type", kind.into())],
            body: body.into(),
        });
        of(&format!("http://127.0.0.1:{port}"), patient)
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
    let hasty = limits(Duration::from_millis(300));
    let error = of(&format!("http://127.0.0.1:{}", silent.port), hasty)
        .get()
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let clear = Authority::of("http://login.example.com", DIRECTORY).unwrap_err();
    assert!(clear.to_string().contains("https://"), "{clear}");
}

/// The part of the next test that needs an environment of its own, and what it found.
#[test]
#[ignore = "a part of another test"]
fn a_token_over_tls() {
    let Some(base) = std::env::var_os("TEST_AUTHORITY") else {
        return;
    };
    let limit = limits(Duration::from_secs(20));
    let told = of(base.to_str().unwrap(), limit).get().map_or_else(
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
            .args([
                "--exact",
                "trust::a_token_over_tls",
                "--ignored",
                "--nocapture",
            ])
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
