//! What Graph and EWS have in common: requests that carry credentials, pauses that a busy service
//! asks for, and refusals with a code.
//!
//! A request is repeated only when the service has answered that it did not act on it: after a
//! refused token (once, with a new one) and after the pause of a 429, or of a 503 that asks for one.
//! A log-in that was refused is not tried again: more attempts would lock the account.

mod error;
mod refusal;

use std::fmt;
use std::iter;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use data_encoding::BASE64;

pub use error::Error;
pub use refusal::{Code, Kind, Refusal};

use super::{Checked, Delivery, Mail, Receipt};
use crate::auth::{self, AccessToken, TokenSource};
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

impl Login {
    /// A server's text without the secrets that it may quote.
    fn masked(&self, text: &str) -> String {
        match self {
            Self::Basic { user, password } => {
                let text = auth::masked(text, iter::once(password));
                auth::masked(&text, iter::once(&pair(user, password)))
            }
            Self::Token(source) => source.masked(text),
        }
    }
}

/// User and password as `Authorization: Basic` has them.
fn pair(user: &str, password: &Secret) -> Secret {
    let plain = Secret::new(format!("{user}:{}", password.expose()));
    Secret::new(BASE64.encode(plain.expose().as_bytes()))
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
pub(super) struct Caller {
    client: Client,
    login: Login,
    /// Host and port.
    server: String,
    /// What is left of it, for all mails together.
    patience: Mutex<Patience>,
    /// How the log-in was refused; that stands.
    refused: OnceLock<Response<Vec<u8>>>,
}

impl fmt::Debug for Caller {
    /// Without answers: they may quote the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("server", &self.server)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// Speaks to the service at this address.
    pub(super) fn new(address: &str, login: Login, limits: Limits, trace: Trace) -> Self {
        let host = address.split('/').nth(2).unwrap_or(address);
        Self {
            client: Client::new(limits, trace),
            login,
            server: clean(host, 200),
            patience: Mutex::new(Patience::of(limits.answer)),
            refused: OnceLock::new(),
        }
    }

    /// Has a token given, where one is needed.
    pub(super) fn check(&self) -> Result<Checked, Error> {
        let (_, token) = self.authorization(None)?;
        Ok(token.map_or(Checked::Nothing, |_| Checked::Token))
    }

    /// The pauses that one mail may take: however many there are, together they wait no longer
    /// than for one answer.
    pub(super) fn patience(&self) -> MutexGuard<'_, Patience> {
        let mut patience = self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        patience.renew();
        patience
    }

    /// An answer of any status but those that ask for patience, as long as there is some.
    pub(super) fn call(
        &self,
        call: &Call<'_>,
        patience: &mut Patience,
    ) -> Result<Response<Vec<u8>>, Error> {
        if let Some(answer) = self.refused.get() {
            return Ok(answer.clone());
        }
        let mut refused: Option<AccessToken> = None;
        loop {
            let (authorization, token) = self.authorization(refused.as_ref())?;
            let answer = self.once(call, Some(authorization))?;
            match (answer.status(), token) {
                (StatusCode::UNAUTHORIZED, Some(token)) if refused.is_none() => {
                    refused = Some(token);
                }
                (StatusCode::UNAUTHORIZED, _) => {
                    return Ok(self.refused.get_or_init(|| answer).clone());
                }
                _ if is_untouched(&answer) && patience.wait(pause_of(&answer)) => {}
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
            if !(is_untouched(&answer) && patience.wait(pause_of(&answer))) {
                return Ok(answer);
            }
        }
    }

    /// A refusal by the service, with its code and its words.
    pub(super) fn refusal(
        &self,
        answer: &Response<Vec<u8>>,
        code: &str,
        message: &str,
        purpose: Purpose,
    ) -> Refusal {
        let id = answer.headers().get("request-id");
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let [code, message, id] = [code, message, id].map(|text| self.login.masked(text));
        Refusal {
            request_id: clean(&id, 80),
            ..Refusal::of(&self.server, answer, &code, &message, purpose)
        }
    }

    /// An answer that is not that of such a service.
    pub(super) fn malformed(&self, cause: &str, purpose: Purpose) -> Error {
        Error::Malformed {
            server: self.server.clone(),
            cause: clean(cause, 200),
            arrived: purpose == Purpose::Sends,
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
                let coded = pair(user, password);
                (Secret::new(format!("Basic {}", coded.expose())), None)
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

/// Whether the service says that it has not acted on a request: it takes no more of them (429; RFC
/// 6585, section 4), or none before the pause that it asks for. A bare 503 may be the word of a
/// gateway, behind which all has been done.
fn is_untouched<T>(answer: &Response<T>) -> bool {
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => pause_of(answer).is_some(),
        _ => false,
    }
}

/// The pause that an answer asks for.
fn pause_of<T>(answer: &Response<T>) -> Option<Duration> {
    retry_after(answer, clock::now())
}

/// What became of a mail that a service took: it tells nothing of single recipients.
pub(super) fn delivered(mail: &Mail) -> Delivery {
    Delivery {
        refused: Vec::new(),
        receipt: if mail.delivery_receipt {
            Receipt::Property
        } else {
            Receipt::None
        },
    }
}
