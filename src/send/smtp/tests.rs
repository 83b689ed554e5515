//! Conversations with scripted servers, mail by mail.

use std::time::Duration;

use chrono::DateTime;

use super::capabilities::Capabilities;
use super::session::{Session, stuffed};
use super::wire::{Talk, Wire};
use crate::net::Trace;
use crate::net::script::{Script, Turns};
use crate::send::{
    Address, Answer, Body, Delivery, Error, Mail, Person, Priority, Receipt, Refusal, Refused,
};

fn person(address: &str) -> Person {
    Person {
        name: String::new(),
        address: Address::parse(address).unwrap(),
    }
}

fn mail(recipients: &[&str]) -> Mail {
    Mail {
        from: person("jobs@example.test"),
        to: recipients.iter().map(|address| person(address)).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        served: Vec::new(),
        subject: "Done".into(),
        body: Body::Text("first\n.\n..two\n".into()),
        attachments: Vec::new(),
        priority: Priority::Normal,
        read_receipt: false,
        delivery_receipt: false,
        answers: None,
        message_id: "<1+a@example.test>".into(),
        date: DateTime::UNIX_EPOCH.fixed_offset(),
    }
}

fn pipelining() -> Capabilities {
    Capabilities {
        pipelining: true,
        ..Capabilities::default()
    }
}

/// A server that takes everything but what `answer` has an answer for.
fn session(
    capabilities: Capabilities,
    mut answer: impl FnMut(&str) -> Option<&'static str> + 'static,
) -> (Session<Script>, Turns) {
    let mut in_data = false;
    let (script, _) = Script::new(b"", move |line| {
        if in_data && line != "." {
            return Vec::new();
        }
        let usual = if line == "DATA" {
            "354 go on"
        } else {
            "250 ok"
        };
        let answer = match answer(line) {
            // A server that hangs up.
            Some("") => String::new(),
            special => format!("{}\r\n", special.unwrap_or(usual)),
        };
        in_data = answer.starts_with("354");
        answer.into_bytes()
    });
    let turns = script.turns();
    let wire = Wire::new(script, Talk::new("h:25".into(), Trace::off(), 1));
    (Session::new(wire, capabilities, None), turns)
}

#[track_caller]
fn fails(
    capabilities: Capabilities,
    recipients: &[&str],
    answer: impl FnMut(&str) -> Option<&'static str> + 'static,
) -> (Error, Session<Script>, Vec<Vec<String>>) {
    let (mut session, turns) = session(capabilities, answer);
    let error = session.deliver(&mail(recipients)).unwrap_err();
    let turns = turns.borrow().clone();
    (error, session, turns)
}

#[test]
fn a_mail_takes_two_turns_where_pipelining_is_offered() {
    let (mut session, turns) = session(pipelining(), |_| None);
    for _ in 0..3 {
        let delivery = session.deliver(&mail(&["a@b.c", "d@e.f"])).unwrap();
        assert_eq!(delivery, Delivery::default());
    }
    session.quit(Duration::from_secs(1));
    let turns = turns.borrow();
    assert_eq!(turns.len(), 3 * 2 + 1);
    assert_eq!(
        turns[0],
        [
            "MAIL FROM:<jobs@example.test>",
            "RCPT TO:<a@b.c>",
            "RCPT TO:<d@e.f>",
            "DATA"
        ]
    );
    assert_eq!(turns[1].last().unwrap(), ".");
    let body = &turns[1][turns[1].len() - 4..];
    assert_eq!(body, ["first", "..", "...two", "."]);
}

#[test]
fn the_final_dot_stands_on_a_line_of_its_own() {
    for (contents, sent) in [
        (&b""[..], &b"\r\n"[..]),
        (b"a\r\n", b"a\r\n"),
        (b"a", b"a\r\n"),
        (b"a\n", b"a\n\r\n"),
        (b".\r\n..a\r\nb.\r\n", b"..\r\n...a\r\nb.\r\n"),
    ] {
        assert_eq!(stuffed(contents), sent);
    }
}

#[test]
fn one_after_the_other_without_pipelining() {
    let (mut session, turns) = session(Capabilities::default(), |_| None);
    session.deliver(&mail(&["a@b.c", "d@e.f"])).unwrap();
    assert_eq!(turns.borrow().len(), 5);
}

