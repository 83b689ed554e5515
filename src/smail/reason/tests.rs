//! Every kind of failure, in both languages: nothing of it is left in the other one.

mod every;

use super::super::texts::{Language, Speaker};
use super::message;

/// What stands for a server's own words, for a name or for an address.
const OWN: &str = "<own>";

/// Words of the other language that no message needs; "on" and "a" are words of both.
const ENGLISH: &str = "the of is it its and to in with without not no for by at that which who how many \
    this these was were be been has have had an as from or but does did can may check \
    server while address status saying said closed connection error";
const FRENCH: &str = "le la les de des du un une et est ce que qui n d l pas ou pour avec dans sur il elle \
    au aux en par";

#[test]
fn every_failure_is_told_in_one_language() {
    let errors = every::errors();
    assert!(errors.len() > 200, "{}", errors.len());
    for (language, foreign) in [(Language::French, ENGLISH), (Language::English, FRENCH)] {
        let speaker = Speaker::of(language);
        for (error, by_token) in errors
            .iter()
            .flat_map(|error| [(error, false), (error, true)])
        {
            let said = speaker.say(&message(error, by_token)).replace(OWN, "");
            let words: Vec<_> = said
                // The names of options are the same in both.
                .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '/')
                .map(str::to_lowercase)
                .collect();
            let left: Vec<_> = words
                .iter()
                .filter(|word| foreign.split(' ').any(|known| known == *word))
                .collect();
            assert!(left.is_empty(), "{left:?} in {said}");
            assert!(words.len() > 3, "{said}");
        }
    }
}
