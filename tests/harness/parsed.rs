//! A mail as another program reads it: mailparser, which has nothing in common with the crates
//! that the program composes and reads mails with.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::BASE64;
use serde_json::Value;

use super::daemon;

/// What the other program found in a mail.
#[derive(Clone, Debug)]
pub struct Parsed(Value);

/// A file that came with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub kind: String,
    /// `attachment` or `inline`.
    pub disposition: String,
    /// The name by which a page shows it.
    pub cid: Option<String>,
    /// It belongs to the page.
    pub related: bool,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Whether the other program is there.
pub fn is_installed() -> bool {
    let needs = [
        node(),
        script(),
        npm("node_modules/mailparser/package.json"),
    ];
    let needs: Vec<_> = needs.iter().map(std::path::PathBuf::as_path).collect();
    daemon::is_installed("mailparser", &needs)
}

fn node() -> std::path::PathBuf {
    daemon::find("node")
}

fn npm(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/npm")
        .join(name)
}

fn script() -> std::path::PathBuf {
    npm("parse.js")
}

impl Parsed {
    /// Has a mail read.
    #[track_caller]
    pub fn of(mail: &[u8]) -> Self {
        let mut child = Command::new(node())
            .arg(script())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(mail).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success());
        Self(serde_json::from_slice(&done.stdout).unwrap())
    }

    /// Who stands in `from`, `to`, `cc` or `bcc`, each as `Name <address>`.
    pub fn people(&self, field: &str) -> Vec<String> {
        let people = self.0[field].as_array().unwrap().iter();
        people
            .map(|person| {
                let [name, address] = ["name", "address"].map(|key| person[key].as_str().unwrap());
                format!("{name} <{address}>").trim_start().to_owned()
            })
            .collect()
    }

    /// `subject`, `text`, `html`, `priority` or `messageId`; the ends of lines are `\n`.
    pub fn text(&self, field: &str) -> String {
        let text = self.0[field].as_str().unwrap_or_default();
        text.replace("\r\n", "\n").trim_end().to_owned()
    }

    /// A header's value as it stands in the mail; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        let value = self.0["headers"][name.to_ascii_lowercase()].as_str();
        value.unwrap_or_default().to_owned()
    }

    /// The files that came with it.
    pub fn files(&self) -> Vec<ParsedFile> {
        let files = self.0["files"].as_array().unwrap().iter();
        files
            .map(|file| {
                let text = |key: &str| file[key].as_str().unwrap_or_default().to_owned();
                ParsedFile {
                    name: text("name"),
                    kind: text("type"),
                    disposition: text("disposition"),
                    cid: file["cid"].as_str().map(str::to_owned),
                    related: file["related"] == true,
                    bytes: BASE64.decode(text("bytes").as_bytes()).unwrap(),
                }
            })
            .collect()
    }
}
