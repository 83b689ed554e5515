//! Answers that no Graph gives.

use std::net::TcpListener;

use serde_json::{Value, json};
use smartemail::mailbox::{Known, Mailbox};

use crate::bed::{Bed, listed};
use crate::harness::graph::Fault;

fn told(bed: &Bed, answer: Value) -> String {
    bed.graph.fail("messages", Fault::Say(200, answer));
    let error = bed.open().list(&Known::default()).unwrap_err();
    assert!(!error.is_transient(), "{error}");
    error.to_string()
}

#[test]
fn a_token_goes_to_no_other_server() {
    let Some(bed) = Bed::start() else { return };
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    let own = bed.graph.endpoint().replace("http://localhost:", "");
    for link in [
        format!("http://localhost:{port}/v1.0/me/messages?$skip=1"),
        format!("http://127.0.0.1:{own}/v1.0/x"),
        format!("https://localhost:{own}/v1.0/x"),
        format!("http://localhost:{own}@localhost:{port}/x"),
        "//localhost/x".to_owned(),
        "/v1.0/me/messages".to_owned(),
        "\u{1b}[31m\r\nX: y".to_owned(),
        String::new(),
    ] {
        let page = |link: &str| json!({ "value": [], "@odata.nextLink": link });
        bed.graph
            .fail("messages", Fault::Say(200, page("http://x/")));
        let error = told(&bed, page(&link));
        assert!(
            error.contains("GET messages in a way that can't be used: it goes on at"),
            "{link}: {error}"
        );
        assert!(!error.contains(['\u{1b}', '\r', '\n']), "{error:?}");
    }
    assert!(elsewhere.accept().is_err(), "somebody came");
    assert_eq!(bed.graph.turns(), vec!["GET messages 200"; 8]);
}

#[test]
fn answers_that_are_none() {
    let Some(bed) = Bed::start() else { return };
    for answer in [
        json!({}),
        json!([]),
        json!("x"),
        json!({ "value": 1 }),
        json!({ "value": {} }),
        json!({ "value": [], "@odata.nextLink": 1 }),
        json!({ "value": [{}] }),
        json!({ "value": [{ "id": "" }] }),
        json!({ "value": [{ "id": ".." }] }),
        json!({ "value": [{ "id": "a b" }] }),
        json!({ "value": [{ "id": "x".repeat(1001) }] }),
        json!({ "value": [1] }),
        (0..200).fold(json!(1), |inside, _| json!([inside])),
    ] {
        let error = told(&bed, answer.clone());
        assert!(
            error.contains("answered GET messages in a way that can't be used"),
            "{answer}: {error}"
        );
        assert!(error.len() < 600);
    }
    for (status, name) in [
        (200, "in a way"),
        (302, "it points elsewhere"),
        (404, "nothing at this address"),
    ] {
        bed.graph.fail("messages", Fault::Gateway(status));
        let error = bed.open().list(&Known::default()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    bed.graph.fail(
        "mailFolder",
        Fault::Say(200, json!({ "totalItemCount": -1 })),
    );
    let error = bed.open().count().unwrap_err().to_string();
    assert!(error.contains("it gives no number of mails"), "{error}");
}

#[test]
fn a_mail_that_is_odd_is_one_mail() {
    let Some(bed) = Bed::start() else { return };
    let odd = json!({ "value": [
        { "id": "A", "subject": 1 },
        { "id": "B", "subject": "a\r\n\u{1b}[31mb\u{202e}", "receivedDateTime": "9999-12-31T23:59:59-14:00" },
        { "id": "../../C?x#y", "receivedDateTime": 7, "from": [], "size": {} },
    ] });
    for _ in 0..2 {
        bed.graph.fail("messages", Fault::Say(200, odd.clone()));
    }
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    assert_eq!(ids.len(), 3);
    let all = mailbox.summaries(&ids).unwrap();
    let of = |id: &str| {
        all.iter()
            .find(|(own, _)| own.as_str() == id)
            .unwrap()
            .1
            .as_ref()
    };
    assert!(of("A").is_err());
    let odd = of("B").unwrap();
    assert!(
        !odd.envelope.subject.contains(char::is_control),
        "{:?}",
        odd.envelope.subject
    );
    // An id is one part of a path, whatever stands in it.
    mailbox
        .raw(&ids[..], &mut |_, _| panic!("there is none"))
        .unwrap();
    let turns = bed.graph.turns();
    assert_eq!(turns[2..], vec!["GET $value 404"; 3]);
}

#[test]
fn batches_that_are_none() {
    let Some(bed) = Bed::start() else { return };
    bed.deliver_many(2);
    let mut mailbox = bed.open();
    let ids = listed(&mut mailbox);
    let ok = json!({ "id": "0", "status": 201, "body": {} });
    for responses in [
        json!([]),
        json!([ok]),
        json!([ok, ok]),
        json!([ok, { "id": "7", "status": 201 }]),
        json!([ok, { "id": "1", "status": 7 }]),
        json!([ok, { "id": "1", "status": 99999 }]),
        json!([ok, { "id": 1, "status": 201 }]),
        json!("x"),
    ] {
        bed.graph
            .fail("$batch", Fault::Say(200, json!({ "responses": responses })));
        let error = mailbox.delete(&ids).unwrap().cut_short.unwrap();
        assert!(
            error.to_string().contains("answered POST $batch in a way"),
            "{responses}: {error}"
        );
    }
    assert_eq!(bed.graph.inbox(|inbox| inbox.folder("inbox")), [1, 2]);
}

#[test]
fn a_list_without_an_end_has_one() {
    let Some(bed) = Bed::start() else { return };
    bed.graph.endless(true);
    let error = bed.open().list(&Known::default()).unwrap_err().to_string();
    assert!(error.contains("it has more than 2000 pages"), "{error}");
}
