//! A POP3 mailbox on a real server: the ways in, what is asked for, and that nothing is deleted.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::dovecot::Options;
use harness::mail::at_hour;
use harness::world::MAIL_USER;
use harness::{CountingProxy, Door, Dovecot, Ini, Inspector, Mail, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// A world whose program trusts the test authority, as far as the INI file lets it.
fn trusting(ini: &Ini) -> World {
    World::with(ini).env("SSL_CERT_FILE", &Door::authority())
}

/// What the client sent, line by line.
fn commands(proxy: &CountingProxy) -> Vec<String> {
    proxy.traffic().lines()
}

#[test]
fn on_every_port() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    for (security, port, words) in [
        ("none", server.pop, "in clear text"),
        ("start-tls", server.pop, "over TLS 1.2"),
        ("start-tls-required", server.pop, "over TLS 1.2"),
        ("ssl-tls", server.pops, "over TLS 1.2"),
    ] {
        let proxy = CountingProxy::before(server.address, port);
        let ini = Ini::pops(proxy.port).set("Mail", "ConnectionSecurity", security);
        let world = trusting(&ini.rule(RULE));
        world.run(&[]).exit(0).says(words).says(MAIL_USER);
        world.assert_events(&["one", "three"]);
        let sent = commands(&proxy);
        match security {
            "none" => assert!(sent.contains(&"QUIT".to_owned()), "{sent:?}"),
            "ssl-tls" => {}
            _ => assert_eq!(sent[..2], ["CAPA", "STLS"]),
        }
        let in_clear = sent.iter().any(|line| line.starts_with("AUTH PLAIN "));
        assert_eq!(in_clear, security == "none", "{sent:?}");
    }
    Inspector::assert_nothing_deleted(&server);
}

#[test]
fn the_switch_and_the_port_alone_will_do() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let ini = Ini::pop(server.pops).unset("Mail", "ConnectionSecurity");
    let world = trusting(&ini.set("Mail", "SelfSignedCertificate", "False").rule(RULE));
    world
        .run(&["--pop", "--tls1_2"])
        .exit(0)
        .says("over TLS 1.2")
        .without_complaint();
    world.assert_events(&["one", "three"]);
}

#[test]
fn tls_that_a_server_does_not_offer() {
    let extra = "ssl = no";
    let Some(server) = Dovecot::with(&Options {
        extra,
        ..Options::default()
    }) else {
        return;
    };
    server.deliver_three(NOON);
    let proxy = CountingProxy::before(server.address, server.pop);
    let secured = |security| Ini::pops(proxy.port).set("Mail", "ConnectionSecurity", security);
    let world = trusting(&secured("start-tls-required").rule(RULE));
    world.run(&[]).exit(2).complains("ConnectionSecurity");
    let sent = commands(&proxy);
    assert!(
        sent.iter().all(|line| line == "CAPA" || line == "QUIT"),
        "{sent:?}"
    );
    let world = trusting(&secured("start-tls").rule(RULE));
    world.run(&[]).exit(0).complains("STLS");
    world.assert_events(&["one", "three"]);
}

#[test]
fn every_way_to_log_in() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let sent = |hidden: &[&'static str]| {
        let proxy = CountingProxy::before(server.address, server.pop);
        hidden.iter().for_each(|word| proxy.hide(word));
        let world = World::with(&Ini::pop(proxy.port).rule(RULE));
        world.run(&[]).exit(0);
        world.assert_events(&["one", "three"]);
        let sent = commands(&proxy);
        let verb = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
        sent.iter().map(verb).collect::<Vec<_>>()
    };
    let at_once = sent(&[]);
    assert_eq!(at_once[..3], ["CAPA", "AUTH", "UIDL"]);
    let by_name = sent(&["SASL"]);
    assert_eq!(by_name[..4], ["CAPA", "USER", "PASS", "UIDL"]);
    // A server of the kind that wants the credentials only when it has asked for them.
    let asked = sent(&["RESP-CODE", "PIPELINING", "USER"]);
    assert_eq!(
        (&asked[..2], asked[3].as_str()),
        (&["CAPA".to_owned(), "AUTH".to_owned()][..], "UIDL")
    );
}

#[test]
fn wrong_credentials_are_told_from_a_mailbox_in_use() {
    let extra = "protocol pop3 {\n  pop3_lock_session = yes\n}";
    let Some(server) = Dovecot::with(&Options {
        extra,
        ..Options::default()
    }) else {
        return;
    };
    server.deliver(&Mail::named("one", 12).bytes(), NOON);
    let world = World::with(&Ini::pop(server.pop).rule(RULE));
    let other = server.occupy_pop();
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["no time for this mailbox", "locked by another"]);
    assert!(!ran.stderr.contains("--credentials"), "{ran}");
    drop(other);

    world.seal_wrong();
    world.run(&[]).exit(2).complains_in_one_line(&[
        "refused the log-in",
        MAIL_USER,
        "--credentials",
    ]);
}

#[test]
fn a_mail_is_fetched_whole_only_for_a_rule_or_to_save_it_and_then_once() {
    let body = "SubjectLineMask=total is (\\d+)\nQualifyingSubjectLine=Test\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let file = "SubjectLineMask=Test\nProcessAttachments=True\nAttachmentMask=(rep\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let any = "SubjectLineMask=Test\nAllowedSenders=any@example.test\nEvent=$CONSOLE:DISPLAY,hit";
    for (rule, saves, fetched, word) in [
        (any, "False", &[][..], "hit"),
        (any, "True", &["RETR 1"], "hit"),
        (body, "False", &["RETR 1"], "42"),
        (body, "True", &["RETR 1"], "42"),
        (file, "True", &["RETR 1"], "report"),
    ] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        let wanted = Mail::new("Test").text("The total is 42\nand nothing else\n");
        server.deliver(&wanted.attach("report.txt", b"x\r\n.\r\n..y").bytes(), NOON);
        server.deliver(&Mail::new("other").text("The total is 43\n").bytes(), NOON);
        let proxy = CountingProxy::before(server.address, server.pop);
        let ini = Ini::pop(proxy.port).set("General", "DownloadEmails", saves);
        let world = World::with(&ini.rule(rule));
        world.run(&[]).exit(0);
        world.assert_events(&[word]);
        assert_eq!(proxy.traffic().commands_with("RETR "), fetched, "{rule}");
    }
}

