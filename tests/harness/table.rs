//! Tables of proofs: many cells tried at the same time, every outcome printed, wrong ones
//! named.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

/// So many cells are tried at the same time: most of them wait.
const AT_ONCE: usize = 8;

/// Rows and columns, each cell with what to try and what must come of it.
pub struct Table<C> {
    title: &'static str,
    columns: Vec<String>,
    rows: Vec<(String, Vec<Option<C>>)>,
}

impl<C: Sync> Table<C> {
    /// An empty table.
    pub fn new(title: &'static str, columns: impl IntoIterator<Item = String>) -> Self {
        Self {
            title,
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; `None` is a cell that makes no sense.
    pub fn row(&mut self, name: &str, cells: Vec<Option<C>>) {
        assert_eq!(cells.len(), self.columns.len(), "{name}");
        self.rows.push((name.to_owned(), cells));
    }

    /// Tries every cell and prints what `attempt` says of it, where a test's output is hidden
    /// too. Fails if it panicked anywhere.
    #[track_caller]
    pub fn prove(&self, attempt: impl Fn(&C) -> String + Sync) {
        let cells = self.rows.iter().flat_map(|(_, cells)| cells);
        let queue = Mutex::new(cells.enumerate());
        let outcomes: Mutex<Vec<(usize, String)>> = Mutex::default();
        let work = || {
            loop {
                let Some((place, cell)) = queue.lock().unwrap().next() else {
                    return;
                };
                let outcome = cell.as_ref().map_or_else(
                    || Ok("-".to_owned()),
                    |cell| catch_unwind(AssertUnwindSafe(|| attempt(cell))),
                );
                let outcome = outcome.unwrap_or_else(|_| {
                    let (row, column) = (place / self.columns.len(), place % self.columns.len());
                    println!("--- wrong: {}, {}", self.rows[row].0, self.columns[column]);
                    "WRONG".to_owned()
                });
                outcomes.lock().unwrap().push((place, outcome));
            }
        };
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(work);
            }
        });
        let mut outcomes = outcomes.into_inner().unwrap();
        outcomes.sort();
        let outcomes: Vec<_> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        let text = self.text(&outcomes);
        // Past the test runner, which keeps back what `println` says.
        let _ = std::io::stdout().write_all(text.as_bytes());
        let wrong = outcomes.iter().filter(|outcome| *outcome == "WRONG");
        assert_eq!(wrong.count(), 0, "{text}");
    }

    fn text(&self, outcomes: &[String]) -> String {
        let head = [vec![self.title.to_owned()], self.columns.clone()].concat();
        let mut lines = vec![head];
        for ((name, _), cells) in self.rows.iter().zip(outcomes.chunks(self.columns.len())) {
            lines.push([std::slice::from_ref(name), cells].concat());
        }
        let width = |column: usize| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..=self.columns.len()).map(width).collect();
        let mut text = "\n".to_owned();
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let padded: Vec<_> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text += padded.join("  ").trim_end();
            text += "\n";
        }
        text + "\n"
    }
}
