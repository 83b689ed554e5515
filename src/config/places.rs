//! Paths in settings: `%NAME%`, backslashes on every system, and where the INI file and the
//! state folder are.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Reads one environment variable; passed in so that tests need not change the process.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The INI file when none is named.
pub const DEFAULT_INI: &str = r"%PROGRAMDATA%\OpConxps\SMArt Email\SMArtEmail.ini";

/// The environment of the process, with `%PROGRAMDATA%` on Unix as well: `/var/lib` for root,
/// else `$XDG_DATA_HOME`, else `~/.local/share`.
#[must_use]
pub fn process_environment(name: &str) -> Option<String> {
    let variable = std::env::var(name).ok().filter(|value| !value.is_empty());
    if variable.is_some() || cfg!(windows) || !name.eq_ignore_ascii_case("PROGRAMDATA") {
        return variable;
    }
    if is_root() {
        return Some("/var/lib".to_owned());
    }
    let data = std::env::var("XDG_DATA_HOME")
        .ok()
        .filter(|value| !value.is_empty());
    data.or_else(|| {
        Some(
            std::env::home_dir()?
                .join(".local/share")
                .to_str()?
                .to_owned(),
        )
    })
}

/// Whether the process runs as root; never on Windows.
#[must_use]
#[cfg(unix)]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether the process runs as root; never on Windows.
#[must_use]
#[cfg(not(unix))]
pub fn is_root() -> bool {
    false
}

/// A path out of a setting: every `%NAME%` replaced, slashes and backslashes turned into what the
/// system has.
///
/// Fails with the name of the variable that does not exist. A single `%` is a `%`.
pub fn expand(value: &str, environment: Environment<'_>) -> Result<PathBuf, String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, tail)) = rest.split_once('%') {
        out.push_str(before);
        match tail.split_once('%') {
            Some((name, after)) if is_name(name) => {
                out.push_str(&environment(name).ok_or_else(|| name.to_owned())?);
                rest = after;
            }
            _ => {
                out.push('%');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    // Also on Windows there should be one kind: a verbatim path (`\\?\C:\…`) takes no other.
    let [other, own] = if cfg!(windows) {
        ["/", "\\"]
    } else {
        ["\\", "/"]
    };
    Ok(PathBuf::from(out.replace(other, own)))
}

/// Where the account that is signed in for an INI file is kept: in `%LOCALAPPDATA%\smartemail`, on
/// Unix in `$XDG_STATE_HOME/smartemail`, for root `/var/lib/smartemail`, else
/// `~/.local/state/smartemail`; where none of them is known, in the state folder.
#[must_use]
pub fn token_cache(ini: &Path, environment: Environment<'_>) -> PathBuf {
    let folder = |name| {
        let value = environment(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let own = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else {
        folder("XDG_STATE_HOME")
            .or_else(|| is_root().then(|| PathBuf::from("/var/lib")))
            .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
    };
    own.map_or_else(|| state_folder(ini), |own| own.join("smartemail"))
        .join(format!("msal-{}.cache", tag(ini)))
}

/// A short name of an INI file, for its own corner of folders that several may share.
#[must_use]
pub fn tag(ini: &Path) -> String {
    let path = dunce::canonicalize(ini).unwrap_or_else(|_| ini.to_path_buf());
    let digest = Sha256::digest(path.display().to_string().as_bytes());
    let start = digest.iter().take(4);
    start.map(|byte| format!("{byte:02x}")).collect()
}

/// The state folder of an INI file: `<stem>.state` beside it.
#[must_use]
pub fn state_folder(ini: &Path) -> PathBuf {
    ini.with_extension("state")
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '(' | ')'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let environment = |name: &str| match name {
            "PROGRAMDATA" => Some("/data".to_owned()),
            "X" => Some("x%y".to_owned()),
            _ => None,
        };
        let expand = |value| {
            let path = expand(value, &environment)?;
            Ok::<_, String>(path.to_string_lossy().replace('\\', "/"))
        };
        assert_eq!(expand(r"%PROGRAMDATA%/a").as_deref(), Ok("/data/a"));
        assert_eq!(
            expand(r"%PROGRAMDATA%\OpConxps\SAM").as_deref(),
            Ok("/data/OpConxps/SAM")
        );
        assert_eq!(expand("a/%X%/%X%").as_deref(), Ok("a/x%y/x%y"));
        assert_eq!(expand("100%").as_deref(), Ok("100%"));
        assert_eq!(expand("50% of 100%").as_deref(), Ok("50% of 100%"));
        assert_eq!(expand("%NOPE%/a"), Err("NOPE".to_owned()));
    }

    #[test]
    fn separators_are_the_system_s() {
        let expand = |value| expand(value, &|_| None).unwrap();
        let [mixed, share] = [expand(r"C:\a/b"), expand(r"//server\share/a")];
        if cfg!(windows) {
            assert_eq!(mixed.to_str(), Some(r"C:\a\b"));
            assert_eq!(share.to_str(), Some(r"\\server\share\a"));
        } else {
            assert_eq!(mixed.to_str(), Some("C:/a/b"));
            assert_eq!(share.to_str(), Some("//server/share/a"));
        }
    }
}
