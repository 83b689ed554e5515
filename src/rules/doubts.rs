//! What is odd about a mask, for the warnings of `--check`: what .NET reads differently, and
//! what can never match.

use regex_syntax::hir::{Hir, HirKind, Look};

use super::mask::Mask;

/// The doubts about a mask, each the rest of a sentence. `single_line` says that it is only
/// ever tried on texts without line breaks.
#[must_use]
pub fn doubts(mask: &Mask, single_line: bool) -> Vec<String> {
    let mut found = differences(mask);
    if never_matches(mask.as_str()) {
        found.push("can never match anything".to_owned());
    } else if single_line && needs_break(mask.as_str()) {
        found.push("asks for a line break, which no subject and no file name has; it can never match".to_owned());
    }
    found
}

/// Constructs that are read differently here and in .NET.
fn differences(mask: &Mask) -> Vec<String> {
    let source = mask.as_str();
    let mut found = Vec::new();
    let mut note = |is: bool, what: &str| {
        if is {
            found.push(format!("{what} is read differently from .NET"));
        }
    };
    for class in classes(source) {
        note(class.contains("-["), "the class subtraction […-[…]]");
        note(["&&", "~~", "--"].iter().any(|sign| class.contains(sign)), "&&, ~~ or -- in a class");
        note(class.contains("[:"), "[:name:] in a class");
    }
    note(balances(source), "the balancing group (?<-name>…)");
    note(source.contains("{,"), "the repetition {,n}");
    let named = mask.group_names().count();
    let counted_back = (b'1'..=b'9').any(|digit| source.contains(&format!("\\{}", char::from(digit))));
    note(named > 0 && named < mask.group_count() && counted_back, "a numbered back-reference beside named groups");
    found
}

/// The insides of the character classes.
fn classes(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut current = String::new();
    let mut escaped = false;
    for character in source.chars() {
        let special = !escaped;
        escaped = special && character == '\\';
        match character {
            '[' if special => {
                depth += 1;
                if depth > 1 {
                    current.push('[');
                }
            }
            ']' if special && depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.push(std::mem::take(&mut current));
                }
            }
            other if depth > 0 && special => current.push(other),
            _ => {}
        }
    }
    found
}

fn balances(source: &str) -> bool {
    source.split("(?<").skip(1).any(|rest| {
        let name: String = rest.chars().take_while(|c| !matches!(c, '>' | ')' | '=' | '!')).collect();
        name.contains('-') && rest.get(name.len()..).is_some_and(|tail| tail.starts_with('>'))
    })
}

/// Whether every text that matches holds a line break.
fn needs_break(source: &str) -> bool {
    regex_syntax::parse(source).is_ok_and(|hir| demands_break(&hir))
}

fn demands_break(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.contains(&b'\n') || literal.0.contains(&b'\r'),
        HirKind::Concat(parts) => parts.iter().any(demands_break),
        HirKind::Alternation(parts) => parts.iter().all(demands_break),
        HirKind::Capture(capture) => demands_break(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && demands_break(&repetition.sub),
        _ => false,
    }
}

/// Whether no text at all can match; only for masks without look-around.
fn never_matches(source: &str) -> bool {
    regex_syntax::parse(source).is_ok_and(|hir| never(&hir))
}

fn never(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(class) => class.minimum_len().is_none(),
        HirKind::Capture(capture) => never(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min > 0 && never(&repetition.sub),
        HirKind::Alternation(parts) => parts.iter().all(never),
        HirKind::Concat(parts) => {
            let taken = |parts: &[Hir]| parts.iter().any(|part| part.properties().minimum_len().unwrap_or(0) > 0);
            parts.iter().any(never)
                || parts.iter().enumerate().any(|(index, part)| {
                    let looks = part.properties();
                    looks.look_set_prefix().contains(Look::Start) && taken(parts.get(..index).unwrap_or_default())
                        || looks.look_set_suffix().contains(Look::End) && taken(parts.get(index + 1..).unwrap_or_default())
                })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubts_of(mask: &str) -> String {
        doubts(&Mask::compile(mask).unwrap(), true).join("; ")
    }

    #[test]
    fn differences_from_dot_net_are_named() {
        for (mask, word) in [
            ("[a-z-[aeiou]]", "subtraction"),
            ("[a&&b]", "&&"),
            ("[[:alpha:]]", "[:name:]"),
            ("a{,3}", "{,n}"),
            (r"(?<n>a)(b)\1", "back-reference"),
        ] {
            assert!(doubts_of(mask).contains(word), "{mask}: {}", doubts_of(mask));
        }
    }

    #[test]
    fn masks_that_never_match_are_named() {
        for mask in ["a^b", "a$b", r"[^\s\S]", "(x$)y", r"a\nb", "(?i)foo^bar|x$y"] {
            assert!(doubts_of(mask).contains("never"), "{mask}: {}", doubts_of(mask));
        }
    }

    #[test]
    fn plain_masks_raise_no_doubt() {
        for mask in ["Test", r"^OpCon/xps: (\S+) total = ([0-9]+\.[0-9]+)$", r"[\[a]x", "a|^b", "(?<y>a)b", "^$", r"(?<=a-)b"] {
            assert_eq!(doubts_of(mask), "", "{mask}");
        }
    }
}
