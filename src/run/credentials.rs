//! `--credentials` and `-seal`: secrets come in, sealed values go into the INI file, and no secret is shown.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};

use super::output::Output;
use crate::cli::{Credentials, Seal, Typed};
use crate::config::SettingsFile;
use crate::config::edit::{Change, change};
use crate::config::keys::{self, Key};
use crate::config::places::{is_root, process_environment, state_folder};
use crate::secret::{Keeper, Sealable, Secret};

/// Seals what was given into the INI file.
pub(super) fn seal(asked: Credentials, output: &mut Output) -> anyhow::Result<()> {
    output.set_inifile(asked.inifile.as_deref());
    let file = SettingsFile::read(asked.inifile.as_deref(), &process_environment)?;
    let given: [(&'static Key, &str, Option<Typed>); 6] = [
        (&keys::USER, "mailbox user", asked.user),
        (&keys::PASSWORD, "mailbox password", asked.password),
        (&keys::OPCON_USER, "OpCon user", Some(asked.opcon_user)),
        (
            &keys::OPCON_USER_PASSWORD,
            "external event password of the OpCon user",
            Some(asked.opcon_password),
        ),
        (
            &keys::SMTP_USER,
            "user of the sending server",
            asked.smtp_user,
        ),
        (
            &keys::SMTP_PASSWORD,
            "password of the sending server",
            asked.smtp_password,
        ),
    ];
    let mut secrets = Vec::new();
    for (key, what, typed) in given {
        let secret = match typed {
            None => continue,
            Some(Typed::Value(secret)) => secret,
            Some(Typed::Ask) => ask(what)?,
        };
        secrets.push(Given {
            section: key.section.to_owned(),
            key: key.name,
            what: what.to_owned(),
            secret,
        });
    }
    write(&file, &secrets, output)
}

/// Asks for the value of one setting and seals it into the INI file.
pub(super) fn seal_one(asked: Seal, output: &mut Output) -> anyhow::Result<()> {
    let file = SettingsFile::read(asked.inifile.as_deref(), &process_environment)?;
    let Sealable { section, key } = asked.setting;
    let what = format!("[{section}] {key}");
    let secret = ask(&what)?;
    let given = Given {
        section,
        key,
        what,
        secret,
    };
    write(&file, &[given], output)
}

/// Who can read the key: see [`Keeper::for_settings`].
const READERS: &str = if cfg!(windows) {
    "administrators, the system and this account"
} else {
    "this user"
};

/// A value to seal, and its setting.
struct Given {
    section: String,
    key: &'static str,
    /// The value's name for people.
    what: String,
    secret: Secret,
}

fn write(file: &SettingsFile, given: &[Given], output: &mut Output) -> anyhow::Result<()> {
    let keeper = Keeper::for_settings(is_root(), &state_folder(file.path()));
    let mut sealed = Vec::new();
    for Given {
        section,
        key,
        what,
        secret,
    } in given
    {
        if section.eq_ignore_ascii_case("General")
            && (secret.expose().contains(',') || secret.expose().contains(char::is_control))
        {
            bail!(
                "the {what} holds a comma or a control character, which no event can carry; nothing was written"
            );
        }
        let value = keeper
            .seal(secret, section, key)
            .with_context(|| format!("the {what}"))?;
        sealed.push((section, *key, value));
    }
    let changes: Vec<Change<'_>> = sealed
        .iter()
        .map(|(section, key, value)| Change {
            section,
            key,
            value,
        })
        .collect();
    change(file.path(), &changes)?;
    let names: Vec<String> = sealed
        .iter()
        .map(|(section, key, _)| format!("[{section}] {key}"))
        .collect();
    output.line(&format!(
        "sealed into {}: {}",
        file.path().display(),
        names.join(", ")
    ));
    output.line(&format!(
        "the key is in {}; only {READERS} on this machine can open the values",
        keeper.path().display()
    ));
    Ok(())
}

/// Asks on the terminal without echo, or reads one line where there is no terminal.
fn ask(what: &str) -> anyhow::Result<Secret> {
    let secret = if std::io::stdin().is_terminal() {
        Secret::new(
            rpassword::prompt_password(format!("{what}: "))
                .with_context(|| format!("can't ask for the {what}"))?,
        )
    } else {
        let mut line = zeroize::Zeroizing::new(String::new());
        std::io::stdin()
            .lock()
            .read_line(&mut line)
            .with_context(|| format!("can't read the {what} from standard input"))?;
        Secret::new(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    if secret.expose().is_empty() {
        bail!("the {what} is empty; nothing was written");
    }
    Ok(secret)
}
