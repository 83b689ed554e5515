//! An account as MSAL's unified token cache writes it: JSON that every MSAL reads
//! (github.com/AzureAD/microsoft-authentication-library-for-python, msal/token_cache.py).
//!
//! Keys are in lower case, times are strings of seconds since 1970.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::cache::{Access, Account, Refresh};
use super::tokens::Person;
use crate::secret::Secret;

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Unified {
    access_token: BTreeMap<String, AccessToken>,
    refresh_token: BTreeMap<String, RefreshToken>,
    id_token: BTreeMap<String, IdToken>,
    account: BTreeMap<String, AccountEntry>,
    app_metadata: BTreeMap<String, AppMetadata>,
}

#[derive(Serialize, Deserialize)]
struct AccessToken {
    credential_type: String,
    #[serde(with = "revealed")]
    secret: Secret,
    home_account_id: String,
    environment: String,
    client_id: String,
    target: String,
    realm: String,
    #[serde(default)]
    token_type: String,
    cached_at: String,
    expires_on: String,
}

#[derive(Serialize, Deserialize)]
struct RefreshToken {
    credential_type: String,
    #[serde(with = "revealed")]
    secret: Secret,
    home_account_id: String,
    environment: String,
    client_id: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    last_modification_time: String,
}

#[derive(Serialize, Deserialize)]
struct IdToken {
    credential_type: String,
    #[serde(with = "revealed")]
    secret: Secret,
    home_account_id: String,
    environment: String,
    client_id: String,
    realm: String,
}

#[derive(Serialize, Deserialize)]
struct AccountEntry {
    home_account_id: String,
    environment: String,
    realm: String,
    #[serde(default)]
    local_account_id: String,
    username: String,
    authority_type: String,
}

#[derive(Serialize, Deserialize)]
struct AppMetadata {
    client_id: String,
    environment: String,
}

