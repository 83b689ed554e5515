//! One response of the server at a time, literals and all, within bounds.
//!
//! What a line means is decided elsewhere; this file knows where a response ends
//! (RFC 9051, sections 2.2.2 and 4.3) and how much of it may be kept.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::line::Line;

/// Longest ordinary line. Servers stay far below it.
const LINE: usize = 64 * 1024;
/// Longest text of one mail's data without its literals: a structure of 1,000 parts. What
/// goes beyond is passed over, as it is the fault of one mail.
const MAIL_LINE: usize = 1024 * 1024;
/// Longest list of numbers: two million UIDs.
const NUMBERS_LINE: usize = 16 * 1024 * 1024;
/// Most literals of one response; a mail of 1,000 parts has a few for each.
const LITERALS: usize = 10_000;
/// A literal's announcement fits in this many bytes.
const ANNOUNCEMENT: usize = 32;

/// What one command's answer may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Longer literals are passed over.
    pub(super) literal: u64,
    /// Bytes of the answer as a whole without what is passed over; beyond it the server is
    /// not to be trusted.
    pub(super) total: u64,
    /// Bytes of mails' data that may be passed over: whoever sends long mails does not stop
    /// the answer for the others.
    pub(super) passed_over: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            literal: LINE as u64,
            total: 4 * 1024 * 1024,
            passed_over: 1024 * 1024 * 1024,
        }
    }
}

/// Why no more responses can be read.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection broke, closed or ran out of time.
    Connection(io::Error),
    /// The server broke the protocol or a bound.
    Protocol(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}

/// A literal string of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Literal {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It had this many bytes, too many to keep.
    PassedOver(u64),
}

/// One response.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// The text without the last line end. A literal's place shows as its announcement and
    /// a line end.
    pub(super) text: Vec<u8>,
    /// The literals in the order of their announcements.
    pub(super) literals: Vec<Literal>,
    /// The text was too long and is not whole.
    pub(super) cut: bool,
}

/// What matters here of a response's beginning. Read once: a response may have thousands
/// of literals, and so of lines.
#[derive(Clone, Copy, Debug)]
struct Kind {
    mail_data: bool,
    may_have_literals: bool,
    /// Longest text.
    longest: usize,
}

impl Kind {
    fn of(known: &mut Option<Self>, text: &[u8]) -> Self {
        *known.get_or_insert_with(|| Self::read(text))
    }

    fn read(text: &[u8]) -> Self {
        let line = Line::read(text);
        let longest = match line {
            line if line.is_mail_data() => MAIL_LINE,
            Line::Data { word, .. } if word.eq_ignore_ascii_case(b"SEARCH") => NUMBERS_LINE,
            _ => LINE,
        };
        Self {
            mail_data: line.is_mail_data(),
            may_have_literals: line.may_have_literals(),
            longest,
        }
    }
}

/// Reads responses and sends commands.
pub(super) struct Responses<C: Read + Write> {
    channel: BufReader<C>,
    bounds: Bounds,
    received: u64,
    passed_over: u64,
}

impl<C: Read + Write> Responses<C> {
    /// `ahead` is how many bytes may be read before they are asked for; 1 where something
    /// else takes the channel over.
    pub(super) fn new(channel: C, ahead: usize) -> Self {
        Self {
            channel: BufReader::with_capacity(ahead, channel),
            bounds: Bounds::default(),
            received: 0,
            passed_over: 0,
        }
    }

    /// Sends a command, or a piece of one, whose answer has these bounds.
    pub(super) fn send(&mut self, bytes: &[u8], bounds: Bounds) -> Result<(), Failure> {
        self.expect(bounds);
        let channel = self.channel.get_mut();
        channel.write_all(bytes)?;
        channel.flush()?;
        Ok(())
    }

    /// What follows has these bounds.
    pub(super) fn expect(&mut self, bounds: Bounds) {
        self.bounds = bounds;
        self.received = 0;
        self.passed_over = 0;
    }

    pub(super) fn channel(&mut self) -> &mut C {
        self.channel.get_mut()
    }

    /// The next response.
    pub(super) fn next(&mut self) -> Result<Response, Failure> {
        let mut response = Response::default();
        let mut kind = None;
        while let Some(size) = self.line(&mut response, &mut kind)? {
            let mail_data = Kind::of(&mut kind, &response.text).mail_data;
            if response.literals.len() >= LITERALS {
                if !mail_data {
                    return Err(Failure::Protocol(format!(
                        "it has more than {LITERALS} literals"
                    )));
                }
                response.cut = true;
            }
            if response.cut {
                self.pass_over(size)?;
            } else {
                let literal = self.literal(size, mail_data)?;
                response.literals.push(literal);
                response.text.extend(b"\r\n");
            }
        }
        Ok(response)
    }

