//! Who issues tokens, and where.

use crate::net::clean;
use crate::net::http::{Uri, is_this_machine};

/// Google's one token endpoint (developers.google.com/identity/protocols/oauth2).
const GOOGLE: &str = "https://oauth2.googleapis.com/token";

/// Who issues tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The Microsoft identity platform.
    Microsoft {
        /// Its address, without a slash at the end.
        base: String,
        /// The directory (tenant): its ID or domain, or one of the common ones.
        directory: String,
    },
    /// Google.
    Google {
        /// The address of its token endpoint.
        token: String,
    },
}

/// Settings that do not lead to a token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// The authority is neither.
    #[error(
        "the authority {0} is neither Google nor an address such as https://login.microsoftonline.com"
    )]
    NoAddress(String),
    /// Passwords and tokens do not cross a network in clear text.
    #[error(
        "the authority {0} would be asked in clear text: write https:// (http:// is for this machine itself only)"
    )]
    ClearText(String),
    /// The directory is missing.
    #[error(
        "the directory is missing: it is the directory (tenant) ID of the application in Microsoft Entra"
    )]
    NoDirectory,
    /// The directory is not one.
    #[error("{0} is not the ID or the domain name of a directory")]
    BadDirectory(String),
}

impl Authority {
    /// Reads the authority (`tenant-authority`, `Authority`) and the directory (`directory-id`,
    /// `Tenant`).
    ///
    /// A value with "google" in it, in any case, is Google, whatever else it says. Only an
    /// address of this machine is taken at its word then: its path `/token` stands in for
    /// Google's endpoint, for a gateway or a test.
    ///
    /// # Errors
    /// The value is neither Google nor an address, or the directory is missing.
    pub fn of(authority: &str, directory: &str) -> Result<Self, AuthorityError> {
        let given = authority.trim();
        let base = given.trim_end_matches('/');
        let address = base.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
        });
        if given.to_ascii_lowercase().contains("google") {
            return Ok(Self::Google {
                token: match address {
                    Some(uri) if is_this_machine(&uri) => format!("{base}/token"),
                    _ => GOOGLE.to_owned(),
                },
            });
        }
        match address {
            None => return Err(AuthorityError::NoAddress(clean(given, 200))),
            Some(uri) if uri.scheme_str() == Some("http") && !is_this_machine(&uri) => {
                return Err(AuthorityError::ClearText(clean(given, 200)));
            }
            Some(_) => {}
        }
        let directory = directory.trim();
        if directory.is_empty() {
            return Err(AuthorityError::NoDirectory);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !directory.chars().all(is_plain) {
            return Err(AuthorityError::BadDirectory(clean(directory, 200)));
        }
        Ok(Self::Microsoft {
            base: base.to_owned(),
            directory: directory.to_owned(),
        })
    }

    /// The address of the token endpoint.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        match self {
            Self::Microsoft { .. } => self.microsoft("token").unwrap_or_default(),
            Self::Google { token } => token.clone(),
        }
    }

    /// Where a person signs in by a browser (RFC 6749, section 3.1).
    pub(super) fn sign_in_page(&self) -> Option<String> {
        self.microsoft("authorize")
    }

    /// Where a code for another device is asked for (RFC 8628, section 3.1).
    pub(super) fn device_endpoint(&self) -> Option<String> {
        self.microsoft("devicecode")
    }

    /// Host and, if it is not the usual one, port.
    pub(super) fn host(&self) -> String {
        let address = match self {
            Self::Microsoft { base, .. } => base,
            Self::Google { token } => token,
        };
        let host = address.split('/').nth(2).unwrap_or(address);
        clean(host, 200)
    }

    /// The directory, as the settings name it.
    pub(super) fn directory(&self) -> &str {
        match self {
            Self::Microsoft { directory, .. } => directory,
            Self::Google { .. } => "",
        }
    }

    /// An endpoint of the Microsoft identity platform.
    fn microsoft(&self, endpoint: &str) -> Option<String> {
        match self {
            Self::Microsoft { base, directory } => {
                Some(format!("{base}/{directory}/oauth2/v2.0/{endpoint}"))
            }
            Self::Google { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microsoft_has_an_endpoint_for_each_directory() {
        let of = |base, directory| Authority::of(base, directory);
        for base in [
            "https://login.microsoftonline.com",
            " https://login.microsoftonline.com/ ",
        ] {
            let authority = of(base, "contoso.example").unwrap();
            assert_eq!(
                authority.token_endpoint(),
                "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
            );
            assert_eq!(authority.host(), "login.microsoftonline.com");
        }
        let base = "https://login.microsoftonline.us";
        assert_eq!(of(base, " "), Err(AuthorityError::NoDirectory));
        let bad = AuthorityError::BadDirectory("a/b?c".into());
        assert_eq!(of(base, "a/b?c"), Err(bad));
        let bad = AuthorityError::NoAddress("login.microsoftonline.com".into());
        assert_eq!(of("login.microsoftonline.com", "x"), Err(bad));
    }

    /// learn.microsoft.com/graph/deployments: each cloud has a sign-in of its own.
    #[test]
    fn each_cloud_is_asked_at_its_own_address() {
        for host in [
            "login.microsoftonline.com",
            "login.microsoftonline.us",
            "login.partner.microsoftonline.cn",
        ] {
            let authority = Authority::of(&format!("https://{host}"), "contoso").unwrap();
            let base = format!("https://{host}/contoso/oauth2/v2.0");
            assert_eq!(authority.host(), host);
            assert_eq!(authority.token_endpoint(), format!("{base}/token"));
            assert_eq!(authority.sign_in_page(), Some(format!("{base}/authorize")));
            assert_eq!(
                authority.device_endpoint(),
                Some(format!("{base}/devicecode"))
            );
        }
    }

    #[test]
    fn clear_text_is_for_this_machine() {
        for base in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]"] {
            assert!(Authority::of(base, "contoso").is_ok(), "{base}");
        }
        for base in ["http://login.microsoftonline.com", "http://localhost.test"] {
            let bad = AuthorityError::ClearText(base.into());
            assert_eq!(Authority::of(base, "contoso"), Err(bad));
        }
    }

    #[test]
    fn google_is_known_by_its_name() {
        for given in [
            "Google",
            "https://accounts.GOOGLE.com",
            "https://oauth2.googleapis.com/token",
        ] {
            assert_eq!(Authority::of(given, "").unwrap().token_endpoint(), GOOGLE);
        }
        assert_eq!(
            Authority::of("http://127.0.0.1:1234/google/", "").unwrap(),
            Authority::Google {
                token: "http://127.0.0.1:1234/google/token".into()
            }
        );
    }
}
