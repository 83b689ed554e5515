//! Rules: senders, time frames and subjects, and which mails they accept.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Ini, Mail, World};

/// The events that a folder of these mails gives with one configuration of these lines.
#[track_caller]
fn events_of(rule: &str, mails: &[Mail]) -> Vec<String> {
    let world = World::with_mails(&Ini::folder().rule(rule), mails).env("TZ", "UTC");
    world.run(&[]).exit(0);
    world.events()
}

/// Whether a sender list lets a mail with this From header pass.
#[track_caller]
fn allows(list: &str, from: &str) -> bool {
    let rule = format!("SubjectLineMask=.\nEvent=$CONSOLE:DISPLAY,hit\nAllowedSenders={list}");
    !events_of(&rule, &[Mail::new("x").from(from)]).is_empty()
}

/// For each mail whether a configuration of these lines accepts it, told by its subject.
#[track_caller]
fn accepted(rule: &str, zone: &str, mails: &[Mail]) -> Vec<String> {
    let rule = format!("{rule}\nSubjectLineMask=(.+)\nEvent=$CONSOLE:DISPLAY,[[1]]");
    let world = World::with_mails(&Ini::folder().rule(&rule), mails).env("TZ", zone);
    world.run(&[]).exit(0);
    let start = "$CONSOLE:DISPLAY,";
    world
        .events()
        .iter()
        .map(|event| event.replacen(start, "", 1))
        .collect()
}

/// Which of these clock times (of one day, UTC) a time frame lets pass, in a time zone.
#[track_caller]
fn in_frame<'a>(frame: &str, zone: &str, times: &[&'a str]) -> Vec<&'a str> {
    let stamp = |time: &str| format!("Tue, 6 Jan 2026 {time} +0000");
    let mails: Vec<_> = times
        .iter()
        .map(|time| Mail::new(time).received(&stamp(time)))
        .collect();
    let passed = accepted(&format!("AllowedTimeFrame={frame}"), zone, &mails);
    times
        .iter()
        .copied()
        .filter(|time| passed.iter().any(|subject| subject == time))
        .collect()
}

#[test]
fn senders_are_compared_by_address_without_regard_to_case() {
    let list = "boss@example.test; Ops@Example.Test ;last@example.test";
    for from in [
        "boss@example.test",
        "OPS@EXAMPLE.TEST",
        "Op Erator <ops@example.test>",
        "\"a, b\" <last@example.test>",
        "<last@example.test> (comment)",
    ] {
        assert!(allows(list, from), "{from}");
    }
    for from in [
        "other@example.test",
        "boss@example.test.evil.test",
        "xboss@example.test",
        "boss@example",
    ] {
        assert!(!allows(list, from), "{from}");
    }
}

#[test]
fn display_names_never_count() {
    for from in [
        "\"ops@example.test\" <evil@bad.test>",
        "ops@example.test <evil@bad.test>",
        "=?utf-8?q?ops=40example=2Etest?= <evil@bad.test>",
        "evil@bad.test (ops@example.test)",
    ] {
        assert!(!allows("ops@example.test", from), "{from}");
        assert!(!allows("any@example.test", from), "{from}");
    }
}

#[test]
fn all_lets_every_sender_pass() {
    for list in ["ALL", "all", "boss@example.test;ALL"] {
        assert!(allows(list, "who@ever.test"), "{list}");
    }
}

#[test]
fn any_at_a_domain_means_exactly_that_domain() {
    for from in ["x@example.test", "y <Z@EXAMPLE.test>", "any@example.test"] {
        assert!(allows("boss@other.test;Any@Example.test", from), "{from}");
    }
    for from in [
        "x@sub.example.test",
        "x@notexample.test",
        "x@example.test.evil.test",
        "example.test@evil.test",
    ] {
        assert!(!allows("any@example.test", from), "{from}");
    }
}

#[test]
fn blank_allowed_senders_let_nobody_pass() {
    for list in ["", "N/A", ";", " ; "] {
        assert!(!allows(list, "ops@example.test"), "{list:?}");
    }
}

