//! Tokens: what is asked for them, and each grant over time; their outcomes are in
//! `tests/grants`.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use smartemail::auth::{AccessToken, Authority, Error, Grant, Settings, TokenSource};
use smartemail::net::Trace;

use crate::harness::idp::{self, DAEMON, NATIVE, PASSWORD, SECRET, USER};
use crate::harness::{IdentityProvider, Table};
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
            Grant::ClientAssertion { .. } | Grant::SignedIn { .. } => Vec::new(),
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
                    other => other.to_string(),
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
    provider.assert_described();
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
    provider.assert_described();
}
