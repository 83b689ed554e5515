//! Memory stays bounded whatever the mailbox holds.
#![cfg(target_os = "linux")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

use harness::{Dovecot, Ini, Mail, World};

const NOON: u64 = 1_767_700_800;

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
    println!("peak {} kB after {:?}", ran.peak_kb, ran.took);
    assert!((1..64 * 1024).contains(&ran.peak_kb), "{} kB", ran.peak_kb);
}
