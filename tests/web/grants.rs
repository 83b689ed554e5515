//! Tokens: each grant against a real identity provider, with every outcome.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use smartemail::auth::{AccessToken, Authority, Error, Grant, Settings, TokenSource};
use smartemail::net::Trace;

use crate::harness::idp::{
    self, DAEMON, NARROW, NATIVE, PASSWORD, SECRET, TokenRequest, USER, USER_WITH_MFA,
};
use crate::harness::{IdentityProvider, Table, schemas};
use crate::{Shown, by_password, by_secret, secret, tokens};

pub(crate) const SCOPE: &str = "https://graph.microsoft.com/.default";

pub(crate) fn credentials() -> Grant {
    by_secret(SECRET)
}

pub(crate) fn refresh(token: &str) -> Grant {
    Grant::Refresh {
        secret: Some(secret(SECRET)),
        token: secret(token),
    }
}

/// Settings against the provider, Microsoft's way.
pub(crate) fn settings(provider: &IdentityProvider, grant: Grant) -> Settings {
    tokens(provider, grant, SCOPE)
}

pub(crate) fn source(settings: Settings) -> TokenSource {
    TokenSource::new(settings, Trace::off())
}

fn google(provider: &IdentityProvider, token: &str) -> Settings {
    Settings {
        authority: Authority::of(&provider.google(), "").unwrap(),
        ..settings(provider, refresh(token))
    }
}

/// A source, and everything that it shows.
struct Watched<'a> {
    provider: &'a IdentityProvider,
    source: TokenSource,
    shown: Shown,
    /// Its own, which must not be among that.
    secrets: Vec<String>,
}

impl<'a> Watched<'a> {
    fn new(provider: &'a IdentityProvider, settings: Settings) -> Self {
        let shown = Shown::default();
        shown.add(&format!("{settings:?}"));
        let own = match &settings.grant {
            Grant::Password { password, .. } => vec![password],
            Grant::ClientCredentials { secret } => vec![secret],
            Grant::Refresh { secret, token } => secret.iter().chain([token]).collect(),
        };
        Self {
            provider,
            secrets: own
                .iter()
                .map(|secret| secret.expose().to_owned())
                .collect(),
            source: TokenSource::new(settings, shown.trace()),
            shown,
        }
    }

    /// What comes of an attempt, in a word for the table.
    fn came_of(&self, attempt: Result<AccessToken, Error>) -> (String, Option<AccessToken>) {
        self.shown.add(&format!("{attempt:?}\n{:?}", self.source));
        match attempt {
            Ok(token) => ("token".to_owned(), Some(token)),
            Err(error) => {
                self.shown.add(&error.to_string());
                let kind = match error {
                    Error::Rejected { error, code, .. } => {
                        let code = code.map_or_else(String::new, |code| format!(" AADSTS{code}"));
                        format!("rejected: {error}{code}")
                    }
                    Error::Busy { status, .. } => format!("busy: {status}"),
                    Error::Unanswered(_) => "unanswered".into(),
                    Error::Malformed { .. } => "malformed".into(),
                };
                (kind, None)
            }
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let issued = self.provider.issued().into_iter();
            self.shown
                .hides(issued.chain(std::mem::take(&mut self.secrets)));
        }
    }
}

/// What a source comes to, after a mail server looked at the token.
fn outcome(provider: &IdentityProvider, settings: Settings) -> String {
    let watched = Watched::new(provider, settings);
    let attempt = watched.source.get();
    let (outcome, token) = watched.came_of(attempt);
    if let Some(token) = token {
        let told = idp::introspect(provider.port, token.secret().expose());
        assert_eq!(
            told.expect("the provider knows the token")["username"],
            USER
        );
    }
    outcome
}

