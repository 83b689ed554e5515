//! An IMAP mailbox: which mails are looked at, what becomes of them, and what is left alone.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::dovecot::Options;
use harness::{CountingProxy, Dovecot, Ini, Inspector, Mail, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

fn deleting(server: &Dovecot, which: &str) -> World {
    World::with(
        &Ini::imap(server.imap)
            .set("General", "DeleteEmails", which)
            .rule(RULE),
    )
}

/// The flags of every mail but those that say that it is gone.
fn flags(server: &Dovecot) -> Vec<Vec<String>> {
    Inspector::open(server)
        .mails()
        .into_values()
        .map(|mail| mail.flags)
        .collect()
}

#[test]
fn matching_mails_become_events_and_every_mail_gets_its_line() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let world = deleting(&server, "None");
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(
        world.events(),
        ["$CONSOLE:DISPLAY,one", "$CONSOLE:DISPLAY,three"]
    );
    assert_eq!(world.event_files().len(), 2, "one file for each mail");
    assert_eq!(
        (
            ran.lines_starting("accepted"),
            ran.lines_starting("rejected")
        ),
        (2, 1),
        "{ran}"
    );
    assert!(
        ran.stdout
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("summary:")),
        "{ran}"
    );
}

#[test]
fn nothing_sets_the_seen_flag() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let with_file = Mail::new("Test file")
        .text("Test body\n")
        .attach("a.txt", b"content");
    server.deliver(&with_file.bytes(), NOON);
    server.deliver_three(NOON);
    let proxy = CountingProxy::before(server.address, server.imap);
    let ini = Ini::imap(proxy.port)
        .set("General", "DownloadEmails", "True")
        .rule("SubjectLineMask=Test\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,body")
        .rule("SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,file");
    let world = World::with(&ini);
    world.run(&[]).exit(0);

    assert_eq!(flags(&server), [const { Vec::<String>::new() }; 4]);
    let traffic = proxy.traffic();
    assert_eq!(traffic.commands_with("\\Seen"), [""; 0]);
    let fetches = traffic.commands_with("BODY");
    assert!(!fetches.is_empty());
    assert!(
        fetches
            .iter()
            .all(|line| !line.replace("BODY.PEEK[", "").contains("BODY[")),
        "{fetches:?}"
    );
    assert_eq!(traffic.commands_with("RFC822.TEXT"), [""; 0]);
}

#[test]
fn delete_none_leaves_everything() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    deleting(&server, "None").run(&[]).exit(0);
    assert_eq!(
        Inspector::open(&server).subjects(),
        ["Test one", "other", "Test three"]
    );
    assert!(flags(&server).concat().is_empty());
}

#[test]
fn delete_match_takes_the_accepted_mails() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    deleting(&server, "Match").run(&[]).exit(0);
    assert_eq!(Inspector::open(&server).subjects(), ["other"]);
}

#[test]
fn delete_all_takes_every_mail_that_was_looked_at() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    deleting(&server, "All").run(&[]).exit(0);
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
}

#[test]
fn delete_match_is_the_default() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    World::with(
        &Ini::imap(server.imap)
            .unset("General", "DeleteEmails")
            .rule(RULE),
    )
    .run(&[])
    .exit(0);
    assert_eq!(Inspector::open(&server).subjects(), ["other"]);
}

#[test]
fn the_delete_switch_turns_none_into_match_and_leaves_all() {
    for (which, left) in [("None", 1), ("Match", 1), ("All", 0)] {
        let Some(server) = Dovecot::start() else {
            return;
        };
        server.deliver_three(NOON);
        deleting(&server, which).run(&["--delete"]).exit(0);
        assert_eq!(Inspector::open(&server).subjects().len(), left, "{which}");
    }
}

#[test]
fn mails_that_another_client_marked_as_deleted_are_never_expunged() {
    for capabilities in ["", "imap_capability = IMAP4rev1"] {
        let Some(server) = Dovecot::with(&Options {
            extra: capabilities,
            ..Options::default()
        }) else {
            return;
        };
        server.deliver_three(NOON);
        server.deliver(
            &Mail::new("marked by another client").bytes(),
            NOON - 86400 * 365,
        );
        Inspector::open(&server).flag(4, "\\Deleted");
        deleting(&server, "Match").run(&[]).exit(0);

        let mails = Inspector::open(&server).mails();
        assert!(mails.contains_key(&4), "with {capabilities:?}: {mails:?}");
        assert_eq!(mails[&2].flags, [""; 0], "with {capabilities:?}");
    }
}

