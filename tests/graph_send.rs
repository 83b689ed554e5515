//! Delivery by Graph: the forms of a request, its faults, and never a second mail.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test that breaks ends, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use harness::graph::{Fault, StoredFile};
use harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
use harness::{Graph, IdentityProvider};
use mailparse::MailHeaderMap;
use serde_json::{Value, json};
use smartemail::auth::{Authority, Grant, Settings as TokenSettings, TokenSource};
use smartemail::net::Trace;
use smartemail::net::http::Limits;
use smartemail::secret::Secret;
use smartemail::send::graph::{self, Access};
use smartemail::send::{
    Address, Answered, Body, Delivery, Error, File, Mail, Outbox, Person, Priority, Receipt,
    Service,
};

const BOSS: &str = "boss@example.com";

/// A Graph, its identity provider, and what is shown of the conversation.
struct Bed {
    provider: IdentityProvider,
    graph: Graph,
    shown: Arc<Mutex<String>>,
    user: &'static str,
    access: Access,
    delegate: bool,
    limit: Duration,
}

impl Bed {
    fn start() -> Option<Self> {
        let provider = IdentityProvider::start()?;
        Some(Self {
            graph: Graph::start(&provider),
            provider,
            shown: Arc::default(),
            user: USER,
            access: Access::Delegated,
            delegate: false,
            limit: Duration::from_secs(10),
        })
    }

    fn outbox(&self) -> Outbox {
        let limits = Limits {
            connect: self.limit,
            answer: self.limit,
        };
        let (client_id, grant) = match self.access {
            Access::Delegated => (
                NATIVE,
                Grant::Password {
                    user: USER.into(),
                    password: Secret::new(PASSWORD.into()),
                    secret: None,
                },
            ),
            Access::Application => (
                DAEMON,
                Grant::ClientCredentials {
                    secret: Secret::new(SECRET.into()),
                },
            ),
        };
        let sink = Arc::clone(&self.shown);
        let trace = Trace::to(move |line| {
            let mut shown = sink.lock().unwrap();
            *shown += line;
            *shown += "\n";
        });
        let tokens = TokenSettings {
            authority: Authority::of(&self.provider.authority(), DIRECTORY).unwrap(),
            client_id: client_id.into(),
            grant,
            scope: self.graph.scope(),
            margin: Duration::from_secs(10),
            limits,
        };
        let settings = graph::Settings {
            root: graph::root("", &self.graph.scope()).unwrap(),
            user: self.user.into(),
            access: self.access,
            delegate: self.delegate,
            tokens: TokenSource::new(tokens, trace.clone()),
            limits,
        };
        Outbox::new(Service::Graph(settings), trace)
    }

    fn send(&self, mail: &Mail) -> Result<Delivery, Error> {
        let sent = self.outbox().send(std::slice::from_ref(mail));
        sent.into_iter().next().unwrap()
    }

    /// Of the requests for tokens nothing is asked here.
    fn exchanges(&self) -> Vec<String> {
        self.graph.exchanges()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let shown = self.shown.lock().unwrap();
        let bodies = self.provider.requests().into_iter();
        let tokens = bodies.filter_map(|request| {
            let body: Value = serde_json::from_str(&request.body).ok()?;
            Some(body["access_token"].as_str()?.to_owned())
        });
        let known = [PASSWORD, SECRET, "up-s3cret"].map(str::to_owned);
        for secret in tokens.chain(known) {
            assert!(!shown.contains(&secret), "{secret} in:\n{shown}");
        }
    }
}

fn person(name: &str, address: &str) -> Person {
    Person {
        name: name.into(),
        address: Address::parse(address).unwrap(),
    }
}

