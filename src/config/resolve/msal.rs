//! `[MSAL]`: how tokens of the mailbox are had.

use std::time::Duration;

use super::{Resolver, Told};
use crate::auth::{self, Authority, AuthorityError, Cache, Certificate, Grant, Names, TokenSource};
use crate::config::keys::{self, Key};
use crate::config::places::token_cache;
use crate::config::problem::Severity;
use crate::config::settings::GraphAccount;
use crate::config::values::is_set;
use crate::net::http::{self, Limits, Uri};
use crate::send::graph::Access;

const SECTION: &str = "MSAL";
/// Tokens are renewed so long before they expire.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// These say that somebody signs in, who it is and that it lasts.
const FOR_A_PERSON: &str = "offline_access openid profile";
/// Names for more than one directory.
const COMMON: [&str; 3] = ["common", "organizations", "consumers"];

/// What tokens are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// Graph, by its address.
    Graph(String),
    Imap,
    Pop,
}

/// `GrantType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GrantType {
    SignedIn,
    ClientCredentials,
    RefreshToken,
}

impl Resolver<'_> {
    /// A mailbox that is read through Graph.
    pub(super) fn graph_account(&mut self, limits: Limits) -> Option<GraphAccount> {
        let endpoint = self.graph_endpoint();
        // With a wrong address the rest is looked at all the same.
        let resource = Resource::Graph(endpoint.clone().unwrap_or_default());
        let tokens = self.tokens(resource, limits);
        let retries = self.retries();
        let mut reader = self.reader(SECTION, Severity::Fatal);
        let permanent_delete = reader.boolean(&keys::PERMANENT_DELETE);
        let mailbox = self.secret("Mail", &keys::USER, false, Severity::Fatal);
        let (settings, endpoint) = tokens.zip(endpoint)?;
        let mailbox = mailbox.ok()?.map(|user| user.expose().to_owned());
        if mailbox.is_none() && settings.acts_for_itself() {
            let message = "is not set: it is the mailbox to read, since with GrantType=client_credentials nobody is \
                           signed in";
            self.problems
                .add(Severity::Fatal, None, "[Mail] User", message);
            return None;
        }
        let acts_for_itself = settings.acts_for_itself();
        let tokens = TokenSource::new(settings, self.trace.clone());
        let (access, sender) = if acts_for_itself {
            (Access::Application, mailbox.clone())
        } else {
            let holder = tokens.holder().ok().flatten();
            let name = holder.map(|person| person.username.clone());
            (Access::Delegated, name.filter(|name| !name.is_empty()))
        };
        Some(GraphAccount {
            access,
            sender,
            tokens,
            limits,
            endpoint,
            mailbox,
            permanent_delete,
            retries,
        })
    }

    /// How tokens for a resource are had.
    pub(super) fn tokens(&mut self, resource: Resource, limits: Limits) -> Option<auth::Settings> {
        let mut reader = self.reader(SECTION, Severity::Fatal);
        let client_id = reader.text(&keys::CLIENT_ID).map(str::to_owned);
        let grant_type = reader.parsed(
            &keys::GRANT_TYPE,
            "client_credentials, refresh_token or blank",
            grant_type,
        );
        let is_wrong = grant_type.is_none() && reader.entry(&keys::GRANT_TYPE).is_some();
        let grant_type = grant_type.unwrap_or(GrantType::SignedIn);
        let scopes = reader.text(&keys::SCOPES).map(str::to_owned);
        if client_id.is_none() {
            self.missing(
                &keys::CLIENT_ID,
                "register the application (see the README, Microsoft 365) and put its Application (client) ID here",
            );
        }
        let authority = self.authority(grant_type);
        let grant = (!is_wrong).then(|| self.grant(grant_type)).flatten();
        let client_id = client_id?;
        let scope = scope(&resource, grant_type, scopes.as_deref());
        Some(auth::Settings {
            authority: authority?,
            client_id,
            grant: grant?,
            scope,
            margin: MARGIN,
            limits,
            names: Names::Msal,
        })
    }

    fn authority(&mut self, grant_type: GrantType) -> Option<Authority> {
        let reader = self.reader(SECTION, Severity::Fatal);
        let given = reader.text(&keys::AUTHORITY).unwrap_or_default();
        let tenant = reader.text(&keys::TENANT).unwrap_or_default();
        let (key, message): (&'static Key, _) = match Authority::of(given, tenant) {
            Ok(Authority::Google { .. }) if grant_type != GrantType::RefreshToken => (
                &keys::GRANT_TYPE,
                "has to be refresh_token when Authority is Google".to_owned(),
            ),
            Ok(Authority::Microsoft { directory, .. })
                if grant_type == GrantType::ClientCredentials
                    && COMMON
                        .iter()
                        .any(|name| directory.eq_ignore_ascii_case(name)) =>
            {
                let message = format!(
                    "{directory} stands for many directories: GrantType=client_credentials needs the ID of the one \
                     that the mailbox is in"
                );
                (&keys::TENANT, message)
            }
            Ok(authority) => return Some(authority),
            Err(error @ (AuthorityError::NoAddress(_) | AuthorityError::ClearText(_))) => {
                (&keys::AUTHORITY, error.to_string())
            }
            Err(error @ (AuthorityError::NoDirectory | AuthorityError::BadDirectory(_))) => {
                (&keys::TENANT, error.to_string())
            }
        };
        let line = reader.entry(key).map(|entry| entry.line);
        let place = format!("[{SECTION}] {}", key.name);
        reader.problems.add(Severity::Fatal, line, place, message);
        None
    }

    pub(super) fn graph_endpoint(&mut self) -> Option<String> {
        let mut reader = self.reader(SECTION, Severity::Fatal);
        let expected = "an address such as https://graph.microsoft.com (http:// is for this machine itself only)";
        reader.parsed(&keys::GRAPH_ENDPOINT, expected, |value| {
            let base = value.trim_end_matches('/');
            let uri = base.parse::<Uri>().ok()?;
            let is_plain = uri.path() == "/" && uri.query().is_none();
            (is_plain && http::check(base).is_ok()).then(|| base.to_owned())
        })
    }

    fn grant(&mut self, grant_type: GrantType) -> Option<Grant> {
        match grant_type {
            GrantType::SignedIn => {
                let path = token_cache(self.ini, self.environment);
                let cache = Cache::at(path, self.keeper.personal());
                Some(Grant::SignedIn { cache })
            }
            GrantType::ClientCredentials => self.client_credentials(),
            GrantType::RefreshToken => {
                let secret = self.secret(SECTION, &keys::CLIENT_SECRET, true, Severity::Fatal);
                let token = self.secret(SECTION, &keys::REFRESH_TOKEN, true, Severity::Fatal);
                let Some(token) = token.ok()? else {
                    let what = "with GrantType=refresh_token it has to be: set it with: smartemail \
                                -seal:MSAL.RefreshToken";
                    self.missing(&keys::REFRESH_TOKEN, what);
                    return None;
                };
                let secret = secret.ok()?;
                Some(Grant::Refresh { secret, token })
            }
        }
    }

    fn client_credentials(&mut self) -> Option<Grant> {
        let secret = self.secret(SECTION, &keys::CLIENT_SECRET, true, Severity::Fatal);
        let mut reader = self.reader(SECTION, Severity::Fatal);
        let is_certified = reader.text(&keys::CLIENT_CERTIFICATE).is_some();
        let has_key = reader.text(&keys::CLIENT_KEY).is_some();
        let certificate = reader.path(&keys::CLIENT_CERTIFICATE);
        let key = reader.path(&keys::CLIENT_KEY);
        match (secret, is_certified) {
            (Err(Told), _) => None,
            (Ok(Some(_)), true) => {
                let message = "is set beside ClientSecret: the application shows one or the other; leave one blank";
                let line = reader.entry(&keys::CLIENT_CERTIFICATE)?.line;
                reader.wrong(line, &keys::CLIENT_CERTIFICATE, message);
                None
            }
            (Ok(Some(secret)), false) => Some(Grant::ClientCredentials { secret }),
            (Ok(None), true) => {
                let certificate = certificate?;
                let key = if has_key { key? } else { certificate.clone() };
                match Certificate::read(&certificate, &key) {
                    Ok(certificate) => Some(Grant::ClientAssertion { certificate }),
                    Err(error) => {
                        let line = reader.entry(&keys::CLIENT_CERTIFICATE)?.line;
                        reader.wrong(line, &keys::CLIENT_CERTIFICATE, error.to_string());
                        None
                    }
                }
            }
            (Ok(None), false) => {
                let what = "with GrantType=client_credentials it has to be, unless there is a ClientCertificate: set \
                            it with: smartemail -seal:MSAL.ClientSecret";
                self.missing(&keys::CLIENT_SECRET, what);
                None
            }
        }
    }

    fn missing(&mut self, key: &'static Key, what: &str) {
        let place = format!("[{SECTION}] {}", key.name);
        let message = format!("is not set: {what}");
        self.problems.add(Severity::Fatal, None, place, message);
    }
}

