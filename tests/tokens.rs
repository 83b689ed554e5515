//! Tokens and what text from a mail may do inside an event: nothing but be text.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::world::{OPCON_PASSWORD, OPCON_USER};
use harness::{Ini, Mail, Ran, World};

/// An INI file whose log of rejected mails holds nothing but the reasons.
fn with_reasons() -> Ini {
    Ini::folder()
        .set("Audit", "LogRejects", "True")
        .set("Audit", "AuditRejectLogFile", "reject.log")
        .set("Audit", "LogRejectFormat", "<[[REASON]]>")
}

/// Runs these settings over one mail.
#[track_caller]
fn run(ini: &Ini, mail: &Mail) -> (World, Ran) {
    let world = World::with_mails(ini, std::slice::from_ref(mail)).env("TZ", "UTC");
    let ran = world.run(&[]);
    (world, ran)
}

/// The event that a mail with this subject gives; the mask captures what it can.
#[track_caller]
fn event(mask: &str, event: &str, subject: &str) -> Vec<String> {
    let ini = Ini::folder().rule(&format!("SubjectLineMask={mask}\nEvent={event}"));
    let (world, ran) = run(&ini, &Mail::new(subject));
    ran.exit(0);
    world.events()
}

/// The mail is refused for unsafe text: no event, and a reason that names the token.
#[track_caller]
fn assert_unsafe(ini: &Ini, mail: &Mail, token: &str) {
    let (world, ran) = run(ini, mail);
    assert_eq!(world.event_lines(), [""; 0]);
    assert_eq!(
        (
            ran.lines_starting("accepted"),
            ran.lines_starting("rejected")
        ),
        (0, 1),
        "{ran}"
    );
    let log = world.read("reject.log");
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains(token), "the reason names {token}: {log}");
}

/// A rule that puts a whole subject into an event.
fn whole(text: &str) -> Ini {
    with_reasons().rule(&format!("SubjectLineMask=(?s)^(.*)$\nEvent={text}"))
}

#[test]
fn the_mail_s_own_tokens_are_put_in() {
    let mail = Mail::new("Total of sales = 12.50")
        .from("Sales <sales@example.test>")
        .header("Message-ID: <id-1@example.test>")
        .date("Mon, 5 Jan 2026 23:15:00 +0000");
    let rule = "SubjectLineMask=of (\\w+) = (?<amount>[0-9.]+)\n\
                Event=$PROPERTY:SET,[[1]],[[2]]/[[amount]]/[[SENDER]]\n\
                Event2=$CONSOLE:DISPLAY,[[SUBJECT]];[[DATE]];[[RECEIVED]]\n\
                Event3=$CONSOLE:DISPLAY,[[MESSAGEID]];[[CONFIGURATION]]";
    let (world, ran) = run(&Ini::folder().rule(rule), &mail);
    ran.exit(0);
    let events = world.events();
    assert_eq!(
        events[0],
        "$PROPERTY:SET,sales,12.50/12.50/sales@example.test"
    );
    assert_eq!(
        events[1],
        "$CONSOLE:DISPLAY,Total of sales = 12.50;1/5/2026 11:15:00 PM;1/6/2026 12:00:00 PM"
    );
    assert!(events[2].contains("id-1@example.test"), "{events:?}");
    assert!(events[2].ends_with('1'), "{events:?}");
}

#[test]
fn tokens_are_case_insensitive() {
    assert_eq!(
        event(
            "(?<Name>x)",
            "$CONSOLE:DISPLAY,[[sender]] [[Subject]] [[NAME]] [[name]]",
            "x"
        ),
        ["$CONSOLE:DISPLAY,ops@example.test x x x"]
    );
}

#[test]
fn a_group_that_did_not_take_part_is_empty() {
    assert_eq!(
        event("(a)|(b)", "$CONSOLE:DISPLAY,<[[1]]><[[2]]>", "b"),
        ["$CONSOLE:DISPLAY,<><b>"]
    );
}

