//! Whole conversations with scripted servers: what is sent, and what becomes of answers
//! that real servers give, that are careless, and that are lies.

mod lists;
mod logins;
mod mails;
mod oddities;
mod tokens;

use super::opening::Stage;
use super::{Capabilities, PopMailbox};
use crate::mailbox::{Error, Fault, Known, Login, MailId, Mailbox, Outcome, Proof, Query};
use crate::message::Limits;
use crate::net::Trace;
use crate::net::script::{Lines, Script};
use crate::secret::Secret;

const MODERN: &str = "SASL PLAIN\nUIDL\nTOP\nRESP-CODES\nPIPELINING";

fn login() -> Login {
    Login {
        user: "me".into(),
        proof: Proof::Password(Secret::new("s3cret".into())),
    }
}

/// Opens a mailbox whose server can do this and answers each line as `answer` says.
fn open_with(
    capabilities: Option<&str>,
    login: &Login,
    trace: Trace,
    answer: impl FnMut(&str) -> Vec<u8> + 'static,
) -> (Result<PopMailbox, Error>, Lines) {
    let (script, lines) = Script::new(b"", answer);
    let limits = Limits {
        mail: 1000,
        ..Limits::default()
    };
    let stage = Stage::Clear(capabilities.map(|list| Capabilities::parse(list.as_bytes())));
    let mailbox = PopMailbox::start(
        Box::new(script),
        stage,
        "h:995",
        login.credentials("h:995").unwrap(),
        limits,
        trace,
    );
    (mailbox, lines)
}

/// The same with a log-in that succeeds; `answer` gets what follows.
fn open(
    capabilities: &str,
    mut answer: impl FnMut(&str) -> String + 'static,
) -> (Result<PopMailbox, Error>, Lines) {
    let (mailbox, lines) = open_with(Some(capabilities), &login(), Trace::off(), move |line| {
        let verb = line.split(' ').next().unwrap_or_default();
        match verb {
            "AUTH" | "USER" | "PASS" | "QUIT" => b"+OK\r\n".to_vec(),
            _ => answer(line).into(),
        }
    });
    lines.borrow_mut().retain(|line| !line.starts_with("AUTH"));
    (mailbox, lines)
}

/// A multi-line answer.
fn list(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("+OK\r\n{lines}.\r\n")
}

/// Answers like a good server with so many mails, each a byte longer than the one before.
fn good(mails: u32) -> impl Fn(&str) -> String {
    move |line: &str| {
        let each = |of: fn(u32) -> String| {
            let lines: Vec<String> = (1..=mails).map(of).collect();
            list(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let mut words = line.split(' ');
        match (words.next().unwrap_or_default(), words.next()) {
            ("UIDL", None) => each(|n| format!("{n} u{n}")),
            ("LIST", None) => each(|n| format!("{n} {}", 100 + n % 100)),
            ("TOP", Some(n)) => list(&[&format!("Subject: s{n}"), ""]),
            ("RETR", Some(n)) => list(&[&format!("Subject: s{n}"), "", "body"]),
            ("LIST", Some(n)) => format!("+OK {n} 100\r\n"),
            ("CAPA", None) => list(&MODERN.lines().collect::<Vec<_>>()),
            _ => "-ERR what?\r\n".to_owned(),
        }
    }
}

fn ids(names: &[&str]) -> Vec<MailId> {
    names.iter().map(|name| MailId::new(*name)).collect()
}

fn all(mailbox: &mut PopMailbox) -> Vec<MailId> {
    mailbox.list(&Known::default()).unwrap().ids
}

/// The subjects of these mails, or why they can't be read.
fn subjects(mailbox: &mut PopMailbox, ids: &[MailId]) -> Vec<String> {
    let summaries = mailbox.summaries(ids).unwrap().into_iter();
    let subject = |(_, summary): (MailId, Outcome<crate::mailbox::Summary>)| match summary {
        Ok(summary) => summary.envelope.subject,
        Err(fault) => fault.to_string(),
    };
    summaries.map(subject).collect()
}

fn raw(mailbox: &mut PopMailbox, ids: &[MailId]) -> Vec<(String, Result<String, Fault>)> {
    let mut mails = Vec::new();
    mailbox
        .raw(ids, &mut |id, mail| {
            let mail = mail.map(|mail| String::from_utf8(mail).unwrap());
            mails.push((id.to_string(), mail));
        })
        .unwrap();
    mails
}
