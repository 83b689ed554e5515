//! `--credentials`: secrets come in, sealed values go into the INI file, and no secret is shown.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};

use super::output::Output;
use crate::cli::{Credentials, Typed};
use crate::config::SettingsFile;
use crate::config::edit::{Change, change};
use crate::config::keys::{self, Key};
use crate::config::places::{is_root, process_environment, state_folder};
use crate::secret::{Keeper, Secret};

/// Seals what was given into the INI file.
pub(super) fn seal(asked: Credentials, output: &mut Output) -> anyhow::Result<()> {
    output.set_inifile(asked.inifile.as_deref());
    let file = SettingsFile::read(asked.inifile.as_deref(), &process_environment)?;
    let keeper = Keeper::for_user(is_root(), &state_folder(file.path()));
    let given: [(&Key, &str, Option<Typed>); 4] = [
        (&keys::USER, "mailbox user", asked.user),
        (&keys::PASSWORD, "mailbox password", asked.password),
        (&keys::OPCON_USER, "OpCon user", Some(asked.opcon_user)),
        (
            &keys::OPCON_USER_PASSWORD,
            "external event password of the OpCon user",
            Some(asked.opcon_password),
        ),
    ];
    let mut sealed: Vec<(&Key, String)> = Vec::new();
    for (key, what, typed) in given {
        let Some(typed) = typed else { continue };
        let secret = match typed {
            Typed::Value(secret) => secret,
            Typed::Ask => ask(what)?,
        };
        if key.section == "General"
            && (secret.expose().contains(',') || secret.expose().contains(char::is_control))
        {
            bail!(
                "the {what} holds a comma or a control character, which no event can carry; nothing was written"
            );
        }
        let value = keeper
            .seal(&secret, key.section, key.name)
            .with_context(|| format!("the {what}"))?;
        sealed.push((key, value));
    }
    let changes: Vec<Change<'_>> = sealed
        .iter()
        .map(|(key, value)| Change {
            section: key.section,
            key: key.name,
            value,
        })
        .collect();
    change(file.path(), &changes)?;
    let names: Vec<String> = sealed
        .iter()
        .map(|(key, _)| format!("[{}] {}", key.section, key.name))
        .collect();
    output.line(&format!(
        "sealed into {}: {}",
        file.path().display(),
        names.join(", ")
    ));
    output.line(&format!(
        "the key is in {}; only this user on this machine can open the values",
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
