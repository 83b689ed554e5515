//! Folder names on the wire: modified UTF-7 (RFC 3501, section 5.1.3).

use data_encoding::BASE64_NOPAD;

/// Encodes a folder's name; ASCII names but for `&` stay as they are.
pub(super) fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    let mut unit = [0; 2];
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            unshift(&mut encoded, &mut shifted);
            encoded.push(c);
            if c == '&' {
                encoded.push('-');
            }
        } else {
            for unit in c.encode_utf16(&mut unit) {
                shifted.extend(unit.to_be_bytes());
            }
        }
    }
    unshift(&mut encoded, &mut shifted);
    encoded
}

fn unshift(encoded: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        let base64 = BASE64_NOPAD.encode(shifted).replace('/', ",");
        encoded.extend(["&", &base64, "-"]);
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_rfc_and_of_this_country() {
        assert_eq!(encode("INBOX"), "INBOX");
        assert_eq!(
            encode("~peter/mail/台北/日本語"),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
        assert_eq!(encode("Entwürfe & Rest"), "Entw&APw-rfe &- Rest");
        assert_eq!(encode("😀"), "&2D3eAA-");
        assert_eq!(encode("\t"), "&AAk-");
    }
}
