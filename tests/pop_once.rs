//! Each mail of a POP3 mailbox once: over several runs, after kills and lost connections, and when
//! the server names its mails anew.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::dovecot::Options;
use harness::mail::at_hour;
use harness::{CountingProxy, Dovecot, Ini, Inspector, Mail, Sam, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

#[test]
fn a_second_run_handles_and_asks_for_only_what_is_new() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let proxy = CountingProxy::before(server.address, server.pop);
    let ini = Ini::pop(proxy.port).set("General", "DownloadEmails", "True");
    let world = World::with(&ini.rule(RULE));
    world.run(&[]).exit(0);
    let first = proxy.take_traffic();
    assert_eq!(first.commands_with("TOP ").len(), 3);
    assert_eq!(
        first.commands_with("RETR ").len(),
        2,
        "those that are saved"
    );
    for _ in 0..3 {
        world.run(&[]).exit(0).says("0 mails looked at");
        let idle = proxy.take_traffic();
        for word in ["TOP", "RETR", "LIST", "DELE"] {
            assert_eq!(idle.commands_with(word), [""; 0]);
        }
    }
    // An older time of receipt is no reason to pass over what has just come.
    server.deliver(&Mail::named("late", 1).bytes(), NOON);
    world.run(&[]).exit(0).says("1 mail looked at");
    let next = proxy.take_traffic();
    assert_eq!(next.commands_with("TOP "), ["TOP 4 0"]);
    assert_eq!(next.commands_with("RETR "), ["RETR 4"]);
    world.assert_events(&["one", "three", "late"]);
    Inspector::assert_nothing_deleted(&server);
}

#[test]
fn mails_received_before_the_last_run_date_are_asked_for_once() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for (word, hour) in [("before", 11), ("on", 12), ("after", 13)] {
        server.deliver(&Mail::named(word, hour).bytes(), NOON);
    }
    let proxy = CountingProxy::before(server.address, server.pop);
    let ini = Ini::pop(proxy.port).set("General", "LastRunDate", "1/6/2026 12:00:00 PM");
    let world = World::with(&ini.rule(RULE)).env("TZ", "UTC");
    world.run(&[]).exit(0).says("2 mails looked at");
    world.assert_events(&["on", "after"]);
    assert_eq!(proxy.take_traffic().commands_with("TOP ").len(), 3);
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(proxy.take_traffic().commands_with("TOP "), [""; 0]);

    // Somebody asks for everything since an earlier time.
    let edited = world
        .ini_text()
        .replace("1/6/2026 1:00:00 PM", "1/6/2026 10:00:00 AM");
    assert_ne!(edited, world.ini_text());
    world.write_ini(edited);
    world.run(&[]).exit(0).says("3 mails looked at");
    world.assert_events(&["on", "after", "before", "on", "after"]);
    world.run(&[]).exit(0).says("0 mails looked at");
}

#[test]
fn a_kill_anywhere_loses_nothing_and_doubles_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let ini = Ini::pop(server.pop)
        .set("General", "DownloadEmails", "True")
        .rule(RULE);
    let mut world = World::with(&ini);
    let sam = Sam::reading(world.path("MSGIN"), 1);
    let points = [
        "saved",
        "staging",
        "staged",
        "intended",
        "submitting",
        "submitted",
        "recorded",
        "advanced",
        "dating",
        "dated",
    ];
    let mut expected = Vec::new();
    for point in points {
        for half in ["first", "second"] {
            server.deliver(&Mail::named(&format!("{point}{half}"), 12).bytes(), NOON);
            expected.push(format!("$CONSOLE:DISPLAY,{point}{half}"));
        }
        world = world.env("SMARTEMAIL_CRASH", point);
        world.run(&[]).killed();
    }
    world = world.without_env("SMARTEMAIL_CRASH");
    world.run(&[]).exit(0);
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(world.saved().len(), expected.len());
    sam.finish().assert_once(&expected);
    Inspector::assert_nothing_deleted(&server);
}

