//! Text from mails inside events: it must never add a field, a line or a token.
//!
//! OpCon splits an event at commas and resolves `[[…]]` and `{{…}}` after it has received it, so
//! these are judged on the joined text: a pair that only forms where two pieces meet counts too.

/// `UnsafeText`: what to do with mail text that would change an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsafeText {
    /// Write no event.
    #[default]
    Reject,
    /// Put a space for each.
    Replace,
    /// Let commas through; brackets and braces still write no event.
    Allow,
}

/// A piece of an event on its way to being joined.
#[derive(Clone, Debug)]
pub(super) struct Segment<'a> {
    /// The text.
    pub(super) text: String,
    /// The token that the mail filled; `None` for the administrator's own text.
    pub(super) token: Option<&'a str>,
}

/// What was unsafe, and which token brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Name of the token.
    pub(super) token: String,
    /// What it held.
    pub(super) what: &'static str,
}

/// One character of the joined text and the token that brought it.
#[derive(Clone, Copy)]
struct Marked<'a> {
    character: char,
    token: Option<&'a str>,
}

/// Joins the pieces of an event. Text from the mail loses line breaks and control characters
/// (each becomes one space) and is judged by `policy`; in an XML event it is escaped.
pub(super) fn join(
    segments: &[Segment<'_>],
    policy: UnsafeText,
    xml: bool,
) -> Result<String, Found> {
    let mut joined: Vec<Marked<'_>> = Vec::new();
    let mut after_carriage_return = false;
    for segment in segments {
        for character in segment.text.chars() {
            let mut next = Marked {
                character,
                token: segment.token,
            };
            if let Some(token) = segment.token {
                let second_half = after_carriage_return && character == '\n';
                after_carriage_return = character == '\r';
                if second_half {
                    continue;
                }
                if is_break(character) {
                    next.character = ' ';
                } else if character == ',' && policy != UnsafeText::Allow {
                    if policy == UnsafeText::Reject {
                        return Err(Found {
                            token: token.to_owned(),
                            what: "a comma",
                        });
                    }
                    next.character = ' ';
                }
            } else {
                after_carriage_return = false;
            }
            push(&mut joined, next, policy)?;
        }
    }
    Ok(spell(&joined, xml))
}

/// Adds a character, unless it forms a pair with the one before it in which the mail has a hand.
fn push<'a>(
    joined: &mut Vec<Marked<'a>>,
    next: Marked<'a>,
    policy: UnsafeText,
) -> Result<(), Found> {
    let Some(last) = joined
        .last_mut()
        .filter(|last| last.character == next.character)
    else {
        joined.push(next);
        return Ok(());
    };
    let what = match next.character {
        '[' => "two opening brackets",
        ']' => "two closing brackets",
        '{' => "two opening braces",
        '}' => "two closing braces",
        _ => {
            joined.push(next);
            return Ok(());
        }
    };
    let Some(token) = next.token.or(last.token) else {
        joined.push(next);
        return Ok(());
    };
    if policy != UnsafeText::Replace {
        return Err(Found {
            token: token.to_owned(),
            what,
        });
    }
    match (last.token, next.token) {
        // The pair is the mail's: one space for it.
        (Some(_), Some(_)) => last.character = ' ',
        // Half of it is the administrator's, whose text stays.
        (Some(_), None) => {
            last.character = ' ';
            joined.push(next);
        }
        _ => joined.push(Marked {
            character: ' ',
            ..next
        }),
    }
    Ok(())
}

fn spell(joined: &[Marked<'_>], xml: bool) -> String {
    let mut out = String::with_capacity(joined.len());
    for marked in joined {
        if xml && marked.token.is_some() {
            escape_xml(marked.character, &mut out);
        } else {
            out.push(marked.character);
        }
    }
    out
}

/// Appends a character as XML text.
pub(super) fn escape_xml(character: char, out: &mut String) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&apos;"),
        other => out.push(other),
    }
}

