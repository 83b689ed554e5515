//! Encoded words in headers (RFC 2047), as standards and as mailers write them.

use super::decode;
use super::header::unfold;

/// The longest charset label that is believed; RFC 2047 allows 75 for the whole word.
const LONGEST_LABEL: usize = 60;

/// A header value as one line of text: folds, encoded words and raw 8-bit text decoded,
/// control characters turned into blanks, blanks at both ends taken off.
///
/// Beyond RFC 2047: words without a blank between or beside them, blanks inside a word,
/// language tags (RFC 2231, section 5), base64 without padding, and characters that are
/// split over two words.
#[must_use]
pub fn decode(value: &[u8]) -> String {
    let value = unfold(value);
    if std::str::from_utf8(&value).is_err() {
        // Raw 8-bit text in another charset: to UTF-8 first, so that one reading follows.
        return one_line(&words(decode::unlabelled(&value).as_bytes()));
    }
    one_line(&words(&value))
}

/// Text as a single line: no control characters (CR LF is one break), no blanks at the ends.
pub(super) fn one_line(text: &str) -> String {
    let blanked: String = text
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    blanked.trim().to_owned()
}

/// Decodes the words of an unfolded value.
fn words(value: &[u8]) -> String {
    let mut out = String::new();
    let mut run = Run::default();
    let mut literal = 0;
    let mut position = 0;
    // Once no terminator was found, later words have none either; without this, many
    // openers would each search to the end.
    let mut terminated = true;
    while let Some(found) = value.get(position..).and_then(|rest| find(rest, b"=?")) {
        let start = position + found;
        let word = value
            .get(start..)
            .filter(|_| terminated)
            .and_then(|rest| Word::parse(rest, &mut terminated));
        let Some(word) = word else {
            position = start + 2;
            continue;
        };
        let between = value.get(literal..start).unwrap_or_default();
        if run.label.is_none() || !between.trim_ascii().is_empty() {
            run.flush(&mut out);
            out.push_str(&String::from_utf8_lossy(between));
        }
        position = start + word.length;
        literal = position;
        run.add(word, &mut out);
    }
    run.flush(&mut out);
    out.push_str(&String::from_utf8_lossy(
        value.get(literal..).unwrap_or_default(),
    ));
    out
}

/// Adjacent words of one charset, decoded together so that a character may be split.
#[derive(Default)]
struct Run {
    label: Option<String>,
    bytes: Vec<u8>,
}

impl Run {
    fn add(&mut self, word: Word, out: &mut String) {
        if self
            .label
            .as_deref()
            .is_some_and(|label| !label.eq_ignore_ascii_case(&word.label))
        {
            self.flush(out);
        }
        self.label = Some(word.label);
        self.bytes.extend(word.bytes);
    }

    fn flush(&mut self, out: &mut String) {
        if let Some(label) = self.label.take() {
            out.push_str(&decode::text(&self.bytes, Some(&label)));
            self.bytes.clear();
        }
    }
}

struct Word {
    label: String,
    bytes: Vec<u8>,
    length: usize,
}

impl Word {
    /// Reads `=?charset?encoding?text?=` at the start of the bytes.
    fn parse(bytes: &[u8], terminated: &mut bool) -> Option<Self> {
        let inside = bytes.strip_prefix(b"=?")?;
        let label_length = inside
            .iter()
            .take(LONGEST_LABEL)
            .position(|byte| *byte == b'?')?;
        let (label, rest) = inside.split_at_checked(label_length)?;
        if !label.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let (encoding, text) = match rest {
            [b'?', encoding, b'?', text @ ..] => (encoding.to_ascii_lowercase(), text),
            _ => return None,
        };
        if !matches!(encoding, b'b' | b'q') {
            return None;
        }
        let Some(text_length) = find(text, b"?=") else {
            *terminated = false;
            return None;
        };
        let text = text.get(..text_length)?;
        let label = label.split(|byte| *byte == b'*').next().unwrap_or_default();
        Some(Self {
            label: String::from_utf8_lossy(label).into_owned(),
            bytes: if encoding == b'b' {
                decode::base64(text)
            } else {
                q_text(text)
            },
            length: 2 + label_length + 3 + text_length + 2,
        })
    }
}

