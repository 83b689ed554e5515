//! The settings that hold sealed values, and the commands that seal them.

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealable {
    /// Its section, without brackets.
    pub section: String,
    /// Its key, as the specification writes it.
    pub key: &'static str,
}

/// All of them; `*` stands for any name.
pub(super) const SETTINGS: [(&str, &str); 9] = [
    ("Mail", "User"),
    ("Mail", "Password"),
    ("General", "OpConUser"),
    ("General", "OpConUserPassword"),
    ("MSAL", "ClientSecret"),
    ("MSAL", "RefreshToken"),
    ("smtp-client", "user"),
    ("smtp-client", "password"),
    ("secret-*", "password"),
];

impl Sealable {
    /// The setting of this name, written `section.key` in any case; the last dot is the one that
    /// counts.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let (section, key) = name.rsplit_once('.')?;
        SETTINGS.into_iter().find_map(|(known, known_key)| {
            let section = match known.strip_suffix('*') {
                Some(start) => named_after(section, start)?,
                None => section.eq_ignore_ascii_case(known).then_some(known)?,
            };
            key.eq_ignore_ascii_case(known_key).then(|| Self {
                section: section.to_owned(),
                key: known_key,
            })
        })
    }

    /// The names of all of them, for people.
    #[must_use]
    pub fn names() -> String {
        SETTINGS
            .map(|(section, key)| format!("{}.{key}", section.replace('*', "NAME")))
            .join(", ")
    }
}

/// The section, if its name begins so and goes on in one line without a bracket.
fn named_after<'a>(section: &'a str, start: &str) -> Option<&'a str> {
    let (head, name) = section.split_at_checked(start.len())?;
    let is_name = !name.is_empty() && !name.contains(|c: char| c == ']' || c.is_whitespace());
    (head.eq_ignore_ascii_case(start) && is_name).then_some(section)
}

/// The command that seals a setting.
#[must_use]
pub fn command(section: &str, key: &str) -> String {
    let with_credentials = ["Mail", "General"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(section));
    if with_credentials {
        "smartemail --credentials".to_owned()
    } else {
        format!("smartemail -seal:{section}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_by_their_last_dot() {
        for (name, section, key) in [
            ("mail.password", "Mail", "Password"),
            ("SMTP-Client.User", "smtp-client", "user"),
            ("secret-smtp.password", "secret-smtp", "password"),
            ("Secret-my.own.PASSWORD", "Secret-my.own", "password"),
        ] {
            let found = Sealable::find(name).unwrap();
            assert_eq!((found.section.as_str(), found.key), (section, key));
        }
        for name in [
            "",
            "password",
            "mail.server",
            "secret-.password",
            "secret-a]b.password",
            "secret-a b.password",
            "secret-x.user",
            "smtp-client.mail.smtp.auth.mechanisms",
        ] {
            assert_eq!(Sealable::find(name), None, "{name}");
        }
    }
}
