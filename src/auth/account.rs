//! Tokens of a signed-in account: taken from the cache while they are good, refreshed by one
//! process at a time, and stored before they are used.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::advice::is_over;
use super::cache::{Access, Account, Cache, Held, Refresh, Unread};
use super::request::Desk;
use super::tokens::{Person, Tokens};
use super::{Error, Grant};
use crate::clock;
use crate::crash::point;
use crate::secret::Secret;

/// For so long Microsoft keeps a refresh token that is not used; every use begins the time anew
/// (learn.microsoft.com/entra/identity-platform/refresh-tokens).
const UNUSED_FOR: TimeDelta = TimeDelta::days(90);

/// These say who signed in and that it lasts; they are not what a token is good for.
const ABOUT_THE_PERSON: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// An account that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Its name, most often its address; blank where the authority did not tell it.
    pub username: String,
    /// What it has granted, separated by blanks.
    pub scope: String,
    /// When its access token expires.
    pub token_until: DateTime<Utc>,
    /// Until when it can be refreshed, if Microsoft's usual time holds and nothing ends it.
    pub good_until: DateTime<Utc>,
}

/// A token as the cache has it.
pub(super) struct Kept {
    pub(super) token: Secret,
    pub(super) lifetime: Duration,
    pub(super) scope: String,
}

/// Who is signed in.
pub(super) fn holder(desk: &Desk, cache: &Cache) -> Result<Person, Error> {
    let account = match read(desk, cache) {
        Ok(Some(account)) => account,
        Ok(None) => return Err(nobody(desk, cache)),
        Err(_) => known(desk, cache, &cache.hold(patience(desk))?)?,
    };
    Ok(account.person)
}

/// A token of this account that is good for longer than the margin and is not the one that was
/// refused. Another account may have signed in meanwhile, and its tokens are for other mails.
pub(super) fn token(
    desk: &Desk,
    cache: &Cache,
    holder: &Person,
    refused: Option<&Secret>,
) -> Result<Kept, Error> {
    let of_holder = |account: Account| {
        if account.person.home_account_id == holder.home_account_id {
            Ok(account)
        } else {
            Err(desk.other_account(holder, &account.person))
        }
    };
    // Most often nothing has to be changed, and so nobody has to be kept out.
    match read(desk, cache) {
        Ok(Some(account)) => {
            if let Some(kept) = usable(desk, &of_holder(account)?, refused) {
                return Ok(kept);
            }
        }
        Ok(None) => return Err(nobody(desk, cache)),
        Err(_) => {}
    }
    let held = cache.hold(patience(desk))?;
    let account = of_holder(known(desk, cache, &held)?)?;
    // Somebody else may have refreshed it while it was waited for.
    if let Some(kept) = usable(desk, &account, refused) {
        desk.trace(|| "another process has refreshed the account".to_owned());
        return Ok(kept);
    }
    let (account, lifetime) = refresh(desk, &held, account)?;
    let access = account
        .access
        .ok_or_else(|| desk.not_signed_in("no token is stored"))?;
    Ok(Kept {
        token: access.token,
        lifetime,
        scope: access.scope,
    })
}

/// Refreshes the account whether it has to be or not.
pub(super) fn renew(desk: &Desk, cache: &Cache) -> Result<SignedIn, Error> {
    let held = cache.hold(patience(desk))?;
    let account = known(desk, cache, &held)?;
    let (account, _) = refresh(desk, &held, account)?;
    Ok(signed_in(&account))
}

