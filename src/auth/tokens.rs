//! What a token endpoint grants, and whose it is.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    EndpointNotSet, ExtraTokenFields, StandardRevocableToken, StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};

use crate::net::clean;
use crate::secret::Secret;

/// How long a token is taken for good whose lifetime the server does not tell: for longer than the
/// margin in which tokens are renewed, or each use would ask for another one.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(600);
/// A lifetime beyond this is not believed, so that times can be added.
const LONGEST_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a token endpoint granted.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub(super) access: Secret,
    pub(super) lifetime: Duration,
    /// What the token is good for, if the server says so: without, what was asked for.
    pub(super) scope: Option<String>,
    /// Good for further tokens.
    pub(super) refresh: Option<Secret>,
    /// Who signed in (OpenID Connect Core 1.0, section 2).
    pub(super) id_token: Option<Secret>,
    /// The same in Microsoft's words.
    client_info: Option<String>,
}

/// Who signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The account's name for people, most often its address; blank where it is not told.
    pub username: String,
    /// The account in its home directory, `uid.utid` with Microsoft. It stays the same when the
    /// account gets another name.
    pub home_account_id: String,
    /// The account in the directory that it signed in to.
    pub(super) local_account_id: String,
    /// That directory; blank where it is not told.
    pub(super) realm: String,
}

impl Person {
    /// What the account is called; its ID where it has no name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.username.as_str() {
            "" => &self.home_account_id,
            name => name,
        }
    }

    /// The account in a message that names another one too. A work account and a private one may
    /// have the same name.
    pub(super) fn told_from(&self, other: &Self) -> String {
        let (name, id) = (
            clean(&self.username, 200),
            clean(&self.home_account_id, 200),
        );
        match name.as_str() {
            "" => id,
            _ if self.username == other.username => format!("{name} ({id})"),
            _ => name,
        }
    }
}

/// The answer's fields beyond RFC 6749.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Extra {
    id_token: Option<String>,
    client_info: Option<String>,
}

impl ExtraTokenFields for Extra {}

impl std::fmt::Debug for Extra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Extra(***)")
    }
}

/// An answer of the token endpoint.
pub(super) type Answer = StandardTokenResponse<Extra, BasicTokenType>;

/// The client of the oauth2 crate for such answers.
pub(super) type Client<
    Authorize = EndpointNotSet,
    Device = EndpointNotSet,
    Token = EndpointNotSet,
> = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Authorize,
    Device,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

impl From<&Answer> for Tokens {
    fn from(answer: &Answer) -> Self {
        let secret = |text: &String| Secret::new(text.clone());
        let lifetime = answer.expires_in().unwrap_or(UNTOLD_LIFETIME);
        Self {
            access: secret(answer.access_token().secret()),
            lifetime: lifetime.min(LONGEST_LIFETIME),
            scope: answer.scopes().map(|scopes| {
                let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
                names.join(" ")
            }),
            refresh: answer.refresh_token().map(|token| secret(token.secret())),
            id_token: answer.extra_fields().id_token.as_ref().map(secret),
            client_info: answer.extra_fields().client_info.clone(),
        }
    }
}

/// The claims of an ID token that are of use here
/// (learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    preferred_username: Option<String>,
    upn: Option<String>,
    email: Option<String>,
    oid: Option<String>,
    tid: Option<String>,
    sub: Option<String>,
}

/// The account in Microsoft's words.
#[derive(Deserialize)]
struct ClientInfo {
    uid: String,
    utid: String,
}

impl Tokens {
    /// Who signed in, as far as it is told. The claims are taken at their word, since they came
    /// from the token endpoint itself over TLS (OpenID Connect Core 1.0, section 3.1.3.7); they
    /// name the account and decide nothing.
    pub(super) fn person(&self) -> Option<Person> {
        let token = self.id_token.as_ref()?.expose();
        let claims: Claims = decoded(token.split('.').nth(1)?)?;
        let local = claims.oid.or(claims.sub)?;
        let realm = claims.tid.unwrap_or_default();
        let home = match self.client_info.as_deref().and_then(decoded::<ClientInfo>) {
            Some(info) => format!("{}.{}", info.uid, info.utid),
            None if realm.is_empty() => local.clone(),
            None => format!("{local}.{realm}"),
        };
        let names = [claims.preferred_username, claims.upn, claims.email];
        Some(Person {
            username: names.into_iter().flatten().next().unwrap_or_default(),
            home_account_id: home,
            local_account_id: local,
            realm,
        })
    }
}

/// The permissions that an application's access token of Microsoft names
/// (learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
pub(super) fn roles(access_token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        roles: Vec<String>,
    }
    let claims: Claims = decoded(access_token.split('.').nth(1)?)?;
    Some(claims.roles.join(" "))
}

fn decoded<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(claims: &str, client_info: Option<&str>) -> Tokens {
        let encoded = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        Tokens {
            access: Secret::new("at".into()),
            lifetime: UNTOLD_LIFETIME,
            scope: None,
            refresh: None,
            id_token: Some(Secret::new(format!("e30.{}.c2ln", encoded(claims)))),
            client_info: client_info.map(encoded),
        }
    }

    #[test]
    fn the_person_is_named_by_the_id_token() {
        let claims = r#"{"oid":"o","tid":"t","sub":"s","preferred_username":"a@b.test"}"#;
        let person = tokens(claims, Some(r#"{"uid":"u","utid":"ut"}"#))
            .person()
            .unwrap();
        assert_eq!(person.username, "a@b.test");
        assert_eq!(person.home_account_id, "u.ut");
        assert_eq!(person.local_account_id, "o");
        assert_eq!(person.realm, "t");
        let person = tokens(claims, None).person().unwrap();
        assert_eq!(person.home_account_id, "o.t");
        let person = tokens(r#"{"sub":"s"}"#, None).person().unwrap();
        assert_eq!(
            (person.home_account_id.as_str(), person.username.as_str()),
            ("s", "")
        );
    }

    #[test]
    fn two_accounts_are_told_apart() {
        let person = |name: &str, id: &str| Person {
            username: name.into(),
            home_account_id: id.into(),
            ..Person::default()
        };
        let work = person("a@b.test", "u.work");
        for (other, told) in [
            (person("c@b.test", "v.work"), "a@b.test"),
            (person("a@b.test", "u.private"), "a@b.test (u.work)"),
        ] {
            assert_eq!(work.told_from(&other), told);
        }
        assert_eq!(person("", "v.x").told_from(&work), "v.x");
    }

    #[test]
    fn an_applications_permissions_stand_in_its_token() {
        let claims =
            BASE64URL_NOPAD.encode(br#"{"aud":"x","roles":["Mail.ReadWrite","Mail.Send"]}"#);
        let told = roles(&format!("e30.{claims}.c2ln"));
        assert_eq!(told.as_deref(), Some("Mail.ReadWrite Mail.Send"));
        for opaque in ["", "opaque", "e30.e30.c2ln", "a.!.c"] {
            assert_eq!(roles(opaque), None, "{opaque}");
        }
    }

    #[test]
    fn a_broken_id_token_names_nobody() {
        for claims in ["", "[]", "{", r#"{"email":"a@b.test"}"#] {
            assert_eq!(tokens(claims, None).person(), None, "{claims}");
        }
    }
}
