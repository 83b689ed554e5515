//! What goes wrong at the service, and how far.

use std::time::Duration;

use smartemail::mailbox::{Error, Known, Mailbox};

use crate::bed::{Bed, contents, listed, subjects};
use crate::harness::graph::Fault;

const NOW: fn() -> Vec<(&'static str, String)> = || vec![("Retry-After", "0".into())];

#[test]
fn a_busy_service_is_waited_for() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(30);
    let mut mailbox = bed.open();
    let mut ids = Vec::new();
    for (status, code) in [
        (429, "ApplicationThrottled"),
        (503, "serviceNotAvailable"),
        (504, "gatewayTimeout"),
        (502, "badGateway"),
        (509, "bandwidthLimitExceeded"),
        (500, "ErrorServerBusy"),
        (500, "ErrorInternalServerTransientError"),
        (500, "ErrorMailboxStoreUnavailable"),
    ] {
        bed.graph
            .fail("messages", Fault::Refuse(status, code, NOW()));
        ids = listed(&mut mailbox);
        assert_eq!(ids.len(), 30);
        let refused = format!("GET messages {status}");
        assert_eq!(bed.graph.turns(), [refused.as_str(), "GET messages 200"]);
    }
    // Within a batch only what was refused is asked for again.
    for (status, code) in [
        (429, "TooManyRequests"),
        (503, "serviceNotAvailable"),
        (500, "ErrorServerBusy"),
    ] {
        bed.graph.fail("move", Fault::Refuse(status, code, NOW()));
    }
    assert_eq!(mailbox.delete(&ids[..15]).unwrap().deleted, ids[..15]);
    let exchanges = bed.graph.exchanges();
    assert_eq!(
        exchanges
            .iter()
            .filter(|line| line.contains("move 201"))
            .count(),
        15
    );
    assert_eq!(bed.graph.turns(), ["POST $batch 200", "POST $batch 200"]);
}

#[test]
fn patience_has_an_end() {
    let Some(mut bed) = Bed::start() else { return };
    bed.deliver_many(5);
    bed.time = Duration::from_secs(3);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let later = || vec![("Retry-After", "600".into())];
    bed.graph
        .fail("messages", Fault::Refuse(429, "TooManyRequests", later()));
    let error = mailbox.list(&Known::default()).unwrap_err();
    assert!(
        matches!(error, Error::Busy { .. }) && error.is_transient(),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("has no time for this mailbox now: status 429"),
        "{error}"
    );
    // A part of a batch that is refused each time.
    for _ in 0..9 {
        bed.graph
            .fail("move", Fault::Refuse(503, "serviceNotAvailable", NOW()));
    }
    bed.graph.turns();
    let error = mailbox.delete(&ids[..2]).unwrap().cut_short.unwrap();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(bed.graph.turns().len(), 5);
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(3);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.revoke_tokens_after(1);
    listed(&mut mailbox);
    bed.graph.turns();
    assert_eq!(contents(&mut mailbox, &ids, true).len(), 3);
    assert_eq!(bed.graph.turns(), ["POST $batch 401", "POST $batch 200"]);
    assert_eq!(bed.tokens(), 2);
    for _ in 0..2 {
        bed.graph.fail(
            "messages",
            Fault::Refuse(401, "InvalidAuthenticationToken", vec![]),
        );
    }
    let error = mailbox.list(&Known::default()).unwrap_err();
    assert!(!error.is_transient());
    let text = error.to_string();
    assert!(
        text.contains("refused GET messages (InvalidAuthenticationToken; The service says"),
        "{text}"
    );
    assert!(
        text.contains("check [MSAL] Tenant, Scopes and GraphEndpoint"),
        "{text}"
    );
    assert_eq!(bed.graph.turns(), ["GET messages 401", "GET messages 401"]);
    assert_eq!(bed.tokens(), 3);
}

