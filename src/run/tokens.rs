//! The steps of `--check` that are about tokens: the authority, a token, and what it permits.

use super::output::Output;
use crate::auth::{self, TokenSource};
use crate::clock::{self, stamp};
use crate::net::clean;

/// Gets a token as a run would, and tells what it is good for.
pub(super) fn check(source: &TokenSource, output: &mut Output) {
    let token = match source.get() {
        Ok(token) => token,
        Err(error) => {
            output.error(&error.to_string());
            return;
        }
    };
    let left = token
        .expires()
        .saturating_duration_since(std::time::Instant::now());
    let until = clock::now() + left;
    output.line(&format!(
        "token: from {}, good until {}",
        source.authority().token_endpoint(),
        stamp::format(until)
    ));
    let permitted = token.scope().unwrap_or(source.scope());
    output.line(&format!("permissions: {}", clean(permitted, 500)));
    for missing in auth::missing(permitted, source.scope()) {
        output.warning(&format!(
            "the token is not good for {missing}: have it granted to the application and sign in again"
        ));
    }
}
