//! OAuth 2.0: how the program gets the access tokens that mail services take in place of a
//! password (RFC 6749).
//!
//! A [`TokenSource`] knows one account's [`Grant`] and asks the token endpoint when a token is
//! needed, not more often than it has to. It is shared by all connections of a run. What
//! outlives the run is the account that a person signed in with ([`SignIn`]), in its [`Cache`].

mod account;
mod advice;
mod assertion;
mod authority;
pub mod browser;
mod cache;
mod code;
mod device;
mod discovery;
mod error;
mod listener;
mod names;
mod request;
mod sign_in;
mod tokens;
mod unified;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use account::{SignedIn, missing};
pub use assertion::{Certificate, CertificateError};
pub use authority::{Authority, AuthorityError};
pub use cache::Cache;
pub use code::ByBrowser;
pub use device::ByDevice;
pub use error::Error;
pub use names::Names;
pub use sign_in::SignIn;
pub use tokens::{Person, Tokens};

use oauth2::url::form_urlencoded::byte_serialize;

use crate::net::Trace;
use crate::net::http::Limits;
use crate::secret::Secret;
use request::Desk;

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
    /// How messages name these settings.
    pub names: Names,
}

impl Settings {
    /// Nobody is signed in: the tokens are the application's own.
    #[must_use]
    pub fn acts_for_itself(&self) -> bool {
        match self.grant {
            Grant::ClientCredentials { .. } | Grant::ClientAssertion { .. } => true,
            Grant::Password { .. } | Grant::Refresh { .. } | Grant::SignedIn { .. } => false,
        }
    }
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
    /// The same by a certificate in place of the secret (RFC 7523, section 2.2).
    ClientAssertion {
        /// The application's certificate.
        certificate: Certificate,
    },
    /// A refresh token that somebody obtained by signing in (section 6).
    Refresh {
        /// The application's secret; Google gives one to every application.
        secret: Option<Secret>,
        /// The refresh token.
        token: Secret,
    },
    /// What a person's sign-in left in the cache (section 6). It is changed with every refresh.
    SignedIn {
        /// Where the account is kept.
        cache: Cache,
    },
}

/// A token and how long it is good for.
#[derive(Clone, Debug)]
pub struct AccessToken {
    secret: Secret,
    expires: Instant,
    scope: Option<String>,
    /// Which of the source's tokens it is.
    serial: u64,
}

/// A token whose end nobody knows is taken for good so long.
const UNKNOWN_END: Duration = Duration::from_secs(3600);

impl AccessToken {
    /// A token that somebody else had given.
    #[must_use]
    pub fn given(secret: Secret) -> Self {
        Self {
            secret,
            expires: Instant::now() + UNKNOWN_END,
            scope: None,
            serial: 0,
        }
    }

    /// The token itself, as `Authorization: Bearer` and XOAUTH2 carry it.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The message of the mechanism XOAUTH2, not yet in base64
    /// (developers.google.com/gmail/imap/xoauth2-protocol).
    #[must_use]
    pub fn xoauth2(&self, user: &str) -> Secret {
        let token = self.secret.expose();
        Secret::new(format!("user={user}\u{1}auth=Bearer {token}\u{1}\u{1}"))
    }

    /// When the server stops taking it.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// What it is good for, separated by blanks: as the authority says, else what stands in the
    /// token itself (`roles` of an application). Tokens are for those who take them, and their
    /// form may change: this is for people and decides nothing.
    #[must_use]
    pub fn permissions(&self) -> Option<String> {
        let told = self.scope.clone();
        told.or_else(|| tokens::roles(self.secret.expose()))
    }
}

