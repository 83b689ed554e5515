//! Pieces of requests.

use std::fmt::Write as _;

/// A GUID for one request, by which a service's support finds it (RFC 9562, section 5.4).
#[must_use]
pub fn request_id() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness all requests have the same one, which harms nobody.
    let _ = getrandom::fill(&mut bytes);
    let mut number = u128::from_be_bytes(bytes);
    number = number & !(0xf << 76) | 4 << 76;
    number = number & !(0x3 << 62) | 2 << 62;
    let digits = format!("{number:032x}");
    let mut id = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}

/// A part of an address's path: whatever has a meaning there becomes `%XX` (RFC 3986, section
/// 2.1).
#[must_use]
pub fn path_segment(text: &str) -> String {
    coded(text, b"-._~@")
}

/// The value of a parameter behind the `?` of an address (RFC 3986, section 3.4).
#[must_use]
pub fn query_value(text: &str) -> String {
    coded(text, b"-._~,:/$")
}

fn coded(text: &str, plain: &[u8]) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            coded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(coded, "%{byte:02X}");
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_random_guids() {
        let id = request_id();
        let groups: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(id.chars().nth(14), Some('4'));
        assert!(id.chars().nth(19).is_some_and(|c| "89ab".contains(c)));
        assert_ne!(id, request_id());
    }

    #[test]
    fn nothing_in_a_segment_leaves_it() {
        assert_eq!(path_segment("ops@example.com"), "ops@example.com");
        assert_eq!(path_segment("../a/b?c=\u{e4}"), "..%2Fa%2Fb%3Fc%3D%C3%A4");
    }

    #[test]
    fn nothing_in_a_value_begins_another_parameter() {
        assert_eq!(
            query_value("a ge 2026-01-01T00:00:00Z"),
            "a%20ge%202026-01-01T00:00:00Z"
        );
        assert_eq!(query_value("x&y=z#'+"), "x%26y%3Dz%23%27%2B");
    }
}
