//! Notices: who is told what, who never, and what becomes of a notice that can't be sent.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

mod attempts;
#[cfg(unix)]
mod crash;
mod limits;
#[cfg(unix)]
mod mailboxes;
#[cfg(unix)]
mod outages;

use harness::world::OPCON_PASSWORD;
use harness::{Ini, Mail, Sink, World};

const HIT: &str = "SubjectLineMask=Test (.*)\nEvent=$CONSOLE:DISPLAY,hit [[1]]\nEvent2=$JOB:ADD,a";
const HOUR: i64 = 3600;
/// What programs say of the mails that they send.
const AUTOMATIC: [&str; 7] = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated",
    "Precedence: bulk",
    "Precedence: LIST",
    "Precedence: junk",
    "Return-Path: <>",
    "List-Id: <ops.example.test>",
];
/// Notices on acceptance and rejection, sent to this server.
fn with(sink: &Sink) -> Ini {
    Ini::folder()
        .smtp(sink.port)
        .set("General", "UnsafeText", "Allow")
        .set("Audit", "NotifyOnAccepts", "True")
        .set("Audit", "NotifyOnRejects", "True")
        .rule(HIT)
}

#[test]
fn the_sender_of_an_accepted_mail_is_told_of_its_events() {
    let sink = Sink::start();
    let mail = Mail::new("Test one").header("Message-ID: <1.a@example.test>");
    let world = World::with_mails(&with(&sink), &[mail]);
    world
        .run(&[])
        .exit(0)
        .without_complaint()
        .says("; 1 notice sent; ");
    let notice = sink.take_one();
    assert_eq!(notice.from, "smartemail@example.test");
    assert_eq!(notice.to, ["ops@example.test"]);
    for (name, value) in [
        ("From", "smartemail@example.test"),
        ("To", "ops@example.test"),
        (
            "Subject",
            "SMArt Email - Message Accepted - From: ops@example.test Subject: Test one",
        ),
        ("In-Reply-To", "<1.a@example.test>"),
        ("References", "<1.a@example.test>"),
        ("Auto-Submitted", "auto-replied"),
    ] {
        assert_eq!(notice.header(name), value, "{name}: {}", notice.text);
    }
    assert!(notice.header("Message-ID").ends_with("@example.test>"));
    assert_eq!(
        notice.body().trim_end(),
        "Email message was accepted and generated event: $CONSOLE:DISPLAY,hit one\n$JOB:ADD,a"
    );
    assert!(!notice.text.contains(OPCON_PASSWORD));
    world.run(&[]).exit(0).never_says("notice");
    assert_eq!(sink.mails(), []);
}

#[test]
fn the_sender_of_a_rejected_mail_is_told_why() {
    let sink = Sink::start();
    let ini = with(&sink)
        .set("Audit", "RejectNoMatchingSubjectMessage", "what is it")
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,odd");
    let mail = Mail::new("other").date("Tue, 06 Jan 2026 12:00:00 +0000");
    let world = World::with_mails(&ini, &[mail]).env("TZ", "UTC");
    world.run(&[]).exit(0).says("1 notice sent");
    let notice = sink.take_one();
    assert_eq!(
        notice.header("Subject"),
        "SMArt Email - Message Rejected - From: ops@example.test Subject: other"
    );
    assert_eq!(
        notice.body().trim_end(),
        "Email message sent on 1/6/2026 12:00:00 PM was rejected for reason: what is it"
    );
    assert_eq!(notice.header("In-Reply-To"), "");
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,odd"]);
}

