//! Header lines: folded, encoded where they have to be, and never more than one header each.

use data_encoding::BASE64;

use crate::send::Person;

/// Lines are folded where they would be longer (RFC 5322, section 2.1.1; RFC 2047, section 2).
const WIDTH: usize = 76;
/// So many bytes of text fit into an encoded word behind the name of a header.
const ENCODED: usize = 39;
/// No word is longer in clear text: a line has at most 998 characters.
const LONGEST_WORD: usize = 500;

/// Header lines as they are sent.
#[derive(Default)]
pub(super) struct Headers(String);

impl Headers {
    /// A header of any text (RFC 5322, section 3.6.5; RFC 2047).
    pub(super) fn text(&mut self, name: &str, text: &str) {
        let text = one_line(text);
        let written = if is_plain(&text) {
            folded(&text, name.len() + 2)
        } else {
            encoded(&text)
        };
        self.ready(name, &written);
    }

    /// A header of people, one in each line; none for nobody (section 3.4).
    pub(super) fn people(&mut self, name: &str, people: &[Person]) {
        let each: Vec<_> = people.iter().map(person).collect();
        if !each.is_empty() {
            self.ready(name, &each.join(",\r\n "));
        }
    }

    /// A header whose value is known to be fit for one.
    pub(super) fn ready(&mut self, name: &str, value: &str) {
        self.0.push_str(name);
        self.0.push_str(": ");
        self.0.push_str(value);
        self.0.push_str("\r\n");
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// Text without whatever could end a line; blanks around it don't count.
pub(in crate::send) fn one_line(text: &str) -> String {
    let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let blanked: String = text
        .replace("\r\n", " ")
        .chars()
        .map(|c| if ends(c) { ' ' } else { c })
        .collect();
    blanked.trim().to_owned()
}

/// Encoded words (RFC 2047), one in each line. Text that stands on one line goes in.
pub(super) fn encoded(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(ENCODED));
        words.push(format!("=?utf-8?B?{}?=", BASE64.encode(word.as_bytes())));
        rest = after;
    }
    words.join("\r\n ")
}

/// Whether text can stand as it is: nobody would decode it, and it can be folded.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~'))
        && !text.contains("=?")
        && text.split(' ').all(|word| word.len() <= LONGEST_WORD)
}

/// A quoted string's inside (RFC 5322, section 3.2.4).
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Whether the text is a Message-ID as far as a header demands: angle brackets around it, and
/// nothing in it that could end it. Many have no `@`.
pub(super) fn is_message_id(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| {
        (1..=LONGEST_WORD).contains(&inner.len())
            && inner
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'))
    })
}

/// Breaks lines at blanks. A line never ends up with nothing but blanks.
fn folded(text: &str, mut column: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            if !word.is_empty() && column + 1 + word.len() > WIDTH {
                out.push_str("\r\n");
                column = 0;
            }
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

fn person(person: &Person) -> String {
    let name = one_line(&person.name);
    if name.is_empty() {
        return person.address.to_string();
    }
    let shown = if !is_plain(&name) || name.len() > ENCODED {
        encoded(&name)
    } else if name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_'))
    {
        name
    } else {
        format!("\"{}\"", escaped(&name))
    };
    let gap = if shown.len() + person.address.as_str().len() + 12 > WIDTH {
        "\r\n "
    } else {
        " "
    };
    format!("{shown}{gap}<{}>", person.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::Address;

    fn subject(text: &str) -> String {
        let mut headers = Headers::default();
        headers.text("Subject", text);
        String::from_utf8(headers.into_bytes()).unwrap()
    }

    #[test]
    fn plain_text_stays_readable_and_is_folded_at_blanks() {
        assert_eq!(subject("  Job  done "), "Subject: Job  done\r\n");
        let long = "word ".repeat(40);
        let lines = subject(&long);
        assert!(lines.lines().count() > 2 && lines.lines().all(|line| line.len() <= WIDTH));
        assert_eq!(
            lines.replace("\r\n", ""),
            format!("Subject: {}", long.trim_end())
        );
    }

    #[test]
    fn everything_else_is_encoded() {
        assert_eq!(
            subject("Gr\u{fc}\u{df}e"),
            "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n"
        );
        // A reader would decode it into something that nobody wrote.
        assert!(subject("=?utf-8?Q?a?=").contains("=?utf-8?B?PT91dGY"));
        for long in ["\u{1f973}".repeat(100), "x".repeat(5000)] {
            assert!(subject(&long).lines().all(|line| line.len() <= WIDTH));
        }
    }

    #[test]
    fn nothing_ends_the_line() {
        assert_eq!(
            subject("a\r\nBcc: x@y\nb\rc\0d"),
            "Subject: a Bcc: x@y b c d\r\n"
        );
        assert_eq!(subject("a\u{2028}b\u{85}c"), "Subject: a b c\r\n");
    }

    #[test]
    fn names_are_quoted_or_encoded() {
        let address = Address::parse("a@b.example").unwrap();
        let shown = |name: &str| {
            person(&Person {
                name: name.into(),
                address: address.clone(),
            })
        };
        assert_eq!(shown(""), "a@b.example");
        assert_eq!(shown("Jo Doe"), "Jo Doe <a@b.example>");
        assert_eq!(
            shown("Doe, \"Jo\" \\"),
            "\"Doe, \\\"Jo\\\" \\\\\" <a@b.example>"
        );
        assert_eq!(shown("J\u{f6}rg\r\n"), "=?utf-8?B?SsO2cmc=?= <a@b.example>");
        assert!(
            shown(&"J\u{f6}rg ".repeat(20))
                .lines()
                .all(|line| line.len() <= WIDTH)
        );
    }

    #[test]
    fn message_ids_are_checked() {
        assert!(is_message_id("<a.b@c>") && is_message_id("<odd>"));
        for wrong in [
            "",
            "<>",
            "a@b",
            "<a@b",
            "<a b@c>",
            "<a@b>\r\nBcc: x@y",
            "<a>\r\n <b>",
            "<a><b>",
            "<\u{fc}@b>",
            &format!("<{}>", "a".repeat(600)),
        ] {
            assert!(!is_message_id(wrong), "{wrong:?}");
        }
    }
}
