//! `[Mail] Retries`: what may pass is tried again within the run, what may not is not; and
//! trying again loses no mail, doubles none, and counts each once.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use harness::hostile::{Lie, Stage};
use harness::pop_server::Abilities;
use harness::world::MAIL_USER;
use harness::{
    CountingProxy, Dovecot, HostileServer, Ini, Inspector, Mail, PopServer, RudeServer, World,
};

const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test (\\d+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// So many mails that match, saved and deleted.
fn filled(mails: u64) -> Option<Dovecot> {
    let server = Dovecot::start()?;
    for number in 0..mails {
        server.deliver(&Mail::new(&format!("Test {number}")).bytes(), NOON + number);
    }
    Some(server)
}

fn ini(port: u16, retries: &str) -> Ini {
    working(Ini::imap(port), retries)
}

fn working(mailbox: Ini, retries: &str) -> Ini {
    mailbox
        .set("General", "DownloadEmails", "True")
        .set("General", "DeleteEmails", "Match")
        .set("Mail", "Retries", retries)
        .rule(RULE)
}

/// The events of that many mails, in their order.
fn events(mails: u64) -> Vec<String> {
    (0..mails)
        .map(|number| format!("$CONSOLE:DISPLAY,{number}"))
        .collect()
}

#[test]
fn a_server_that_is_away_for_a_moment_is_tried_again_with_growing_pauses() {
    let Some(server) = filled(1) else { return };
    let proxy = CountingProxy::before(server.address, server.imap);
    // Two retries are the default.
    let world = World::with(&ini(proxy.port, "").rule(RULE));
    proxy.turn_away(2);
    let ran = world.run(&[]);
    ran.exit(0)
        .complains_in_one_line(&["closed the connection", "again in 1 s (attempt 2 of 3)"])
        .complains_in_one_line(&["closed the connection", "again in 3 s (attempt 3 of 3)"])
        .says("1 mail looked at, 1 accepted");
    let times = proxy.traffic().times;
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses.len(), 2);
    assert!(
        pauses[0] >= Duration::from_secs(1) && pauses[1] >= Duration::from_secs(3),
        "{pauses:?}"
    );
    assert_eq!(world.events(), [&events(1)[..], &events(1)[..]].concat());
}

#[test]
fn a_server_that_stays_away_ends_the_run_and_the_next_one_does_the_work() {
    let Some(server) = filled(1) else { return };
    let proxy = CountingProxy::before(server.address, server.imap);
    let world = World::with(&ini(proxy.port, "1"));
    proxy.turn_away(2);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains("error: given up after 2 attempts: localhost:");
    assert_eq!(proxy.traffic().connections, 2);
    assert_eq!(world.events(), [""; 0]);

    world.run(&[]).exit(0).without_retry();
    assert_eq!(world.events(), events(1));
}

#[test]
fn a_connection_that_breaks_at_any_command_loses_and_doubles_nothing() {
    let commands = ["SELECT", "HEADER", "BODY.PEEK[]", "STORE", "EXPUNGE"];
    let all = commands.map(|command| {
        thread::spawn(move || {
            let Some(server) = filled(5) else { return };
            let proxy = CountingProxy::before(server.address, server.imap);
            let world = World::with(&ini(proxy.port, "1"));
            proxy.lose_answer_to(command);
            let ran = world.run(&[]);
            ran.exit(0)
                .complains("(attempt 2 of 2)")
                .says("5 mails looked at, 5 accepted, 0 rejected, 0 failed; 5 events written, 5 saved, 5 deleted");
            assert!(proxy.has_lost(), "{command}\n{ran}");
            assert_eq!(ran.lines_starting("accepted:"), 5, "{command}\n{ran}");
            assert_eq!(world.events(), events(5), "{command}");
            assert_eq!(world.saved().len(), 5, "{command}");
            assert_eq!(Inspector::open(&server).subjects(), [""; 0], "{command}");
        })
    });
    for one in all {
        one.join().unwrap();
    }
}

#[test]
fn the_same_with_pop3() {
    let commands = ["CAPA", "UIDL", "LIST", "TOP", "RETR"];
    let all = commands.map(|command| {
        thread::spawn(move || {
            let Some(server) = filled(5) else { return };
            let proxy = CountingProxy::before(server.address, server.pop);
            let world = World::with(&working(Ini::pop(proxy.port), "1"));
            proxy.lose_answer_to(command);
            let ran = world.run(&[]);
            ran.exit(0).complains("(attempt 2 of 2)").says(
                "5 mails looked at, 5 accepted, 0 rejected, 0 failed; 5 events written, 5 saved",
            );
            assert!(proxy.has_lost(), "{command}\n{ran}");
            assert_eq!(ran.lines_starting("accepted:"), 5, "{command}\n{ran}");
            world.run(&[]).exit(0);
            assert_eq!(world.events(), events(5), "{command}");
            assert_eq!(world.saved().len(), 5, "{command}");
            assert_eq!(Inspector::open(&server).subjects().len(), 5, "{command}");
        })
    });
    for one in all {
        one.join().unwrap();
    }
}

