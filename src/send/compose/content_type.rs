//! What kind of file it is, by its name.

/// What a file is when nothing is known of it (RFC 2046, section 4.5.1).
const UNKNOWN: &str = "application/octet-stream";

/// Pictures, as a page shows no other file, and what jobs usually send. A reader goes by the
/// file's name for everything else.
const KNOWN: [(&str, &str); 31] = [
    ("bmp", "image/bmp"),
    ("gif", "image/gif"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpe", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("webp", "image/webp"),
    ("csv", "text/csv"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("log", "text/plain"),
    ("txt", "text/plain"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("rtf", "application/rtf"),
    ("gz", "application/gzip"),
    ("7z", "application/x-7z-compressed"),
    ("zip", "application/zip"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("odt", "application/vnd.oasis.opendocument.text"),
];

/// The media type of a file with this name.
pub(in crate::send) fn of(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = KNOWN
        .iter()
        .find(|(known, _)| extension.eq_ignore_ascii_case(known));
    known.map_or(UNKNOWN, |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        assert_eq!(of("Logo.PNG"), "image/png");
        assert_eq!(of("report.tar.gz"), "application/gzip");
        for unknown in ["png", "a.", "", "a.png ", "a.exe"] {
            assert_eq!(of(unknown), UNKNOWN, "{unknown}");
        }
    }
}
