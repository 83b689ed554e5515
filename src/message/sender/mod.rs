//! Who sent a mail: the address in From, or the admission that it can't be told.
//!
//! A wrong answer starts somebody else's job, so this reads stricter than a mail client
//! shows: grammar of RFC 5322 (with groups, RFC 6854) and of SMTPUTF8 (RFC 6532), of the
//! obsolete syntax only what no two readers take differently. Display names, encoded words
//! and comments never become part of the address.

use self::tokens::{Kind, Token, tokens};
use super::header::unfold;

mod tokens;

/// The longest address that is taken: local part and domain (RFC 5321, section 4.5.3.1).
const LONGEST: usize = 320;

/// The From header's answer to "who sent this?".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Address of the first mailbox, as written (not lower-cased); empty when there is
    /// none. It holds no blanks, no control characters, no quotes and none of `<>,;`.
    pub address: String,
    /// Exactly one From header, and it could be read as addresses in full. Only then may
    /// the address be compared with a list of senders.
    pub reliable: bool,
}

impl Sender {
    /// The sender as a service tells it, which has read From itself: an address alone.
    #[must_use]
    pub fn told(address: &str) -> Self {
        let read = read_from(&[address.as_bytes().to_vec()], true);
        Self {
            // Whatever else stands beside an address, this is none.
            reliable: read.reliable && read.address == address,
            address: read.address,
        }
    }
}

/// Reads the values of all From headers; `clear` says that every reader finds the same ones.
pub(super) fn read_from(values: &[Vec<u8>], clear: bool) -> Sender {
    let Some(first) = values.first() else {
        return Sender::default();
    };
    let (tokens, legal) = tokens(&unfold(first));
    let mut reading = Reading {
        first: None,
        full: legal,
    };
    reading.read(&tokens);
    let address = reading.first.unwrap_or_default();
    let reliable = reading.full && !address.is_empty() && clear && values.len() == 1;
    Sender { address, reliable }
}

/// The first address found so far, and whether everything so far was grammar.
struct Reading {
    first: Option<String>,
    full: bool,
}

impl Reading {
    fn read(&mut self, tokens: &[Token]) {
        let mut rest = tokens;
        // Tokens of the current list element before any angle bracket.
        let mut words: Vec<&Token> = Vec::new();
        let mut in_group = false;
        // The element is complete; only a separator may follow.
        let mut complete = false;
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token.kind {
                Kind::Mark(b'<') => {
                    let length = after
                        .iter()
                        .position(|token| token.is(b'>'))
                        .unwrap_or(after.len());
                    let (inside, tail) = after.split_at_checked(length).unwrap_or((after, &[]));
                    self.full &= !complete && !tail.is_empty();
                    self.angle(&words, inside);
                    words.clear();
                    complete = true;
                    rest = tail.get(1..).unwrap_or_default();
                }
                Kind::Mark(b',') => {
                    self.full &= complete || !words.is_empty();
                    self.bare(&words);
                    words.clear();
                    complete = false;
                }
                Kind::Mark(b':') => {
                    self.full &= !words.is_empty() && is_phrase(&words) && !complete && !in_group;
                    words.clear();
                    in_group = true;
                }
                Kind::Mark(b';') => {
                    self.full &= in_group;
                    self.bare(&words);
                    words.clear();
                    in_group = false;
                    complete = true;
                }
                Kind::Mark(b'>') => self.full = false,
                _ => {
                    self.full &= !complete;
                    words.push(token);
                }
            }
        }
        self.bare(&words);
        self.full &= !in_group;
    }

    /// `phrase <inside>`
    fn angle(&mut self, phrase: &[&Token], inside: &[Token]) {
        // An obsolete route (`@a,@b:`) is passed over, but not every reader knows it.
        let routed = inside.first().is_some_and(|token| token.is(b'@'));
        let spec = match inside
            .iter()
            .position(|token| token.is(b':'))
            .filter(|_| routed)
        {
            Some(colon) => inside.get(colon + 1..).unwrap_or_default(),
            None => inside,
        };
        self.full &= !routed;
        let spec: Vec<&Token> = spec.iter().collect();
        let address = address(&spec);
        // An unquoted address as the name: some readers stop there. That hurts nobody if it
        // is the same one.
        let harmless = || address.is_some() && self::address(phrase) == address;
        self.full &= is_phrase(phrase) || harmless();
        self.accept(address);
    }

    /// An address without angle brackets, if there is anything.
    fn bare(&mut self, words: &[&Token]) {
        if !words.is_empty() {
            self.accept(address(words));
        }
    }

    fn accept(&mut self, address: Option<String>) {
        match address {
            Some(address) => {
                self.first.get_or_insert(address);
            }
            None => self.full = false,
        }
    }
}

/// Whether words are a display name or the name of a group, or none.
fn is_phrase(words: &[&Token]) -> bool {
    // Dots may stand in a name (RFC 5322, section 4.1), but not first.
    let dotted = words
        .first()
        .is_some_and(|word| word.kind == Kind::Atom && word.text.starts_with(b"."));
    !dotted && words.iter().all(|word| !word.is(b'@'))
}