#[test]
fn a_token_may_hold_a_list_of_senders() {
    let ini = Ini::folder()
        .set("Tokens", "ADMINS", "a@example.test;[[MORE]]")
        .set("Tokens", "MORE", "b@example.test;any@partner.test")
        .rule("SubjectLineMask=.\nEvent=$CONSOLE:DISPLAY,[[SENDER]]\nAllowedSenders=boss@example.test;[[admins]]");
    let froms = [
        "a@example.test",
        "b@example.test",
        "c@example.test",
        "x@partner.test",
        "boss@example.test",
    ];
    let world = World::with_mails(&ini, &froms.map(|from| Mail::new("x").from(from)));
    world.run(&[]).exit(0);
    let expected = [
        "a@example.test",
        "b@example.test",
        "x@partner.test",
        "boss@example.test",
    ];
    assert_eq!(
        world.events(),
        expected.map(|from| format!("$CONSOLE:DISPLAY,{from}"))
    );
}

#[test]
fn the_first_mailbox_in_from_is_the_sender() {
    assert!(allows(
        "ops@example.test",
        "ops@example.test, evil@bad.test"
    ));
    assert!(!allows(
        "ops@example.test",
        "evil@bad.test, ops@example.test"
    ));
}

#[test]
fn a_mail_with_several_from_headers_matches_no_listed_sender() {
    let mail = Mail::new("x").header("From: evil@bad.test");
    let rule = |list: &str| {
        format!("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,[[SENDER]]\nAllowedSenders={list}")
    };
    for list in ["ops@example.test", "any@example.test", "evil@bad.test"] {
        assert_eq!(
            events_of(&rule(list), std::slice::from_ref(&mail)),
            [""; 0],
            "{list}"
        );
    }
    assert_eq!(
        events_of(&rule("ALL"), &[mail]),
        ["$CONSOLE:DISPLAY,ops@example.test"]
    );
}

#[test]
fn a_from_that_can_not_be_read_matches_no_listed_sender() {
    let rule = |list: &str| {
        format!("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,<[[SENDER]]>\nAllowedSenders={list}")
    };
    for mail in [
        Mail::new("x").from("nobody in particular"),
        Mail::new("x").from(""),
        Mail::new("x").without_from(),
        Mail::new("x").from("<>"),
    ] {
        assert_eq!(
            events_of(
                &rule("any@example.test;ops@example.test"),
                std::slice::from_ref(&mail)
            ),
            [""; 0]
        );
        assert_eq!(events_of(&rule("ALL"), &[mail]), ["$CONSOLE:DISPLAY,<>"]);
    }
}

#[test]
fn both_ends_of_a_time_frame_are_included() {
    let times = [
        "08:59:59", "09:00:00", "12:00:00", "17:00:00", "17:00:59", "17:01:00",
    ];
    assert_eq!(
        in_frame("0900-1700", "UTC", &times),
        ["09:00:00", "12:00:00", "17:00:00", "17:00:59"]
    );
    assert_eq!(in_frame("1200-1200", "UTC", &times), ["12:00:00"]);
}

#[test]
fn a_time_frame_may_cross_midnight() {
    let times = [
        "21:59:59", "22:00:00", "23:59:59", "00:00:00", "06:00:59", "06:01:00", "12:00:00",
    ];
    assert_eq!(
        in_frame("2200-0600", "UTC", &times),
        ["22:00:00", "23:59:59", "00:00:00", "06:00:59"]
    );
}

#[test]
fn twenty_four_hundred_is_the_end_of_the_day() {
    let times = ["00:00:00", "12:00:00", "23:00:00", "23:59:59"];
    assert_eq!(in_frame("0000-2400", "UTC", &times), times);
    assert_eq!(
        in_frame("2300-2400", "UTC", &times[1..]),
        ["23:00:00", "23:59:59"]
    );
    assert_eq!(in_frame("0000-2359", "UTC", &times), times);
}

#[test]
fn a_blank_time_frame_is_always() {
    let times = ["00:00:00", "03:33:33", "23:59:59"];
    assert_eq!(in_frame("", "UTC", &times), times);
}

// The zone is changed by TZ, which Windows' own functions for the time don't look at.
#[cfg(unix)]
#[test]
fn a_time_frame_is_in_the_local_time_of_the_machine() {
    let times = ["06:30:00", "07:30:00", "11:00:00", "12:00:00"];
    // Three hours east, then five hours west of Greenwich (POSIX counts the other way round).
    assert_eq!(
        in_frame("0930-1045", "EAS-3", &times),
        ["06:30:00", "07:30:00"]
    );
    assert_eq!(
        in_frame("0600-0700", "WES5", &times),
        ["11:00:00", "12:00:00"]
    );
}

