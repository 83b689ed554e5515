//! Both languages say everything, with the same variables, and French as it is printed.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Each message of a file and its text, as it stands there.
fn messages(file: &str) -> BTreeMap<&str, String> {
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    let mut current = "";
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let begins = line.starts_with(|c: char| c.is_ascii_lowercase());
        if let (true, Some((id, text))) = (begins, line.split_once(" =")) {
            assert!(found.insert(id, text.to_owned()).is_none(), "{id} twice");
            current = id;
        } else if !line.is_empty() {
            let text = found.get_mut(current).unwrap();
            text.push('\n');
            text.push_str(line);
        }
    }
    found
}

fn variables(text: &str) -> BTreeSet<&str> {
    let behind = text.split('$').skip(1);
    behind
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase());
            rest.get(..end.unwrap_or(rest.len())).unwrap()
        })
        .collect()
}

#[test]
fn no_message_lacks_a_language() {
    let (english, french) = (messages(ENGLISH), messages(FRENCH));
    let all: BTreeSet<_> = Phrase::ALL.iter().map(|text| text.id()).collect();
    assert_eq!(all.len(), Phrase::ALL.len(), "an identifier stands for two");
    for (language, messages) in [("English", &english), ("French", &french)] {
        let there: BTreeSet<_> = messages.keys().copied().collect();
        assert_eq!(there, all, "{language}");
    }
    for (id, text) in &english {
        assert_eq!(variables(text), variables(&french[id]), "{id}");
        assert!(
            !text.trim().is_empty() && !french[id].trim().is_empty(),
            "{id}"
        );
        // Headings and placeholders of one word may be the same.
        let own_words = text.split('{').filter_map(|part| part.rsplit('}').next());
        let own_words = own_words.flat_map(str::split_whitespace).count();
        let same = text == &french[id] && own_words > 2;
        assert!(!same, "{id} is not translated");
    }
}

#[test]
fn both_files_are_without_mistakes_and_every_message_can_be_said() {
    for language in [Language::English, Language::French] {
        let (_, texts) = language.texts();
        let resource = FluentResource::try_new(texts.to_owned());
        assert!(resource.is_ok(), "{language:?}: {resource:?}");
        let speaker = Speaker::of(language);
        let messages = messages(texts);
        for text in Phrase::ALL {
            for number in [1, 2] {
                let names = variables(&messages[text.id()]);
                let mut message = Message::from(*text);
                for name in names {
                    // The name of a variable has to live as long as the program.
                    let name: &'static str = String::from(name).leak();
                    message = match name {
                        "count" | "tries" | "seconds" => message.with(name, number),
                        _ => message.with(name, format!("<{name}>")),
                    };
                }
                let said = speaker.say(&message);
                assert!(!said.contains('$') && said != text.id(), "{said}");
            }
        }
    }
}

/// What is counted; it stays on the line of its number.
const UNITS: &[&str] = &["Mio", "octets", "s", "seconde", "secondes", "tentatives"];

#[test]
fn french_is_written_as_it_is_printed() {
    for (id, text) in messages(FRENCH) {
        let chars: Vec<_> = text.chars().collect();
        for (at, c) in chars.iter().enumerate() {
            let before = at.checked_sub(1).map_or(' ', |at| chars[at]);
            let after = chars.get(at + 1).copied().unwrap_or('\n');
            let ends_a_word = after.is_whitespace() || ").,»".contains(after);
            match c {
                // Addresses, cid:name and /? are no punctuation.
                ':' if ends_a_word => assert_eq!(before, '\u{a0}', "{id}: {c} in {text}"),
                ';' | '!' | '?' if ends_a_word && before != '/' => {
                    assert_eq!(before, '\u{202f}', "{id}: {c} in {text}");
                }
                ' ' if before.is_ascii_digit() || before == '}' => {
                    let rest: String = chars[at + 1..].iter().collect();
                    let word = rest.split_whitespace().next().unwrap_or_default();
                    let word = word.trim_matches(|c: char| !c.is_alphabetic());
                    assert!(
                        !UNITS.contains(&word),
                        "{id}: a blank before {word} in {text}"
                    );
                }
                '»' => assert_eq!(before, '\u{a0}', "{id}: {text}"),
                '«' => assert_eq!(after, '\u{a0}', "{id}: {text}"),
                '\'' => panic!("{id}: a typewriter's apostrophe in {text}"),
                '.' => assert!(!(before == '.' && after == '.'), "{id}: {text}"),
                _ => {}
            }
        }
        for (unaccented, accented) in [
            ("Echec", "Échec"),
            ("echec", "échec"),
            ("envoye", "envoyé"),
            ("defaut", "défaut"),
            ("parametre", "paramètre"),
            ("deja", "déjà"),
            ("reponse", "réponse"),
            ("A ", "À "),
        ] {
            let words = text.split(|c: char| !c.is_alphabetic());
            let wrong = words.into_iter().any(|word| word == unaccented.trim());
            assert!(!wrong, "{id}: {unaccented} for {accented} in {text}");
        }
    }
}

#[test]
fn the_system_s_language_is_recognised() {
    for (locale, language) in [
        ("fr-FR", Language::French),
        ("fr_CA.UTF-8", Language::French),
        ("FR", Language::French),
        ("en-GB", Language::English),
        ("de_DE.UTF-8", Language::English),
        ("frr-DE", Language::English),
        ("C", Language::English),
        ("", Language::English),
    ] {
        assert_eq!(Language::of_locale(locale), language, "{locale}");
    }
}

#[test]
fn a_message_within_a_message_is_said_too() {
    let message = Phrase::LostTls
        .with("server", "h:25")
        .with("fault", Message::from(Phrase::TlsExpired));
    assert_eq!(
        Speaker::of(Language::French).say(&message),
        "Connexion s\u{e9}curis\u{e9}e impossible avec h:25\u{a0}: le certificat du serveur a expir\u{e9}"
    );
}
