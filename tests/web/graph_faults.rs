//! Delivery by Graph: its faults, and never a second mail.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smartemail::send::graph::Access;

use crate::graph::{Bed, file, mail};
use crate::harness::graph::Fault;

#[test]
fn a_busy_service_is_asked_again_after_its_pause() {
    let Some(mut bed) = Bed::start() else { return };
    let after = |seconds: &str| vec![("Retry-After", seconds.to_owned())];
    let began = Instant::now();
    bed.graph.fail(
        "sendMail",
        Fault::Refuse(429, "ApplicationThrottled", after("1")),
    );
    bed.graph.fail(
        "sendMail",
        Fault::Refuse(503, "serviceNotAvailable", after("0")),
    );
    bed.send(&mail()).unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        bed.exchanges(),
        [
            "POST sendMail 429",
            "POST sendMail 503",
            "POST sendMail 202"
        ]
    );

    // More than there is patience for.
    bed.limit = Duration::from_secs(20);
    bed.graph.fail(
        "sendMail",
        Fault::Refuse(429, "TooManyRequests", after("21")),
    );
    let error = bed.send(&mail()).unwrap_err();
    assert!(
        error.is_transient() && !error.may_have_arrived(),
        "{error:?}"
    );
    assert_eq!(bed.exchanges().len(), 4);

    // Again and again.
    for _ in 0..9 {
        bed.graph.fail(
            "sendMail",
            Fault::Refuse(503, "serviceNotAvailable", after("0")),
        );
    }
    assert!(bed.send(&mail()).unwrap_err().is_transient());
    assert_eq!(bed.exchanges().len(), 9);
    assert_eq!(bed.graph.sent().len(), 1);
}

/// However many mails there are, they wait no longer than one of them may.
#[test]
fn all_mails_together_wait_no_longer_than_for_one_answer() {
    let Some(mut bed) = Bed::start() else { return };
    bed.limit = Duration::from_secs(5);
    let busy = || Fault::Refuse(429, "TooManyRequests", vec![("Retry-After", "3".into())]);
    let outbox = bed.outbox();
    let send = || outbox.send(&[mail()]).pop().unwrap();
    bed.graph.fail("sendMail", busy());
    send().unwrap();
    bed.graph.fail("sendMail", busy());
    assert!(send().unwrap_err().is_transient());
    // A pause that takes no time is made by each.
    for _ in 0..3 {
        let now = vec![("Retry-After", "0".to_owned())];
        for _ in 0..4 {
            bed.graph.fail(
                "sendMail",
                Fault::Refuse(429, "TooManyRequests", now.clone()),
            );
        }
        send().unwrap();
    }
    assert_eq!(bed.graph.sent().len(), 4);
}

#[test]
fn a_refused_token_is_renewed_once() {
    let Some(bed) = Bed::start() else { return };
    let refused = || Fault::Refuse(401, "InvalidAuthenticationToken", vec![]);
    let outbox = bed.outbox();
    let send = || outbox.send(&[mail()]).pop().unwrap();
    bed.graph.fail("sendMail", refused());
    send().unwrap();
    assert_eq!(bed.provider.requests().len(), 2);
    bed.graph.fail("sendMail", refused());
    bed.graph.fail("sendMail", refused());
    let error = send().unwrap_err();
    assert!(
        error.is_authentication() && !error.is_transient(),
        "{error:?}"
    );
    assert!(error.to_string().contains("check scope"), "{error}");
    assert_eq!(bed.provider.requests().len(), 3);
    assert_eq!(bed.graph.sent().len(), 1);

    // That stands: nothing more is asked of anybody.
    let asked = bed.exchanges().len();
    assert_eq!(send().unwrap_err().to_string(), error.to_string());
    assert_eq!(bed.exchanges().len(), asked);
    assert_eq!(bed.provider.requests().len(), 3);
}

#[test]
fn what_a_service_quotes_of_the_token_is_not_shown() {
    let Some(bed) = Bed::start() else { return };
    bed.graph.fail("sendMail", Fault::Quote);
    let error = bed.send(&mail()).unwrap_err();
    assert!(error.to_string().contains("Who is Bearer ***?"), "{error}");
}

#[test]
fn a_mail_that_may_have_gone_out_is_not_sent_again() {
    let Some(bed) = Bed::start() else { return };
    for (fault, arrived) in [
        (Fault::LoseAnswer, 1),
        (Fault::HangUp, 1),
        (Fault::Gateway(502), 1),
        // Without Retry-After nobody has said that nothing was done.
        (Fault::Gateway(503), 1),
        (Fault::Refuse(503, "serviceNotAvailable", vec![]), 1),
        (Fault::Gateway(504), 1),
        (Fault::Refuse(500, "ErrorInternalServerError", vec![]), 1),
        (Fault::Say(200, json!({})), 1),
    ] {
        let before = bed.exchanges().len();
        bed.graph.fail("sendMail", fault.clone());
        let error = bed.send(&mail()).unwrap_err();
        assert!(error.may_have_arrived(), "{fault:?}: {error:?}");
        assert_eq!(bed.exchanges().len(), before + 1, "{fault:?}");
        assert_eq!(bed.graph.sent().len(), arrived, "{fault:?}");
    }
}

