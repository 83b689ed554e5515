//! `MaxEventsPerRun`: a storm of mails is written in portions, and nothing is lost by it.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Dovecot, Ini, Inspector, Mail, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
/// Two events a mail.
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]\nEvent2=$CONSOLE:DISPLAY,again [[1]]";

fn deliver(server: &Dovecot, subjects: &[&str]) {
    for (number, subject) in subjects.iter().enumerate() {
        server.deliver(&Mail::new(subject).bytes(), NOON + number as u64);
    }
}

fn deleting(ini: Ini) -> World {
    World::with(&ini.set("General", "DeleteEmails", "Match"))
}

#[test]
fn what_is_over_the_limit_of_a_run_waits_on_the_server() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    deliver(&server, &["Test a", "Test b", "Test c", "Test d", "Test e"]);
    let world = deleting(
        Ini::imap(server.imap)
            .set("General", "MaxEventsPerRun", "5")
            .rule(RULE),
    );
    // Five are allowed, and a mail is written whole or not at all.
    let ran = world.run(&[]);
    ran.exit(2)
        .complains("[General] MaxEventsPerRun=5")
        .says("4 events written")
        .says("3 held back");
    world.assert_events(&["a", "again a", "b", "again b"]);
    assert_eq!(
        Inspector::open(&server).subjects(),
        ["Test c", "Test d", "Test e"]
    );
    world.run(&[]).exit(2).says("1 held back");
    assert_eq!(Inspector::open(&server).subjects(), ["Test e"]);
    world.run(&[]).exit(0).says("2 events written");
    world.assert_events(&[
        "a", "again a", "b", "again b", "c", "again c", "d", "again d", "e", "again e",
    ]);
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
}

#[test]
fn mails_that_stay_are_written_in_portions_too() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    deliver(&server, &["Test a", "no", "Test b", "no", "Test c"]);
    let world = World::with(
        &Ini::imap(server.imap)
            .set("General", "MaxEventsPerRun", "2")
            .rule(RULE),
    );
    world.run(&[]).exit(2);
    // New ones arrive behind those that wait.
    deliver(&server, &["Test d"]);
    world.run(&[]).exit(2);
    world.run(&[]).exit(2);
    world.run(&[]).exit(0);
    world.run(&[]).exit(0).says("0 mails looked at");
    world.assert_events(&[
        "a", "again a", "b", "again b", "c", "again c", "d", "again d",
    ]);
}

#[test]
fn a_folder_of_mails_is_written_in_portions() {
    let world = World::with_mails(
        &Ini::folder()
            .set("General", "MaxEventsPerRun", "3")
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
        &["Test a", "Test b"].map(Mail::new),
    );
    world.run(&[]).exit(2).complains("MaxEventsPerRun=3");
    assert_eq!(world.mails_left(), ["002.eml"]);
    world.run(&[]).exit(0);
    world.assert_events(&["a", "again a", "b", "again b"]);
    assert_eq!(world.mails_left(), [""; 0]);
}

#[test]
fn a_mail_that_alone_is_over_the_limit_fails_by_itself() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    deliver(&server, &["Test storm", "Test calm"]);
    let storm = "SubjectLineMask=Test storm\nEvent=$CONSOLE:DISPLAY,1\nEvent2=$CONSOLE:DISPLAY,2\nEvent3=$CONSOLE:DISPLAY,3";
    let world = deleting(
        Ini::imap(server.imap)
            .set("General", "MaxEventsPerRun", "2")
            .rule(storm)
            .rule("SubjectLineMask=Test calm\nEvent=$CONSOLE:DISPLAY,calm"),
    );
    let ran = world.run(&[]);
    ran.exit(2)
        .complains("Test storm")
        .complains("[General] MaxEventsPerRun is 2")
        .says("1 failed")
        .says("1 accepted");
    world.assert_events(&["calm"]);
    assert_eq!(Inspector::open(&server).subjects(), ["Test storm"]);
    for _ in 0..4 {
        world.run(&[]).exit(2);
    }
    world.run(&[]).exit(0).says("set aside: ");
    world.assert_events(&["calm"]);
}

#[test]
fn the_limit_of_a_configuration_leaves_the_others_alone() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    deliver(
        &server,
        &[
            "Loud one",
            "Quiet one",
            "Loud two",
            "Quiet two",
            "Loud three",
        ],
    );
    let world = deleting(
        Ini::imap(server.imap)
            .rule(
                "SubjectLineMask=Loud (\\w+)\nMaxEventsPerRun=1\nEvent=$CONSOLE:DISPLAY,loud [[1]]",
            )
            .rule("SubjectLineMask=Quiet (\\w+)\nEvent=$CONSOLE:DISPLAY,quiet [[1]]"),
    );
    world
        .run(&[])
        .exit(2)
        .complains("[Configuration1] MaxEventsPerRun=1")
        .says("2 held back");
    world.assert_events(&["loud one", "quiet one", "quiet two"]);
    assert_eq!(
        Inspector::open(&server).subjects(),
        ["Loud two", "Loud three"]
    );
    world.run(&[]).exit(2).says("1 held back");
    world.run(&[]).exit(0);
    world.assert_events(&[
        "loud one",
        "quiet one",
        "quiet two",
        "loud two",
        "loud three",
    ]);
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
}
