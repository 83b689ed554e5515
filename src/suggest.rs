//! Names that are none: "did you mean …?", and whether one may be told at all.

/// The name most like the one typed, if any is like it at all. Case is no difference.
#[must_use]
pub(crate) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&typed, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Whether a name is called like one of a secret, which may stand right behind it.
#[must_use]
pub(crate) fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_a_slip_and_refuses_a_guess() {
        let names = ["AllowedSenders", "AllowedTimeFrame", "Event"];
        assert_eq!(nearest("AlowedSenders", names), Some("AllowedSenders"));
        assert_eq!(
            nearest("allowedtimeframes", names),
            Some("AllowedTimeFrame")
        );
        assert_eq!(nearest("Colour", names), None);
    }
}