fn grant_type(value: &str) -> Option<GrantType> {
    match value.to_ascii_lowercase().as_str() {
        "client_credentials" => Some(GrantType::ClientCredentials),
        "refresh_token" => Some(GrantType::RefreshToken),
        _ => None,
    }
}

/// What a token is asked for. A permission of Graph may stand without its address, as in
/// Microsoft's own pages; other clouds than the global one want it in full.
fn scope(resource: &Resource, grant_type: GrantType, given: Option<&str>) -> String {
    let full = |name: &str| {
        let is_complete = name.contains("://") || FOR_A_PERSON.split(' ').any(|own| own == name);
        match resource {
            Resource::Graph(endpoint) if !is_complete => format!("{endpoint}/{name}"),
            _ => name.to_owned(),
        }
    };
    let usual = match (resource, grant_type) {
        (Resource::Graph(_), GrantType::ClientCredentials) => ".default",
        (_, GrantType::ClientCredentials) => "https://outlook.office365.com/.default",
        (Resource::Graph(_), _) => "Mail.ReadWrite Mail.Send",
        (Resource::Imap, _) => "https://outlook.office.com/IMAP.AccessAsUser.All",
        (Resource::Pop, _) => "https://outlook.office.com/POP.AccessAsUser.All",
    };
    let given = given.filter(|given| is_set(given)).unwrap_or(usual);
    let mut names: Vec<String> = given.split_whitespace().map(full).collect();
    if grant_type == GrantType::SignedIn {
        for own in FOR_A_PERSON.split(' ') {
            if !names.iter().any(|name| name == own) {
                names.push(own.to_owned());
            }
        }
    }
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_name_their_resource() {
        let graph = || Resource::Graph("https://graph.microsoft.us".into());
        let of = |resource, grant, given| scope(&resource, grant, given);
        assert_eq!(
            of(graph(), GrantType::SignedIn, None),
            "https://graph.microsoft.us/Mail.ReadWrite https://graph.microsoft.us/Mail.Send offline_access openid profile"
        );
        let given = Some("openid Mail.Read https://graph.microsoft.us/Mail.Send offline_access");
        assert_eq!(
            of(graph(), GrantType::SignedIn, given),
            "openid https://graph.microsoft.us/Mail.Read https://graph.microsoft.us/Mail.Send offline_access profile"
        );
        assert_eq!(
            of(graph(), GrantType::ClientCredentials, None),
            "https://graph.microsoft.us/.default"
        );
        assert_eq!(
            of(Resource::Imap, GrantType::ClientCredentials, None),
            "https://outlook.office365.com/.default"
        );
        assert_eq!(
            of(Resource::Pop, GrantType::SignedIn, None),
            "https://outlook.office.com/POP.AccessAsUser.All offline_access openid profile"
        );
    }
}
