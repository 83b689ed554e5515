//! Rejections and the logs: which reason counts, and what is written where.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, Ran, World};

const SUBJECT: &str = "No matching subjects found";
const SENDER: &str = "Invalid Sender";
const TIME: &str = "Message received outside timeframe";
const ATTACHMENT: &str = "No matching attachments found";

/// A configuration that rejects for the reason of its name, once its subject has matched.
const WRONG_SENDER: &str =
    "SubjectLineMask=Test\nAllowedSenders=boss@example.test\nEvent=$CONSOLE:DISPLAY,no";
const WRONG_TIME: &str =
    "SubjectLineMask=Test\nAllowedTimeFrame=1300-1400\nEvent=$CONSOLE:DISPLAY,no";
const NO_ATTACHMENT: &str =
    "SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,no";
const HIT: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

fn with(rules: &[&str]) -> Ini {
    let ini = Ini::folder().set(
        "Audit",
        "RejectEvent",
        "$CONSOLE:DISPLAY,rejected: [[REASON]]",
    );
    rules.iter().fold(ini, |ini, rule| ini.rule(rule))
}

fn run(ini: &Ini, mails: &[Mail]) -> (World, Ran) {
    let world = World::with_mails(ini, mails).env("TZ", "UTC");
    let ran = world.run(&[]);
    (world, ran)
}

/// One mail with these configurations is rejected for this reason, once.
#[track_caller]
fn assert_rejected(rules: &[&str], mail: Mail, reason: &str) {
    let (world, ran) = run(&with(rules), &[mail]);
    ran.exit(0);
    assert_eq!(
        world.events(),
        [format!("$CONSOLE:DISPLAY,rejected: {reason}")]
    );
    assert_eq!(
        (
            ran.lines_starting("accepted"),
            ran.lines_starting("rejected")
        ),
        (0, 1),
        "{ran}"
    );
}

#[test]
fn a_mail_is_rejected_for_the_reason_of_the_configuration_whose_subject_matched() {
    assert_rejected(&[WRONG_SENDER], Mail::new("Test"), SENDER);
    assert_rejected(&[WRONG_TIME], Mail::new("Test"), TIME);
    assert_rejected(&[NO_ATTACHMENT], Mail::new("Test"), ATTACHMENT);
    assert_rejected(
        &[&format!("{NO_ATTACHMENT}\nAttachmentMask=x")],
        Mail::new("Test").attach("y", b"1"),
        ATTACHMENT,
    );
}

#[test]
fn a_mail_that_no_configuration_wants_is_rejected_for_its_subject() {
    assert_rejected(
        &[WRONG_SENDER, WRONG_TIME, NO_ATTACHMENT],
        Mail::new("other"),
        SUBJECT,
    );
}

#[test]
fn the_first_configuration_whose_subject_matched_decides() {
    let other =
        "SubjectLineMask=other\nAllowedSenders=boss@example.test\nEvent=$CONSOLE:DISPLAY,no";
    assert_rejected(&[other, WRONG_TIME, WRONG_SENDER], Mail::new("Test"), TIME);
    assert_rejected(
        &[other, NO_ATTACHMENT, WRONG_TIME],
        Mail::new("Test"),
        ATTACHMENT,
    );
    assert_rejected(
        &[WRONG_SENDER, WRONG_TIME, other],
        Mail::new("Test"),
        SENDER,
    );
}

#[test]
fn a_matching_body_counts_like_a_matching_subject() {
    let rule = format!("{WRONG_TIME}\nProcessBody=YES");
    assert_rejected(&[&rule], Mail::new("x").text("a Test line\n"), TIME);
}

#[test]
fn within_a_configuration_the_sender_comes_before_the_time() {
    let both = "SubjectLineMask=Test\nAllowedSenders=boss@example.test\nAllowedTimeFrame=1300-1400\nEvent=$CONSOLE:DISPLAY,no";
    assert_rejected(&[both], Mail::new("Test"), SENDER);
}

#[test]
fn a_mail_that_one_configuration_accepts_is_not_rejected() {
    let ini = with(&[WRONG_SENDER, HIT, NO_ATTACHMENT]).set("Audit", "LogRejects", "True");
    let (world, ran) = run(&ini, &[Mail::new("Test")]);
    ran.exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
    assert_eq!(
        (
            ran.lines_starting("accepted"),
            ran.lines_starting("rejected")
        ),
        (1, 0),
        "{ran}"
    );
    assert_eq!(world.read("Audit.log"), "");
}

#[test]
fn the_reasons_can_be_worded() {
    let ini = with(&[
        WRONG_SENDER,
        WRONG_TIME.replace("Test", "Time").as_str(),
        NO_ATTACHMENT.replace("Test", "File").as_str(),
    ])
    .set("Audit", "RejectSenderMessage", "who are you")
    .set("Audit", "RejectTimeframeMessage", "too early")
    .set("Audit", "RejectNoAttachmentMessage", "no file")
    .set("Audit", "RejectNoMatchingSubjectMessage", "what is it");
    let (world, _) = run(&ini, &["Test", "Time", "File", "other"].map(Mail::new));
    let reasons = ["who are you", "too early", "no file", "what is it"];
    assert_eq!(
        world.events(),
        reasons.map(|reason| format!("$CONSOLE:DISPLAY,rejected: {reason}"))
    );
}

