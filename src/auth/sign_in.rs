//! A person signs in, once, so that jobs can go on without anybody.
//!
//! By a browser on this machine ([`ByBrowser`]), or by a code that is entered on any other device
//! ([`ByDevice`]); both end with [`Tokens`], which [`SignIn::keep`] stores.

use std::path::PathBuf;

use super::account::{self, SignedIn, missing};
use super::request::Desk;
use super::{ByBrowser, ByDevice, Error, Settings, Tokens};
use crate::net::Trace;

/// Signs in to an application.
#[derive(Debug)]
pub struct SignIn(Desk);

impl SignIn {
    /// Nothing is asked yet. The grant of the settings is that of a signed-in account.
    #[must_use]
    pub fn new(settings: Settings, trace: Trace) -> Self {
        Self(Desk::new(settings, trace))
    }

    /// Gets ready for a browser on this machine. With `consent`, the application's permissions
    /// are put before the person even if they were granted earlier.
    ///
    /// # Errors
    /// The authority has no sign-in, or this machine can't be listened on.
    pub fn by_browser(&self, consent: bool) -> Result<ByBrowser<'_>, Error> {
        ByBrowser::begin(&self.0, consent)
    }

    /// Asks for a code that is entered on another device.
    ///
    /// # Errors
    /// The authority refuses or can't be asked.
    pub fn by_device(&self) -> Result<ByDevice<'_>, Error> {
        ByDevice::begin(&self.0)
    }

    /// Who signed in.
    ///
    /// # Errors
    /// The answer did not tell it.
    pub fn person(&self, tokens: &Tokens) -> Result<SignedIn, Error> {
        account::person(&self.0, tokens)
    }

    /// Stores the account in place of any other. Gives the name under which an unreadable cache
    /// was set aside.
    ///
    /// # Errors
    /// There is nothing to go on with, or the cache can't be written.
    pub fn keep(&self, tokens: &Tokens) -> Result<(SignedIn, Option<PathBuf>), Error> {
        let cache = self.0.settings.grant.cache();
        let cache = cache.ok_or_else(|| self.0.not_signed_in("no account is asked for"))?;
        account::keep(&self.0, cache, tokens)
    }

    /// What was asked for and not granted.
    #[must_use]
    pub fn missing(&self, account: &SignedIn) -> Vec<String> {
        missing(&account.scope, &self.0.settings.scope)
    }

    /// Refreshes the stored account, without anybody.
    ///
    /// # Errors
    /// Nobody is signed in, the authority refuses, or the cache can't be written.
    pub fn renew(&self) -> Result<SignedIn, Error> {
        let cache = self.0.settings.grant.cache();
        let cache = cache.ok_or_else(|| self.0.not_signed_in("no account is asked for"))?;
        account::renew(&self.0, cache)
    }
}
