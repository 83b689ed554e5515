//! The options of `[smtp-client]` that say how tokens are had.

use std::time::Duration;

use super::service::{Credentials, Unusable};
use crate::auth::{self, Authority, Grant, Names, TokenSource};
use crate::config::keys::{self, Key};
use crate::config::values::Reader;
use crate::net::Trace;
use crate::net::http::Limits;

/// What tokens of Graph are asked for where `scope` does not say it.
const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// The application that asks for tokens.
#[derive(Debug)]
pub(super) struct Application {
    client_id: Option<String>,
    directory_id: Option<String>,
    authority: String,
    scope: String,
    grant: GrantType,
    secret: String,
    is_graph: bool,
}

/// `grant-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GrantType {
    Password,
    ClientCredentials,
}

impl Application {
    /// Reads its options.
    pub(super) fn read(reader: &mut Reader<'_>, is_graph: bool) -> Option<Self> {
        let text = |key| reader.text(key).map(str::to_owned);
        let client_id = text(&keys::SMTP_CLIENT_ID);
        let directory_id = text(&keys::SMTP_DIRECTORY_ID);
        let authority = text(&keys::SMTP_TENANT_AUTHORITY)?;
        let scope = text(&keys::SMTP_SCOPE)?;
        let grant = reader.parsed(
            &keys::SMTP_GRANT_TYPE,
            "client_credentials, or blank",
            |value| match value.to_ascii_lowercase().as_str() {
                "password" => Some(GrantType::Password),
                "client_credentials" => Some(GrantType::ClientCredentials),
                _ => None,
            },
        );
        let secret = reader.parsed(&keys::SMTP_SECRET, "a name without blanks", |value| {
            let is_name = !value.contains(|c: char| c.is_whitespace() || c == ']');
            is_name.then(|| value.to_owned())
        })?;
        // The default is for the other services; Graph knows nothing of it.
        let scope = if is_graph && scope == keys::SMTP_SCOPE.default {
            GRAPH_SCOPE.to_owned()
        } else {
            scope
        };
        Some(Self {
            client_id,
            directory_id,
            authority,
            scope,
            grant: grant.unwrap_or(GrantType::Password),
            secret,
            is_graph,
        })
    }

    /// Google gives the tokens.
    pub(super) fn is_google(&self) -> bool {
        self.authority.to_ascii_lowercase().contains("google")
    }

    /// The section that holds the application's secret, with Google.
    pub(super) fn secret_section(&self) -> String {
        format!("secret-{}", self.secret)
    }

    /// What tokens are good for.
    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// The token is the application's own, not that of a user.
    pub(super) fn acts_for_itself(&self) -> bool {
        self.is_graph || self.grant == GrantType::ClientCredentials
    }

    /// Names what has to be there before a token can be asked for.
    pub(super) fn needs(&self, has_secret: bool, need: &mut impl FnMut(bool, &'static Key)) {
        need(self.client_id.is_some(), &keys::SMTP_CLIENT_ID);
        if self.is_google() {
            need(has_secret, &keys::APPLICATION_SECRET);
        } else {
            need(self.directory_id.is_some(), &keys::SMTP_DIRECTORY_ID);
        }
    }

    /// The source of tokens.
    pub(super) fn source(
        &self,
        credentials: &Credentials,
        margin: Duration,
        limits: Limits,
        trace: &Trace,
    ) -> Result<TokenSource, Unusable> {
        let directory = self.directory_id.as_deref().unwrap_or_default();
        let authority = Authority::of(&self.authority, directory)
            .map_err(|error| Unusable(error.to_string()))?;
        let Credentials {
            user,
            password,
            secret,
        } = credentials;
        let password = password.clone().ok_or_else(Unusable::default)?;
        let grant = if self.is_google() {
            if self.is_graph {
                let message =
                    "server-type=GRAPH needs Microsoft's tokens, and tenant-authority names Google";
                return Err(Unusable(message.to_owned()));
            }
            Grant::Refresh {
                secret: secret.clone(),
                token: password,
            }
        } else if self.acts_for_itself() {
            Grant::ClientCredentials { secret: password }
        } else {
            Grant::Password {
                user: user.clone().unwrap_or_default(),
                password,
            }
        };
        let settings = auth::Settings {
            authority,
            client_id: self.client_id.clone().unwrap_or_default(),
            grant,
            scope: self.scope.clone(),
            margin,
            limits,
            names: Names::SmtpClient,
        };
        Ok(TokenSource::new(settings, trace.clone()))
    }
}
