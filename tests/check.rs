//! `--check`: everything that is wrong or doubtful, at once, with nothing changed.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

#[cfg(unix)]
use harness::{Dovecot, Inspector};
use harness::{Ini, Mail, Ran, World};

const HIT: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

/// Checks these settings in a world with one mail; it changes nothing.
#[track_caller]
fn check(ini: &Ini) -> Ran {
    let world = World::with_mails(ini, &[Mail::new("Test")]);
    let before = world.tree();
    let ran = world.run(&["--check"]);
    world.tree().assert_same_as(&before);
    ran
}

/// Something is said about these words, in one line that names the file with a line number.
#[track_caller]
fn assert_told(ran: &Ran, words: &[&str]) {
    let output = ran.output();
    let told = |line: &str| {
        line.contains("SMArtEmail.ini:") && words.iter().all(|word| line.contains(word))
    };
    assert!(
        output.lines().any(told),
        "one line should tell of {words:?}\n{ran}"
    );
}

#[test]
fn a_sound_installation_passes() {
    check(&Ini::folder().rule(HIT)).exit(0).without_complaint();
}

#[test]
fn errors_and_warnings_are_told_at_once() {
    let ini = Ini::folder()
        .set("General", "DeleteEmails", "Perhaps")
        .set("Mail", "Prot", "993")
        .rule("SubjectLineMask=(\nEvent=$CONSOLE:DISPLAY,a")
        .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPALY,a")
        .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a\nAllowedSenders=");
    let ran = check(&ini);
    ran.exit(2);
    assert_told(&ran, &["[General]", "DeleteEmails", "Perhaps"]);
    assert_told(&ran, &["[Mail]", "Prot", "Port"]);
    assert_told(&ran, &["[Configuration1]", "SubjectLineMask"]);
    assert_told(&ran, &["[Configuration2]", "$CONSOLE:DISPALY"]);
    assert_told(&ran, &["[Configuration3]", "AllowedSenders"]);
}

#[test]
fn warnings_alone_do_not_fail() {
    for rule in [
        "SubjectLineMask=x\nEvent=$FUTURE:EVENT,a",
        "SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a\nAllowedSenders=",
    ] {
        check(&Ini::folder().rule(rule)).exit(0);
    }
}

#[test]
fn every_known_event_type_is_known() {
    let known = "$CALENDAR:ADD $CONSOLE:DISPLAY $JOB:ADDHLD $JOB:USER $JOBMASTER:BUILDSTATE $MACHINE:MAXJOBS $NOTIFY:SPOCO $PROPERTY:SET \
                 $RESOURCE:RENAME $SCHEDULE:CHECKALL $THRESHOLD:DEL $TOKEN:SET";
    for event in known.split_whitespace() {
        check(&Ini::folder().rule(&format!("SubjectLineMask=x\nEvent={event},a,b")))
            .exit(0)
            .without_complaint()
            .never_says("warning");
    }
}

#[test]
fn credentials_at_the_end_of_an_event_are_told() {
    let ran =
        check(&Ini::folder().rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,a,batch,secret"));
    assert_told(&ran, &["[Configuration1]", "Event"]);
}

#[test]
fn folders_that_are_missing_or_unusable_are_told() {
    let missing = Ini::folder()
        .set("General", "MSGINDirectory", "{root}/none")
        .rule(HIT);
    check(&missing).exit(2).complains("MSGINDirectory");
    let file = Ini::folder()
        .set("General", "MSGINDirectory", "{root}/mails/001.eml")
        .rule(HIT);
    check(&file).exit(2).complains("MSGINDirectory");
    let mails = Ini::folder().set("Mail", "Folder", "{root}/none").rule(HIT);
    check(&mails).exit(2).complains("none");
}

#[test]
fn the_folder_of_a_log_that_is_missing_is_told() {
    for (switch, file) in [
        ("LogAccepts", "AuditAcceptLogFile"),
        ("LogRejects", "AuditRejectLogFile"),
        ("LogOpConEvents", "OpConEventLogFile"),
    ] {
        let ini = Ini::folder()
            .set("Audit", switch, "True")
            .set("Audit", file, "{root}/no-logs/a.log")
            .rule(HIT);
        check(&ini)
            .exit(2)
            .complains_in_one_line(&["[Audit]", "no-logs"]);
    }
}

#[test]
fn secrets_that_can_not_be_used_are_told() {
    let world = World::new();
    world.write_ini(
        Ini::folder()
            .set("General", "OpConUser", "batch")
            .set("General", "OpConUserPassword", "plain")
            .rule(HIT)
            .text(&world.place("")),
    );
    world
        .run(&["--check"])
        .exit(2)
        .complains("OpConUserPassword")
        .complains("--credentials");
}

#[test]
fn a_configuration_without_events_or_mask_is_told() {
    assert_told(
        &check(&Ini::folder().rule("SubjectLineMask=x")),
        &["[Configuration1]", "Event"],
    );
    assert_told(
        &check(&Ini::folder().rule("Event=$CONSOLE:DISPLAY,a")),
        &["[Configuration1]", "SubjectLineMask"],
    );
}

#[cfg(unix)]
#[test]
fn it_logs_in_counts_the_mails_and_leaves() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_many(&Mail::new("Test").bytes(), 1_767_700_800, 17);
    let world = World::with(
        &Ini::imap(server.imap)
            .set("General", "DeleteEmails", "All")
            .rule(HIT),
    );
    let (before, mails) = (world.tree(), Inspector::open(&server).mails());
    world.run(&["--check"]).exit(0).says("17");
    world.tree().assert_same_as(&before);
    assert_eq!(Inspector::open(&server).mails(), mails);
}

#[cfg(unix)]
#[test]
fn a_server_that_can_not_be_reached_is_told_beside_the_problems_of_the_file() {
    let ran = check(
        &Ini::imap(9)
            .set("Mail", "Server", "127.0.0.1")
            .set("Mail", "Prot", "1")
            .rule(HIT),
    );
    ran.exit(2).complains("127.0.0.1");
    assert_told(&ran, &["[Mail]", "Prot"]);
}
