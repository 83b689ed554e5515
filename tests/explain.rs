//! `--explain`: what would happen to each mail and why, with nothing changed anywhere.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

#[cfg(unix)]
use harness::{CountingProxy, Dovecot, Inspector};
use harness::{Ini, Mail, World};
use serde_json::{Value, json};

/// One configuration for each way to be refused, and one that matches.
fn every_way() -> Ini {
    Ini::folder()
        .set("General", "DeleteEmails", "All")
        .set("General", "DownloadEmails", "True")
        .set("Audit", "LogAccepts", "True")
        .set("Audit", "LogRejects", "True")
        .rule("SubjectLineMask=Test (?<number>\\d)\nEvent=$CONSOLE:DISPLAY,[[1]]\nEvent2=$JOB:ADD,[[SENDER]]")
        .rule("SubjectLineMask=Test\nAllowedSenders=boss@example.test\nEvent=$CONSOLE:DISPLAY,sender")
        .rule("SubjectLineMask=Test\nAllowedTimeFrame=0100-0200\nEvent=$CONSOLE:DISPLAY,time")
        .rule("SubjectLineMask=nothing like it\nEvent=$CONSOLE:DISPLAY,subject")
        .rule("SubjectLineMask=no such line\nProcessBody=YES\nQualifyingSubjectLine=Test\nEvent=$CONSOLE:DISPLAY,body")
        .rule("SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,attachment")
        .rule("SubjectLineMask=(?s)(T.*)\nEvent=$CONSOLE:DISPLAY,[[SUBJECT]]")
}

fn world() -> World {
    let mails = [
        Mail::new("Test 7, unsafe").header("Message-ID: <a@b>"),
        Mail::new("other"),
    ];
    World::with_mails(&every_way(), &mails).env("TZ", "UTC")
}

#[test]
fn explaining_changes_nothing() {
    let world = world();
    let before = world.tree();
    for args in [
        &["--explain"][..],
        &["--explain=json"],
        &["--explain:json", "--delete"],
        &["--EXPLAIN", "--verbose"],
    ] {
        world.run(args).exit(0);
        world.tree().assert_same_as(&before);
    }
    world.run(&[]).exit(0);
    assert_eq!(
        world.events().len(),
        2,
        "a run after it finds everything as new as before"
    );
}

