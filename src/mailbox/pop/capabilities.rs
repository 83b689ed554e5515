//! What a server says it can do (CAPA, RFC 2449).

/// The list of a server's capabilities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    /// A name and its arguments, in capitals.
    list: Vec<Vec<String>>,
}

/// More than any server has; the rest of a longer list is left out.
const MOST: usize = 500;

impl Capabilities {
    /// Reads the lines of the list.
    pub(super) fn parse(lines: &[u8]) -> Self {
        let words = |line: &[u8]| -> Vec<String> {
            let words = line.split(u8::is_ascii_whitespace);
            words
                .filter(|word| !word.is_empty())
                .map(|word| String::from_utf8_lossy(word).to_ascii_uppercase())
                .collect()
        };
        let list = lines.split(|byte| *byte == b'\n').map(words);
        Self {
            list: list.filter(|line| !line.is_empty()).take(MOST).collect(),
        }
    }

    /// Whether it has this one, named in capitals.
    pub(super) fn has(&self, name: &str) -> bool {
        self.arguments(name).is_some()
    }

    /// Whether it has this mechanism of logging in, named in capitals.
    pub(super) fn has_mechanism(&self, mechanism: &str) -> bool {
        let mechanisms = self.arguments("SASL").unwrap_or_default();
        mechanisms.iter().any(|own| own == mechanism)
    }

    fn arguments(&self, name: &str) -> Option<&[String]> {
        let lines = self.list.iter().filter_map(|line| line.split_first());
        let mut named = lines.filter(|(own, _)| *own == name);
        named.next().map(|(_, arguments)| arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_do_not_matter() {
        let own = Capabilities::parse(b"Top\r\n sasl  PLAIN login\r\n\r\nUIDL\nLOGIN-DELAY 30\n");
        assert!(own.has("TOP") && own.has("UIDL") && own.has("LOGIN-DELAY"));
        assert!(own.has_mechanism("PLAIN") && own.has_mechanism("LOGIN"));
        assert!(!own.has("PLAIN") && !own.has("USER") && !own.has_mechanism("UIDL"));
    }
}
