//! One run after the other: exit codes, what is new, the date of the last run, one run at a
//! time, and what a kill leaves behind.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{Ini, Mail, RudeServer, World};

const HIT: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";
const NAMED: &str = "SubjectLineMask=^(\\w+)$\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// A mail whose subject is one word, received at this clock time.
fn at(subject: &str, time: &str) -> Mail {
    Mail::new(subject).received(&format!("Tue, 6 Jan 2026 {time} +0000"))
}

#[test]
fn the_exit_code_says_whether_a_mail_matched() {
    for (code, subject, expected) in [
        ("", "Test", 0),
        ("", "other", 0),
        ("3", "Test", 0),
        ("3", "other", 3),
        ("0", "other", 0),
    ] {
        let ini = Ini::folder()
            .set("General", "ExitCodeForNoMatchingEmails", code)
            .rule(HIT);
        World::with_mails(&ini, &[Mail::new(subject)])
            .run(&[])
            .exit(expected);
    }
}

#[test]
fn an_empty_folder_is_no_match_and_no_failure() {
    let world = World::with(
        &Ini::folder()
            .set("General", "ExitCodeForNoMatchingEmails", "5")
            .rule(HIT),
    );
    world.run(&[]).exit(5).without_complaint().says("summary:");
}

#[test]
fn a_folder_that_does_not_exist_is_a_failure_that_names_it() {
    let world = World::with(
        &Ini::folder()
            .set("Mail", "Folder", "{root}/no such folder")
            .rule(HIT),
    );
    world.run(&[]).exit(2).complains("no such folder");
}

#[test]
fn the_summary_counts() {
    let world = World::with_mails(
        &Ini::folder().rule(HIT),
        &["Test", "other", "Test", "Test"].map(Mail::new),
    );
    let ran = world.run(&[]);
    ran.exit(0);
    let summary = ran.stdout.lines().last().unwrap_or_default();
    assert!(summary.starts_with("summary:"), "{ran}");
    for number in ["4", "3", "1"] {
        assert!(
            summary
                .split(|letter: char| !letter.is_ascii_digit())
                .any(|word| word == number),
            "{number} in {summary}"
        );
    }
}

#[test]
fn a_second_run_looks_only_at_what_is_new() {
    let world = World::with_mails(
        &Ini::folder().rule(NAMED),
        &[at("one", "10:00:00"), at("two", "11:00:00")],
    );
    world.run(&[]).exit(0);
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(ran.lines_starting("accepted"), 0, "{ran}");
    world.mail("003.eml", &at("three", "12:00:00").bytes());
    world.mail("004.eml", &at("again", "11:00:00").bytes());
    world.run(&[]).exit(0);
    let events: BTreeSet<_> = world.events().into_iter().collect();
    assert_eq!((events.len(), world.events().len()), (4, 4));
}

#[test]
fn the_last_run_date_is_the_time_of_the_newest_mail() {
    let world = World::with_mails(
        &Ini::folder().rule(NAMED),
        &[
            at("one", "15:30:05"),
            at("not this", "18:00:00"),
            at("two", "11:00:00"),
        ],
    )
    .env("TZ", "UTC");
    world.run(&[]).exit(0);
    assert!(
        world.ini_text().contains("LastRunDate=1/6/2026 6:00:00 PM"),
        "{}",
        world.ini_text()
    );
}

#[test]
fn mails_received_on_or_after_the_last_run_date_are_looked_at() {
    for date in [
        "1/6/2026 11:00:00 AM",
        "2026-01-06T11:00:00",
        "2026-01-06 11:00:00",
        "01/06/2026 11:00:00 am",
    ] {
        let ini = Ini::folder()
            .set("General", "LastRunDate", date)
            .rule(NAMED);
        let mails = [
            at("before", "10:59:59"),
            at("on", "11:00:00"),
            at("after", "11:00:01"),
        ];
        let world = World::with_mails(&ini, &mails).env("TZ", "UTC");
        world.run(&[]).exit(0);
        world.assert_events(&["on", "after"]);
    }
}