/// Nobody can tell it from a refusal: many servers hang up on a wrong password.
#[test]
fn a_log_in_without_an_answer_is_not_tried_again() {
    let Some(server) = filled(1) else { return };
    let old = PopServer::start(Abilities {
        capabilities: None,
        ..Abilities::default()
    });
    old.deliver(&Mail::new("Test 0").bytes());
    for (target, mailbox, command) in [
        (server.imap, Ini::imap as fn(u16) -> Ini, "AUTHENTICATE"),
        (server.pop, Ini::pop, "AUTH PLAIN"),
        (old.port, Ini::pop, "PASS"),
    ] {
        let proxy = CountingProxy::before("127.0.0.1", target);
        let world =
            World::with(&working(mailbox(proxy.port), "2").set("General", "DeleteEmails", "None"));
        proxy.lose_answer_to(command);
        let ran = world.run(&[]);
        ran.exit(2).without_retry().complains_in_one_line(&[
            &format!("localhost:{}", proxy.port),
            "did not answer the log-in",
            MAIL_USER,
            "it closed the connection",
            "--credentials",
        ]);
        let traffic = proxy.traffic();
        assert_eq!(traffic.commands_with(command).len(), 1, "{command}\n{ran}");
        assert_eq!(world.event_lines(), [""; 0], "{command}");
        world.run(&[]).exit(0);
        assert_eq!(world.events(), events(1), "{command}");
    }
}

/// What a server is made to say in place of its answer to the log-in.
fn farewell(lie: Lie) -> (HostileServer, World) {
    let server = HostileServer::start();
    server.deliver(&Mail::new("Test 0").bytes());
    let world = World::with(&ini(server.port, "2"));
    server.lie_at(Stage::LogIn, lie);
    (server, world)
}

#[test]
fn a_farewell_in_place_of_an_answer_is_a_refusal_unless_it_says_that_it_passes() {
    let (_server, world) = farewell(|question| {
        question.say("* BYE Authentication failed, closing\r\n")?;
        question.client.shutdown(Shutdown::Both)
    });
    let ran = world.run(&[]);
    ran.exit(2).without_retry().complains_in_one_line(&[
        "did not answer the log-in",
        "Authentication failed, closing",
    ]);
    assert_eq!(world.event_lines(), [""; 0]);

    let (_server, world) = farewell(|question| {
        question.say("* BYE [UNAVAILABLE] back in a moment\r\n")?;
        question.client.shutdown(Shutdown::Both)
    });
    let ran = world.run(&[]);
    ran.exit(0).complains_in_one_line(&[
        "has no time for this mailbox now: back in a moment",
        "(attempt 2 of 3)",
    ]);
    assert_eq!(world.events(), events(1));
}

#[test]
fn what_was_committed_before_the_break_counts_once() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_many(&Mail::new("Test 7").bytes(), NOON, 2100);
    let proxy = CountingProxy::before(server.address, server.imap);
    let world = World::with(&ini(proxy.port, "1").set("General", "MaxEventsPerRun", "2100"));
    // Mails are committed in batches of 2,000; the second one is lost on its way.
    proxy.lose_answer_to("2001:2100 (UID BODY.PEEK[])");
    let ran = world.run(&[]);
    ran.exit(0).complains("(attempt 2 of 2)").says(
        "2100 mails looked at, 2100 accepted, 0 rejected, 0 failed; 2100 events written, \
         2100 saved, 2100 deleted",
    );
    assert_eq!(world.events().len(), 2100);
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
}

#[test]
fn a_mail_that_fails_fails_once_a_run_however_often_the_mailbox_is_gone_through() {
    let Some(server) = filled(1) else { return };
    let proxy = CountingProxy::before(server.address, server.imap);
    // The second mail alone would write more events than a run may.
    server.deliver(&Mail::new("Twice").bytes(), NOON + 10);
    let twice = "SubjectLineMask=Twice\nEvent=$CONSOLE:DISPLAY,a\nEvent2=$CONSOLE:DISPLAY,b";
    let world = World::with(
        &ini(proxy.port, "1")
            .set("General", "MaxEventsPerRun", "1")
            .rule(twice),
    );
    proxy.lose_answer_to("EXPUNGE");
    let first = world.run(&[]);
    first
        .exit(2)
        .complains("(attempt 2 of 2)")
        .says("2 mails looked at, 1 accepted, 0 rejected, 1 failed");
    assert_eq!(first.lines_starting("failed:"), 1, "{first}");
    for _ in 2..5 {
        world.run(&[]).exit(2).never_says("set aside");
    }
    world.run(&[]).exit(2).says("failed in 5 runs");
    assert_eq!(world.events(), events(1));
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    let Some(server) = filled(1) else { return };
    let wrong_password = |mailbox: Ini, proxy: &CountingProxy| {
        let world = World::with(&working(mailbox, "2"));
        world.seal_wrong();
        let ran = world.run(&[]);
        ran.exit(2)
            .without_retry()
            .complains("refused the log-in of");
        proxy.traffic().connections
    };
    let proxy = CountingProxy::before(server.address, server.imap);
    assert_eq!(wrong_password(Ini::imap(proxy.port), &proxy), 1);
    let proxy = CountingProxy::before(server.address, server.pop);
    assert_eq!(wrong_password(Ini::pop(proxy.port), &proxy), 1);

    // The test authority is unknown here.
    let proxy = CountingProxy::before(server.address, server.imap);
    let untrusted = Ini::imaps(proxy.port).set("Mail", "ConnectionSecurity", "start-tls-required");
    let world = World::with(&working(untrusted, "2"));
    let ran = world.run(&[]);
    ran.exit(2).without_retry().complains("is not trusted here");
    assert_eq!(proxy.traffic().connections, 1);

    for words in [&b"220 mail.example.test ESMTP\r\n"[..], b"* PREAUTH in\r\n"] {
        let server = RudeServer::saying(words);
        let world = World::with(&ini(server.port, "2"));
        world.run(&[]).exit(2).without_retry();
        assert_eq!(server.connections(), 1);
    }
}

#[test]
fn a_check_and_an_explanation_answer_at_once() {
    for switch in ["--check", "--explain"] {
        let server = RudeServer::saying(b"* BYE too many connections\r\n");
        let world = World::with(&ini(server.port, "2"));
        world.run(&[switch]).exit(2).without_retry();
        assert_eq!(server.connections(), 1);
    }
}