#[test]
fn without_uidplus_own_mails_are_gone_or_marked_and_the_output_says_which() {
    let extra = "imap_capability = IMAP4rev1";
    let Some(server) = Dovecot::with(&Options {
        extra,
        ..Options::default()
    }) else {
        return;
    };
    server.deliver_three(NOON);
    server.deliver(&Mail::new("marked by another client").bytes(), NOON);
    Inspector::open(&server).flag(4, "\\Deleted");
    let world = deleting(&server, "Match");
    let ran = world.run(&[]);
    ran.exit(0);

    let mails = Inspector::open(&server).mails();
    let left_over = |uid| {
        mails
            .get(&uid)
            .is_some_and(|mail| !mail.flags.contains(&"\\Deleted".to_owned()))
    };
    assert!(!left_over(1) && !left_over(3), "{mails:?}");
    if mails.contains_key(&1) {
        assert!(ran.output().to_lowercase().contains("marked"), "{ran}");
    }
    world.run(&[]).exit(0);
    assert_eq!(
        world.events().len(),
        2,
        "a mail that could only be marked is not handled again"
    );
}

#[test]
fn a_second_run_handles_only_what_is_new() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let world = deleting(&server, "None");
    world.run(&[]).exit(0);
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(
        ran.lines_starting("accepted") + ran.lines_starting("rejected"),
        0,
        "{ran}"
    );
    assert_eq!(world.events().len(), 2);

    // Received before the others, but newly arrived: new is what was not handled yet.
    server.deliver(&Mail::new("Test late").bytes(), NOON - 7200);
    server.deliver(&Mail::new("Test next").bytes(), NOON + 60);
    world.run(&[]).exit(0);
    let expected = ["one", "three", "late", "next"].map(|word| format!("$CONSOLE:DISPLAY,{word}"));
    assert_eq!(world.events(), expected);
}

#[test]
fn mails_of_the_very_second_of_the_last_run_date_are_neither_lost_nor_doubled() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("Test one").bytes(), NOON);
    let world = deleting(&server, "None");
    world.run(&[]).exit(0);
    server.deliver(&Mail::new("Test two").bytes(), NOON);
    world.run(&[]).exit(0);
    assert_eq!(
        world.events(),
        ["$CONSOLE:DISPLAY,one", "$CONSOLE:DISPLAY,two"]
    );
}

#[test]
fn mails_received_before_the_last_run_date_are_not_looked_at() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("Test before").bytes(), NOON - 1);
    server.deliver(&Mail::new("Test on").bytes(), NOON);
    let ini = Ini::imap(server.imap)
        .set("General", "LastRunDate", "1/6/2026 12:00:00 PM")
        .rule(RULE);
    let world = World::with(&ini).env("TZ", "UTC");
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,on"]);
}

#[test]
fn an_edited_last_run_date_asks_to_process_from_there_again() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for (subject, received) in [
        ("Test old", NOON - 7200),
        ("Test one", NOON),
        ("Test two", NOON + 3600),
    ] {
        server.deliver(&Mail::new(subject).bytes(), received);
    }
    let world = deleting(&server, "None").env("TZ", "UTC");
    world.run(&[]).exit(0);
    assert!(
        world.ini_text().contains("LastRunDate=1/6/2026 1:00:00 PM"),
        "{}",
        world.ini_text()
    );
    world.write_ini(
        world
            .ini_text()
            .replace("1/6/2026 1:00:00 PM", "2026-01-06T12:00:00"),
    );
    world.run(&[]).exit(0);
    assert_eq!(
        world
            .events()
            .iter()
            .filter(|event| event.ends_with(",one"))
            .count(),
        2
    );
    assert_eq!(world.events().len(), 5, "{:?}", world.events());
    world.run(&[]).exit(0);
    assert_eq!(world.events().len(), 5, "the wish was granted once");
}

#[test]
fn received_is_the_time_of_the_server_and_not_what_the_mail_says() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let old = "Fri, 2 Jan 2004 03:00:00 +0000";
    server.deliver(&Mail::new("Test x").received(old).date(old).bytes(), NOON);
    let rule = format!("{RULE} [[RECEIVED]]\nAllowedTimeFrame=1200-1200");
    let world = World::with(&Ini::imap(server.imap).rule(&rule)).env("TZ", "UTC");
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,x 1/6/2026 12:00:00 PM"]);
}