#[test]
fn named_groups_are_numbered_after_the_others_as_in_dotnet() {
    let events = event(
        "(?<first>a)(b)(?<second>c)(d)",
        "$CONSOLE:DISPLAY,[[1]][[2]][[3]][[4]] [[first]][[second]]",
        "abcd",
    );
    assert_eq!(events, ["$CONSOLE:DISPLAY,bdac ac"]);
}

#[test]
fn unknown_tokens_stay_as_they_are() {
    let text = "$CONSOLE:DISPLAY,[[$DATE]] [[$NOW]] [[=1+1]] [[MY.PROPERTY]] {{other}} {{SENDER}} [[2]] [[]] [[";
    assert_eq!(event("(x)", text, "x"), [text]);
}

#[test]
fn only_plain_numbers_name_a_group() {
    let text = "$CONSOLE:DISPLAY,[[01]] [[+1]] [[-1]] [[0]] [[ 1]]";
    assert_eq!(event("(x)", text, "x"), [text]);
}

// The zone is changed by TZ, which Windows' own functions for the time don't look at.
#[cfg(unix)]
#[test]
fn dates_are_written_in_local_time_and_fall_back_to_the_received_time() {
    for (date, expected) in [
        ("Tue, 6 Jan 2026 09:05:07 -0500", "1/6/2026 5:05:07 PM"),
        ("6 Jan 2026 14:05 GMT", "1/6/2026 5:05:00 PM"),
        ("Tue,  6  Jan  26 14:05:07 UT", "1/6/2026 5:05:07 PM"),
        (
            "Tue, 06 Jan 2026 14:05:07 +0000 (Greenwich)",
            "1/6/2026 5:05:07 PM",
        ),
        ("yesterday evening", "1/6/2026 3:00:00 PM"),
        ("", "1/6/2026 3:00:00 PM"),
        ("Tue, 99 Jan 2026 25:61:61 +9999", "1/6/2026 3:00:00 PM"),
    ] {
        let ini =
            Ini::folder().rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,[[DATE]] [[RECEIVED]]");
        let world = World::with_mails(&ini, &[Mail::new("x").date(date)]).env("TZ", "EAS-3");
        world.run(&[]).exit(0);
        assert_eq!(
            world.events(),
            [format!("$CONSOLE:DISPLAY,{expected} 1/6/2026 3:00:00 PM")],
            "{date}"
        );
    }
}

#[test]
fn tokens_of_the_ini_file_are_put_into_configurations_and_the_audit_settings_first() {
    let ini = Ini::folder()
        .set("Tokens", "JOB", "Load [[Day]]")
        .set("Tokens", "day", "Monday")
        .set("Tokens", "MASK", "^Run (\\w+)")
        .set("Tokens", "WHO", "[[SENDER]]")
        .set("Audit", "RejectEvent", "$CONSOLE:DISPLAY,rejected [[JOB]]")
        .rule("SubjectLineMask=[[MASK]]\nEvent=$JOB:ADD,[[job]],[[1]],[[WHO]]");
    let world = World::with_mails(&ini, &[Mail::new("Run it"), Mail::new("other")]);
    world.run(&[]).exit(0);
    assert_eq!(
        world.events(),
        [
            "$JOB:ADD,Load Monday,it,ops@example.test",
            "$CONSOLE:DISPLAY,rejected Load Monday"
        ]
    );
}

#[test]
fn tokens_that_use_each_other_in_a_circle_are_an_error_that_names_them() {
    let ini = Ini::folder()
        .set("Tokens", "ONE", "a [[TWO]]")
        .set("Tokens", "TWO", "b [[ONE]]")
        .rule("SubjectLineMask=x\nEvent=$CONSOLE:DISPLAY,[[ONE]]");
    let (world, ran) = run(&ini, &Mail::new("x"));
    ran.exit(2);
    assert!(
        ran.stderr.contains("ONE")
            && ran.stderr.contains("TWO")
            && ran.stderr.contains("SMArtEmail.ini:"),
        "{ran}"
    );
    assert_eq!(world.event_lines(), [""; 0]);
}