// The zone is changed by TZ, which Windows' own functions for the time don't look at.
#[cfg(unix)]
#[test]
fn the_last_run_date_is_read_in_local_time() {
    let ini = Ini::folder()
        .set("General", "LastRunDate", "1/6/2026 2:00:00 PM")
        .rule(NAMED);
    let world = World::with_mails(&ini, &[at("before", "10:59:59"), at("on", "11:00:00")])
        .env("TZ", "EAS-3");
    world.run(&[]).exit(0);
    world.assert_events(&["on"]);
}

#[test]
fn a_last_run_date_that_is_none_stops_the_run() {
    let world = World::with_mails(
        &Ini::folder()
            .set("General", "LastRunDate", "some day")
            .rule(HIT),
        &[Mail::new("Test")],
    );
    world
        .run(&[])
        .exit(2)
        .complains("LastRunDate")
        .complains("SMArtEmail.ini:");
    assert_eq!(world.event_files(), [""; 0]);
}

#[test]
fn an_edited_last_run_date_is_a_request_to_process_from_there_again() {
    let world = World::with_mails(
        &Ini::folder().rule(NAMED),
        &[at("one", "10:00:00"), at("two", "11:00:00")],
    )
    .env("TZ", "UTC");
    world.run(&[]).exit(0);
    world.write_ini(
        world
            .ini_text()
            .replace("1/6/2026 11:00:00 AM", "1/6/2026 10:30:00 AM"),
    );
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two", "two"]);
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two", "two"]);
}

#[test]
fn a_cleared_last_run_date_asks_for_everything_again() {
    let world = World::with_mails(
        &Ini::folder().rule(NAMED),
        &[at("one", "10:00:00"), at("two", "11:00:00")],
    )
    .env("TZ", "UTC");
    world.run(&[]).exit(0);
    world.write_ini(world.ini_text().replace("1/6/2026 11:00:00 AM", ""));
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two", "one", "two"]);
}

#[test]
fn without_use_last_run_date_the_date_is_neither_read_nor_written() {
    let ini = Ini::folder()
        .set("General", "UseLastRunDate", "False")
        .set("General", "LastRunDate", "1/6/2026 11:00:00 AM")
        .rule(NAMED);
    let world =
        World::with_mails(&ini, &[at("one", "10:00:00"), at("two", "12:00:00")]).env("TZ", "UTC");
    let before = world.ini_bytes();
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two"]);
    assert_eq!(world.ini_bytes(), before);
}

