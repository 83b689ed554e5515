//! The built program over a Microsoft 365 mailbox: what a user sees, and what is left of a run
//! that dies.

use std::fs;

use serde_json::json;

use crate::bed::{NOON, in_short};
use crate::harness::cloud::{EVENTS_OF_A_MAIL, RULE};
use crate::harness::graph::Fault;
use crate::harness::graph::inbox::Inbox;
use crate::harness::idp::{DAEMON, SECRET};
use crate::harness::{Cloud, Mail, Sam, World};

#[test]
fn three_pages_of_mails_become_events_once_and_go_to_deleted_items() {
    let Some(cloud) = Cloud::start() else { return };
    let expected = cloud.deliver_many(0..250);
    cloud.graph.inbox(|inbox| inbox.page(100));
    let world = cloud.signed_in(
        &cloud
            .ini()
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
    );
    let sam = Sam::reading(world.path("MSGIN"), EVENTS_OF_A_MAIL);

    // In the middle of the summaries the token is revoked.
    cloud.graph.revoke_tokens_after(4);
    let ran = world.run(&[]);
    println!("{ran}");
    ran.exit(0)
        .without_complaint()
        .says("Inbox of the account that is signed in");
    let list = "GET messages 200";
    assert_eq!(
        in_short(&cloud.graph.turns()),
        [
            (4, list),               // three pages of ids and one of what is behind them
            (1, "GET messages 401"), // the token is good no longer
            (2, list),               // two more pages
            (13, "POST $batch 200"), // 250 mails are moved
        ]
    );
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (0, 250)
    );

    // Once more, and with new mails: nothing is done twice.
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(cloud.graph.turns(), [list]);
    let more = cloud.deliver_many(250..260);
    world.run(&[]).exit(0).says("10 mails looked at");
    assert_eq!(cloud.graph.turns(), [list, list, "POST $batch 200"]);
    let all: Vec<_> = expected.iter().chain(&more).cloned().collect();
    sam.finish().assert_once(&all);
}

#[test]
fn a_run_takes_as_many_requests_as_the_readme_says() {
    let Some(cloud) = Cloud::start() else { return };
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .rule(RULE);
    let world = cloud.application(ini.clone());
    let requests = |world: &World| {
        cloud.graph.turns();
        world.run(&[]).exit(0);
        cloud.graph.turns().len()
    };
    cloud.deliver_many(0..250);
    assert_eq!(requests(&world), 1 + 3 + 13);
    cloud.deliver_many(250..260);
    assert_eq!(requests(&world), 3);
    let saving = cloud.application(ini.set("General", "DownloadEmails", "True"));
    cloud.deliver_many(260..270);
    assert_eq!(requests(&saving), 13);
    assert_eq!(requests(&saving), 1);
}

#[test]
fn nothing_is_handled_twice_in_a_mailbox_that_keeps_its_mails() {
    let Some(cloud) = Cloud::start() else { return };
    let expected = cloud.deliver_many(0..150);
    let world = cloud.application(cloud.ini().rule(RULE));
    world.run(&[]).exit(0).without_complaint();
    assert_eq!(world.events(), expected);
    cloud.graph.turns();
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(cloud.graph.turns(), ["GET messages 200"], "and no more");

    // An old mail comes out of the junk folder; another one goes to the archive and comes back.
    cloud.deliver(&Mail::new("Test late"), "2020-01-01T00:00:00Z", &json!({}));
    cloud.graph.inbox(|inbox| inbox.move_to(7, "archive"));
    world.run(&[]).exit(0).says("1 mail looked at");
    cloud.graph.inbox(|inbox| inbox.move_to(7, "inbox"));
    world.run(&[]).exit(0).says("0 mails looked at");

    // The mailbox moves to another place and gets other ids.
    cloud.graph.inbox(Inbox::renumber);
    let ran = world.run(&[]);
    ran.exit(0)
        .says("0 mails looked at")
        .complains("passed over that an earlier run has handled");
    let mut all = expected;
    all.extend(["first", "second"].map(|word| format!("$CONSOLE:DISPLAY,{word} late")));
    let mut events = world.events();
    events.sort();
    all.sort();
    assert_eq!(events, all);
}

