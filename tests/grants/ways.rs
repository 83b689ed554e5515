//! The ways to a token, each from its settings to what comes of it.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use smartemail::auth::{
    Authority, Cache, Certificate, Error, Grant, Names, Settings, SignIn, TokenSource, Tokens,
};
use smartemail::net::Trace;
use smartemail::net::http::Limits;
use smartemail::secret::{Keeper, Secret};

use crate::harness::idp::{self, CERTIFIED, DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
use crate::harness::{self, IdentityProvider, certs};

/// What an application asks for.
pub const GRAPH: &str = "https://graph.microsoft.com/.default";
const FOR_A_PERSON: &str =
    "https://graph.microsoft.com/Mail.ReadWrite offline_access openid profile";
/// For so long somebody is waited for who never comes.
const SHORT: Duration = Duration::from_millis(300);
/// Nobody who comes takes longer.
pub const LONG: Duration = Duration::from_secs(30);

fn secret(text: &str) -> Secret {
    Secret::new(text.into())
}

/// A user and the password.
pub fn by_password(user: &str, password: &str) -> Grant {
    Grant::Password {
        user: user.into(),
        password: secret(password),
    }
}

/// The application's secret.
pub fn by_secret(text: &str) -> Grant {
    Grant::ClientCredentials {
        secret: secret(text),
    }
}

/// The application's certificate, of this name.
pub fn by_certificate(name: &str) -> Grant {
    let folder = certs::folder().unwrap();
    let [certificate, key] = ["pem", "key"].map(|kind| folder.join(name).with_extension(kind));
    Grant::ClientAssertion {
        certificate: Certificate::read(&certificate, &key).unwrap(),
    }
}

/// A refresh token of the settings.
pub fn by_refresh(token: &str) -> Grant {
    Grant::Refresh {
        secret: Some(secret(SECRET)),
        token: secret(token),
    }
}

/// What a grant is used with.
pub fn settings(provider: &IdentityProvider, grant: Grant) -> Settings {
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

/// The same where Google gives the tokens.
pub fn google(provider: &IdentityProvider, token: &str) -> Settings {
    Settings {
        authority: Authority::of(&provider.google(), "").unwrap(),
        ..settings(provider, by_refresh(token))
    }
}

/// The same for another application.
pub fn of_client(settings: Settings, client: &str) -> Settings {
    Settings {
        client_id: client.into(),
        ..settings
    }
}

/// The same in a directory that nobody knows.
pub fn elsewhere(settings: Settings, provider: &IdentityProvider) -> Settings {
    Settings {
        authority: Authority::of(&provider.authority(), "fabrikam.example").unwrap(),
        ..settings
    }
}

/// A sign-in by these settings.
pub fn signing_in(settings: Settings, trace: Trace) -> SignIn {
    SignIn::new(settings, trace).unwrap()
}

/// Everything that is shown on the way; no secret may be in it.
#[derive(Default)]
pub struct Shown(Arc<Mutex<String>>);

impl Shown {
    /// Takes in what is shown.
    pub fn trace(&self) -> Trace {
        let sink = Arc::clone(&self.0);
        Trace::to(move |line| {
            let mut shown = sink.lock().unwrap();
            *shown += line;
            *shown += "\n";
        })
    }

    /// An error in a word for the table.
    pub fn word_for(&self, error: &Error) -> String {
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

    /// Holds that none of these was shown.
    pub fn without(&self, secrets: &[String]) {
        harness::secrets::assert_hidden(&self.0.lock().unwrap(), secrets);
    }
}

/// A mail server asks the provider whose the token is.
pub fn is_good(provider: &IdentityProvider, token: &str) -> bool {
    let told = idp::introspect(provider.port, token);
    told.is_some_and(|told| told["username"] == USER)
}

/// A token by these settings, in a word for the table.
pub fn token(provider: &IdentityProvider, settings: Settings) -> String {
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
pub fn two_tokens(provider: &IdentityProvider, settings: Settings) -> String {
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
pub enum Person {
    /// And is let in.
    Signs,
    /// On the page that asks.
    SaysNo,
    /// For longer than anybody waits.
    StaysAway,
}

/// Signs in in a browser on this machine.
pub fn in_browser(sign_in: &SignIn, person: Person) -> Result<Tokens, Error> {
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

/// Signs in on another device.
pub fn on_device(sign_in: &SignIn, person: Person) -> Result<Tokens, Error> {
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

/// One of the two.
pub type Way = fn(&SignIn, Person) -> Result<Tokens, Error>;

/// Somebody signs in; then the account is used from its cache, as by a later run.
pub struct Account<'a> {
    provider: &'a IdentityProvider,
    folder: tempfile::TempDir,
}

impl<'a> Account<'a> {
    /// Nobody has signed in.
    pub fn new(provider: &'a IdentityProvider) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { provider, folder }
    }

    /// Its settings with the cache of this name.
    pub fn at(&self, name: &str) -> Settings {
        let place = |name: &str| self.folder.path().join(name);
        let keeper = Keeper::at(place("secret.key"));
        let cache = Cache::at(place(name), keeper);
        settings(self.provider, Grant::SignedIn { cache })
    }

    /// Its settings.
    pub fn settings(&self) -> Settings {
        self.at("msal.cache")
    }

    /// The caches so far, as they were.
    pub fn copy(&self, from: &str, to: &str) {
        let place = |name: &str| self.folder.path().join(name);
        std::fs::copy(place(from), place(to)).unwrap();
    }
}

/// What a sign-in comes to, and the tokens by it.
pub fn signed_in(account: &Account<'_>, settings: Settings, way: Way, person: Person) -> String {
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