/// Keeps the account that has just signed in, in place of any other. Gives the name under which
/// an unreadable cache was set aside.
pub(super) fn keep(
    desk: &Desk,
    cache: &Cache,
    tokens: &Tokens,
) -> Result<(SignedIn, Option<PathBuf>), Error> {
    let account = account_of(desk, tokens)?;
    if account.refresh.is_none() {
        return Err(Error::Malformed {
            server: desk.settings.authority.host(),
            cause: "there is no refresh token in the answer".to_owned(),
            advice: desk.settings.names.fill(
                "check that {scope} leaves offline_access in, and that the application is registered under Mobile and \
                 desktop",
            ),
        });
    }
    let held = cache.hold(patience(desk))?;
    let aside = match read(desk, cache) {
        Err(Unread::Unusable(_)) => Some(held.set_aside()?),
        Ok(_) | Err(Unread::File(_)) => None,
    };
    held.store(&account)?;
    Ok((signed_in(&account), aside))
}

/// Who signed in, for people.
pub(super) fn person(desk: &Desk, tokens: &Tokens) -> Result<SignedIn, Error> {
    account_of(desk, tokens).map(|account| signed_in(&account))
}

fn read(desk: &Desk, cache: &Cache) -> Result<Option<Account>, Unread> {
    cache.read(&desk.settings.authority.host(), &desk.settings.client_id)
}

/// The account, or why there is none. An unreadable cache is set aside.
fn known(desk: &Desk, cache: &Cache, held: &Held<'_>) -> Result<Account, Error> {
    let path = cache.path().display();
    match read(desk, cache) {
        Ok(Some(account)) => Ok(account),
        Ok(None) => Err(nobody(desk, cache)),
        Err(Unread::File(cause)) => Err(cache.failed("read", &cause)),
        Err(Unread::Unusable(why)) => {
            let aside = held.set_aside()?;
            Err(desk.not_signed_in(&format!(
                "the token cache {path} could not be used ({why}) and was set aside as {}",
                aside.display()
            )))
        }
    }
}

fn nobody(desk: &Desk, cache: &Cache) -> Error {
    let path = cache.path().display();
    desk.not_signed_in(&if cache.path().exists() {
        format!("the token cache {path} is for another application or authority")
    } else {
        format!("there is no token cache {path}")
    })
}

/// The account's access token, if it may be used.
fn usable(desk: &Desk, account: &Account, refused: Option<&Secret>) -> Option<Kept> {
    let access = account.access.as_ref()?;
    let seconds = access.expires_on.checked_sub(clock::now().timestamp())?;
    let lifetime = Duration::from_secs(u64::try_from(seconds).ok()?);
    let is_good = lifetime > desk.settings.margin
        && refused != Some(&access.token)
        && missing(&access.scope, &desk.settings.scope).is_empty();
    is_good.then(|| Kept {
        token: access.token.clone(),
        lifetime,
        scope: access.scope.clone(),
    })
}

/// Asks for new tokens and stores them.
fn refresh(desk: &Desk, held: &Held<'_>, account: Account) -> Result<(Account, Duration), Error> {
    let Some(refresh) = &account.refresh else {
        let name = &account.person.username;
        return Err(desk.not_signed_in(&format!("the sign-in of {name} is over")));
    };
    match desk.request(Some(&refresh.token)) {
        Ok(tokens) => {
            let account = renewed(desk, account, &tokens);
            point("token received");
            held.store(&account)?;
            // The old refresh token may be void from now on, and the new one is on the disk.
            point("token stored");
            Ok((account, tokens.lifetime))
        }
        Err(error) => {
            if let Error::Rejected {
                error: name, code, ..
            } = &error
                && is_over(*code, name)
            {
                held.store(&Account {
                    access: None,
                    refresh: None,
                    id_token: None,
                    ..account
                })?;
            }
            Err(error)
        }
    }
}

/// The account with what was granted to it now.
fn renewed(desk: &Desk, account: Account, tokens: &Tokens) -> Account {
    let (access, refresh) = granted(desk, tokens);
    let is_new = refresh.is_some();
    desk.trace(|| {
        let what = if is_new {
            "a new refresh token"
        } else {
            "no new refresh token"
        };
        format!("the account is refreshed, with {what}")
    });
    let now = access.cached_at;
    // A refresh token that is given back is as good as a new one.
    let used = account.refresh.map(|refresh| Refresh {
        cached_at: now,
        ..refresh
    });
    Account {
        access: Some(access),
        refresh: refresh.or(used),
        id_token: tokens.id_token.clone().or(account.id_token),
        ..account
    }
}

