//! What each line of an INI file is. The one scanner for reading and for editing, so that
//! both mean the same line when they speak of a setting.

/// What a line is. Names are trimmed; a value is trimmed and otherwise literal: no escapes,
/// no quotes, no comments behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// `[name]`; whatever follows the bracket is ignored.
    Section(&'a str),
    /// `key=value`.
    Setting {
        /// Before the first `=`.
        key: &'a str,
        /// After it.
        value: &'a str,
        /// Where the value begins, in bytes from the start of the text.
        value_at: usize,
    },
    /// Blank, or begins with `#` or `;`.
    Nothing,
    /// None of these.
    Junk(&'a str),
}

/// One line of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Counted from one, as editors do.
    pub(crate) number: usize,
    /// What it is.
    pub(crate) kind: Kind<'a>,
    /// Where the line ends, in bytes from the start of the text, without its line end.
    pub(crate) end: usize,
}

/// The lines of a text; CR LF, LF and CR end one.
pub(crate) fn scan(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    let mut number = 0;
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest?;
        let (line, step) = match here.find(['\n', '\r']) {
            Some(end) => {
                let (line, tail) = here.split_at(end);
                let width = if tail.starts_with("\r\n") { 2 } else { 1 };
                rest = tail.get(width..);
                (line, end + width)
            }
            None => {
                rest = None;
                (here, here.len())
            }
        };
        number += 1;
        let found = Line { number, kind: kind(line, at), end: at + line.len() };
        at += step;
        Some(found)
    })
}

fn kind(line: &str, at: usize) -> Kind<'_> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
        return Kind::Nothing;
    }
    if let Some(name) = trimmed.strip_prefix('[') {
        return match name.split_once(']') {
            Some((name, _)) => Kind::Section(name.trim()),
            None => Kind::Junk(trimmed),
        };
    }
    match line.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            let lead = value.len() - value.trim_start().len();
            Kind::Setting { key: key.trim(), value: value.trim(), value_at: at + key.len() + 1 + lead }
        }
        _ => Kind::Junk(trimmed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind() {
        let text = "; c\r\n[ Mail ] ; x\n  Key = a # b \rjunk\n=v\n[open\n\nk=";
        let kinds: Vec<_> = scan(text).map(|line| line.kind).collect();
        let at = text.find("a # b").unwrap();
        assert_eq!(
            kinds,
            [
                Kind::Nothing,
                Kind::Section("Mail"),
                Kind::Setting { key: "Key", value: "a # b", value_at: at },
                Kind::Junk("junk"),
                Kind::Junk("=v"),
                Kind::Junk("[open"),
                Kind::Nothing,
                Kind::Setting { key: "k", value: "", value_at: text.len() },
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn a_value_stands_where_the_scanner_says(text in "[a-z=\\[\\] \r\n\t;#ü]{0,80}") {
            for line in scan(&text) {
                if let Kind::Setting { value, value_at, .. } = line.kind {
                    proptest::prop_assert_eq!(text.get(value_at..value_at + value.len()), Some(value));
                }
                proptest::prop_assert!(line.end <= text.len());
            }
            let joined: usize = scan(&text).count();
            proptest::prop_assert_eq!(joined, text.replace("\r\n", "\n").split(['\n', '\r']).count());
        }
    }
}
