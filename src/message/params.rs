//! MIME parameters (RFC 2045 and 2231), from header text and from BODYSTRUCTURE's lists.

/// The decoded value of a parameter from raw pairs of key and value.
///
/// RFC 2231 forms come first (continuations put together, charset decoded), then the
/// plain one, in which raw 8-bit text and RFC 2047 encoded words are tolerated.
#[must_use]
pub fn parameter(pairs: &[(Vec<u8>, Vec<u8>)], name: &str) -> Option<String> {
    let (_, value) = pairs
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(String::from_utf8_lossy(value).into_owned())
}