#[test]
fn a_second_run_at_the_same_time_ends_at_once_and_says_who_is_at_work() {
    let server = RudeServer::silent();
    let world = World::with(
        &Ini::imap(server.port)
            .set("Mail", "ReadTimeout", "00:00:30")
            .rule(HIT),
    );
    let first = world.start(&[]);
    while server.connections() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let ran = world.run(&[]);
    ran.exit(2).complains(&first.id().to_string());
    assert!(ran.took < Duration::from_secs(5), "{ran}");
    assert_eq!(server.connections(), 1);
    // A lock never goes stale: the first is killed, and the next one runs.
    drop(first);
    assert_eq!(server.connections(), 1);
    let next = world.start(&[]);
    while server.connections() == 1 {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(next);
}

/// A run over these mails that is killed again and again, later each time, until one gets
/// through; then one more.
#[track_caller]
fn killed_again_and_again(mails: &[Mail]) -> World {
    let ini = Ini::folder()
        .set("General", "DeleteEmails", "Match")
        .set("General", "DownloadEmails", "True")
        .rule(NAMED);
    let world = World::with_mails(&ini, mails);
    let mut delay = Duration::from_millis(2);
    let mut kills = 0;
    while world.run_killed_after(&[], delay).code.is_none() {
        kills += 1;
        delay += delay / 7 + Duration::from_millis(1);
    }
    println!("killed {kills} times");
    assert!(kills > 1, "the program was never killed");
    world.run(&[]).exit(0);
    world
}

#[test]
fn a_kill_at_any_time_loses_nothing_and_doubles_nothing() {
    let subjects: Vec<_> = (0..120).map(|number| format!("mail{number:03}")).collect();
    let mails: Vec<_> = subjects
        .iter()
        .map(|subject| at(subject, "10:00:00"))
        .collect();
    let world = killed_again_and_again(&mails);
    let mut events = world.events();
    events.sort();
    let expected: Vec<_> = subjects
        .iter()
        .map(|subject| format!("$CONSOLE:DISPLAY,{subject}"))
        .collect();
    assert_eq!(events, expected);
    assert_eq!(world.mails_left(), [""; 0]);
    let saved: BTreeSet<_> = world
        .saved()
        .iter()
        .map(|name| world.read(&format!("Received/{name}")))
        .collect();
    let unsaved = mails
        .iter()
        .filter(|mail| !saved.contains(&String::from_utf8_lossy(&mail.bytes()).into_owned()));
    assert_eq!(unsaved.count(), 0, "every accepted mail has its copy");
}

#[test]
fn what_a_killed_run_left_half_written_is_gone_after_the_next() {
    let mails: Vec<_> = (0..120)
        .map(|number| at(&format!("mail{number}"), "10:00:00"))
        .collect();
    let world = killed_again_and_again(&mails);
    let whole: BTreeSet<_> = mails
        .iter()
        .map(|mail| String::from_utf8_lossy(&mail.bytes()).into_owned())
        .collect();
    let half = |name: &String| !whole.contains(&world.read(&format!("Received/{name}")));
    let left: Vec<_> = world.saved().into_iter().filter(half).collect();
    assert_eq!(left, [""; 0]);
    let state = world
        .tree()
        .files()
        .into_iter()
        .filter(|name| name.contains(".staging") || name.contains(".tmp"));
    assert_eq!(state.count(), 0, "{}", world.tree());
}

#[test]
fn two_mailboxes_of_one_ini_file_do_not_disturb_each_other() {
    let world = World::with(&Ini::folder().rule(NAMED));
    for (folder, subject, time) in [("first", "one", "10:00:00"), ("second", "two", "11:00:00")] {
        std::fs::create_dir(world.path(folder)).unwrap();
        std::fs::write(world.path(folder).join("a.eml"), at(subject, time).bytes()).unwrap();
    }
    // Each run writes its own LastRunDate, which is no wish of a user's to the other one.
    for folder in ["first", "second", "first", "second", "first"] {
        world.run(&[&format!("-folder:{}", world.place(folder))]);
    }
    world.assert_events(&["one", "two"]);
}

#[test]
fn a_maildir_is_a_folder_of_mails() {
    let world = World::with(
        &Ini::folder()
            .set("General", "DeleteEmails", "Match")
            .rule(NAMED),
    );
    for name in ["cur", "new", "tmp"] {
        std::fs::create_dir(world.path("mails").join(name)).unwrap();
    }
    world.mail("new/1.a.host", &at("one", "10:00:00").bytes());
    world.mail("cur/2.a.host:2,S", &at("two", "11:00:00").bytes());
    world.mail("cur/3.a.host:2,", &Mail::new("not this").bytes());
    world.mail("tmp/4.a.host", &at("half", "12:00:00").bytes());
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two"]);
    assert_eq!(world.mails_left(), ["cur/3.a.host:2,", "tmp/4.a.host"]);
}

#[test]
fn an_mbox_is_a_folder_of_mails() {
    let world = World::with(
        &Ini::folder()
            .set("Mail", "Folder", "{root}/box")
            .set("General", "DownloadEmails", "True")
            .rule(NAMED),
    );
    let quoted = at("two", "11:00:00")
        .text("From here on\n>From there\n")
        .bytes();
    let quoted = String::from_utf8(quoted)
        .unwrap()
        .replace("\r\nFrom here", "\r\n>From here")
        .replace("\r\n>From there", "\r\n>>From there");
    let one = String::from_utf8(at("one", "10:00:00").bytes()).unwrap();
    let text = format!("From a@example.test Tue Jan  6 10:00:00 2026\n{one}\n\nFrom b@example.test Tue Jan  6 11:00:00 2026\n{quoted}\n").replace("\r\n", "\n");
    std::fs::write(world.path("box"), &text).unwrap();
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two"]);
    world.run(&[]).exit(0);
    world.assert_events(&["one", "two"]);
    assert_eq!(world.read("box"), text, "nothing is deleted by default");
}