/// Every point at which the program can be told to die.
const POINTS: [&str; 12] = [
    "saved",
    "staging",
    "staged",
    "intended",
    "submitting",
    "submitted",
    "recorded",
    "deleting",
    "deleted",
    "advanced",
    "dating",
    "dated",
];

#[test]
fn a_kill_at_any_point_loses_nothing_and_doubles_nothing() {
    let Some(cloud) = Cloud::start() else { return };
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .set("General", "DownloadEmails", "True")
        .set("General", "UseLastRunDate", "True")
        .rule(RULE);
    let mut world = cloud.application(ini);
    let sam = Sam::reading(world.path("MSGIN"), EVENTS_OF_A_MAIL);
    let mut expected = Vec::new();
    for (round, point) in POINTS
        .iter()
        .chain(&["staging:3", "submitting:4"])
        .enumerate()
    {
        println!("--- dies at {point}");
        expected.extend(cloud.deliver_many(5 * round..5 * round + 5));
        world = world.env("SMARTEMAIL_CRASH", point);
        world.run(&[]).killed();
        world = world.without_env("SMARTEMAIL_CRASH");
        if round % 2 == 0 {
            // The token of before is good no longer.
            cloud.graph.revoke_tokens_after(1);
        }
        world.run(&[]).exit(0);
        world
            .run(&[])
            .exit(0)
            .never_says("recovered:")
            .says("0 mails looked at");
    }
    let mails = 5 * (POINTS.len() + 2);
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (0, mails)
    );
    assert_eq!(world.saved().len(), mails);
    sam.finish().assert_once(&expected);
}

#[test]
fn tokens_that_live_two_seconds_are_enough() {
    let Some(cloud) = Cloud::start() else { return };
    let expected = cloud.deliver_many(0..30);
    cloud.provider.lifetime(2);
    let world = cloud.signed_in(&cloud.ini().set("General", "DeleteEmails", "All").rule(RULE));
    cloud.graph.fail(
        "$batch",
        Fault::Refuse(
            429,
            "ApplicationThrottled",
            vec![("Retry-After", "3".into())],
        ),
    );
    world.run(&[]).exit(0).without_complaint();
    assert_eq!(world.events(), expected);
    assert_eq!(cloud.folder("deleteditems"), 30);
    let turns = cloud.graph.turns();
    assert!(turns.iter().all(|turn| !turn.ends_with("401")), "{turns:?}");
}

#[test]
fn a_service_that_fails_for_a_while_is_tried_again() {
    let Some(cloud) = Cloud::start() else { return };
    let expected = cloud.deliver_many(0..3);
    let ini = cloud
        .ini()
        .set("Mail", "Retries", "2")
        .set("General", "DeleteEmails", "Match");
    let world = cloud.application(ini.rule(RULE));
    // The moves are made, and their answer is lost.
    cloud.graph.fail("$batch", Fault::LoseAnswer);
    let ran = world.run(&[]);
    ran.exit(0)
        .complains("Trying again in 1 s (attempt 2 of 3)");
    assert_eq!(world.events(), expected);
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (0, 3)
    );
    world
        .run(&[])
        .exit(0)
        .without_complaint()
        .says("0 mails looked at");
}

