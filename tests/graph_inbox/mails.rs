//! Mails of every kind, above all those that users were hurt by.

use chrono::{DateTime, Utc};
use serde_json::json;
use smartemail::mailbox::Mailbox;

use crate::bed::{Bed, NOON, contents, lines, listed, names, summaries};
use crate::harness::Mail;

fn event_request() -> serde_json::Value {
    json!({ "@odata.type": "#microsoft.graph.eventMessageRequest", "meetingMessageType": "meetingRequest" })
}

#[test]
fn mails_without_a_subject_and_meeting_requests_are_mails() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_as(&Mail::without_subject(), "2026-01-06T12:00:01Z", &json!({}));
    bed.deliver_as(
        &Mail::new("x"),
        "2026-01-06T12:00:02Z",
        &json!({ "subject": null }),
    );
    bed.deliver_as(
        &Mail::new("Invitation"),
        "2026-01-06T12:00:03Z",
        &event_request(),
    );
    let subjects: Vec<_> = summaries(&mut bed.open())
        .into_iter()
        .map(|summary| summary.envelope.subject)
        .collect();
    assert_eq!(subjects, ["", "", "Invitation"]);
}

#[test]
fn what_the_service_says_of_a_mail_is_what_its_header_says() {
    let Some(bed) = Bed::start() else { return };
    let mail = Mail::new("Gr\u{fc}\u{df}e \u{20ac}")
        .from("\"boss@example.test\" <Night.Run@example.test>")
        .header("Message-ID: <1234@example.test>")
        .date("Tue, 6 Jan 2026 11:59:30 +0100");
    bed.deliver_as(&mail, "2026-01-06T12:00:00.75Z", &json!({}));
    let summary = summaries(&mut bed.open()).remove(0);
    let envelope = smartemail::message::Envelope::parse(&mail.bytes());
    assert_eq!(summary.envelope, envelope);
    assert_eq!(summary.received, NOON.parse::<DateTime<Utc>>().unwrap());
    assert_eq!(summary.size, mail.bytes().len() as u64);
}

#[test]
fn headers_tell_what_the_service_does_not() {
    let Some(bed) = Bed::start() else { return };
    let robot = Mail::new("x").header("Auto-Submitted: auto-generated");
    bed.deliver_as(&robot, "2026-01-06T12:00:01Z", &json!({}));
    let two = Mail::new("y").header("From: boss@example.test");
    bed.deliver_as(&two, "2026-01-06T12:00:02Z", &json!({}));
    bed.deliver("z", "2026-01-06T12:00:03Z");
    let told: Vec<_> = summaries(&mut bed.open())
        .into_iter()
        .map(|summary| summary.envelope)
        .map(|envelope| (envelope.automatic.is_some(), envelope.sender.reliable))
        .collect();
    assert_eq!(told, [(true, true), (false, false), (false, true)]);
}

#[test]
fn files_are_seen_wherever_they_are() {
    let Some(bed) = Bed::start() else { return };
    let at = |second: usize| format!("2026-01-06T12:00:{second:02}Z");
    let mails = [
        (
            Mail::new("inline only")
                .html("<p>x</p>")
                .inline("logo.png", b"p"),
            vec!["logo.png"],
        ),
        (
            Mail::new("html")
                .html("<p>x</p>")
                .attach("a.csv", b"1")
                .attach("a.csv", b"2"),
            vec!["a.csv", "a.csv"],
        ),
        (
            Mail::new("separators").attach("a/b\\\\c.csv", b"1"),
            vec!["a/b\\c.csv"],
        ),
        (Mail::new("none"), vec![]),
    ];
    for (second, (mail, _)) in mails.iter().enumerate() {
        bed.deliver_as(mail, &at(second), &json!({}));
    }
    let others = json!([
        { "@odata.type": "#microsoft.graph.itemAttachment", "name": "Fwd: report", "isInline": false, "size": 1, "contentType": null },
        { "@odata.type": "#microsoft.graph.referenceAttachment", "name": "Plan.xlsx", "isInline": false, "size": 1, "contentType": null },
        { "@odata.type": "#microsoft.graph.fileAttachment", "name": null, "isInline": true, "size": 1, "contentType": "image/png" },
    ]);
    bed.deliver_as(
        &Mail::new("kinds"),
        &at(9),
        &json!({ "attachments": others }),
    );
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let all = contents(&mut mailbox, &ids, false);
    let found: Vec<_> = all
        .iter()
        .map(|content| names(content.as_ref().unwrap()))
        .collect();
    let mut expected: Vec<_> = mails.iter().map(|(_, names)| names.clone()).collect();
    expected.push(vec!["Fwd: report.eml", "Plan.xlsx"]);
    assert_eq!(found, expected);
}