/// Secrets are written out here and nowhere else: what this gives is sealed before it is stored.
mod revealed {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::secret::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

/// The account in MSAL's form.
pub(super) fn write(account: &Account) -> Zeroizing<String> {
    let Account {
        environment,
        client_id,
        person,
        access,
        refresh,
        id_token,
    } = account;
    let home = &person.home_account_id;
    let realm = &person.realm;
    let entry = |kind: &str, rest: &str| {
        format!("{home}-{environment}-{kind}-{client_id}-{rest}").to_lowercase()
    };
    let mut unified = Unified::default();
    if let Some(access) = access {
        let key = entry("accesstoken", &format!("{realm}-{}", access.scope));
        let token = AccessToken {
            credential_type: "AccessToken".into(),
            secret: access.token.clone(),
            home_account_id: home.clone(),
            environment: environment.clone(),
            client_id: client_id.clone(),
            target: access.scope.clone(),
            realm: realm.clone(),
            token_type: "Bearer".into(),
            cached_at: access.cached_at.to_string(),
            expires_on: access.expires_on.to_string(),
        };
        unified.access_token.insert(key, token);
    }
    if let Some(refresh) = refresh {
        let key = entry("refreshtoken", &format!("-{}", refresh.scope));
        let token = RefreshToken {
            credential_type: "RefreshToken".into(),
            secret: refresh.token.clone(),
            home_account_id: home.clone(),
            environment: environment.clone(),
            client_id: client_id.clone(),
            target: refresh.scope.clone(),
            last_modification_time: refresh.cached_at.to_string(),
        };
        unified.refresh_token.insert(key, token);
    }
    if let Some(id_token) = id_token {
        let token = IdToken {
            credential_type: "IdToken".into(),
            secret: id_token.clone(),
            home_account_id: home.clone(),
            environment: environment.clone(),
            client_id: client_id.clone(),
            realm: realm.clone(),
        };
        let key = entry("idtoken", &format!("{realm}-"));
        unified.id_token.insert(key, token);
    }
    let named = AccountEntry {
        home_account_id: home.clone(),
        environment: environment.clone(),
        realm: realm.clone(),
        local_account_id: person.local_account_id.clone(),
        username: person.username.clone(),
        authority_type: "MSSTS".into(),
    };
    let key = format!("{home}-{environment}-{realm}").to_lowercase();
    unified.account.insert(key, named);
    let application = AppMetadata {
        client_id: client_id.clone(),
        environment: environment.clone(),
    };
    let key = format!("appmetadata-{environment}-{client_id}").to_lowercase();
    unified.app_metadata.insert(key, application);
    // Maps with texts for keys and values can always be written.
    Zeroizing::new(serde_json::to_string(&unified).unwrap_or_default())
}

/// The account of an application at an authority.
///
/// # Errors
/// The text is not in MSAL's form. `Ok(None)`: it is, but holds no such account.
pub(super) fn read(
    text: &str,
    environment: &str,
    client_id: &str,
) -> Result<Option<Account>, serde_json::Error> {
    let unified: Unified = serde_json::from_str(text)?;
    let is_here = |its: &str, client: &str| its == environment && client == client_id;
    let is_app = |app: &AppMetadata| is_here(&app.environment, &app.client_id);
    if !unified.app_metadata.values().any(is_app) {
        return Ok(None);
    }
    let account = unified.account.into_values();
    let Some(account) = { account }.find(|account| account.environment == environment) else {
        return Ok(None);
    };
    let home = account.home_account_id.clone();
    let access = unified.access_token.into_values().find(|token| {
        token.home_account_id == home && is_here(&token.environment, &token.client_id)
    });
    let refresh = unified.refresh_token.into_values().find(|token| {
        token.home_account_id == home && is_here(&token.environment, &token.client_id)
    });
    let id_token = unified.id_token.into_values().find(|token| {
        token.home_account_id == home && is_here(&token.environment, &token.client_id)
    });
    let seconds = |text: &str| text.parse().unwrap_or(0);
    Ok(Some(Account {
        environment: environment.to_owned(),
        client_id: client_id.to_owned(),
        person: Person {
            username: account.username,
            home_account_id: home,
            local_account_id: account.local_account_id,
            realm: account.realm,
        },
        access: access.map(|token| Access {
            cached_at: seconds(&token.cached_at),
            expires_on: seconds(&token.expires_on),
            token: token.secret,
            scope: token.target,
        }),
        refresh: refresh.map(|token| Refresh {
            cached_at: seconds(&token.last_modification_time),
            token: token.secret,
            scope: token.target,
        }),
        id_token: id_token.map(|token| token.secret),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        let secret = |text: &str| Secret::new(text.into());
        Account {
            environment: "login.microsoftonline.com".into(),
            client_id: "App-1".into(),
            person: Person {
                username: "Alice@example.test".into(),
                home_account_id: "UID.UTID".into(),
                local_account_id: "oid".into(),
                realm: "tenant".into(),
            },
            access: Some(Access {
                token: secret("at"),
                scope: "Mail.ReadWrite openid".into(),
                cached_at: 1_760_000_000,
                expires_on: 1_760_004_000,
            }),
            refresh: Some(Refresh {
                token: secret("rt"),
                scope: "Mail.ReadWrite openid".into(),
                cached_at: 1_760_000_000,
            }),
            id_token: Some(secret("e30.e30.")),
        }
    }

    #[test]
    fn the_form_is_that_of_msal() {
        let text = write(&account());
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let keys = |name: &str| {
            let map = json[name].as_object().unwrap();
            map.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(
            keys("AccessToken"),
            ["uid.utid-login.microsoftonline.com-accesstoken-app-1-tenant-mail.readwrite openid"]
        );
        assert_eq!(
            keys("RefreshToken"),
            ["uid.utid-login.microsoftonline.com-refreshtoken-app-1--mail.readwrite openid"]
        );
        assert_eq!(
            keys("IdToken"),
            ["uid.utid-login.microsoftonline.com-idtoken-app-1-tenant-"]
        );
        assert_eq!(
            keys("Account"),
            ["uid.utid-login.microsoftonline.com-tenant"]
        );
        assert_eq!(
            keys("AppMetadata"),
            ["appmetadata-login.microsoftonline.com-app-1"]
        );
        let token = &json["AccessToken"][&keys("AccessToken")[0]];
        assert_eq!(token["expires_on"], "1760004000");
        assert_eq!(token["target"], "Mail.ReadWrite openid");
    }

    #[test]
    fn what_is_written_is_read_back_for_its_application_alone() {
        let before = account();
        let text = write(&before);
        let read_for = |environment, client| read(&text, environment, client).unwrap();
        let after = read_for("login.microsoftonline.com", "App-1").unwrap();
        assert_eq!(after, before);
        assert_eq!(read_for("login.microsoftonline.com", "App-2"), None);
        assert_eq!(read_for("login.microsoftonline.us", "App-1"), None);
        assert_eq!(read("{}", "e", "c").unwrap(), None);
        assert!(read("{\"Account\":[]}", "e", "c").is_err());
    }

    /// MSAL's own example, with entries and fields that are not written here.
    #[test]
    fn what_another_msal_wrote_is_read() {
        let text = r#"{"RefreshToken":{"k":{"credential_type":"RefreshToken","secret":"RT","home_account_id":"u.t",
            "environment":"login.test","client_id":"c","target":"a b","last_modification_time":"5","family_id":"1"}},
            "Account":{"k":{"home_account_id":"u.t","environment":"login.test","realm":"t","local_account_id":"u",
            "username":"opcon@example.com","authority_type":"MSSTS","account_source":"x"}},
            "AppMetadata":{"k":{"client_id":"c","environment":"login.test"}},"Other":{}}"#;
        let account = read(text, "login.test", "c").unwrap().unwrap();
        assert_eq!(account.person.username, "opcon@example.com");
        assert_eq!(account.refresh.unwrap().token.expose(), "RT");
        assert_eq!(account.access, None);
    }
}