#[test]
fn subject_text_and_recipients_are_the_administrator_s() {
    let sink = Sink::start();
    let ini = with(&sink)
        .set("Tokens", "ADMINS", "a@example.test; b@example.test")
        .set(
            "Audit",
            "NotifyOnAcceptTo",
            "[[ADMINS]];[[SENDER]];a@example.test",
        )
        .set(
            "Audit",
            "NotifyOnAcceptSubject",
            "[[CONFIGURATION]]: [[1]] [[UNKNOWN]] ü",
        )
        .set(
            "Audit",
            "NotifyOnAcceptBody",
            "[[SUBJECT]] from [[SENDER]] [[MESSAGEID]]",
        );
    let world = World::with_mails(&ini, &[Mail::new("Test one").header("Message-ID: <x@y>")]);
    world.run(&[]).exit(0);
    let notice = sink.take_one();
    assert_eq!(
        notice.to,
        ["a@example.test", "b@example.test", "ops@example.test"]
    );
    assert_eq!(
        notice.header("To"),
        "a@example.test, b@example.test, ops@example.test"
    );
    assert!(
        notice.header("Subject").starts_with("=?utf-8?"),
        "{}",
        notice.text
    );
    assert_eq!(
        notice.body().trim_end(),
        "Test one from ops@example.test <x@y>"
    );
}

#[test]
fn a_mail_adds_neither_recipients_nor_headers() {
    let sink = Sink::start();
    let ini = with(&sink)
        .set("Audit", "NotifyOnAcceptTo", "admin@example.test;[[1]]")
        .set("Audit", "NotifyOnAcceptSubject", "[[SUBJECT]]");
    for (subject, to) in [
        (
            "Test x@example.test",
            vec!["admin@example.test", "x@example.test"],
        ),
        (
            "Test x@example.test,y@example.test",
            vec!["admin@example.test"],
        ),
        (
            "Test x@example.test;y@example.test",
            vec!["admin@example.test"],
        ),
        ("Test <x@example.test>", vec!["admin@example.test"]),
        (
            "=?utf-8?Q?Test_x@example.test=0D=0ABcc:_y@example.test?=",
            vec!["admin@example.test"],
        ),
    ] {
        let world = World::with_mails(&ini, &[Mail::new(subject)]);
        let ran = world.run(&[]);
        let notice = sink.take_one();
        assert_eq!(notice.to, to, "{subject}");
        assert_eq!(notice.header("Bcc"), "", "{}", notice.text);
        ran.exit(0);
        if to.len() == 1 {
            ran.complains_in_one_line(&["warning: ", "is no mail address", "NotifyOnAcceptTo"]);
        } else {
            ran.without_complaint();
        }
    }
    // What the administrator wrote is an error, told once where no mail has a part in it.
    let plain = ini
        .clone()
        .set("Audit", "NotifyOnAcceptTo", "admin;admin@example.test");
    let mails = ["Test one", "Test two"].map(Mail::new);
    let ran = World::with_mails(&plain, &mails).run(&[]);
    ran.exit(2).says("; 2 notices sent; ");
    assert_eq!(ran.stderr.matches("NotifyOnAcceptTo").count(), 1, "{ran}");
    sink.take_mails();
    let ini = ini.set("Audit", "NotifyOnAcceptTo", "admin@example.test;[[TYPO]]");
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["error: ", "[[TYPO]]", "NotifyOnAcceptTo"]);
    sink.take_one();
}

/// What can be no address fails no run, is not told of again and again, and takes nobody's notice.
/// Whom a server refuses is an error like any other recipient.
#[test]
fn a_sender_that_is_no_address_is_a_warning_within_the_limit() {
    let sink = Sink::start();
    let odd = |count| vec![Mail::new("other").from("a..b@example.test"); count];
    let world = World::with_mails(&with(&sink), &odd(3));
    let ran = world.run(&[]);
    ran.exit(0)
        .says("3 rejected")
        .complains_in_one_line(&["warning: ", "a..b@example.test", "NotifyOnRejectTo"])
        .says("0 notices sent, 2 suppressed");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    let ini = with(&sink).set("Audit", "NotifyLimitPerSenderPerHour", "0");
    World::with_mails(&ini, &odd(1))
        .run(&[])
        .exit(0)
        .without_complaint();
    assert_eq!(sink.connections(), 0);

    let ini = with(&sink).set("Audit", "NotifyLimitPerHour", "1");
    let mut mails = odd(2);
    mails.push(Mail::new("other").from("b..c@example.test"));
    mails.extend(
        ["ops@example.test", "else@example.test"].map(|from| Mail::new("other").from(from)),
    );
    World::with_mails(&ini, &mails)
        .run(&[])
        .exit(0)
        .complains("b..c@example.test")
        .says("1 notice sent, 2 suppressed");
    assert_eq!(sink.take_one().to, ["ops@example.test"]);

    let forged = Mail::new("other").from("reject@example.test");
    World::with_mails(&with(&sink), &[forged])
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["error: ", "reject@example.test was refused for good"]);
}