/// Every request and every answer of the provider is one of the description.
fn assert_described(requests: &[TokenRequest]) {
    let path = schemas::folder().join("identity/token-endpoint.schema.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let description: Value = serde_json::from_slice(&text).unwrap();
    let judged = |name: &str, what: &Value| {
        let schema = json!({
            "$schema": description["$schema"], "$defs": description["$defs"], "$ref": format!("#/$defs/{name}"),
        });
        let valid = jsonschema::validate(&schema, what);
        assert!(valid.is_ok(), "{name}: {valid:?} in {what}");
    };
    for request in requests {
        let grant = request.form["grant_type"].as_str().unwrap();
        judged(&format!("request.{grant}"), &request.form);
        // The others are those of a fault.
        if let Ok(body) = serde_json::from_str(&request.body) {
            let answer = if request.status == 200 {
                "token"
            } else {
                "error"
            };
            judged(&format!("response.{answer}"), &body);
        }
    }
}

#[test]
fn each_grant_with_each_outcome() {
    let Some(provider) = IdentityProvider::start() else {
        return;
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
        secret: secret("Wr0ng-s3cret"),
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
            Some((of(by_password(USER, PASSWORD)), "token")),
            Some((
                of(by_password(USER, "Wr0ng-s3cret")),
                "rejected: invalid_grant AADSTS50126",
            )),
            Some((
                renamed(by_password(USER, PASSWORD), "nobody"),
                "rejected: invalid_client",
            )),
            Some((
                of(by_password(USER_WITH_MFA, "Wr0ng-s3cret")),
                "rejected: invalid_grant AADSTS50076",
            )),
            Some((
                elsewhere(by_password(USER, PASSWORD)),
                "rejected: invalid_request",
            )),
        ],
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
            Some((of(refresh("Wr0ng-s3cret")), "rejected: invalid_grant")),
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
            Some((google(&provider, "Wr0ng-s3cret"), "rejected: invalid_grant")),
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
    assert_described(&provider.requests());
}

#[test]
fn what_is_asked_is_what_the_settings_say() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let token = provider.refresh_token(SCOPE);
    for grant in [by_password(USER, PASSWORD), credentials(), refresh(&token)] {
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
    assert_described(&provider.requests());
}

/// What happens to the requests of a source.
#[derive(Clone, Copy)]
enum Course {
    /// The provider answers the first one with this status and asks for a pause of so many seconds.
    Busy(u16, u32),
    /// The provider closes the connection.
    Lost,
    /// The token has expired when it is needed again.
    Expired,
    /// A mail server refuses a token that should still be good.
    Refused,
}

/// The statuses that the provider answered with (0 for none), and what came of it.
fn course(provider: &IdentityProvider, course: Course, settings: Settings) -> String {
    let before = provider.requests().len();
    match course {
        Course::Busy(status, pause) => {
            provider.fault(
                1,
                status,
                json!({ "Retry-After": pause.to_string() }),
                "busy",
            );
        }
        Course::Lost => provider.hang_up(),
        Course::Expired => provider.lifetime(2),
        Course::Refused => {}
    }
    let watched = Watched::new(
        provider,
        Settings {
            // The provider counts whole seconds.
            margin: Duration::from_millis(1200),
            ..settings
        },
    );
    let attempt = watched.source.get();
    let (mut outcome, first) = watched.came_of(attempt);
    let again = match (course, first) {
        (Course::Expired, Some(first)) => {
            let first = first.secret().expose();
            while idp::introspect(provider.port, first).is_some() {
                std::thread::sleep(Duration::from_millis(50));
            }
            Some(watched.source.get())
        }
        (Course::Refused, Some(first)) => Some(watched.source.renew(&first)),
        _ => None,
    };
    provider.lifetime(3600);
    if let Some(again) = again {
        let (second, token) = watched.came_of(again);
        let token = token.expect("a second token");
        assert!(idp::introspect(provider.port, token.secret().expose()).is_some());
        outcome = format!("{outcome}, {second}");
    }
    let asked = provider.requests().split_off(before);
    let used = asked.iter().map(|request| &request.form["refresh_token"]);
    let mut used: Vec<_> = used.filter(|token| token.is_string()).collect();
    used.dedup();
    if used.len() > 1 {
        outcome += " by the new refresh token";
    }
    let statuses: Vec<_> = asked
        .iter()
        .map(|request| request.status.to_string())
        .collect();
    format!("{}: {outcome}", statuses.join(" "))
}

#[test]
fn each_grant_over_time() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let fresh = || refresh(&provider.refresh_token(SCOPE));
    let mut table = Table::new(
        "grant",
        [
            "503 for a second",
            "429",
            "503 for an hour",
            "connection lost",
            "expired",
            "refused by the mail server",
        ]
        .map(str::to_owned),
    );
    let (renewed, rotated) = (
        "200 200: token, token",
        "200 200: token, token by the new refresh token",
    );
    type Make<'a> = &'a dyn Fn() -> Settings;
    let rows: [(&str, Make<'_>, &str); 4] = [
        (
            "password",
            &|| settings(&provider, by_password(USER, PASSWORD)),
            renewed,
        ),
        (
            "client_credentials",
            &|| settings(&provider, credentials()),
            renewed,
        ),
        ("refresh_token", &|| settings(&provider, fresh()), rotated),
        (
            "refresh_token, Google",
            &|| google(&provider, &provider.refresh_token(SCOPE)),
            rotated,
        ),
    ];
    for (name, make, again) in rows {
        let courses = [
            (Course::Busy(503, 1), "503 200: token"),
            (Course::Busy(429, 0), "429 200: token"),
            (Course::Busy(503, 3600), "503: busy: 503"),
            (Course::Lost, "0: unanswered"),
            (Course::Expired, again),
            (Course::Refused, again),
        ];
        let cells = courses.map(|(course, expected)| Some((make(), course, expected)));
        table.row(name, cells.into());
    }
    // What happens to the provider happens to one of them.
    let alone = Mutex::new(());
    table.prove(|(settings, what, expected)| {
        let _alone = alone.lock().unwrap();
        let outcome = course(&provider, *what, settings.clone());
        assert_eq!(outcome, *expected);
        outcome
    });
    assert_described(&provider.requests());
}
