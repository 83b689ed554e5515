//! What servers answer, and what arrives.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use serde_json::json;
use smartemail::net::{Error as Lost, Security};
use smartemail::send::{Answer, Body, Error, File, Person, Priority, Receipt, Refusal, Refused};

use crate::harness::{CountingProxy, Exim, Recorder, exim, recorder};
use crate::{mail, send_one, settings};

#[test]
fn each_recipient_has_its_own_answer() {
    let Some(server) = Exim::start() else { return };
    let recipients = [
        "bob@example.test",
        "reject@example.test",
        "temp@example.test",
        "x@elsewhere.test",
    ];
    let delivery = send_one(
        settings(server.smtp, Security::StartTls),
        mail("to four", &recipients),
    )
    .unwrap();
    let refused = |recipient: &str, answer: &str, transient| Refusal {
        recipient: recipient.into(),
        answer: Answer::Said(answer.into()),
        transient,
    };
    assert_eq!(
        delivery.refused,
        [
            refused("reject@example.test", "550 5.1.1 No such mailbox", false),
            refused("temp@example.test", "451 4.2.0 Try again later", true),
            refused("x@elsewhere.test", "550 5.7.1 relay not permitted", false),
        ]
    );
    assert!(server.mails("bob", 1)[0].contains("\nTo: bob@example.test,\n reject@example.test,\n"));
}

#[test]
fn a_refusal_is_exact() {
    let Some(server) = Exim::start() else { return };
    let attempt = |subject: &str, recipients: &[&str]| {
        send_one(
            settings(server.smtp, Security::None),
            mail(subject, recipients),
        )
        .unwrap_err()
    };
    let nobody = attempt("x", &["reject@example.test", "temp@example.test"]);
    assert!(
        matches!(&nobody, Error::NobodyTook(refusals) if refusals.len() == 2),
        "{nobody}"
    );
    let later = attempt("x", &["temp@example.test"]);
    assert!(later.is_transient() && !later.may_have_arrived(), "{later}");
    let never = attempt("reject-at-data", &["bob@example.test"]);
    let Error::Refused {
        what: Refused::Contents,
        answer,
        transient: false,
        ..
    } = &never
    else {
        panic!("{never}");
    };
    assert_eq!(answer, "550 5.6.0 contents rejected");
    assert!(!never.may_have_arrived());
    assert!(
        server.log().lines().all(|line| !line.contains("<= ")),
        "{}",
        server.log()
    );
}

#[test]
fn a_slow_server_has_as_long_as_the_settings_say() {
    let Some(server) = Exim::start() else { return };
    let slow = || mail("slow", &["slow@example.test"]);
    send_one(settings(server.smtp, Security::None), slow()).unwrap();
    let mut hasty = settings(server.smtp, Security::None);
    hasty.endpoint.timeouts.read = Duration::from_secs(1);
    let error = send_one(hasty, slow()).unwrap_err();
    let Error::Connection(cause) = &error else {
        panic!("{error}");
    };
    assert!(matches!(cause.cause(), Lost::TimedOut { .. }), "{error}");
    assert!(error.is_transient() && !error.may_have_arrived());
    assert_eq!(server.mails("catchall", 1).len(), 1);
}

#[test]
fn delivery_receipts_are_asked_for_by_dsn_where_it_is_offered() {
    for (hidden, expected) in [(&[][..], Receipt::Dsn), (&["DSN"], Receipt::Header)] {
        let Some(server) = Recorder::with(recorder::Options {
            hidden,
            ..recorder::Options::default()
        }) else {
            return;
        };
        let mut wanted = mail("wanted", &["a+b@example.test"]);
        wanted.delivery_receipt = true;
        let delivery = send_one(settings(server.smtp, Security::StartTls), wanted).unwrap();
        send_one(
            settings(server.smtp, Security::StartTls),
            mail("plain", &["c@example.test"]),
        )
        .unwrap();
        let [with, without] = &server.mails()[..] else {
            panic!("two mails");
        };
        assert_eq!(delivery.receipt, expected);
        assert_eq!(without.recipients[0]["dsn"]["notify"], json!(null));
        let header = String::from_utf8_lossy(&with.bytes)
            .contains("\r\nReturn-Receipt-To: <jobs@example.test>\r\n");
        assert_eq!(header, expected == Receipt::Header);
        if expected == Receipt::Dsn {
            assert_eq!(
                with.dsn,
                json!({"ret": "HDRS", "envid": "wanted@example.test"})
            );
            assert_eq!(
                with.recipients[0]["dsn"],
                json!({"notify": ["SUCCESS", "FAILURE", "DELAY"], "orcpt": "rfc822;a+b@example.test"})
            );
        }
    }
}

