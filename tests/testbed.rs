//! The test bed itself: what the other tests believe of it is proven here.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::path::Path;
use std::process::Command;

use data_encoding::{BASE64, HEXLOWER};
use harness::dovecot::Options;
use harness::{
    CountingProxy, Cyrus, Dovecot, Hoodiecrow, Inspector, Mail, MailServer, certs, secrets,
};

const NOON: u64 = 1_767_700_800;

#[test]
fn a_delivered_mail_has_the_chosen_time_and_the_next_uid() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("second by time").bytes(), 1_750_000_000);
    server.deliver(&Mail::new("first by time").bytes(), 1_700_000_000);
    server.deliver_many(&Mail::new("many").bytes(), 1_760_000_000, 3);

    let mails = Inspector::open(&server).mails();

    assert_eq!(mails.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let subjects: Vec<_> = mails.values().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["second by time", "first by time", "many", "many", "many"]
    );
    let received = |uid| {
        chrono::DateTime::parse_from_str(mails[&uid].received.trim(), "%d-%b-%Y %H:%M:%S %z")
            .unwrap()
            .timestamp()
    };
    assert_eq!(
        (received(1), received(2), received(5)),
        (1_750_000_000, 1_700_000_000, 1_760_000_000)
    );
}

#[test]
fn the_inspector_sees_flags_and_sets_none_by_looking() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("a").bytes(), 1_750_000_000);
    server.deliver(&Mail::new("b").bytes(), 1_750_000_000);
    let mut inspector = Inspector::open(&server);
    inspector.flag(2, "\\Deleted \\Seen");

    let mails = inspector.mails();

    assert!(mails[&1].flags.is_empty());
    assert_eq!(mails[&2].flags, ["\\Deleted", "\\Seen"]);
}

#[test]
fn the_proxy_counts_turns_bytes_and_commands() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("a").bytes(), 1_750_000_000);
    let proxy = CountingProxy::before(server.address, server.imap);

    let mut inspector = Inspector::connect(("127.0.0.1", proxy.port));
    inspector.mails();
    inspector.command("LOGOUT");

    let traffic = proxy.traffic();
    // LOGIN, EXAMINE, FETCH, LOGOUT.
    assert_eq!((traffic.connections, traffic.turns), (1, 4));
    assert_eq!(traffic.commands_with("fetch").len(), 1);
    assert!(traffic.down > 200 && traffic.up > 100, "{traffic:?}");
}

#[test]
fn every_server_keeps_a_mail_with_its_time() {
    let servers: [Option<Box<dyn MailServer>>; 3] = [
        Dovecot::start().map(|server| Box::new(server) as _),
        Cyrus::with("PLAIN LOGIN").map(|server| Box::new(server) as _),
        Hoodiecrow::with(&[]).map(|server| Box::new(server) as _),
    ];
    for server in servers.into_iter().flatten() {
        server.deliver(&Mail::new("=?utf-8?q?=C3=A9?=").bytes(), NOON);
        let doors = server.doors();
        let mails = Inspector::connect((doors.address, doors.imap)).mails();
        let (_, mail) = mails.into_iter().next().unwrap();
        let received = mail.received.trim().trim_start_matches('0');
        assert_eq!(received, "6-Jan-2026 12:00:00 +0000");
        assert_eq!(mail.subject, "=?utf-8?q?=C3=A9?=");
    }
}

#[test]
fn a_server_of_few_words_announces_what_it_was_told_to() {
    for (plugins, capabilities) in [
        (&[][..], "IMAP4rev1"),
        (&["UIDPLUS", "LITERALPLUS"], "IMAP4rev1 LITERAL+ UIDPLUS"),
    ] {
        let Some(server) = Hoodiecrow::with(plugins) else {
            return;
        };
        let doors = server.doors();
        let mut inspector = Inspector::connect((doors.address, doors.imap));
        let answer = inspector.command("CAPABILITY");
        let mut told: Vec<_> = answer.split_whitespace().skip(2).collect();
        told.sort_unstable();
        assert_eq!(told.join(" "), capabilities);
    }
}

