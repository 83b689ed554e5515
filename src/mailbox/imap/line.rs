//! What kind of response a line begins (RFC 9051, section 7).

/// How a command or a connection is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

impl Status {
    fn read(word: &[u8]) -> Option<Self> {
        const WORDS: [(&[u8], Status); 5] = [
            (b"OK", Status::Ok),
            (b"NO", Status::No),
            (b"BAD", Status::Bad),
            (b"BYE", Status::Bye),
            (b"PREAUTH", Status::PreAuth),
        ];
        let known = WORDS
            .iter()
            .find(|(name, _)| word.eq_ignore_ascii_case(name));
        known.map(|(_, status)| *status)
    }
}

/// A response taken apart as far as every response can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `+ …`: the server awaits more of a command.
    Continuation,
    /// `* OK [CODE …] text`, or with a command's tag.
    Status {
        /// `None` when the response belongs to no command.
        tag: Option<&'a [u8]>,
        status: Status,
        /// What stands in brackets, without them; empty if nothing does.
        code: &'a [u8],
        text: &'a [u8],
    },
    /// `* 12 EXISTS`, `* SEARCH 1 2`.
    Data {
        number: Option<u32>,
        word: &'a [u8],
        rest: &'a [u8],
    },
    /// Nothing that the protocol knows.
    Unknown,
}

impl<'a> Line<'a> {
    pub(super) fn read(text: &'a [u8]) -> Self {
        if text == b"+" || text.starts_with(b"+ ") {
            return Self::Continuation;
        }
        let (first, rest) = word(text);
        let (second, after) = word(rest);
        let tag = (first != b"*").then_some(first);
        if let Some(status) = Status::read(second) {
            let (code, text) = bracketed(after);
            return Self::Status {
                tag,
                status,
                code,
                text,
            };
        }
        if tag.is_some() || second.is_empty() {
            return Self::Unknown;
        }
        match number(second) {
            Some(number) => {
                let (word, rest) = word(after);
                Self::Data {
                    number: Some(number),
                    word,
                    rest,
                }
            }
            None => Self::Data {
                number: None,
                word: second,
                rest: after,
            },
        }
    }

    /// Data of one mail: its oddities are that mail's, not the server's.
    pub(super) fn is_mail_data(&self) -> bool {
        matches!(self, Self::Data { number: Some(_), word, .. } if word.eq_ignore_ascii_case(b"FETCH"))
    }

    /// Text for people may end in what looks like a literal's announcement; data does not.
    pub(super) fn may_have_literals(&self) -> bool {
        matches!(self, Self::Data { .. })
    }
}

/// The number, if the text is nothing else.
pub(super) fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| str::from_utf8(text).ok()?.parse().ok())?
}

/// The first word and what follows it; several blanks count as one.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace);
    let (first, rest) = text.split_at(end.unwrap_or(text.len()));
    (first, rest.trim_ascii())
}

fn bracketed(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii();
    let Some(inner) = text.strip_prefix(b"[") else {
        return (b"", text);
    };
    let Some(end) = inner.iter().position(|b| *b == b']') else {
        return (b"", text);
    };
    let (code, rest) = inner.split_at(end);
    (code, rest.strip_prefix(b"]").unwrap_or(rest).trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        assert_eq!(Line::read(b"+ idling"), Line::Continuation);
        assert_eq!(
            Line::read(b"a1 OK [READ-WRITE] done"),
            Line::Status {
                tag: Some(b"a1"),
                status: Status::Ok,
                code: b"READ-WRITE",
                text: b"done"
            }
        );
        assert_eq!(
            Line::read(b"* no [ALERT over quota"),
            Line::Status {
                tag: None,
                status: Status::No,
                code: b"",
                text: b"[ALERT over quota"
            }
        );
        assert_eq!(
            Line::read(b"*  12  exists "),
            Line::Data {
                number: Some(12),
                word: b"exists",
                rest: b""
            }
        );
        for odd in [&b""[..], b"*", b"* ", b"a1", b"a1 FETCH", b"\xff\xfe"] {
            assert_eq!(Line::read(odd), Line::Unknown);
        }
    }

    #[test]
    fn numbers_are_digits_within_range() {
        assert_eq!(number::<u32>(b"4294967295"), Some(u32::MAX));
        assert_eq!(number::<u32>(b"4294967296"), None);
        assert_eq!(number::<u64>(b"-1"), None);
        assert_eq!(number::<u64>(b"+1"), None);
        assert_eq!(number::<u32>(b""), None);
    }
}
