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
        /// The address of its token endpoint for one directory.
        token: String,
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
    /// `tenant-authority` is neither.
    #[error(
        "tenant-authority={0} is neither Google nor an address such as https://login.microsoftonline.com"
    )]
    NoAddress(String),
    /// `directory-id` is missing.
    #[error(
        "directory-id is missing: it is the directory (tenant) ID of the application in Microsoft Entra"
    )]
    NoDirectory,
    /// `directory-id` is not one.
    #[error("directory-id={0} is not the ID or the domain name of a directory")]
    BadDirectory(String),
}

impl Authority {
    /// Reads `tenant-authority` and `directory-id`.
    ///
    /// A value with "google" in it, in any case, is Google, whatever else it says. Only an
    /// address of this machine is taken at its word then: its path `/token` stands in for
    /// Google's endpoint, for a gateway or a test.
    ///
    /// # Errors
    /// The value is neither Google nor an address, or the directory is missing.
    pub fn of(tenant_authority: &str, directory_id: &str) -> Result<Self, AuthorityError> {
        let given = tenant_authority.trim();
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
        if address.is_none() {
            return Err(AuthorityError::NoAddress(clean(given, 200)));
        }
        let directory = directory_id.trim();
        if directory.is_empty() {
            return Err(AuthorityError::NoDirectory);
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !directory.chars().all(is_plain) {
            return Err(AuthorityError::BadDirectory(clean(directory, 200)));
        }
        Ok(Self::Microsoft {
            token: format!("{base}/{directory}/oauth2/v2.0/token"),
        })
    }

    /// The address of the token endpoint.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        match self {
            Self::Microsoft { token } | Self::Google { token } => token,
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
            assert_eq!(
                of(base, "contoso.example").unwrap().token_endpoint(),
                "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
            );
        }
        let base = "https://login.microsoftonline.us";
        assert_eq!(of(base, " "), Err(AuthorityError::NoDirectory));
        let bad = AuthorityError::BadDirectory("a/b?c".into());
        assert_eq!(of(base, "a/b?c"), Err(bad));
        let bad = AuthorityError::NoAddress("login.microsoftonline.com".into());
        assert_eq!(of("login.microsoftonline.com", "x"), Err(bad));
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