/// The Q encoding: quoted-printable with `_` for a blank.
fn q_text(text: &[u8]) -> Vec<u8> {
    let blanks: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'_' { b' ' } else { *byte })
        .collect();
    let mut out = Vec::with_capacity(blanks.len());
    decode::percent_like(&blanks, b'=', &mut out);
    out
}

fn find(bytes: &[u8], pair: &[u8; 2]) -> Option<usize> {
    bytes.windows(2).position(|window| window == pair)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_as_they_come() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain text", "plain text"),
            (b"  outer blanks \t", "outer blanks"),
            (b"=?utf-8?Q?gr=C3=BCn?=", "grün"),
            (b"=?UTF-8?b?Z3LDvG4=?=", "grün"),
            (b"=?utf-8?B?Z3LDvG4?=", "grün"),
            (b"=?iso-8859-1?Q?gr=FCn_=80?=", "grün €"),
            (b"a =?utf-8?Q?b?= c", "a b c"),
            (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
            (b"=?utf-8?Q?a?=\r\n  =?utf-8?Q?b?=", "ab"),
            (b"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
            (b"x=?utf-8?Q?a?=y", "xay"),
            (b"=?utf-8?Q?a_?= =?iso-8859-1?Q?=FC?=", "a ü"),
            // A character split over two words.
            (b"=?utf-8?Q?gr=C3?= =?UTF-8?Q?=BCn?=", "grün"),
            (b"=?utf-8?B?Z3LD?= =?utf-8?B?vG4=?=", "grün"),
            // Language tags.
            (b"=?utf-8*de?Q?gr=C3=BCn?=", "grün"),
            // Unknown and wrong charsets.
            (b"=?cp850?Q?abc?=", "abc"),
            (b"=?x-nope?Q?gr=C3=BCn?=", "grün"),
            (b"=?us-ascii?Q?gr=C3=BCn?=", "grün"),
            (b"=?ISO-2022-JP?B?GyRCNEE7ehsoQg==?=", "漢字"),
            (b"=?gb2312?B?w6s=?=", "毛"),
            (b"=?utf-7?Q?gr+APw-n?=", "grün"),
            // Blanks and question marks inside.
            (b"=?utf-8?Q?two words?=", "two words"),
            (b"=?utf-8?Q?what??=", "what?"),
            (b"=?utf-8?Q?=41?=", "A"),
            (b"=?utf-8?Q??=", ""),
            // No words at all.
            (b"=?utf-8?Q?open", "=?utf-8?Q?open"),
            (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
            (b"1 =? 2 ?= 3", "1 =? 2 ?= 3"),
            (b"a=?b=?c", "a=?b=?c"),
            // Raw 8-bit text, folds and control characters.
            ("raw gr\u{fc}n".as_bytes(), "raw grün"),
            (b"raw gr\xFCn =?utf-8?Q?=C3=BC?=", "raw grün ü"),
            (b"folded\r\n\t here", "folded here"),
            (b"=?utf-8?Q?a=0D=0Ab=00?=", "a b"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decode(raw), *expected, "{:?}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn openers_without_end_cost_one_look() {
        let hostile = b"=?utf-8?Q? ".repeat(200_000);
        assert_eq!(decode(&hostile).len(), hostile.len() - 1);
    }

    proptest! {
        #[test]
        fn anything_becomes_one_line(raw in prop::collection::vec(prop_oneof![Just(b'='), Just(b'?'), Just(b'Q'), any::<u8>()], 0..200)) {
            prop_assert!(!decode(&raw).chars().any(char::is_control));
        }

        #[test]
        fn what_is_encoded_comes_back(text in "[^\\p{Cc}\\s]{0,40}", cut in 0usize..40) {
            let bytes = text.as_bytes();
            let (one, two) = bytes.split_at(cut.min(bytes.len()));
            let word = |part: &[u8]| format!("=?utf-8?B?{}?=", data_encoding::BASE64.encode(part));
            // One byte-order mark at the start is no text.
            let expected = text.strip_prefix('\u{feff}').unwrap_or(&text);
            prop_assert_eq!(decode(format!("{} {}", word(one), word(two)).as_bytes()), expected);
        }
    }
}