fn account_of(desk: &Desk, tokens: &Tokens) -> Result<Account, Error> {
    let settings = &desk.settings;
    let mut person = tokens.person().ok_or_else(|| Error::Malformed {
        server: settings.authority.host(),
        cause: "the answer does not say who signed in".to_owned(),
        advice: settings.names.fill("check {authority}"),
    })?;
    if person.realm.is_empty() {
        settings.authority.directory().clone_into(&mut person.realm);
    }
    let (access, refresh) = granted(desk, tokens);
    Ok(Account {
        environment: settings.authority.host(),
        client_id: settings.client_id.clone(),
        person,
        access: Some(access),
        refresh,
        id_token: tokens.id_token.clone(),
    })
}

fn granted(desk: &Desk, tokens: &Tokens) -> (Access, Option<Refresh>) {
    let now = clock::now().timestamp();
    let scope = tokens.scope.as_ref().unwrap_or(&desk.settings.scope);
    let mut names: Vec<&str> = scope.split_whitespace().collect();
    names.sort_unstable();
    let scope = names.join(" ");
    let lifetime = i64::try_from(tokens.lifetime.as_secs()).unwrap_or_default();
    let refresh = tokens.refresh.as_ref().map(|token| Refresh {
        token: token.clone(),
        scope: scope.clone(),
        cached_at: now,
    });
    let access = Access {
        token: tokens.access.clone(),
        scope,
        cached_at: now,
        expires_on: now + lifetime,
    };
    (access, refresh)
}

fn signed_in(account: &Account) -> SignedIn {
    let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let (access, refresh) = (account.access.as_ref(), account.refresh.as_ref());
    SignedIn {
        username: account.person.username.clone(),
        scope: access
            .map(|access| access.scope.clone())
            .unwrap_or_default(),
        token_until: time(access.map_or(0, |access| access.expires_on)),
        good_until: time(refresh.map_or(0, |refresh| refresh.cached_at)) + UNUSED_FOR,
    }
}

/// What is wanted and was not granted. Microsoft names its own scopes with and without their
/// resource, so the last part of a name counts.
#[must_use]
pub fn missing(granted: &str, wanted: &str) -> Vec<String> {
    let name = |scope: &str| {
        let last = scope.rsplit('/').next().unwrap_or(scope);
        last.to_ascii_lowercase()
    };
    let granted: Vec<String> = granted.split_whitespace().map(name).collect();
    let is_missing = |scope: &&str| {
        let name = name(scope);
        // It stands for whatever the application is registered for.
        let is_whatever = name == ".default";
        !is_whatever && !ABOUT_THE_PERSON.contains(&name.as_str()) && !granted.contains(&name)
    };
    let wanted = wanted.split_whitespace().filter(is_missing);
    wanted.map(str::to_owned).collect()
}

/// As long as another process may take to refresh the account.
fn patience(desk: &Desk) -> Duration {
    let limits = desk.settings.limits;
    limits.connect.saturating_add(limits.answer)
}

impl Grant {
    /// The cache of a signed-in account.
    pub(super) fn cache(&self) -> Option<&Cache> {
        match self {
            Self::SignedIn { cache } => Some(cache),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn a_scope_is_known_by_the_end_of_its_name() {
        let granted = "Mail.ReadWrite https://graph.microsoft.com/Mail.Send openid profile";
        for wanted in [
            "offline_access openid https://graph.microsoft.com/Mail.ReadWrite",
            "mail.send",
            "https://graph.microsoft.com/.default",
            "",
        ] {
            assert!(missing(granted, wanted).is_empty(), "{wanted}");
        }
        for wanted in [
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "Mail.Send Mail.Send.Shared",
        ] {
            assert_eq!(missing(granted, wanted).len(), 1, "{wanted}");
        }
    }
}
