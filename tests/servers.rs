//! Servers that differ: the same small job with every server, protocol, log-in and TLS.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::door::{CLEAR, DOORS};
use harness::dovecot::Options;
use harness::job;
use harness::{
    CountingProxy, Cyrus, Door, Dovecot, Hoodiecrow, Inspector, MailServer, Table, World,
};

const NOON: u64 = 1_767_700_800;

/// What becomes of a mail that is to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deletion {
    /// It goes, and nothing else does.
    Exact,
    /// It is marked: the server can't remove one mail alone (no UIDPLUS).
    Marks,
}

type Server = Box<dyn MailServer>;

/// A server, and what is to be seen of it.
struct Kind {
    name: &'static str,
    start: fn() -> Option<Server>,
    /// How users log in to IMAP and to POP3 in clear text, by what they send; POP3 is left out
    /// where the server has none, or where it is that of another row.
    log_in: [Option<&'static str>; 2],
    /// What IMAP makes of a deletion; with POP3 nothing is deleted.
    deletion: Deletion,
}

fn dovecot(extra: &'static str) -> Option<Server> {
    let server = Dovecot::with(&Options {
        extra,
        ..Options::default()
    });
    server.map(|server| Box::new(server) as _)
}

fn cyrus(mechanisms: &str) -> Option<Server> {
    Cyrus::with(mechanisms).map(|server| Box::new(server) as _)
}

fn hoodiecrow(plugins: &[&str]) -> Option<Server> {
    Hoodiecrow::with(plugins).map(|server| Box::new(server) as _)
}

const PLAIN: &str = "AUTHENTICATE PLAIN A";
const PLAIN_WHEN_ASKED: &str = "AUTHENTICATE PLAIN\r\n";
const LOGIN: &str = "LOGIN \"";
const AUTH_PLAIN: &str = "AUTH PLAIN";
const USER: &str = "USER ";

const KINDS: [Kind; 10] = [
    Kind {
        name: "Dovecot",
        start: || dovecot(""),
        log_in: [Some(PLAIN), Some(AUTH_PLAIN)],
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Dovecot, no extension",
        start: || dovecot("imap_capability = IMAP4rev1"),
        log_in: [Some(LOGIN), None],
        deletion: Deletion::Marks,
    },
    Kind {
        name: "Dovecot, INBOX. and dots",
        start: || dovecot("namespace inbox {\n  separator = .\n  prefix = INBOX.\n}"),
        log_in: [Some(PLAIN), None],
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Dovecot, UIDPLUS alone",
        start: || dovecot("imap_capability = IMAP4rev1 UIDPLUS"),
        log_in: [Some(LOGIN), None],
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Cyrus",
        start: || cyrus("PLAIN LOGIN"),
        log_in: [Some(PLAIN), Some(AUTH_PLAIN)],
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Cyrus, no PLAIN",
        start: || cyrus("LOGIN"),
        log_in: [Some(LOGIN), Some(USER)],
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Hoodiecrow, no extension",
        start: || hoodiecrow(&["STARTTLS"]),
        log_in: [Some(LOGIN), None],
        deletion: Deletion::Marks,
    },
    Kind {
        name: "Hoodiecrow, UIDPLUS",
        start: || hoodiecrow(&["STARTTLS", "UIDPLUS", "LITERALPLUS"]),
        log_in: [Some(LOGIN), None],
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Hoodiecrow, no LOGIN",
        start: || hoodiecrow(&["STARTTLS", "AUTH-PLAIN", "LOGINDISABLED"]),
        log_in: [Some(PLAIN_WHEN_ASKED), None],
        deletion: Deletion::Marks,
    },
    Kind {
        name: "Hoodiecrow, many extensions",
        start: || {
            let many = ["SASL-IR", "AUTH-PLAIN", "UIDPLUS", "ID", "IDLE", "ENABLE"];
            let more = ["STARTTLS", "CONDSTORE", "SPECIAL-USE", "NAMESPACE", "MOVE"];
            hoodiecrow(&[many.as_slice(), &more].concat())
        },
        log_in: [Some(PLAIN), None],
        deletion: Deletion::Exact,
    },
];

/// A server behind one of its doors.
struct Cell<'k> {
    kind: &'k Kind,
    door: &'k Door,
    log_in: &'static str,
}

#[test]
fn every_server_through_every_door() {
    let doors: Vec<_> = CLEAR.iter().chain(&DOORS).collect();
    let names = doors.iter().map(|door| door.name.to_owned());
    let mut table = Table::new("Server", names);
    for kind in &KINDS {
        let cell = |door: &&'static Door| {
            let log_in = kind.log_in[usize::from(door.protocol == "POP")]?;
            Some(Cell { kind, door, log_in })
        };
        table.row(kind.name, doors.iter().map(cell).collect());
    }
    table.prove(|cell| {
        let Some(server) = (cell.kind.start)() else {
            return "not installed".to_owned();
        };
        does_the_job(cell, server.as_ref())
    });
}

fn does_the_job(cell: &Cell, server: &dyn MailServer) -> String {
    let tasks = job::tasks();
    for task in &tasks {
        server.deliver(&task.mail, NOON);
    }
    let Cell { kind, door, log_in } = cell;
    let doors = server.doors();
    let proxy = CountingProxy::before(doors.address, door.port(server));
    let ini = job::rules(door.mailbox(proxy.port));
    let world = World::with(&ini).env("SSL_CERT_FILE", &Door::authority());
    let first = world.run(&[]);
    first.exit(0);
    let sent = proxy.take_traffic().sent;
    let sent = String::from_utf8_lossy(&sent);
    let is_clear = CLEAR.iter().any(|clear| clear.name == door.name);
    assert!(!is_clear || sent.contains(log_in), "{log_in}\n{sent}");
    let second = world.run(&[]);
    second.exit(0).says("0 mails looked at");
    job::assert_done_once(&world, &tasks);

    let mails = Inspector::connect((doors.address, doors.imap)).mails();
    if door.protocol == "POP" {
        assert_eq!(mails.len(), tasks.len(), "{first}");
        return "done, kept".to_owned();
    }
    let is_marked = |flags: &Vec<String>| flags.contains(&"\\Deleted".to_owned());
    let left = mails.values().filter(|mail| !is_marked(&mail.flags));
    let left: Vec<_> = left.map(|mail| mail.subject.as_str()).collect();
    assert_eq!(left, ["other"], "{first}");
    let marked = mails.len() - left.len();
    let accepted = tasks.iter().filter(|task| task.event.is_some()).count();
    match kind.deletion {
        Deletion::Exact => {
            assert_eq!(marked, 0, "{first}");
            "done, deleted".to_owned()
        }
        Deletion::Marks => {
            assert_eq!(marked, accepted, "{first}");
            first.complains("UIDPLUS");
            "done, marked".to_owned()
        }
    }
}