    /// Appends a line. Gives the size of the literal that follows it, if one does.
    fn line(
        &mut self,
        response: &mut Response,
        kind: &mut Option<Kind>,
    ) -> Result<Option<u64>, Failure> {
        let begin = response.text.len();
        let mut tail: Vec<u8> = Vec::new();
        loop {
            let arrived = self.channel.fill_buf()?;
            if arrived.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let end = arrived.iter().position(|b| *b == b'\n');
            let piece = arrived
                .get(..end.unwrap_or(arrived.len()))
                .unwrap_or(arrived);
            let used = piece.len() + usize::from(end.is_some());
            keep_end(&mut tail, piece);
            if !response.cut {
                let longest = match response.text.len() {
                    ..LINE => LINE,
                    _ => Kind::of(kind, &response.text).longest,
                };
                let room = longest.saturating_sub(response.text.len());
                let (kept, over) = piece.split_at(room.min(piece.len()));
                response.text.extend_from_slice(kept);
                response.cut = !over.is_empty();
            }
            self.channel.consume(used);
            if !response.cut {
                self.count(used as u64)?;
            } else if Kind::of(kind, &response.text).mail_data {
                self.count_passed_over(used as u64)?;
            } else {
                return Err(Failure::Protocol(format!(
                    "a line is longer than {LINE} bytes"
                )));
            }
            if end.is_some() {
                break;
            }
        }
        if response.text.last() == Some(&b'\r') && response.text.len() > begin {
            response.text.pop();
        }
        if !Kind::of(kind, &response.text).may_have_literals {
            return Ok(None);
        }
        announced(&tail)
    }

