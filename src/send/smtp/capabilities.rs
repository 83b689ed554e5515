//! What a server can do, as EHLO tells (RFC 5321, section 4.1.1.1).

use super::reply::Reply;

/// A server's extensions, as far as they matter here. Without EHLO there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 3207.
    pub(super) start_tls: bool,
    /// RFC 6531.
    pub(super) utf8: bool,
    /// RFC 3461.
    pub(super) dsn: bool,
    /// RFC 1870: sizes are announced.
    pub(super) size: bool,
    /// The largest mail in bytes, if there is such a thing.
    pub(super) largest: Option<u64>,
    /// The mechanisms of AUTH (RFC 4954), in capital letters; `None` without AUTH.
    pub(super) mechanisms: Option<Vec<String>>,
}

impl Capabilities {
    /// Reads the answer to EHLO; its first line is the server's name.
    pub(super) fn of(reply: &Reply) -> Self {
        let mut can = Self::default();
        for line in reply.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            // Servers from before the standard write AUTH=LOGIN.
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next().unwrap_or_default() {
                "PIPELINING" => can.pipelining = true,
                "STARTTLS" => can.start_tls = true,
                "SMTPUTF8" => can.utf8 = true,
                "DSN" => can.dsn = true,
                "SIZE" => {
                    can.size = true;
                    let largest = words.next().and_then(|size| size.parse().ok());
                    can.largest = largest.filter(|size| *size > 0);
                }
                "AUTH" => {
                    let known = can.mechanisms.get_or_insert_default();
                    known.extend(words.map(str::to_owned));
                }
                _ => {}
            }
        }
        can
    }

    /// Whether a mechanism of AUTH is offered.
    pub(super) fn offers(&self, mechanism: &str) -> bool {
        let offered = self.mechanisms.iter().flatten();
        offered.into_iter().any(|offered| offered == mechanism)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Capabilities {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Capabilities::of(&Reply { code: 250, lines })
    }

    #[test]
    fn extensions_are_found_in_any_case_and_the_first_line_is_none() {
        let can = read(&[
            "mx.example DSN",
            "pipelining",
            "Size 1000",
            "AUTH PLAIN login",
            "AUTH=XOAUTH2",
            "STARTTLS",
            "X-ODD",
            "",
        ]);
        assert!(can.pipelining && can.start_tls && can.size && !can.dsn && !can.utf8);
        assert_eq!(can.largest, Some(1000));
        assert!(can.offers("PLAIN") && can.offers("LOGIN") && can.offers("XOAUTH2"));
        assert!(!can.offers("CRAM-MD5"));
    }

    #[test]
    fn no_limit_is_none() {
        for line in ["SIZE", "SIZE 0", "SIZE x", "SIZE -1"] {
            let can = read(&["mx", line]);
            assert_eq!((can.size, can.largest), (true, None), "{line}");
        }
        assert_eq!(read(&["mx"]).mechanisms, None);
        assert_eq!(read(&["mx", "AUTH"]).mechanisms, Some(Vec::new()));
    }
}
