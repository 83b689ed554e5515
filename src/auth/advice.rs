//! What to do when a token is refused: Microsoft's numbers, then the names of RFC 6749.
//!
//! Numbers: learn.microsoft.com/entra/identity-platform/reference-error-codes. The texts have
//! places for the names of settings, see [`Names`].

use super::{Grant, Names};

/// Numbers behind `AADSTS` and what to do about them.
type Rows = [(&'static [u32], &'static str)];

/// A sign-in is over with these, and its refresh token will never be good again.
const OVER: &[u32] = &[50058, 50089, 50173, 54005, 70008, 70043, 501481, 700082];

/// What a person that signs in can do about it.
const SIGNED_IN: &Rows = &[
    (
        OVER,
        "the sign-in is over, because it was not used for long, was revoked, or the password was changed: {sign in}",
    ),
    (
        &[65001, 65004],
        "nobody has consented to what the application asks for: {sign in} - and consent, or have an administrator do \
         so with --doNotSaveAccount added",
    ),
    (
        &[50055],
        "the user's password has expired: change it in a browser, then {sign in}",
    ),
    (
        &[50072, 50074, 50076, 50079],
        "a second factor is demanded or has to be set up: {sign in}",
    ),
    (
        &[53000, 53001, 53002, 53003, 53004, 530035],
        "a Conditional Access policy or the security defaults block it: {sign in} - if that is blocked as well, have \
         the administrator exempt the account, or use {grant}=client_credentials",
    ),
];

/// What can be done otherwise.
const BY_NUMBER: &Rows = &[
    (
        &[50126],
        "the user name or the password is wrong: check {user} and {password}",
    ),
    (
        &[50034],
        "the directory has no such user: check {user} and {directory}",
    ),
    (
        &[50053],
        "the account is locked after too many failed attempts: set the right password, then wait or have it unlocked",
    ),
    (
        &[50055],
        "the user's password has expired: sign in once in a browser and change it, then set {password}",
    ),
    (
        &[50057],
        "the account is disabled: have the administrator enable it",
    ),
    (
        &[50072, 50074, 50076, 50079],
        "a second factor is demanded, which a program can't give: use {grant}=client_credentials, or have the \
         administrator exempt the account",
    ),
    (
        &[50105],
        "the application is not assigned to the user: have the administrator do so in Microsoft Entra",
    ),
    (
        &[53000, 53001, 53002, 53003, 53004, 530035],
        "a Conditional Access policy or the security defaults block it: use {grant}=client_credentials, or have \
         the administrator exempt the account",
    ),
    (
        &[65001, 65004, 90094],
        "nobody has consented to the application's permissions: have an administrator grant consent in Microsoft Entra",
    ),
    (
        &[7000215],
        "the application's secret is wrong: use the Value of the secret, not its ID, and set it with: {set secret}",
    ),
    (
        &[7000222],
        "the application's secret has expired: create a new one in Microsoft Entra and set its Value with: {set secret}",
    ),
    (
        &[7000218],
        "the application is registered as confidential: allow public client flows for it in Microsoft Entra, or use \
         {grant}=client_credentials",
    ),
    (
        &[700025],
        "the application is registered as public and has no secret: leave the secret out",
    ),
    (
        &[700024],
        "the certificate's signature is not in its time: set this machine's clock",
    ),
    (
        &[700027],
        "the certificate is not one of the application's: upload it to the application in Microsoft Entra, and check \
         that the key belongs to it",
    ),
    (
        &[700016],
        "the directory has no such application: check {client} and {directory}",
    ),
    (
        &[90002],
        "there is no such directory: check {directory} and {authority}",
    ),
    (
        &[50194],
        "the application is for one directory: set {directory} to its ID, not to common or organizations",
    ),
    (
        &[28002, 70011, 500011],
        "the scope is not one that this application and directory have: check {scope}",
    ),
    (
        OVER,
        "the sign-in that the token came from is over: {sign in}",
    ),
    (
        &[50011],
        "the redirect address is not registered: add http://localhost to the application under Mobile and desktop",
    ),
];

/// What to do about a refusal.
pub(super) fn advice(number: Option<u32>, error: &str, grant: &Grant, names: &Names) -> String {
    let look = |rows: &Rows| {
        let number = number?;
        let row = rows.iter().find(|(numbers, _)| numbers.contains(&number))?;
        Some(row.1)
    };
    let text = match grant {
        Grant::SignedIn { .. } => look(SIGNED_IN).or_else(|| look(BY_NUMBER)),
        _ => look(BY_NUMBER),
    };
    names.fill(text.unwrap_or_else(|| by_name(error, grant)))
}

/// Whether the refusal of a refresh token says that it will never be good again.
pub(super) fn is_over(number: Option<u32>, error: &str) -> bool {
    error == "invalid_grant" && number.is_some_and(|number| OVER.contains(&number))
}

fn by_name(error: &str, grant: &Grant) -> &'static str {
    match (error, grant) {
        ("invalid_client", Grant::SignedIn { .. }) => {
            "check {client}, and that public client flows are allowed for the application"
        }
        ("invalid_client", _) => "check {client} and the application's secret or certificate",
        ("invalid_grant", Grant::Password { .. }) => "check {user} and {password}",
        ("invalid_grant", Grant::Refresh { .. }) => {
            "the refresh token is not good any more: {sign in}"
        }
        ("invalid_grant", Grant::SignedIn { .. }) => "the sign-in is not good any more: {sign in}",
        ("access_denied" | "authorization_declined", Grant::SignedIn { .. }) => {
            "whoever was to sign in said no, or may not: {sign in}"
        }
        ("expired_token" | "bad_verification_code", Grant::SignedIn { .. }) => {
            "nobody signed in in time: {sign in}"
        }
        ("unauthorized_client" | "unsupported_grant_type", _) => {
            "the application is not allowed to get tokens in this way: check its registration, {client} and {grant}"
        }
        ("invalid_scope" | "invalid_target" | "invalid_resource", _) => "check {scope}",
        (
            "interaction_required" | "login_required" | "consent_required",
            Grant::SignedIn { .. },
        ) => "somebody has to sign in: {sign in}",
        ("interaction_required" | "login_required" | "consent_required", _) => {
            "somebody would have to sign in, which a program can't: use {grant}=client_credentials"
        }
        _ => {
            "check the application's registration and the settings {client}, {directory}, {scope} and {grant}"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn no_number_has_two_rows() {
        for rows in [BY_NUMBER, SIGNED_IN] {
            let mut numbers: Vec<_> = rows.iter().flat_map(|(numbers, _)| *numbers).collect();
            let all = numbers.len();
            numbers.sort();
            numbers.dedup();
            assert_eq!(numbers.len(), all);
        }
    }

    #[test]
    fn the_number_says_more_than_the_name() {
        let grant = Grant::ClientCredentials {
            secret: Secret::new("s".into()),
        };
        let told = |number, error| advice(number, error, &grant, &Names::SmtpClient);
        assert!(told(Some(7000222), "invalid_client").contains("expired"));
        assert!(told(Some(1), "invalid_client").contains("client-id"));
        assert!(told(None, "temporarily").contains("registration"));
    }

    #[test]
    fn every_place_gets_a_name() {
        let names = Names::Msal;
        for (_, text) in BY_NUMBER.iter().chain(SIGNED_IN) {
            for names in [&Names::SmtpClient, &names] {
                assert!(!names.fill(text).contains(['{', '}']), "{text}");
            }
        }
    }
}
