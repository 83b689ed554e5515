//! What is asked for, and how often.

use serde_json::json;
use smartemail::mailbox::{Mailbox, Query};

use crate::bed::{Bed, NOON, contents, listed, listed_since, subjects, times};
use crate::harness::Mail;

const LIST: &str = "GET messages 200";
const BATCH: &str = "POST $batch 200";

#[test]
fn a_list_is_read_to_its_end_with_few_requests() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(250);
    let numbers: Vec<_> = (1..=250).map(|number| number.to_string()).collect();
    let mut mailbox = bed.open();
    assert_eq!(mailbox.count().unwrap(), 250);
    assert_eq!(bed.graph.turns(), ["GET mailFolder 200"]);

    // Never seen: the ids, and what stands behind them.
    let ids = listed(&mut mailbox);
    assert_eq!(bed.graph.turns(), [LIST]);
    assert_eq!(subjects(&mut mailbox, &ids), numbers);
    assert_eq!(bed.graph.turns(), times(3, LIST));
    // Nothing new.
    assert_eq!(listed(&mut mailbox), ids);
    assert!(mailbox.summaries(&[]).unwrap().is_empty());
    assert_eq!(bed.graph.turns(), [LIST]);
    // The latest ten are new.
    assert_eq!(subjects(&mut mailbox, &ids[240..]), numbers[240..]);
    assert_eq!(bed.graph.turns(), [LIST]);
    // Some that are far apart: all in one request for each 20.
    let far: Vec<_> = ids.iter().step_by(11).take(13).cloned().collect();
    let expected: Vec<_> = numbers.iter().step_by(11).take(13).cloned().collect();
    assert_eq!(subjects(&mut mailbox, &far), expected);
    assert_eq!(bed.graph.turns(), [BATCH]);

    // The service's pages may be smaller than was asked for.
    bed.graph.inbox(|inbox| inbox.page(40));
    assert_eq!(listed(&mut mailbox), ids);
    assert_eq!(bed.graph.turns(), times(7, LIST));
    assert_eq!(subjects(&mut mailbox, &ids), numbers);
    assert_eq!(bed.graph.turns(), times(7, LIST));

    // Since a time: what came before is not even listed.
    let ids = listed_since(&mut mailbox, Some("2026-01-06T00:04:01Z"));
    assert_eq!(bed.graph.turns(), [LIST]);
    assert_eq!(subjects(&mut mailbox, &ids), numbers[240..]);
    assert_eq!(bed.graph.turns(), [LIST]);
    assert_eq!(bed.tokens(), 1);
}

#[test]
fn an_empty_inbox_takes_one_request() {
    let Some(bed) = Bed::start() else { return };
    let mut mailbox = bed.open();
    assert_eq!(listed(&mut mailbox), []);
    assert_eq!(bed.graph.turns(), [LIST]);
    assert!(mailbox.summaries(&[]).unwrap().is_empty());
    assert!(mailbox.contents(&[]).unwrap().is_empty());
    assert!(mailbox.delete(&[]).unwrap().deleted.is_empty());
    assert_eq!(bed.graph.turns(), times(0, ""));
    assert_eq!(
        mailbox.describe(),
        format!(
            "Inbox of ops@example.com at {}, Microsoft Graph",
            bed.graph.endpoint().replace("http://", "")
        )
    );
}

#[test]
fn seconds_that_the_service_tells_and_fractions_that_it_compares() {
    let Some(bed) = Bed::start() else { return };
    // The hundredth from the end and its neighbours are of the same second.
    for number in 0..150 {
        bed.deliver(
            &number.to_string(),
            &format!("2026-01-06T12:00:{:02}.{:03}Z", number / 75, number),
        );
    }
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let numbers: Vec<_> = (0..150).map(|number| number.to_string()).collect();
    bed.graph.turns();
    assert_eq!(subjects(&mut mailbox, &ids), numbers, "each once, in order");
    assert_eq!(bed.graph.turns(), times(2, LIST), "none is left out");
    let since = |time| listed_since(&mut bed.open(), Some(time)).len();
    assert_eq!(since("2026-01-06T12:00:00Z"), 150);
    assert_eq!(since("2026-01-06T12:00:01Z"), 75);
    assert_eq!(since("2026-01-06T12:00:02Z"), 0);
}

