//! `[Tokens]`: the administrator's own names, put into `[Configuration#]` and `[Audit]` values
//! before anything else is done with these.

use super::ini::Section;
use crate::events::template::{Piece, pieces};

/// Longer values, or more steps to get there, are a mistake: tokens that use each other can
/// double with every step.
const LONGEST: usize = 64 * 1024;

/// Deeper use of tokens in tokens is a mistake.
const DEEPEST: usize = 32;

/// The custom tokens of one file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens(Vec<(String, String)>);

impl Tokens {
    /// Takes the `[Tokens]` section.
    pub(crate) fn new(section: Option<&Section>) -> Self {
        Self(section.map_or_else(Vec::new, |section| {
            section.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
        }))
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The value with every custom token in it replaced. Names that are not in `[Tokens]` stay.
    ///
    /// Fails with a sentence that names the tokens of a cycle, or the length.
    pub(crate) fn expand(&self, value: &str) -> Result<String, String> {
        let mut work = Work::default();
        self.expand_into(value, &mut work)?;
        Ok(work.out)
    }

    fn expand_into<'a>(&'a self, value: &str, work: &mut Work<'a>) -> Result<(), String> {
        for piece in pieces(value) {
            work.steps += 1;
            match piece {
                Piece::Text(text) => work.out.push_str(text),
                Piece::Token { name, raw } => {
                    let Some((known, inner)) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
                        work.out.push_str(raw);
                        continue;
                    };
                    if work.open.contains(&known.as_str()) {
                        let chain: Vec<_> = work.open.iter().copied().chain([known.as_str()]).collect();
                        return Err(format!("uses [Tokens] in a circle: {}", chain.join(" > ")));
                    }
                    work.open.push(known);
                    self.expand_into(inner, work)?;
                    work.open.pop();
                }
            }
            if work.out.len() > LONGEST || work.steps > LONGEST || work.open.len() > DEEPEST {
                return Err("grows without measure by its [Tokens], which use each other too often".to_owned());
            }
        }
        Ok(())
    }
}

/// An expansion under way.
#[derive(Default)]
struct Work<'a> {
    out: String,
    /// The tokens being replaced, the outermost first.
    open: Vec<&'a str>,
    steps: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pairs: &[(&str, &str)]) -> Tokens {
        Tokens(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
    }

    #[test]
    fn tokens_may_use_each_other() {
        let tokens = tokens(&[("a", "[[B]];x"), ("b", "y[[SENDER]]")]);
        assert_eq!(tokens.expand("[[A]] [[1]] [[c]]").as_deref(), Ok("y[[SENDER]];x [[1]] [[c]]"));
    }

    #[test]
    fn circles_and_explosions_are_refused() {
        let circle = tokens(&[("a", "[[b]]"), ("b", "[[a]]")]);
        assert!(circle.expand("[[a]]").unwrap_err().contains("a > b > a"));
        let names: Vec<String> = (0..30).map(|i| format!("t{i}")).collect();
        let values: Vec<String> = (1..31).map(|i| format!("[[t{i}]][[t{i}]]x")).collect();
        let pairs: Vec<_> = names.iter().zip(&values).map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert!(tokens(&pairs).expand("[[t0]]").unwrap_err().contains("grows"));
        let silent: Vec<_> = pairs.iter().map(|(a, b)| (*a, b.trim_end_matches('x'))).collect();
        assert!(tokens(&silent).expand("[[t0]]").unwrap_err().contains("grows"));
    }
}