#[test]
fn what_a_mail_supplied_is_never_scanned_again() {
    for (subject, text) in [
        ("[[SENDER]]", "[[1]]"),
        ("[[2]] x", "[[1]][[SENDER]]"),
        ("{{secret}}", "[[SUBJECT]]"),
        ("[[$NOW]]", "[[1]]"),
    ] {
        for policy in ["Reject", "Replace", "Allow"] {
            let ini = Ini::folder()
                .set("General", "UnsafeText", policy)
                .rule(&format!(
                    "SubjectLineMask=^(.*)$\nEvent=$CONSOLE:DISPLAY,{text}"
                ));
            let (world, _) = run(&ini, &Mail::new(subject));
            for event in world.events() {
                assert_ne!(policy, "Reject", "{event}");
                assert!(
                    !event.contains("[[")
                        && !event.contains("{{")
                        && !event.contains("]]")
                        && !event.contains("}}"),
                    "{event}"
                );
                assert!(
                    !event.contains("ops@example.test") || text.contains("SENDER"),
                    "{event}"
                );
            }
        }
    }
}

#[test]
fn unsafe_text_is_refused_by_default_with_a_reason_that_names_the_token() {
    for subject in ["a,b", "a[[b", "a]]b", "a{{b", "a}}b"] {
        assert_unsafe(
            &whole("$CONSOLE:DISPLAY,[[SUBJECT]]"),
            &Mail::new(subject),
            "SUBJECT",
        );
        assert_unsafe(&whole("$CONSOLE:DISPLAY,[[1]]"), &Mail::new(subject), "1");
    }
    let named =
        with_reasons().rule("SubjectLineMask=(?<customer>.*)\nEvent=$CONSOLE:DISPLAY,[[customer]]");
    assert_unsafe(&named, &Mail::new("a,b"), "customer");
}

#[test]
fn text_that_is_not_used_is_not_judged() {
    assert_eq!(
        event("a", "$CONSOLE:DISPLAY,hit", "a,b [[c]]"),
        ["$CONSOLE:DISPLAY,hit"]
    );
}

#[test]
fn single_brackets_and_braces_are_safe() {
    assert_eq!(
        event("(.*)", "$CONSOLE:DISPLAY,[[1]]", "[a] {b} ] } [c"),
        ["$CONSOLE:DISPLAY,[a] {b} ] } [c"]
    );
}

#[test]
fn a_pair_that_forms_by_joining_counts_too() {
    for (mask, text, subject, formed) in [
        ("(\\S) (\\S)", "[[1]][[2]]", "[ [", "[["),
        ("(\\S) (\\S)", "[[1]][[2]]", "] ]", "]]"),
        ("(\\S) (\\S)(x)?", "[[1]][[3]][[2]]", "{ {", "{{"),
        ("(\\S)$", "[[1]]}", "}", "}}"),
        ("(\\S)$", "[[[1]]$DATE]]", "[", "[[$DATE]]"),
        ("(\\S)$", "{[[1]]name}}", "{", "{{name}}"),
        ("(\\S)$", "{{name[[1]]}", "}", "{{name}}"),
    ] {
        for policy in ["Reject", "Allow", "Replace"] {
            let rule = format!(
                "SubjectLineMask={mask}\nEvent=$CONSOLE:DISPLAY,{text}\nUnsafeText={policy}"
            );
            let (world, _) = run(&Ini::folder().rule(&rule), &Mail::new(subject));
            let events = world.events();
            assert!(
                events.iter().all(|event| !event.contains(formed)),
                "{policy}: {events:?} of {text}"
            );
        }
    }
}

