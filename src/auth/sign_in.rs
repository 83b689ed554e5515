//! A person signs in, once, so that jobs can go on without anybody.
//!
//! By a browser on this machine ([`ByBrowser`]), or by a code that is entered on any other device
//! ([`ByDevice`]); both end with [`Tokens`], which [`SignIn::keep`] stores.

use std::path::{Path, PathBuf};

use super::account::{self, SignedIn, missing};
use super::request::Desk;
use super::{ByBrowser, ByDevice, Cache, Error, Settings, Tokens};
use crate::net::Trace;

/// Signs in to an application.
#[derive(Debug)]
pub struct SignIn {
    desk: Desk,
    cache: Cache,
}

impl SignIn {
    /// Nothing is asked yet. `None`: the settings have a grant that needs no person.
    #[must_use]
    pub fn new(settings: Settings, trace: Trace) -> Option<Self> {
        let cache = settings.grant.cache()?.clone();
        let desk = Desk::new(settings, trace);
        Some(Self { desk, cache })
    }

    /// Where the account is kept.
    #[must_use]
    pub fn place(&self) -> &Path {
        self.cache.path()
    }

    /// Gets ready for a browser on this machine. With `consent`, the application's permissions
    /// are put before the person even if they were granted earlier.
    ///
    /// # Errors
    /// The authority has no sign-in, or this machine can't be listened on.
    pub fn by_browser(&self, consent: bool) -> Result<ByBrowser<'_>, Error> {
        ByBrowser::begin(&self.desk, consent)
    }

    /// Asks for a code that is entered on another device.
    ///
    /// # Errors
    /// The authority refuses or can't be asked.
    pub fn by_device(&self) -> Result<ByDevice<'_>, Error> {
        ByDevice::begin(&self.desk)
    }

    /// Who signed in.
    ///
    /// # Errors
    /// The answer did not tell it.
    pub fn person(&self, tokens: &Tokens) -> Result<SignedIn, Error> {
        account::person(&self.desk, tokens)
    }

    /// Stores the account in place of any other. Gives the name under which an unreadable cache
    /// was set aside.
    ///
    /// # Errors
    /// There is nothing to go on with, or the cache can't be written.
    pub fn keep(&self, tokens: &Tokens) -> Result<(SignedIn, Option<PathBuf>), Error> {
        account::keep(&self.desk, &self.cache, tokens)
    }

    /// What was asked for and not granted.
    #[must_use]
    pub fn missing(&self, account: &SignedIn) -> Vec<String> {
        missing(&account.scope, &self.desk.settings.scope)
    }

    /// Refreshes the stored account, without anybody.
    ///
    /// # Errors
    /// Nobody is signed in, the authority refuses, or the cache can't be written.
    pub fn renew(&self) -> Result<SignedIn, Error> {
        account::renew(&self.desk, &self.cache)
    }
}
