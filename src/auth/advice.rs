//! What to do when a token is refused: Microsoft's numbers, then the names of RFC 6749.
//!
//! Numbers: learn.microsoft.com/entra/identity-platform/reference-error-codes. The texts have
//! places for the names of settings, see [`Names`].

use super::{Grant, Names};

/// Numbers behind `AADSTS` and what to do about them.
type Rows = [(&'static [u32], &'static str)];

/// A refresh token will never be good again with these.
const OVER: &[u32] = &[50058, 50089, 50173, 70008, 70043, 700082];

/// What a person that signs in can do about it.
const SIGNED_IN: &Rows = &[
    (
        &[50058],
        "nobody is signed in at Microsoft any more: {sign in}",
    ),
    (
        &[70008, 700082],
        "the sign-in is over, because it was not used for too long: {sign in}",
    ),
    (
        &[50173],
        "the sign-in is over, because it was revoked or the password was changed: {sign in}",
    ),
    (
        &[70043],
        "the sign-in is over, because a policy demands one more often: {sign in}",
    ),
    (
        &[50089],
        "the sign-in is over, because it took too long: {sign in}",
    ),
    (
        &[54005, 501481],
        "the code of this sign-in was used before or belongs to another: {sign in}",
    ),
    (
        &[65001, 65004],
        "nobody has consented to what the application asks for: {sign in} - and consent, or have an administrator \
         do so with: smartemail --renewMsalToken --doNotSaveAccount",
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
        "the user name or the password is wrong: check {user} and {password}, which is set with: {set secret}",
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
        "the user's password has expired: sign in once in a browser and change it, then set {password} with: {set secret}",
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
        &[28002, 70011],
        "the scope is not one that this application has: check {scope}",
    ),
    (
        &[500011],
        "the directory does not know the service that the scope is for: check {scope} and {directory}",
    ),
    (
        OVER,
        "the sign-in that the refresh token came from is over: {new token}",
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
            "the refresh token is not good any more: {new token}"
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::auth::Cache;
    use crate::secret::{Keeper, Secret};

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

    /// Numbers of one meaning, a part of what is said, and the command or the setting that helps.
    type Said = (&'static [u32], &'static str, &'static str);

    const SIGN_IN: &str = "with: smartemail --renewMsalToken";

    const BY_A_PERSON: [Said; 19] = [
        (&[50058], "nobody is signed in at Microsoft", SIGN_IN),
        (&[70008, 700082], "not used for too long", SIGN_IN),
        (&[50173], "revoked or the password was changed", SIGN_IN),
        (&[70043], "a policy demands one more often", SIGN_IN),
        (&[50089], "it took too long", SIGN_IN),
        (&[54005, 501481], "the code of this sign-in", SIGN_IN),
        (
            &[65001],
            "nobody has consented",
            "with: smartemail --renewMsalToken --doNotSaveAccount",
        ),
        (&[50072, 50074, 50076, 50079], "a second factor", SIGN_IN),
        (
            &[53000, 53001, 53002, 53003, 53004, 530035],
            "a Conditional Access policy",
            SIGN_IN,
        ),
        (&[50055], "change it in a browser", SIGN_IN),
        (&[50053], "locked", "have it unlocked"),
        (&[50057], "disabled", "have the administrator enable it"),
        (&[50034], "no such user", "[Mail] User"),
        (&[700016], "no such application", "[MSAL] ClientId"),
        (&[90002], "no such directory", "[MSAL] Tenant"),
        (&[50194], "for one directory", "[MSAL] Tenant"),
        (&[28002, 70011], "the scope is not one", "[MSAL] Scopes"),
        (&[500011], "the service that the scope", "[MSAL] Scopes"),
        (&[50011], "the redirect address", "http://localhost"),
    ];
    const BY_A_SECRET: [Said; 2] = [
        (
            &[7000215],
            "the application's secret is wrong",
            "with: smartemail -seal:MSAL.ClientSecret",
        ),
        (
            &[7000222],
            "the application's secret has expired",
            "with: smartemail -seal:MSAL.ClientSecret",
        ),
    ];
    const BY_A_PASSWORD: [Said; 8] = [
        (
            &[50126],
            "the password is wrong",
            "with: smartemail -seal:smtp-client.password",
        ),
        (
            &[50055],
            "sign in once in a browser",
            "with: smartemail -seal:smtp-client.password",
        ),
        (&[50034], "no such user", "check user and directory-id"),
        (&[50053], "locked", "have it unlocked"),
        (&[50057], "disabled", "have the administrator enable it"),
        (
            &[50072, 50074, 50076, 50079],
            "which a program can't give",
            "grant-type=client_credentials",
        ),
        (
            &[53000, 53001, 53002, 53003, 53004, 530035],
            "a Conditional Access policy",
            "grant-type=client_credentials",
        ),
        (
            &[65001],
            "nobody has consented",
            "have an administrator grant consent in Microsoft Entra",
        ),
    ];
    const BY_A_REFRESH_TOKEN: [Said; 1] = [(
        OVER,
        "the sign-in that the refresh token came from is over",
        "with: smartemail -seal:MSAL.RefreshToken",
    )];

    #[test]
    fn each_number_has_its_message_and_says_what_helps() {
        let secret = || Secret::new("s".into());
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let cache = Cache::at(place("cache"), Keeper::at(place("key")));
        let by_password = Grant::Password {
            user: "u".into(),
            password: secret(),
        };
        let by_refresh_token = Grant::Refresh {
            secret: None,
            token: secret(),
        };
        for (grant, names, table) in [
            (Grant::SignedIn { cache }, Names::Msal, &BY_A_PERSON[..]),
            (by_secret(), Names::Msal, &BY_A_SECRET),
            (by_password, Names::SmtpClient, &BY_A_PASSWORD),
            (by_refresh_token, Names::Msal, &BY_A_REFRESH_TOKEN),
        ] {
            let mut messages = BTreeSet::new();
            for (numbers, words, help) in table {
                for number in *numbers {
                    let told = advice(Some(*number), "invalid_grant", &grant, &names);
                    assert!(
                        told.contains(words) && told.contains(help),
                        "{number}: {told}"
                    );
                    messages.insert(told);
                }
            }
            assert_eq!(messages.len(), table.len(), "one message for each meaning");
        }
    }

    fn by_secret() -> Grant {
        Grant::ClientCredentials {
            secret: Secret::new("s".into()),
        }
    }

    #[test]
    fn the_number_says_more_than_the_name() {
        let told = |number, error| advice(number, error, &by_secret(), &Names::SmtpClient);
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
