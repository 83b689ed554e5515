//! Whether an authority is there and knows the directory (OpenID Connect Discovery 1.0), for
//! people who look for what is wrong.

use serde::Deserialize;

use super::request::{Desk, bad_address};
use super::{Authority, Error};
use crate::net::http::{Method, Request};

/// What the authority says of itself, as far as it matters.
#[derive(Deserialize)]
struct Told {
    token_endpoint: Option<String>,
    error: Option<String>,
    #[serde(default)]
    error_description: String,
}

/// Asks the authority what it is. Google's address is not one of the settings, so there is
/// nothing to ask.
pub(super) fn meet(desk: &Desk) -> Result<(), Error> {
    let address = match &desk.settings.authority {
        Authority::Microsoft { base, directory } => {
            format!("{base}/{directory}/v2.0/.well-known/openid-configuration")
        }
        Authority::Google { .. } => return Ok(()),
    };
    let asked = || {
        let request = Request::builder()
            .method(Method::GET)
            .uri(&address)
            .body(Vec::new());
        desk.ask(request.map_err(|_| bad_address(&address))?)
    };
    let answer = desk.patiently(asked)?;
    match serde_json::from_slice::<Told>(answer.body()) {
        Ok(Told {
            token_endpoint: Some(_),
            ..
        }) if answer.status().is_success() => Ok(()),
        Ok(Told {
            error: Some(error),
            error_description,
            ..
        }) => Err(desk.rejected(&error, &error_description, &[])),
        _ => Err(desk.malformed(&format!("{address}: status {}", answer.status().as_u16()))),
    }
}
