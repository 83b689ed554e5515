//! Delivery by SMTP (RFC 5321).
//!
//! `opening` leads to a conversation, `login` logs in, `session` hands over one mail after
//! the other, and `pool` has several of these at work. All of them speak through `wire`.

mod capabilities;
mod login;
mod opening;
mod pool;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Duration;

pub(super) use pool::Connections;

use crate::auth::{AccessToken, TokenSource};
use crate::net::Endpoint;
use crate::secret::Secret;

/// Where mails are handed over, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server.
    pub endpoint: Endpoint,
    /// As whom.
    pub login: Login,
    /// The connections.
    pub pool: Pool,
}

/// As whom the server is spoken to.
#[derive(Clone, Debug)]
pub enum Login {
    /// Nobody in particular.
    None,
    /// A user with a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
        /// The mechanisms that may be used, the preferred one first.
        mechanisms: Vec<Mechanism>,
    },
    /// A user with a token (XOAUTH2).
    Token {
        /// The user.
        user: String,
        /// Gives the tokens.
        source: TokenSource,
    },
    /// A user with a token that somebody else had given (XOAUTH2).
    GivenToken {
        /// The user.
        user: String,
        /// The token. There is no other one.
        token: AccessToken,
    },
}

/// How a password is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password at once (RFC 4616).
    Plain,
    /// User and password one after the other, as asked for
    /// (draft-murchison-sasl-login).
    Login,
}

impl Mechanism {
    /// Its name in AUTH.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}

/// How many connections there are and how long they are good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Mails that are sent at the same time, at least one (`cnx-pool-size`).
    pub size: usize,
    /// A connection that was idle for so long is checked by NOOP before it is used again
    /// (`cnx-check-idle-time`); zero checks always.
    pub check_idle: Duration,
    /// A connection that was idle for so long is closed (`cnx-max-idle-time`).
    pub max_idle: Duration,
    /// A connection that was logged in with a token is closed so long before the token expires
    /// (`token-expiry-margin-time`).
    pub token_margin: Duration,
}
