//! One request to a token endpoint, by each grant.

use std::time::Duration;

use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ErrorResponseType, RefreshToken,
    RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername, Scope, StandardErrorResponse,
    TokenUrl,
};

use super::advice::advice;
use super::tokens::{Answer, Client, Person, Tokens};
use super::{Authority, Error, Grant, Settings, masked};
use crate::clock;
use crate::net::http::{self, Patience, retry_after};
use crate::net::{Trace, clean};
use crate::secret::Secret;

/// A server that asks for more patience than this is left to a later run.
const PATIENCE: Duration = Duration::from_secs(60);
/// How a signed assertion is announced (RFC 7523, section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Speaks with an authority for one application.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) settings: Settings,
    client: http::Client,
    trace: Trace,
}

/// The oauth2 crate's client, ready for the token endpoint.
pub(super) type TokenClient = Client<EndpointNotSet, EndpointNotSet, EndpointSet>;
/// How that client fails.
pub(super) type Refused<K> = RequestTokenError<Error, StandardErrorResponse<K>>;

impl Desk {
    pub(super) fn new(settings: Settings, trace: Trace) -> Self {
        Self {
            client: http::Client::new(settings.limits, trace.clone()),
            settings,
            trace,
        }
    }

    /// Asks for a token by the grant of the settings, again after the pause that a busy server
    /// asks for. A refresh token that is given takes the place of the one in the settings.
    pub(super) fn request(&self, refresh: Option<&Secret>) -> Result<Tokens, Error> {
        self.patiently(|| self.request_once(refresh))
    }

    /// Tries again after the pauses that a busy server asks for.
    pub(super) fn patiently<T>(&self, ask: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
        let mut patience = Patience::of(PATIENCE.min(self.settings.limits.answer));
        loop {
            match ask() {
                Err(Error::Busy { retry_after, .. }) if patience.wait(retry_after) => {}
                done => return done,
            }
        }
    }

    fn request_once(&self, refresh: Option<&Secret>) -> Result<Tokens, Error> {
        let client = self.oauth()?;
        let scopes = || scopes(&self.settings.scope);
        self.trace.line(|| self.what_is_asked());
        let ask = |request| self.ask(request);
        let mut used: Vec<Secret> = refresh.cloned().into_iter().collect();
        let answer: Result<Answer, Refused<_>> = match &self.settings.grant {
            Grant::Password { user, password } => client
                .exchange_password(
                    &ResourceOwnerUsername::new(user.clone()),
                    &ResourceOwnerPassword::new(password.expose().to_owned()),
                )
                .add_scopes(scopes())
                .request(&ask),
            Grant::ClientCredentials { .. } => client
                .exchange_client_credentials()
                .add_scopes(scopes())
                .request(&ask),
            Grant::ClientAssertion { certificate } => {
                let endpoint = self.settings.authority.token_endpoint();
                let signed = certificate.assertion(&self.settings.client_id, &endpoint)?;
                let answer = client
                    .exchange_client_credentials()
                    .add_scopes(scopes())
                    .add_extra_param("client_assertion_type", JWT_BEARER)
                    .add_extra_param("client_assertion", signed.expose().to_owned())
                    .request(&ask);
                used.push(signed);
                answer
            }
            Grant::Refresh { token, .. } => {
                let token = RefreshToken::new(refresh.unwrap_or(token).expose().to_owned());
                let request = client.exchange_refresh_token(&token);
                match self.settings.authority {
                    Authority::Microsoft { .. } => request.add_scopes(scopes()),
                    Authority::Google { .. } => request,
                }
                .request(&ask)
            }
            Grant::SignedIn { .. } => {
                let token = refresh.ok_or_else(|| self.not_signed_in("no token is stored"))?;
                client
                    .exchange_refresh_token(&RefreshToken::new(token.expose().to_owned()))
                    .add_scopes(scopes())
                    .add_extra_param("client_info", "1")
                    .request(&ask)
            }
        };
        answer
            .map(|answer| Tokens::from(&answer))
            .map_err(|error| self.refusal(error, &used))
    }

