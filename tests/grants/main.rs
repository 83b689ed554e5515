//! Every way to a token, with every outcome, against a real identity provider:
//! `cargo test --test grants` prints the table.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that breaks ends, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

pub mod ways;

use std::sync::mpsc;
use std::thread;

use harness::idp::{DIRECTORY, NARROW, PASSWORD, SECRET, USER, USER_WITH_MFA};
use harness::site::{self, Reply};
use harness::{IdentityProvider, Table};
use oauth2::url::form_urlencoded;
use serde_json::json;
use smartemail::auth::{Authority, Error, Settings, TokenSource};
use smartemail::net::Trace;
use ways::{
    Account, GRAPH, LONG, Person, Shown, Way, by_certificate, by_password, by_refresh, by_secret,
    elsewhere, google, in_browser, of_client, on_device, settings, signed_in, signing_in, token,
    two_tokens,
};

/// One cell: what is tried, and what must come of it.
type Cell<'a> = Option<(Box<dyn Fn() -> String + Sync + 'a>, &'static str)>;

fn cell<'a>(expected: &'static str, attempt: impl Fn() -> String + Sync + 'a) -> Cell<'a> {
    Some((Box::new(attempt), expected))
}

#[test]
fn each_grant_with_each_outcome() {
    let (Some(provider), Some(short), Some(brief_codes), Some(busy)) = (
        IdentityProvider::start(),
        IdentityProvider::start(),
        IdentityProvider::start(),
        IdentityProvider::start(),
    ) else {
        return;
    };
    short.lifetime(2);
    brief_codes.lifetime_of_codes(1);
    busy.put_off();
    let (provider, short, brief_codes, busy) = (&provider, &short, &brief_codes, &busy);

    let mut table = Table::new(
        "grant",
        [
            "good",
            "wrong or refused",
            "unknown client",
            "not allowed",
            "unknown directory",
            "too late",
            "503 at first",
            "2-second token",
        ]
        .map(str::to_owned),
    );
    for (name, way) in [
        ("authorization code + PKCE", in_browser as Way),
        ("device code", on_device),
    ] {
        let is_device = name == "device code";
        let tried = move |at, person| {
            move || {
                let account = Account::new(at);
                signed_in(&account, account.settings(), way, person)
            }
        };
        let changed = move |change: fn(Settings) -> Settings| {
            move || {
                let account = Account::new(provider);
                signed_in(&account, change(account.settings()), way, Person::StaysAway)
            }
        };
        table.row(
            name,
            vec![
                cell("token", tried(provider, Person::Signs)),
                cell(
                    if is_device {
                        "authorization_declined AADSTS70000"
                    } else {
                        "access_denied AADSTS65004"
                    },
                    tried(provider, Person::SaysNo),
                ),
                // A browser shows what is wrong, and does not come back.
                cell(
                    if is_device {
                        "invalid_client"
                    } else {
                        "nobody came"
                    },
                    changed(|settings| of_client(settings, "nobody")),
                ),
                cell(
                    if is_device {
                        "invalid_client"
                    } else {
                        "nobody came"
                    },
                    changed(|settings| of_client(settings, NARROW)),
                ),
                cell(
                    if is_device {
                        "invalid_request"
                    } else {
                        "nobody came"
                    },
                    move || {
                        let account = Account::new(provider);
                        let settings = elsewhere(account.settings(), provider);
                        signed_in(&account, settings, way, Person::StaysAway)
                    },
                ),
                cell(
                    if is_device {
                        "expired_token"
                    } else {
                        "nobody came"
                    },
                    tried(brief_codes, Person::StaysAway),
                ),
                cell("token", tried(busy, Person::Signs)),
                cell("replaced", move || {
                    let account = Account::new(short);
                    let sign_in = signing_in(account.settings(), Trace::off());
                    sign_in
                        .keep(&way(&sign_in, Person::Signs).unwrap())
                        .unwrap();
                    two_tokens(short, account.settings())
                }),
            ],
        );
    }
    let ready = |at| {
        let account = Account::new(at);
        let sign_in = signing_in(account.settings(), Trace::off());
        let tokens = in_browser(&sign_in, Person::Signs).unwrap();
        sign_in.keep(&tokens).unwrap();
        account
    };
    table.row(
        "refresh token of the cache",
        vec![
            cell("token", move || {
                let account = ready(provider);
                let sign_in = signing_in(account.settings(), Trace::off());
                sign_in.renew().unwrap();
                sign_in.renew().unwrap();
                token(provider, account.settings())
            }),
            // Somebody else has used it: with this provider that is the end of the whole sign-in.
            cell("invalid_grant", move || {
                let account = ready(provider);
                account.copy("msal.cache", "stolen.cache");
                let renew = |name| signing_in(account.at(name), Trace::off()).renew();
                renew("stolen.cache").unwrap();
                let first = Shown::default().word_for(&renew("msal.cache").unwrap_err());
                let second = Shown::default().word_for(&renew("stolen.cache").unwrap_err());
                assert_eq!(first, second);
                first
            }),
            cell("nobody is signed in", move || {
                let account = ready(provider);
                token(provider, of_client(account.settings(), "nobody"))
            }),
            None,
            cell("invalid_request", move || {
                let account = ready(provider);
                let settings = elsewhere(account.settings(), provider);
                let renewed = signing_in(settings, Trace::off()).renew();
                Shown::default().word_for(&renewed.unwrap_err())
            }),
            cell("nobody is signed in", move || {
                token(provider, Account::new(provider).settings())
            }),
            cell("token", move || {
                let account = ready(busy);
                let sign_in = signing_in(account.settings(), Trace::off());
                sign_in.renew().unwrap();
                token(busy, account.settings())
            }),
            cell("replaced", move || {
                let account = ready(short);
                signing_in(account.settings(), Trace::off())
                    .renew()
                    .unwrap();
                two_tokens(short, account.settings())
            }),
        ],
    );
    let scope = GRAPH;
    let by_token = move |at: &IdentityProvider| by_refresh(&at.refresh_token(scope));
    table.row(
        "refresh token of the settings",
        vec![
            cell("token", move || {
                token(provider, settings(provider, by_token(provider)))
            }),
            cell("invalid_grant", move || {
                token(provider, settings(provider, by_refresh("wrong")))
            }),
            cell("invalid_client", move || {
                token(
                    provider,
                    of_client(settings(provider, by_token(provider)), "nobody"),
                )
            }),
            cell("invalid_request", move || {
                token(
                    provider,
                    of_client(settings(provider, by_token(provider)), NARROW),
                )
            }),
            cell("invalid_request", move || {
                token(
                    provider,
                    elsewhere(settings(provider, by_token(provider)), provider),
                )
            }),
            None,
            cell("token", move || token(busy, settings(busy, by_token(busy)))),
            cell("replaced", move || {
                two_tokens(short, settings(short, by_token(short)))
            }),
        ],
    );
    table.row(
        "the same at Google's address",
        vec![
            cell("token", move || {
                token(provider, google(provider, &provider.refresh_token(scope)))
            }),
            cell("invalid_grant", move || {
                token(provider, google(provider, "wrong"))
            }),
            None,
            None,
            None,
            None,
            cell("token", move || {
                token(busy, google(busy, &busy.refresh_token(scope)))
            }),
            cell("replaced", move || {
                two_tokens(short, google(short, &short.refresh_token(scope)))
            }),
        ],
    );
    for (name, good, wrong, refusal) in [
        (
            "client secret",
            by_secret(SECRET),
            by_secret("wrong"),
            "invalid_client",
        ),
        (
            "client certificate",
            by_certificate("application"),
            by_certificate("stranger"),
            "invalid_client AADSTS700027",
        ),
        (
            "password",
            by_password(USER, PASSWORD),
            by_password(USER, "wrong"),
            "invalid_grant AADSTS50126",
        ),
    ] {
        let is_password = name == "password";
        let of = |at: &IdentityProvider| settings(at, good.clone());
        let not_allowed = if is_password {
            settings(provider, by_password(USER_WITH_MFA, "x"))
        } else {
            of_client(settings(provider, by_secret(SECRET)), NARROW)
        };
        let [at_home, refused, unknown, away, put_off, brief] = [
            of(provider),
            settings(provider, wrong),
            of_client(of(provider), "nobody"),
            elsewhere(of(provider), provider),
            of(busy),
            of(short),
        ];
        table.row(
            name,
            vec![
                cell("token", move || token(provider, at_home.clone())),
                cell(refusal, move || token(provider, refused.clone())),
                cell("invalid_client", move || token(provider, unknown.clone())),
                cell(
                    if is_password {
                        "invalid_grant AADSTS50076"
                    } else {
                        "invalid_request"
                    },
                    move || token(provider, not_allowed.clone()),
                ),
                cell("invalid_request", move || token(provider, away.clone())),
                None,
                cell("token", move || token(busy, put_off.clone())),
                cell("replaced", move || two_tokens(short, brief.clone())),
            ],
        );
    }
    table.prove(|(attempt, expected)| {
        let outcome = attempt();
        assert_eq!(outcome, *expected);
        outcome
    });
    let providers = [provider, short, brief_codes, busy];
    let judged: usize = providers
        .map(IdentityProvider::assert_described)
        .iter()
        .sum();
    println!(
        "judged by the description of the token endpoint: {judged} pages, requests and answers; none wrong"
    );
}