/// The address of an addr-spec: local part, `@` and domain with nothing between them.
fn address(tokens: &[&Token]) -> Option<String> {
    let [local, at, domain] = tokens else {
        return None;
    };
    if !at.is(b'@') || at.apart || domain.apart || domain.kind != Kind::Atom {
        return None;
    }
    let local_text = std::str::from_utf8(&local.text).ok()?;
    let domain = std::str::from_utf8(&domain.text).ok()?;
    let address = format!("{local_text}@{domain}");
    let good = address.len() <= LONGEST
        && match local.kind {
            Kind::Atom => is_local(local_text),
            // Quotes around what needs none don't change the address (RFC 5321, section
            // 4.1.2); with those that are needed, readers differ.
            Kind::Quoted => {
                is_local(local_text) && local_text.split('.').all(|atom| !atom.is_empty())
            }
            Kind::Mark(_) => false,
        }
        && is_domain(domain);
    good.then_some(address)
}

fn is_local(text: &str) -> bool {
    // What looks like an encoded word may be decoded by some readers.
    !text.is_empty()
        && !text.contains("=?")
        && text.chars().all(|c| {
            c == '.'
                || c.is_ascii_alphanumeric()
                || "!#$%&'*+-/=?^_`{|}~".contains(c)
                || is_foreign(c)
        })
}

fn is_domain(text: &str) -> bool {
    if let Some(literal) = text.strip_prefix('[') {
        return literal.strip_suffix(']').is_some_and(|inside| {
            !inside.is_empty()
                && inside
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-'))
        });
    }
    text.split('.').all(|label| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || is_foreign(c))
    })
}

