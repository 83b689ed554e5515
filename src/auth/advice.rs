//! What to do when a token is refused: Microsoft's numbers, then the names of RFC 6749.
//!
//! Numbers: learn.microsoft.com/entra/identity-platform/reference-error-codes.

use super::Grant;

/// Numbers behind `AADSTS` and what to do about them.
const BY_NUMBER: &[(&[u32], &str)] = &[
    (
        &[50126],
        "the user name or the password is wrong: check user and password",
    ),
    (
        &[50034],
        "the directory has no such user: check user and directory-id",
    ),
    (
        &[50053],
        "the account is locked after too many failed attempts: set the right password, then wait or have it unlocked",
    ),
    (
        &[50055],
        "the user's password has expired: sign in once in a browser and change it, then set password",
    ),
    (
        &[50057],
        "the account is disabled: have the administrator enable it",
    ),
    (
        &[50072, 50074, 50076, 50079],
        "a second factor is demanded, which a program can't give: use grant-type=client_credentials, or have the \
         administrator exempt the account",
    ),
    (
        &[53000, 53001, 53002, 53003, 53004, 530035],
        "a Conditional Access policy or the security defaults block it: use grant-type=client_credentials, or have \
         the administrator exempt the account",
    ),
    (
        &[65001],
        "nobody has consented to the application's permissions: have an administrator grant consent in Microsoft Entra",
    ),
    (
        &[7000215],
        "the application's secret is wrong: use the Value of the secret, not its ID",
    ),
    (
        &[7000222],
        "the application's secret has expired: create a new one in Microsoft Entra and set it",
    ),
    (
        &[7000218],
        "the application is registered as confidential: allow public client flows for it in Microsoft Entra, or use \
         grant-type=client_credentials",
    ),
    (
        &[700025],
        "the application is registered as public and has no secret: leave the secret out",
    ),
    (
        &[700016],
        "the directory has no such application: check client-id and directory-id",
    ),
    (
        &[90002],
        "there is no such directory: check directory-id and tenant-authority",
    ),
    (
        &[50194],
        "the application is for one directory: set directory-id to its ID, not to common",
    ),
    (
        &[28002, 70011, 500011],
        "the scope is not one that this application and directory have: check scope",
    ),
    (
        &[50058, 50089, 50173, 54005, 70008, 70043, 501481, 700082],
        "the sign-in that the token came from is over: sign in again and store the new token",
    ),
    (
        &[50011],
        "the redirect address is not registered: add http://localhost to the application under Mobile and desktop",
    ),
];

/// What to do about a refusal.
pub(super) fn advice(number: Option<u32>, error: &str, grant: &Grant) -> &'static str {
    let known = number.and_then(|number| {
        let row = BY_NUMBER
            .iter()
            .find(|(numbers, _)| numbers.contains(&number))?;
        Some(row.1)
    });
    known.unwrap_or_else(|| by_name(error, grant))
}

fn by_name(error: &str, grant: &Grant) -> &'static str {
    match (error, grant) {
        ("invalid_client", _) => "check client-id and the application's secret",
        ("invalid_grant", Grant::Password { .. }) => "check user and password",
        ("invalid_grant", Grant::Refresh { .. }) => {
            "the refresh token is not good any more: sign in again and store the new token"
        }
        ("unauthorized_client" | "unsupported_grant_type", _) => {
            "the application is not allowed to get tokens in this way: check its registration, client-id and grant-type"
        }
        ("invalid_scope" | "invalid_target" | "invalid_resource", _) => "check scope",
        ("interaction_required" | "login_required" | "consent_required", _) => {
            "somebody would have to sign in, which a program can't: use grant-type=client_credentials"
        }
        _ => {
            "check the application's registration and the settings client-id, directory-id, scope and grant-type"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn no_number_has_two_rows() {
        let mut numbers: Vec<_> = BY_NUMBER.iter().flat_map(|(numbers, _)| *numbers).collect();
        let all = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn the_number_says_more_than_the_name() {
        let grant = Grant::ClientCredentials {
            secret: Secret::new("s".into()),
        };
        let told = |number, error| advice(number, error, &grant);
        assert!(told(Some(7000222), "invalid_client").contains("expired"));
        assert!(told(Some(1), "invalid_client").contains("client-id"));
        assert!(told(None, "temporarily").contains("registration"));
    }
}
