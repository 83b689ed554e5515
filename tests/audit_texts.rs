//! The texts of `[Audit]`: what each token stands for in each of them, and the log of the events.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, Sink, World};

const HIT: &str = "SubjectLineMask=Test (?<word>\\w+)\nEvent=$CONSOLE:DISPLAY,hit [[1]]";
/// Every token that there is, one of the file, one of OpCon and one of nobody.
const ALL: &str = "[[SENDER]]|[[SUBJECT]]|[[DATE]]|[[RECEIVED]]|[[MESSAGEID]]|[[CONFIGURATION]]|\
                   [[ATTACHMENTNAME]]|[[ATTACHMENT]]|[[EMAILFILE]]|[[1]]|[[word]]|[[REASON]]|[[EVENT]]|\
                   [[TEAM]]|[[$NOW]]|[[NOBODY]]";

fn ini() -> Ini {
    Ini::folder().set("Audit", "LogOpConEvents", "True").set(
        "Audit",
        "OpConEventLogFile",
        "events.log",
    )
}

/// Everything is logged and told, each text with every token.
fn all_texts(sink: &Sink) -> Ini {
    let ini = ini()
        .smtp(sink.port)
        .set("Tokens", "TEAM", "the [[NIGHT]] team")
        .set("Tokens", "NIGHT", "night");
    let switches = [
        "LogAccepts",
        "LogRejects",
        "NotifyOnAccepts",
        "NotifyOnRejects",
    ];
    let ini = switches
        .iter()
        .fold(ini, |ini, key| ini.set("Audit", key, "True"));
    let texts = [
        "LogAcceptFormat",
        "LogRejectFormat",
        "LogOpConEventFormat",
        "NotifyOnAcceptSubject",
        "NotifyOnAcceptBody",
        "NotifyOnRejectSubject",
        "NotifyOnRejectBody",
    ];
    texts
        .iter()
        .fold(ini, |ini, key| ini.set("Audit", key, ALL))
}

/// The mail of these tests: sent at eleven, received at noon.
fn mail(subject: &str) -> Mail {
    Mail::new(subject)
        .date("Tue, 06 Jan 2026 11:00:00 +0000")
        .header("Message-ID: <7@example.test>")
}

/// The lines of a log without their time stamps.
fn lines(world: &World, log: &str) -> Vec<String> {
    let text = world.read(log);
    let stamp = "2026-01-01 00:00:00 ".len();
    text.lines()
        .map(|line| line.chars().skip(stamp).collect())
        .collect()
}

#[test]
fn every_token_in_every_text_on_an_accepted_mail() {
    let sink = Sink::start();
    let ini = all_texts(&sink)
        .set("General", "DownloadEmails", "True")
        .set(
            "Audit",
            "NotifyOnAcceptTo",
            "[[word]]@example.test;[[SENDER]]",
        )
        .rule(&format!(
            "{HIT}\nProcessAttachments=True\nAttachmentMask=report"
        ));
    let mail = mail("Test one").attach("report.csv", b"1;2");
    let world = World::with_mails(&ini, &[mail]).env("TZ", "UTC");
    world.run(&[]).exit(0);
    let saved = |end: &str| {
        let files = world.tree().files();
        let name = files
            .iter()
            .find(|name| name.starts_with("Received/") && name.ends_with(end));
        world.place(name.expect(end))
    };
    let expected = format!(
        "ops@example.test|Test one|1/6/2026 11:00:00 AM|1/6/2026 12:00:00 PM|<7@example.test>|1|report.csv|{}|{}|one|one||\
         $CONSOLE:DISPLAY,hit one|the night team|[[$NOW]]|[[NOBODY]]",
        saved("report.csv"),
        saved(".eml")
    );
    assert_eq!(lines(&world, "Audit.log"), [expected.as_str()]);
    assert_eq!(lines(&world, "events.log"), [expected.as_str()]);
    let notice = sink.take_one();
    assert_eq!(notice.body().trim_end(), expected);
    assert_eq!(notice.header("Subject"), expected);
    assert_eq!(notice.to, ["one@example.test", "ops@example.test"]);
}