#[test]
fn more_recipients_than_a_notice_has_are_told_of() {
    let sink = Sink::start();
    let list = |count: usize| {
        let each: Vec<_> = (0..count).map(|n| format!("u{n}@example.test")).collect();
        each.join(";")
    };
    let world = |count| {
        let ini = with(&sink).set("Audit", "NotifyOnAcceptTo", &list(count));
        World::with_mails(&ini, &[Mail::new("Test one")])
    };
    world(50).run(&[]).exit(0);
    assert_eq!(sink.take_one().to.len(), 50);
    world(51).run(&[]).exit(2).complains_in_one_line(&[
        "[Audit] NotifyOnAcceptTo",
        "51",
        "first 50",
    ]);
    assert_eq!(sink.take_one().to.len(), 50);
}

#[test]
fn no_notice_answers_a_program_or_ourselves() {
    let sink = Sink::start();
    let senders = [
        "MAILER-DAEMON@example.test",
        "postmaster@example.test",
        "SmartEmail@example.test",
        "sender@example.test",
    ];
    let mails = AUTOMATIC
        .iter()
        .map(|line| Mail::new("Test x").header(line))
        .chain(AUTOMATIC.iter().map(|line| Mail::new("other").header(line)))
        .chain(senders.iter().map(|from| Mail::new("other").from(from)))
        .chain([Mail::new("other").without_from()]);
    let mails: Vec<Mail> = mails.collect();
    let to = "[[SENDER]];admin@example.test";
    let ini = with(&sink)
        .set("smtp-client", "user", "Sender@example.test")
        .set("Audit", "NotifyOnAcceptTo", to)
        .set("Audit", "NotifyOnRejectTo", to);
    let world = World::with_mails(&ini, &mails);
    world
        .run(&[])
        .exit(0)
        .without_complaint()
        .says("7 accepted")
        .never_says("notice");
    assert_eq!((sink.mails().len(), sink.connections()), (0, 0));
    // And what a person says is answered.
    let person = Mail::new("other")
        .header("Auto-Submitted: no")
        .header("Precedence: urgent");
    world.mail(
        "person.eml",
        &person.header("Return-Path: <ops@example.test>").bytes(),
    );
    world.run(&[]).exit(0);
    sink.take_one();
}

