//! The header block: sender, subject, dates, Message-ID and whether a program sent the mail.

use chrono::{DateTime, Utc};

use super::automatic::{Automatic, Signs};
use super::header::Field;
use super::notice_id::names_notice;
use super::sender::{Sender, read_from};
use super::{date, encoded_word, header};

/// The longest Message-ID that is kept: what fits in one line (RFC 5322, section 2.1.1).
const LONGEST_ID: usize = 998;
/// Longest subject that is kept, in characters; RFC 5322, section 2.1.1, has lines of 998.
const SUBJECT: usize = 4096;
/// Longest address that is kept, in bytes; RFC 5321, section 4.5.3.1.3, has 256.
const ADDRESS: usize = 512;

/// What a mail's header says about the mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Who sent it.
    pub sender: Sender,
    /// The decoded subject in one line; empty when there is none.
    pub subject: String,
    /// The Date header, if it can be read.
    pub date: Option<DateTime<Utc>>,
    /// The Message-ID with its angle brackets.
    pub message_id: Option<String>,
    /// The sign that no program may answer it, if there is one.
    pub automatic: Option<Automatic>,
    /// It answers a notice: In-Reply-To or References names one ([`super::notice_id`]).
    pub answers_notice: bool,
}

impl Envelope {
    /// Reads a header block, with or without the blank line and whatever follows it, with
    /// any line ends. Never fails: what can't be read is left empty, what is very long is cut.
    /// Of a header that may stand there once, the first counts (but see [`Sender::reliable`]).
    #[must_use]
    pub fn parse(block: &[u8]) -> Self {
        let mut from: Vec<Vec<u8>> = Vec::new();
        let mut clear = true;
        let mut subject = None;
        let mut date = None;
        let mut message_id = None;
        let mut signs = Signs::default();
        let mut answers_notice = false;
        header::fields(block, |field| {
            signs.look(&field);
            answers_notice |= is_answer_to_notice(&field);
            clear &= !field.hides("From");
            if field.is("From") {
                clear &= !field.odd;
                // Two already are one too many.
                if from.len() < 2 {
                    from.push(field.value.to_vec());
                }
            } else if field.is("Subject") && subject.is_none() {
                subject = Some(encoded_word::decode(field.value));
            } else if field.is("Date") && date.is_none() {
                date = Some(date::parse(field.value));
            } else if field.is("Message-ID") && message_id.is_none() {
                message_id = message_id_of(field.value);
            }
        });
        let sender = read_from(&from, clear);
        let mut envelope = Self {
            automatic: signs.verdict(&sender.address),
            sender,
            subject: subject.unwrap_or_default(),
            date: date.flatten(),
            message_id,
            answers_notice,
        };
        envelope.cut();
        envelope
    }

    /// The envelopes of thousands of mails are held at a time.
    fn cut(&mut self) {
        if let Some((end, _)) = self.subject.char_indices().nth(SUBJECT) {
            self.subject.truncate(end);
            self.subject.shrink_to_fit();
        }
        let address = &mut self.sender.address;
        if address.len() > ADDRESS {
            address.truncate(address.floor_char_boundary(ADDRESS));
            address.shrink_to_fit();
            // Its beginning may be somebody else's address.
            self.sender.reliable = false;
        }
    }

    /// An envelope that a service has read and tells in parts, the subject decoded. The header
    /// block, which may be empty, tells whether a program sent the mail, what it answers and whether it
    /// has more senders than the one that the service has chosen.
    #[must_use]
    pub fn told(
        mut sender: Sender,
        subject: &str,
        date: Option<DateTime<Utc>>,
        message_id: &str,
        block: &[u8],
    ) -> Self {
        let mut signs = Signs::default();
        let mut senders = 0_usize;
        let mut answers_notice = false;
        header::fields(block, |field| {
            signs.look(&field);
            answers_notice |= is_answer_to_notice(&field);
            senders = senders.saturating_add(usize::from(field.is("From")));
        });
        sender.reliable &= senders < 2;
        Self {
            automatic: signs.verdict(&sender.address),
            sender,
            subject: encoded_word::one_line(subject),
            date,
            message_id: message_id_of(message_id.as_bytes()),
            answers_notice,
        }
    }
}

/// The time of the newest (topmost) Received header that has one (RFC 5322, section 3.6.7).
#[must_use]
pub fn received_time(block: &[u8]) -> Option<DateTime<Utc>> {
    let mut newest = None;
    header::fields(block, |field| {
        if newest.is_none() && field.is("Received") {
            // The server writes the time last. Before it stand words of the sender, who may have
            // opened comments that never end; only a comment behind the time has a semicolon there.
            let last = |text: &str| date::parse(text.rsplit_once(';')?.1.as_bytes());
            let text = String::from_utf8_lossy(field.value);
            newest = last(&text).or_else(|| last(&date::without_comments(field.value)));
        }
    });
    newest
}

fn is_answer_to_notice(field: &Field<'_>) -> bool {
    (field.is("In-Reply-To") || field.is("References")) && names_notice(field.value)
}

