//! The sign-in by a code that is entered on another device (RFC 8628).

use std::time::Duration;

use oauth2::{DeviceAuthorizationUrl, StandardDeviceAuthorizationResponse};

use super::Error;
use super::request::{Desk, Refused, bad_address, scopes};
use super::tokens::{Answer, Tokens};
use crate::net::clean;
use crate::secret::Secret;

/// A code that is good for longer is not waited for.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// The authority is asked at least so often whether somebody has signed in.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A code that waits for somebody to enter it.
#[derive(Debug)]
pub struct ByDevice<'a> {
    desk: &'a Desk,
    details: StandardDeviceAuthorizationResponse,
}

impl<'a> ByDevice<'a> {
    pub(super) fn begin(desk: &'a Desk) -> Result<Self, Error> {
        let settings = &desk.settings;
        let address = settings
            .authority
            .device_endpoint()
            .ok_or(Error::NoSignIn)?;
        let endpoint =
            DeviceAuthorizationUrl::new(address.clone()).map_err(|_| bad_address(&address))?;
        let client = desk.oauth()?.set_device_authorization_url(endpoint);
        let details = desk.patiently(|| {
            let answer: Result<_, Refused<_>> = client
                .exchange_device_code()
                .add_scopes(scopes(&settings.scope))
                .request(&|request| desk.ask(request));
            answer.map_err(|error| desk.refusal(error, &[]))
        })?;
        Ok(Self { desk, details })
    }

    /// Where the code is entered.
    #[must_use]
    pub fn address(&self) -> String {
        clean(self.details.verification_uri().as_str(), 300)
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> String {
        clean(self.details.user_code().secret(), 40)
    }

    /// For how long it is good.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.details.expires_in().min(LONGEST)
    }

    /// Waits until somebody has signed in.
    ///
    /// # Errors
    /// Nobody did in time, the person said no, or the authority can't be asked.
    pub fn finish(self) -> Result<Tokens, Error> {
        let desk = self.desk;
        let client = desk.oauth()?;
        let answer: Result<Answer, Refused<_>> = client
            .exchange_device_access_token(&self.details)
            .add_extra_param("client_info", "1")
            .request(
                &|request| desk.ask(request),
                |pause| std::thread::sleep(pause.min(LONGEST_PAUSE)),
                Some(self.lifetime()),
            );
        let used = Secret::new(self.details.device_code().secret().clone());
        answer
            .map(|answer| Tokens::from(&answer))
            .map_err(|error| desk.refusal(error, &[used]))
    }
}