#[test]
fn each_recipient_has_an_answer_of_its_own() {
    for capabilities in [pipelining(), Capabilities::default()] {
        let (mut session, turns) = session(capabilities, |line| match line {
            "RCPT TO:<no@b.c>" => Some("550 5.1.1 who?"),
            "RCPT TO:<later@b.c>" => Some("451 4.2.0 busy"),
            _ => None,
        });
        let recipients = ["a@b.c", "no@b.c", "later@b.c", "a@b.c"];
        let delivery = session.deliver(&mail(&recipients)).unwrap();
        let refused = |recipient: &str, answer: &str, transient| Refusal {
            recipient: recipient.into(),
            answer: Answer::Said(answer.into()),
            transient,
        };
        assert_eq!(
            delivery.refused,
            [
                refused("no@b.c", "550 5.1.1 who?", false),
                refused("later@b.c", "451 4.2.0 busy", true)
            ]
        );
        // Nobody gets it twice.
        let said = turns.borrow().concat();
        let asked = said.iter().filter(|line| line.starts_with("RCPT"));
        assert_eq!(asked.count(), 3);
    }
}

#[test]
fn a_mail_that_nobody_takes_is_not_sent() {
    for (capabilities, data) in [
        (pipelining(), Some("503 no recipients")),
        (Capabilities::default(), None),
        // A server that wants the contents all the same gets none.
        (pipelining(), None),
    ] {
        let (error, session, turns) = fails(
            capabilities.clone(),
            &["a@b.c", "d@e.f"],
            move |line| match line {
                line if line.starts_with("RCPT") => Some("550 no"),
                "DATA" => data,
                "." => Some("554 nobody"),
                _ => None,
            },
        );
        assert!(
            matches!(&error, Error::NobodyTook(refusals) if refusals.len() == 2),
            "{error}"
        );
        assert!(!error.is_transient() && !error.may_have_arrived());
        assert!(session.is_usable());
        let said = turns.concat();
        assert!(!said.iter().any(|line| line == "first"), "{said:?}");
        let asked = said.iter().any(|line| line == "DATA");
        assert_eq!(asked, capabilities.pipelining);
    }
}

#[test]
fn a_refusal_says_what_was_refused_and_whether_it_is_for_good() {
    let cases = [
        ("MAIL", "550 5.7.1 not you", Refused::Sender, false),
        ("MAIL", "451 4.3.0 later", Refused::Sender, true),
        ("DATA", "554 5.3.2 closed", Refused::Mail, false),
        ("DATA", "451 4.3.0 later", Refused::Mail, true),
        (".", "554 5.7.1 spam", Refused::Mail, false),
        (".", "452 4.3.1 full", Refused::Mail, true),
        (".", "452 4.6.1 later", Refused::Mail, true),
        (".", "550 5.6.0 not these words", Refused::Contents, false),
        (
            ".",
            "554 5.2.252 SendAsDenied; a@b.c not allowed to send as x@b.c",
            Refused::Sender,
            false,
        ),
        (
            ".",
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            Refused::Sender,
            false,
        ),
    ];
    for capabilities in [pipelining(), Capabilities::default()] {
        for (command, answer, expected, passes) in cases {
            let (error, mut session, _) = fails(capabilities.clone(), &["a@b.c"], move |line| {
                line.starts_with(command).then_some(answer)
            });
            let Error::Refused {
                what,
                answer: said,
                transient,
                ..
            } = &error
            else {
                panic!("{error}");
            };
            assert_eq!(
                (*what, said.as_str(), *transient),
                (expected, answer, passes)
            );
            assert!(!error.may_have_arrived() && !error.is_connection());
            assert_eq!(error.is_unfit(), expected == Refused::Contents);
            assert!(session.is_usable() && session.is_alive());
        }
    }
}

/// What is wrong with the account, with a quota or with the server's day is wrong with no mail.
#[test]
fn a_mail_is_at_fault_only_where_the_status_says_so() {
    let unfit = [
        "554 5.6.0 STOREDRV.Submission.Exception:CorruptData",
        "554 5.6.11 Invalid characters",
        "552 5.2.3 longer than the limit",
        "552 5.3.4 Message too big for system",
        "552-5.3.4 Your message is\r\n552 5.3.4 too big",
        "550 5.6.0",
    ];
    let others = [
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        "550 5.1.8 Access denied, bad outbound sender",
        "550 5.7.501 Access denied, spam abuse detected",
        "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP",
        "552 5.2.2 Mailbox full",
        "550 5.4.5 Daily sending quota exceeded",
        "554 5.2.30 no such status",
        "554 5.60 no status at all",
        "554 no. See 5.6.0",
        "554 5.3.41",
        "550",
    ];
    let of = |answer: &'static str| {
        let (error, ..) = fails(pipelining(), &["a@b.c"], move |line| {
            (line == ".").then_some(answer)
        });
        error
    };
    for answer in unfit {
        assert!(of(answer).is_unfit(), "{answer}");
    }
    for answer in others {
        assert!(!of(answer).is_unfit(), "{answer}");
    }
}

