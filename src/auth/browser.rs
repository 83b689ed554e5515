//! The person's browser on this machine.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that has not failed by then has taken the page over.
const WATCHED_FOR: Duration = Duration::from_secs(2);
/// How often it is looked at.
const PULSE: Duration = Duration::from_millis(20);

/// Whether somebody could see a browser here. A remote shell has no desktop of its own, on Unix one
/// may be lent to it; a browser that is named by the variable `BROWSER` counts anywhere.
#[must_use]
pub fn is_likely() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let desktop = if cfg!(all(unix, not(target_os = "macos"))) {
        is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
    } else {
        !is_set("SSH_CONNECTION")
    };
    desktop || is_set("BROWSER")
}

/// Opens a page, and says whether that seems to have worked.
#[must_use]
pub fn open(page: &str) -> bool {
    let named = std::env::var("BROWSER").unwrap_or_default();
    let mut own = named
        .split(':')
        .filter_map(|browser| command(browser, page));
    own.any(starts) || open::that_detached_with_timeout(page, WATCHED_FOR).is_ok()
}

/// One browser of the variable `BROWSER`: `%s` in it stands for the page, which else comes last.
fn command(browser: &str, page: &str) -> Option<Command> {
    let mut words = browser.split_whitespace();
    let mut command = Command::new(words.next()?);
    let mut is_named = false;
    for word in words {
        is_named |= word.contains("%s");
        command.arg(word.replace("%s", page));
    }
    if !is_named {
        command.arg(page);
    }
    Some(command)
}

/// The program starts and does not end with a failure at once.
fn starts(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    let began = Instant::now();
    while began.elapsed() < WATCHED_FOR {
        if let Ok(Some(status)) = child.try_wait() {
            return status.success();
        }
        std::thread::sleep(PULSE);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(browser: &str) -> Option<Vec<String>> {
        let command = command(browser, "http://p")?;
        let program = [command.get_program()].into_iter();
        let all = program.chain(command.get_args());
        Some(
            all.map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    #[test]
    fn a_browser_is_named_with_or_without_a_place_for_the_page() {
        assert_eq!(words("firefox").unwrap(), ["firefox", "http://p"]);
        assert_eq!(
            words("x --url=%s -n").unwrap(),
            ["x", "--url=http://p", "-n"]
        );
        assert_eq!(words("  "), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_fails_at_once_is_none() {
        assert!(!starts(Command::new("/nowhere/browser")));
        assert!(!starts(Command::new("false")));
        assert!(starts(Command::new("true")));
    }
}