#[test]
fn a_delivery_receipt_comes() {
    let Some(server) = Exim::start() else { return };
    let mut wanted = mail("wanted", &["bob@example.test"]);
    wanted.delivery_receipt = true;
    send_one(settings(server.smtp, Security::None), wanted).unwrap();
    let receipt = &server.mails("jobs", 1)[0];
    for line in [
        "Action: delivered",
        "Original-Envelope-Id: wanted@example.test",
        "Final-Recipient: rfc822;bob@example.test",
    ] {
        assert!(
            receipt.to_lowercase().contains(&line.to_lowercase()),
            "{line} in {receipt}"
        );
    }
}

#[test]
fn what_is_sent_is_what_arrives() {
    let Some(server) = Recorder::start() else {
        return;
    };
    let mut full = mail("Gr\u{fc}\u{df}e \u{1f973}", &["a@example.test"]);
    full.message_id = "<full@example.test>".into();
    full.bcc = vec![Person {
        name: "Hidden".into(),
        address: smartemail::send::Address::parse("hidden@example.test").unwrap(),
    }];
    full.body = Body::Html {
        page: "<p>.</p>\n.\n..\n<img src=\"cid:logo.png\">".into(),
        inline: vec![File {
            name: "logo.png".into(),
            bytes: b"PNG".to_vec(),
        }],
    };
    full.attachments = vec![File {
        name: "all.bin".into(),
        bytes: (0..=255).collect(),
    }];
    full.priority = Priority::High;
    send_one(settings(server.smtps, Security::Tls), full.clone()).unwrap();
    let mail = &server.mails()[0];
    let addresses: Vec<_> = mail
        .recipients
        .iter()
        .map(|r| r["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses, ["a@example.test", "hidden@example.test"]);
    assert_eq!(mail.sender["address"], "jobs@example.test");
    assert!(mail.secure);
    let parsed = mailparse::parse_mail(&mail.bytes).unwrap();
    let header = |name: &str| mailparse::MailHeaderMap::get_first_value(&parsed.headers[..], name);
    assert_eq!(header("Subject").unwrap(), full.subject);
    assert_eq!(header("X-Priority").unwrap(), "2 (High)");
    assert_eq!(header("Bcc"), None);
    assert_eq!(
        parsed.subparts[1].get_body_raw().unwrap(),
        full.attachments[0].bytes
    );
    let page = parsed.subparts[0].subparts[1].subparts[0]
        .get_body()
        .unwrap();
    assert_eq!(
        page.replace("\r\n", "\n").trim_end(),
        "<p>.</p>\n.\n..\n<img src=\"cid:logo.png\">"
    );
}

#[test]
fn a_mail_beyond_the_server_s_limit_is_not_sent() {
    let Some(server) = Recorder::with(recorder::Options {
        size: 1000,
        ..recorder::Options::default()
    }) else {
        return;
    };
    let mut large = mail("large", &["a@example.test"]);
    large.body = Body::Text("x\n".repeat(1000));
    let proxy = CountingProxy::before("127.0.0.1", server.smtp);
    let error = send_one(settings(proxy.port, Security::None), large).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit: 1000,
                size: 2000..,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(proxy.traffic().commands_with("MAIL"), [""; 0]);
}

#[test]
fn a_server_that_hangs_up_in_the_middle_of_a_mail_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        stream.write_all(b"220 here\r\n").unwrap();
        for answer in ["250 here", "250 ok", "250 ok", "354 go on"] {
            lines.next().unwrap().unwrap();
            stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .unwrap();
        }
        lines.next().unwrap().unwrap();
        stream.write_all(b"552 5.3.4 too large\r\n").unwrap();
    });
    let mut large = mail("large", &["a@example.test"]);
    large.attachments = vec![File {
        name: "large.bin".into(),
        bytes: vec![0; 20_000_000],
    }];
    let error = send_one(settings(port, Security::None), large).unwrap_err();
    server.join().unwrap();
    let Error::Refused {
        what: Refused::Contents,
        answer,
        transient: false,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(answer, "552 5.3.4 too large");
}

#[test]
fn addresses_beyond_ascii_go_to_servers_that_know_them() {
    let Some(server) = Exim::with(exim::Options {
        extra: "smtputf8_advertise_hosts = *",
        ..exim::Options::default()
    }) else {
        return;
    };
    send_one(
        settings(server.smtp, Security::None),
        mail("utf8", &["j\u{f6}rg@example.test"]),
    )
    .unwrap();
    assert!(server.mails("catchall", 1)[0].contains("\nTo: j\u{f6}rg@example.test\n"));
    let Some(server) = Exim::with(exim::Options {
        extra: "smtputf8_advertise_hosts =",
        ..exim::Options::default()
    }) else {
        return;
    };
    let error = send_one(
        settings(server.smtp, Security::None),
        mail("utf8", &["j\u{f6}rg@example.test"]),
    );
    let told = error.unwrap_err().to_string();
    assert!(told.contains("beyond ASCII"), "{told}");
}
