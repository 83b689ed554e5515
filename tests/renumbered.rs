//! A server that numbers its mails anew (UIDVALIDITY): what was handled is recognised all the same.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Dovecot, Ini, Inspector, Mail, Ran, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
const HOUR: u64 = 3600;
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

fn mail(word: &str) -> Vec<u8> {
    Mail::new(&format!("Test {word}"))
        .header(&format!("Message-ID: <{word}@example.test>"))
        .bytes()
}

fn world(server: &Dovecot, use_last_run_date: &str) -> World {
    World::with(
        &Ini::imap(server.imap)
            .set("General", "UseLastRunDate", use_last_run_date)
            .rule(RULE),
    )
    .env("TZ", "UTC")
}

#[track_caller]
fn assert_says_so(ran: &Ran) {
    ran.exit(0)
        .complains_in_one_line(&["UIDVALIDITY", "Message-ID"]);
}

#[test]
fn no_event_comes_twice_and_a_new_mail_is_handled() {
    for use_last_run_date in ["True", "False"] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        for (hour, word) in (0..).zip(["one", "two", "three"]) {
            server.deliver(&mail(word), NOON + hour * HOUR);
        }
        let world = world(&server, use_last_run_date);
        world.run(&[]).exit(0);
        server.number_anew();
        server.deliver(&mail("four"), NOON + 3 * HOUR);
        // Received while the others were, by the server's clock, and not known.
        server.deliver(&mail("five"), NOON + HOUR);
        let ran = world.run(&[]);
        assert_says_so(&ran);
        world.assert_events(&["one", "two", "three", "four", "five"]);
        let quiet = world.run(&[]);
        quiet.exit(0).says("0 mails looked at");
        assert!(!quiet.output().contains("UIDVALIDITY"), "{quiet}");
        world.assert_events(&["one", "two", "three", "four", "five"]);
    }
}

#[test]
fn numbered_anew_again_and_again() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let world = world(&server, "True");
    let words = ["a", "b", "c", "d"];
    for (round, word) in (0..).zip(words) {
        server.deliver(&mail(word), NOON + round * HOUR);
        world.run(&[]).exit(0);
        server.number_anew();
    }
    assert_says_so(&world.run(&[]));
    world.assert_events(&words);
}

#[test]
fn a_kill_right_after_it_doubles_nothing() {
    for point in ["staged", "intended", "submitted", "recorded", "advanced"] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        server.deliver(&mail("one"), NOON);
        let mut world = world(&server, "True");
        world.run(&[]).exit(0);
        server.number_anew();
        server.deliver(&mail("two"), NOON + HOUR);
        world = world.env("SMARTEMAIL_CRASH", point);
        world.run(&[]).killed();
        // And once more, between the intent and its completion.
        server.number_anew();
        world = world.without_env("SMARTEMAIL_CRASH");
        assert_says_so(&world.run(&[]));
        world.assert_events(&["one", "two"]);
    }
}

#[test]
fn mails_without_a_message_id_are_told_apart_by_sender_and_subject() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("Test one").bytes(), NOON);
    let world = world(&server, "True");
    world.run(&[]).exit(0);
    server.number_anew();
    server.deliver(&Mail::new("Test two").bytes(), NOON);
    assert_says_so(&world.run(&[]));
    world.assert_events(&["one", "two"]);
}

#[test]
fn a_mail_that_was_to_be_deleted_under_its_old_number_harms_no_other() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&mail("one"), NOON);
    let mut world = World::with(
        &Ini::imap(server.imap)
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
    )
    .env("SMARTEMAIL_CRASH", "deleting");
    world.run(&[]).killed();
    world = world.without_env("SMARTEMAIL_CRASH");
    // The mail goes, and another one gets its number.
    let mut other = Inspector::open(&server);
    other.command("SELECT INBOX");
    other.command("UID STORE 1 +FLAGS (\\Deleted)");
    other.command("EXPUNGE");
    drop(other);
    server.deliver(&Mail::new("not this").bytes(), NOON + HOUR);
    server.number_anew();
    assert_eq!(
        Inspector::open(&server)
            .mails()
            .into_keys()
            .collect::<Vec<_>>(),
        [1]
    );
    world.run(&[]);
    assert_eq!(Inspector::open(&server).subjects(), ["not this"]);
    world.assert_events(&["one"]);
}
