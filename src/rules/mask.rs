//! Masks: regular expressions in the dialect of .NET as far as it can be had, with bounded work.
//!
//! A mask that needs neither look-around nor back-references runs in linear time on any text.
//! The others back-track, with a step limit and a cap on the text: what exceeds either is an
//! error of that mask on that mail, never a silent "no".

use std::time::{Duration, Instant};

use crate::events::Captures;

/// Steps that a back-tracking mask may take on one text. A step may look at all of the text, so
/// steps and length together bound the time (a few seconds at the worst).
const STEP_LIMIT: usize = 200_000;

/// Longest text that a back-tracking mask is tried on, in bytes.
const BACKTRACK_TEXT: usize = 16 * 1024;

/// Time that the back-tracking masks of one rule may take on one mail, all its lines together.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Memory of a compiled mask, in bytes.
const SIZE_LIMIT: usize = 10 * 1024 * 1024;

/// A compiled mask.
#[derive(Clone, Debug)]
pub struct Mask {
    source: String,
    engine: Engine,
    /// For each group in the order of .NET (unnamed ones first, then named ones): its index
    /// in the engine and its name.
    groups: Vec<(usize, Option<String>)>,
}

#[derive(Clone, Debug)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(fancy_regex::Regex),
}

/// What one rule may still spend on one mail.
#[derive(Clone, Copy, Debug)]
pub struct Budget(Instant);

impl Budget {
    /// A full budget, spent by the clock.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }

    fn is_spent(self) -> bool {
        self.0.elapsed() > TIME_LIMIT
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// A mask could not be tried on a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// It exceeded its steps.
    #[error(
        "the mask {mask} was given up after {STEP_LIMIT} steps; write it without nested repetition"
    )]
    Steps {
        /// The mask.
        mask: String,
    },
    /// It looks around or back, and the text is too long for that.
    #[error(
        "the mask {mask} looks around or back, which is bounded to texts of {BACKTRACK_TEXT} bytes, and this one has {length}; \
         write it without look-around and back-references"
    )]
    Text {
        /// The mask.
        mask: String,
        /// Bytes of the text.
        length: usize,
    },
    /// All lines of a mail together took it too long.
    #[error(
        "the mask {mask} was given up after {} seconds on one mail; write it without nested \
         repetition, look-around and back-references", TIME_LIMIT.as_secs()
    )]
    Time {
        /// The mask.
        mask: String,
    },
}

impl Mask {
    /// Compiles a mask; the error says what is wrong with it and where.
    pub fn compile(source: &str) -> Result<Self, String> {
        let pattern = dollar_before_final_break(source);
        let linear = regex::RegexBuilder::new(&pattern)
            .size_limit(SIZE_LIMIT)
            .build();
        let engine = match linear {
            Ok(engine) => Engine::Linear(engine),
            Err(regex::Error::CompiledTooBig(_)) => {
                return Err("needs too much memory; use smaller repetition counts".to_owned());
            }
            // fancy-regex takes these braces for literal text, .NET refuses them.
            Err(_) if has_reversed_count(&pattern) => {
                return Err("has a repetition {n,m} with n greater than m".to_owned());
            }
            Err(_) => Engine::Backtracking(
                fancy_regex::RegexBuilder::new(&pattern)
                    .backtrack_limit(STEP_LIMIT)
                    .delegate_size_limit(SIZE_LIMIT)
                    .build()
                    .map_err(|error| error.to_string().replace('\n', " "))?,
            ),
        };
        let names: Vec<Option<String>> = match &engine {
            Engine::Linear(engine) => engine
                .capture_names()
                .map(|name| name.map(str::to_owned))
                .collect(),
            Engine::Backtracking(engine) => engine
                .capture_names()
                .map(|name| name.map(str::to_owned))
                .collect(),
        };
        let groups = |named: bool| {
            names
                .iter()
                .enumerate()
                .skip(1)
                .filter(move |(_, name)| name.is_some() == named)
                .map(|(index, name)| (index, name.clone()))
        };
        let groups = groups(false).chain(groups(true)).collect();
        Ok(Self {
            source: source.to_owned(),
            engine,
            groups,
        })
    }

    /// The mask as the administrator wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether a match may reach over the end of a line, so that the whole body is searched.
    #[must_use]
    pub fn spans_lines(&self) -> bool {
        ["\\n", "\\r", "(?s)"]
            .iter()
            .any(|sign| self.source.contains(sign))
            || self.source.split("(?").skip(1).any(|flags| {
                let flags: String = flags.chars().take_while(char::is_ascii_lowercase).collect();
                flags.contains('s') && !flags.is_empty()
            })
    }

    /// The names of the groups that have one.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().filter_map(|(_, name)| name.as_deref())
    }

    /// How many groups there are.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// The first match anywhere in the text.
    pub fn find(&self, text: &str, budget: Budget) -> Result<Option<Captures>, MaskError> {
        Ok(self.find_all(text, 1, budget)?.pop())
    }

    /// Non-overlapping matches, the first `most` of them.
    pub fn find_all(
        &self,
        text: &str,
        most: usize,
        budget: Budget,
    ) -> Result<Vec<Captures>, MaskError> {
        let mask = || self.source.clone();
        match &self.engine {
            Engine::Linear(engine) => Ok(engine
                .captures_iter(text)
                .take(most)
                .map(|found| self.captures(&|index| found.get(index).map(|group| group.as_str())))
                .collect()),
            Engine::Backtracking(_) if text.len() > BACKTRACK_TEXT => Err(MaskError::Text {
                mask: mask(),
                length: text.len(),
            }),
            Engine::Backtracking(engine) => {
                let mut all = Vec::new();
                let mut matches = engine.captures_iter(text);
                while all.len() < most {
                    if budget.is_spent() {
                        return Err(MaskError::Time { mask: mask() });
                    }
                    let Some(found) = matches.next() else { break };
                    let found = found.map_err(|_| MaskError::Steps { mask: mask() })?;
                    all.push(self.captures(&|index| found.get(index).map(|group| group.as_str())));
                }
                Ok(all)
            }
        }
    }

    fn captures<'t>(&self, group: &dyn Fn(usize) -> Option<&'t str>) -> Captures {
        let mut captures = Captures::default();
        for (index, name) in &self.groups {
            let text = group(*index).unwrap_or_default().to_owned();
            if let Some(name) = name {
                captures.named.push((name.clone(), text.clone()));
            }
            captures.numbered.push(text);
        }
        captures
    }
}