#[test]
fn what_was_left_half_way_is_forgotten_with_the_next_mail() {
    let mut refusals = 1;
    let (mut session, turns) = session(pipelining(), move |line| {
        if line == "DATA" && refusals > 0 {
            refusals -= 1;
            return Some("451 later");
        }
        None
    });
    session.deliver(&mail(&["a@b.c"])).unwrap_err();
    session.deliver(&mail(&["a@b.c"])).unwrap();
    session.deliver(&mail(&["a@b.c"])).unwrap();
    let starts: Vec<_> = turns.borrow().iter().map(|turn| turn[0].clone()).collect();
    let mail = "MAIL FROM:<jobs@example.test>";
    assert_eq!(starts[..2], [mail, "RSET"]);
    assert_eq!(starts[3], mail);
}

#[test]
fn what_a_lost_connection_means_depends_on_how_far_the_mail_was() {
    // The final dot went out: nobody knows.
    let (error, session, _) = fails(pipelining(), &["a@b.c"], |line| (line == ".").then_some(""));
    assert!(error.may_have_arrived() && error.is_connection() && error.is_transient());
    assert!(!session.is_usable() && !session.was_lost_early());
    // An answer that makes no sense tells as little.
    let (error, ..) = fails(pipelining(), &["a@b.c"], |line| {
        (line == ".").then_some("ok")
    });
    assert!(error.may_have_arrived(), "{error}");
    // A refusal that ends the conversation is an answer.
    let (error, session, _) = fails(pipelining(), &["a@b.c"], |line| {
        (line == ".").then_some("421 4.3.2 bye")
    });
    assert!(!error.may_have_arrived() && error.is_transient(), "{error}");
    assert!(!session.is_usable());
    // Before the server asked for the contents nothing can have arrived.
    for command in ["MAIL", "RCPT", "DATA"] {
        for answer in ["", "421 4.4.2 idle for too long", "hello"] {
            let (error, session, turns) = fails(pipelining(), &["a@b.c"], move |line| {
                line.starts_with(command).then_some(answer)
            });
            assert!(
                error.is_connection() && !error.may_have_arrived(),
                "{error}"
            );
            assert!(!session.is_usable() && session.was_lost_early());
            assert_eq!(turns.len(), 1);
        }
    }
}

#[test]
fn delivery_receipts_are_asked_for_as_the_server_can() {
    let mut wanted = mail(&["a=b@example.test"]);
    wanted.delivery_receipt = true;
    let dsn = Capabilities {
        dsn: true,
        ..pipelining()
    };
    let (mut with, turns) = session(dsn, |_| None);
    assert_eq!(with.deliver(&wanted).unwrap().receipt, Receipt::Dsn);
    let said = turns.borrow().concat();
    assert_eq!(
        said[..2],
        [
            "MAIL FROM:<jobs@example.test> RET=HDRS ENVID=1+2Ba@example.test",
            "RCPT TO:<a=b@example.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+3Db@example.test"
        ]
    );
    assert!(
        !said
            .iter()
            .any(|line| line.starts_with("Return-Receipt-To"))
    );

    // An identifier that is longer than allowed is left out.
    wanted.message_id = format!("<{}@example.test>", "x".repeat(100));
    with.deliver(&wanted).unwrap();
    let said = turns.borrow()[2][0].clone();
    assert_eq!(said, "MAIL FROM:<jobs@example.test> RET=HDRS");

    let (mut without, turns) = session(pipelining(), |_| None);
    assert_eq!(without.deliver(&wanted).unwrap().receipt, Receipt::Header);
    let said = turns.borrow().concat();
    assert_eq!(said[1], "RCPT TO:<a=b@example.test>");
    assert!(said.contains(&"Return-Receipt-To: <jobs@example.test>".into()));
}

