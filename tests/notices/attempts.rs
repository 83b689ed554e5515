//! What becomes of a notice that can't be sent.

use super::*;
use crate::harness::sink::Mood;

#[test]
fn a_server_that_is_away_holds_nothing_up_and_gets_the_notices_later() {
    let sink = Sink::start();
    for mood in [Mood::Away, Mood::Busy] {
        sink.behave(mood);
        let ini = with(&sink).set("General", "DeleteEmails", "Match");
        let world = World::with_mails(&ini, &["Test one", "Test two", "other"].map(Mail::new));
        let ran = world.run(&[]);
        ran.exit(2)
            .complains("tried again in later runs")
            .says("0 notices sent, 3 failed");
        assert_eq!(world.events().len(), 4);
        assert_eq!(world.mails_left(), ["003.eml"]);

        sink.behave(Mood::Willing);
        world
            .run(&[])
            .exit(0)
            .says("0 mails looked at")
            .says("3 notices sent");
        let mut subjects: Vec<_> = sink
            .take_mails()
            .iter()
            .map(|mail| mail.header("Subject"))
            .collect();
        subjects.sort();
        assert_eq!(subjects.len(), 3);
        assert!(subjects[2].ends_with("other"), "{subjects:?}");
        world.run(&[]).exit(0).never_says("notice");
    }
}

#[test]
fn a_server_that_is_away_is_told_of_in_one_line_and_asked_once() {
    let sink = Sink::start();
    sink.behave(Mood::Away);
    let mails: Vec<Mail> = (0..35)
        .map(|number| Mail::new(&format!("Test {number}")))
        .collect();
    let world = World::with_mails(&with(&sink), &mails);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["notices can't be sent", "35 notices wait"])
        .says("35 failed");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    assert!(sink.connections() <= 2, "{}", sink.connections());
}

#[test]
fn a_notice_that_could_not_be_sent_for_a_day_is_given_up() {
    let sink = Sink::start();
    sink.behave(Mood::Busy);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world.run(&[]).exit(2);
    world.age_notices(24 * HOUR - 60);
    world.run(&[]).exit(2).complains("tried again");
    world.age_notices(120);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["ops@example.test", "Test one", "given up"]);
    sink.behave(Mood::Willing);
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails(), []);
}

#[test]
fn a_recipient_that_is_refused_for_good_is_named_and_not_tried_again() {
    let sink = Sink::start();
    let ini = with(&sink).set("Audit", "NotifyOnAcceptTo", "reject@example.test");
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["reject@example.test", "for good", "unknown"])
        .says("0 notices sent, 1 failed");
    sink.behave(Mood::Meek);
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails(), []);
}

#[test]
fn those_who_were_refused_for_now_alone_are_tried_again() {
    let sink = Sink::start();
    let list = "reject@example.test;temp@example.test;ops@example.test";
    let ini = with(&sink).set("Audit", "NotifyOnAcceptTo", list);
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(2)
        .complains("reject@example.test was refused for good")
        .complains("not now")
        .says("1 notice sent");
    let first = sink.take_one();
    assert_eq!(first.to, ["ops@example.test"]);
    sink.behave(Mood::Meek);
    world.run(&[]).exit(0).says("1 notice sent");
    let second = sink.take_one();
    assert_eq!(second.to, ["temp@example.test"]);
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
    assert_eq!(first.header("Date"), second.header("Date"));
    world.run(&[]).exit(0).never_says("notice");
}

#[test]
fn a_lost_answer_is_told_of_and_the_notice_not_repeated() {
    let sink = Sink::start();
    sink.behave(Mood::Speechless);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(0)
        .complains_in_one_line(&["warning: ", "ops@example.test", "not repeated"])
        .says("1 unsure");
    sink.behave(Mood::Willing);
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails().len(), 1);
}

#[test]
fn a_mailbox_that_is_out_of_order_keeps_no_notice_back() {
    let sink = Sink::start();
    sink.behave(Mood::Busy);
    let world = World::with_mails(&with(&sink), &[Mail::new("Test one")]);
    world.run(&[]).exit(2);
    sink.behave(Mood::Willing);
    std::fs::rename(world.path("mails"), world.path("gone")).unwrap();
    world.run(&[]).exit(2).complains("[Mail] Folder");
    sink.take_one();
}