/// A letter or digit outside ASCII that stays outside in either case: the Kelvin sign, for
/// one, becomes a `k`, and would let one address pass for another.
fn is_foreign(c: char) -> bool {
    !c.is_ascii()
        && c.is_alphanumeric()
        && !c
            .to_lowercase()
            .chain(c.to_uppercase())
            .any(|c| c.is_ascii())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Envelope;

    fn sender(header: &[u8]) -> (String, bool) {
        let sender = Envelope::parse(header).sender;
        (sender.address, sender.reliable)
    }

    fn from(value: &str) -> (String, bool) {
        sender(format!("Subject: x\r\nFrom: {value}\r\n\r\n").as_bytes())
    }

    #[test]
    fn one_answer_for_every_reader() {
        let cases = [
            ("night@example.test", "night@example.test"),
            ("  night@example.test \t", "night@example.test"),
            ("Night.Run@Example.TEST", "Night.Run@Example.TEST"),
            ("<night@example.test>", "night@example.test"),
            ("Night Run <night@example.test>", "night@example.test"),
            ("Night J. Run <night@example.test>", "night@example.test"),
            ("\"Run, Night\" <night@example.test>", "night@example.test"),
            (
                "\"quote \\\" and <a@b.test>\" <night@example.test>",
                "night@example.test",
            ),
            ("\"Night\"\r\n <night@example.test>", "night@example.test"),
            ("night@example.test (x) ", "night@example.test"),
            (
                "(a (nested \\) one)) night@example.test",
                "night@example.test",
            ),
            ("\u{fc}ber Nacht <night@example.test>", "night@example.test"),
            (
                "night@example.test <night@example.test>",
                "night@example.test",
            ),
            ("a+b=c/d@example.test", "a+b=c/d@example.test"),
            ("\"night.run\"@example.test", "night.run@example.test"),
            ("night@b\u{fc}cher.example", "night@bücher.example"),
            ("\u{5f20}\u{4e09}@example.test", "张三@example.test"),
            ("night@[192.0.2.1]", "night@[192.0.2.1]"),
            ("night@[IPv6:2001:db8::1]", "night@[IPv6:2001:db8::1]"),
            (
                "night@example.test, other@example.test",
                "night@example.test",
            ),
            ("night@example.test,", "night@example.test"),
            ("Team: a@x.example, b@y.example;", "a@x.example"),
            ("Team: Ann <a@x.example>;, c@z.example", "a@x.example"),
            ("Nobody:;, c@z.example", "c@z.example"),
            // Forgeries that only look like somebody else.
            (
                "\"admin@good.example\" <evil@bad.example>",
                "evil@bad.example",
            ),
            (
                "=?utf-8?q?admin=40good.example?= <evil@bad.example>",
                "evil@bad.example",
            ),
            (
                "=?utf-8?q?=3Cadmin=40good.example=3E?= <evil@bad.example>",
                "evil@bad.example",
            ),
            (
                "=?utf-8?b?ImFkbWluQGdvb2QuZXhhbXBsZSIs?= <evil@bad.example>",
                "evil@bad.example",
            ),
            ("(admin@good.example) evil@bad.example", "evil@bad.example"),
            (
                "evil@bad.example (<admin@good.example>)",
                "evil@bad.example",
            ),
            (
                "\"<admin@good.example>\" <evil@bad.example>",
                "evil@bad.example",
            ),
            (
                "admin=40good.example <evil@bad.example>",
                "evil@bad.example",
            ),
            (
                "admin%good.example@bad.example",
                "admin%good.example@bad.example",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(from(value), (expected.to_owned(), true), "{value}");
        }
    }

    #[test]
    fn what_readers_may_take_differently_is_not_relied_on() {
        for value in [
            "",
            " ",
            "night",
            "night@",
            "@example.test",
            "<>",
            "Night Run",
            "night@example.test <",
            "admin@good.example <evil@bad.example>",
            "<admin@good.example> <evil@bad.example>",
            "<admin@good.example> evil@bad.example",
            "admin@good.example evil@bad.example",
            "<admin@good.example",
            "admin@good.example>",
            "a@b@c.example",
            "<a@b@c.example>",
            "\"admin@good.example\"@bad.example",
            "\"admin user\"@good.example",
            "\"\"@good.example",
            "admin@good .example",
            "admin @good.example",
            "<admin@\r\n good.example>",
            "admin(x)@good.example",
            "admin@(x)good.example",
            "admin..@good..example",
            "admin@good.example.",
            "=?utf-8?q?admin?=@good.example",
            "<=?utf-8?q?admin=40good.example?=>",
            "=?utf-8?q?admin=40good.example?=",
            "=?utf-8?q?Smith,_John?= <john@example.test>",
            "<@a.example,@b.example:c@d.example>",
            "[Night] Run <a@x.example>",
            ". <a@x.example>",
            ".Team: a@x.example;",
            "Team: a@x.example",
            "Team: a@x.example; b@y.example",
            "Nobody:; c@z.example",
            "Team: Inner: a@x.example;;",
            "a@x.example; b@y.example",
            ", a@x.example",
            "a@x.example,, b@y.example",
            "a@x.example, nonsense",
            "\"open <a@x.example>",
            "(open a@x.example",
            "shut) <a@x.example>",
            "a\\@b <a@x.example>",
            "a@x.example\0",
            "a\u{1}@x.example",
            "\"x\u{1b}\" <a@x.example>",
            "(\u{7}) a@x.example",
            "a@x\u{200b}.example",
            "a@x\u{202e}.example",
            "a@x.example\u{a0}",
            "a@ban\u{212a}.example",
            "\u{17f}upport@x.example",
            "a@[1.2.3.4",
            "a@[1.2.3.4> x]",
        ] {
            let (address, reliable) = from(value);
            assert!(!reliable, "{value:?} gave {address:?}");
        }
    }

    #[test]
    fn several_or_hidden_from_headers() {
        let good = "From: admin@good.example\r\n";
        let evil = "From: evil@bad.example\r\n";
        assert_eq!(sender(b"Subject: x\r\n\r\n"), (String::new(), false));
        assert_eq!(
            sender(format!("{good}{evil}\r\n").as_bytes()),
            ("admin@good.example".to_owned(), false)
        );
        assert_eq!(
            sender(format!("{good}{good}\r\n").as_bytes()),
            ("admin@good.example".to_owned(), false)
        );
        for block in [
            format!("{good}FROM : evil@bad.example\r\n\r\n"),
            format!("{good}Subject: x\rFrom: evil@bad.example\r\n\r\n"),
            "From: admin@good.example\r <evil@bad.example>\r\n\r\n".to_owned(),
            "From:\r\r\n admin@good.example\r\n\r\n".to_owned(),
            " From: admin@good.example\r\n\r\n".to_owned(),
            "\u{feff}From: admin@good.example\r\n\r\n".to_owned(),
        ] {
            assert!(!sender(block.as_bytes()).1, "{block:?}");
        }
        assert_eq!(
            sender(b"From: admin@good.example\xFF\r\n\r\n"),
            (String::new(), false)
        );
        assert_eq!(
            sender(format!("{good}\r\n{evil}").as_bytes()),
            ("admin@good.example".to_owned(), true)
        );
        assert_eq!(
            sender(b"Resent-From: a@x.example\nReply-To: b@x.example\nFrom: c@x.example\n"),
            ("c@x.example".to_owned(), true)
        );
    }

    proptest! {
        #[test]
        fn an_address_is_always_clean(value in "[a@.<>,;:\" ()\\\\=?\\[\\]\u{e9}\u{0}\r\n\t-]{0,40}") {
            let (address, reliable) = from(&value);
            let unclean = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"()".contains(c);
            prop_assert!(!address.contains(unclean), "{:?}", address);
            prop_assert!(!reliable || address.matches('@').count() == 1);
        }

        #[test]
        fn a_quoted_name_never_counts(name in "[ -!#-\\[\\]-~]{0,30}") {
            let (address, reliable) = from(&format!("\"{name}\" <evil@bad.example>"));
            prop_assert!(reliable);
            prop_assert_eq!(address, "evil@bad.example");
        }
    }
}
