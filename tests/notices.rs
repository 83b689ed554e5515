//! Notices: who is told what, who never, and what becomes of a notice that can't be sent.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::sink::Mood;
use harness::world::OPCON_PASSWORD;
use harness::{Ini, Mail, Sink, World};

const HIT: &str = "SubjectLineMask=Test (.*)\nEvent=$CONSOLE:DISPLAY,hit [[1]]\nEvent2=$JOB:ADD,a";
const HOUR: i64 = 3600;

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
        if to.len() == 1 {
            ran.exit(2)
                .complains_in_one_line(&["is no mail address", "NotifyOnAcceptTo"]);
        } else {
            ran.exit(0);
        }
    }
}

#[test]
fn no_notice_answers_a_program_or_ourselves() {
    let sink = Sink::start();
    let automatic = [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Precedence: LIST",
        "Precedence: junk",
        "Return-Path: <>",
        "List-Id: <ops.example.test>",
    ];
    let senders = [
        "MAILER-DAEMON@example.test",
        "postmaster@example.test",
        "SmartEmail@example.test",
    ];
    let mails = automatic
        .iter()
        .map(|line| Mail::new("Test x").header(line))
        .chain(automatic.iter().map(|line| Mail::new("other").header(line)))
        .chain(senders.iter().map(|from| Mail::new("other").from(from)))
        .chain([Mail::new("other").without_from()]);
    let mails: Vec<Mail> = mails.collect();
    let world = World::with_mails(&with(&sink), &mails);
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

/// Dies at this point of its first run, with one accepted and one rejected mail. How many notices
/// the server has then, what the second run says, and how many it has after that.
#[cfg(unix)]
fn dies_at(point: &str) -> (usize, harness::Ran, usize) {
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

#[cfg(unix)]
#[test]
fn a_kill_before_a_notice_goes_out_loses_none_and_doubles_none() {
    for point in [
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
    ] {
        let (first, ran, all) = dies_at(point);
        assert_eq!((first, all), (0, 2), "{point}");
        ran.says("2 notices sent");
    }
}

#[cfg(unix)]
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

#[cfg(unix)]
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

/// The way around: a mail arrives, a rule fires, the notice goes out by Exim into a mailbox of
/// Dovecot and is found there by IMAP.
#[cfg(unix)]
#[test]
fn a_notice_is_found_in_the_sender_s_mailbox() {
    use harness::world::OTHER_USER;
    use harness::{Dovecot, Exim, Inspector, dovecot, exim};

    let Some(dovecot) = Dovecot::with(&dovecot::Options {
        lmtp: true,
        ..dovecot::Options::default()
    }) else {
        return;
    };
    let Some(exim) = Exim::with(exim::Options {
        lmtp: Some(dovecot.lmtp),
        ..exim::Options::default()
    }) else {
        return;
    };
    let ini = Ini::imap(dovecot.imap)
        .smtp(exim.smtp)
        .unset("Audit", "NotifyFrom")
        .set("General", "DeleteEmails", "Match")
        .set("Audit", "NotifyOnAccepts", "True")
        .set("Audit", "NotifyOnRejects", "True")
        .rule(HIT);
    let world = World::with(&ini);
    let mail = |subject: &str, id: &str| {
        let id = format!("Message-ID: <{id}@example.test>");
        Mail::new(subject).from(OTHER_USER).header(&id)
    };
    dovecot.deliver(&mail("Test one", "1").bytes(), 1_767_700_800);
    dovecot.deliver(&mail("other", "2").bytes(), 1_767_700_801);
    world.run(&[]).exit(0).says("2 notices sent");

    let fields = "FROM TO SUBJECT IN-REPLY-TO AUTO-SUBMITTED";
    let asked = format!("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS ({fields})] BODY.PEEK[TEXT])");
    let began = std::time::Instant::now();
    let found = loop {
        let mut inbox = Inspector::open_as(OTHER_USER, &dovecot);
        let opened = inbox.command("EXAMINE INBOX");
        if opened.contains("* 2 EXISTS") {
            break inbox.command(&asked).replace("\n ", " ");
        }
        assert!(began.elapsed().as_secs() < 20, "{opened}\n{}", exim.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    for text in [
        "From: alice@example.test\n",
        "To: bob@example.test\n",
        "Subject: SMArt Email - Message Accepted - From: bob@example.test Subject: Test one\n",
        "Subject: SMArt Email - Message Rejected - From: bob@example.test Subject: other\n",
        "In-Reply-To: <1@example.test>\n",
        "In-Reply-To: <2@example.test>\n",
        "Auto-Submitted: auto-replied\n",
        "was accepted and generated event: ",
        "was rejected for reason: ",
    ] {
        assert!(found.contains(text), "{text:?} in {found}");
    }
    // The sender's answer to it, or a server's report on it, is no reason for another one.
    let answer = mail("other", "3").header("Auto-Submitted: auto-replied");
    dovecot.deliver(&answer.bytes(), 1_767_700_802);
    world.run(&[]).exit(0).never_says("notice");
}
