//! The sender matcher: `AllowedSenders`.

use crate::message::Sender;

/// Who may cause the events of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Senders {
    all: bool,
    /// Lower case.
    addresses: Vec<String>,
    /// Lower case, from `any@domain`.
    domains: Vec<String>,
}

impl Senders {
    /// Reads a list separated by semicolons: addresses, `any@domain`, `ALL`.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let mut senders = Self::default();
        for entry in list.split(';').map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()) {
            if entry == "all" {
                senders.all = true;
            } else if let Some(domain) = entry.strip_prefix("any@") {
                senders.domains.push(domain.to_owned());
            } else {
                senders.addresses.push(entry);
            }
        }
        senders
    }

    /// Whether nobody is allowed.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        *self == Self::default()
    }

    /// Entries that can't be an address.
    pub fn odd_entries(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str).filter(|entry| !entry.contains('@') || entry.contains(char::is_whitespace))
    }

    /// Whether this sender is allowed. One who can't be told for certain matches `ALL` alone.
    #[must_use]
    pub fn allow(&self, sender: &Sender) -> bool {
        if self.all {
            return true;
        }
        let address = sender.address.to_lowercase();
        sender.reliable
            && (self.addresses.contains(&address)
                || address.rsplit_once('@').is_some_and(|(_, domain)| self.domains.iter().any(|known| known == domain)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(list: &str, address: &str, reliable: bool) -> bool {
        Senders::parse(list).allow(&Sender { address: address.to_owned(), reliable })
    }

    #[test]
    fn who_is_allowed() {
        for (list, address, expected) in [
            ("ALL", "anyone@example.com", true),
            ("all", "", true),
            ("a@example.com; B@Example.com", "b@EXAMPLE.com", true),
            ("a@example.com", "aa@example.com", false),
            ("any@example.com", "x@example.com", true),
            ("Any@Example.com", "x@EXAMPLE.COM", true),
            ("any@example.com", "x@sub.example.com", false),
            ("any@example.com", "x@notexample.com", false),
            ("any@example.com", "example.com", false),
            ("", "a@example.com", false),
            (";;", "a@example.com", false),
            ("any@", "", false),
        ] {
            assert_eq!(allow(list, address, true), expected, "{list} {address}");
        }
    }

    #[test]
    fn an_unreliable_sender_matches_all_alone() {
        assert!(!allow("a@example.com;any@example.com", "a@example.com", false));
        assert!(allow("ALL", "a@example.com", false));
    }
}
