//! FETCH responses (RFC 9051, section 7.5.2): any order of attributes, any number of
//! responses for one mail, unknown attributes passed over.

use chrono::{DateTime, Utc};

use super::cursor::{Cursor, Malformed, Text};
use super::response::Response;
use super::structure::{self, Broken};
use super::summaries::HEADER;
use crate::message::{Envelope, Fault, Limits, Part};

/// What the server told of one mail.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// RFC822.SIZE.
    pub(super) size: Option<u64>,
    /// INTERNALDATE.
    pub(super) received: Option<DateTime<Utc>>,
    /// BODYSTRUCTURE.
    pub(super) structure: Option<Result<Part, Broken>>,
    /// HEADER.FIELDS, read as it arrives: the bytes of thousands of mails are not kept.
    pub(super) header: Option<Header>,
    sections: Vec<(String, Text)>,
    /// The response could not be read to its end.
    pub(super) damage: Option<&'static str>,
}

/// The header fields that a summary is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// What they say.
    Envelope(Envelope),
    /// They have at least this many bytes, too many to be read.
    TooLong(u64),
    /// Nothing came, not even the blank line that ends them (RFC 9051, section 6.4.5.1).
    Missing,
}

impl Header {
    fn read(text: Text) -> Self {
        let block = match text {
            Text::Nil => return Self::Missing,
            Text::Bytes(block) if block.is_empty() => return Self::Missing,
            Text::Bytes(block) if block.len() as u64 >= HEADER => {
                return Self::TooLong(block.len() as u64);
            }
            Text::Bytes(block) => block,
            Text::PassedOver(size) => return Self::TooLong(size),
        };
        Self::Envelope(Envelope::parse(&block))
    }
}

impl Fetched {
    /// The text of `BODY[section]`, taken out. Where the response was damaged nobody knows
    /// what belongs to it: a literal may be longer than the server announced.
    pub(super) fn text_of(&mut self, section: &str) -> Result<Option<Text>, Fault> {
        match (self.damage, self.take_section(section)) {
            (_, Some(Text::PassedOver(size))) => Ok(Some(Text::PassedOver(size))),
            (Some(damage), _) => Err(Fault::Unreadable(damage.to_owned())),
            (None, text) => Ok(text),
        }
    }

    fn take_section(&mut self, section: &str) -> Option<Text> {
        let at = self.sections.iter().position(|(name, _)| name == section)?;
        Some(self.sections.swap_remove(at).1)
    }

    /// Forgets all sections but these: nobody else would take them out.
    pub(super) fn keep_sections(&mut self, asked: impl Fn(&str) -> bool) {
        self.sections.retain(|(name, _)| asked(name));
    }

    /// Adds what another response told of the same mail.
    pub(super) fn merge(&mut self, other: Self) {
        self.size = other.size.or(self.size);
        self.received = other.received.or(self.received);
        self.structure = other.structure.or(self.structure.take());
        self.damage = other.damage.or(self.damage);
        self.header = other.header.or(self.header.take());
        for (name, text) in other.sections {
            self.take_section(&name);
            self.sections.push((name, text));
        }
    }

    /// Nothing that a command of ours asks for: flags that another client changed.
    fn is_bare(&self) -> bool {
        self.size.is_none()
            && self.received.is_none()
            && self.structure.is_none()
            && self.header.is_none()
            && self.sections.is_empty()
    }
}

/// Reads a FETCH response.
///
/// `None` if it is nothing but news of flags, which belong to no command of ours, or if
/// nothing says which mail it belongs to. Where that was data asked for, the mail is found
/// missing.
pub(super) fn read(mut response: Response, limits: &Limits) -> Option<(u32, Fetched)> {
    let cut = response.cut;
    let mut fetched = Fetched::default();
    let mut uid = None;
    let mut cursor = Cursor::new(&mut response);
    let end = attributes(&mut cursor, &mut fetched, &mut uid, limits);
    fetched.damage = match end {
        _ if cut => Some("its data is longer than any mail's should be"),
        Err(Malformed(why)) => Some(why),
        Ok(()) => None,
    };
    let news_of_flags = fetched.is_bare() && fetched.damage.is_none();
    Some((uid.filter(|_| !news_of_flags)?, fetched))
}

