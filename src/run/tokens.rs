//! The steps of `--check` that are about tokens: the authority, a token, what it permits, and
//! whether notices may be sent with it.

use std::time::Instant;

use super::output::Output;
use crate::auth::{self, AccessToken, TokenSource};
use crate::clock::{self, stamp};
use crate::config::{MailSettings, Settings};
use crate::mailbox::Proof;
use crate::net::clean;

/// Sending, of one's own and for a mailbox that is shared.
const SENDING: [&str; 2] = ["Mail.Send", "Mail.Send.Shared"];

/// Gets a token as a run would, and tells what it is good for. False: there is none where one is
/// needed, which has been told.
pub(super) fn check(settings: &Settings, output: &mut Output) -> bool {
    let source = match &settings.mail {
        MailSettings::Msal(account) => &account.tokens,
        MailSettings::Imap(account) | MailSettings::Pop(account) => match &account.login.proof {
            Proof::Token(source) => source,
            Proof::Password(_) => return true,
        },
        MailSettings::Folder(_) => return true,
    };
    let endpoint = source.authority().token_endpoint();
    if let Err(error) = source.meet_authority() {
        output.error(&error.to_string());
        return false;
    }
    output.line(&format!("authority: {endpoint}"));
    let token = match source.get() {
        Ok(token) => token,
        Err(error) => {
            output.error(&error.to_string());
            return false;
        }
    };
    let left = token.expires().saturating_duration_since(Instant::now());
    let until = stamp::format(clock::now() + left);
    output.line(&format!("token: good until {until}"));
    permissions(source, &token, output);
    if matches!(settings.mail, MailSettings::Msal(_)) {
        sending(settings, &token, output);
    }
    true
}

fn permissions(source: &TokenSource, token: &AccessToken, output: &Output) {
    let Some(permitted) = token.permissions() else {
        output.line("permissions: they can't be seen in the token");
        return;
    };
    output.line(&format!("permissions: {}", clean(&permitted, 500)));
    for missing in auth::missing(&permitted, source.scope()) {
        output.warning(&format!(
            "the token is not good for {missing}: have it granted to the application and sign in again"
        ));
    }
}

/// Whether notices can go the same way as the mails come.
fn sending(settings: &Settings, token: &AccessToken, output: &mut Output) {
    let outbound = settings.outbound.as_ref();
    let in_use = outbound.is_some_and(|outbound| outbound.by_the_mailbox);
    let permitted = token.permissions().map(|permitted| {
        SENDING
            .iter()
            .any(|name| auth::missing(&permitted, name).is_empty())
    });
    match (permitted, in_use) {
        (Some(true), _) => output.line("send permission: granted"),
        (None, _) => output.line("send permission: can't be seen; the first notice shows it"),
        (Some(false), false) => output.line("send permission: not granted, and not needed"),
        (Some(false), true) => output.error(
            "send permission: not granted, so no notice can be sent: have Mail.Send granted to the application and \
             sign in again, or send by [smtp-client]",
        ),
    }
}