    /// The oauth2 crate's client for this application.
    pub(super) fn oauth(&self) -> Result<TokenClient, Error> {
        let address = self.settings.authority.token_endpoint();
        let endpoint = TokenUrl::new(address.clone()).map_err(|_| bad_address(&address))?;
        let client = Client::new(ClientId::new(self.settings.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(endpoint);
        Ok(match self.settings.grant.client_secret() {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        })
    }

    /// The transport that the oauth2 crate calls. What a server says while it is not able to
    /// answer is no answer of a token endpoint.
    pub(super) fn ask(&self, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, Error> {
        let answer = self.client.send(request)?;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(self.busy(status.as_u16(), retry_after(&answer, clock::now())));
        }
        Ok(answer)
    }

    /// The form that is sent, as far as it may be shown.
    fn what_is_asked(&self) -> String {
        let Settings {
            client_id,
            grant,
            scope,
            ..
        } = &self.settings;
        let how = match grant {
            Grant::Password { user, .. } => format!("password username={user} password=***"),
            Grant::ClientCredentials { .. } => "client_credentials".to_owned(),
            Grant::ClientAssertion { .. } => "client_credentials client_assertion=***".to_owned(),
            Grant::Refresh { .. } | Grant::SignedIn { .. } => {
                "refresh_token refresh_token=***".to_owned()
            }
        };
        let secret = grant.client_secret().map_or("", |_| " client_secret=***");
        format!("> grant_type={how} client_id={client_id}{secret} scope={scope}")
    }

    /// What a refusal means. `used` are secrets beyond those of the settings that the request
    /// carried.
    pub(super) fn refusal<K>(&self, refused: Refused<K>, used: &[Secret]) -> Error
    where
        K: ErrorResponseType + AsRef<str> + std::fmt::Display + 'static,
    {
        match refused {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(answer) => {
                let words = answer.error_description().map_or("", String::as_str);
                self.rejected(answer.error().as_ref(), words, used)
            }
            // Its text quotes the answer, in which a token may be: only the place is told.
            RequestTokenError::Parse(error, _) => self.malformed(&format!("at {}", error.path())),
            RequestTokenError::Other(cause) => self.malformed(&cause),
        }
    }

    /// An answer that makes no sense.
    pub(super) fn malformed(&self, cause: &str) -> Error {
        Error::Malformed {
            server: self.settings.authority.host(),
            cause: clean(cause, 200),
            advice: self
                .settings
                .names
                .fill("check {authority} and {directory}"),
        }
    }

    /// What an error's name and description mean, wherever the authority said them.
    pub(super) fn rejected(&self, error: &str, words: &str, used: &[Secret]) -> Error {
        let [error, words] = [error, words].map(|text| self.hidden(text, used));
        let error = clean(&error, 80);
        if matches!(error.as_str(), "temporarily_unavailable" | "server_error") {
            return self.busy(400, None);
        }
        let code = number(&words);
        Error::Rejected {
            server: self.settings.authority.host(),
            advice: advice(code, &error, &self.settings.grant, &self.settings.names),
            error,
            code,
            description: self.description(&words),
        }
    }

    /// There is no account to ask a token for.
    pub(super) fn not_signed_in(&self, why: &str) -> Error {
        Error::NotSignedIn {
            why: why.to_owned(),
            advice: self.settings.names.fill("{sign in}"),
        }
    }

    /// There is another account than the one that is wanted.
    pub(super) fn other_account(&self, wanted: &Person, found: &Person) -> Error {
        Error::OtherAccount {
            wanted: wanted.told_from(found),
            found: found.told_from(wanted),
            advice: self.settings.names.fill("{sign in}"),
        }
    }

    /// What the server said, without what it must not repeat.
    fn hidden(&self, text: &str, used: &[Secret]) -> String {
        masked(text, self.settings.grant.secrets().chain(used))
    }

    /// Its first line. Microsoft's further lines are numbers for its support, which `--verbose`
    /// shows.
    fn description(&self, words: &str) -> String {
        self.trace.line(|| format!("< {words}"));
        clean(words.lines().next().unwrap_or_default(), 300)
    }

    fn busy(&self, status: u16, retry_after: Option<Duration>) -> Error {
        Error::Busy {
            server: self.settings.authority.host(),
            status,
            retry_after,
        }
    }

    /// Shows a step of the protocol.
    pub(super) fn trace(&self, line: impl FnOnce() -> String) {
        self.trace.line(line);
    }
}

/// An address of the settings that is none.
pub(super) fn bad_address(address: &str) -> Error {
    let address = clean(address, 300);
    http::Error::BadAddress { address }.into()
}

/// Scopes as they stand in a setting.
pub(super) fn scopes(text: &str) -> impl Iterator<Item = Scope> {
    text.split_whitespace()
        .map(|scope| Scope::new(scope.to_owned()))
}

impl Grant {
    fn client_secret(&self) -> Option<&Secret> {
        match self {
            Self::ClientCredentials { secret } => Some(secret),
            Self::Refresh { secret, .. } => secret.as_ref(),
            Self::Password { .. } | Self::ClientAssertion { .. } | Self::SignedIn { .. } => None,
        }
    }

    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let own = match self {
            Self::Password { password, .. } => Some(password),
            Self::Refresh { token, .. } => Some(token),
            Self::ClientCredentials { .. }
            | Self::ClientAssertion { .. }
            | Self::SignedIn { .. } => None,
        };
        own.into_iter().chain(self.client_secret())
    }
}

/// The number behind `AADSTS`.
fn number(words: &str) -> Option<u32> {
    let (_, rest) = words.split_once("AADSTS")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn microsofts_number_is_read() {
        assert_eq!(
            number("AADSTS7000215: Invalid client secret"),
            Some(7_000_215)
        );
        assert_eq!(number("AADSTS: nothing"), None);
        assert_eq!(number("Token has been expired or revoked."), None);
    }
}
