//! The sign-in by a browser on this machine: an authorization code with proof of possession (RFC
//! 6749, section 4.1; RFC 7636; RFC 8252).

use std::time::Duration;

use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
};

use super::Error;
use super::listener::{Listener, Redirected};
use super::request::{Desk, Refused, TokenClient, bad_address, scopes};
use super::tokens::{Answer, Tokens};
use crate::secret::Secret;

/// A sign-in that waits for a browser.
pub struct ByBrowser<'a> {
    desk: &'a Desk,
    client: TokenClient,
    listener: Listener,
    page: String,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
}

impl std::fmt::Debug for ByBrowser<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ByBrowser({:?})", self.listener)
    }
}

impl<'a> ByBrowser<'a> {
    pub(super) fn begin(desk: &'a Desk, consent: bool) -> Result<Self, Error> {
        let settings = &desk.settings;
        let address = settings.authority.sign_in_page().ok_or(Error::NoSignIn)?;
        let page = AuthUrl::new(address.clone()).map_err(|_| bad_address(&address))?;
        let listener = Listener::open().map_err(unheard)?;
        // Microsoft ignores the port of http://localhost, not that of another loopback name.
        let redirect = format!("http://localhost:{}", listener.port());
        let redirect = RedirectUrl::new(redirect.clone()).map_err(|_| bad_address(&redirect))?;
        let client = desk.oauth()?.set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        // Another account than the browser's usual one may be wanted.
        let prompt = if consent { "consent" } else { "select_account" };
        let (page, state) = client
            .clone()
            .set_auth_uri(page)
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes(&settings.scope))
            .set_pkce_challenge(challenge)
            .add_extra_param("prompt", prompt)
            .url();
        Ok(Self {
            desk,
            client,
            listener,
            page: page.to_string(),
            state,
            verifier,
        })
    }

    /// The page to open. There is no secret in its address.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.page
    }

    /// Waits for the browser to come back, and trades what it brings for tokens.
    ///
    /// # Errors
    /// Nobody came in time, the person said no, or the authority refuses or can't be asked.
    pub fn finish(self, limit: Duration) -> Result<Tokens, Error> {
        let Self {
            desk,
            client,
            listener,
            state,
            verifier,
            ..
        } = self;
        match listener.wait(state.secret(), limit).map_err(unheard)? {
            None => Err(Error::NobodyCame {
                after: limit,
                advice: desk
                    .settings
                    .names
                    .fill("{sign in}, with --deviceCode where no browser has opened"),
            }),
            Some(Redirected::Refused { error, description }) => {
                Err(desk.rejected(&error, &description, &[]))
            }
            Some(Redirected::Code(code)) => {
                let verifier = Secret::new(verifier.secret().clone());
                desk.patiently(|| redeem(desk, &client, &code, &verifier))
            }
        }
    }
}

fn redeem(
    desk: &Desk,
    client: &TokenClient,
    code: &Secret,
    verifier: &Secret,
) -> Result<Tokens, Error> {
    let answer: Result<Answer, Refused<_>> = client
        .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
        .add_extra_param("client_info", "1")
        .request(&|request| desk.ask(request));
    answer
        .map(|answer| Tokens::from(&answer))
        .map_err(|error| desk.refusal(error, &[code.clone(), verifier.clone()]))
}

fn unheard(cause: std::io::Error) -> Error {
    Error::Listener {
        cause: cause.to_string(),
    }
}
