//! Transfer encodings and charsets to text.
//!
//! Lenient on purpose: mails with a wrong label or damaged encoding are common, and what
//! can be saved of them is.

use std::borrow::Cow;

use charset::Charset;

use super::Encoding;

/// Undoes a transfer encoding (RFC 2045, section 6).
#[must_use]
pub fn bytes(raw: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Identity => Cow::Borrowed(raw),
        Encoding::Base64 => Cow::Owned(base64(raw)),
        Encoding::QuotedPrintable => Cow::Owned(quoted_printable(raw)),
    }
}

/// Base64 in any state: characters outside the alphabet are passed over (RFC 2045,
/// section 6.8), padding may be missing, and data after padding goes on.
#[must_use]
pub fn base64(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() / 4 * 3 + 3);
    let mut bits: u32 = 0;
    let mut held = 0;
    for byte in raw {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                flush(&mut out, bits, held);
                held = 0;
                continue;
            }
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        held += 1;
        if held == 4 {
            let [_, first, second, third] = bits.to_be_bytes();
            out.extend_from_slice(&[first, second, third]);
            held = 0;
        }
    }
    flush(&mut out, bits, held);
    out
}

/// The whole bytes among the last two or three characters of a group.
fn flush(out: &mut Vec<u8>, bits: u32, held: u32) {
    match held {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
}

/// Quoted-printable (RFC 2045, section 6.7). An `=` that begins no code stays, raw 8-bit
/// bytes stay, and blanks at the end of a line go.
#[must_use]
pub fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let content = line.trim_ascii_end();
        let end: &[u8] = match line {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            _ => b"",
        };
        if let Some(soft) = content.strip_suffix(b"=") {
            percent_like(soft, b'=', &mut out);
        } else {
            percent_like(content, b'=', &mut out);
            out.extend_from_slice(end);
        }
    }
    out
}

/// Replaces the mark and two hex digits by the byte they mean; anything else stays.
pub(super) fn percent_like(text: &[u8], mark: u8, out: &mut Vec<u8>) {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if *first == mark
            && let [high, low, tail @ ..] = after
            && let (Some(high), Some(low)) = (digit(high), digit(low))
        {
            out.push((high * 16 + low) as u8);
            rest = tail;
        } else {
            out.push(*first);
            rest = after;
        }
    }
}

/// Bytes to text by the label, the bytes themselves having a say.
///
/// Bytes that are UTF-8 are taken as such whatever single-byte charset (or none, or
/// US-ASCII, or an unknown one) the label claims: text in those is practically never valid
/// UTF-8 by accident. The multi-byte charsets of East Asia come before UTF-8, as two of
/// their characters often pass for it. Without a usable label, or with a wrong `utf-8`,
/// Windows-1252.
#[must_use]
pub fn text(bytes: &[u8], label: Option<&str>) -> String {
    let charset =
        label.and_then(|label| Charset::for_label_no_replacement(label.trim().as_bytes()));
    if let Some(charset) = charset.filter(|charset| is_multi_byte(*charset)) {
        let (decoded, damaged) = decode_multi_byte(charset, bytes);
        return match std::str::from_utf8(bytes) {
            Ok(plain) if damaged => without_mark(plain).to_owned(),
            _ => decoded.into_owned(),
        };
    }
    match std::str::from_utf8(bytes) {
        Ok(plain) => without_mark(plain).to_owned(),
        Err(_) => match charset.filter(|charset| charset.name() != "UTF-8") {
            Some(charset) => charset.decode(bytes).0.into_owned(),
            None if bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) => {
                without_mark(&String::from_utf8_lossy(bytes)).to_owned()
            }
            None => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
        },
    }
}

/// UTF-8, or Windows-1252 where it is not: what raw 8-bit header text is in practice.
pub(super) fn unlabelled(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
        }
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

fn is_multi_byte(charset: Charset) -> bool {
    const NAMES: [&str; 9] = [
        "gb18030",
        "Big5",
        "EUC-JP",
        "EUC-KR",
        "Shift_JIS",
        "ISO-2022-JP",
        "UTF-16LE",
        "UTF-16BE",
        "UTF-7",
    ];
    NAMES.contains(&charset.name())
}

