//! Lists of addresses and of files, separated by commas or semicolons.

use super::options::unquoted;
use super::texts::{Message, Phrase};
use crate::net::clean;
use crate::send::{Address, Person};

/// Reads people: `a@b`, `<a@b>` or `Name <a@b>`, the name in quotes where it holds a separator.
pub(super) fn people(option: &str, text: &str) -> Result<Vec<Person>, Message> {
    parts(option, text)?
        .into_iter()
        .map(|part| person(option, part))
        .collect()
}

/// Reads one address, without a name.
pub(super) fn address(option: &str, text: &str) -> Result<Address, Message> {
    Address::parse(text).map_err(|_| wrong(option, text))
}

/// Paths as an option has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Paths {
    /// The value as it stands.
    whole: String,
    /// The parts of the list that it is.
    each: Vec<String>,
}

impl Paths {
    /// The files that are meant. A separator may belong to the name of a single file: the whole
    /// value is one path if there is such a file.
    pub(super) fn meant(&self, is_file: impl Fn(&str) -> bool) -> &[String] {
        let whole = std::slice::from_ref(&self.whole);
        match &self.each[..] {
            [_, _, ..] if is_file(&self.whole) => whole,
            each => each,
        }
    }
}

/// Reads paths; one of several that holds a separator stands in quotes.
pub(super) fn files(option: &str, text: &str) -> Result<Paths, Message> {
    let parts = parts(option, text)?.into_iter();
    Ok(Paths {
        whole: text.to_owned(),
        each: parts.map(|part| unquoted(part).to_owned()).collect(),
    })
}

fn person(option: &str, text: &str) -> Result<Person, Message> {
    let (name, inside) = match text.rfind('<').map(|at| text.split_at(at)) {
        Some((name, rest)) => {
            let inside = rest
                .strip_prefix('<')
                .and_then(|rest| rest.strip_suffix('>'));
            (name, inside.ok_or_else(|| wrong(option, text))?)
        }
        None => ("", text),
    };
    let address = Address::parse(inside).map_err(|_| wrong(option, text))?;
    if name.contains(char::is_control) {
        return Err(wrong(option, text));
    }
    Ok(Person {
        name: plain(name.trim()),
        address,
    })
}

fn wrong(option: &str, text: &str) -> Message {
    Phrase::WrongAddress
        .with("option", option)
        .with("value", clean(text, 100))
}

/// A name without its quotes (RFC 5322, section 3.2.4).
fn plain(name: &str) -> String {
    let inner = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return name.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// The parts of a list, without blanks around them and without empty ones. Separators within
/// quotes don't count, nor do quotes behind a backslash within quotes.
fn parts<'a>(option: &str, text: &'a str) -> Result<Vec<&'a str>, Message> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut in_quotes = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes && text.get(at + 1..).is_some_and(is_escape) => escaped = true,
            '"' => in_quotes = !in_quotes,
            ',' | ';' if !in_quotes => {
                parts.push(text.get(begin..at).unwrap_or_default());
                begin = at + 1;
            }
            _ => {}
        }
    }
    if in_quotes {
        return Err(Phrase::WrongQuote.with("option", option));
    }
    parts.push(text.get(begin..).unwrap_or_default());
    let trimmed = parts.into_iter().map(str::trim);
    Ok(trimmed.filter(|part| !part.is_empty()).collect())
}

/// What a backslash protects; the one before a file's name does not.
fn is_escape(rest: &str) -> bool {
    rest.starts_with(['"', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let people = people("/TO", text).unwrap().into_iter();
        people
            .map(|person| (person.name, person.address.to_string()))
            .collect()
    }

    fn pair(name: &str, address: &str) -> (String, String) {
        (name.to_owned(), address.to_owned())
    }

    #[test]
    fn people_are_read_with_and_without_names() {
        assert_eq!(
            read(" a@b , c@d;Jo Doe <e@f>;\"Doe, \\\"J\\\"; x\" <g@h>,,<i@j>;"),
            [
                pair("", "a@b"),
                pair("", "c@d"),
                pair("Jo Doe", "e@f"),
                pair("Doe, \"J\"; x", "g@h"),
                pair("", "i@j"),
            ]
        );
        assert_eq!(
            read("Ren\u{e9} <r@b\u{fc}cher.example>"),
            [pair("Ren\u{e9}", "r@xn--bcher-kva.example")]
        );
        assert_eq!(read("\"a,b\"@c.example"), [pair("", "\"a,b\"@c.example")]);
        assert_eq!(read(" ; , "), []);
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in [
            "a",
            "a@b, c",
            "Jo <a@b",
            "Jo a@b>",
            "a@b\r\nRCPT TO:<x@y>",
            "a b@c",
        ] {
            assert!(people("/TO", text).is_err(), "{text}");
        }
        let unclosed = people("/CC", "\"Doe, J <a@b>");
        assert_eq!(unclosed, Err(Phrase::WrongQuote.with("option", "/CC")));
    }

    #[test]
    fn files_are_read_with_their_backslashes() {
        let read = files("/ATTACH", r#"C:\a\x.pdf, "b, c.pdf";d e.pdf ,"#).unwrap();
        assert_eq!(
            read.meant(|_| false),
            [r"C:\a\x.pdf", "b, c.pdf", "d e.pdf"]
        );
    }

    #[test]
    fn a_value_that_is_the_name_of_a_file_is_no_list() {
        let read = |text| files("/ATTACH", text).unwrap();
        let there = |path: &str| ["a, b.pdf", "c.pdf"].contains(&path);
        assert_eq!(read("a, b.pdf").meant(there), ["a, b.pdf"]);
        assert_eq!(read("a, c.pdf").meant(there), ["a", "c.pdf"]);
        assert_eq!(
            read("\"a, b.pdf\";c.pdf").meant(there),
            ["a, b.pdf", "c.pdf"]
        );
        assert_eq!(read("\"a, b.pdf\"").meant(there), ["a, b.pdf"]);
        assert_eq!(read(" ; ").meant(there), [""; 0]);
    }
}
