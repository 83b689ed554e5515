//! Single options, read and checked; what is wrong with one is told beside what else is.

use super::list::{self, Paths};
use super::options::Given;
use super::table::Key;
use super::texts::{Message, Phrase};
use crate::net::{clean, http};
use crate::send::{Address, Person};

/// Reads options and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) given: &'a Given,
    /// Gives the environment.
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<Message>,
}

impl Reader<'_> {
    /// The address of a server, without a path.
    pub(super) fn url(&mut self, name: Key, usual: &str) -> Option<String> {
        let Some(url) = self.text(name) else {
            return Some(usual.to_owned());
        };
        let url = url.trim_end_matches('/');
        let host = url.split_once("://").map_or("", |(_, host)| host);
        match http::check(url) {
            Ok(()) if !host.contains(['/', '?', '#']) => return Some(url.to_owned()),
            Err(http::Error::ClearText { .. }) => {
                let shown = format!("{}={}", name.shown(), clean(url, 100));
                self.problems
                    .push(Phrase::WebClearText.with("server", shown));
            }
            _ => self.wrong_url(name, url),
        }
        None
    }

    pub(super) fn wrong_url(&mut self, name: Key, value: &str) {
        let message = Phrase::WrongUrl
            .with("option", name.shown())
            .with("value", clean(value, 100));
        self.problems.push(message);
    }

    /// The word that was chosen, as the table has it.
    pub(super) fn choice(&mut self, name: Key) -> Option<&'static str> {
        let value = self.given.get(name)?;
        let words = name.choices();
        let found = words.iter().find(|word| word.eq_ignore_ascii_case(value));
        if found.is_none() {
            let message = Phrase::WrongChoice
                .with("option", name.shown())
                .with("value", clean(value, 60))
                .with("choices", words.join(", "));
            // Some are looked at in several places.
            if !self.problems.contains(&message) {
                self.problems.push(message);
            }
        }
        found.copied()
    }

    /// A number from one to this one.
    pub(super) fn number(&mut self, name: Key, high: usize) -> Option<usize> {
        let value = self.given.get(name)?;
        let number = value.parse().ok();
        let number = number.filter(|number| (1..=high).contains(number));
        if number.is_none() {
            let message = Phrase::WrongNumber
                .with("option", name.shown())
                .with("value", clean(value, 60))
                .with("low", "1")
                .with("high", high.to_string());
            self.problems.push(message);
        }
        number
    }

    pub(super) fn text(&self, name: Key) -> Option<String> {
        self.given.get(name).map(str::to_owned)
    }

    pub(super) fn address(&mut self, name: Key, text: &str) -> Option<Address> {
        let address = list::address(&name.shown(), text);
        address.map_err(|problem| self.problems.push(problem)).ok()
    }

    pub(super) fn people(&mut self, name: Key) -> Vec<Person> {
        self.list(name, list::people)
    }

    pub(super) fn files(&mut self, name: Key) -> Paths {
        self.list(name, list::files)
    }

    fn list<T: Default>(
        &mut self,
        name: Key,
        read: impl Fn(&str, &str) -> Result<T, Message>,
    ) -> T {
        let Some(text) = self.given.get(name) else {
            return T::default();
        };
        read(&name.shown(), text).unwrap_or_else(|problem| {
            self.problems.push(problem);
            T::default()
        })
    }
}
