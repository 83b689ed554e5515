//! OAuth 2.0: how the program gets the access tokens that mail services take in place of a
//! password (RFC 6749).
//!
//! A [`TokenSource`] knows one account's [`Grant`] and asks the token endpoint when a token is
//! needed, not more often than it has to. It is shared by all connections of a run; nothing of
//! it outlives the run.

mod advice;
mod authority;
mod error;
mod request;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use authority::{Authority, AuthorityError};
pub use error::Error;
use oauth2::url::form_urlencoded::byte_serialize;

use crate::net::Trace;
use crate::net::http::{Client, Limits};
use crate::secret::Secret;

/// What a token is asked for with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who issues tokens.
    pub authority: Authority,
    /// The application's ID (`client-id`).
    pub client_id: String,
    /// What entitles to a token.
    pub grant: Grant,
    /// What the token is to be good for, several separated by blanks (`scope`); Google's tokens
    /// carry the scope of their refresh token.
    pub scope: String,
    /// A token is renewed so long before it expires (`token-expiry-margin-time`).
    pub margin: Duration,
    /// Time limits of a request.
    pub limits: Limits,
}

/// What entitles to a token.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A user's name and password (RFC 6749, section 4.3). Microsoft: without a second factor.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// The application's own secret (section 4.4): the token is the application's, not a user's.
    ClientCredentials {
        /// The application's secret.
        secret: Secret,
    },
    /// A refresh token that somebody obtained by signing in (section 6).
    Refresh {
        /// The application's secret; Google gives one to every application.
        secret: Option<Secret>,
        /// The refresh token.
        token: Secret,
    },
}

/// A token and how long it is good for.
#[derive(Clone, Debug)]
pub struct AccessToken {
    secret: Secret,
    expires: Instant,
    /// Which of the source's tokens it is.
    serial: u64,
}

impl AccessToken {
    /// The token itself, as `Authorization: Bearer` and XOAUTH2 carry it.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// When the server stops taking it.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }
}

/// Gives tokens of one account; copies of it share them.
#[derive(Clone, Debug)]
pub struct TokenSource(Source);

#[derive(Clone, Debug)]
enum Source {
    Endpoint(Arc<Shared>),
    /// Somebody else had it given, and sees to it that it is good.
    Given(AccessToken),
}

/// A token whose end nobody knows is taken for good so long.
const UNKNOWN_END: Duration = Duration::from_secs(3600);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    client: Client,
    trace: Trace,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<AccessToken>,
    issued: u64,
    /// The refresh token that took the place of the one in the settings.
    rotated: Option<Secret>,
    /// How the last attempt failed, and when it ended.
    failed: Option<(Instant, Error)>,
}

impl TokenSource {
    /// A source that has not asked for anything yet.
    #[must_use]
    pub fn new(settings: Settings, trace: Trace) -> Self {
        Self(Source::Endpoint(Arc::new(Shared {
            client: Client::new(settings.limits, trace.clone()),
            settings,
            trace,
            state: Mutex::default(),
        })))
    }

    /// A source of one token, which somebody else had given.
    #[must_use]
    pub fn given(secret: Secret) -> Self {
        Self(Source::Given(AccessToken {
            secret,
            expires: Instant::now() + UNKNOWN_END,
            serial: 1,
        }))
    }

    /// Whether another token can be had when a server refuses this one.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        match self.0 {
            Source::Endpoint(_) => true,
            Source::Given(_) => false,
        }
    }

    /// A token that is good for longer than the margin. Of several callers at the same time one
    /// asks and all get what it got.
    ///
    /// # Errors
    /// The token endpoint refuses or can't be asked. A refusal stands for the rest of the run:
    /// a wrong password that is tried for every mail locks the account.
    pub fn get(&self) -> Result<AccessToken, Error> {
        match &self.0 {
            Source::Endpoint(shared) => shared.token(|token| {
                let left = token.expires.saturating_duration_since(Instant::now());
                left > shared.settings.margin
            }),
            Source::Given(token) => Ok(token.clone()),
        }
    }

    /// Another token than this one, which a server refused although it should still be good. It
    /// is not asked for when somebody else had it renewed meanwhile. It is the same one where
    /// [`TokenSource::is_renewable`] says no.
    ///
    /// # Errors
    /// As for [`TokenSource::get`].
    pub fn renew(&self, refused: &AccessToken) -> Result<AccessToken, Error> {
        match &self.0 {
            Source::Endpoint(shared) => shared.token(|token| token.serial != refused.serial),
            Source::Given(token) => Ok(token.clone()),
        }
    }

    /// A server's text without the secrets that it may quote: tokens and what entitles to them.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        let shared = match &self.0 {
            Source::Endpoint(shared) => shared,
            Source::Given(token) => return masked(text, std::iter::once(token.secret())),
        };
        let state = shared.state();
        let token = state.token.as_ref().map(AccessToken::secret);
        let held = token.into_iter().chain(&state.rotated);
        masked(text, held.chain(shared.settings.grant.secrets()))
    }
}

impl Shared {
    fn token(&self, is_good: impl Fn(&AccessToken) -> bool) -> Result<AccessToken, Error> {
        let asked = Instant::now();
        let mut state = self.state();
        if let Some(token) = state.token.as_ref().filter(|token| is_good(token)) {
            return Ok(token.clone());
        }
        if let Some((when, error)) = &state.failed
            && (*when >= asked || !error.is_transient())
        {
            return Err(error.clone());
        }
        match self.request(state.rotated.as_ref()) {
            Ok(granted) => {
                state.issued += 1;
                let token = AccessToken {
                    secret: granted.token,
                    expires: asked + granted.lifetime,
                    serial: state.issued,
                };
                state.token = Some(token.clone());
                state.failed = None;
                if granted.rotated.is_some() {
                    state.rotated = granted.rotated;
                }
                Ok(token)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text with stars for each of the secrets, as they are and as a form has them.
pub(crate) fn masked<'a>(text: &str, secrets: impl Iterator<Item = &'a Secret>) -> String {
    secrets.fold(text.to_owned(), |text, secret| {
        let secret = secret.expose();
        if secret.is_empty() {
            return text;
        }
        let coded: String = byte_serialize(secret.as_bytes()).collect();
        text.replace(secret, "***").replace(&coded, "***")
    })
}