#[test]
fn the_reject_event_may_hold_tokens_of_the_mail() {
    let ini = with(&[HIT]).set(
        "Audit",
        "RejectEvent",
        "$CONSOLE:DISPLAY,[[SENDER]] [[SUBJECT]] [[RECEIVED]]",
    );
    let (world, ran) = run(&ini, &[Mail::new("other")]);
    ran.exit(0);
    assert_eq!(
        world.events(),
        ["$CONSOLE:DISPLAY,ops@example.test other 1/6/2026 12:00:00 PM"]
    );
}

#[test]
fn unsafe_text_gets_no_further_in_a_reject_event_than_in_any_other() {
    let ini = with(&[HIT]).set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,[[SUBJECT]]");
    for subject in ["a,b", "a [[$NOW]]", "{{secret}}"] {
        let (world, _) = run(&ini, &[Mail::new(subject)]);
        for event in world.events() {
            assert!(
                event.matches(',').count() == 1 && !event.contains("[[") && !event.contains("{{"),
                "{event}"
            );
        }
    }
}

#[test]
fn a_mail_whose_reject_event_is_refused_stays() {
    let ini = with(&[HIT])
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,[[SUBJECT]]")
        .set("General", "DeleteEmails", "All");
    let (world, ran) = run(&ini, &["Hello, world", "Hello world"].map(Mail::new));
    ran.exit(0)
        .complains_in_one_line(&["RejectEvent", "Hello, world", "SUBJECT"]);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,Hello world"]);
    assert_eq!(world.mails_left(), ["001.eml"]);
}

#[test]
fn the_reason_is_the_administrator_s_own_text_and_is_not_judged() {
    let whole = "SubjectLineMask=(Test.*)\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let ini = with(&[whole])
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,[[REASON]]")
        .set("General", "DeleteEmails", "All");
    let (world, ran) = run(&ini, &[Mail::new("Test, unsafe")]);
    ran.exit(0);
    let [event] = &world.events()[..] else {
        panic!("one event: {:?}", world.events());
    };
    assert!(
        event.starts_with("$CONSOLE:DISPLAY,Configuration1: ") && event.contains("comma"),
        "{event}"
    );
    assert_eq!(
        world.mails_left(),
        ["001.eml"],
        "no configuration is done with it"
    );

    let ini = with(&[WRONG_SENDER])
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,[[REASON]]")
        .set("Audit", "RejectSenderMessage", "sorry, not you");
    let (world, ran) = run(&ini, &[Mail::new("Test")]);
    ran.exit(0).without_complaint();
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,sorry, not you"]);
}

#[test]
fn without_a_reject_event_a_rejected_mail_writes_nothing() {
    for nothing in ["N/A", "N\\A", ""] {
        let (world, ran) = run(
            &with(&[HIT]).set("Audit", "RejectEvent", nothing),
            &[Mail::new("other")],
        );
        ran.exit(0);
        assert_eq!(world.event_files(), [""; 0]);
    }
}

#[test]
fn a_reject_event_is_no_match() {
    let ini = with(&[HIT]).set("General", "ExitCodeForNoMatchingEmails", "7");
    let (world, ran) = run(&ini, &[Mail::new("other")]);
    ran.exit(7);
    assert_eq!(world.events().len(), 1);
}

#[test]
fn rejected_mails_are_logged_in_one_line_each() {
    let (world, _) = run(
        &with(&[HIT]).set("Audit", "LogRejects", "True"),
        &[Mail::new("other"), Mail::new("more")],
    );
    let log = world.read("Audit.log");
    assert_eq!(log.lines().count(), 2, "{log}");
    for (line, subject) in log.lines().zip(["other", "more"]) {
        assert!(
            line.contains(&format!(
                "SMArt Email - Message Rejected - From: ops@example.test Subject: {subject}"
            )),
            "{line}"
        );
    }
}

#[test]
fn accepted_mails_are_logged_in_one_line_each() {
    let ini = with(&[HIT, "SubjectLineMask=Te\nEvent=$CONSOLE:DISPLAY,two"]).set(
        "Audit",
        "LogAccepts",
        "True",
    );
    let (world, _) = run(
        &ini,
        &[
            Mail::new("Test one"),
            Mail::new("other"),
            Mail::new("Test two"),
        ],
    );
    let log = world.read("Audit.log");
    assert_eq!(log.lines().count(), 2, "{log}");
    for (line, subject) in log.lines().zip(["Test one", "Test two"]) {
        assert!(
            line.contains(&format!(
                "SMArt Email - Message Accepted - From: ops@example.test Subject: {subject}"
            )),
            "{line}"
        );
    }
}

#[test]
fn nothing_is_logged_unless_asked() {
    let (world, _) = run(&with(&[HIT]), &[Mail::new("Test"), Mail::new("other")]);
    assert!(
        world
            .tree()
            .files()
            .iter()
            .all(|name| !name.ends_with(".log")),
        "{}",
        world.tree()
    );
}

