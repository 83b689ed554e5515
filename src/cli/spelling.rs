//! One spelling out of many: `-Server:HOST`, `--server=HOST` and `--SERVER HOST` all become
//! `--server=HOST`, with the name as the table of switches spells it.

use clap::{Arg, Command};

use super::UsageError;

/// The value that stands for "ask me".
pub(super) const ASK: &str = "-";

/// Rewrites the arguments; a name that is not in the table, a value too many and a value
/// too few are found here, everything else by clap.
pub(super) fn normalise(
    arguments: &[String],
    command: &Command,
) -> Result<Vec<String>, UsageError> {
    // Beside a password, an argument that is none may be a part of it.
    let tells = !arguments.iter().any(|argument| names_a_secret(argument));
    let mut spelled = vec![command.get_name().to_owned()];
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        if is_help(argument) {
            spelled.push("--help".to_owned());
            continue;
        }
        let Some(body) = switch_body(argument) else {
            let what = if tells {
                argument
            } else {
                "an argument (not shown)"
            };
            return Err(UsageError(format!(
                "{what} is not a switch; switches start with a dash"
            )));
        };
        let (name, value) = match body.split_once([':', '=']) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        let switch = find(command, name).ok_or_else(|| unknown(command, name, tells))?;
        let long = switch.get_long().unwrap_or_default();
        if !switch.get_action().takes_values() {
            if value.is_some() {
                return Err(UsageError(format!("--{long} takes no value")));
            }
            spelled.push(format!("--{long}"));
            continue;
        }
        let value = match value {
            Some(value) => Some(value),
            None => rest
                .next_if(|next| switch_body(next).is_none() && *next != "/?")
                .cloned(),
        };
        match value {
            Some(value) if !value.is_empty() => spelled.push(format!("--{long}={value}")),
            _ if super::switches::ASKABLE.contains(&long) => {
                spelled.push(format!("--{long}={ASK}"));
            }
            None if super::switches::VALUE_OPTIONAL.contains(&long) => {
                spelled.push(format!("--{long}"));
            }
            _ => {
                return Err(UsageError(format!(
                    "--{long} needs a value, as in -{long}:VALUE"
                )));
            }
        }
    }
    Ok(spelled)
}

/// Whether it asks for help as on Windows; a path of Unix may start with a slash, too.
fn is_help(argument: &str) -> bool {
    let name = argument.strip_prefix('/').unwrap_or_default();
    ["?", "h", "help"]
        .iter()
        .any(|help| name.eq_ignore_ascii_case(help))
        || ["-?", "-h"].contains(&argument)
}

/// The argument without its dashes; `None` when it is a value.
fn switch_body(argument: &str) -> Option<&str> {
    let body = argument
        .strip_prefix("--")
        .or_else(|| argument.strip_prefix('-'))?;
    (!body.is_empty()).then_some(body)
}

fn find<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|argument| {
        argument
            .get_long()
            .is_some_and(|long| long.eq_ignore_ascii_case(name))
    })
}

fn unknown(command: &Command, name: &str, tells: bool) -> UsageError {
    let names = command.get_arguments().filter_map(Arg::get_long);
    UsageError(match (crate::suggest::nearest(name, names), tells) {
        (Some(near), true) => {
            format!("--{name} is not a switch of this program; did you mean --{near}?")
        }
        (None, true) => format!("--{name} is not a switch of this program; --help lists them"),
        (_, false) => "an argument that starts with a dash (not shown) is not a switch of this \
                       program; a value that starts with a dash is written as in \
                       -opconpassword:VALUE"
            .to_owned(),
    })
}

/// Whether the argument is a switch whose value is a secret, or is called like one: without the
/// `:` in between, or an option of `smail` where that word is missing.
fn names_a_secret(argument: &str) -> bool {
    let name = argument.trim_start_matches(['-', '/']);
    // A path or the name of a setting is none.
    let name = name.split([':', '=', '.', '/', '\\']).next();
    let name = name.unwrap_or_default().to_ascii_lowercase();
    super::switches::ASKABLE.contains(&name.as_str()) || crate::suggest::sounds_secret(&name)
}
