//! `--renewMsalToken`: a person signs in to Microsoft 365, once, so that jobs can go on without
//! anybody; or what is stored is refreshed without a person.

use std::time::Duration;

use anyhow::bail;

use super::output::Output;
use super::tell;
use crate::auth::{Error, SignIn, SignedIn, Tokens, browser};
use crate::cli::{self, Way};
use crate::clock::stamp;
use crate::config::SettingsFile;
use crate::config::places::{is_root, process_environment, state_folder};
use crate::secret::Keeper;

/// For so long a browser is waited for.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// Signs in, or refreshes what is stored.
pub(super) fn run(asked: &cli::SignIn, output: &mut Output) -> anyhow::Result<()> {
    let file = SettingsFile::read(asked.inifile.as_deref(), &process_environment)?;
    let path = file.path().to_path_buf();
    let keeper = Keeper::for_settings(is_root(), &state_folder(&path));
    let (settings, problems) =
        file.sign_in(&keeper, &process_environment, &output.trace(), asked.msal);
    tell(&problems, &path, output);
    let Some(settings) = settings else {
        bail!(
            "{} can't be used as it is; nothing was done",
            path.display()
        );
    };
    let Some(sign_in) = SignIn::new(settings, output.trace()) else {
        bail!(
            "nobody signs in with the [MSAL] GrantType of {}: its tokens need no person. --check tells whether they \
             can be had",
            path.display()
        );
    };
    match asked.way {
        Way::Silent => {
            let account = sign_in.renew()?;
            output.line(&format!("refreshed: {}", named(&account)));
            tell_until(&account, output);
        }
        Way::Person { device, save } => {
            let tokens = by_person(&sign_in, device, !save, output)?;
            if save {
                keep(&sign_in, &tokens, output)?;
            } else {
                let account = sign_in.person(&tokens)?;
                output.line(&format!("signed in: {}", named(&account)));
                output.line("consent was granted to the application; nothing was stored here");
            }
        }
    }
    Ok(())
}

/// By a browser of this machine where there is one, else by a code.
fn by_person(
    sign_in: &SignIn,
    device: bool,
    consent: bool,
    output: &mut Output,
) -> Result<Tokens, Error> {
    if device {
        return by_device(sign_in, output);
    }
    if !browser::is_likely() {
        output.line("there is no browser here, so a code takes its place (as with --deviceCode)");
        return by_device(sign_in, output);
    }
    let attempt = sign_in.by_browser(consent)?;
    output.line("sign in with a browser on this machine; if none opens, open this page there:");
    output.line(&format!("  {}", attempt.page()));
    if !browser::open(attempt.page()) {
        output.line("no browser could be opened, so a code takes its place (as with --deviceCode)");
        return by_device(sign_in, output);
    }
    attempt.finish(PATIENCE)
}

fn by_device(sign_in: &SignIn, output: &mut Output) -> Result<Tokens, Error> {
    let attempt = sign_in.by_device()?;
    output.line(&format!(
        "to sign in, open {} on any device and enter the code {} within {} minutes",
        attempt.address(),
        attempt.code(),
        attempt.lifetime().as_secs().div_ceil(60),
    ));
    attempt.finish()
}

fn keep(sign_in: &SignIn, tokens: &Tokens, output: &mut Output) -> Result<(), Error> {
    let cache = sign_in.place();
    let (account, aside) = sign_in.keep(tokens)?;
    if let Some(aside) = aside {
        output.warning(&format!(
            "{} could not be read and was set aside as {}",
            cache.display(),
            aside.display()
        ));
    }
    output.line(&format!("signed in: {}", named(&account)));
    for scope in sign_in.missing(&account) {
        output.warning(&format!(
            "{scope} was not granted: have it added to the application's API permissions and consented to"
        ));
    }
    output.line(&format!(
        "stored in {}, for this user on this machine and this INI file",
        cache.display()
    ));
    tell_until(&account, output);
    Ok(())
}

fn tell_until(account: &SignedIn, output: &Output) {
    output.line(&format!(
        "good until {}, unless a new password or an administrator ends it: Microsoft keeps a sign-in for 90 days after \
         its last use, which every run is",
        stamp::format(account.good_until)
    ));
}

fn named(account: &SignedIn) -> &str {
    if account.username.is_empty() {
        "(an account without a name)"
    } else {
        &account.username
    }
}