fn attributes(
    cursor: &mut Cursor<'_>,
    fetched: &mut Fetched,
    uid: &mut Option<u32>,
    limits: &Limits,
) -> Result<(), Malformed> {
    for _ in ["*", "number", "FETCH"] {
        cursor.skip_blanks();
        cursor.atom();
    }
    cursor.expect(b'(', "the list of attributes is missing")?;
    loop {
        cursor.skip_blanks();
        if cursor.eat(b')') {
            return Ok(());
        }
        if cursor.at_end() {
            return Err(Malformed("the list of attributes does not end"));
        }
        let name = cursor
            .until(|b| b.is_ascii_whitespace() || matches!(b, b'[' | b'(' | b')' | b'"' | b'{'))
            .to_ascii_uppercase();
        match name.as_slice() {
            b"UID" => *uid = cursor.number(),
            b"RFC822.SIZE" => fetched.size = cursor.number(),
            b"INTERNALDATE" => fetched.received = date(&cursor.text()?.into_bytes()),
            b"BODYSTRUCTURE" => fetched.structure = Some(structure::read(cursor.value()?, limits)),
            b"BODY" if cursor.peek() == Some(b'[') => {
                let section = section(cursor)?;
                let text = cursor.text()?;
                if section == "HEADER.FIELDS" {
                    fetched.header = Some(Header::read(text));
                } else {
                    fetched.sections.push((section, text));
                }
            }
            _ => cursor.skip()?,
        }
        // What follows a literal directly belongs to it, whatever size was announced.
        if !matches!(cursor.peek(), None | Some(b' ' | b'\t' | b')')) {
            return Err(Malformed("a value does not end where it should"));
        }
    }
}

/// What stands in the brackets, in capitals. For header fields only that it is them:
/// servers quote and order their names as they like.
fn section(cursor: &mut Cursor<'_>) -> Result<String, Malformed> {
    cursor.eat(b'[');
    let name = cursor.until(|b| b.is_ascii_whitespace() || matches!(b, b']' | b'('));
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    cursor.skip_blanks();
    if cursor.peek() == Some(b'(') {
        cursor.skip()?;
    }
    cursor.expect(b']', "the name of a section does not end")?;
    if cursor.eat(b'<') {
        cursor.until(|b| b == b'>');
        cursor.eat(b'>');
    }
    Ok(name)
}