#[test]
fn mails_that_users_were_hurt_by() {
    let Some(cloud) = Cloud::start() else { return };
    let at = |second: usize| format!("2026-01-06T12:00:{second:02}Z");
    cloud.deliver(&Mail::without_subject(), &at(1), &json!({}));
    let request = json!({ "@odata.type": "#microsoft.graph.eventMessageRequest", "meetingMessageType": "meetingRequest" });
    cloud.deliver(&Mail::new("Meeting 7"), &at(2), &request);
    let page = "<html><body><p>Job 12 failed</p><p>Job 13 failed</p></body></html>";
    cloud.deliver(
        &Mail::new("Nightly").html(page).inline("logo.png", b"p"),
        &at(3),
        &json!({}),
    );
    let files = Mail::new("Files")
        .html("<p>x</p>")
        .attach("data/1.csv", b"first")
        .attach("data/1.csv", b"second")
        .attach("gr\u{fc}n.csv", b"third");
    cloud.deliver(&files, &at(4), &json!({}));
    cloud.deliver(
        &Mail::new("Domain").from("Someone <Any.One@Partner.Example>"),
        &at(5),
        &json!({}),
    );
    cloud.deliver(
        &Mail::new("\u{201e}Umlaut \u{dc}\u{201c} \u{20ac}"),
        &at(6),
        &json!({}),
    );
    let ini = cloud
        .ini()
        .set("General", "DownloadEmails", "True")
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,rejected <[[SUBJECT]]>")
        .rule("SubjectLineMask=^Meeting (\\d)\nEvent=$CONSOLE:DISPLAY,meeting [[1]]")
        .rule("ProcessBody=YES\nQualifyingSubjectLine=Nightly\nSubjectLineMask=Job (\\d+) failed\nEvent=$CONSOLE:DISPLAY,job [[1]]")
        .rule("SubjectLineMask=Nightly\nProcessAttachments=True\nAttachmentMask=(\\w+)\\.png\nEvent=$CONSOLE:DISPLAY,picture [[1]]")
        .rule("SubjectLineMask=Files\nProcessAttachments=True\nAttachmentMask=(.*)\\.csv\nEvent=$CONSOLE:DISPLAY,file [[1]] as [[ATTACHMENT]]")
        .rule("SubjectLineMask=Domain\nAllowedSenders=any@partner.example\nEvent=$CONSOLE:DISPLAY,from [[SENDER]]")
        .rule("SubjectLineMask=Umlaut (.)\nEvent=$CONSOLE:DISPLAY,letter [[1]]");
    let world = cloud.application(ini);
    world.run(&[]).exit(0);
    let mut events = world.events();
    for event in &mut events {
        if let Some((head, path)) = event.split_once(" as ") {
            // As Windows writes it, Linux does not know it.
            let bytes = fs::read_to_string(path.replace('\\', "/")).unwrap();
            *event = format!("{head} holds {bytes}");
        }
    }
    assert_eq!(
        events,
        [
            "$CONSOLE:DISPLAY,rejected <>",
            "$CONSOLE:DISPLAY,meeting 7",
            "$CONSOLE:DISPLAY,job 12",
            "$CONSOLE:DISPLAY,job 13",
            "$CONSOLE:DISPLAY,picture logo",
            "$CONSOLE:DISPLAY,file data/1 holds first",
            "$CONSOLE:DISPLAY,file data/1 holds second",
            "$CONSOLE:DISPLAY,file gr\u{fc}n holds third",
            "$CONSOLE:DISPLAY,from Any.One@Partner.Example",
            "$CONSOLE:DISPLAY,letter \u{dc}",
        ]
    );
}

