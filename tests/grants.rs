//! Every way to a token, with every outcome, against a real identity provider:
//! `cargo test --test grants` prints the table.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that breaks ends, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use harness::idp::{
    self, CERTIFIED, DAEMON, DIRECTORY, NARROW, NATIVE, PASSWORD, SECRET, USER, USER_WITH_MFA,
};
use harness::{IdentityProvider, Table, certs};
use smartemail::auth::{
    Authority, Cache, Certificate, Error, Grant, Names, Settings, SignIn, TokenSource, Tokens,
};
use smartemail::net::Trace;
use smartemail::net::http::Limits;
use smartemail::secret::{Keeper, Secret};

const GRAPH: &str = "https://graph.microsoft.com/.default";
const FOR_A_PERSON: &str =
    "https://graph.microsoft.com/Mail.ReadWrite offline_access openid profile";
/// For so long somebody is waited for who never comes.
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(30);

/// One cell: what is tried, and what must come of it.
type Cell<'a> = Option<(Box<dyn Fn() -> String + Sync + 'a>, &'static str)>;

fn cell<'a>(expected: &'static str, attempt: impl Fn() -> String + Sync + 'a) -> Cell<'a> {
    Some((Box::new(attempt), expected))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

fn by_password(user: &str, password: &str) -> Grant {
    Grant::Password {
        user: user.into(),
        password: secret(password),
    }
}

fn by_secret(text: &str) -> Grant {
    Grant::ClientCredentials {
        secret: secret(text),
    }
}

fn by_certificate(name: &str) -> Grant {
    let folder = certs::folder().unwrap();
    let [certificate, key] = ["pem", "key"].map(|kind| folder.join(name).with_extension(kind));
    Grant::ClientAssertion {
        certificate: Certificate::read(&certificate, &key).unwrap(),
    }
}

fn by_refresh(token: &str) -> Grant {
    Grant::Refresh {
        secret: Some(secret(SECRET)),
        token: secret(token),
    }
}

fn settings(provider: &IdentityProvider, grant: Grant) -> Settings {
    Settings {
        authority: Authority::of(&provider.authority(), DIRECTORY).unwrap(),
        client_id: match grant {
            Grant::Password { .. } | Grant::SignedIn { .. } => NATIVE,
            Grant::ClientAssertion { .. } => CERTIFIED,
            Grant::ClientCredentials { .. } | Grant::Refresh { .. } => DAEMON,
        }
        .into(),
        scope: match grant {
            Grant::SignedIn { .. } => FOR_A_PERSON,
            _ => GRAPH,
        }
        .into(),
        grant,
        margin: Duration::from_secs(10),
        names: Names::Msal,
        limits: Limits {
            connect: LONG,
            answer: LONG,
        },
    }
}

fn google(provider: &IdentityProvider, token: &str) -> Settings {
    Settings {
        authority: Authority::of(&provider.google(), "").unwrap(),
        ..settings(provider, by_refresh(token))
    }
}

fn of_client(settings: Settings, client: &str) -> Settings {
    Settings {
        client_id: client.into(),
        ..settings
    }
}

fn elsewhere(settings: Settings, provider: &IdentityProvider) -> Settings {
    Settings {
        authority: Authority::of(&provider.authority(), "fabrikam.example").unwrap(),
        ..settings
    }
}

fn signing_in(settings: Settings, trace: Trace) -> SignIn {
    SignIn::new(settings, trace).unwrap()
}

/// Everything that is shown on the way; no secret may be in it.
#[derive(Default)]
struct Shown(Arc<Mutex<String>>);

impl Shown {
    fn trace(&self) -> Trace {
        let sink = Arc::clone(&self.0);
        Trace::to(move |line| {
            let mut shown = sink.lock().unwrap();
            *shown += line;
            *shown += "\n";
        })
    }

    fn word_for(&self, error: &Error) -> String {
        *self.0.lock().unwrap() += &format!("{error}\n{error:?}\n");
        match error {
            Error::Rejected { error, code, .. } => {
                let code = code.map_or_else(String::new, |code| format!(" AADSTS{code}"));
                format!("{error}{code}")
            }
            Error::Busy { status, .. } => format!("busy: {status}"),
            Error::NobodyCame { .. } => "nobody came".into(),
            Error::NotSignedIn { .. } => "nobody is signed in".into(),
            other => format!("{other}"),
        }
    }

    fn without(&self, secrets: &[String]) {
        harness::secrets::assert_hidden(&self.0.lock().unwrap(), secrets);
    }
}

/// A mail server asks the provider whose the token is.
fn is_good(provider: &IdentityProvider, token: &str) -> bool {
    let told = idp::introspect(provider.port, token);
    told.is_some_and(|told| told["username"] == USER)
}

/// A token by these settings, in a word for the table.
fn token(provider: &IdentityProvider, settings: Settings) -> String {
    let shown = Shown::default();
    let mut secrets = vec![PASSWORD.to_owned(), SECRET.to_owned()];
    if let Grant::Refresh { token, .. } = &settings.grant {
        secrets.push(token.expose().to_owned());
    }
    let source = TokenSource::new(settings, shown.trace());
    let outcome = match source.get() {
        Ok(token) => {
            let token = token.secret().expose().to_owned();
            assert!(is_good(provider, &token), "the provider knows the token");
            secrets.push(token);
            secrets.extend(provider.issued());
            "token".to_owned()
        }
        Err(error) => shown.word_for(&error),
    };
    shown.0.lock().unwrap().push_str(&format!("{source:?}"));
    shown.without(&secrets);
    outcome
}

/// A token that lives two seconds, and the next one when it is over.
fn two_tokens(provider: &IdentityProvider, settings: Settings) -> String {
    let source = TokenSource::new(settings, Trace::off());
    let first = source.get().unwrap().secret().expose().to_owned();
    while is_good(provider, &first) {
        thread::sleep(Duration::from_millis(50));
    }
    let second = source.get().unwrap();
    assert!(is_good(provider, second.secret().expose()));
    "replaced".to_owned()
}

/// How a person goes about it.
#[derive(Clone, Copy)]
enum Person {
    Signs,
    SaysNo,
    StaysAway,
}

fn in_browser(sign_in: &SignIn, person: Person) -> Result<Tokens, Error> {
    let attempt = sign_in.by_browser(false)?;
    let page = attempt.page().to_owned();
    let (user, limit) = match person {
        Person::Signs => (USER, LONG),
        Person::SaysNo => ("deny@example.com", LONG),
        Person::StaysAway => return attempt.finish(SHORT),
    };
    let browser = thread::spawn(move || IdentityProvider::open(&page, user));
    let tokens = attempt.finish(limit);
    let last_page = browser.join().unwrap();
    let told = if tokens.is_ok() {
        "signed in"
    } else {
        "Nobody"
    };
    assert!(last_page.contains(told), "{last_page}");
    tokens
}

fn on_device(sign_in: &SignIn, person: Person) -> Result<Tokens, Error> {
    let attempt = sign_in.by_device()?;
    let (page, code) = (attempt.address(), attempt.code());
    let device = match person {
        Person::StaysAway => return attempt.finish(),
        person => thread::spawn(move || {
            IdentityProvider::enter(&page, &code, matches!(person, Person::Signs))
        }),
    };
    let tokens = attempt.finish();
    device.join().unwrap();
    tokens
}

type Way = fn(&SignIn, Person) -> Result<Tokens, Error>;

/// Somebody signs in; then the account is used from its cache, as by a later run.
struct Account<'a> {
    provider: &'a IdentityProvider,
    folder: tempfile::TempDir,
}

