//! MIME parameters (RFC 2045, section 5.1, and RFC 2231), from header text and from
//! BODYSTRUCTURE's lists.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::header::unfold;
use super::{decode, encoded_word};

/// Raw pairs of parameter name and value, as a header or BODYSTRUCTURE has them.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The decoded value of a parameter, in one line; `None` if there is none of that name.
///
/// RFC 2231 forms come first (continuations put together in their order, charset decoded),
/// then the plain one. In a plain one and in plain continuations raw 8-bit text and
/// encoded words (RFC 2047) are read too, as most mailers write them against the rules.
#[must_use]
pub fn parameter(pairs: &[(Vec<u8>, Vec<u8>)], name: &str) -> Option<String> {
    let mut plain = None;
    let mut segments: BTreeMap<u32, Segment<'_>> = BTreeMap::new();
    for (key, value) in pairs {
        let key = key.trim_ascii();
        let Some((base, tail)) = key.split_at_checked(name.len()) else {
            continue;
        };
        if !base.eq_ignore_ascii_case(name.as_bytes()) {
            continue;
        }
        match tail {
            [] => {
                plain.get_or_insert(value);
            }
            [b'*'] => {
                // The whole value in one extended segment.
                segments.entry(0).or_insert(Segment {
                    extended: true,
                    value,
                });
            }
            [b'*', number @ ..] => {
                let (number, extended) = number
                    .strip_suffix(b"*")
                    .map_or((number, false), |number| (number, true));
                if let Some(number) = segment_number(number) {
                    segments
                        .entry(number)
                        .or_insert(Segment { extended, value });
                }
            }
            _ => {}
        }
    }
    join(&segments).or_else(|| plain.map(|value| encoded_word::decode(value)))
}

struct Segment<'a> {
    extended: bool,
    value: &'a [u8],
}

/// Splits the value of a header such as Content-Type into what stands before the first
/// semicolon and the parameters. Quotes, escapes and folds are undone; nothing is decoded.
#[must_use]
pub fn split(value: &[u8]) -> (Vec<u8>, Pairs) {
    let value = unfold(value);
    let mut rest: &[u8] = &value;
    let mut main = Vec::new();
    let mut pairs = Pairs::new();
    let mut first = true;
    while !rest.is_empty() {
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b';' | b'='))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if let Some(after) = after.strip_prefix(b"=") {
            let (value, next) = read_value(after.trim_ascii_start());
            pairs.push((word.trim_ascii().to_vec(), value.into_owned()));
            rest = next;
        } else {
            if first {
                main = word.trim_ascii().to_vec();
            }
            rest = after.get(1..).unwrap_or_default();
        }
        first = false;
    }
    (main, pairs)
}

/// The value of the plain parameter as it is written, for values that are no text.
pub(super) fn raw<'a>(pairs: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    let (_, value) = pairs
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(value)
}

/// One value and what follows its semicolon.
fn read_value(text: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let up_to_semicolon = |text: &'_ [u8]| {
        text.iter()
            .position(|byte| *byte == b';')
            .unwrap_or(text.len())
    };
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let (value, rest) = text
            .split_at_checked(up_to_semicolon(text))
            .unwrap_or((text, &[]));
        return (
            Cow::Borrowed(value.trim_ascii()),
            rest.get(1..).unwrap_or_default(),
        );
    };
    let mut value = Vec::new();
    let mut rest = quoted;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'"', _) => break,
            // Other backslashes are those of paths, which nobody escapes.
            (b'\\', [escaped @ (b'"' | b'\\'), tail @ ..]) => {
                value.push(*escaped);
                rest = tail;
            }
            _ => value.push(*first),
        }
    }
    let rest = rest.get(up_to_semicolon(rest)..).unwrap_or_default();
    (Cow::Owned(value), rest.get(1..).unwrap_or_default())
}

fn segment_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// RFC 2231, sections 3 and 4.1: the segments in the order of their numbers, up to the
/// first gap. Counting from 1 is tolerated.
fn join(segments: &BTreeMap<u32, Segment<'_>>) -> Option<String> {
    let start = *segments.keys().next().filter(|number| **number <= 1)?;
    let run: Vec<_> = (start..)
        .zip(segments)
        .take_while(|(expected, (number, _))| expected == *number)
        .map(|(_, (_, segment))| segment)
        .collect();
    if !run.iter().any(|segment| segment.extended) {
        let whole: Vec<u8> = run
            .iter()
            .flat_map(|segment| segment.value)
            .copied()
            .collect();
        return Some(encoded_word::decode(&whole));
    }
    let mut out = String::new();
    let mut octets = Vec::new();
    let mut label = None;
    for (index, segment) in run.iter().enumerate() {
        if segment.extended {
            let text = match labelled(segment.value).filter(|_| index == 0) {
                Some((charset, text)) => {
                    label = Some(charset);
                    text
                }
                None => segment.value,
            };
            decode::percent_like(text, b'%', &mut octets);
        } else {
            // A plain segment ends a run of octets, within which characters may be split.
            out.push_str(&decode::text(&octets, label.as_deref()));
            octets.clear();
            out.push_str(&decode::unlabelled(segment.value));
        }
    }
    out.push_str(&decode::text(&octets, label.as_deref()));
    if label.is_none() && out.contains("=?") {
        out = encoded_word::decode(out.as_bytes());
    }
    Some(encoded_word::one_line(&out))
}

