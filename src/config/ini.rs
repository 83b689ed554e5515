//! An INI file as sections and settings, with the line that each stands on.
//!
//! rust-ini keeps the entries; what it can't bear (a value that ends in a backslash, junk
//! lines, comments behind a section) never reaches it, and it is told of no escapes.

use std::fmt::Write;

use ini::{Ini, ParseOption};

use super::lines::{Kind, scan};
use super::problem::{Problems, Severity};

/// A setting as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key as written.
    pub(crate) key: String,
    /// The literal value.
    pub(crate) value: String,
    /// Where it stands.
    pub(crate) line: usize,
}

/// All `[name]` blocks of one name.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The name as written.
    pub(crate) name: String,
    /// The line of the first such header.
    pub(crate) line: usize,
    /// The lines of further headers of the same name.
    pub(crate) again: Vec<usize>,
    /// The settings in order, doubled keys already dropped.
    pub(crate) entries: Vec<Entry>,
}

impl Section {
    /// The setting of this name; case is no difference.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))
    }
}

/// The whole file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    /// The sections in order of their first appearance.
    pub(crate) sections: Vec<Section>,
}

impl Document {
    /// Reads the text; lines that are nothing, and doubled sections and keys, are reported.
    pub(crate) fn parse(text: &str, problems: &mut Problems) -> Self {
        let mut document = Self::default();
        let clean = clean(text, &mut document, problems);
        match Ini::load_from_str_opt(&clean, LITERAL) {
            Ok(ini) => document.fill(&ini, problems),
            // The cleaned text holds nothing that the reader could refuse.
            Err(error) => problems.add(Severity::Fatal, None, "", format!("can't be read as an INI file: {error}")),
        }
        document
    }

    /// The section of this name; case is no difference.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name.eq_ignore_ascii_case(name))
    }

    fn fill(&mut self, ini: &Ini, problems: &mut Problems) {
        for section in &mut self.sections {
            for properties in ini.section_all(Some(section.name.as_str())) {
                for (key, tagged) in properties {
                    // An empty value has lost the blank behind its line number.
                    let (line, value) = tagged.split_once(' ').unwrap_or((tagged, ""));
                    let entry = Entry { key: key.to_owned(), value: value.to_owned(), line: line.parse().unwrap_or_default() };
                    match section.get(key) {
                        Some(first) => problems.add(
                            Severity::Warning,
                            Some(entry.line),
                            format!("[{}] {key}", section.name),
                            format!("is set a second time; the value of line {} counts", first.line),
                        ),
                        None => section.entries.push(entry),
                    }
                }
            }
        }
    }
}

/// Values are taken as they stand.
const LITERAL: ParseOption = ParseOption {
    enabled_quote: false,
    enabled_escape: false,
    enabled_indented_mutiline_value: false,
    enabled_preserve_key_leading_whitespace: false,
};

/// The sections and settings alone, each value led by its line number, in a form that
/// rust-ini reads as it is meant; the section headers go into the document.
fn clean(text: &str, document: &mut Document, problems: &mut Problems) -> String {
    let mut out = String::with_capacity(text.len());
    let mut headless = true;
    for line in scan(text) {
        match line.kind {
            Kind::Nothing => {}
            Kind::Section(name) => {
                headless = false;
                let known = document.sections.iter_mut().find(|section| section.name.eq_ignore_ascii_case(name));
                match known {
                    Some(section) => section.again.push(line.number),
                    None => document.sections.push(Section {
                        name: name.to_owned(),
                        line: line.number,
                        again: Vec::new(),
                        entries: Vec::new(),
                    }),
                }
                // CR LF: a value that ends in a backslash would swallow the next line after LF.
                let _ = write!(out, "[{name}]\r\n");
            }
            Kind::Setting { key, .. } if headless => {
                problems.add(Severity::Warning, Some(line.number), key, "stands before the first [section] and is not used");
            }
            Kind::Setting { key, .. } if key.contains(':') => {
                problems.add(Severity::Warning, Some(line.number), key, "has a colon in its name and is not used");
            }
            Kind::Setting { key, value, .. } => {
                let _ = write!(out, "{key}={} {value}\r\n", line.number);
            }
            Kind::Junk(what) => problems.add(
                Severity::Warning,
                Some(line.number),
                "",
                format!("\"{}\" is no [section], no setting (key=value) and no comment; it is not used", shorten(what)),
            ),
        }
    }
    out
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Document, Vec<String>) {
        let mut problems = Problems::default();
        let document = Document::parse(text, &mut problems);
        let told = problems.sorted().iter().map(|p| format!("{:?} {} {}", p.line, p.place, p.message)).collect();
        (document, told)
    }

    #[test]
    fn values_are_literal() {
        for value in [
            r"C:\ProgramData\x",
            r"C:\Temp\",
            r"\\server\share",
            r"(\S+) total = ([0-9]+\.[0-9]+)",
            r"^a\\b\x41\n$",
            "a # b",
            "a ; b",
            "#lead",
            ";lead",
            "a=b=c",
            "a:b",
            "\"quoted\"",
            "'unbalanced",
            r"%PROGRAMDATA%\x",
            "[[SENDER]]",
            "[x]",
            "",
            "Größe €",
        ] {
            for end in ["\n", "\r\n", "\r"] {
                let (document, told) = parse(&format!("[S]{end}k={value}{end}next=1{end}"));
                let section = document.section("s").unwrap();
                assert_eq!(section.get("K").map(|e| e.value.as_str()), Some(value), "{told:?} {end:?}");
                assert_eq!(section.get("next").unwrap().line, 3, "{value}");
                assert!(told.is_empty(), "{told:?}");
            }
        }
    }

    #[test]
    fn what_is_lost_is_told() {
        let (document, told) = parse("early=1\n[A] ; c\nk=1\njunk\nK=2\n[b]\nx:y=1\n[a]\nz=3\n");
        let a = document.section("A").unwrap();
        assert_eq!((a.get("k").unwrap().value.as_str(), a.get("z").unwrap().line, a.again.as_slice()), ("1", 9, [8].as_slice()));
        for (line, word) in [(1, "before the first"), (4, "junk"), (5, "line 3"), (7, "colon")] {
            assert!(told.iter().any(|t| t.starts_with(&format!("Some({line})")) && t.contains(word)), "{line}: {told:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_setting_is_found(pairs in proptest::collection::vec(("[A-Za-z#;]{1,3}[a-z0-9 ]{0,4}[a-z]", "[ -~äß]{0,12}[!-~]"), 0..12)) {
            let mut text = String::from("[S]\n");
            let mut expected: Vec<(String, String)> = Vec::new();
            for (key, value) in &pairs {
                text.push_str(&format!("{key}={value}\n"));
                if !key.starts_with(['#', ';']) && !expected.iter().any(|(k, _)| k.eq_ignore_ascii_case(key)) {
                    expected.push((key.clone(), value.trim().to_owned()));
                }
            }
            let (document, _) = parse(&text);
            let found: Vec<_> = document.section("S").unwrap().entries.iter().map(|e| (e.key.clone(), e.value.clone())).collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
