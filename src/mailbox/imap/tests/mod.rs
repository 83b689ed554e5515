//! Whole conversations with scripted servers: what is sent, and what becomes of answers
//! that real servers give, that none should give, and that are lies.

mod left_out;
mod lists;
mod logins;
mod mails;
mod oddities;
mod tokens;

use super::{Access, ImapMailbox};
use crate::mailbox::{Bar, Error, Fault, Known, Login, MailId, Mailbox, Position, Proof, Query};
use crate::message::Limits;
use crate::net::Trace;
use crate::net::script::{Lines, Script};
use crate::secret::Secret;

/// A greeting that spares asking for capabilities.
const GREETING: &[u8] = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n";
const LOGGED_IN: &str = "TAG OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n";

fn login() -> Login {
    Login {
        user: "me".into(),
        proof: Proof::Password(Secret::new("s3cret".into())),
    }
}

/// Opens a mailbox whose server answers each line as `answer` says.
fn open_with(
    greeting: &[u8],
    login: &Login,
    trace: Trace,
    answer: impl FnMut(&str) -> Vec<u8> + 'static,
) -> (Result<ImapMailbox, Error>, Lines) {
    let (script, lines) = Script::new(greeting, answer);
    let limits = Limits {
        mail: 1000,
        ..Limits::default()
    };
    let mailbox = ImapMailbox::start(
        Box::new(script),
        None,
        "h:993",
        login.credentials("h:993").unwrap(),
        "INBOX",
        limits,
        trace,
    );
    (mailbox, lines)
}

/// The same with a log-in that succeeds; `answer` gets what follows, without its tag.
fn open(mut answer: impl FnMut(&str) -> String + 'static) -> (ImapMailbox, Lines) {
    let (mailbox, lines) = open_with(GREETING, &login(), Trace::off(), move |line| {
        let (_, command) = line.split_once(' ').unwrap_or_default();
        if command.starts_with("AUTHENTICATE") {
            LOGGED_IN.into()
        } else if command == "LOGOUT" {
            b"* BYE bye\r\nTAG OK\r\n".to_vec()
        } else {
            answer(command).into()
        }
    });
    lines.borrow_mut().clear();
    (mailbox.unwrap(), lines)
}

/// SELECT's answer.
fn selected(exists: u32, validity: u32, next: u32) -> String {
    format!(
        "* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] ok\r\n* OK [UIDNEXT {next}] ok\r\nTAG OK done\r\n"
    )
}

/// One mail's answer to a FETCH of summaries.
fn summary(uid: u32, size: u64) -> String {
    format!(
        "* 1 FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE \" 2-Mar-2026 10:00:00 +0000\" \
         BODY[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)] \"Subject: s{uid}\")\r\n"
    )
}

fn ids(validity: u32, uids: impl IntoIterator<Item = u32>) -> Vec<MailId> {
    let id = |uid| MailId::new(format!("{validity}.{uid}"));
    uids.into_iter().map(id).collect()
}

fn at(position: &str) -> Known {
    Known {
        position: Some(Position::new(position)),
        ..Known::default()
    }
}