/// `charset'language'text`
fn labelled(value: &[u8]) -> Option<(String, &[u8])> {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    Some((String::from_utf8_lossy(charset).into_owned(), text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file_name(header: &[u8]) -> Option<String> {
        parameter(&split(header).1, "filename")
    }

    #[test]
    fn file_names_of_the_world() {
        let cases: &[(&[u8], &str)] = &[
            (b"attachment; filename=plain.txt", "plain.txt"),
            (b"attachment; filename=\"two words.txt\"", "two words.txt"),
            (
                b"attachment; filename=two words.txt; size=3",
                "two words.txt",
            ),
            (b"attachment; FILENAME = \"case.txt\"", "case.txt"),
            (
                b"attachment;filename=\"semi;colon=.txt\";x=y",
                "semi;colon=.txt",
            ),
            (b"attachment; filename=\"a\\\"b\\\\c.txt\"", "a\"b\\c.txt"),
            (
                b"attachment; filename=\"C:\\temp\\a.txt\"",
                "C:\\temp\\a.txt",
            ),
            (b"attachment; filename=\"in/out.txt\"", "in/out.txt"),
            (b"attachment; filename=copy(1).txt", "copy(1).txt"),
            (b"attachment; filename=\"open.txt", "open.txt"),
            (
                b"attachment; filename=\"folded\r\n name.txt\"",
                "folded name.txt",
            ),
            (
                b"attachment; filename=\"closed.txt\" junk; x=y",
                "closed.txt",
            ),
            (b"filename=alone.txt", "alone.txt"),
            // Outlook and Gmail: encoded words in quotes.
            (
                b"attachment; filename=\"=?iso-8859-1?Q?Gr=FC=DFe.txt?=\"",
                "Grüße.txt",
            ),
            (
                b"attachment; filename=\"=?UTF-8?B?R3LDvMOf?=\r\n =?UTF-8?B?ZS50eHQ=?=\"",
                "Grüße.txt",
            ),
            (
                b"attachment; filename==?utf-8?Q?Gr=C3=BCn.txt?=",
                "Grün.txt",
            ),
            (
                b"attachment; filename=\"=?ISO-2022-JP?B?GyRCNEE7ehsoQi5wZGY=?=\"",
                "漢字.pdf",
            ),
            // Raw 8-bit.
            (
                "attachment; filename=\"Gr\u{fc}n.txt\"".as_bytes(),
                "Grün.txt",
            ),
            (b"attachment; filename=\"Gr\xFCn \x80.txt\"", "Grün €.txt"),
            // RFC 2231.
            (b"attachment; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
            (
                b"attachment; filename*=utf-8'en'na%c3%afve.txt",
                "naïve.txt",
            ),
            (
                b"attachment; filename*=\"UTF-8''na%C3%AFve.txt\"",
                "naïve.txt",
            ),
            (b"attachment; filename*=windows-1252''%80.txt", "€.txt"),
            (
                b"attachment; filename*=iso-2022-jp''%1B%24B4A%3Bz%1B%28B.txt",
                "漢字.txt",
            ),
            (
                b"attachment; filename*=''plain%20text.txt",
                "plain text.txt",
            ),
            (b"attachment; filename*=no%20charset.txt", "no charset.txt"),
            (b"attachment; filename*=x-nope''na%C3%AFve.txt", "naïve.txt"),
            (b"attachment; filename*=UTF-8''100%.txt", "100%.txt"),
            (
                b"attachment; filename=no.txt; filename*=UTF-8''yes.txt",
                "yes.txt",
            ),
            (
                b"attachment; filename*=UTF-8''yes.txt; filename=no.txt",
                "yes.txt",
            ),
            // Continuations.
            (
                b"attachment; filename*0=\"long \"; filename*1=\"name\"; filename*2=.txt",
                "long name.txt",
            ),
            (
                b"attachment; filename*2=c; filename*0=a; filename*1=b",
                "abc",
            ),
            (
                b"attachment; filename*0*=UTF-8''na%C3; filename*1*=%AFve; filename*2=\".txt\"",
                "naïve.txt",
            ),
            (
                b"attachment; filename*0=\"=?utf-8?B?R3LD\"; filename*1=\"vMOfZQ==?=\"",
                "Grüße",
            ),
            (b"attachment; filename*1=a; filename*2=b", "ab"),
            (b"attachment; filename*0=a; filename*2=c", "a"),
            (b"attachment; filename*0=a; filename*0=b", "a"),
            (b"attachment; filename*5=e; filename=plain", "plain"),
            (
                b"attachment; filename*99999999999=e; filename=plain",
                "plain",
            ),
            (b"attachment; filename=\"=?utf-8?Q?a=0D=0Ab?=\"", "a b"),
        ];
        for (header, expected) in cases {
            assert_eq!(
                file_name(header).as_deref(),
                Some(*expected),
                "{:?}",
                String::from_utf8_lossy(header)
            );
        }
        for header in [
            &b"attachment"[..],
            b"attachment; name=x",
            b"attachment; filenames=x",
            b"attachment; filename",
            b"",
        ] {
            assert_eq!(
                file_name(header),
                None,
                "{:?}",
                String::from_utf8_lossy(header)
            );
        }
    }

    #[test]
    fn the_main_value_stands_alone() {
        assert_eq!(split(b" text/plain ; charset=x").0, b"text/plain");
        assert_eq!(split(b";;; x=y").0, b"");
        assert_eq!(split(b"charset=utf-8; x=y").1.len(), 2);
    }

    proptest! {
        #[test]
        fn anything_can_be_split(header: Vec<u8>) {
            let (_, pairs) = split(&header);
            for (key, _) in &pairs {
                let _ = parameter(&pairs, &String::from_utf8_lossy(key));
            }
        }
    }
}