#[test]
fn text_is_asked_for_where_a_rule_wants_it() {
    let Some(bed) = Bed::start() else { return };
    for number in 0..25 {
        let mail = Mail::new("x")
            .text(&format!("text {number}\n"))
            .attach("a.csv", b"x");
        bed.deliver_as(&mail, NOON, &json!({}));
    }
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.turns();
    let all = contents(&mut mailbox, &ids, false);
    assert!(
        all.iter()
            .all(|content| content.as_ref().unwrap().body.is_none())
    );
    assert_eq!(bed.graph.exchanges().len(), 25 + 2);
    assert_eq!(bed.graph.turns(), times(2, BATCH));
    let all = contents(&mut mailbox, &ids, true);
    let texts = all
        .iter()
        .map(|content| content.as_ref().unwrap().body.as_ref().unwrap().text());
    // In the order asked for: mails of the same second stay as the service has them.
    let mut texts: Vec<_> = texts.map(str::to_owned).collect();
    texts.sort_by_key(|text| text.replace("text ", "").trim().parse::<usize>().unwrap());
    let expected: Vec<_> = (0..25).map(|number| format!("text {number}\n")).collect();
    assert_eq!(texts, expected);
    assert_eq!(bed.graph.turns(), times(3, BATCH));
    // Of some the text, of others only the names.
    let mixed: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(place, id)| Query {
            id: id.clone(),
            text: place % 2 == 0,
        })
        .collect();
    let mixed = mailbox.contents(&mixed).unwrap();
    assert!(
        mixed.iter().enumerate().all(|(place, (_, content))| content
            .as_ref()
            .unwrap()
            .body
            .is_some()
            == (place % 2 == 0))
    );
    assert_eq!(
        mixed.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    // One alone needs no batch.
    bed.graph.turns();
    contents(&mut mailbox, &ids[..1], false);
    assert_eq!(bed.graph.turns(), ["GET attachments 200"]);
}

#[test]
fn what_is_deleted_goes_to_deleted_items() {
    let Some(mut bed) = Bed::start() else { return };
    bed.deliver_many(45);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    bed.graph.turns();
    let deletion = mailbox.delete(&ids[..41]).unwrap();
    assert_eq!(deletion.deleted, ids[..41]);
    assert_eq!(bed.graph.turns(), [BATCH, BATCH, "POST move 201"]);
    let moved: Vec<_> = (1..=41).collect();
    assert_eq!(bed.graph.inbox(|inbox| inbox.folder("deleteditems")), moved);
    // Ids stay the same, so once more does no harm; what is gone is gone.
    bed.graph.inbox(|inbox| inbox.remove(42));
    let deletion = mailbox.delete(&ids[40..42]).unwrap();
    assert_eq!(deletion.deleted, ids[40..42]);

    bed.permanently = true;
    let mut mailbox = bed.open();
    bed.graph.turns();
    mailbox.delete(&ids[42..]).unwrap();
    assert_eq!(bed.graph.turns(), [BATCH]);
    assert_eq!(bed.graph.inbox(|inbox| inbox.folder("inbox")), [0; 0]);
    assert_eq!(bed.graph.inbox(|inbox| inbox.folder("deleteditems")), moved);
}

#[test]
fn a_mail_is_handed_over_whole_and_nothing_else_is() {
    let Some(mut bed) = Bed::start() else { return };
    bed.limits.mail = 5000;
    let small = Mail::new("small").attach("a.bin", &[7; 1000]);
    bed.deliver_as(&small, NOON, &json!({}));
    bed.deliver_as(
        &Mail::new("large").attach("b.bin", &[7; 5000]),
        NOON,
        &json!({}),
    );
    bed.deliver("gone", NOON);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let subjects = subjects(&mut mailbox, &ids);
    bed.graph.inbox(|inbox| inbox.remove(3));
    bed.graph.turns();
    let mut found = Vec::new();
    let mut take = |id: &_, bytes: Result<Vec<u8>, _>| {
        let place = ids.iter().position(|own| own == id).unwrap();
        found.push((subjects[place].clone(), bytes));
    };
    mailbox.raw(&ids, &mut take).unwrap();
    found.sort_by_key(|(subject, _)| subject.clone());
    let [(large, fault), (small_, bytes)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((large.as_str(), small_.as_str()), ("large", "small"));
    assert_eq!(bytes.as_ref().unwrap(), &small.bytes());
    assert!(
        fault
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("over the limit of 5000")
    );
    let mut turns = bed.graph.turns();
    turns.sort();
    assert_eq!(
        turns,
        ["GET $value 200", "GET $value 200", "GET $value 404"]
    );
}