#[test]
fn times_are_the_same_east_and_west() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.deliver(&Mail::new("Test a"), NOON, &json!({}));
    let ends = [
        ("Test b", "9999-12-31T23:59:59Z"),
        ("Test c", "0001-01-01T00:00:00Z"),
    ];
    for (subject, end) in ends {
        let odd = json!({ "receivedDateTime": end, "sentDateTime": end });
        cloud.deliver(&Mail::new(subject), "2026-01-06T12:00:01Z", &odd);
    }
    for (zone, local) in [
        ("EAST-14", "1/7/2026 2:00:00 AM"),
        ("UTC", "1/6/2026 12:00:00 PM"),
        ("WEST12", "1/6/2026 12:00:00 AM"),
    ] {
        let rule = "SubjectLineMask=Test (\\w)\nEvent=$CONSOLE:DISPLAY,[[1]] [[RECEIVED]]";
        let world = cloud.application(cloud.ini().rule(rule)).env("TZ", zone);
        world.run(&[]).exit(0).without_complaint();
        let mut events = world.events();
        events.sort();
        assert_eq!(events[0], format!("$CONSOLE:DISPLAY,a {local}"));
        assert_eq!(events.len(), 3, "{events:?}");
    }
    // The window of a rule is in local time too.
    let rule = |window| {
        format!("SubjectLineMask=Test a\nAllowedTimeFrame={window}\nEvent=$CONSOLE:DISPLAY,x")
    };
    for (zone, window, inside) in [
        ("EAST-14", "0155-0205", true),
        ("EAST-14", "1155-1205", false),
        ("WEST12", "0000-0001", true),
    ] {
        let world = cloud
            .application(cloud.ini().rule(&rule(window)))
            .env("TZ", zone);
        world.run(&[]).exit(0);
        assert_eq!(world.events().len(), usize::from(inside), "{zone} {window}");
    }
}

#[test]
fn only_what_came_since_the_last_run_is_looked_at() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.deliver_many(0..120);
    let ini = cloud
        .ini()
        .set("General", "UseLastRunDate", "True")
        .set("General", "LastRunDate", "1/6/2026 12:01:55 PM")
        .rule(RULE);
    let world = cloud.application(ini).env("TZ", "UTC");
    world.run(&[]).exit(0).says("5 mails looked at");
    assert_eq!(
        cloud.graph.turns(),
        ["GET messages 200"; 2],
        "the others are not even listed"
    );
    assert_eq!(world.events().len(), 10);
    world.run(&[]).exit(0).says("0 mails looked at");
}

#[test]
fn what_the_service_refuses_is_told_with_what_to_do() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.deliver_many(0..2);
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .rule(RULE);
    let world = cloud.application(ini);
    cloud
        .graph
        .fail("messages", Fault::Refuse(403, "ErrorAccessDenied", vec![]));
    world.run(&[]).exit(2).complains("refused GET messages (ErrorAccessDenied; The service says ErrorAccessDenied.): the application or the account may not do this: grant the application Mail.ReadWrite");
    // It may read and not delete: the events are written once all the same.
    for _ in 0..2 {
        cloud
            .graph
            .fail("move", Fault::Refuse(403, "ErrorAccessDenied", vec![]));
    }
    world
        .run(&[])
        .exit(2)
        .complains("refused POST move")
        .complains("can't be deleted");
    assert_eq!(world.events().len(), 4);
    world.run(&[]).exit(0);
    assert_eq!((world.events().len(), cloud.folder("deleteditems")), (4, 2));

    let ini = cloud
        .ini()
        .set("Mail", "User", "nobody@example.com")
        .rule(RULE);
    let world = World::with(&ini.set("MSAL", "ClientId", DAEMON).set(
        "MSAL",
        "GrantType",
        "client_credentials",
    ));
    world.seal_one("MSAL.ClientSecret", SECRET);
    world.run(&[]).exit(2).complains("check [Mail] User");
}

#[test]
fn explanations_change_nothing() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.deliver_many(0..110);
    let ini = cloud.ini().set("General", "DeleteEmails", "All").rule(RULE);
    let world = cloud.application(ini);
    let ran = world.run(&["--explain"]);
    ran.exit(0)
        .says("110 mails, 1 configuration; nothing is changed");
    assert_eq!((cloud.folder("inbox"), world.events().len()), (110, 0));
    world.run(&["--check"]).exit(0).says("110 mails");
    assert!(
        cloud
            .graph
            .exchanges()
            .iter()
            .all(|line| line.trim_start().starts_with("GET"))
    );
}
