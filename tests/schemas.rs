//! The judges of the stand-ins: they tell right from wrong.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::judge::{Exchange, Judge};
use harness::{daemon, ews, schemas};
use serde_json::Value;

#[test]
fn the_judge_of_mail_gives_the_verdict_of_every_case() {
    let path = schemas::folder().join("graph/cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let text = |name: &str| case[name].as_str();
        let pairs = |name: &str| -> Vec<(String, String)> {
            let object = case[name].as_object().into_iter().flatten();
            object
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect()
        };
        let (query, headers) = (pairs("query"), pairs("headers"));
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.to_ascii_lowercase(), v))
            .collect();
        let body = match &case["body"] {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            body => body.to_string().into_bytes(),
        };
        let exchange = Exchange {
            method: text("method").unwrap(),
            path: text("path").unwrap().split('/').skip(1).collect(),
            query: query
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect(),
            headers: headers
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect(),
            content_type: text("contentType"),
            body: &body,
        };
        let verdict = match text("side").unwrap() {
            "request" => Judge::of_mail().request(&exchange),
            _ => Judge::of_mail().answer(
                &exchange,
                u16::try_from(case["status"].as_u64().unwrap()).unwrap(),
            ),
        };
        if verdict.is_ok() != (case["valid"] == true) {
            wrong.push(format!("{}: {verdict:?}", case["name"]));
        }
    }
    println!("{} cases of {}", cases.len(), schemas::folder().display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_judge_of_mail_knows_no_other_parameters() {
    let exchange = Exchange {
        method: "DELETE",
        path: vec!["me", "messages", "AAA="],
        query: vec![("$bogus", "1")],
        ..Exchange::default()
    };
    assert!(Judge::of_mail().request(&exchange).is_err());
}

#[test]
fn the_judge_of_ews_demands_the_order_of_the_schema() {
    let xmllint = daemon::find("xmllint");
    if !daemon::is_installed("xmllint", &[&xmllint]) {
        return;
    }
    let request = |inside: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
             xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Body>\
             <m:CreateItem MessageDisposition=\"SendAndSaveCopy\"><m:Items><t:Message>{inside}</t:Message></m:Items>\
             </m:CreateItem></s:Body></s:Envelope>"
        )
    };
    let mime = "<t:MimeContent>YWJj</t:MimeContent>";
    let bcc = "<t:BccRecipients><t:Mailbox><t:EmailAddress>a@example.com</t:EmailAddress></t:Mailbox></t:BccRecipients>";
    assert_eq!(
        ews::judge(request(&format!("{mime}{bcc}")).as_bytes()),
        Ok(())
    );
    for wrong in [
        format!("{bcc}{mime}"),
        format!("{mime}<t:Bcc/>"),
        format!("{mime}<t:IsDeliveryReceiptRequested>yes</t:IsDeliveryReceiptRequested>"),
    ] {
        assert!(ews::judge(request(&wrong).as_bytes()).is_err(), "{wrong}");
    }
}
