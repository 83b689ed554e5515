//! What a server says it can do (RFC 9051, section 7.2.2).

/// Names of capabilities, in capitals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities(Vec<String>);

/// More than any server has; the rest of a longer list is left out.
const MOST: usize = 500;

impl Capabilities {
    /// Reads names separated by blanks.
    pub(super) fn parse(list: &[u8]) -> Self {
        let names = list
            .split(u8::is_ascii_whitespace)
            .filter(|name| !name.is_empty())
            .take(MOST)
            .map(|name| String::from_utf8_lossy(name).to_ascii_uppercase());
        Self(names.collect())
    }

    /// Whether it has this one, named in capitals.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|own| own == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_do_not_matter() {
        let own = Capabilities::parse(b" IMAP4rev1  auth=Plain Sasl-IR ");
        assert!(own.has("AUTH=PLAIN") && own.has("SASL-IR") && !own.has("UIDPLUS"));
    }
}
