//! Encoded words in headers (RFC 2047).
