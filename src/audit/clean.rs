//! Text from mails and servers for the eyes of people: no character in it moves the cursor, ends a
//! line or turns the direction of what follows.

use crate::visible::is_treacherous;

/// The text with line breaks, control, direction and invisible characters written as escapes.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_treacherous(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// As [`one_line`], cut to so many characters.
#[must_use]
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return one_line(text);
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", one_line(&cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_through_that_a_terminal_obeys() {
        assert_eq!(
            one_line("a\u{1b}[31mb\nc\u{202e}d\u{85}ü"),
            "a\\u{1b}[31mb\\nc\\u{202e}d\\u{85}ü"
        );
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }
}
