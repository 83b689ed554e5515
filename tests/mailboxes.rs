//! What several INI files, mailboxes and ways to a mailbox share, and what they must not.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

#[cfg(unix)]
use harness::{CountingProxy, Dovecot};
use harness::{Ini, Mail, World};

const NAMED: &str = "SubjectLineMask=^(\\w+)$\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// A mail whose subject is one word, received at this clock time.
fn at(subject: &str, time: &str) -> Mail {
    Mail::new(subject).received(&format!("Tue, 6 Jan 2026 {time} +0000"))
}

/// The last words of the events, sorted.
#[track_caller]
fn words(world: &World) -> Vec<String> {
    let mut words: Vec<_> = world
        .events()
        .iter()
        .map(|event| event.rsplit(',').next().unwrap_or_default().to_owned())
        .collect();
    words.sort();
    words
}

#[test]
fn two_ini_files_with_one_msgin_never_overwrite_each_other_s_event_files() {
    let one = World::with(&Ini::folder().rule(NAMED));
    let msgin = one.place("MSGIN");
    let two = World::with(
        &Ini::folder()
            .set("General", "MSGINDirectory", &msgin)
            .rule(NAMED),
    );
    for round in 1..=40 {
        let name = format!("{round:03}.eml");
        for world in [&one, &two] {
            world.mail(&name, &at(&format!("round{round}"), "10:00:00").bytes());
        }
        // File names begin with the moment at which the run began: here it is often the same.
        let runs = [one.start(&[]), two.start(&[])];
        for run in runs {
            run.wait(Duration::from_secs(60)).exit(0);
        }
        assert_eq!(one.event_files().len(), 2 * round, "round {round}");
    }
}

#[test]
fn an_edited_last_run_date_holds_for_every_mailbox_of_the_ini_file() {
    let world = World::with(&Ini::folder().rule(NAMED)).env("TZ", "UTC");
    let [a, b] = ["A", "B"].map(|folder| format!("-folder:{}", world.place(folder)));
    let put = |folder: &str, subject: &str, time: &str| {
        std::fs::create_dir_all(world.path(folder)).unwrap();
        let file = world.path(folder).join(format!("{subject}.eml"));
        std::fs::write(file, at(subject, time).bytes()).unwrap();
    };
    for (folder, subject, time) in [
        ("B", "b1", "09:30:00"),
        ("B", "b2", "10:30:00"),
        ("A", "a1", "10:45:00"),
        ("A", "a2", "11:00:00"),
    ] {
        put(folder, subject, time);
    }
    for folder in [&b, &a] {
        world.run(&[folder]).exit(0);
    }
    assert_eq!(words(&world), ["a1", "a2", "b1", "b2"]);

    let edited = world
        .ini_text()
        .replace("1/6/2026 11:00:00 AM", "1/6/2026 10:00:00 AM");
    assert_ne!(edited, world.ini_text());
    world.write_ini(edited);
    put("B", "b3", "10:15:00");
    world.run(&[&a]).exit(0);
    assert_eq!(words(&world), ["a1", "a1", "a2", "a2", "b1", "b2"]);
    assert!(
        world
            .ini_text()
            .contains("LastRunDate=1/6/2026 11:00:00 AM"),
        "the run of A has written over what was asked for"
    );
    let all = ["a1", "a1", "a2", "a2", "b1", "b2", "b2", "b3"];
    world.run(&[&b]).exit(0);
    assert_eq!(words(&world), all);
    for folder in [&a, &b, &a] {
        world.run(&[folder]).exit(0);
    }
    assert_eq!(words(&world), all, "the wish was granted once");
}

#[cfg(unix)]
#[test]
fn a_mailbox_reached_through_another_port_is_the_same_mailbox() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for subject in ["one", "two"] {
        server.deliver(&Mail::new(subject).bytes(), 1_767_700_800);
    }
    let world = World::with(&Ini::imap(server.imap).rule(NAMED));
    world.run(&[]).exit(0);
    assert_eq!(words(&world), ["one", "two"]);

    let proxy = CountingProxy::before(server.address, server.imap);
    let ran = world.run(&[&format!("-port:{}", proxy.port)]);
    ran.exit(0);
    assert_eq!(proxy.traffic().connections, 1, "{ran}");
    assert_eq!(
        ran.lines_starting("accepted") + ran.lines_starting("rejected"),
        0,
        "{ran}"
    );
    assert_eq!(words(&world), ["one", "two"]);
}

#[test]
fn a_file_that_is_away_for_one_run_writes_its_events_once() {
    let world = World::with_mails(
        &Ini::folder().rule(NAMED),
        &[at("one", "10:00:00"), at("two", "11:00:00")],
    );
    world.run(&[]).exit(0);
    let (there, away) = (world.path("mails/001.eml"), world.path("away.eml"));
    std::fs::rename(&there, &away).unwrap();
    world.run(&[]).exit(0);
    std::fs::rename(&away, &there).unwrap();
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(ran.lines_starting("accepted"), 0, "{ran}");
    assert_eq!(words(&world), ["one", "two"]);
}

#[test]
fn a_journal_of_a_later_version_stops_the_run_before_anything_happens() {
    let world = World::with_mails(&Ini::folder().rule(NAMED), &[at("one", "10:00:00")]);
    world.run(&[]).exit(0);
    let path = world.path("SMArtEmail.state/journal");
    let mut journal = std::fs::read_to_string(&path).unwrap();
    // A sound record (its checksum is right) of a kind that does not exist yet.
    journal.push_str("d53fba8f {\"from-the-future\":{}}\n");
    std::fs::write(&path, &journal).unwrap();
    world.mail("002.eml", &at("two", "11:00:00").bytes());
    let ini = world.ini_bytes();
    for args in [&[][..], &["--explain"]] {
        world
            .run(args)
            .exit(2)
            .complains("another version")
            .complains(path.to_str().unwrap());
    }
    assert_eq!(words(&world), ["one"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), journal);
    assert_eq!(world.ini_bytes(), ini);
}
