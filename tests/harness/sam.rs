//! A stand-in for the reader of MSGIN: like OpCon's agent it takes every file that it sees, at
//! once, whatever its name, and deletes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::world::{OPCON_PASSWORD, OPCON_USER};

/// What it has read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Every event, without its credentials, and how often it came.
    pub events: BTreeMap<String, usize>,
    /// How many files there were.
    pub files: usize,
    /// Files that were not whole when they were seen, with what was in them.
    pub partial: Vec<String>,
}

/// The reader at work.
pub struct Sam {
    ends: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<Read>>,
}

impl Sam {
    /// Begins to read this folder. A whole file has so many lines.
    pub fn reading(msgin: PathBuf, lines: usize) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut read = Read::default();
            loop {
                // What was written before the end was told is still read.
                let last = told.load(Ordering::Acquire);
                read.folder(&msgin, lines);
                if last {
                    return read;
                }
                thread::sleep(Duration::from_micros(100));
            }
        });
        Self {
            ends,
            thread: Some(thread),
        }
    }

    /// Reads what is left and tells.
    pub fn finish(mut self) -> Read {
        self.ends.store(true, Ordering::Release);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Sam {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Read {
    /// Every one of these events came once, no other one came, and every file was whole.
    #[track_caller]
    pub fn assert_once<'a>(&self, expected: impl IntoIterator<Item = &'a String>) {
        assert_eq!(self.partial, [""; 0], "files that were not whole");
        let expected: BTreeMap<String, usize> = expected
            .into_iter()
            .map(|event| (event.clone(), 1))
            .collect();
        assert_eq!(self.events, expected);
    }

    fn folder(&mut self, msgin: &Path, lines: usize) {
        let Ok(entries) = fs::read_dir(msgin) else {
            return;
        };
        for path in entries.map_while(Result::ok).map(|entry| entry.path()) {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| format!("{error}"));
            fs::remove_file(&path).unwrap();
            self.file(&path, &text, lines);
        }
    }

    fn file(&mut self, path: &Path, text: &str, lines: usize) {
        self.files += 1;
        let ending = format!(",{OPCON_USER},{OPCON_PASSWORD}");
        let events: Option<Vec<_>> = text
            .lines()
            .map(|line| line.strip_suffix(&ending))
            .collect();
        match events {
            Some(events) if text.ends_with('\n') && events.len() == lines => {
                for event in events {
                    *self.events.entry(event.to_owned()).or_default() += 1;
                }
            }
            _ => self.partial.push(format!("{}: {text:?}", path.display())),
        }
    }
}