#[test]
fn a_token_that_is_refused_within_a_batch_is_renewed_once() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(9);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let refuse = |times| {
        for _ in 0..times {
            bed.graph.fail(
                "move",
                Fault::Refuse(401, "InvalidAuthenticationToken", vec![]),
            );
        }
    };
    // It expired while the service was at it: only what was refused is asked for again.
    refuse(2);
    bed.graph.turns();
    assert_eq!(mailbox.delete(&ids[..4]).unwrap().deleted, ids[..4]);
    assert_eq!(bed.tokens(), 2);
    let moved = |line: &&String| line.contains("move 201");
    assert_eq!(bed.graph.exchanges().iter().filter(moved).count(), 4);
    assert_eq!(bed.graph.turns(), ["POST $batch 200", "POST $batch 200"]);
    // A new one is refused as well.
    refuse(10);
    let error = mailbox.delete(&ids[4..]).unwrap().cut_short.unwrap();
    assert!(
        error.to_string().contains("the token is not taken here"),
        "{error}"
    );
    assert_eq!(bed.tokens(), 3);
    assert_eq!(bed.graph.turns(), ["POST $batch 200", "POST $batch 200"]);
}

#[test]
fn no_right_and_no_mailbox_end_the_run_with_what_to_do() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(3);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    for (status, code, advice) in [
        (
            403,
            "ErrorAccessDenied",
            "grant the application Mail.ReadWrite in Microsoft Entra",
        ),
        (
            404,
            "MailboxNotEnabledForRESTAPI",
            "no such mailbox in Exchange Online",
        ),
        (404, "ResourceNotFound", "check [Mail] User"),
    ] {
        for operation in ["messages", "$value", "attachments"] {
            bed.graph
                .fail(operation, Fault::Refuse(status, code, vec![]));
        }
        let queries: Vec<_> = ids
            .iter()
            .map(|id| smartemail::mailbox::Query {
                id: id.clone(),
                text: true,
            })
            .collect();
        for error in [
            mailbox.list(&Known::default()).unwrap_err(),
            mailbox.raw(&ids, &mut |_, _| {}).unwrap_err(),
            mailbox.contents(&queries).unwrap_err(),
        ] {
            assert!(!error.is_transient());
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
    bed.graph.fail("messages", Fault::Gateway(500));
    assert!(mailbox.list(&Known::default()).unwrap_err().is_transient());
    for lost in [Fault::HangUp, Fault::LoseAnswer] {
        bed.graph.fail("messages", lost);
        assert!(mailbox.list(&Known::default()).unwrap_err().is_transient());
    }
}

#[test]
fn a_mail_that_can_not_be_had_is_one_mail() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(3);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let refuse = |operation| {
        bed.graph.fail(
            operation,
            Fault::Refuse(500, "ErrorInternalServerError", vec![]),
        );
    };
    refuse("attachments");
    let all = contents(&mut mailbox, &ids, false);
    assert_eq!(all.len(), 3);
    let fault = all[0].as_ref().unwrap_err().to_string();
    assert!(
        fault.contains("ErrorInternalServerError") && fault.contains("request-id 24e7991e"),
        "{fault}"
    );
    assert!(all[1..].iter().all(Result::is_ok));

    refuse("$value");
    let mut found = Vec::new();
    mailbox
        .raw(&ids, &mut |_, bytes| found.push(bytes.is_ok()))
        .unwrap();
    assert_eq!(found, [false, true, true]);

    refuse("message");
    let mut mailbox = bed.open();
    let all = mailbox.summaries(&ids).unwrap();
    assert_eq!(
        all.iter()
            .map(|(_, summary)| summary.is_ok())
            .collect::<Vec<_>>(),
        [false, true, true]
    );
}

#[test]
fn others_are_at_work_in_the_mailbox() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(250);
    bed.graph.inbox(|inbox| inbox.page(50));
    let mut mailbox = bed.open();
    // Between two pages somebody removes the newest: what follows moves up, and one is not seen.
    bed.graph.after(3, |inbox| inbox.move_to(200, "archive"));
    let seen = listed(&mut mailbox);
    assert_eq!(seen.len(), 249);
    let ids = listed(&mut mailbox);
    assert_eq!(ids.len(), 249);
    assert_ne!(ids, seen, "the next look finds it");
    // And while summaries are read: nothing is left out but what is gone.
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.after(1, |inbox| {
        for number in [240, 140, 3] {
            inbox.remove(number);
        }
    });
    let found = subjects(&mut mailbox, &ids);
    let expected: Vec<_> = (1..=250)
        .filter(|n| ![3, 140, 200].contains(n))
        .map(|n| n.to_string())
        .collect();
    assert_eq!(found, expected);
    let all = contents(&mut mailbox, &ids, true);
    assert_eq!(all.len(), 246);
    assert!(all.iter().all(Result::is_ok));
}
