//! Which characters of a text from elsewhere may be shown to people as they are.

/// Whether a terminal or a reader would be misled by the character: it moves the cursor, ends a
/// line, turns the direction of what follows, or is not to be seen.
#[must_use]
pub(crate) fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_and_tricks_are_not() {
        assert!(!"Grüße, 東京! 👍 «œuvre»\u{a0}".chars().any(is_treacherous));
        let tricks = "\u{1b}\r\n\t\0\u{7f}\u{85}\u{ad}\u{61c}\u{180e}\u{202e}\u{2066}\u{feff}\u{fffa}\u{e0041}";
        assert!(tricks.chars().all(is_treacherous));
    }
}