/// Somebody else may sign in while a run is under way.
#[test]
fn a_source_keeps_to_the_account_that_it_began_with() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let account = Account::new(&provider);
    let signs_in = |user: &'static str| {
        let sign_in = signing_in(account.settings(), Trace::off());
        let attempt = sign_in.by_browser(false).unwrap();
        let page = attempt.page().to_owned();
        let browser = thread::spawn(move || IdentityProvider::open(&page, user));
        sign_in.keep(&attempt.finish(LONG).unwrap()).unwrap();
        browser.join().unwrap();
    };
    let source = || TokenSource::new(account.settings(), Trace::off());
    let of_nobody = source();
    signs_in(USER);
    let [of_user, again] = [source(), source()];
    let person = of_user.holder().unwrap().unwrap();
    assert_eq!(person.username, USER);
    assert_eq!(person.home_account_id, format!("{USER}.{DIRECTORY}"));
    signs_in(USER);
    of_user.get().unwrap();

    let asked = provider.requests().len();
    signs_in("night@example.com");
    let refused = again.get().unwrap_err();
    assert!(
        matches!(&refused, Error::OtherAccount { wanted, found, .. } if wanted == USER && found == "night@example.com"),
        "{refused}"
    );
    assert!(!refused.is_transient());
    let held = of_user.get().unwrap();
    assert!(of_user.renew(&held).is_err());
    assert!(matches!(of_nobody.get(), Err(Error::NotSignedIn { .. })));
    assert_eq!(provider.requests().len(), asked + 1, "the sign-in alone");
}

