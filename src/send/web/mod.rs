//! What Graph and EWS have in common: requests that carry credentials, pauses that a busy service
//! asks for, and refusals with a code.
//!
//! A request is repeated only when the service has answered that it did not act on it: after a
//! refused token (once, with a new one) and after the pause of a 429 or 503.

mod error;
mod refusal;

use data_encoding::BASE64;

pub use error::Error;
pub use refusal::{Kind, Refusal};

use super::Checked;
use crate::auth::{AccessToken, TokenSource};
use crate::clock;
use crate::net::http::{
    Client, Limits, Method, Patience, Request, Response, StatusCode, header, retry_after,
};
use crate::net::{Trace, clean};
use crate::secret::Secret;

/// As whom a service is spoken to.
#[derive(Clone, Debug)]
pub enum Login {
    /// A user with a password (RFC 7617).
    Basic {
        /// The user, with the domain where the server wants one.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Token(TokenSource),
}

/// What a request is good for, which decides what its loss means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The mail goes out by it.
    Sends,
    /// It comes before that: without what follows nobody gets anything.
    Prepares,
}

/// A request to a service.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) address: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: &'a [u8],
    pub(super) purpose: Purpose,
}

/// Makes requests as somebody.
#[derive(Debug)]
pub(super) struct Caller {
    client: Client,
    login: Login,
}

impl Caller {
    pub(super) fn new(login: Login, limits: Limits, trace: Trace) -> Self {
        Self {
            client: Client::new(limits, trace),
            login,
        }
    }

    /// Has a token given, where one is needed.
    pub(super) fn check(&self) -> Result<Checked, Error> {
        let (_, token) = self.authorization(None)?;
        Ok(token.map_or(Checked::Nothing, |_| Checked::Token))
    }

    /// The pauses that one mail may take.
    pub(super) fn patience(&self) -> Patience {
        Patience::of(self.client.limits().answer)
    }

    /// An answer of any status but those that ask for patience, as long as there is some.
    pub(super) fn call(
        &self,
        call: &Call<'_>,
        patience: &mut Patience,
    ) -> Result<Response<Vec<u8>>, Error> {
        let mut refused: Option<AccessToken> = None;
        loop {
            let (authorization, token) = self.authorization(refused.as_ref())?;
            let answer = self.once(call, Some(authorization))?;
            match (answer.status(), token) {
                (StatusCode::UNAUTHORIZED, Some(token)) if refused.is_none() => {
                    refused = Some(token);
                }
                (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _)
                    if patience.wait(retry_after(&answer, clock::now())) => {}
                _ => return Ok(answer),
            }
        }
    }

    /// The same to an address that has its permission in itself, so that no credentials go there.
    pub(super) fn call_without_login(
        &self,
        call: &Call<'_>,
        patience: &mut Patience,
    ) -> Result<Response<Vec<u8>>, Error> {
        loop {
            let answer = self.once(call, None)?;
            match answer.status() {
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                    if patience.wait(retry_after(&answer, clock::now())) => {}
                _ => return Ok(answer),
            }
        }
    }

    fn once(
        &self,
        call: &Call<'_>,
        authorization: Option<header::HeaderValue>,
    ) -> Result<Response<Vec<u8>>, Error> {
        let bad = || Error::BadRequest {
            address: clean(call.address.split('?').next().unwrap_or_default(), 300),
        };
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.address);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let mut request = request.body(call.body).map_err(|_| bad())?;
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.client
            .send(request)
            .map_err(|cause| Error::Unanswered {
                arrived: call.purpose == Purpose::Sends && cause.may_have_arrived(),
                cause,
            })
    }

    fn authorization(
        &self,
        refused: Option<&AccessToken>,
    ) -> Result<(header::HeaderValue, Option<AccessToken>), Error> {
        let (text, token) = match &self.login {
            Login::Basic { user, password } => {
                let pair = Secret::new(format!("{user}:{}", password.expose()));
                let coded = BASE64.encode(pair.expose().as_bytes());
                (Secret::new(format!("Basic {coded}")), None)
            }
            Login::Token(source) => {
                let token = match refused {
                    Some(refused) => source.renew(refused),
                    None => source.get(),
                }?;
                let text = format!("Bearer {}", token.secret().expose());
                (Secret::new(text), Some(token))
            }
        };
        // Only a token can hold what no header may.
        let mut value =
            header::HeaderValue::from_str(text.expose()).map_err(|_| Error::UnusableToken)?;
        value.set_sensitive(true);
        Ok((value, token))
    }
}
