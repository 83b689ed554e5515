//! What a server answers (RFC 5321, section 4.2).

use crate::net::clean;

/// The last part of a reply's text is worth showing up to this many characters.
const SHOWN: usize = 400;

/// A server's answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The three digits.
    pub(super) code: u16,
    /// The text of each line, cleaned.
    pub(super) lines: Vec<String>,
}

/// One line of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) code: u16,
    /// Another line of the same reply follows.
    pub(super) goes_on: bool,
    pub(super) text: &'a [u8],
}

impl<'a> Line<'a> {
    /// Reads a line without its end. `None`: no server of this kind says that.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let (digits, rest) = line.split_at_checked(3)?;
        let code = str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?
            .parse()
            .ok()
            .filter(|code| (200..600).contains(code))?;
        let (goes_on, text) = match rest.split_first() {
            None => (false, rest),
            Some((b' ', text)) => (false, text),
            Some((b'-', text)) => (true, text),
            Some(_) => return None,
        };
        Some(Self {
            code,
            goes_on,
            text,
        })
    }
}

impl Reply {
    /// The command was done (2yz).
    pub(super) fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// The server awaits more of what was begun (3yz).
    pub(super) fn awaits_more(&self) -> bool {
        (300..400).contains(&self.code)
    }

    /// Not now, but perhaps later (4yz).
    pub(super) fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The server ends the conversation (421, to any command).
    pub(super) fn is_good_bye(&self) -> bool {
        self.code == 421
    }

    /// The status that the text begins with: subject and detail, without the class, which the code
    /// repeats (RFC 2034, section 4).
    pub(super) fn status(&self) -> Option<(u16, u16)> {
        let mut numbers = self.lines.first()?.split_whitespace().next()?.split('.');
        let mut number = || numbers.next()?.parse::<u16>().ok();
        let status = (number()?, number()?, number()?);
        let is_whole = numbers.next().is_none() && status.0 == self.code / 100;
        is_whole.then_some((status.1, status.2))
    }

    /// Code and text, as people are shown them.
    pub(super) fn words(&self) -> String {
        let text = self.lines.join(" ");
        clean(&format!("{} {text}", self.code), SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let line = |code, goes_on, text| {
            Some(Line {
                code,
                goes_on,
                text,
            })
        };
        assert_eq!(
            Line::read(b"250-SIZE 100"),
            line(250, true, &b"SIZE 100"[..])
        );
        assert_eq!(
            Line::read(b"550 5.1.1 who?"),
            line(550, false, &b"5.1.1 who?"[..])
        );
        assert_eq!(Line::read(b"354"), line(354, false, &b""[..]));
        assert_eq!(Line::read(b"220 \xff\0"), line(220, false, &b"\xff\0"[..]));
        for odd in [
            &b""[..],
            b"25",
            b"+OK ready",
            b"* OK IMAP4rev1",
            b"HTTP/1.1 400",
            b"25 0",
            b"199 x",
            b"600 x",
            b"+25 x",
            b"250x",
            b"\0\0\0",
        ] {
            assert_eq!(Line::read(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn words_are_for_people() {
        let reply = Reply {
            code: 550,
            lines: vec!["5.1.1 no\u{1b}[31m".into(), "such user".into()],
        };
        assert_eq!(reply.words(), "550 5.1.1 no [31m such user");
        assert!(!reply.is_positive() && !reply.is_transient());
    }

    #[test]
    fn the_status_begins_the_text() {
        let of = |text: &str| {
            let lines = text.lines().map(str::to_owned).collect();
            Reply { code: 554, lines }.status()
        };
        assert_eq!(of("5.6.0 no\n5.7.1 not this"), Some((6, 0)));
        assert_eq!(of("5.2.252"), Some((2, 252)));
        for none in [
            "",
            "no",
            "5.6",
            "5.6.x",
            "4.6.0 x",
            "5.6.0.1 x",
            "x 5.6.0",
            "5.6.99999 x",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