impl<'a> Account<'a> {
    fn new(provider: &'a IdentityProvider) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { provider, folder }
    }

    fn at(&self, name: &str) -> Settings {
        let place = |name: &str| self.folder.path().join(name);
        let keeper = Keeper::at(place("secret.key"));
        let cache = Cache::at(place(name), keeper);
        settings(self.provider, Grant::SignedIn { cache })
    }

    fn settings(&self) -> Settings {
        self.at("msal.cache")
    }

    /// The caches so far, as they were.
    fn copy(&self, from: &str, to: &str) {
        let place = |name: &str| self.folder.path().join(name);
        std::fs::copy(place(from), place(to)).unwrap();
    }
}

/// What a sign-in comes to, and the tokens by it.
fn signed_in(account: &Account<'_>, settings: Settings, way: Way, person: Person) -> String {
    let shown = Shown::default();
    let sign_in = signing_in(settings, shown.trace());
    match way(&sign_in, person) {
        Ok(tokens) => {
            let (person, _) = sign_in.keep(&tokens).unwrap();
            assert_eq!(person.username, USER);
            let source = TokenSource::new(account.settings(), shown.trace());
            let token = source.get().unwrap().secret().expose().to_owned();
            assert!(is_good(account.provider, &token));
            shown.without(&[token]);
            "token".into()
        }
        Err(error) => shown.word_for(&error),
    }
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
