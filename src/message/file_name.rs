//! Names from mails made safe as file names, the same on every system.
//!
//! The rules are those of Windows, as its are the strictest; a mail saved on Linux may be
//! copied there. Nothing here looks at a disk.

use std::borrow::Cow;

/// The longest name in characters and in UTF-8 bytes: below every file system's limit (255
/// UTF-16 units on NTFS, 255 bytes on ext4), with room for a number or a suffix.
const LONGEST_CHARS: usize = 150;
const LONGEST_BYTES: usize = 240;

/// A longer extension is taken for a part of the name.
const LONGEST_EXTENSION: usize = 20;

/// A name from a mail, made safe as a single file name on every system.
///
/// Characters that separate folders, that Windows reserves, or that don't show (controls,
/// zero-width, direction marks) become `_` or go; dots and blanks at both ends go; names of
/// devices get a `_` in front; long names are cut before the extension. What nothing is left
/// of is called `unnamed`.
#[must_use]
pub fn safe_file_name(name: &str) -> String {
    let cleaned: String = name.chars().filter_map(clean).collect();
    let trimmed = cleaned.trim_matches(is_edge);
    if trimmed.is_empty() || trimmed.chars().all(|c| c == '_') {
        return "unnamed".to_owned();
    }
    let (stem, extension) = halves(trimmed);
    let room = Size {
        chars: LONGEST_CHARS,
        bytes: LONGEST_BYTES,
    }
    .without(extension);
    let within = |room| format!("{}{extension}", cut(stem, room));
    let name = within(room);
    // Only now: a long name may be cut in the blanks that hide a device.
    if is_device(&name) {
        return format!("_{}", within(room.without("_")));
    }
    name
}

/// The same, but distinct (without regard to case) from the names already taken, by
/// ` (2)` before the extension.
#[must_use]
pub fn distinct_file_name(name: &str, taken: &[String]) -> String {
    let safe = safe_file_name(name);
    let taken: std::collections::HashSet<String> = taken.iter().map(|name| folded(name)).collect();
    if !taken.contains(&folded(&safe)) {
        return safe;
    }
    let (stem, extension) = halves(&safe);
    let mut number = 2_u64;
    loop {
        let ending = format!(" ({number}){extension}");
        let room = Size {
            chars: LONGEST_CHARS,
            bytes: LONGEST_BYTES,
        }
        .without(&ending);
        let numbered = format!("{}{ending}", cut(stem, room));
        if !taken.contains(&folded(&numbered)) {
            return numbered;
        }
        number += 1;
    }
}

/// What file systems that ignore case may take for the same name.
fn folded(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

#[derive(Clone, Copy)]
struct Size {
    chars: usize,
    bytes: usize,
}

impl Size {
    fn without(self, text: &str) -> Self {
        Self {
            chars: self.chars.saturating_sub(text.chars().count()),
            bytes: self.bytes.saturating_sub(text.len()),
        }
    }
}

/// What becomes of one character; `None` if it goes.
fn clean(c: char) -> Option<char> {
    match c {
        '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*' => Some('_'),
        // Line breaks of all kinds and blanks that are none.
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Some('_'),
        c if c.is_whitespace() => Some(' '),
        c if is_invisible(c) => None,
        c => Some(c),
    }
}

/// Zero-width and direction characters (Unicode's Default_Ignorable and Bidi_Control, as
/// far as they turn up), private use and non-characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
        || (u32::from(c) & 0xFFFE) == 0xFFFE
}

/// Windows drops these at the end of a name, Unix hides a name that begins with a dot.
fn is_edge(c: char) -> bool {
    c == '.' || c == ' '
}

/// Name and extension, the extension with its dot or empty.
fn halves(name: &str) -> (&str, &str) {
    name.rfind('.')
        .filter(|dot| *dot > 0 && name.len() - dot <= LONGEST_EXTENSION)
        .and_then(|dot| name.split_at_checked(dot))
        .unwrap_or((name, ""))
}

/// Cuts to the room between characters; dots and blanks at the new end go.
fn cut(text: &str, room: Size) -> Cow<'_, str> {
    if text.len() <= room.bytes && text.chars().count() <= room.chars {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    for c in text.chars().take(room.chars) {
        if kept.len() + c.len_utf8() > room.bytes {
            break;
        }
        kept.push(c);
    }
    kept.truncate(kept.trim_end_matches(is_edge).len());
    Cow::Owned(kept)
}