#[test]
fn replace_puts_a_space_for_each_unsafe_piece() {
    for (subject, expected) in [("a,b", "a b"), ("a[[b]]c", "a b c"), ("{{a}}, b", " a   b")] {
        let ini = Ini::folder()
            .set("General", "UnsafeText", "Replace")
            .rule("SubjectLineMask=^(.*)$\nEvent=$CONSOLE:DISPLAY,<[[1]]>");
        let (world, ran) = run(&ini, &Mail::new(subject));
        ran.exit(0);
        // A pair may become one space or two.
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let events: Vec<_> = world.events().iter().map(|event| squeeze(event)).collect();
        assert_eq!(events, [squeeze(&format!("$CONSOLE:DISPLAY,<{expected}>"))]);
    }
}

#[test]
fn allow_lets_commas_through_and_nothing_else() {
    let rule = "SubjectLineMask=^(.*)$\nEvent=$PROPERTY:SET,[[1]]\nUnsafeText=Allow";
    let (world, ran) = run(&Ini::folder().rule(rule), &Mail::new("name,value"));
    ran.exit(0);
    assert_eq!(world.events(), ["$PROPERTY:SET,name,value"]);
    for subject in ["a[[b", "a}}b"] {
        let (world, _) = run(&Ini::folder().rule(rule), &Mail::new(subject));
        assert!(
            world
                .events()
                .iter()
                .all(|event| !event.contains("[[") && !event.contains("}}")),
            "{:?}",
            world.events()
        );
    }
}

#[test]
fn a_configuration_s_own_policy_wins() {
    let ini = Ini::folder()
        .set("General", "UnsafeText", "Allow")
        .rule("SubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,1 [[1]]")
        .rule("SubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,2 [[1]]\nUnsafeText=Reject")
        .rule("SubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,3 [[1]]\nUnsafeText=replace");
    let (world, ran) = run(&ini, &Mail::new("a,b"));
    ran.exit(0);
    assert_eq!(
        world.events(),
        ["$CONSOLE:DISPLAY,1 a,b", "$CONSOLE:DISPLAY,3 a b"]
    );
    assert_eq!(ran.lines_starting("accepted"), 1, "{ran}");
}

#[test]
fn line_breaks_and_control_characters_become_one_space_each() {
    let subject = "=?utf-8?Q?a=0D=0Ab=0Dc=0Ad=C2=85e=E2=80=A8f=E2=80=A9g=07h=1Bi=00j=09k?=";
    for policy in ["Reject", "Replace", "Allow"] {
        let ini = whole("$CONSOLE:DISPLAY,<[[SUBJECT]]>").set("General", "UnsafeText", policy);
        let (world, ran) = run(&ini, &Mail::new(subject));
        ran.exit(0);
        assert_eq!(
            world.events(),
            ["$CONSOLE:DISPLAY,<a b c d e f g h i j k>"],
            "{policy}"
        );
    }
}

#[test]
fn a_capture_over_several_body_lines_stays_one_line() {
    let rule = "SubjectLineMask=(?s)BEGIN(.*)END\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,<[[1]]>";
    let (world, ran) = run(
        &Ini::folder().rule(rule),
        &Mail::new("x").text("BEGIN\none\ntwo\n\nEND\n"),
    );
    ran.exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,< one two  >"]);
}

#[test]
fn other_letters_are_written_as_utf_8() {
    assert_eq!(
        event("^(.*)$", "$CONSOLE:DISPLAY,[[1]]", "Größe 東京 🚀"),
        ["$CONSOLE:DISPLAY,Größe 東京 🚀"]
    );
}

#[test]
fn a_line_of_two_thousand_characters_is_the_longest() {
    let start = "$CONSOLE:DISPLAY,";
    let ending = format!(",{OPCON_USER},{OPCON_PASSWORD}");
    let room = 2000 - start.len() - ending.len();
    let rule = with_reasons().rule(&format!(
        "SubjectLineMask=^((?:a|ö)+)$\nProcessBody=YES\nQualifyingSubjectLine=x\nEvent={start}[[1]]"
    ));
    for letter in ["a", "ö"] {
        let (world, ran) = run(&rule, &Mail::new("x").text(&letter.repeat(room)));
        ran.exit(0);
        assert_eq!(
            world
                .event_lines()
                .iter()
                .map(|line| line.chars().count())
                .collect::<Vec<_>>(),
            [2000],
            "{letter}"
        );
        assert_unsafe(&rule, &Mail::new("x").text(&letter.repeat(room + 1)), "");
    }
}

