//! Text with `[[tokens]]`: cut into pieces once; what a token is replaced by is never cut again.

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// `[[NAME]]`.
    Token {
        /// Between the brackets, as written.
        name: &'a str,
        /// With the brackets.
        raw: &'a str,
    },
}

/// Cuts a template. A name holds no bracket, so in `[[prop.[[1]]]]` the token is `[[1]]`.
pub fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let start = next_token(rest);
        let (piece, length) = match start {
            Some((0, length)) => {
                let raw = rest.get(..length)?;
                (
                    Piece::Token {
                        name: raw.get(2..length - 2)?,
                        raw,
                    },
                    length,
                )
            }
            Some((start, _)) => (Piece::Text(rest.get(..start)?), start),
            None => (Piece::Text(rest), rest.len()),
        };
        rest = rest.get(length..)?;
        Some(piece)
    })
}

/// Start and length of the first token.
fn next_token(text: &str) -> Option<(usize, usize)> {
    text.match_indices("]]").find_map(|(end, _)| {
        // The innermost opening bracket pair before this closing one.
        let before = text.get(..end)?;
        let start = before.rfind(['[', ']'])?;
        let name_is_there = start + 1 < end;
        let from = before.get(..=start)?.strip_suffix("[[")?.len();
        name_is_there.then_some((from, end + 2 - from))
    })
}

/// Replaces every token that `value` knows; the others stay as they are.
pub fn fill(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    pieces(template)
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Token { name, raw } => value(name).unwrap_or_else(|| raw.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(template: &str) -> Vec<&str> {
        pieces(template)
            .filter_map(|piece| match piece {
                Piece::Token { name, .. } => Some(name),
                Piece::Text(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_innermost_brackets_count() {
        assert_eq!(names("[[a]] x [[b c]]"), ["a", "b c"]);
        assert_eq!(names("[[prop.[[1]]]]"), ["1"]);
        assert_eq!(names("[[[1]]]"), ["1"]);
        assert_eq!(names("[[]] [1] [[a] ]] [[ [[ ]]"), [" "]);
        assert_eq!(names("no"), Vec::<&str>::new());
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost(template in "[\\[\\]aü ]{0,24}") {
            let joined: String = pieces(&template).map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Token { raw, .. } => raw,
            }).collect();
            proptest::prop_assert_eq!(&joined, &template);
            let filled = fill(&template, |_| None);
            proptest::prop_assert_eq!(filled, template);
        }
    }
}
