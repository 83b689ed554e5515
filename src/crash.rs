//! Named points in the order of commit at which a test kills the program: `SMARTEMAIL_CRASH=NAME`,
//! or `NAME:N` for the N-th time it gets there. Debug builds only; a release knows nothing of it.

/// Dies here, as by kill -9, if the environment names this point.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PASSED: AtomicUsize = AtomicUsize::new(0);

    let Ok(wanted) = std::env::var("SMARTEMAIL_CRASH") else {
        return;
    };
    let (wanted, times) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if wanted == name && times.parse() == Ok(PASSED.fetch_add(1, Ordering::Relaxed) + 1) {
        #[cfg(unix)]
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // Windows has no signal; this ends the process as suddenly.
        #[cfg(windows)]
        std::process::abort();
    }
}

/// Dies nowhere.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_name: &str) {}

/// Fails here as a mistake in the program would, if `SMARTEMAIL_SLIP` names this point.
#[cfg(debug_assertions)]
pub(crate) fn slip(name: &str) {
    let slips = std::env::var("SMARTEMAIL_SLIP").is_ok_and(|wanted| wanted == name);
    assert!(!slips, "asked for");
}

/// Fails nowhere.
#[cfg(not(debug_assertions))]
pub(crate) fn slip(_name: &str) {}