#[test]
fn saved_mails_are_the_server_s_bytes() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let dots = Mail::new("Test dots").text(".\n..\n.a\n\n.\nGrüße\n. \n.");
    let data: Vec<u8> = (0..8 << 20)
        .map(|at: u32| at.to_le_bytes()[(at % 3) as usize])
        .collect();
    let big = Mail::new("Test big")
        .text("text\n")
        .attach("data.bin", &data);
    let crlf = |mail: &Mail| {
        let mut bytes = mail.bytes();
        if !bytes.ends_with(b"\r\n") {
            bytes.extend(b"\r\n");
        }
        bytes
    };
    let mails = [crlf(&dots), crlf(&big)];
    mails.iter().for_each(|mail| server.deliver(mail, NOON));
    let ini = Ini::pop(server.pop)
        .set("General", "DownloadEmails", "True")
        .rule(RULE)
        .rule("SubjectLineMask=big\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,file");
    let world = World::with(&ini);
    let ran = world.run(&[]);
    ran.exit(0);
    let saved = world.saved();
    let read = |name: &String| std::fs::read(world.path("Received").join(name)).unwrap();
    let (emails, files): (Vec<_>, Vec<_>) = saved.iter().partition(|name| name.ends_with(".eml"));
    assert_eq!((emails.len(), files.len()), (2, 1), "{saved:?}");
    for mail in &mails {
        assert!(emails.iter().any(|name| read(name) == *mail));
    }
    assert!(read(files[0]) == data);
    println!("peak {} kB", ran.peak_kb);
    assert!(ran.peak_kb < 80 * 1024, "{} kB", ran.peak_kb);
}

#[test]
fn received_is_what_the_newest_received_header_says() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    // The server got them at midnight by its clock: with POP it does not tell.
    let midnight = NOON - 12 * 3600;
    let date = "Fri, 2 Jan 2004 03:00:00 +0000";
    let within = Mail::named("within", 12).date(date);
    let relayed = "Received: from far by mx.example.test; Tue, 6 Jan 2026 01:00:00 +0000";
    server.deliver(&within.header(relayed).bytes(), midnight);
    server.deliver(&Mail::named("without", 13).date(date).bytes(), midnight);
    let dated = Mail::new("Test dated")
        .without_received()
        .date(&at_hour(12));
    server.deliver(&dated.bytes(), midnight);
    let rule = format!("{RULE} [[RECEIVED]]\nAllowedTimeFrame=1159-1201");
    let world = World::with(&Ini::pop(server.pop).rule(&rule)).env("TZ", "UTC");
    world.run(&[]).exit(0);
    world.assert_events(&["within 1/6/2026 12:00:00 PM", "dated 1/6/2026 12:00:00 PM"]);
}

#[test]
fn nothing_is_deleted_and_one_line_says_so_to_whom_has_asked() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let line = ["with POP nothing is deleted"];
    for (setting, switches, asked) in [
        (Some("Match"), &[][..], true),
        (Some("All"), &["--delete"], true),
        (Some("None"), &["--delete"], true),
        (None, &["--delete"], true),
        (Some("None"), &[], false),
        (None, &[], false),
    ] {
        let ini = Ini::pop(server.pop)
            .rule(RULE)
            .unset("General", "DeleteEmails");
        let ini = match setting {
            Some(value) => ini.set("General", "DeleteEmails", value),
            None => ini,
        };
        let world = World::with(&ini);
        let ran = world.run(switches);
        ran.exit(0).says("0 deleted");
        let said = ran
            .stderr
            .lines()
            .filter(|told| told.contains(line[0]))
            .count();
        assert_eq!(said, usize::from(asked), "{setting:?} {switches:?}\n{ran}");
        world.assert_events(&["one", "three"]);
    }
    Inspector::assert_nothing_deleted(&server);
}

#[test]
fn explain_and_check_change_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let world = World::with(&Ini::pop(server.pop).rule(RULE));
    let before = world.tree();
    world
        .run(&["--explain"])
        .exit(0)
        .says("POP3 mailbox of")
        .says("3 mails, 2 would be accepted, 1 not");
    world
        .run(&["--check"])
        .exit(0)
        .says("POP3 mailbox of")
        .says("3 mails");
    world.tree().assert_same_as(&before);
    Inspector::assert_nothing_deleted(&server);
    world.run(&[]).exit(0);
    world
        .run(&["--explain"])
        .exit(0)
        .says("an earlier run has dealt with it");
}

#[test]
fn the_loudest_output_shows_commands_but_no_secret() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    for hidden in [None, Some("SASL"), Some("RESP-CODE"), Some("UIDL")] {
        let proxy = CountingProxy::before(server.address, server.pop);
        hidden.into_iter().for_each(|word| proxy.hide(word));
        for mode in [
            &["--verbose"][..],
            &["--verbose", "--explain"],
            &["--verbose", "--check"],
        ] {
            let world = World::with(&Ini::pop(proxy.port).rule(RULE));
            // The world looks for secrets in all that is said.
            let ran = world.run(mode);
            ran.exit(0).complains("C: QUIT").complains("***");
        }
    }
}
