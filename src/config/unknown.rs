//! Sections and keys that nothing reads, most often a slip of the pen.

use super::ini::{Document, Section};
use super::keys;
use super::problem::{Problems, Severity};
use super::rule;
use super::tokens::Tokens;

/// Sections with a table of their own.
const KNOWN: [&str; 5] = ["General", "Mail", "MSAL", "Audit", "smtp-client"];

/// Reports them, each with the name that may have been meant.
pub(super) fn report(document: &Document, tokens: &Tokens, problems: &mut Problems) {
    for section in &document.sections {
        let name = section.name.as_str();
        if rule::number(name).is_some() {
            unknown_keys(section, "Configuration#", problems);
        } else if let Some(known) = KNOWN
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
        {
            unknown_keys(section, known, problems);
        } else if name.to_ascii_lowercase().starts_with("secret-") {
            unknown_keys(section, keys::APPLICATION_SECRET.section, problems);
        } else if !name.eq_ignore_ascii_case("Tokens") {
            unknown_section(section, problems);
        }
    }
    for name in tokens.names() {
        if crate::events::tokens::NAMES
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
        {
            let line = document
                .section("Tokens")
                .and_then(|section| section.get(name))
                .map(|entry| entry.line);
            let message = format!(
                "takes the place of the mail's own [[{name}]] in every [Configuration#] and in [Audit]"
            );
            problems.add(Severity::Warning, line, format!("[Tokens] {name}"), message);
        }
    }
}

fn unknown_section(section: &Section, problems: &mut Problems) {
    let place = format!("[{}]", section.name);
    // A configuration that is passed over is a rule that never fires: worse than a stray key.
    if section
        .name
        .to_ascii_lowercase()
        .starts_with("configuration")
    {
        let message = "has no usable number; name it [Configuration1], [Configuration2] and so on. It is not used";
        problems.add(Severity::Error, Some(section.line), place, message);
        return;
    }
    let known = KNOWN.into_iter().chain(["Tokens", "Configuration1"]);
    let near = crate::suggest::nearest(&section.name, known);
    problems.add(
        Severity::Warning,
        Some(section.line),
        place,
        format!("is not a section of this program{}", hint(near)),
    );
}

fn unknown_keys(section: &Section, table: &str, problems: &mut Problems) {
    let known = || {
        keys::ALL
            .iter()
            .filter(|key| key.section == table)
            .map(|key| key.name)
    };
    for entry in &section.entries {
        let numbered_event = table == "Configuration#" && rule::event_number(&entry.key).is_some();
        if numbered_event || known().any(|name| name.eq_ignore_ascii_case(&entry.key)) {
            continue;
        }
        let near = crate::suggest::nearest(&entry.key, known());
        let place = format!("[{}] {}", section.name, entry.key);
        problems.add(
            Severity::Warning,
            Some(entry.line),
            place,
            format!("is not a setting of this section{}", hint(near)),
        );
    }
}

fn hint(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean {near}?"))
        .unwrap_or_default()
}