// The zone is changed by TZ, which Windows' own functions for the time don't look at.
#[cfg(unix)]
#[test]
fn zones_far_east_and_west_of_greenwich_neither_fail_nor_shift() {
    let stamps = [
        "Tue, 6 Jan 2026 00:30:00 +1400",
        "Tue, 6 Jan 2026 23:30:00 -1200",
        "Tue, 6 Jan 2026 10:30:00 +1345",
    ];
    let mails: Vec<_> = stamps
        .iter()
        .map(|stamp| Mail::new(stamp.rsplit(' ').next().unwrap_or(stamp)).received(stamp))
        .collect();
    // In UTC: 10:30 of the day before, 11:30 of the day after, 20:45 of the day before.
    assert_eq!(
        accepted("AllowedTimeFrame=0029-0031", "FAR-14", &mails),
        ["+1400"]
    );
    assert_eq!(
        accepted("AllowedTimeFrame=1129-1131", "UTC", &mails),
        ["-1200"]
    );
    assert_eq!(
        accepted("AllowedTimeFrame=0844-0846", "LOW12", &mails),
        ["+1345"]
    );
}

#[test]
fn the_newest_received_header_tells_the_time_and_date_only_where_there_is_none() {
    let nine = "Tue, 6 Jan 2026 09:00:00 +0000";
    let one = "Tue, 6 Jan 2026 01:00:00 +0000";
    let older = format!("Received: from a by b; {one}");
    let mails = [
        Mail::new("newest").received(nine).header(&older).date(one),
        Mail::new("older")
            .received(one)
            .header(&format!("Received: from a by b; {nine}"))
            .date(nine),
        Mail::new("date only").without_received().date(nine),
    ];
    assert_eq!(
        accepted("AllowedTimeFrame=0900-0900", "UTC", &mails),
        ["newest", "date only"]
    );
}

#[test]
fn without_any_date_the_file_s_time_counts() {
    let rule = "SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,[[RECEIVED]]";
    let world = World::with_mails(
        &Ini::folder().rule(rule),
        &[Mail::new("x").without_received().without_date()],
    );
    let world = world.env("TZ", "UTC");
    let noon = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_700_800);
    std::fs::File::options()
        .write(true)
        .open(world.path("mails/001.eml"))
        .unwrap()
        .set_modified(noon)
        .unwrap();
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,1/6/2026 12:00:00 PM"]);
}

#[test]
fn a_mask_is_searched_anywhere_and_minds_case_unless_told_otherwise() {
    for (mask, subject, matches) in [
        ("Test", "a Test mail", true),
        ("Test", "a test mail", false),
        ("(?i)Test", "a tEST mail", true),
        ("^Test$", "Test", true),
        ("^Test$", "Test 2", false),
        ("a(?=b)", "ab", true),
        ("a(?!b)", "ab", false),
        ("(?<!x)y", "xy", false),
        ("(\\w)\\1", "aa", true),
        ("(?<name>\\d+)-\\k<name>", "12-12", true),
        ("(?x) T e s t # spaces do not count", "Test", true),
        ("Größe", "Die Größe", true),
        ("^\\w+$", "Größe", true),
        ("\\bTest\\b", "Tests", false),
    ] {
        let events = events_of(
            &format!("SubjectLineMask={mask}\nEvent=$CONSOLE:DISPLAY,hit"),
            &[Mail::new(subject)],
        );
        assert_eq!(!events.is_empty(), matches, "{mask} in {subject}");
    }
}

#[test]
fn subjects_are_decoded() {
    let subject = |line: &[u8]| {
        [
            b"From: ops@example.test\r\nSubject: ",
            line,
            b"\r\n\r\ntext\r\n",
        ]
        .concat()
    };
    let mails: [(&[u8], &str); 8] = [
        (b"=?utf-8?B?R3LDtsOfZQ==?= 1", "Größe 1"),
        (
            b"=?ISO-8859-1?Q?Gr=F6=DFe_?= =?iso-8859-1?q?zwei?=",
            "Größe zwei",
        ),
        (b"=?windows-1252?Q?3_=80?=", "3 €"),
        (b"=?utf-8?Q?split_=C3?= =?utf-8?Q?=9F?=", "split ß"),
        (b"Gr\xf6\xdfe raw", "Größe raw"),
        ("Größe roh".as_bytes(), "Größe roh"),
        (b"folded\r\n subject", "folded subject"),
        (b"=?no-such-charset?Q?kept?=", "kept"),
    ];
    let world =
        World::with(&Ini::folder().rule("SubjectLineMask=^(.*)$\nEvent=$CONSOLE:DISPLAY,[[1]]"));
    for (number, (line, _)) in mails.iter().enumerate() {
        world.mail(&format!("{number}.eml"), &subject(line));
    }
    world.run(&[]).exit(0);
    let events = world.events();
    assert_eq!(events.len(), mails.len());
    for (event, (line, expected)) in events.iter().zip(mails) {
        assert!(
            event.contains(expected),
            "{event:?} from {:?}",
            String::from_utf8_lossy(line)
        );
    }
}