#[test]
fn a_connection_cut_at_any_byte_loses_nothing_and_doubles_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let proxy = CountingProxy::before(server.address, server.pop);
    let ini = Ini::pop(proxy.port)
        .set("General", "DownloadEmails", "True")
        .set("Mail", "ReadTimeout", "00:00:05");
    let world = World::with(&ini.rule(RULE));
    let mut expected = Vec::new();
    let mut next = |number: usize| {
        let word = format!("word{number}");
        server.deliver(&Mail::named(&word, 12).text("..\n.\n").bytes(), NOON);
        expected.push(format!("$CONSOLE:DISPLAY,{word}"));
    };
    next(0);
    world.run(&[]).exit(0);
    next(1);
    proxy.take_traffic();
    world.run(&[]).exit(0);
    let whole = proxy.take_traffic().down;
    for (cut, number) in (0..whole).step_by(61).zip(2..) {
        next(number);
        proxy.cut_after(Some(cut));
        let ran = world.run(&[]);
        proxy.cut_after(None);
        ran.exit(2).complains("localhost");
        world.run(&[]).exit(0);
    }
    let mut events = world.events();
    events.sort();
    expected.sort();
    assert_eq!(events, expected);
    assert!(events.len() > 15, "it was hardly ever cut off");
}

#[test]
fn mails_that_get_other_names_are_not_handled_again() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let old = Mail::new("Test old").received("Thu, 6 Nov 2025 12:00:00 +0000");
    server.deliver(&old.header("Message-ID: <old@example.test>").bytes(), NOON);
    let nameless = Mail::new("Test nameless").received(&at_hour(9));
    server.deliver(&nameless.bytes(), NOON);
    for (word, hour) in [("one", 10), ("two", 11)] {
        server.deliver(&Mail::named(word, hour).bytes(), NOON);
    }
    let proxy = CountingProxy::before(server.address, server.pop);
    let world = World::with(&Ini::pop(proxy.port).rule(RULE)).env("TZ", "UTC");
    let all = ["old", "nameless", "one", "two"];
    world.run(&[]).exit(0);
    world.assert_events(&all);
    for (round, word) in [("three", 12), ("four", 13)].into_iter().enumerate() {
        server.number_anew();
        server.deliver(&Mail::named(word.0, word.1).bytes(), NOON);
        let explained = world.run(&["--explain"]);
        explained.exit(0);
        assert_eq!(
            explained
                .output()
                .matches("an earlier run has dealt with it")
                .count(),
            4 + round
        );
        let ran = world.run(&[]);
        ran.exit(0)
            .says("1 mail looked at")
            .complains_in_one_line(&["UIDL", "Message-ID"]);
        proxy.take_traffic();
        let quiet = world.run(&[]);
        quiet.exit(0).says("0 mails looked at");
        assert_eq!(proxy.take_traffic().commands_with("TOP "), [""; 0]);
    }
    world.assert_events(&[&all[..], &["three", "four"]].concat());
}

#[test]
fn another_form_of_names_is_recognised_too() {
    for (before, after) in [("%u.%v", "%08Xu%08Xv"), ("%g", "%f")] {
        let uidl = |format| -> &'static str {
            format!("protocol pop3 {{\n  pop3_uidl_format = {format}\n}}").leak()
        };
        let options = |format| Options {
            extra: uidl(format),
            ..Options::default()
        };
        let (Some(first), Some(second)) = (
            Dovecot::with(&options(before)),
            Dovecot::with(&options(after)),
        ) else {
            return;
        };
        for server in [&first, &second] {
            server.deliver(&Mail::named("one", 10).bytes(), NOON);
            server.deliver(&Mail::named("two", 11).bytes(), NOON);
        }
        second.deliver(&Mail::named("three", 11).bytes(), NOON);
        let world = World::with(&Ini::pop(first.pop).rule(RULE));
        world.run(&[]).exit(0);
        let port = format!("-port:{}", second.pop);
        world.run(&[&port]).exit(0).says("1 mail looked at");
        world.assert_events(&["one", "two", "three"]);
    }
}
