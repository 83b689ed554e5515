//! Memory stays bounded whatever the mailbox holds.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

use harness::{Dovecot, Ini, Mail, Ran, World};

const NOON: u64 = 1_767_700_800;

/// The run never held more than this many MB.
#[track_caller]
fn assert_peak_below(ran: &Ran, megabytes: u64) {
    println!("peak {} kB after {:?}", ran.peak_kb, ran.took);
    assert!(
        (1..megabytes * 1024).contains(&ran.peak_kb),
        "{} kB",
        ran.peak_kb
    );
}

#[test]
fn ten_thousand_mails_with_two_hundred_megabytes_to_save_stay_below_64_mb() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let big = Mail::new("Test big")
        .text("wanted line\n")
        .attach("two megabytes.bin", &vec![0x5a; 2 << 20])
        .bytes();
    let small = Mail::new("Test small").text("wanted line\n").bytes();
    for batch in 0..10 {
        server.deliver_many(&small, NOON + batch, 990);
        server.deliver_many(&big, NOON + batch, 10);
    }
    let ini = Ini::imap(server.imap)
        .set("General", "DownloadEmails", "True")
        .rule("SubjectLineMask=^wanted\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,body")
        .rule("SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[ATTACHMENTNAME]]");
    let world = World::with(&ini).limit(Duration::from_secs(300));

    let ran = world.run(&[]);

    ran.exit(0);
    assert_eq!(world.event_files().len(), 10_000);
    assert_eq!(world.saved().len(), 10_100);
    assert_eq!(
        world
            .events()
            .iter()
            .filter(|event| event.ends_with("bytes.bin"))
            .count(),
        100
    );
    assert_peak_below(&ran, 64);
}

#[test]
fn a_pop3_mailbox_with_a_hundred_megabytes_to_read_and_save_stays_below_64_mb() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let big = Mail::new("Test big")
        .text("wanted line\n")
        .attach("two megabytes.bin", &vec![0x5a; 2 << 20])
        .bytes();
    let small = Mail::new("Test small").text("wanted line\n").bytes();
    for batch in 0..5 {
        server.deliver_many(&small, NOON + batch, 290);
        server.deliver_many(&big, NOON + batch, 10);
    }
    let ini = Ini::pop(server.pop)
        .set("General", "DownloadEmails", "True")
        .rule("SubjectLineMask=^wanted\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,body")
        .rule("SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[ATTACHMENTNAME]]");
    let world = World::with(&ini).limit(Duration::from_secs(300));

    let ran = world.run(&[]);

    ran.exit(0);
    assert_eq!(world.event_files().len(), 1500);
    assert_eq!(world.saved().len(), 1550);
    assert_peak_below(&ran, 64);
}

#[test]
fn millions_of_matches_in_one_mail_are_an_error_and_stay_below_100_mb() {
    let header = "From: ops@example.test\nSubject: lines\n\n";
    let mail = [header.as_bytes(), &b"a\n".repeat(15 << 19)].concat();
    for mask in ["(a)", "(?s)(a)(?:\\n)"] {
        let ini = Ini::folder()
            .set("General", "DeleteEmails", "All")
            .rule(&format!(
                "SubjectLineMask={mask}\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]"
            ));
        let world = World::with(&ini);
        world.mail("001.eml", &mail);
        let ran = world.run(&[]);
        ran.exit(2)
            .complains_in_one_line(&["[Configuration1]", "more than", "matches"]);
        assert_eq!(world.event_files(), [""; 0]);
        assert_eq!(world.mails_left(), ["001.eml"]);
        assert_peak_below(&ran, 100);
    }
}

#[test]
fn what_dozens_of_bodies_captured_is_not_kept_until_their_events_are_written() {
    let mail = Mail::new("!").text(&"word of the body\n".repeat(1 << 16));
    let ini = Ini::folder()
        .rule("SubjectLineMask=(?s)\\A(word)(.*)\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]");
    let world = World::with_mails(&ini, &vec![mail; 64]);
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,word"; 64]);
    assert_peak_below(&ran, 64);
}