#[test]
fn what_an_authority_repeats_of_a_request_is_masked() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let (told, forms) = mpsc::channel();
    let port = site::serve(move |asked| {
        let form: Vec<_> = form_urlencoded::parse(&asked.body).into_owned().collect();
        told.send(form.clone()).unwrap();
        let words: Vec<_> = form.iter().map(|(_, value)| value.as_str()).collect();
        let refusal = json!({ "error": "invalid_request", "error_description": words.join(" ") });
        Reply::json(400, &refusal)
    });
    let authority = Authority::of(&format!("http://127.0.0.1:{port}"), DIRECTORY).unwrap();
    for (grant, secrets) in [
        (by_password(USER, PASSWORD), &["password"][..]),
        (by_secret(SECRET), &["client_secret"]),
        (
            by_refresh("1.AQ-refresh-7"),
            &["client_secret", "refresh_token"],
        ),
        (by_certificate("application"), &["client_assertion"]),
    ] {
        let settings = Settings {
            authority: authority.clone(),
            ..settings(&provider, grant)
        };
        let shown = Shown::default();
        let error = TokenSource::new(settings, shown.trace()).get().unwrap_err();
        shown.word_for(&error);
        let form = forms.recv().unwrap();
        let sent = form
            .into_iter()
            .filter(|(name, _)| secrets.contains(&name.as_str()));
        let sent: Vec<_> = sent.map(|(_, value)| value).collect();
        assert_eq!(sent.len(), secrets.len());
        shown.without(&sent);
    }
}
