//! How messages name the settings that they are about: every section spells them in its own way.

/// The section that the settings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// `[smtp-client]`.
    SmtpClient,
    /// `[MSAL]`.
    Msal,
}

impl Names {
    /// Puts the names into a text that has places for them, such as `{scope}`.
    pub(super) fn fill(&self, text: &str) -> String {
        let names: [(&str, &str); 10] = match self {
            Self::SmtpClient => [
                ("{user}", "user"),
                ("{password}", "password"),
                ("{client}", "client-id"),
                ("{directory}", "directory-id"),
                ("{authority}", "tenant-authority"),
                ("{scope}", "scope"),
                ("{grant}", "grant-type"),
                ("{set secret}", "smartemail -seal:smtp-client.password"),
                (
                    "{new token}",
                    "get a new one and set it with: smartemail -seal:smtp-client.password",
                ),
                ("{sign in}", "sign in again and store the new token"),
            ],
            Self::Msal => [
                ("{user}", "[Mail] User"),
                ("{password}", "its password"),
                ("{client}", "[MSAL] ClientId"),
                ("{directory}", "[MSAL] Tenant"),
                ("{authority}", "[MSAL] Authority"),
                ("{scope}", "[MSAL] Scopes"),
                ("{grant}", "[MSAL] GrantType"),
                ("{set secret}", "smartemail -seal:MSAL.ClientSecret"),
                (
                    "{new token}",
                    "get a new one (see the README) and set it with: smartemail -seal:MSAL.RefreshToken",
                ),
                (
                    "{sign in}",
                    "sign in, as the user that runs the job, with: smartemail --renewMsalToken",
                ),
            ],
        };
        names.iter().fold(text.to_owned(), |text, (place, name)| {
            text.replace(place, name)
        })
    }
}