fn mail() -> Mail {
    Mail {
        from: person("Operations", USER),
        to: vec![person("J\u{f6}rg", "joerg@example.net")],
        cc: vec![person("", "carol@example.net")],
        bcc: vec![person("", "dave@example.net")],
        subject: "Gr\u{fc}\u{df}e".into(),
        body: Body::Text("Hello,\nworld \u{20ac}\n".into()),
        attachments: Vec::new(),
        priority: Priority::Normal,
        read_receipt: false,
        delivery_receipt: false,
        answers: None,
        message_id: "<1234.5678@ops.example.com>".into(),
        date: chrono::DateTime::parse_from_rfc3339("2026-11-21T10:00:00Z").unwrap(),
    }
}

fn file(name: &str, length: usize) -> File {
    let bytes = (0..length).map(|place| u8::try_from(place % 251).unwrap());
    File {
        name: name.into(),
        bytes: bytes.collect(),
    }
}

#[test]
fn a_mail_goes_out_as_mime() {
    let Some(mut bed) = Bed::start() else { return };
    for access in [Access::Delegated, Access::Application] {
        bed.access = access;
        let mut mail = mail();
        mail.from = person("Operations", "OPS@example.com");
        bed.graph.allow_sending_as("OPS@example.com");
        mail.attachments = vec![file("report.bin", 100_000)];
        mail.answers = Some(Answered {
            message_id: Some("<asked@example.net>".into()),
        });
        assert_eq!(bed.send(&mail).unwrap(), Delivery::default());
        let sent = bed.graph.sent().pop().unwrap();
        let parsed = sent.parsed();
        let header = |name| parsed.headers.get_first_value(name).unwrap_or_default();
        assert_eq!(header("Subject"), "Gr\u{fc}\u{df}e");
        assert_eq!(header("To"), "J\u{f6}rg <joerg@example.net>");
        assert!(
            header("Bcc").contains("dave@example.net"),
            "the service reads it there"
        );
        assert_eq!(header("Message-ID"), "<1234.5678@ops.example.com>");
        assert_eq!(header("In-Reply-To"), "<asked@example.net>");
        assert_eq!(
            parsed.subparts[1].get_body_raw().unwrap(),
            mail.attachments[0].bytes
        );
    }
    assert_eq!(bed.exchanges(), ["POST sendMail 202", "POST sendMail 202"]);
}

#[test]
fn what_mime_can_not_say_is_said_in_json() {
    let Some(mut bed) = Bed::start() else { return };
    bed.delegate = true;
    bed.graph.allow_sending_as(BOSS);
    let mut mail = mail();
    mail.from = person("The boss", BOSS);
    mail.subject = "one\r\ntwo".into();
    mail.body = Body::Html {
        page: "<p>Hi<img src=\"cid:my logo.png\"></p>".into(),
        inline: vec![file("my logo.png", 10)],
    };
    mail.attachments = vec![file("a \"quoted\" n\u{e4}me.txt", 20)];
    mail.priority = Priority::Highest;
    mail.read_receipt = true;
    mail.delivery_receipt = true;
    mail.answers = Some(Answered {
        message_id: Some("<asked@example.net>".into()),
    });

    let delivery = bed.send(&mail).unwrap();

    assert_eq!(delivery.receipt, Receipt::Property);
    let sent = bed.graph.sent().pop().unwrap();
    let mut told = sent.resource;
    let attachments = told.as_object_mut().unwrap().remove("attachments").unwrap();
    assert_eq!(
        told,
        json!({
            "subject": "one two",
            "body": { "contentType": "html", "content": "<p>Hi<img src=\"cid:my_20logo.png\"></p>" },
            "from": { "emailAddress": { "address": BOSS, "name": "The boss" } },
            "toRecipients": [{ "emailAddress": { "address": "joerg@example.net", "name": "J\u{f6}rg" } }],
            "ccRecipients": [{ "emailAddress": { "address": "carol@example.net" } }],
            "bccRecipients": [{ "emailAddress": { "address": "dave@example.net" } }],
            "internetMessageId": "<1234.5678@ops.example.com>",
            "importance": "high",
            "isReadReceiptRequested": true,
            "isDeliveryReceiptRequested": true,
            "internetMessageHeaders": [{ "name": "X-Auto-Response-Suppress", "value": "All" }],
            "singleValueExtendedProperties": [
                { "id": "String {00020386-0000-0000-C000-000000000046} Name Auto-Submitted", "value": "auto-replied" },
                { "id": "String 0x1042", "value": "<asked@example.net>" },
                { "id": "String 0x1039", "value": "<asked@example.net>" },
            ],
        })
    );
    assert_eq!(attachments[0]["contentType"], "image/png");
    let stored = |file: &File, content_id: Option<&str>| StoredFile {
        name: file.name.clone(),
        content_id: content_id.map(str::to_owned),
        bytes: file.bytes.clone(),
        pieces: 0,
    };
    let Body::Html { inline, .. } = &mail.body else {
        unreachable!()
    };
    assert_eq!(
        sent.files,
        [
            stored(&inline[0], Some("my_20logo.png")),
            stored(&mail.attachments[0], None)
        ]
    );
}

