//! Delivery by Graph: the forms of a request, and what the service does by itself.

use std::time::Duration;

use mailparse::MailHeaderMap;
use serde_json::json;
use smartemail::auth::TokenSource;
use smartemail::send::graph::{self, Access};
use smartemail::send::{
    Answered, Body, Delivery, Error, File, Mail, Outbox, Priority, Receipt, Service,
};

use crate::harness::graph::StoredFile;
use crate::harness::idp::{PASSWORD, SECRET, USER};
use crate::harness::{Graph, IdentityProvider};
use crate::{Shown, by_password, by_secret, limits, person, tokens};

const BOSS: &str = "boss@example.com";

/// A Graph, its identity provider, and what is shown of the conversation.
pub(crate) struct Bed {
    pub(crate) provider: IdentityProvider,
    pub(crate) graph: Graph,
    pub(crate) shown: Shown,
    pub(crate) user: &'static str,
    pub(crate) access: Access,
    pub(crate) delegate: bool,
    pub(crate) limit: Duration,
}

impl Bed {
    pub(crate) fn start() -> Option<Self> {
        let provider = IdentityProvider::start()?;
        Some(Self {
            graph: Graph::start(&provider),
            provider,
            shown: Shown::default(),
            user: USER,
            access: Access::Delegated,
            delegate: false,
            limit: Duration::from_secs(30),
        })
    }

    pub(crate) fn outbox(&self) -> Outbox {
        let grant = match self.access {
            Access::Delegated => by_password(USER, PASSWORD),
            Access::Application => by_secret(SECRET),
        };
        let trace = self.shown.trace();
        let tokens = tokens(&self.provider, grant, &self.graph.scope());
        let settings = graph::Settings {
            root: graph::root("", &self.graph.scope()).unwrap(),
            user: self.user.into(),
            access: self.access,
            delegate: self.delegate,
            tokens: TokenSource::new(tokens, trace.clone()),
            limits: limits(self.limit),
        };
        Outbox::new(Service::Graph(settings), trace)
    }

    pub(crate) fn send(&self, mail: &Mail) -> Result<Delivery, Error> {
        let outbox = self.outbox();
        let sent = outbox.send(std::slice::from_ref(mail)).pop().unwrap();
        self.shown.add(&format!("{sent:?}\n{outbox:?}"));
        if let Err(error) = &sent {
            self.shown.add(&error.to_string());
        }
        sent
    }

    /// Of the requests for tokens nothing is asked here.
    pub(crate) fn exchanges(&self) -> Vec<String> {
        self.graph.exchanges()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let of_uploads = "up-s3cret".to_owned();
        self.shown
            .hides(self.provider.issued().into_iter().chain([of_uploads]));
    }
}

/// A mail to somebody of each kind.
pub(crate) fn mail() -> Mail {
    Mail {
        cc: vec![person("", "carol@example.net")],
        bcc: vec![person("", "dave@example.net")],
        ..crate::mail()
    }
}

pub(crate) fn file(name: &str, length: usize) -> File {
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
        assert_eq!(header("Subject"), "Gr\u{fc}\u{df}e <&>");
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
