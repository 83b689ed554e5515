//! `LastRunDate`, which all mailboxes of an INI file share: which texts are this program's own, and
//! how often somebody has asked for something else.

use super::state::Record;

/// What is known of `LastRunDate`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    ours: Vec<String>,
    /// How many wishes there have been; the first is what stood there when the first run began.
    wishes: u64,
    /// What the latest wish said.
    wish: String,
}

impl Dates {
    /// Whether the text is one that this program wrote or has taken note of. Any other one was
    /// put there by somebody as a wish.
    #[must_use]
    pub fn is_ours(&self, text: &str) -> bool {
        self.ours.iter().any(|date| date == text)
    }

    /// The number of the latest wish; zero when there was none.
    #[must_use]
    pub fn wishes(&self) -> u64 {
        self.wishes
    }

    /// What the latest wish said, whatever has been written over it since.
    #[must_use]
    pub fn wish(&self) -> &str {
        &self.wish
    }

    pub(super) fn apply(&mut self, record: &Record) {
        match record {
            Record::Wish { number, text } => {
                self.wishes = *number;
                self.wish.clone_from(text);
                self.ours = vec![text.clone()];
            }
            Record::WritingDate { text } => self.ours.push(text.clone()),
            Record::DateWritten { text } => self.ours = vec![text.clone()],
            _ => {}
        }
    }

    /// The records that add up to this.
    pub(super) fn records(&self) -> Vec<Record> {
        let Some((first, more)) = self.ours.split_first() else {
            return Vec::new();
        };
        let wish = Record::Wish {
            number: self.wishes,
            text: self.wish.clone(),
        };
        let written = Record::DateWritten {
            text: first.clone(),
        };
        let writing = more
            .iter()
            .map(|text| Record::WritingDate { text: text.clone() });
        [wish, written].into_iter().chain(writing).collect()
    }
}