#[test]
fn nothing_of_a_server_is_left_behind() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let (group, port) = (server.process_group(), server.imap);
    assert!(lives(group));
    drop(server);
    assert!(!lives(group));
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}

#[test]
fn a_server_without_tls_or_with_few_capabilities_can_be_had() {
    let extra = "ssl = no\nimap_capability = IMAP4rev1";
    let Some(server) = Dovecot::with(&Options {
        extra,
        ..Options::default()
    }) else {
        return;
    };
    let capabilities = Inspector::open(&server).command("CAPABILITY");
    assert_eq!(capabilities.trim(), "* CAPABILITY IMAP4rev1");
}

#[test]
fn a_server_can_be_held_to_one_version_of_tls() {
    let versions = [
        ("-tls1_1", "TLSv1.1"),
        ("-tls1_2", "TLSv1.2"),
        ("-tls1_3", "TLSv1.3"),
    ];
    for (_, spoken) in versions {
        let Some(server) = Dovecot::with(&Options {
            tls: Some(spoken),
            ..Options::default()
        }) else {
            return;
        };
        for (switch, asked) in versions {
            let address = format!("localhost:{}", server.imaps);
            let args = [
                "s_client",
                "-connect",
                &address,
                switch,
                "-cipher",
                "ALL:@SECLEVEL=0",
            ];
            let done = Command::new("openssl")
                .args(args)
                .stdin(std::process::Stdio::null())
                .output()
                .unwrap();
            assert_eq!(
                done.status.success(),
                asked == spoken,
                "{asked} with a server of {spoken}"
            );
        }
    }
}

#[test]
fn each_certificate_is_what_its_name_says() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    drop(server);
    let folder = certs::folder().unwrap();
    let verdict = |name: &str| {
        let file = format!("{name}.pem");
        let args = [
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "localhost",
            "-CAfile",
            "ca.pem",
            &file,
        ];
        let done = Command::new("openssl")
            .args(args)
            .current_dir(&folder)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        let number = errors
            .lines()
            .find_map(|line| line.strip_prefix("error "))
            .and_then(|line| line.split(' ').next());
        number.map_or(0, |number| number.parse::<u32>().unwrap())
    };
    // The numbers of X509_V_ERR_…: expired 10, self-signed 18, unknown issuer 20, host name 62.
    let verdicts = ["good", "expired", "self", "untrusted", "wronghost"].map(verdict);
    assert_eq!(verdicts, [0, 10, 18, 20, 62]);
}

/// Whether any process of a group is alive.
fn lives(group: u32) -> bool {
    let processes =
        std::fs::read_dir("/proc").map(|list| list.filter_map(Result::ok).collect::<Vec<_>>());
    let stat = |path: &Path| std::fs::read_to_string(path.join("stat")).unwrap_or_default();
    let in_group = |stat: &str| {
        // Behind the name in brackets: state, parent, group.
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        fields.get(2) == Some(&group.to_string().as_str()) && fields.first() != Some(&"Z")
    };
    processes.is_ok_and(|list| list.iter().any(|process| in_group(&stat(&process.path()))))
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secret = "Id&p= pass+61\"\\%word";
    let pair = |user: &str| BASE64.encode(format!("{user}:{secret}").as_bytes());
    let shown = [
        secret.to_owned(),
        format!("{secret:?}"),
        "a=Id%26p%3D+pass%2B61%22%5C%25word&b".into(),
        "a=Id%26p%3D%20pass%2B61%22%5C%25word&b".into(),
        "<a>Id&amp;p= pass+61\"\\%word</a>".into(),
        pair("a"),
        pair("ab"),
        pair("abc"),
        HEXLOWER.encode(secret.as_bytes()),
    ];
    for text in shown {
        let found = secrets::forms(secret)
            .iter()
            .any(|form| text.contains(form));
        assert!(found, "{text}");
    }
}
