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

/// A server, how it lets users log in in clear text, and what it makes of a deletion.
struct Kind {
    name: &'static str,
    start: fn() -> Option<Server>,
    log_in: &'static str,
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

const AT_ONCE: &str = "AUTHENTICATE PLAIN A";
const WHEN_ASKED: &str = "AUTHENTICATE PLAIN\r\n";
const LOGIN: &str = "LOGIN \"";

const KINDS: [Kind; 10] = [
    Kind {
        name: "Dovecot",
        start: || dovecot(""),
        log_in: AT_ONCE,
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Dovecot, no extension",
        start: || dovecot("imap_capability = IMAP4rev1"),
        log_in: LOGIN,
        deletion: Deletion::Marks,
    },
    Kind {
        name: "Dovecot, INBOX. and dots",
        start: || dovecot("namespace inbox {\n  separator = .\n  prefix = INBOX.\n}"),
        log_in: AT_ONCE,
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Dovecot, UIDPLUS alone",
        start: || dovecot("imap_capability = IMAP4rev1 UIDPLUS"),
        log_in: LOGIN,
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Cyrus",
        start: || cyrus("PLAIN LOGIN"),
        log_in: AT_ONCE,
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Cyrus, no PLAIN",
        start: || cyrus("LOGIN"),
        log_in: LOGIN,
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Hoodiecrow, no extension",
        start: || hoodiecrow(&["STARTTLS"]),
        log_in: LOGIN,
        deletion: Deletion::Marks,
    },
    Kind {
        name: "Hoodiecrow, UIDPLUS",
        start: || hoodiecrow(&["STARTTLS", "UIDPLUS", "LITERALPLUS"]),
        log_in: LOGIN,
        deletion: Deletion::Exact,
    },
    Kind {
        name: "Hoodiecrow, no LOGIN",
        start: || hoodiecrow(&["STARTTLS", "AUTH-PLAIN", "LOGINDISABLED"]),
        log_in: WHEN_ASKED,
        deletion: Deletion::Marks,
    },
    Kind {
        name: "Hoodiecrow, many extensions",
        start: || {
            let many = ["SASL-IR", "AUTH-PLAIN", "UIDPLUS", "ID", "IDLE", "ENABLE"];
            let more = ["STARTTLS", "CONDSTORE", "SPECIAL-USE", "NAMESPACE", "MOVE"];
            hoodiecrow(&[many.as_slice(), &more].concat())
        },
        log_in: AT_ONCE,
        deletion: Deletion::Exact,
    },
];

/// A server behind one of its doors.
struct Cell<'k> {
    kind: &'k Kind,
    door: &'k Door,
}

#[test]
fn every_server_through_every_door() {
    let [tls, start_tls, ..] = &DOORS;
    let doors = [&CLEAR, start_tls, tls];
    let mut table = Table::new("Server", doors.map(|door| door.name.to_owned()));
    for kind in &KINDS {
        let cells = doors.map(|door| Some(Cell { kind, door }));
        table.row(kind.name, cells.into());
    }
    table.prove(|Cell { kind, door }| {
        let Some(server) = (kind.start)() else {
            return "not installed".to_owned();
        };
        does_the_job(kind, door, server.as_ref())
    });
}

fn does_the_job(kind: &Kind, door: &Door, server: &dyn MailServer) -> String {
    let tasks = job::tasks();
    for task in &tasks {
        server.deliver(&task.mail, NOON);
    }
    let doors = server.doors();
    let Some(port) = door.find(server) else {
        return "-".to_owned();
    };
    let proxy = CountingProxy::before(doors.address, port);
    let ini = job::rules(door.mailbox(proxy.port));
    let world = World::with(&ini).env("SSL_CERT_FILE", &Door::authority());
    let first = world.run(&[]);
    first.exit(0);
    let sent = proxy.take_traffic().sent;
    let sent = String::from_utf8_lossy(&sent);
    if door.name == CLEAR.name {
        assert!(sent.contains(kind.log_in), "{}\n{sent}", kind.log_in);
    }
    let second = world.run(&[]);
    second.exit(0).says("0 mails looked at");
    job::assert_done_once(&world, &tasks);

    let mails = Inspector::connect((doors.address, doors.imap)).mails();
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