    fn literal(&mut self, size: u64, mail_data: bool) -> Result<Literal, Failure> {
        if mail_data && size > self.bounds.literal {
            self.pass_over(size)?;
            return Ok(Literal::PassedOver(size));
        }
        self.count(size)?;
        if size > self.bounds.literal {
            self.skip(size)?;
            return Ok(Literal::PassedOver(size));
        }
        let mut bytes = Vec::new();
        let capacity = usize::try_from(size).unwrap_or(usize::MAX);
        bytes
            .try_reserve_exact(capacity)
            .map_err(|_| Failure::Protocol(format!("there is no memory for {size} bytes")))?;
        let read = (&mut self.channel).take(size).read_to_end(&mut bytes)?;
        if (read as u64) < size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Literal::Bytes(bytes))
    }

    /// Reads a mail's data and forgets it.
    fn pass_over(&mut self, size: u64) -> Result<(), Failure> {
        self.count_passed_over(size)?;
        self.skip(size)
    }

    fn skip(&mut self, size: u64) -> Result<(), Failure> {
        let read = io::copy(&mut (&mut self.channel).take(size), &mut io::sink())?;
        if read < size {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    fn count(&mut self, bytes: u64) -> Result<(), Failure> {
        self.received = within(self.received, bytes, self.bounds.total)?;
        Ok(())
    }

    fn count_passed_over(&mut self, bytes: u64) -> Result<(), Failure> {
        self.passed_over = within(self.passed_over, bytes, self.bounds.passed_over)?;
        Ok(())
    }
}

/// The sum, if it stays within the bound.
fn within(sum: u64, bytes: u64, bound: u64) -> Result<u64, Failure> {
    let sum = sum.saturating_add(bytes);
    if sum > bound {
        return Err(Failure::Protocol(format!(
            "the answer has {sum} bytes or more where at most {bound} are expected"
        )));
    }
    Ok(sum)
}

fn keep_end(tail: &mut Vec<u8>, piece: &[u8]) {
    let (_, end) = piece.split_at(piece.len().saturating_sub(ANNOUNCEMENT));
    tail.extend_from_slice(end);
    tail.drain(..tail.len().saturating_sub(ANNOUNCEMENT));
}

/// The size in `{123}` or `{123+}` at the end of a line.
fn announced(tail: &[u8]) -> Result<Option<u64>, Failure> {
    let line = tail.strip_suffix(b"\r").unwrap_or(tail);
    let Some(inner) = line.strip_suffix(b"}") else {
        return Ok(None);
    };
    let inner = inner.strip_suffix(b"+").unwrap_or(inner);
    let digits = inner
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let (before, number) = inner.split_at(inner.len() - digits);
    if digits == 0 || before.last() != Some(&b'{') {
        return Ok(None);
    }
    let number = str::from_utf8(number).unwrap_or_default();
    match number.parse() {
        Ok(size) => Ok(Some(size)),
        Err(_) => Err(Failure::Protocol(format!("it announces {number} bytes"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::script::Script;

    fn responses(bytes: &[u8]) -> Responses<Script> {
        Responses::new(Script::saying(bytes), 16)
    }

    fn one(bytes: &[u8]) -> (String, Vec<Literal>) {
        let response = responses(bytes).next().unwrap();
        assert!(!response.cut);
        (String::from_utf8(response.text).unwrap(), response.literals)
    }

    fn protocol(result: Result<Response, Failure>) -> String {
        match result {
            Err(Failure::Protocol(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn literals_keep_their_bytes() {
        let (text, literals) = one(b"* 1 FETCH (BODY[] {5}\r\na\r\n)* BODY[1] ~{2+}\nxy)\n");
        assert_eq!(text, "* 1 FETCH (BODY[] {5}\r\n BODY[1] ~{2+}\r\n)");
        assert_eq!(
            literals,
            [
                Literal::Bytes(b"a\r\n)*".to_vec()),
                Literal::Bytes(b"xy".to_vec())
            ]
        );
    }

    #[test]
    fn text_for_people_has_no_literals() {
        for line in ["* OK you have {7}", "a1 NO {3}", "+ {2}", "nonsense {9}"] {
            let (text, literals) = one(format!("{line}\r\n").as_bytes());
            assert_eq!((text.as_str(), literals.len()), (line, 0));
        }
    }

    #[test]
    fn a_literal_beyond_all_bounds_is_refused_unread() {
        for lie in [
            "* 1 FETCH (BODY[] {1073741825}\r\nx",
            "* SEARCH {4194305}\r\nx",
        ] {
            let what = protocol(responses(lie.as_bytes()).next());
            assert!(what.contains("bytes or more where at most"), "{what}");
        }
        let lie = b"* 1 FETCH (BODY[] {99999999999999999999}\r\nx";
        assert!(protocol(responses(lie).next()).starts_with("it announces 9999"));
    }

    #[test]
    fn thousands_of_literals_are_the_fault_of_one_mail_and_cost_no_time() {
        let many = format!(
            "* {}1 FETCH (X ({}))\r\n",
            " ".repeat(60_000),
            "{0}\r\n".repeat(150_000)
        );
        let mut responses = responses(many.as_bytes());
        let began = std::time::Instant::now();
        let first = responses.next().unwrap();
        assert!(first.cut && first.literals.len() == LITERALS);
        assert!(began.elapsed() < std::time::Duration::from_secs(3));
        let many = format!("* LIST ({})\r\n", "{0}\r\n".repeat(LITERALS + 1));
        assert!(protocol(self::responses(many.as_bytes()).next()).contains("literals"));
    }

    #[test]
    fn a_literal_too_long_for_its_mail_is_passed_over() {
        let mut bytes = b"* 1 FETCH (BODY[] {70000}\r\n".to_vec();
        bytes.resize(bytes.len() + 70_000, b'x');
        bytes.extend(b" UID 7)\r\n* 2 EXISTS\r\n");
        let mut responses = responses(&bytes);
        let first = responses.next().unwrap();
        assert_eq!(first.literals, [Literal::PassedOver(70_000)]);
        assert!(first.text.ends_with(b" UID 7)"));
        assert_eq!(responses.next().unwrap().text, b"* 2 EXISTS");
    }

    #[test]
    fn a_mail_with_too_much_data_does_not_stop_the_others() {
        let mut bytes = b"* 1 FETCH (UID 5 BODYSTRUCTURE (".to_vec();
        bytes.resize(bytes.len() + MAIL_LINE, b'(');
        bytes.extend(b"{5}\r\n{1}\r\n))\r\n* 2 EXISTS\r\n");
        let mut responses = responses(&bytes);
        responses
            .send(
                b"",
                Bounds {
                    total: 2 * MAIL_LINE as u64,
                    ..Bounds::default()
                },
            )
            .unwrap();
        let first = responses.next().unwrap();
        assert!(first.cut && first.text.starts_with(b"* 1 FETCH (UID 5 "));
        assert_eq!(first.text.len(), MAIL_LINE);
        assert_eq!(responses.next().unwrap().text, b"* 2 EXISTS");
    }

    #[test]
    fn lines_and_answers_have_an_end() {
        let endless = b"* OK "
            .iter()
            .chain([b'x'; LINE].iter())
            .copied()
            .collect::<Vec<u8>>();
        assert_eq!(
            protocol(responses(&endless).next()),
            "a line is longer than 65536 bytes"
        );
        let numbers = format!("* SEARCH{}\r\n", " 123456".repeat(20_000));
        assert_eq!(one(numbers.as_bytes()).0.len(), numbers.len() - 2);
        let mut many = responses(&b"* 1 EXISTS\r\n".repeat(100));
        many.send(
            b"",
            Bounds {
                total: 1000,
                ..Bounds::default()
            },
        )
        .unwrap();
        let end = (0..100).find_map(|_| many.next().err());
        assert!(
            matches!(end, Some(Failure::Protocol(what)) if what.contains("where at most 1000 are expected"))
        );
    }

    #[test]
    fn an_end_in_the_middle_is_a_lost_connection() {
        for bytes in [&b""[..], b"* OK", b"* 1 FETCH (BODY[] {5}\r\nabc"] {
            let end = responses(bytes).next();
            assert!(
                matches!(end, Err(Failure::Connection(e)) if e.kind() == io::ErrorKind::UnexpectedEof)
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_end_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut responses = responses(&bytes);
            while responses.next().is_ok() {}
        }
    }
}
