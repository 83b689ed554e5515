//! Transfer encodings and charsets to text.
