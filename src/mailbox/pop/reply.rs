//! What a status line says (RFC 1939, section 3; codes of RFC 2449, section 8 and RFC 3206).

/// A status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    /// `+OK`, and what follows it.
    Ok(&'a [u8]),
    /// `-ERR`.
    Refused {
        /// The response code.
        code: Code,
        /// What follows it.
        text: &'a [u8],
    },
    /// `+ …`: the server awaits more of a log-in.
    More,
}

/// Why a command was refused, as far as codes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// There is no code, or one without a meaning here.
    None,
    /// `[AUTH]`: the credentials are wrong.
    Auth,
    /// `[IN-USE]`, `[SYS/TEMP]`: it will be otherwise later.
    Passing,
    /// `[LOGIN-DELAY]`: the last log-in is not long enough ago.
    TooSoon,
    /// `[SYS/PERM]`: somebody has to mend the server.
    Lasting,
}

impl<'a> Reply<'a> {
    /// `None` for what is no status line.
    pub(super) fn read(line: &'a [u8]) -> Option<Self> {
        let (word, rest) = match line.iter().position(u8::is_ascii_whitespace) {
            Some(at) => line.split_at_checked(at)?,
            None => (line, &[][..]),
        };
        let rest = rest.trim_ascii();
        if word.eq_ignore_ascii_case(b"+OK") {
            Some(Self::Ok(rest))
        } else if word.eq_ignore_ascii_case(b"-ERR") {
            let (code, text) = coded(rest);
            Some(Self::Refused { code, text })
        } else {
            (word == b"+").then_some(Self::More)
        }
    }
}

fn coded(text: &[u8]) -> (Code, &[u8]) {
    const CODES: [(&[u8], Code); 5] = [
        (b"AUTH", Code::Auth),
        (b"IN-USE", Code::Passing),
        (b"LOGIN-DELAY", Code::TooSoon),
        (b"SYS/TEMP", Code::Passing),
        (b"SYS/PERM", Code::Lasting),
    ];
    let bracketed = || {
        let inner = text.strip_prefix(b"[")?;
        let end = inner.iter().position(|byte| *byte == b']')?;
        inner.split_at_checked(end)
    };
    let Some((name, rest)) = bracketed() else {
        return (Code::None, text);
    };
    // Some servers give arguments: how long to wait.
    let name = name.split(u8::is_ascii_whitespace).next();
    let known = CODES
        .iter()
        .find(|(code, _)| name.is_some_and(|name| name.eq_ignore_ascii_case(code)));
    match known {
        Some((_, code)) => (*code, rest.strip_prefix(b"]").unwrap_or(rest).trim_ascii()),
        None => (Code::None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        let refused = |code, text| Some(Reply::Refused { code, text });
        assert_eq!(Reply::read(b"+OK"), Some(Reply::Ok(b"")));
        assert_eq!(Reply::read(b"+ok 2 320 "), Some(Reply::Ok(b"2 320")));
        assert_eq!(Reply::read(b"+"), Some(Reply::More));
        assert_eq!(Reply::read(b"+ VXNlcg=="), Some(Reply::More));
        assert_eq!(Reply::read(b"-ERR"), refused(Code::None, b""));
        assert_eq!(
            Reply::read(b"-ERR [AUTH] wrong"),
            refused(Code::Auth, b"wrong")
        );
        assert_eq!(
            Reply::read(b"-err [in-use]busy"),
            refused(Code::Passing, b"busy")
        );
        assert_eq!(
            Reply::read(b"-ERR [LOGIN-DELAY 30] wait"),
            refused(Code::TooSoon, b"wait")
        );
        assert_eq!(
            Reply::read(b"-ERR [SYS/PERM] ask"),
            refused(Code::Lasting, b"ask")
        );
        assert_eq!(
            Reply::read(b"-ERR [XYZ] [AUTH] no"),
            refused(Code::None, b"[XYZ] [AUTH] no")
        );
        assert_eq!(
            Reply::read(b"-ERR [AUTH no"),
            refused(Code::None, b"[AUTH no")
        );
    }

    #[test]
    fn what_is_no_status_line() {
        for line in [
            &b""[..],
            b" ",
            b"* OK IMAP",
            b"+OKAY",
            b"220 mail",
            b"OK",
            b"\0+OK",
            b"-",
        ] {
            assert_eq!(Reply::read(line), None);
        }
    }
}