#[test]
fn saved_mails_are_the_server_s_bytes() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let mail = Mail::new("Test saved")
        .text("Grüße\n.\n")
        .attach("data.bin", &[0, 13, 10, 255, 13])
        .bytes();
    server.deliver(&mail, NOON);
    let ini = Ini::imap(server.imap)
        .set("General", "DownloadEmails", "True")
        .rule(&format!("{RULE}\nProcessAttachments=True"));
    let world = World::with(&ini);
    world.run(&[]).exit(0);
    let saved = world.saved();
    let eml: Vec<_> = saved.iter().filter(|name| name.ends_with(".eml")).collect();
    assert_eq!((eml.len(), saved.len()), (1, 2), "{saved:?}");
    for name in &saved {
        let bytes = std::fs::read(world.path("Received").join(name)).unwrap();
        let expected = if name.ends_with(".eml") {
            mail.as_slice()
        } else {
            &[0, 13, 10, 255, 13]
        };
        assert_eq!(bytes, expected, "{name}");
    }
}

#[test]
fn a_mailbox_with_nothing_in_it_ends_with_the_code_for_no_match() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let world = World::with(
        &Ini::imap(server.imap)
            .set("General", "ExitCodeForNoMatchingEmails", "3")
            .rule(RULE),
    );
    world.run(&[]).exit(3).says("summary:");
    server.deliver(&Mail::new("other").bytes(), NOON);
    world.run(&[]).exit(3);
    server.deliver(&Mail::new("Test x").bytes(), NOON);
    world.run(&[]).exit(0);
}

#[test]
fn mails_stay_on_the_server_when_their_events_can_not_be_written() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_three(NOON);
    let world = deleting(&server, "All");
    std::fs::remove_dir(world.path("MSGIN")).unwrap();
    std::fs::write(world.path("MSGIN"), "not a folder").unwrap();
    world.run(&[]).exit(2).complains("MSGIN");
    assert_eq!(Inspector::open(&server).subjects().len(), 3);

    std::fs::remove_file(world.path("MSGIN")).unwrap();
    std::fs::create_dir(world.path("MSGIN")).unwrap();
    world.run(&[]).exit(0);
    assert_eq!(
        world.events(),
        ["$CONSOLE:DISPLAY,one", "$CONSOLE:DISPLAY,three"]
    );
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
}

#[test]
fn a_mail_refused_for_unsafe_text_stays_on_the_server() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver(&Mail::new("Test a,b").bytes(), NOON);
    server.deliver(&Mail::new("other").bytes(), NOON);
    let ini = Ini::imap(server.imap)
        .set("General", "DeleteEmails", "All")
        .rule("SubjectLineMask=Test (.+)\nEvent=$CONSOLE:DISPLAY,[[1]]");
    let world = World::with(&ini);
    world.run(&[]);
    assert_eq!(world.events(), [""; 0]);
    assert_eq!(Inspector::open(&server).subjects(), ["Test a,b"]);
}

#[test]
fn a_connection_that_breaks_anywhere_loses_nothing_and_doubles_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let words: Vec<_> = (0..40).map(|number| format!("word{number:02}")).collect();
    for word in &words {
        server.deliver(
            &Mail::new(&format!("Test {word}"))
                .text("more than one\n".repeat(50).as_str())
                .bytes(),
            NOON,
        );
    }
    let proxy = CountingProxy::before(server.address, server.imap);
    let ini = Ini::imap(proxy.port)
        .set("General", "DeleteEmails", "Match")
        .set("General", "DownloadEmails", "True")
        .set("Mail", "ReadTimeout", "00:00:05")
        .rule(RULE);
    let world = World::with(&ini);
    for bytes in (0..).map(|step| 50 + 700 * step) {
        proxy.cut_after(Some(bytes));
        let ran = world.run(&[]);
        if ran.code == Some(0) {
            break;
        }
        ran.exit(2).complains("localhost");
    }
    proxy.cut_after(None);
    world.run(&[]).exit(0);
    let mut events = world.events();
    events.sort();
    let expected: Vec<_> = words
        .iter()
        .map(|word| format!("$CONSOLE:DISPLAY,{word}"))
        .collect();
    assert_eq!(events, expected);
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
    assert_eq!(world.saved().len(), 40);
}
