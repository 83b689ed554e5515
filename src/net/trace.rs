//! The steps of a protocol, for people who look for a fault (`--verbose`).

use std::fmt;
use std::sync::{Arc, Mutex};

use crate::visible::is_treacherous;

/// Takes the lines of conversations; copies of it go to the same place, from several threads
/// line by line.
///
/// Whoever writes to it leaves secrets out: see the masks of the protocol clients.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<Sink>>);

type Sink = Mutex<dyn FnMut(&str) + Send>;

impl Trace {
    /// Shows nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Hands every line to `sink`, without a line end and without control characters.
    pub fn to(sink: impl FnMut(&str) + Send + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(sink))))
    }

    /// Shows a line. It is built only if somebody looks.
    pub fn line(&self, line: impl FnOnce() -> String) {
        if let Some(sink) = &self.0 {
            let line = clean(&line(), 1000);
            // A sink that failed once shows no more.
            if let Ok(mut sink) = sink.lock() {
                sink(&line);
            }
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
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let trace = Trace::to(move |line| sink.lock().unwrap().push(line.to_owned()));
        trace.line(|| "one\r\n".into());
        let copy = trace.clone();
        std::thread::spawn(move || copy.line(|| "two".into()))
            .join()
            .unwrap();
        assert_eq!(*lines.lock().unwrap(), ["one", "two"]);
    }
}