/// Whether Windows takes the name for a device, whatever the extension: `con`, `NUL.txt`,
/// `COM1 .log`, with the superscript digits too.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$"
    ) {
        return true;
    }
    let number = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    let mut rest = number.unwrap_or_default().chars();
    matches!(
        (rest.next(), rest.next()),
        (Some('0'..='9' | '¹' | '²' | '³'), None)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_world() {
        let cases = [
            ("report.pdf", "report.pdf"),
            ("Grüße 漢字.txt", "Grüße 漢字.txt"),
            ("in/out.txt", "in_out.txt"),
            ("C:\\temp\\a.txt", "C__temp_a.txt"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("..", "unnamed"),
            (".", "unnamed"),
            ("", "unnamed"),
            (" . . ", "unnamed"),
            ("///", "unnamed"),
            (".hidden", "hidden"),
            ("trailing. . ", "trailing"),
            ("a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"),
            ("a\r\nb\0c\td\u{85}e\u{2028}f", "a__b_c_d_e_f"),
            ("a\u{a0}\u{3000}b", "a  b"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("a\u{200b}b\u{feff}.txt", "ab.txt"),
            ("\u{200b}", "unnamed"),
            ("con", "_con"),
            ("NUL.txt", "_NUL.txt"),
            ("nul .tar.gz", "_nul .tar.gz"),
            ("Com1.log", "_Com1.log"),
            ("LPT³", "_LPT³"),
            ("COM¹.x", "_COM¹.x"),
            ("conin$", "_conin$"),
            ("COM10", "COM10"),
            ("COM", "COM"),
            ("CONSOLE", "CONSOLE"),
            ("nul\u{200b}.txt", "_nul.txt"),
            (".con", "_con"),
        ];
        let blanks = " ".repeat(160);
        let long = [
            (format!("nul{blanks}x.txt"), "_nul.txt"),
            (format!("con{blanks}x"), "_con"),
        ];
        let long = long
            .iter()
            .map(|(name, expected)| (name.as_str(), *expected));
        for (name, expected) in cases.into_iter().chain(long) {
            assert_eq!(safe_file_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        assert_eq!(
            safe_file_name(&format!("{}.pdf", "a".repeat(500))),
            format!("{}.pdf", "a".repeat(146))
        );
        assert_eq!(
            safe_file_name(&format!("{}.pdf", "漢".repeat(500))),
            format!("{}.pdf", "漢".repeat(78))
        );
        assert_eq!(
            safe_file_name(&format!("{} {}", "a".repeat(149), "b".repeat(9))),
            "a".repeat(149)
        );
        assert_eq!(safe_file_name(&format!("a.{}", "b".repeat(500))).len(), 150);
    }

    #[test]
    fn taken_names_are_numbered() {
        let taken = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(distinct_file_name("a.txt", &[]), "a.txt");
        assert_eq!(distinct_file_name("a.txt", &taken(&["A.TXT"])), "a (2).txt");
        assert_eq!(
            distinct_file_name("a.txt", &taken(&["a.txt", "a (2).txt"])),
            "a (3).txt"
        );
        assert_eq!(
            distinct_file_name("straße", &taken(&["STRASSE"])),
            "straße (2)"
        );
        let long = format!("{}.pdf", "a".repeat(146));
        assert_eq!(
            distinct_file_name(&long, &taken(&[&long])),
            format!("{} (2).pdf", "a".repeat(142))
        );
    }

    fn assert_safe(name: &str) -> Result<(), TestCaseError> {
        prop_assert!(!name.is_empty());
        prop_assert!(name.len() <= LONGEST_BYTES && name.chars().count() <= LONGEST_CHARS);
        prop_assert!(!name.starts_with(is_edge) && !name.ends_with(is_edge));
        prop_assert!(
            !name
                .contains(|c: char| c.is_control() || is_invisible(c) || "/\\<>:\"|?*".contains(c))
        );
        prop_assert!(!is_device(name));
        Ok(())
    }

    proptest! {
        #[test]
        fn always_safe(name in "\\PC{0,300}|(\\.|/|\\\\| |con|nul|com1|\u{202e}|[a-z]){0,12}|(?s).{0,300}") {
            let safe = safe_file_name(&name);
            assert_safe(&safe)?;
            prop_assert_eq!(safe_file_name(&safe), safe.clone());
            let second = distinct_file_name(&name, std::slice::from_ref(&safe));
            assert_safe(&second)?;
            prop_assert_ne!(folded(&second), folded(&safe));
        }
    }
}
