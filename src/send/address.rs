//! Addresses that can stand in a command and in a header (RFC 5321, section 4.1.2).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address that has been checked: one `@` that counts, no blank, no control character, no
/// angle bracket. Its domain is ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    /// Where the domain begins.
    domain: usize,
}

/// What can't be an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no mail address: {what}")]
pub struct AddressError {
    /// The text, cleaned.
    pub text: String,
    /// What is wrong with it.
    pub what: &'static str,
}

/// The longest address (RFC 5321, section 4.5.3.1.3: a path of 256 with its brackets).
const LONGEST: usize = 254;
/// The longest part before the `@` (section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

impl Address {
    /// Reads an address; blanks around it don't count. An international domain name becomes its
    /// ASCII form (RFC 5890).
    ///
    /// # Errors
    /// It is none, or one that no server could take.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim_matches([' ', '\t']);
        let wrong = |what| AddressError {
            text: crate::net::clean(text, 100),
            what,
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>');
        if text.contains(odd) {
            return Err(wrong(
                "blanks, angle brackets and control characters have no place in it",
            ));
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(|| wrong("it has no @"))?;
        if local.len() > LONGEST_LOCAL {
            return Err(wrong("more than 64 bytes stand before the @"));
        }
        if !is_dot_atom(local) && !is_quoted(local) {
            return Err(wrong("what stands before the @ is not allowed there"));
        }
        let ascii = ascii_domain(domain).ok_or_else(|| wrong("the domain is none"))?;
        let whole = format!("{local}@{ascii}");
        if whole.len() > LONGEST {
            return Err(wrong("it is longer than 254 bytes"));
        }
        Ok(Self {
            domain: local.len() + 1,
            text: whole,
        })
    }

    /// The address as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The domain in its ASCII form, or an address in brackets.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.domain..).unwrap_or_default()
    }

    /// It has letters beyond ASCII before the `@`: only a server with SMTPUTF8 (RFC 6531) takes it.
    #[must_use]
    pub fn needs_utf8(&self) -> bool {
        !self.text.is_ascii()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `john.doe` (RFC 5322, section 3.2.3; RFC 6532 for what is beyond ASCII).
fn is_dot_atom(text: &str) -> bool {
    let atext =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii();
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(atext))
}

/// `"john@doe"` (RFC 5321, section 4.1.2), without blanks, which have been refused before.
fn is_quoted(text: &str) -> bool {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped && !inner.is_empty()
}

fn ascii_domain(domain: &str) -> Option<String> {
    if let Some(literal) = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']')) {
        let is_address = match literal.get(..5) {
            Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => literal
                .get(5..)
                .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
            _ => literal.parse::<Ipv4Addr>().is_ok(),
        };
        return is_address.then(|| domain.to_owned());
    }
    let ascii = if domain.is_ascii() {
        domain.to_owned()
    } else {
        idna::domain_to_ascii(domain).ok()?
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    ascii.split('.').all(is_label).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_and_unusual_addresses_are_read() {
        for text in [
            "a@b",
            "john.doe+tag@mail.example.com",
            "\"john@doe\"@example.com",
            "\"a\\\"b\"@example.com",
            "o'brien@example.com",
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
        ] {
            let address = Address::parse(&format!(" {text}\t")).unwrap();
            assert_eq!(address.as_str(), text);
            assert!(!address.needs_utf8());
        }
    }

    #[test]
    fn international_domains_become_ascii_and_local_parts_stay() {
        let address = Address::parse("info@b\u{fc}cher.example").unwrap();
        assert_eq!(address.as_str(), "info@xn--bcher-kva.example");
        assert_eq!(address.domain(), "xn--bcher-kva.example");
        assert!(!address.needs_utf8());
        let address = Address::parse("j\u{f6}rg@example.com").unwrap();
        assert!(address.needs_utf8());
    }

    #[test]
    fn what_could_break_a_command_is_refused() {
        for text in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b c",
            "a@b\r\nRCPT TO:<c@d>",
            "a@b>\u{0}",
            "<a@b>",
            "a@b> SIZE=1",
            "\"a b\"@c",
            "\"a@c",
            "\"a\\\"@c",
            ".a@b",
            "a..b@c",
            "a,b@c",
            "a@b,c@d",
            "a@b..c",
            "a@-b.c",
            "a@[1.2.3]",
            "a@[IPv6:zz]",
            "a\u{2028}b@c",
            "a@b\u{2028}",
            "a\u{85}b@c",
            &format!("{}@b", "a".repeat(65)),
            &format!("a@{}", "b.".repeat(127)),
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        let error = Address::parse("a\r\n@b").unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
    }
}