#[test]
fn a_mail_without_a_subject_is_a_mail_with_an_empty_one() {
    let mails = [Mail::without_subject(), Mail::new(""), Mail::new("Test")];
    assert_eq!(
        events_of("SubjectLineMask=^$\nEvent=$CONSOLE:DISPLAY,empty", &mails),
        ["$CONSOLE:DISPLAY,empty"; 2]
    );
    assert_eq!(
        events_of("SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit", &mails),
        ["$CONSOLE:DISPLAY,hit"]
    );
}

#[test]
fn a_mask_that_exceeds_its_step_limit_does_not_match_is_reported_and_ends_with_2() {
    let ini = Ini::folder()
        .rule("SubjectLineMask=^(a|a?)+(x)?\\2b$\nEvent=$CONSOLE:DISPLAY,slow")
        .rule("SubjectLineMask=^a+\nEvent=$CONSOLE:DISPLAY,fast");
    let world = World::with_mails(&ini, &[Mail::new(&"a".repeat(60)), Mail::new("aab")]);
    let ran = world.run(&[]);
    ran.exit(2);
    ran.complains("Configuration1");
    assert_eq!(
        world
            .events()
            .iter()
            .filter(|event| event.ends_with("fast"))
            .count(),
        2
    );
    assert!(ran.took.as_secs() < 20, "{ran}");
}

#[test]
fn each_matching_configuration_writes_its_own_events_into_the_mail_s_one_file() {
    let ini = Ini::folder()
        .rule("SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,1a\nEvent2=$CONSOLE:DISPLAY,1b")
        .rule("SubjectLineMask=other\nEvent=$CONSOLE:DISPLAY,2")
        .rule("SubjectLineMask=^T\nEvent=$CONSOLE:DISPLAY,3");
    let world = World::with_mails(&ini, &[Mail::new("Test")]);
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(world.event_files().len(), 1);
    assert_eq!(
        world.events(),
        ["1a", "1b", "3"].map(|text| format!("$CONSOLE:DISPLAY,{text}"))
    );
    assert_eq!(ran.lines_starting("accepted"), 1);
}

#[test]
fn file_names_sort_in_the_order_in_which_the_mails_were_processed() {
    let minute = |number: u32| format!("Tue, 6 Jan 2026 10:{number:02}:00 +0000");
    let mails: Vec<_> = (0..25)
        .map(|number| Mail::new(&format!("{number}")).received(&minute(number)))
        .collect();
    let expected: Vec<_> = (0..25)
        .map(|number| format!("$CONSOLE:DISPLAY,{number}"))
        .collect();
    assert_eq!(
        events_of("SubjectLineMask=(.+)\nEvent=$CONSOLE:DISPLAY,[[1]]", &mails),
        expected
    );
}

#[test]
fn broken_mails_stop_nothing() {
    let world = World::with(
        &Ini::folder().rule("SubjectLineMask=.*\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,hit"),
    );
    let nested = (0..200)
        .map(|level| {
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n")
        })
        .collect::<String>();
    for (number, bytes) in [
        b"".to_vec(),
        b"\r\n\r\n\r\n".to_vec(),
        vec![0; 5000],
        vec![0xff; 5000],
        b"Subject".to_vec(),
        b"Content-Type: multipart/mixed\r\n\r\n--\r\n".to_vec(),
        b"Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n----\r\n".to_vec(),
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!=\xff\r\n".to_vec(),
        nested.into_bytes(),
        [b"Subject: ".to_vec(), vec![b'a'; 300_000]].concat(),
    ]
    .into_iter()
    .enumerate()
    {
        world.mail(&format!("{number}.eml"), &bytes);
    }
    world.mail("last.eml", &Mail::new("a good one").bytes());
    let ran = world.run(&[]);
    assert!(
        matches!(ran.code, Some(0 | 2)) && !ran.stderr.contains("panicked"),
        "{ran}"
    );
    assert!(world.events().contains(&"$CONSOLE:DISPLAY,hit".to_owned()));
}
