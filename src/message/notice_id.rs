//! The names of our notices, which their Message-IDs begin with: given here, and found here in mails
//! that answer one.

use chrono::{DateTime, Utc};

/// How a name shows its time, in UTC.
const TIME: &str = "%Y%m%dT%H%M%S%3fZ";
/// Digits of a name's number, at least.
const NUMBER: usize = 6;
/// Bytes of a name's mark.
const MARK: usize = 6;

/// A name that sorts in the order of making: `20260106T120000000Z.000001.0123456789ab`.
/// `mark` tells notices of the same time and number apart.
#[must_use]
pub fn notice_name(time: DateTime<Utc>, number: usize, mark: &[u8]) -> String {
    let mark: String = (mark.iter().take(MARK))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}.{number:0NUMBER$}.{mark}", time.format(TIME))
}

/// The Message-ID of the notice of this name, with its angle brackets.
#[must_use]
pub fn notice_id(name: &str, domain: &str) -> String {
    format!("<{name}@{domain}>")
}

/// Whether the Message-IDs in an `In-Reply-To` or a `References` (RFC 5322, section 3.6.4) include that
/// of a notice. Brackets and commas are where the writer's program has them.
pub(super) fn names_notice(value: &[u8]) -> bool {
    let between = |byte: &u8| byte.is_ascii_whitespace() || b"<>,()\"".contains(byte);
    value.split(between).any(is_notice_id)
}

/// Of whatever domain: who reads here may have sent from elsewhere, and two of our kind may have
/// the same ticket system between them.
fn is_notice_id(id: &[u8]) -> bool {
    let mut halves = id.splitn(2, |byte| *byte == b'@');
    let name = halves.next().unwrap_or_default();
    let in_domain = halves.next().is_some_and(|domain| !domain.is_empty());
    let parts: Vec<&[u8]> = name.split(|byte| *byte == b'.').take(4).collect();
    let [time, number, mark] = parts.as_slice() else {
        return false;
    };
    in_domain
        && is_time(time)
        && number.len() >= NUMBER
        && number.iter().all(u8::is_ascii_digit)
        && mark.len() == 2 * MARK
        && mark.iter().all(u8::is_ascii_hexdigit)
}

/// Digits and letters stand where [`TIME`] has them; some programs write small letters.
fn is_time(text: &[u8]) -> bool {
    const FORM: &[u8] = b"00000000T000000000Z";
    text.len() == FORM.len()
        && text.iter().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            letter => byte.eq_ignore_ascii_case(letter),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "<20260106T120000000Z.000001.0123456789ab@example.test>";

    #[test]
    fn what_is_given_is_found() {
        let time = "2026-01-06T12:00:00Z".parse().unwrap();
        let name = notice_name(time, 1, b"\x01\x23\x45\x67\x89\xab\xcd");
        assert_eq!(notice_id(&name, "example.test"), ID);
        let late = "9999-12-31T23:59:59.999Z".parse().unwrap();
        for name in [name, notice_name(late, 12_345_678, &[0xff; 32])] {
            let id = notice_id(&name, "[127.0.0.1]");
            assert!(names_notice(id.as_bytes()), "{id}");
        }
    }

    #[test]
    fn programs_write_message_ids_in_many_ways() {
        let bare = ID.trim_matches(['<', '>']);
        for value in [
            bare.to_owned(),
            format!("<1@a.test>\r\n\t{ID}\r\n <2@a.test>"),
            format!("<1@a.test>{ID}"),
            format!("<1@a.test>,{ID}"),
            format!("Your notice of today \"{bare}\" (see {ID})"),
            ID.to_lowercase(),
        ] {
            assert!(names_notice(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn no_other_message_id_is_a_notice_s() {
        for other in [
            "",
            "<>",
            "<1@example.test>",
            "<20260106T120000000Z.000001.0123456789ab>",
            "<20260106T120000000Z.000001.0123456789ab@>",
            "<20260106T120000000Z.000001@example.test>",
            "<20260106T120000000Z.00001.0123456789ab@example.test>",
            "<20260106T120000000Z.000001.0123456789a@example.test>",
            "<20260106T120000000Z.000001.0123456789ag@example.test>",
            "<20260106T120000000Z.000001.0123456789ab.c@example.test>",
            "<2026010T1200000000Z.000001.0123456789ab@example.test>",
            "<x20260106T120000000Z.000001.0123456789ab@example.test>",
        ] {
            assert!(!names_notice(other.as_bytes()), "{other}");
        }
    }
}