#[test]
fn without_allow_delegate_a_mail_goes_out_from_the_mailbox() {
    let Some(mut bed) = Bed::start() else { return };
    let mut mail = mail();
    mail.from = person("The boss", BOSS);
    bed.send(&mail).unwrap();
    let from = bed.graph.sent()[0].parsed().headers.get_first_value("From");
    assert_eq!(from, Some(format!("The boss <{USER}>")));

    // Where a draft is due, and where the mailbox has no address, Graph fills it in.
    let mut large = mail.clone();
    large.attachments = vec![file("large.bin", 4_000_000)];
    bed.send(&large).unwrap();
    bed.user = "5f0c2d1e-7f4d-4a0b-9a62-0d1f3c5b7e90";
    bed.send(&mail).unwrap();
    for sent in &bed.graph.sent()[1..] {
        assert_eq!(sent.resource["subject"], mail.subject);
        assert_eq!(sent.resource.get("from"), None);
    }
    bed.user = USER;

    bed.delegate = true;
    let error = bed.send(&mail).unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("ErrorSendAsDenied") && told.contains("Send on Behalf"),
        "{told}"
    );
    assert!(told.contains("request-id 24e7991e"), "{told}");
    assert!(!error.is_transient() && !error.may_have_arrived());
    assert_eq!(bed.graph.sent().len(), 3);
}

#[test]
fn large_files_are_uploaded_to_a_draft() {
    let Some(bed) = Bed::start() else { return };
    let mut mail = mail();
    mail.attachments = vec![
        file("small.bin", 2_999_999),
        file("large.bin", 3_932_160 * 2 + 1),
        file("exact.bin", 3_932_160),
    ];
    bed.send(&mail).unwrap();
    let sent = bed.graph.sent().pop().unwrap();
    let pieces: Vec<_> = sent
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.pieces))
        .collect();
    assert_eq!(
        pieces,
        [("small.bin", 0), ("large.bin", 3), ("exact.bin", 1)]
    );
    for (stored, given) in sent.files.iter().zip(&mail.attachments) {
        assert!(stored.bytes == given.bytes, "{}", given.name);
    }
    assert_eq!(sent.resource["internetMessageId"], mail.message_id);
    assert!(bed.graph.folder("drafts").is_empty());
    assert_eq!(
        bed.exchanges(),
        [
            "POST messages 201",
            "POST attachments 201",
            "POST createUploadSession 201",
            "PUT upload 200",
            "PUT upload 200",
            "PUT upload 201",
            "POST createUploadSession 201",
            "PUT upload 201",
            "POST send 202",
        ]
    );
}

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
    bed.limit = Duration::from_secs(5);
    bed.graph.fail(
        "sendMail",
        Fault::Refuse(429, "TooManyRequests", after("6")),
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
}

#[test]
fn a_mail_that_may_have_gone_out_is_not_sent_again() {
    let Some(bed) = Bed::start() else { return };
    for (fault, arrived) in [
        (Fault::LoseAnswer, 1),
        (Fault::HangUp, 1),
        (Fault::Gateway(502), 1),
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
