//! One request to a token endpoint, by each grant.

use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, RefreshToken, RequestTokenError, ResourceOwnerPassword,
    ResourceOwnerUsername, Scope, TokenResponse, TokenUrl,
};

use super::{Authority, Error, Grant, Settings, Shared, advice::advice, masked};
use crate::clock;
use crate::net::clean;
use crate::net::http::{self, Patience, retry_after};
use crate::secret::Secret;

/// How long a token is taken for good whose lifetime the server does not tell.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(300);
/// A lifetime beyond this is not believed, so that times can be added.
const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// A server that asks for more patience than this is left to a later run.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the endpoint granted.
pub(super) struct Granted {
    pub(super) token: Secret,
    pub(super) lifetime: Duration,
    /// A refresh token in place of the one that was used.
    pub(super) rotated: Option<Secret>,
}

type Refused = RequestTokenError<Error, BasicErrorResponse>;

impl Shared {
    /// Asks for a token, again after the pause that a busy server asks for.
    pub(super) fn request(&self, rotated: Option<&Secret>) -> Result<Granted, Error> {
        let mut patience = Patience::of(PATIENCE.min(self.settings.limits.answer));
        loop {
            match self.request_once(rotated) {
                Err(Error::Busy { retry_after, .. }) if patience.wait(retry_after) => {}
                done => return done,
            }
        }
    }

    fn request_once(&self, rotated: Option<&Secret>) -> Result<Granted, Error> {
        let settings = &self.settings;
        let address = settings.authority.token_endpoint();
        let endpoint = TokenUrl::new(address.to_owned()).map_err(|_| {
            let address = clean(address, 300);
            http::Error::BadAddress { address }
        })?;
        let mut client = BasicClient::new(ClientId::new(settings.client_id.clone()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(endpoint);
        if let Some(secret) = settings.grant.client_secret() {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        let scopes = || {
            let scopes = settings.scope.split_whitespace();
            scopes.map(|scope| Scope::new(scope.to_owned()))
        };
        self.trace.line(|| self.what_is_asked());
        let ask = |request| self.ask(request);
        let answer: Result<BasicTokenResponse, Refused> = match &settings.grant {
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
            Grant::Refresh { token, .. } => {
                let token = rotated.unwrap_or(token);
                let token = RefreshToken::new(token.expose().to_owned());
                let request = client.exchange_refresh_token(&token);
                match settings.authority {
                    Authority::Microsoft { .. } => request.add_scopes(scopes()),
                    Authority::Google { .. } => request,
                }
                .request(&ask)
            }
        };
        match answer {
            Ok(answer) => Ok(self.granted(&answer, rotated)),
            Err(error) => Err(self.refusal(error)),
        }
    }

    /// The transport that the oauth2 crate calls. What a server says while it is not able to
    /// answer is no answer of a token endpoint.
    fn ask(&self, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, Error> {
        let answer = self.client.send(request)?;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            return Err(self.busy(status.as_u16(), retry_after(&answer, clock::now())));
        }
        Ok(answer)
    }

    fn granted(&self, answer: &BasicTokenResponse, rotated: Option<&Secret>) -> Granted {
        let rotated = match &self.settings.grant {
            Grant::Refresh { token, .. } => answer
                .refresh_token()
                .filter(|new| new.secret() != rotated.unwrap_or(token).expose())
                .map(|new| Secret::new(new.secret().clone())),
            Grant::Password { .. } | Grant::ClientCredentials { .. } => None,
        };
        let lifetime = answer.expires_in().unwrap_or(UNTOLD_LIFETIME);
        self.trace.line(|| {
            let more = if rotated.is_some() {
                ", and a new refresh token in place of the old one"
            } else {
                ""
            };
            format!("< a token for {} s{more}", lifetime.as_secs())
        });
        Granted {
            token: Secret::new(answer.access_token().secret().clone()),
            lifetime: lifetime.min(LONGEST_LIFETIME),
            rotated,
        }
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
            Grant::Refresh { .. } => "refresh_token refresh_token=***".to_owned(),
        };
        let secret = grant.client_secret().map_or("", |_| " client_secret=***");
        format!("> grant_type={how} client_id={client_id}{secret} scope={scope}")
    }

    fn refusal(&self, refused: Refused) -> Error {
        let malformed = |cause: &str| Error::Malformed {
            server: self.server(),
            cause: clean(cause, 200),
        };
        match refused {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(answer) => {
                let error = clean(answer.error().as_ref(), 80);
                if matches!(error.as_str(), "temporarily_unavailable" | "server_error") {
                    return self.busy(400, None);
                }
                let words = answer.error_description().map_or("", String::as_str);
                let code = number(words);
                Error::Rejected {
                    server: self.server(),
                    advice: advice(code, &error, &self.settings.grant),
                    error,
                    code,
                    description: self.description(words),
                }
            }
            // Its text quotes the answer, in which a token may be: only the place is told.
            RequestTokenError::Parse(error, _) => malformed(&format!("at {}", error.path())),
            RequestTokenError::Other(cause) => malformed(&cause),
        }
    }

    /// The first line of what the server said, without what it must not repeat. Microsoft's
    /// further lines are numbers for its support, which `--verbose` shows.
    fn description(&self, words: &str) -> String {
        let words = masked(words, self.settings.grant.secrets());
        self.trace.line(|| format!("< {words}"));
        clean(words.lines().next().unwrap_or_default(), 300)
    }

    fn busy(&self, status: u16, retry_after: Option<Duration>) -> Error {
        Error::Busy {
            server: self.server(),
            status,
            retry_after,
        }
    }

    fn server(&self) -> String {
        let address = self.settings.authority.token_endpoint();
        let host = address.split('/').nth(2).unwrap_or(address);
        clean(host, 200)
    }
}

impl Grant {
    fn client_secret(&self) -> Option<&Secret> {
        match self {
            Self::ClientCredentials { secret } => Some(secret),
            Self::Refresh { secret, .. } => secret.as_ref(),
            Self::Password { .. } => None,
        }
    }

    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let own = match self {
            Self::Password { password, .. } => Some(password),
            Self::ClientCredentials { .. } => None,
            Self::Refresh { token, .. } => Some(token),
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