/// A ticket system answers without a word of being a program, and its answer matches again. That
/// of a person who answers a notice is told of when nothing came of it.
#[test]
fn no_notice_answers_the_answer_to_a_notice() {
    let sink = Sink::start();
    let first = Mail::new("Test one").header("Message-ID: <1@example.test>");
    let world = World::with_mails(&with(&sink), &[first]);
    world.run(&[]).exit(0).says("1 notice sent");
    let id = sink.take_one().header("Message-ID");
    let bare = id.trim_matches(['<', '>']);
    let thread = format!("References: <1@example.test>\r\n {id}");
    let folded = format!("References: {}", "<x@example.test>\r\n ".repeat(200)) + &id;
    for (number, header) in [
        format!("In-Reply-To: {id}"),
        format!("In-Reply-To: Your message of today {bare}"),
        thread,
        folded,
    ]
    .iter()
    .enumerate()
    {
        for subject in ["Test again", "other"] {
            let mail = Mail::new(subject).header(header);
            world.mail(&format!("{number}-{subject}.eml"), &mail.bytes());
        }
        let ran = world.run(&[]);
        ran.exit(0)
            .without_complaint()
            .says("1 accepted, 1 rejected")
            .says("2 events written")
            .says(if number == 0 {
                "1 notice sent"
            } else {
                "0 notices sent, 1 suppressed"
            });
        assert_eq!(
            ran.lines_starting("no notice: ops@example.test \"Test again\": it answers a notice"),
            1,
            "{ran}"
        );
        assert_eq!(ran.lines_starting("no notice: "), 1, "{ran}");
    }
    let told = sink.take_one();
    assert!(told.header("Subject").ends_with("Subject: other"));
    // Any other answer is a mail like all.
    let other = Mail::new("Test more").header("In-Reply-To: <20260101T000000000Z@example.test>");
    world.mail("other.eml", &other.bytes());
    world.run(&[]).exit(0).says("1 notice sent");
    world
        .run(&["--explain"])
        .exit(0)
        .never_says("no notice: it answers");
    let thread = format!("References: {id}");
    let answers = ["Test x", "other"].map(|subject| Mail::new(subject).header(&thread));
    let explained = World::with_mails(&with(&sink), &answers).run(&["--explain"]);
    explained
        .exit(0)
        .says("no notice: it answers a notice (In-Reply-To or References)")
        .says("notice to ops@example.test: SMArt Email - Message Rejected");
    assert_eq!(explained.stdout.matches("no notice: ").count(), 1);
}

#[test]
fn notices_without_a_way_to_send_them_are_an_error_that_holds_nothing_up() {
    let sink = Sink::start();
    let ini = with(&sink).unset("smtp-client", "server");
    let world = World::with_mails(&ini, &[Mail::new("Test one")]);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&["[smtp-client]", "server"]);
    assert_eq!(world.events().len(), 2);
    // Mended, it goes out.
    let text = world
        .ini_text()
        .replace("[smtp-client]\n", "[smtp-client]\nserver=localhost\n");
    world.write_ini(text);
    world.run(&[]).exit(0).says("1 notice sent");
    sink.take_one();
}

#[test]
fn the_older_names_of_the_switches_count() {
    let sink = Sink::start();
    let older = |ini: Ini| {
        ini.unset("Audit", "NotifyOnAccepts")
            .unset("Audit", "NotifyOnRejects")
            .set("General", "SendRejectionNotice", "TRUE")
            .set("General", "SendAcceptedNotice", "True")
    };
    let mails = ["Test one", "other"].map(Mail::new);
    World::with_mails(&older(with(&sink)), &mails)
        .run(&[])
        .exit(0)
        .says("2 notices sent");
    let newer = older(with(&sink)).set("Audit", "NotifyOnRejects", "False");
    World::with_mails(&newer, &mails)
        .run(&[])
        .exit(0)
        .says("1 notice sent");
}

#[test]
fn explain_shows_the_notices_and_sends_none() {
    let sink = Sink::start();
    let mails = [
        Mail::new("Test one"),
        Mail::new("other"),
        Mail::new("more"),
        Mail::new("Test x").header("Precedence: bulk"),
    ];
    let world = World::with_mails(&with(&sink), &mails);
    let before = world.tree();
    world
        .run(&["--explain"])
        .exit(0)
        .says("notice to ops@example.test: SMArt Email - Message Accepted")
        .says("notice to ops@example.test: SMArt Email - Message Rejected")
        .says("no notice: the sender has had NotifyLimitPerSenderPerHour")
        .says("no notice: it was sent in bulk");
    let lines = world.run(&["--explain=json"]).json_lines();
    assert_eq!(lines[0]["notice"]["to"][0], "ops@example.test");
    assert_eq!(lines[3]["notice"], serde_json::Value::Null);
    assert!(
        lines[3]["no_notice"]
            .as_str()
            .unwrap()
            .contains("Precedence")
    );
    assert_eq!(world.tree(), before);
    assert_eq!(sink.connections(), 0);
}