/// Not even what only prepares a mail is done twice: a file would be attached twice.
#[test]
fn only_what_was_not_done_is_asked_for_again() {
    let Some(bed) = Bed::start() else { return };
    let mut large = mail();
    large.attachments = vec![file("small.bin", 2_000), file("large.bin", 4_000_000)];
    for operation in [
        "messages",
        "attachments",
        "createUploadSession",
        "upload",
        "send",
    ] {
        let before = bed.exchanges().len();
        bed.graph.fail(operation, Fault::Gateway(503));
        let error = bed.send(&large).unwrap_err();
        let exchanges = &bed.exchanges()[before..];
        let asked = exchanges.iter().filter(|line| line.ends_with(" 503"));
        assert_eq!(asked.count(), 1, "{exchanges:?}");
        let failed = exchanges.iter().position(|line| line.ends_with(" 503"));
        let after = &exchanges[failed.unwrap() + 1..];
        assert!(
            after.iter().all(|line| line.starts_with("DELETE ")),
            "{exchanges:?}"
        );
        assert!(error.is_transient(), "{operation}: {error:?}");
        assert_eq!(error.may_have_arrived(), operation == "send", "{error:?}");
    }
    assert!(bed.graph.sent().is_empty());
    // Who has no time for more has done nothing (RFC 6585, section 4).
    bed.graph.fail("attachments", Fault::Gateway(429));
    bed.graph.fail("send", Fault::Gateway(429));
    bed.send(&large).unwrap();
    assert_eq!(bed.graph.sent()[0].files.len(), 2);
}

#[test]
fn until_a_draft_is_sent_nothing_can_have_gone_out() {
    let Some(bed) = Bed::start() else { return };
    let mut large = mail();
    large.attachments = vec![file("small.bin", 2_000), file("large.bin", 4_000_000)];
    let say = |body: Value| Fault::Say(201, body);
    for (operation, fault, transient) in [
        ("messages", Fault::Gateway(502), true),
        ("messages", say(json!({ "subject": "no id" })), false),
        ("attachments", Fault::HangUp, true),
        ("attachments", Fault::LoseAnswer, true),
        (
            "attachments",
            Fault::Refuse(413, "RequestEntityTooLarge", vec![]),
            false,
        ),
        (
            "createUploadSession",
            Fault::Refuse(403, "ErrorAccessDenied", vec![]),
            false,
        ),
        (
            "createUploadSession",
            say(json!({ "uploadUrl": "http://192.0.2.1/elsewhere" })),
            false,
        ),
        (
            "createUploadSession",
            say(json!({ "uploadUrl": "no address" })),
            false,
        ),
        ("upload", Fault::HangUp, true),
        (
            "upload",
            Fault::Say(200, json!({ "nextExpectedRanges": ["17"] })),
            false,
        ),
        (
            "upload",
            Fault::Refuse(500, "ErrorInternalServerError", vec![]),
            true,
        ),
        (
            "send",
            Fault::Refuse(403, "ErrorSendAsDenied", vec![]),
            false,
        ),
    ] {
        bed.graph.fail(operation, fault.clone());
        let error = bed.send(&large).unwrap_err();
        assert!(
            !error.may_have_arrived(),
            "{operation} {fault:?}: {error:?}"
        );
        assert_eq!(
            error.is_transient(),
            transient,
            "{operation} {fault:?}: {error:?}"
        );
        assert!(
            bed.graph.folder("drafts").is_empty(),
            "{operation} {fault:?}"
        );
    }
    assert!(bed.graph.sent().is_empty());

    // The word to send is what may have been heard; the draft is not touched then.
    bed.graph.fail("send", Fault::HangUp);
    assert!(bed.send(&large).unwrap_err().may_have_arrived());
    assert_eq!(bed.graph.folder("drafts").len(), 1);
    bed.graph.fail("send", Fault::LoseAnswer);
    assert!(bed.send(&large).unwrap_err().may_have_arrived());
    assert_eq!(
        (bed.graph.folder("drafts").len(), bed.graph.sent().len()),
        (1, 1)
    );

    // A busy upload goes on where it was.
    bed.graph.fail(
        "upload",
        Fault::Refuse(
            503,
            "serviceNotAvailable",
            vec![("Retry-After", "0".into())],
        ),
    );
    bed.send(&large).unwrap();
    assert_eq!(bed.graph.sent()[1].files[1].bytes.len(), 4_000_000);
}

#[test]
fn refusals_say_what_to_do() {
    let Some(mut bed) = Bed::start() else { return };
    bed.access = Access::Application;
    for (fault, words, authentication) in [
        (
            Fault::Refuse(403, "ErrorAccessDenied", vec![]),
            "Mail.Send",
            true,
        ),
        (
            Fault::Refuse(404, "MailboxNotEnabledForRESTAPI", vec![]),
            "Exchange Online",
            false,
        ),
        (
            Fault::Refuse(400, "ErrorInvalidRecipients", vec![]),
            "addresses",
            false,
        ),
        (Fault::Refuse(413, "", vec![]), "larger", false),
        (Fault::Refuse(403, "SomethingNew", vec![]), "right", true),
        (
            Fault::Refuse(418, "SomethingNew", vec![]),
            "[smtp-client]",
            false,
        ),
    ] {
        bed.graph.fail("sendMail", fault.clone());
        let error = bed.send(&mail()).unwrap_err();
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
        assert_eq!(
            error.is_authentication(),
            authentication,
            "{fault:?}: {error:?}"
        );
        assert!(
            !error.is_transient() && !error.may_have_arrived(),
            "{fault:?}: {error:?}"
        );
    }
}