#[test]
fn a_mail_that_is_too_large_is_not_even_announced() {
    let small = Capabilities {
        size: true,
        largest: Some(100),
        ..pipelining()
    };
    let (error, session, turns) = fails(small, &["a@b.c"], |_| None);
    assert!(
        matches!(error, Error::TooLarge { limit: 100, .. }),
        "{error}"
    );
    assert!(session.is_usable() && turns.is_empty());
    let large = Capabilities {
        size: true,
        ..pipelining()
    };
    let (mut session, turns) = session_of(large);
    session.deliver(&mail(&["a@b.c"])).unwrap();
    assert!(turns.borrow()[0][0].starts_with("MAIL FROM:<jobs@example.test> SIZE="));
}

fn session_of(capabilities: Capabilities) -> (Session<Script>, Turns) {
    session(capabilities, |_| None)
}

#[test]
fn letters_beyond_ascii_in_an_address_need_a_server_that_can() {
    let recipients = ["j\u{f6}rg@example.test"];
    let (error, session, turns) = fails(pipelining(), &recipients, |_| None);
    assert!(error.to_string().contains("beyond ASCII"), "{error}");
    assert!(matches!(error, Error::NobodyTook(_)), "{error}");
    assert!(session.is_usable() && turns.is_empty());
    // Others get the mail all the same, without that address in it; who is refused is told.
    let with_others = [recipients[0], "a@b.c"];
    let (mut session, turns) = session_of(pipelining());
    let refused = session.deliver(&mail(&with_others)).unwrap().refused;
    assert_eq!(refused[0].recipient, recipients[0]);
    assert!(refused.len() == 1 && !refused[0].transient);
    let said = turns.borrow().concat();
    assert_eq!(said[1], "RCPT TO:<a@b.c>");
    assert!(said.iter().all(|line| line.is_ascii()), "{said:?}");
    let utf8 = Capabilities {
        utf8: true,
        ..pipelining()
    };
    let (mut session, turns) = session_of(utf8);
    session.deliver(&mail(&recipients)).unwrap();
    let said = turns.borrow().concat();
    assert_eq!(
        said[0],
        "MAIL FROM:<jobs@example.test> BODY=8BITMIME SMTPUTF8"
    );
    assert_eq!(said[1], "RCPT TO:<j\u{f6}rg@example.test>");
}

#[test]
fn who_is_named_in_a_mail_counts_although_served_before() {
    let served = "j\u{f6}rg@example.test";
    for (in_cc, utf8) in [(false, true), (true, true), (false, false), (true, false)] {
        let mut mail = mail(&["a@b.c"]);
        let people = if in_cc { &mut mail.cc } else { &mut mail.to };
        people.push(person(served));
        mail.served = vec![Address::parse(served).unwrap()];
        let (mut session, turns) = session_of(Capabilities {
            utf8,
            ..pipelining()
        });
        let refused = session.deliver(&mail).unwrap().refused;
        assert_eq!(refused, []);
        let said = turns.borrow().concat();
        assert_eq!(
            said[0].ends_with(" BODY=8BITMIME SMTPUTF8"),
            utf8,
            "{said:?}"
        );
        assert_eq!(said[1], "RCPT TO:<a@b.c>");
        // A server that can't have it gets the mail without that address.
        assert_eq!(said.iter().any(|line| !line.is_ascii()), utf8, "{said:?}");
    }
    // Of blind copies only those who get the mail now are ever named.
    let mut mail = mail(&["a@b.c"]);
    mail.bcc.push(person(served));
    mail.served = vec![Address::parse(served).unwrap()];
    let (mut session, turns) = session_of(Capabilities {
        utf8: true,
        ..pipelining()
    });
    session.deliver(&mail).unwrap();
    assert!(turns.borrow()[0][0].ends_with("test>"));
}

#[test]
fn hundreds_of_recipients_go_in_groups() {
    let many: Vec<_> = (0..250).map(|n| format!("user{n}@example.test")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let (mut session, turns) = session_of(pipelining());
    session.deliver(&mail(&many)).unwrap();
    let sizes: Vec<_> = turns.borrow().iter().map(Vec::len).collect();
    assert_eq!(sizes[..3], [100, 100, 52]);
    assert_eq!(sizes.len(), 4);
}

#[test]
fn a_server_that_wants_a_log_in_is_understood() {
    let (error, ..) = fails(pipelining(), &["a@b.c"], |line| {
        line.starts_with("MAIL")
            .then_some("530 5.7.0 Authentication required")
    });
    assert!(
        error.is_authentication() && !error.is_transient(),
        "{error}"
    );
    assert!(
        error.to_string().contains("enable-authentication"),
        "{error}"
    );
}