#[test]
fn bodies_are_text_whatever_they_were() {
    let Some(bed) = Bed::start() else { return };
    let at = |second: usize| format!("2026-01-06T12:00:{second:02}Z");
    let cases = [
        (
            Mail::new("plain").text("one\n\n two  \u{20ac} <x>\n"),
            vec!["one", "", " two  \u{20ac} <x>"],
        ),
        (
            Mail::new("html").html("<p>one</p>two<br>three"),
            vec!["one", "two", "three"],
        ),
        (Mail::new("empty").text(""), vec![]),
    ];
    for (second, (mail, _)) in cases.iter().enumerate() {
        bed.deliver_as(mail, &at(second), &json!({}));
    }
    // A service that does not do as it was asked to, and a mail without any.
    let html = json!({ "body": { "contentType": "html", "content": "<p>a&amp;b</p><script>x</script>c" } });
    bed.deliver_as(&Mail::new("x"), &at(8), &html);
    bed.deliver_as(&Mail::new("x"), &at(9), &json!({ "body": null }));
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let all = contents(&mut mailbox, &ids, true);
    let found: Vec<_> = all
        .iter()
        .map(|content| lines(content.as_ref().unwrap()))
        .collect();
    let mut expected: Vec<_> = cases.iter().map(|(_, lines)| lines.clone()).collect();
    expected.extend([vec!["a&b", "c"], vec![]]);
    assert_eq!(found, expected);
}

#[test]
fn a_mail_beyond_its_bounds_hurts_no_other() {
    let Some(mut bed) = Bed::start() else { return };
    bed.limits.text = 100;
    bed.limits.parts = 3;
    let at = |second: usize| format!("2026-01-06T12:00:{second:02}Z");
    bed.deliver_as(
        &Mail::new("long").text(&"x".repeat(200)),
        &at(1),
        &json!({}),
    );
    let many = (0..4).fold(Mail::new("many"), |mail, n| {
        mail.attach(&format!("{n}.txt"), b"x")
    });
    bed.deliver_as(&many, &at(2), &json!({}));
    bed.deliver("fine", &at(3));
    // Larger than any answer may be: it is asked for by itself, and again without it.
    bed.deliver_as(
        &Mail::new("huge"),
        &at(4),
        &json!({ "body": { "contentType": "text", "content": "x".repeat(5 << 20) } }),
    );
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let told: Vec<_> = contents(&mut mailbox, &ids, true)
        .into_iter()
        .map(|content| content.map(|_| ()).map_err(|fault| fault.to_string()))
        .collect();
    assert_eq!(
        told[0],
        Err("its body text of 200 bytes is over the limit of 100".into())
    );
    assert_eq!(told[1], Err("it has more than 3 parts".into()));
    assert_eq!(told[2], Ok(()));
    assert!(
        told[3]
            .as_ref()
            .unwrap_err()
            .contains("is over the limit of 100")
    );
    // Moving it is answered with all of it.
    assert_eq!(mailbox.delete(&ids).unwrap().deleted, ids);
    assert_eq!(bed.graph.inbox(|inbox| inbox.folder("inbox")), [0; 0]);
}

#[test]
fn a_header_without_an_end_hurts_no_other() {
    let Some(mut bed) = Bed::start() else { return };
    bed.limits.text = 100;
    let huge = json!({ "internetMessageHeaders": [{ "name": "X", "value": "x".repeat(5 << 20) }] });
    bed.deliver_as(&Mail::new("huge"), "2026-01-06T12:00:01Z", &huge);
    bed.deliver("fine", "2026-01-06T12:00:02Z");
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let all = mailbox.summaries(&ids).unwrap();
    let told: Vec<_> = all.iter().map(|(_, summary)| summary.is_ok()).collect();
    assert_eq!(told, [false, true]);
}

#[test]
fn ids_stay_when_somebody_moves_a_mail() {
    let Some(bed) = Bed::start() else { return };
    let number = bed.deliver("x", NOON);
    let ids = listed(&mut bed.open());
    bed.graph.inbox(|inbox| inbox.move_to(number, "archive"));
    assert_eq!(listed(&mut bed.open()), []);
    bed.graph.inbox(|inbox| inbox.move_to(number, "inbox"));
    assert_eq!(listed(&mut bed.open()), ids);
}