fn message_id_of(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(value);
    let text = text.trim();
    let id = match text
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
    {
        Some((inner, _)) => format!("<{inner}>"),
        None => text.to_owned(),
    };
    let plain =
        id.len() > 2 && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then_some(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_header() {
        let envelope = Envelope::parse(
            b"Received: from a by b; Wed, 21 Oct 2026 10:00:05 +0200\r\n\
              From: \"Night Run\" <night@example.test>\r\n\
              Subject: =?utf-8?Q?fertig_=C3=BCber_Nacht?=\r\n\
              Date: Wed, 21 Oct 2026 10:00:00 +0200\r\n\
              Message-ID:\r\n <1@example.test> (first)\r\n\r\nFrom: body@example.test\r\n",
        );
        assert_eq!(
            envelope.sender,
            Sender {
                address: "night@example.test".to_owned(),
                reliable: true
            }
        );
        assert_eq!(envelope.subject, "fertig über Nacht");
        assert_eq!(
            envelope.date.unwrap().to_rfc3339(),
            "2026-10-21T08:00:00+00:00"
        );
        assert_eq!(envelope.message_id.as_deref(), Some("<1@example.test>"));
    }

    #[test]
    fn long_subjects_and_addresses_are_cut() {
        let block = format!("Subject: {}\r\n", "\u{fc}".repeat(20_000));
        let envelope = Envelope::parse(block.as_bytes());
        assert_eq!(envelope.subject.chars().count(), SUBJECT);
        // The rest of the host decides, so what was cut is nobody's address.
        let trusted = "@trusted.test";
        let pad = "x".repeat(ADDRESS - trusted.len());
        let block = format!("From: {pad}{trusted}.evil.test\r\n");
        let envelope = Envelope::parse(block.as_bytes());
        assert!(envelope.sender.address.len() <= ADDRESS && !envelope.sender.reliable);
    }

    #[test]
    fn a_sender_has_no_say_in_the_time_of_receipt() {
        let forged = "Received: from x by y; Tue, 6 Jan 2026 02:00:00 +0000\r\n\r\n";
        for words in [
            r#"(envelope-from <"("@evil.test>)"#,
            r#"(envelope-from <")"; Tue, 6 Jan 2026 02:00:00 +0000 (("@evil.test>)"#,
            r#"for <"; Tue, 6 Jan 2026 02:00:00 +0000"@here.test>"#,
            r"(a \) b (; Tue, 6 Jan 2026 02:00:00 +0000",
        ] {
            let own =
                format!("Received: from a {words} by b; Tue, 6 Jan 2026 12:00:00 +0000 (UTC)");
            let time = received_time(format!("{own}\r\n{forged}").as_bytes());
            assert_eq!(
                time.unwrap().to_rfc3339(),
                "2026-01-06T12:00:00+00:00",
                "{words}"
            );
        }
        let odd = b"Received: by b; Tue, 6 Jan 2026 12:00:00 +0000 (one; two)\r\n";
        assert!(received_time(odd).is_some());
    }

    #[test]
    fn nothing_there() {
        assert_eq!(Envelope::parse(b""), Envelope::default());
        assert_eq!(Envelope::parse(b"\r\n"), Envelope::default());
        let garbage = Envelope::parse(b"Date: garbage\nMessage-ID: <>\nSubject:\n\n");
        assert_eq!(garbage, Envelope::default());
    }

    #[test]
    fn what_answers_a_notice_is_known_however_it_is_told() {
        let notice = "<20260106T120000000Z.000001.0123456789ab@example.test>";
        let told = |block: &str| Envelope::told(Sender::default(), "s", None, "", block.as_bytes());
        for (block, expected) in [
            (format!("In-Reply-To: {notice}\r\n"), true),
            (format!("references: <1@a.test>\r\n {notice}\r\n"), true),
            (
                format!("Message-ID: {notice}\r\nSubject: {notice}\r\n"),
                false,
            ),
            ("References: <1@a.test>\r\n".to_owned(), false),
        ] {
            let envelope = Envelope::parse(block.as_bytes());
            assert_eq!(envelope.answers_notice, expected, "{block}");
            assert_eq!(told(&block).answers_notice, expected, "{block}");
        }
    }

    #[test]
    fn headers_in_disorder() {
        let subject = |block: &[u8]| Envelope::parse(block).subject;
        assert_eq!(subject(b"Subject : spaced\n\n"), "spaced");
        assert_eq!(subject(b"\xEF\xBB\xBFSubject: marked\n\n"), "marked");
        assert_eq!(subject(b" Subject: indented\n\n"), "indented");
        assert_eq!(
            subject(b"From x Mon Jan  1 10:00:00 2024\nSubject: mbox\n\n"),
            "mbox"
        );
        assert_eq!(subject(b"Subject: one\rX: y\r\r"), "one");
        assert_eq!(subject(b"Subject: one\r\r\nX: y\r\r\n\r\r\n"), "one");
        assert_eq!(subject(b"SUBJECT: first\nSubject: second\n\n"), "first");
    }

    #[test]
    fn received_is_the_newest_that_can_be_read() {
        let time = |block: &[u8]| received_time(block).map(|time| time.to_rfc3339());
        assert_eq!(
            time(b"Received: by a; soon\r\nReceived: from b (x; y)\r\n by c; Wed, 21 Oct 2026 10:00 +0200 (CEST; x)\r\nReceived: by d; Wed, 21 Oct 2026 09:00 +0200\r\n\r\n"),
            Some("2026-10-21T08:00:00+00:00".to_owned())
        );
        assert_eq!(time(b"Received: by a\r\n\r\n"), None);
        assert_eq!(
            time(b"Subject: x\r\n\r\nReceived: by a; Wed, 21 Oct 2026 10:00 +0200\r\n"),
            None
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(block: Vec<u8>) {
            let envelope = Envelope::parse(&block);
            prop_assert!(!envelope.subject.contains(['\r', '\n', '\0']));
            let _ = received_time(&block);
        }
    }
}