#[test]
fn log_lines_are_formatted_with_tokens() {
    let ini = with(&[HIT])
        .set("Audit", "LogAccepts", "True")
        .set("Audit", "LogRejects", "True")
        .set("Audit", "AuditAcceptLogFile", "logs/yes.log")
        .set("Audit", "AuditRejectLogFile", "{root}/logs/no.log")
        .set(
            "Audit",
            "LogAcceptFormat",
            "<[[SENDER]]|[[SUBJECT]]|[[EVENT]]>",
        )
        .set(
            "Audit",
            "LogRejectFormat",
            "<[[sender]]|[[Subject]]|[[REASON]]>",
        );
    let world = World::with_mails(&ini, &[Mail::new("Test, it"), Mail::new("other")]);
    std::fs::create_dir(world.path("logs")).unwrap();
    world.run(&[]).exit(0);
    let (yes, no) = (world.read("logs/yes.log"), world.read("logs/no.log"));
    assert!(
        yes.contains("<ops@example.test|Test, it|$CONSOLE:DISPLAY,hit>"),
        "{yes}"
    );
    assert!(
        no.contains(&format!("<ops@example.test|other|{SUBJECT}>")),
        "{no}"
    );
}

#[test]
fn logs_grow_from_run_to_run() {
    let world = World::with_mails(
        &with(&[HIT]).set("Audit", "LogRejects", "True"),
        &[Mail::new("other")],
    );
    world.run(&[]).exit(0);
    world.mail("002.eml", &Mail::new("more").bytes());
    world.run(&[]).exit(0);
    assert_eq!(world.read("Audit.log").lines().count(), 2);
}

#[test]
fn line_breaks_and_control_characters_are_escaped_in_logs_and_output() {
    let ini = with(&[HIT])
        .set("Audit", "LogRejects", "True")
        .set("Audit", "LogAccepts", "True");
    let subject = |word: &str| {
        Mail::new(&format!(
            "=?utf-8?Q?{word}=0D=0Aaccepted_forged=1B[31m=07=00=C2=85=E2=80=A8end?="
        ))
    };
    let (world, ran) = run(&ini, &[subject("Test"), subject("other")]);
    let log = world.read("Audit.log");
    assert_eq!(log.lines().count(), 2, "{log}");
    let bare = |text: &str| {
        text.chars().all(|letter| {
            letter == '\n' || letter == '\r' || !(letter.is_control() || letter == '\u{2028}')
        })
    };
    assert!(bare(&log) && bare(&ran.stdout), "{log:?}\n{:?}", ran.stdout);
    assert_eq!(
        (
            ran.lines_starting("accepted"),
            ran.lines_starting("rejected")
        ),
        (1, 1),
        "{ran}"
    );
}

#[test]
fn sender_and_time_rejections_also_go_to_a_log_of_their_own_beside_the_audit_log() {
    let rules = [
        WRONG_SENDER.to_owned(),
        WRONG_TIME.replace("Test", "Time"),
        NO_ATTACHMENT.replace("Test", "File"),
    ];
    let ini = with(&rules.each_ref().map(String::as_str));
    let mails = ["Test", "Time", "File", "other"].map(Mail::new);
    let (world, _) = run(&ini, &mails);
    let log = world.read("SMArtEmailRejections.log");
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(
        log.contains("Test") && log.contains("Time") && log.contains(SENDER) && log.contains(TIME),
        "{log}"
    );

    let world = World::with_mails(
        &ini.set("Audit", "AuditRejectLogFile", "logs/Audit.log"),
        &mails,
    );
    std::fs::create_dir(world.path("logs")).unwrap();
    world.run(&[]).exit(0);
    assert_eq!(
        world.read("logs/SMArtEmailRejections.log").lines().count(),
        2
    );
    assert!(!world.path("SMArtEmailRejections.log").exists());
}

#[test]
fn only_the_refusal_that_decides_goes_to_the_log_of_sender_and_time_rejections() {
    let (world, _) = run(
        &with(&[NO_ATTACHMENT, WRONG_SENDER, WRONG_SENDER]),
        &[Mail::new("Test")],
    );
    assert_eq!(world.read("SMArtEmailRejections.log"), "");

    let (world, _) = run(&with(&[WRONG_SENDER, WRONG_TIME]), &[Mail::new("Test")]);
    let log = world.read("SMArtEmailRejections.log");
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(
        log.contains("Configuration1") && log.contains(SENDER) && !log.contains(TIME),
        "{log}"
    );
}

#[test]
fn a_log_that_can_not_be_written_is_an_error_that_holds_nothing_up() {
    let ini = with(&[HIT]).set("Audit", "LogAccepts", "True").set(
        "Audit",
        "AuditAcceptLogFile",
        "{root}/MSGIN/../mails/001.eml/x.log",
    );
    let (world, ran) = run(&ini, &[Mail::new("Test")]);
    ran.exit(2).complains("x.log");
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}