/// Gives tokens of one account; copies of it share them.
#[derive(Clone, Debug)]
pub struct TokenSource(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    desk: Desk,
    /// Whose tokens they are, where somebody has signed in.
    holder: Result<Option<Person>, Error>,
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
    /// A source that has not asked for anything yet. It is for the account that is signed in now,
    /// and stays so whoever signs in later.
    #[must_use]
    pub fn new(settings: Settings, trace: Trace) -> Self {
        let desk = Desk::new(settings, trace);
        let cache = desk.settings.grant.cache();
        let holder = cache.map(|cache| account::holder(&desk, cache)).transpose();
        Self(Arc::new(Shared {
            desk,
            holder,
            state: Mutex::default(),
        }))
    }

    /// Whose tokens they are; `None` where nobody signs in.
    ///
    /// # Errors
    /// Nobody was signed in when the source was made, or it could not be seen who.
    pub fn holder(&self) -> Result<Option<&Person>, Error> {
        self.0
            .holder
            .as_ref()
            .map(Option::as_ref)
            .map_err(Error::clone)
    }

    /// A token that is good for longer than the margin. Of several callers at the same time one
    /// asks and all get what it got.
    ///
    /// # Errors
    /// The token endpoint refuses or can't be asked. A refusal stands for the rest of the run:
    /// a wrong password that is tried for every mail locks the account.
    pub fn get(&self) -> Result<AccessToken, Error> {
        let margin = self.0.desk.settings.margin;
        self.token(|token| token.expires.saturating_duration_since(Instant::now()) > margin)
    }

    /// Another token than this one, which a server refused although it should still be good. It
    /// is not asked for when somebody else had it renewed meanwhile.
    ///
    /// # Errors
    /// As for [`TokenSource::get`].
    pub fn renew(&self, refused: &AccessToken) -> Result<AccessToken, Error> {
        self.token(|token| token.serial != refused.serial)
    }

    /// Asks whether the authority is there and knows the directory.
    ///
    /// # Errors
    /// It does not, or can't be asked.
    pub fn meet_authority(&self) -> Result<(), Error> {
        discovery::meet(&self.0.desk)
    }

    /// Who gives the tokens.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.0.desk.settings.authority
    }

    /// What tokens are asked for, separated by blanks.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.0.desk.settings.scope
    }

    /// A server's text without the secrets that it may quote: tokens and what entitles to them.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        let state = self.state();
        let token = state.token.as_ref().map(AccessToken::secret);
        let held = token.into_iter().chain(&state.rotated);
        masked(text, held.chain(self.0.desk.settings.grant.secrets()))
    }

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
        match self.0.fresh(&mut state) {
            Ok(fresh) => {
                state.issued += 1;
                let token = AccessToken {
                    secret: fresh.token,
                    expires: asked + fresh.lifetime,
                    scope: fresh.scope,
                    serial: state.issued,
                };
                state.token = Some(token.clone());
                state.failed = None;
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
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token that was got just now.
struct Fresh {
    token: Secret,
    lifetime: Duration,
    scope: Option<String>,
}

impl From<account::Kept> for Fresh {
    fn from(kept: account::Kept) -> Self {
        Self {
            token: kept.token,
            lifetime: kept.lifetime,
            scope: Some(kept.scope),
        }
    }
}

impl Shared {
    fn fresh(&self, state: &mut State) -> Result<Fresh, Error> {
        let holder = self.holder.as_ref().map_err(Error::clone)?;
        match (self.desk.settings.grant.cache(), holder) {
            (Some(cache), Some(holder)) => {
                let last = state.token.as_ref().map(AccessToken::secret);
                account::token(&self.desk, cache, holder, last).map(Fresh::from)
            }
            _ => self.ask(&mut state.rotated),
        }
    }

    /// Asks the token endpoint, and notes the refresh token that it gives in place of the one
    /// that was used.
    fn ask(&self, rotated: &mut Option<Secret>) -> Result<Fresh, Error> {
        let tokens = self.desk.request(rotated.as_ref())?;
        if let Grant::Refresh { token, .. } = &self.desk.settings.grant
            && let Some(new) = tokens.refresh
            && rotated.as_ref().unwrap_or(token) != &new
        {
            self.desk
                .trace(|| "a new refresh token came in place of the old one".to_owned());
            *rotated = Some(new);
        }
        Ok(Fresh {
            token: tokens.access,
            lifetime: tokens.lifetime,
            scope: tokens.scope,
        })
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

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::*;

    /// Microsoft's own example
    /// (learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
    #[test]
    fn the_message_of_xoauth2_is_microsofts() {
        let token = AccessToken {
            secret: Secret::new("EwBAAl3BAAUFFpUAo7J3Ve0bjLBWZWCclRC3EoAA".into()),
            expires: Instant::now(),
            scope: None,
            serial: 1,
        };
        let message = token.xoauth2("test@contoso.onmicrosoft.com");
        assert_eq!(
            BASE64.encode(message.expose().as_bytes()),
            "dXNlcj10ZXN0QGNvbnRvc28ub25taWNyb3NvZnQuY29tAWF1dGg9QmVhcmVyIEV3QkFBbDNCQUFVRkZwVUFvN0ozVmUwYmpMQldaV0Nj\
             bFJDM0VvQUEBAQ=="
        );
    }
}
