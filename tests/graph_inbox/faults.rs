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
    }
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    assert_eq!(ids.len(), 30);
    assert_eq!(
        bed.graph.turns(),
        [
            "GET messages 429",
            "GET messages 503",
            "GET messages 504",
            "GET messages 502",
            "GET messages 509",
            "GET messages 500",
            "GET messages 500",
            "GET messages 500",
            "GET messages 200"
        ]
    );
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
    let error = mailbox.delete(&ids[..2]).unwrap_err();
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
    let error = mailbox.delete(&ids[4..]).unwrap_err();
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
fn a_deletion_that_is_refused_stops_no_other() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(45);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let stuck = [
        (3, 403, "ErrorAccessDenied"),
        (4, 404, "ErrorFolderNotFound"),
        (24, 409, "ErrorIrresolvableConflict"),
        (25, 423, "ErrorItemLocked"),
        (43, 500, "ErrorInternalServerError"),
    ];
    bed.graph.inbox(|inbox| {
        for (number, status, code) in stuck {
            inbox.stick(number, status, code);
        }
        inbox.remove(7);
    });
    let deletion = mailbox.delete(&ids).unwrap();
    assert_eq!((deletion.deleted.len(), deletion.marked.len()), (40, 0));
    assert_eq!(deletion.refused.len(), stuck.len());
    for ((id, words), (number, _, code)) in deletion.refused.iter().zip(stuck) {
        assert_eq!(*id, ids[number - 1]);
        assert!(
            words.contains(code) && words.contains("POST move"),
            "{words}"
        );
    }
    assert_eq!(
        bed.graph.inbox(|inbox| inbox.folder("inbox")),
        stuck.map(|(number, ..)| number)
    );
    bed.graph
        .inbox(|inbox| stuck.iter().for_each(|(number, ..)| inbox.free(*number)));
    let rest: Vec<_> = deletion.refused.into_iter().map(|(id, _)| id).collect();
    assert_eq!(mailbox.delete(&rest).unwrap().deleted, rest);
}

#[test]
fn where_nothing_may_be_deleted_it_is_not_tried_for_each_mail() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(100);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.inbox(|inbox| {
        for number in 1..=100 {
            inbox.stick(number, 403, "ErrorAccessDenied");
        }
    });
    bed.graph.turns();
    let deletion = mailbox.delete(&ids).unwrap();
    assert_eq!(bed.graph.turns(), ["POST $batch 200"]);
    let refused: Vec<_> = deletion.refused.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(refused, ids);
    let words = &deletion.refused[99].1;
    assert!(
        words.contains("grant the application Mail.ReadWrite"),
        "{words}"
    );
}

#[test]
fn the_answer_to_a_deletion_may_be_lost() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(2);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.fail("$batch", Fault::LoseAnswer);
    assert!(mailbox.delete(&ids).unwrap_err().is_transient());
    assert_eq!(
        bed.graph.inbox(|inbox| inbox.folder("deleteditems")),
        [1, 2]
    );
    assert_eq!(mailbox.delete(&ids).unwrap().deleted, ids);
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