/// `$` matches before a final line break too, as .NET has it. Where the mask sets `(?m)`, it
/// means the end of any line and is left alone.
fn dollar_before_final_break(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut escaped = false;
    let mut class = 0usize;
    for character in source.chars() {
        if escaped {
            escaped = false;
        } else {
            match character {
                '\\' => escaped = true,
                '[' => class += 1,
                ']' => class = class.saturating_sub(1),
                '$' if class == 0 && !sets_multi_line(source) => {
                    out.push_str(r"(?:\n?\z)");
                    continue;
                }
                _ => {}
            }
        }
        out.push(character);
    }
    out
}

fn has_reversed_count(pattern: &str) -> bool {
    regex_syntax::ast::parse::Parser::new()
        .parse(pattern)
        .is_err_and(|error| {
            matches!(
                error.kind(),
                regex_syntax::ast::ErrorKind::RepetitionCountInvalid
            )
        })
}

fn sets_multi_line(source: &str) -> bool {
    source.split("(?").skip(1).any(|flags| {
        flags
            .chars()
            .take_while(char::is_ascii_lowercase)
            .any(|flag| flag == 'm')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(mask: &str, text: &str) -> Option<Vec<String>> {
        Mask::compile(mask)
            .unwrap()
            .find(text, Budget::new())
            .unwrap()
            .map(|captures| captures.numbered)
    }

    #[test]
    fn the_dialect_of_dot_net() {
        for (mask, text, expected) in [
            (
                r"OpCon/xps: (\S+) total = ([0-9]+\.[0-9]+)",
                "OpCon/xps: A total = 1.5",
                Some(vec!["A", "1.5"]),
            ),
            ("test", "a Test", None),
            ("(?i)test", "a Test", Some(vec![])),
            (r"(?<n>a)(b)", "ab", Some(vec!["b", "a"])),
            (r"(?'n'a)", "a", Some(vec!["a"])),
            (r"(a)?b", "b", Some(vec![""])),
            (
                r"(?<!not )failed (?!OK)(\w+)",
                "failed hard",
                Some(vec!["hard"]),
            ),
            (r"(\w)\1", "xyyz", Some(vec!["y"])),
            ("end$", "the end\n", Some(vec![])),
            ("end$", "the end", Some(vec![])),
            (r"cost \$5[$]", "cost $5$", Some(vec![])),
            ("(?m)one$", "one\ntwo", Some(vec![])),
            ("one$", "one\ntwo", None),
        ] {
            let expected =
                expected.map(|list: Vec<&str>| list.into_iter().map(str::to_owned).collect());
            assert_eq!(groups(mask, text), expected, "{mask} on {text:?}");
        }
    }

    #[test]
    fn an_invalid_mask_says_what_is_wrong() {
        for mask in ["(", "[a", "a{2,1}", "(?<x", "*"] {
            assert!(!Mask::compile(mask).unwrap_err().is_empty(), "{mask}");
        }
        assert!(
            Mask::compile(r"(\w{1,500}){1,500}")
                .unwrap_err()
                .contains("memory")
        );
    }

    #[test]
    fn masks_that_span_lines_are_known() {
        for mask in [r"a\nb", r"a\r\nb", "(?s)a.b", "(?is)a.b"] {
            assert!(Mask::compile(mask).unwrap().spans_lines(), "{mask}");
        }
        for mask in ["ab", "(?i)s", "(?:s)", r"a\s"] {
            assert!(!Mask::compile(mask).unwrap().spans_lines(), "{mask}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let mask = Mask::compile(r"(?=(a+)+$)(a+)+\2b").unwrap();
        assert!(matches!(
            mask.find(&"a".repeat(3000), Budget::new()),
            Err(MaskError::Steps { .. }) | Ok(None)
        ));
        let mask = Mask::compile(r"(a+)+\1!").unwrap();
        assert!(matches!(
            mask.find(&"a".repeat(5000), Budget::new()),
            Err(MaskError::Steps { .. })
        ));
        assert!(matches!(
            mask.find(&"a".repeat(BACKTRACK_TEXT + 1), Budget::new()),
            Err(MaskError::Text { .. })
        ));
        let linear = Mask::compile("(a+)+!").unwrap();
        assert_eq!(
            linear.find(&"a".repeat(BACKTRACK_TEXT * 4), Budget::new()),
            Ok(None)
        );
    }

    #[test]
    fn all_matches_do_not_overlap() {
        let mask = Mask::compile(r"(?s)A(.)B").unwrap();
        let found: Vec<_> = mask
            .find_all("A\nB AxB", 9, Budget::new())
            .unwrap()
            .into_iter()
            .map(|c| c.numbered)
            .collect();
        assert_eq!(found, [["\n"], ["x"]]);
    }
}