fn decode_multi_byte(charset: Charset, bytes: &[u8]) -> (Cow<'_, str>, bool) {
    // RFC 2781, section 4.3: "utf-16" without a mark is big endian; the label's decoder
    // takes it as little endian, which others write. The first character tells.
    let big = charset.name() == "UTF-16LE" && matches!(bytes, [0, second, ..] if *second != 0);
    let charset = if big {
        Charset::for_encoding(encoding_rs::UTF_16BE)
    } else {
        charset
    };
    let (decoded, _, damaged) = charset.decode(bytes);
    (decoded, damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn base64_in_every_state() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"", b""),
            (b"aGFsbG8=", b"hallo"),
            (b"aGFsbG8", b"hallo"),
            (b"aGFs\r\nbG8=\r\n", b"hallo"),
            (b"aG!F s*b-G8=", b"hallo"),
            (b"aGE=bGxv", b"hallo"),
            (b"aGFsbG8gdw==", b"hallo w"),
            (b"aGFsbG8gd", b"hallo "),
            (b"====", b""),
        ];
        for (raw, expected) in cases {
            assert_eq!(&base64(raw), expected, "{:?}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn quoted_printable_in_every_state() {
        let cases: &[(&[u8], &[u8])] = &[
            (b"a=3Db=3d\r\n", b"a=b=\r\n"),
            (b"soft =\r\nend", b"soft end"),
            (b"soft=  \nend", b"softend"),
            (b"blanks  \t\r\nend", b"blanks\r\nend"),
            (b"100=% =4 =", b"100=% =4 "),
            (b"raw \xE4 =E4", b"raw \xE4 \xE4"),
            (b"a\n\nb\n", b"a\n\nb\n"),
        ];
        for (raw, expected) in cases {
            assert_eq!(
                &quoted_printable(raw),
                expected,
                "{:?}",
                String::from_utf8_lossy(raw)
            );
        }
    }

    #[test]
    fn charsets() {
        let cases: &[(&[u8], Option<&str>, &str)] = &[
            (b"plain", None, "plain"),
            ("gr\u{fc}n".as_bytes(), None, "grün"),
            ("gr\u{fc}n".as_bytes(), Some("us-ascii"), "grün"),
            ("gr\u{fc}n".as_bytes(), Some("iso-8859-1"), "grün"),
            ("gr\u{fc}n".as_bytes(), Some("x-unknown"), "grün"),
            (b"gr\xFCn \x80", Some("x-unknown"), "grün €"),
            (b"gr\xFCn \x80", Some("cp850"), "grün €"),
            (b"gr\xFCn \x80", Some("utf-8"), "grün €"),
            (b"\xC3\xBC \xFC", Some("utf-8"), "ü \u{fffd}"),
            (b"gr\xFCn \x80", Some(" Windows-1252 "), "grün €"),
            (b"\xD0\xF2\xC9\xD7\xC5\xD4", Some("koi8-r"), "пРивет"),
            (b"\x1B$B4A;z\x1B(B", Some("ISO-2022-JP"), "漢字"),
            (b"\xC3\xAB", Some("gb2312"), "毛"),
            ("漢字!".as_bytes(), Some("shift_jis"), "漢字!"),
            (b"\x00a\x00b", Some("utf-16"), "ab"),
            (b"\xFF\xFEa\x00", Some("utf-16"), "a"),
            (b"gr+APw-n", Some("utf-7"), "grün"),
            (b"\xEF\xBB\xBFmark", Some("utf-8"), "mark"),
        ];
        for (raw, label, expected) in cases {
            assert_eq!(text(raw, *label), *expected, "{raw:?} as {label:?}");
        }
    }

    proptest! {
        #[test]
        fn base64_survives_junk(data: Vec<u8>, junk in "[ !\r\n*-]{1,3}") {
            let encoded = data_encoding::BASE64.encode(&data);
            let torn: Vec<u8> = encoded.trim_end_matches('=').bytes().flat_map(|byte| [junk.as_bytes(), &[byte]].concat()).collect();
            prop_assert_eq!(base64(encoded.as_bytes()), data.clone());
            prop_assert_eq!(base64(&torn), data);
        }

        #[test]
        fn decoders_take_anything(data: Vec<u8>, label in "[a-z0-9-]{0,12}") {
            prop_assert!(base64(&data).len() <= data.len());
            prop_assert!(quoted_printable(&data).len() <= data.len());
            let _ = text(&data, Some(&label));
        }
    }
}