/// Line breaks (CR, LF, U+0085, U+2028, U+2029) and control characters.
fn is_break(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `a` for the administrator's text, anything else for a token's.
    fn segments<'a>(parts: &[(&'a str, &str)]) -> Vec<Segment<'a>> {
        parts
            .iter()
            .map(|(owner, text)| Segment {
                text: (*text).to_owned(),
                token: (*owner != "a").then_some(*owner),
            })
            .collect()
    }

    #[test]
    fn breaks_become_one_space() {
        let parts = segments(&[
            ("a", "x,"),
            ("1", "a\r\nb\rc\nd\u{85}e\u{2028}f\u{2029}g\th\0i\u{7f}j"),
        ]);
        assert_eq!(
            join(&parts, UnsafeText::Reject, false).as_deref(),
            Ok("x,a b c d e f g h i j")
        );
    }

    #[test]
    fn a_break_at_a_seam_is_not_swallowed() {
        let parts = segments(&[("1", "a\r"), ("a", "-"), ("2", "\nb")]);
        assert_eq!(
            join(&parts, UnsafeText::Reject, false).as_deref(),
            Ok("a - b")
        );
    }

    #[test]
    fn unsafe_text_by_policy() {
        for (text, rejected, replaced, allowed) in [
            ("a,b", Some("a comma"), "a b", Some("a,b")),
            ("a[[b", Some("two opening brackets"), "a b", None),
            ("a]]b", Some("two closing brackets"), "a b", None),
            ("a{{b", Some("two opening braces"), "a b", None),
            ("a}}b", Some("two closing braces"), "a b", None),
            ("a[b]{c}", None, "a[b]{c}", Some("a[b]{c}")),
        ] {
            let parts = segments(&[("a", "$X,"), ("SUBJECT", text)]);
            let found = join(&parts, UnsafeText::Reject, false).err();
            assert_eq!(found.as_ref().map(|f| f.what), rejected, "{text}");
            assert!(found.is_none_or(|f| f.token == "SUBJECT"));
            assert_eq!(
                join(&parts, UnsafeText::Replace, false).unwrap(),
                format!("$X,{replaced}")
            );
            assert_eq!(
                join(&parts, UnsafeText::Allow, false).ok(),
                allowed.map(|a| format!("$X,{a}"))
            );
        }
    }

    #[test]
    fn pairs_that_form_at_a_seam_count() {
        for (parts, replaced) in [
            (vec![("1", "["), ("2", "[x")], " x"),
            (vec![("a", "["), ("1", "[x")], "[ x"),
            (vec![("1", "x["), ("a", "[y")], "x [y"),
            (vec![("1", "["), ("2", ""), ("3", "[[")], " ["),
        ] {
            let parts = segments(&parts);
            assert!(join(&parts, UnsafeText::Reject, false).is_err());
            assert!(join(&parts, UnsafeText::Allow, false).is_err());
            assert_eq!(
                join(&parts, UnsafeText::Replace, false).as_deref(),
                Ok(replaced)
            );
        }
        let own = segments(&[("a", "[[$DATE]]{{p}}"), ("1", "x")]);
        assert_eq!(
            join(&own, UnsafeText::Reject, false).as_deref(),
            Ok("[[$DATE]]{{p}}x")
        );
    }

    #[test]
    fn mail_text_adds_no_element() {
        let parts = segments(&[("a", "<EVENT><A>"), ("1", "<B>&'\""), ("a", "</A></EVENT>")]);
        assert_eq!(
            join(&parts, UnsafeText::Reject, true).as_deref(),
            Ok("<EVENT><A>&lt;B&gt;&amp;&apos;&quot;</A></EVENT>")
        );
    }

    proptest! {
        /// Whatever the mail says, the event has the administrator's fields, lines and tokens.
        #[test]
        fn the_event_stays_the_administrators(
            texts in proptest::collection::vec("[\\[\\]{},a\r\n\u{85}\u{2028}\t ü]{0,6}", 1..5),
            own in proptest::collection::vec("[\\[\\]{},b]{0,4}", 1..5),
            policy in prop_oneof![Just(UnsafeText::Reject), Just(UnsafeText::Replace), Just(UnsafeText::Allow)],
        ) {
            let mut parts = Vec::new();
            for (index, text) in texts.iter().enumerate() {
                parts.push(Segment { text: own.get(index).cloned().unwrap_or_default(), token: None });
                parts.push(Segment { text: text.clone(), token: Some("1") });
            }
            if let Ok(line) = join(&parts, policy, false) {
                let count = |text: &str, pattern: &str| text.match_indices(pattern).count();
                let alone: usize = parts.iter().filter(|p| p.token.is_none()).map(|p| count(&p.text, ",")).sum();
                if policy != UnsafeText::Allow {
                    prop_assert_eq!(count(&line, ","), alone, "{}", &line);
                }
                prop_assert!(!line.chars().any(is_break));
                // Every pair left stands in the administrator's text, unbroken by a mail's.
                let blanked: String = parts.iter().map(|p| match p.token {
                    None => p.text.clone(),
                    Some(_) if p.text.is_empty() => String::new(),
                    Some(_) => "\u{1}".to_owned(),
                }).collect();
                for pair in ["[[", "]]", "{{", "}}"] {
                    prop_assert_eq!(count(&line, pair), count(&blanked, pair), "{}", &line);
                }
            }
        }
    }
}
