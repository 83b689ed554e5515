//! Every kind of failure, in both languages: nothing of it is left in the other one.

mod every;

use super::super::texts::{Language, Speaker};
use super::{Error, Kind, Web, message};

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

#[test]
fn what_graph_refuses_is_told_with_what_helps() {
    for error in every::errors() {
        let Error::Web(Web::Refused(refusal)) = &error else {
            continue;
        };
        let helps = match refusal.kind {
            Kind::Permanent | Kind::Recipient => [
                "Check /GRAPH_SENDER and the recipients",
                "V\u{e9}rifiez /GRAPH_SENDER et les destinataires",
            ],
            Kind::Unfit => [
                "send smaller attachments",
                "envoyez des pi\u{e8}ces jointes plus petites",
            ],
            Kind::Authentication => ["permission Mail.Send", "autorisation Mail.Send"],
            Kind::Transient => [
                "try later, or use /RETRY",
                "r\u{e9}essayez plus tard, ou utilisez /RETRY",
            ],
            Kind::Uncertain => ["it is not sent again", "il n\u{2019}est pas renvoy\u{e9}"],
        };
        for (language, helps) in [Language::English, Language::French].into_iter().zip(helps) {
            let said = Speaker::of(language).say(&message(&error, false));
            assert!(said.contains(helps), "{helps} in {said}");
        }
    }
}

/// The floor of TLS is fixed there, and so is the port.
#[test]
fn calls_of_the_web_are_told_without_the_options_of_smtp() {
    for error in every::errors() {
        let (Error::Web(_) | Error::Token(_)) = error else {
            continue;
        };
        for language in [Language::English, Language::French] {
            let said = Speaker::of(language).say(&message(&error, false));
            assert!(
                !said.contains("/SSL_VERSION") && !said.contains("/SMTP_"),
                "{said}"
            );
        }
    }
}
