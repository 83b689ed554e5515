//! Looks for secrets where none belong, in every form that something on the way may give them.

use std::fmt::Write;

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

/// Fails if the text has one of the secrets in it.
#[track_caller]
pub fn assert_hidden<S: AsRef<str>>(text: &str, secrets: impl IntoIterator<Item = S>) {
    for secret in secrets {
        for form in forms(secret.as_ref()) {
            assert!(!text.contains(&form), "a secret as {form:?} in:\n{text}");
        }
    }
}

/// A secret as it is and as protocols and logs write it: quoted, in a form, in a URL, in JSON, in
/// XML, in hexadecimal, in base64 by itself and within something longer.
pub fn forms(secret: &str) -> Vec<String> {
    let percent = percent(secret);
    let quoted = secret.replace('\\', "\\\\").replace('"', "\\\"");
    let markup = secret.replace('&', "&amp;").replace('<', "&lt;");
    let mut forms = vec![
        secret.to_owned(),
        quoted,
        percent.replace("%20", "+"),
        percent.to_ascii_lowercase(),
        percent,
        markup.replace('"', "&quot;"),
        markup,
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
    ];
    for lead in 0..3 {
        let coded = within(lead, secret.as_bytes());
        forms.push(coded.replace('+', "-").replace('/', "_"));
        forms.push(coded);
    }
    forms.sort();
    forms.dedup();
    forms
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}

/// The letters of base64 that do not depend on what stands around, behind so many bytes.
fn within(lead: usize, bytes: &[u8]) -> String {
    let all = [&[0].repeat(lead), bytes].concat();
    let coded = BASE64.encode(&all);
    coded[(lead * 8).div_ceil(6)..all.len() * 8 / 6].to_owned()
}
