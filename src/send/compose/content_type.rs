//! What kind of file it is, by its name.

/// What a file is when nothing is known of it (RFC 2046, section 4.5.1).
const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file with this name.
///
/// Mails and multiparts are octets like any others: those types may not be encoded as files are
/// (RFC 2046, sections 5.1 and 5.2.1).
pub(in crate::send) fn of(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = mime_guess::from_ext(extension).first_raw();
    known
        .filter(|known| !known.starts_with("message/") && !known.starts_with("multipart/"))
        .unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        for (name, expected) in [
            ("Logo.PNG", "image/png"),
            ("photo.jpg", "image/jpeg"),
            ("report.tar.gz", "application/gzip"),
            ("r\u{e9}sum\u{e9}.pdf", "application/pdf"),
            ("a.csv", "text/csv"),
            ("a.txt", "text/plain"),
            ("a.zip", "application/zip"),
            ("a.mp4", "video/mp4"),
            (
                "a.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
        for unknown in ["png", "a.", "", "a.png ", "a.nobody-knows"] {
            assert_eq!(of(unknown), UNKNOWN, "{unknown}");
        }
    }

    #[test]
    fn a_mail_in_a_file_is_a_file() {
        for name in ["a.eml", "a.mht"] {
            assert_eq!(of(name), UNKNOWN, "{name}");
        }
    }
}
