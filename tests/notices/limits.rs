//! How many rejections bring a notice within an hour.

use super::*;
use crate::harness::sink::Mood;

#[test]
fn a_sender_is_told_of_one_rejection_an_hour() {
    let sink = Sink::start();
    let rejected = |number: usize| Mail::new(&format!("other {number}"));
    let other = Mail::new("other").from("else@example.test");
    let mails = [
        rejected(1),
        rejected(2),
        other,
        Mail::new("Test x"),
        Mail::new("Test y"),
    ];
    let world = World::with_mails(&with(&sink), &mails);
    world.run(&[]).exit(0).says("4 notices sent, 1 suppressed");
    sink.take_mails();

    world.mail("3.eml", &rejected(3).bytes());
    world.run(&[]).exit(0).says("0 notices sent, 1 suppressed");
    world.age_notices(HOUR - 60);
    world.mail("4.eml", &rejected(4).from("OPS@example.test").bytes());
    world.run(&[]).exit(0).says("0 notices sent, 1 suppressed");
    world.age_notices(120);
    world.mail("5.eml", &rejected(5).bytes());
    world.run(&[]).exit(0).says("1 notice sent");
    assert!(sink.take_one().header("Subject").ends_with("other 5"));
}

#[test]
fn the_limit_can_be_set() {
    for (limit, sent) in [("0", 0), ("3", 3)] {
        let sink = Sink::start();
        let ini = with(&sink).set("Audit", "NotifyLimitPerSenderPerHour", limit);
        let mails: Vec<Mail> = (0..4).map(|_| Mail::new("other")).collect();
        let world = World::with_mails(&ini, &mails);
        world
            .run(&[])
            .exit(0)
            .says(&format!("{sent} notices sent, {} suppressed", 4 - sent));
        assert_eq!(sink.mails().len(), sent);
    }
}

/// As many forged senders as somebody likes bring as many notices as the administrator likes.
#[test]
fn all_senders_together_have_a_limit() {
    let sink = Sink::start();
    let rejected = |number: usize| Mail::new("other").from(&format!("u{number}@example.test"));
    let mut mails: Vec<Mail> = (0..9).map(rejected).collect();
    mails.extend(["Test x", "Test y"].map(Mail::new));
    let ini = with(&sink).set("Audit", "NotifyLimitPerHour", "5");
    let world = World::with_mails(&ini, &mails);
    world
        .run(&["--explain"])
        .exit(0)
        .says("no notice: as many rejections as NotifyLimitPerHour allows have brought one");
    let ran = world.run(&[]);
    ran.exit(0)
        .says("7 notices sent, 4 suppressed")
        .complains_in_one_line(&["warning: ", "4 rejections", "[Audit] NotifyLimitPerHour=5"]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    sink.take_mails();

    world.age_notices(HOUR - 60);
    world.mail("later.eml", &rejected(9).bytes());
    world
        .run(&[])
        .exit(0)
        .complains("1 rejection ")
        .says("0 notices sent, 1 suppressed");
    world.age_notices(120);
    world.mail("last.eml", &rejected(10).bytes());
    world.run(&[]).exit(0).without_complaint();
    assert_eq!(sink.take_one().to, ["u10@example.test"]);
}

#[test]
fn all_senders_together_have_a_hundred_an_hour() {
    let sink = Sink::start();
    let rejected = |number| Mail::new("other").from(&format!("u{number}@example.test"));
    let mails: Vec<Mail> = (0..103).map(rejected).collect();
    World::with_mails(&with(&sink), &mails)
        .run(&[])
        .exit(0)
        .says("100 notices sent, 3 suppressed");
}

/// What waits takes no more than 16 MiB: with texts of the greatest length not quite a thousand.
#[test]
fn those_that_are_too_many_to_wait_are_counted() {
    let sink = Sink::start();
    sink.behave(Mood::Away);
    let ini = with(&sink).set("Audit", "NotifyOnAcceptBody", &"x".repeat(20_000));
    let mails = (1..=1000).map(|number| Mail::new(&format!("Test {number}")));
    let world = World::with_mails(&ini, &mails.collect::<Vec<_>>());
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["brought no notice", "too many wait to be sent"])
        .says("no notice: ops@example.test \"Test 999\": too many wait to be sent");
    let left_out = ran.lines_starting("no notice: ");
    let told = format!("{left_out} mails brought no notice");
    let waiting = 1000 - left_out;
    ran.complains(&told)
        .complains(&format!("{waiting} notices wait"))
        .says(&format!("{waiting} failed, {left_out} suppressed"));
    assert!((2..50).contains(&left_out), "{left_out}");
    assert_eq!(ran.stderr.lines().count(), 2, "{ran}");
}
