//! The bytes of an INI file and the text in them: UTF-8 with or without BOM, UTF-16 with
//! BOM, else Windows-1252.
//!
//! A place in the text can be mapped back to its place in the bytes, so that one value is
//! replaced without touching, or even understanding, any other byte of the file.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How the characters of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

/// A decoded file that remembers its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    /// Length of the byte-order mark.
    mark: usize,
    encoding: Encoding,
    text: String,
}

impl Text {
    /// Decodes a file. Never fails: every byte is a character of Windows-1252, and what is
    /// broken in UTF-16 becomes U+FFFD here and stays as it is in the bytes.
    pub(crate) fn decode(bytes: Vec<u8>) -> Self {
        let (encoding, mark) = match encoding_rs::Encoding::for_bom(&bytes) {
            Some((found, mark)) if found == UTF_16LE => (Encoding::Utf16Le, mark),
            Some((found, mark)) if found == UTF_16BE => (Encoding::Utf16Be, mark),
            Some((found, mark)) if found == UTF_8 && std::str::from_utf8(&bytes).is_ok() => {
                (Encoding::Utf8, mark)
            }
            _ if std::str::from_utf8(&bytes).is_ok() => (Encoding::Utf8, 0),
            _ => (Encoding::Windows1252, 0),
        };
        let content = bytes.get(mark..).unwrap_or_default();
        let decoder = match encoding {
            Encoding::Utf8 => UTF_8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        let text = decoder.decode_without_bom_handling(content).0.into_owned();
        Self {
            bytes,
            mark,
            encoding,
            text,
        }
    }

    /// The text, without the byte-order mark.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The file with the text range `from..to` (byte offsets in [`Self::as_str`]) replaced by
    /// ASCII text; every other byte is as it was.
    ///
    /// `None` when the range lies outside the text or the replacement is not ASCII.
    pub(crate) fn replaced(&self, from: usize, to: usize, ascii: &str) -> Option<Vec<u8>> {
        if !ascii.is_ascii() {
            return None;
        }
        let before = self
            .bytes
            .get(..self.mark + self.width(self.text.get(..from)?))?;
        let after = self
            .bytes
            .get(self.mark + self.width(self.text.get(..to)?)..)?;
        let mut out = Vec::with_capacity(self.bytes.len() + ascii.len());
        out.extend_from_slice(before);
        for byte in ascii.bytes() {
            match self.encoding {
                Encoding::Utf8 | Encoding::Windows1252 => out.push(byte),
                Encoding::Utf16Le => out.extend_from_slice(&[byte, 0]),
                Encoding::Utf16Be => out.extend_from_slice(&[0, byte]),
            }
        }
        out.extend_from_slice(after);
        Some(out)
    }

    /// How many bytes this piece of text takes in the file.
    fn width(&self, text: &str) -> usize {
        match self.encoding {
            Encoding::Utf8 => text.len(),
            Encoding::Windows1252 => text.chars().count(),
            Encoding::Utf16Le | Encoding::Utf16Be => 2 * text.encode_utf16().count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_known_by_its_bytes() {
        let utf16 = |big: bool| {
            let mut bytes = if big {
                vec![0xFE, 0xFF]
            } else {
                vec![0xFF, 0xFE]
            };
            for unit in "a=ü€".encode_utf16() {
                bytes.extend(if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                });
            }
            bytes
        };
        for bytes in [
            "a=ü€".as_bytes().to_vec(),
            [b"\xEF\xBB\xBF".as_slice(), "a=ü€".as_bytes()].concat(),
            utf16(true),
            utf16(false),
            b"a=\xFC\x80".to_vec(),
        ] {
            let text = Text::decode(bytes.clone());
            assert_eq!(text.as_str(), "a=ü€", "{bytes:?}");
            let end = text.as_str().len();
            assert_eq!(text.replaced(end, end, ""), Some(bytes));
        }
    }

    #[test]
    fn only_ascii_is_written() {
        assert_eq!(Text::decode(b"a=1".to_vec()).replaced(2, 3, "ü"), None);
    }

    proptest::proptest! {
        #[test]
        fn replacing_keeps_every_other_byte(bytes: Vec<u8>, at in 0usize..64, len in 0usize..8) {
            let text = Text::decode(bytes.clone());
            let starts: Vec<usize> = text.as_str().char_indices().map(|(i, _)| i).chain([text.as_str().len()]).collect();
            let from = starts[at.min(starts.len() - 1)];
            let to = starts[(at + len).min(starts.len() - 1)].max(from);
            let changed = text.replaced(from, to, "XY").unwrap();
            // What stands before and after is there, byte for byte.
            let before = text.mark + text.width(text.as_str().get(..from).unwrap());
            let after = text.mark + text.width(text.as_str().get(..to).unwrap());
            let ascii = text.width("XY");
            proptest::prop_assert_eq!(&changed[..before], &bytes[..before]);
            proptest::prop_assert_eq!(&changed[before + ascii..], &bytes[after..]);
            // Putting the old text back gives the old file, where it is ASCII.
            let old = text.as_str().get(from..to).unwrap_or_default();
            if old.is_ascii() {
                let back = text.replaced(from, to, old).unwrap();
                proptest::prop_assert_eq!(back, bytes);
            }
        }
    }
}