#[test]
fn one_refused_event_means_none_of_that_configuration_s() {
    let ini = with_reasons()
        .rule("SubjectLineMask=(.*)\nEvent=$CONSOLE:DISPLAY,fixed\nEvent2=$CONSOLE:DISPLAY,[[1]]");
    assert_unsafe(&ini, &Mail::new("a,b"), "1");
}

#[test]
fn an_event_in_xml_gets_user_and_password_filled_in() {
    for text in [
        "<EVENT><TYPE>$CONSOLE:DISPLAY</TYPE><MESSAGE>[[1]]</MESSAGE><USERNAME></USERNAME><USERPWD></USERPWD></EVENT>",
        "<EVENT><TYPE>$CONSOLE:DISPLAY</TYPE><MESSAGE>[[1]]</MESSAGE></EVENT>",
    ] {
        let ini = Ini::folder().rule(&format!("SubjectLineMask=(.+)\nEvent={text}"));
        let (world, ran) = run(&ini, &Mail::new("hello"));
        ran.exit(0);
        let [line] = world
            .event_lines()
            .try_into()
            .unwrap_or_else(|lines| panic!("one line: {lines:?}"));
        assert!(
            line.starts_with("<EVENT>") && line.ends_with("</EVENT>"),
            "{line}"
        );
        assert!(line.contains("<MESSAGE>hello</MESSAGE>"), "{line}");
        assert!(
            line.contains(&format!("<USERNAME>{OPCON_USER}</USERNAME>")),
            "{line}"
        );
        assert!(
            line.contains(&format!("<USERPWD>{OPCON_PASSWORD}</USERPWD>")),
            "{line}"
        );
        assert_eq!(
            (
                line.matches("<USERNAME>").count(),
                line.matches("<USERPWD>").count()
            ),
            (1, 1),
            "{line}"
        );
    }
}

#[test]
fn text_from_a_mail_never_adds_an_element_to_an_xml_event() {
    let text = "<EVENT><MESSAGE>[[1]]</MESSAGE><USERNAME></USERNAME><USERPWD></USERPWD></EVENT>";
    let subject = "</MESSAGE><USERNAME>root</USERNAME><MESSAGE>&lt;";
    for policy in ["Reject", "Replace", "Allow"] {
        let ini = Ini::folder()
            .set("General", "UnsafeText", policy)
            .rule(&format!("SubjectLineMask=^(.+)$\nEvent={text}"));
        let (world, _) = run(&ini, &Mail::new(subject));
        for line in world.event_lines() {
            assert_eq!(
                (
                    line.matches("<USERNAME>").count(),
                    line.matches("<MESSAGE>").count()
                ),
                (1, 1),
                "{line}"
            );
        }
    }
}

#[test]
fn the_attachment_s_tokens_name_the_saved_files() {
    let ini = Ini::folder().set("General", "DownloadEmails", "True").rule(
        "SubjectLineMask=Files\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[ATTACHMENT]]\nEvent2=$CONSOLE:DISPLAY,[[ATTACHMENTNAME]]\n\
         Event3=$CONSOLE:DISPLAY,[[EMAILFILE]]",
    );
    let mail = Mail::new("Files").attach("a b.csv", b"1,2");
    let (world, ran) = run(&ini, &mail);
    ran.exit(0);
    let texts: Vec<_> = world
        .events()
        .iter()
        .map(|event| event.replacen("$CONSOLE:DISPLAY,", "", 1))
        .collect();
    assert_eq!(std::fs::read(&texts[0]).unwrap(), b"1,2");
    assert_eq!(texts[1], "a b.csv");
    assert_eq!(std::fs::read(&texts[2]).unwrap(), mail.bytes());
}
