//! Runs that die: no notice is lost in silence, none goes out twice.

use super::*;
use crate::harness::Ran;
use crate::harness::program::POINTS;

/// Dies at this point of its first run, with one accepted and one rejected mail. How many notices
/// the server has then, what the second run says, and how many it has after that.
fn dies_at(point: &str) -> (usize, Ran, usize) {
    let sink = Sink::start();
    let ini = with(&sink)
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,odd")
        .set("General", "DownloadEmails", "True")
        .set("General", "DeleteEmails", "All");
    let world = World::with_mails(&ini, &[Mail::new("Test one"), Mail::new("other")])
        .env("SMARTEMAIL_CRASH", point);
    world.run(&[]).killed();
    let first = sink.mails().len();
    let world = world.without_env("SMARTEMAIL_CRASH");
    let ran = world.run(&[]);
    ran.exit(0);
    let mails = sink.mails();
    world
        .run(&[])
        .exit(0)
        .never_says("notice")
        .says("0 mails looked at");
    assert_eq!(sink.mails().len(), mails.len(), "{point}");
    let mut events = world.events();
    events.sort();
    assert_eq!(
        events,
        [
            "$CONSOLE:DISPLAY,hit one",
            "$CONSOLE:DISPLAY,odd",
            "$JOB:ADD,a"
        ],
        "{point}"
    );
    (first, ran, mails.len())
}

#[test]
fn a_kill_before_a_notice_goes_out_loses_none_and_doubles_none() {
    for (point, _) in POINTS {
        let (first, ran, all) = dies_at(point);
        assert_eq!((first, all), (0, 2), "{point}");
        ran.says("2 notices sent");
    }
}

#[test]
fn a_kill_while_a_notice_goes_out_repeats_none() {
    for (point, sent) in [("notifying", 0), ("notified", 2)] {
        let (first, ran, all) = dies_at(point);
        assert_eq!((first, all), (sent, sent), "{point}");
        ran.complains("may have arrived and is not repeated")
            .says("0 notices sent, 2 unsure");
    }
    let (first, ran, all) = dies_at("noticed");
    assert_eq!((first, all), (2, 2));
    ran.without_complaint().never_says("notice");
}

#[test]
fn a_kill_between_two_groups_of_notices_keeps_the_others_for_the_next_run() {
    let sink = Sink::start();
    let mails: Vec<Mail> = (0..25)
        .map(|number| Mail::new(&format!("Test {number}")))
        .collect();
    let world = World::with_mails(&with(&sink), &mails).env("SMARTEMAIL_CRASH", "noticed:2");
    world.run(&[]).killed();
    assert_eq!(sink.mails().len(), 20);
    world
        .without_env("SMARTEMAIL_CRASH")
        .run(&[])
        .exit(0)
        .says("5 notices sent");
    let mut subjects: Vec<_> = sink
        .mails()
        .iter()
        .map(|mail| mail.header("Subject"))
        .collect();
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 25);
}