/// `" 1-Jan-2020 00:00:00 +0000"`.
fn date(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = str::from_utf8(text).ok()?.trim();
    let time = DateTime::parse_from_str(text, "%d-%b-%Y %H:%M:%S %z").ok()?;
    Some(time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::response::Responses;
    use super::*;
    use crate::net::script::Script;

    /// Reads what a server sent, as the filter does.
    fn fetched(bytes: &[u8]) -> Option<(u32, Fetched)> {
        let response = Responses::new(Script::saying(bytes), 1000).next().unwrap();
        read(response, &Limits::default())
    }

    fn one(bytes: &[u8]) -> (u32, Fetched) {
        fetched(bytes).unwrap()
    }

    fn bytes(text: &str) -> Option<Text> {
        Some(Text::Bytes(text.as_bytes().to_vec()))
    }

    fn subject(mail: Fetched) -> String {
        match mail.header {
            Some(Header::Envelope(envelope)) => envelope.subject,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_header_that_is_cut_off_is_not_read() {
        let header = Header::read(Text::Bytes(vec![b'x'; 65_536]));
        assert_eq!(header, Header::TooLong(65_536));
    }

    #[test]
    fn a_summary_as_dovecot_writes_it() {
        let (uid, mail) = one(
            b"* 3 FETCH (UID 7 INTERNALDATE \"02-Mar-2026 10:00:00 +0100\" RFC822.SIZE 812 \
            BODY[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)] {13}\r\nSubject: x\r\n\r)\r\n",
        );
        assert_eq!((uid, mail.size, mail.damage), (7, Some(812), None));
        assert_eq!(
            mail.received.unwrap().to_rfc3339(),
            "2026-03-02T09:00:00+00:00"
        );
        assert_eq!(subject(mail), "x");
    }

    #[test]
    fn a_summary_as_others_write_it() {
        // Courier quotes the names, Cyrus pads the day and puts flags first, some servers
        // write in small letters, use quoted strings and count beyond 32 bits.
        let (uid, mail) = one(b"* 3 fetch (FLAGS (\\Recent $Odd) MODSEQ (12) body[header.fields (\"From\" \"]\")]<0> \
            \"Subject: \\\"x\\\"\"  rfc822.size 5000000000 X-GM-LABELS (\"a)\" {1}\r\n( b) internaldate \
            \" 1-Jan-2020 00:00:00 +0000\"   UID 4294967295 )\r\n");
        assert_eq!(
            (uid, mail.size, mail.damage),
            (u32::MAX, Some(5_000_000_000), None)
        );
        assert_eq!(
            mail.received.unwrap().to_rfc3339(),
            "2020-01-01T00:00:00+00:00"
        );
        assert_eq!(subject(mail), "\"x\"");
    }

    #[test]
    fn bodies_in_every_form() {
        let (_, mut mail) = one(b"* 1 FETCH (UID 1 BODY[] NIL BODY[1] \"\" BODY[2.1] {0}\r\n BODY[3] {2}\r\n\0\xff BODY (\"text\" \"plain\"))\r\n");
        assert_eq!(mail.take_section(""), Some(Text::Nil));
        assert_eq!(mail.take_section("1"), bytes(""));
        assert_eq!(mail.take_section("2.1"), bytes(""));
        assert_eq!(
            mail.take_section("3"),
            Some(Text::Bytes(b"\0\xff".to_vec()))
        );
        assert_eq!(mail.take_section("4"), None);
    }

    #[test]
    fn news_of_flags_and_data_without_uid_belong_to_nobody() {
        for line in [
            "* 3 FETCH (UID 5 FLAGS (\\Seen))",
            "* 3 FETCH (FLAGS (\\Seen))",
            "* 3 FETCH (RFC822.SIZE 12)",
            "* 3 FETCH (UID x BODY[] \"y\")",
            "* 3 FETCH FLAGS",
        ] {
            assert!(fetched(format!("{line}\r\n").as_bytes()).is_none());
        }
    }

    #[test]
    fn damage_is_the_mails_own() {
        for line in [
            &b"* 1 FETCH (UID 5 RFC822.SIZE 3\r\n"[..],
            b"* 1 FETCH (UID 5 BODY[HEADER.FIELDS (A\r\n",
            b"* 1 FETCH (UID 5 BODYSTRUCTURE ((((\r\n",
            b"* 1 FETCH (UID 5 INTERNALDATE (x))\r\n",
            b"* 1 FETCH (UID 5 BODY[] \"open)\r\n",
        ] {
            let (uid, mail) = one(line);
            assert!(
                uid == 5 && mail.damage.is_some(),
                "{}",
                String::from_utf8_lossy(line)
            );
        }
        let (_, mail) = one(
            b"* 1 FETCH (UID 5 RFC822.SIZE -1 INTERNALDATE \"yesterday\" BODYSTRUCTURE NIL)\r\n",
        );
        assert_eq!((mail.size, mail.received, mail.damage), (None, None, None));
        assert_eq!(mail.structure, Some(Err(Broken::Doubtful)));
    }

    #[test]
    fn a_mail_may_come_in_pieces() {
        let (_, mut mail) = one(b"* 1 FETCH (UID 5 RFC822.SIZE 3)\r\n");
        mail.merge(one(b"* 1 FETCH (UID 5 BODY[1] \"a\")\r\n").1);
        mail.merge(one(b"* 1 FETCH (UID 5 BODY[1] \"b\" FLAGS ())\r\n").1);
        assert_eq!((mail.size, mail.take_section("1")), (Some(3), bytes("b")));
        assert_eq!(mail.take_section("1"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_answer_panics(text in "( |\\(|\\)|\"|\\{3\\}\r\n|UID 5|BODY\\[|\\]|BODYSTRUCTURE|NIL|\\\\|[a-z0-9]|<0>){0,40}") {
            let line = format!("* 1 FETCH ({text})\r\n123456789\r\n");
            if let Ok(response) = Responses::new(Script::saying(line.as_bytes()), 1000).next() {
                let _ = read(response, &Limits::default());
            }
        }
    }
}
