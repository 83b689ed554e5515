//! The steps of a protocol, for people who look for a fault (`--verbose`).

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::visible::is_treacherous;

/// Takes the lines of a conversation; copies of it go to the same place.
///
/// Whoever writes to it leaves secrets out: see the masks of the protocol clients.
#[derive(Clone, Default)]
pub struct Trace(Option<Rc<Sink>>);

type Sink = RefCell<dyn FnMut(&str)>;

impl Trace {
    /// Shows nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Hands every line to `sink`, without a line end and without control characters.
    pub fn to(sink: impl FnMut(&str) + 'static) -> Self {
        Self(Some(Rc::new(RefCell::new(sink))))
    }

    /// Shows a line. It is built only if somebody looks.
    pub fn line(&self, line: impl FnOnce() -> String) {
        if let Some(sink) = &self.0
            && let Ok(mut sink) = sink.try_borrow_mut()
        {
            sink(&clean(&line(), 1000));
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Trace(on)"
        } else {
            "Trace(off)"
        })
    }
}

/// A server's text made fit for a terminal, a log or an error: no control characters and
/// none that mislead the eye, at most `length` characters.
#[must_use]
pub fn clean(text: &str, length: usize) -> String {
    let mut cleaned: String = text
        .chars()
        .take(length)
        .map(|c| if is_treacherous(c) { ' ' } else { c })
        .collect();
    if text.chars().nth(length).is_some() {
        cleaned.push('…');
    }
    cleaned.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_become_blanks() {
        assert_eq!(
            clean("a\u{1b}[31mb\r\nc\u{202e}d\u{85}", 300),
            "a [31mb  c d"
        );
        assert_eq!(clean("abcdef", 3), "abc…");
    }

    #[test]
    fn copies_write_to_the_same_sink() {
        let lines = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&lines);
        let trace = Trace::to(move |line| sink.borrow_mut().push(line.to_owned()));
        trace.line(|| "one\r\n".into());
        trace.clone().line(|| "two".into());
        assert_eq!(*lines.borrow(), ["one", "two"]);
    }
}
