//! Mails that are done with: deleted, or kept by the service.

use smartemail::mailbox::{Error, Mailbox};

use crate::bed::{Bed, listed};
use crate::harness::cloud::RULE;
use crate::harness::graph::Fault;
use crate::harness::{Cloud, Ran};

#[test]
fn a_deletion_that_is_refused_stops_no_other() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(45);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let stuck = [
        (3, 403, "ErrorAccessDenied"),
        (4, 404, "ErrorFolderNotFound"),
        (8, 502, "badGateway"),
        (9, 504, "gatewayTimeout"),
        (24, 409, "ErrorIrresolvableConflict"),
        (25, 423, "ErrorItemLocked"),
        (26, 500, "ErrorInternalServerTransientError"),
        (43, 500, "ErrorInternalServerError"),
        (45, 500, "ErrorMailboxStoreUnavailable"),
    ];
    bed.graph.inbox(|inbox| {
        for (number, status, code) in stuck {
            inbox.stick(number, status, code);
        }
        inbox.remove(7);
    });
    let deletion = mailbox.delete(&ids).unwrap();
    assert_eq!((deletion.deleted.len(), deletion.marked.len()), (36, 0));
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
fn as_many_as_are_asked_for_at_once_may_be_kept() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(45);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.inbox(|inbox| {
        for number in 1..=20 {
            inbox.stick(number, 403, "ErrorAccessDenied");
        }
    });
    let deletion = mailbox.delete(&ids).unwrap();
    let refused: Vec<_> = deletion.refused.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(
        (refused, deletion.deleted),
        (ids[..20].to_vec(), ids[20..].to_vec())
    );
    let words = &deletion.refused[19].1;
    assert!(
        words.contains("grant the application Mail.ReadWrite"),
        "{words}"
    );
}

/// The service has enough in the middle: what was deleted by then is known, and not tried again.
/// An outage is waited for once, not once for every batch of what is to be deleted.
#[test]
fn where_no_deletion_works_the_rest_is_left_for_later() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(50);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.inbox(|inbox| {
        for number in 21..=50 {
            inbox.spoil(number, 502, "badGateway");
        }
    });
    let deletion = mailbox.delete(&ids).unwrap();
    assert_eq!((deletion.deleted.len(), deletion.refused.len()), (20, 0));
    let error = deletion.cut_short.unwrap();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert!(
        error.to_string().contains("status 502 to POST move"),
        "{error}"
    );
}

#[test]
fn a_deletion_that_is_cut_short_counts_as_far_as_it_went() {
    let Some(cloud) = Cloud::start() else { return };
    let expected = cloud.deliver_many(0..65);
    cloud
        .graph
        .inbox(|inbox| inbox.stick(50, 429, "ApplicationThrottled"));
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .rule(RULE);
    let world = cloud.application(ini);
    world
        .run(&[])
        .exit(2)
        .complains("has no time for this mailbox now: status 429");
    // That mail's id is the 45th, so it was in the third batch of 20; the fourth was not sent.
    assert_eq!(cloud.folder("inbox"), 6);
    cloud.graph.inbox(|inbox| inbox.free(50));
    cloud.graph.turns();
    let ran = world.run(&[]);
    ran.exit(0).says("0 mails looked at").says("25 deleted");
    assert_eq!(cloud.graph.turns().len(), 3, "the list and two batches");
    assert_eq!(world.events(), expected);
    assert_eq!(cloud.folder("deleteditems"), 65);
}

#[test]
fn the_answer_to_a_deletion_may_be_lost() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(2);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.fail("$batch", Fault::LoseAnswer);
    let deletion = mailbox.delete(&ids).unwrap();
    assert!(deletion.cut_short.unwrap().is_transient());
    assert_eq!(
        bed.graph.inbox(|inbox| inbox.folder("deleteditems")),
        [1, 2]
    );
    assert_eq!(mailbox.delete(&ids).unwrap().deleted, ids);
}

#[test]
fn deletion_for_good_is_asked_for() {
    let Some(cloud) = Cloud::start() else { return };
    cloud.deliver_many(0..3);
    let ini =
        cloud
            .ini()
            .set("General", "DeleteEmails", "Match")
            .set("MSAL", "PermanentDelete", "True");
    cloud.application(ini.rule(RULE)).run(&[]).exit(0);
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (0, 0)
    );
}

#[test]
fn a_mail_that_can_not_be_deleted_holds_nothing_up() {
    let Some(cloud) = Cloud::start() else { return };
    let mut expected = cloud.deliver_many(0..30);
    cloud
        .graph
        .inbox(|inbox| inbox.stick(8, 403, "ErrorCannotDeleteObject"));
    let ini = cloud
        .ini()
        .set("General", "DeleteEmails", "Match")
        .rule(RULE);
    let world = cloud.application(ini);
    let told = |ran: &Ran| {
        ran.exit(2)
            .complains("\"Test m7\" can't be deleted")
            .complains("ErrorCannotDeleteObject")
            .complains("no event is written again")
            .complains("delete it by hand");
        let errors = ran.stderr.lines();
        let errors = errors.filter(|line| line.starts_with("error:"));
        assert_eq!(errors.count(), 1, "{ran}");
    };
    let first = world.run(&[]);
    told(&first);
    first.says("30 accepted").says("29 deleted");
    // The work stays the same: the list, the mail, and its name.
    cloud.graph.turns();
    for _ in 0..2 {
        let ran = world.run(&[]);
        told(&ran);
        ran.says("0 mails looked at");
        assert_eq!(cloud.graph.turns().len(), 3);
    }
    expected.extend(cloud.deliver_many(30..35));
    let ran = world.run(&[]);
    told(&ran);
    ran.says("5 accepted").says("5 deleted");
    assert_eq!(
        (cloud.folder("inbox"), cloud.folder("deleteditems")),
        (1, 34)
    );

    cloud.graph.inbox(|inbox| inbox.free(8));
    world
        .run(&[])
        .exit(0)
        .says("0 mails looked at")
        .says("1 deleted");
    world.run(&[]).exit(0).without_complaint();
    assert_eq!(world.events(), expected);

    // Somebody does it by hand.
    cloud.deliver_many(35..36);
    cloud
        .graph
        .inbox(|inbox| inbox.stick(36, 423, "ErrorItemLocked"));
    world
        .run(&[])
        .exit(2)
        .complains("\"Test m35\" can't be deleted");
    cloud.graph.inbox(|inbox| inbox.remove(36));
    world.run(&[]).exit(0).without_complaint();
}
