//! Every option of the section, one by one: what a test sets and what the server has seen of it.
//!
//! `cargo test --test smtp_client every_option` prints the table.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what breaks ends the test, loudly"
)]

mod services;
mod smtp;
mod tokens;

use super::ways::{to_graph, trusting};
use super::*;
use crate::harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, TokenRequest, USER};
use crate::harness::{Ews, Exim, Graph, IdentityProvider, Table, exim};

/// An option, what its test sets it to, and what tells what was seen; that gives `None` where a
/// server is not installed.
type Row = (&'static str, &'static str, fn() -> Option<String>);

const ROWS: [&[Row]; 3] = [smtp::ROWS, services::ROWS, tokens::ROWS];

enum Cell {
    Text(String),
    Seen(fn() -> Option<String>),
}

#[test]
fn every_option() {
    let columns = ["default", "set to", "seen"].map(str::to_owned);
    let mut table = Table::new("[smtp-client]", columns);
    for (name, default) in documented() {
        let mut rows = ROWS.iter().copied().flatten();
        let row = rows.find(|(row, ..)| *row == name);
        let (_, set, seen) = row.unwrap_or_else(|| panic!("nothing shows what {name} does"));
        let cells = [
            Cell::Text(default),
            Cell::Text((*set).to_owned()),
            Cell::Seen(*seen),
        ];
        table.row(&name, cells.map(Some).into());
    }
    table.prove(|cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Seen(seen) => seen().unwrap_or_else(|| "(a server is not installed)".into()),
    });
}

/// The options of the example file with their defaults.
fn documented() -> Vec<(String, String)> {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/SMArtEmail.ini.example");
    let text = std::fs::read_to_string(example).unwrap();
    let mut section = String::new();
    let mut options = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, default)) = line.split_once('=') {
            let default = if default.is_empty() { "blank" } else { default };
            let default = default.to_owned();
            match section.as_str() {
                SECTION => options.push((key.to_owned(), default)),
                "secret-smtp" => options.push((format!("[{section}] {key}"), default)),
                _ => {}
            }
        }
    }
    assert_eq!(
        options.len(),
        ROWS.iter().map(|rows| rows.len()).sum::<usize>()
    );
    options
}

/// A run whose one notice goes out.
#[track_caller]
fn sends(ini: &Ini, sealed: &[(&str, &str)]) -> Ran {
    let ran = run_in(&trusting(ini, sealed));
    ran.exit(0).says("1 notice sent");
    ran
}

/// A run whose one notice does not go out, for this reason.
#[track_caller]
fn fails(ini: &Ini, sealed: &[(&str, &str)], reason: &str) -> Ran {
    let ran = run_in(&trusting(ini, sealed));
    ran.exit(2).complains(reason).says("1 failed");
    ran
}

/// Asks for what notices need without sending any, and says what came of it.
fn check(ini: &Ini, sealed: &[(&str, &str)]) -> Ran {
    trusting(ini, sealed).run(&["--check"])
}

/// A run with so many mails, each of which brings a notice.
fn sends_many(ini: &Ini, count: usize) -> Ran {
    let mails: Vec<Mail> = (0..count).map(|_| Mail::new("Test")).collect();
    let ran = World::with_mails(ini, &mails).run(&[]);
    ran.exit(0).says(&format!("{count} notices sent"));
    ran
}

/// The first words of what a server was told, for each connection.
fn verbs(sink: &Sink) -> Vec<String> {
    let verb = |line: &String| line.split([' ', ':']).next().unwrap().to_owned();
    let said = sink.said();
    let lines = |lines: &Vec<String>| lines.iter().map(verb).collect::<Vec<_>>().join(" ");
    said.iter().map(lines).collect()
}

fn with_password(ini: Ini) -> Ini {
    ini.set(SECTION, "enable-authentication", "true")
        .set(SECTION, "user", MAIL_USER)
}

const SEALED: (&str, &str) = ("smtp-client.password", MAIL_PASSWORD);