#[test]
fn every_token_in_every_text_on_a_rejected_mail() {
    let sink = Sink::start();
    let ini = all_texts(&sink)
        .set("Audit", "RejectSenderMessage", "[[TEAM]] says no")
        .set(
            "Audit",
            "RejectEvent",
            "$CONSOLE:DISPLAY,[[REASON]] [[CONFIGURATION]] [[SUBJECT]]",
        )
        .rule("SubjectLineMask=never\nEvent=$CONSOLE:DISPLAY,no")
        .rule(&format!("{HIT}\nAllowedSenders=boss@example.test"));
    let world = World::with_mails(&ini, &[mail("Test one")]).env("TZ", "UTC");
    world.run(&[]).exit(0);
    let event = "$CONSOLE:DISPLAY,the night team says no 2 Test one";
    assert_eq!(world.events(), [event]);
    // Nothing was captured and nothing saved.
    let expected = format!(
        "ops@example.test|Test one|1/6/2026 11:00:00 AM|1/6/2026 12:00:00 PM|<7@example.test>|2||||[[1]]|[[word]]|\
         the night team says no|{event}|the night team|[[$NOW]]|[[NOBODY]]"
    );
    assert_eq!(lines(&world, "Audit.log"), [expected.as_str()]);
    assert_eq!(lines(&world, "events.log"), [expected.as_str()]);
    let notice = sink.take_one();
    assert_eq!(notice.body().trim_end(), expected);
    assert_eq!(notice.header("Subject"), expected);
}

#[test]
fn an_event_is_logged_with_what_its_own_match_captured() {
    let ini = ini()
        .set("Audit", "LogOpConEventFormat", "[[CONFIGURATION]] [[1]] [[ATTACHMENTNAME]] [[EVENT]]")
        .rule("SubjectLineMask=Test (\\w+)\nProcessBody=YES\nEvent=$JOB:ADD,a\nEvent2=$JOB:ADD,b")
        .rule("SubjectLineMask=Test\nProcessAttachments=True\nAttachmentMask=(.)\\.csv\nEvent=$JOB:ADD,c");
    let mail = Mail::new("Test one")
        .text("Test two\n")
        .attach("x.csv", b"1")
        .attach("y.csv", b"2");
    let world = World::with_mails(&ini, &[mail]);
    world.run(&[]).exit(0);
    assert_eq!(
        lines(&world, "events.log"),
        [
            "1 one  $JOB:ADD,a",
            "1 one  $JOB:ADD,b",
            "1 two  $JOB:ADD,a",
            "1 two  $JOB:ADD,b",
            "2 x x.csv $JOB:ADD,c",
            "2 y y.csv $JOB:ADD,c",
        ]
    );
}

#[test]
fn events_are_logged_without_credentials() {
    let ini = ini().rule(&format!("{HIT}\nEvent2=$JOB:ADD,a,b"));
    let world = World::with_mails(&ini, &[Mail::new("Test it")]);
    world.run(&[]).exit(0);
    let log = world.read("events.log");
    assert_eq!(log.lines().count(), 2, "{log}");
    for (line, event) in log.lines().zip(["$CONSOLE:DISPLAY,hit it", "$JOB:ADD,a,b"]) {
        assert!(
            line.contains(&format!("Generated Event: {event}")) && line.ends_with(event),
            "{line}"
        );
    }
}

#[test]
fn a_log_of_events_without_a_file_is_told_and_holds_nothing_up() {
    let ini = ini().unset("Audit", "OpConEventLogFile").rule(HIT);
    let world = World::with_mails(&ini, &[Mail::new("Test it")]);
    world
        .run(&[])
        .exit(0)
        .complains_in_one_line(&["[Audit] LogOpConEvents", "OpConEventLogFile names no file"]);
    assert_eq!(world.events().len(), 1);
}

#[test]
fn a_value_that_can_not_be_read_is_an_error_and_the_default_counts() {
    for (key, value) in [
        ("LogAccepts", "perhaps"),
        ("LogRejects", "perhaps"),
        ("LogOpConEvents", "perhaps"),
        ("NotifyOnAccepts", "perhaps"),
        ("NotifyOnRejects", "perhaps"),
        ("NotifyLimitPerSenderPerHour", "1001"),
        ("NotifyFrom", "nobody"),
        ("RejectSenderMessage", "[[LOOP]]"),
        ("LogAcceptFormat", "[[LOOP]]"),
    ] {
        let ini = ini()
            .set("Tokens", "LOOP", "[[LOOP]]")
            .set("Audit", key, value)
            .rule(HIT);
        let world = World::with_mails(&ini, &["Test it", "other"].map(Mail::new));
        world.run(&[]).exit(2).complains(&format!("[Audit] {key}"));
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit it"], "{key}");
    }
}