#[test]
fn json_gives_one_object_for_each_mail_with_every_configuration_s_verdict() {
    let ran = world().run(&["--explain=json"]);
    ran.exit(0);
    let mails = ran.json_lines();
    assert_eq!(mails.len(), 2, "{ran}");
    let mail = &mails[0];
    assert_eq!(mail["accepted"], json!(true), "{mail}");
    assert_eq!(mail["reason"], Value::Null);
    assert_eq!(mail["sender"], json!("ops@example.test"));
    assert_eq!(mail["subject"], json!("Test 7, unsafe"));
    assert!(mail["id"].is_string());
    let received =
        chrono::DateTime::parse_from_rfc3339(mail["received"].as_str().unwrap()).unwrap();
    assert_eq!(received.timestamp(), 1_767_700_800);

    let verdicts = mail["configurations"].as_array().unwrap();
    let column = |name: &str| {
        verdicts
            .iter()
            .map(|verdict| verdict[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(json!(column("number")), json!([1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(
        json!(column("matched")),
        json!([true, false, false, false, false, false, false])
    );
    assert_eq!(
        json!(column("step")),
        json!([
            null,
            "sender",
            "time",
            "subject",
            "body",
            "attachment",
            "unsafe"
        ])
    );
    let events = json!([
        "$CONSOLE:DISPLAY,7,***,***",
        "$JOB:ADD,ops@example.test,***,***"
    ]);
    assert_eq!(verdicts[0]["events"], events, "credentials are starred");
    assert_eq!(verdicts[0]["captures"]["1"], json!("7"));
    assert_eq!(verdicts[0]["captures"]["number"], json!("7"));
    assert_eq!(verdicts[0]["reason"], Value::Null);
    assert!(
        verdicts[1..]
            .iter()
            .all(|verdict| verdict["reason"].is_string()),
        "{mail}"
    );
    assert!(
        verdicts[6]["reason"].as_str().unwrap().contains("SUBJECT"),
        "{mail}"
    );

    assert_eq!(mails[1]["accepted"], json!(false));
    assert_eq!(mails[1]["reason"], json!("No matching subjects found"));
}

#[test]
fn the_text_shows_mails_steps_captures_and_events() {
    let ran = world().run(&["--explain"]);
    ran.exit(0);
    for text in [
        "Test 7, unsafe",
        "other",
        "ops@example.test",
        "Configuration1",
        "Configuration7",
        "$CONSOLE:DISPLAY,7,***,***",
        "$JOB:ADD,ops@example.test,***,***",
    ] {
        ran.says(text);
    }
    for step in ["sender", "time", "subject", "body", "attachment", "unsafe"] {
        assert!(ran.stdout.to_lowercase().contains(step), "{step}\n{ran}");
    }
}

#[test]
fn text_from_mails_reaches_the_screen_without_control_characters() {
    let subject = "=?utf-8?Q?Test_1=1B]0;title=07=0D=0Aforged_line=E2=80=AE?=";
    let world = World::with_mails(&every_way(), &[Mail::new(subject)]);
    let ran = world.run(&["--explain"]);
    ran.exit(0);
    let bad = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!ran.stdout.contains(bad), "{:?}", ran.stdout);
    assert!(
        ran.stdout.lines().all(|line| !line.starts_with("forged")),
        "{ran}"
    );
    let json = world.run(&["--explain=json"]);
    assert_eq!(json.json_lines().len(), 1, "{json}");
}

#[test]
fn the_exit_code_is_that_of_a_run() {
    let ini = Ini::folder()
        .set("General", "ExitCodeForNoMatchingEmails", "4")
        .rule("SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit");
    let world = World::with_mails(&ini, &[Mail::new("other")]);
    let ran = world.run(&["--explain"]);
    assert!(matches!(ran.code, Some(0 | 4)), "{ran}");
}

#[test]
fn mails_that_were_handled_already_can_be_explained() {
    let world = world();
    world.run(&[]).exit(0);
    let world = World::with_mails(
        &every_way().set("General", "DeleteEmails", "None"),
        &[Mail::new("Test 1")],
    );
    world.run(&[]).exit(0);
    let ran = world.run(&["--explain=json"]);
    ran.exit(0);
    assert_eq!(
        ran.json_lines().len(),
        1,
        "why did it do that is asked after the fact\n{ran}"
    );
}

/// `new` of each mail.
#[track_caller]
fn news(world: &World) -> Vec<Value> {
    let ran = world.run(&["--explain=json"]);
    ran.exit(0);
    let new = |mail: &Value| mail["new"].clone();
    ran.json_lines().iter().map(new).collect()
}

#[test]
fn the_last_run_date_counts_as_it_will_in_the_next_run() {
    const TOO_OLD: &str = "received before LastRunDate";
    const HANDLED: &str = "an earlier run has dealt with it";
    let ini = every_way().set("General", "DeleteEmails", "None").set(
        "General",
        "LastRunDate",
        "1/1/2025",
    );
    let old = Mail::new("Test 1").received("Tue, 2 Jan 2024 12:00:00 +0000");
    let world = World::with_mails(&ini, &[old, Mail::new("Test 2")]).env("TZ", "UTC");

    // Before the first run.
    assert_eq!(json!(news(&world)), json!([false, true]));
    let ran = world.run(&["--explain"]);
    assert_eq!(ran.stdout.matches(TOO_OLD).count(), 1, "{ran}");
    ran.never_says(HANDLED);

    world.run(&[]).exit(0);
    assert_eq!(json!(news(&world)), json!([false, false]));
    world.run(&["--explain"]).says(TOO_OLD).says(HANDLED);

    // After an edit, which asks for both again.
    let edited = world
        .ini_text()
        .replace("LastRunDate=1/6/2026 12:00:00 PM", "LastRunDate=1/1/2024");
    assert_ne!(edited, world.ini_text());
    world.write_ini(edited);
    assert_eq!(json!(news(&world)), json!([true, true]));
    world
        .run(&["--explain"])
        .never_says(TOO_OLD)
        .never_says(HANDLED);
    let ran = world.run(&[]);
    assert_eq!(ran.lines_starting("accepted"), 2, "{ran}");
}

#[cfg(unix)]
#[test]
fn explaining_an_imap_mailbox_changes_nothing_there_either() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for subject in ["Test 1", "other"] {
        server.deliver(
            &Mail::new(subject).attach("a.txt", b"1").bytes(),
            1_767_700_800,
        );
    }
    let proxy = CountingProxy::before(server.address, server.imap);
    let ini = Ini::imap(proxy.port)
        .set("General", "DeleteEmails", "All")
        .set("General", "DownloadEmails", "True")
        .rule("SubjectLineMask=Test\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[ATTACHMENTNAME]]");
    let world = World::with(&ini);
    let (before, mails) = (world.tree(), Inspector::open(&server).mails());
    let ran = world.run(&["--explain=json", "--delete"]);
    ran.exit(0);
    assert_eq!(ran.json_lines().len(), 2);
    world.tree().assert_same_as(&before);
    assert_eq!(Inspector::open(&server).mails(), mails);
    let traffic = proxy.traffic();
    // SELECT would take \Recent away from other clients.
    for word in ["SELECT", "STORE", "EXPUNGE", "MOVE", "COPY", "APPEND"] {
        assert_eq!(traffic.commands_with(&format!(" {word} ")), [""; 0]);
    }
}
