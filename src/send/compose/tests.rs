//! What was composed, read back by another parser.

use chrono::DateTime;
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};
use proptest::prelude::*;

use super::*;
use crate::send::{Address, Answered, Body, File, Person};

fn person(name: &str, address: &str) -> Person {
    Person {
        name: name.into(),
        address: Address::parse(address).unwrap(),
    }
}

fn file(name: &str, bytes: &[u8]) -> File {
    File {
        name: name.into(),
        bytes: bytes.to_vec(),
    }
}

fn mail(body: Body) -> Mail {
    Mail {
        from: person("Jobs", "jobs@example.test"),
        to: vec![person("", "bob@example.test")],
        cc: Vec::new(),
        bcc: Vec::new(),
        served: Vec::new(),
        subject: "Done".into(),
        body,
        attachments: Vec::new(),
        priority: Priority::Normal,
        read_receipt: false,
        delivery_receipt: false,
        answers: None,
        message_id: "<1@example.test>".into(),
        date: DateTime::parse_from_rfc3339("2026-03-01T09:05:07+01:00").unwrap(),
    }
}

fn text(text: &str) -> Mail {
    mail(Body::Text(text.into()))
}

fn composed(mail: &Mail) -> String {
    String::from_utf8(mail.compose(Form::default()).unwrap()).unwrap()
}

fn names(mail: &ParsedMail<'_>) -> Vec<String> {
    mail.headers
        .iter()
        .map(mailparse::MailHeader::get_key)
        .collect()
}

/// Each part's type, from the outside in.
fn kinds(part: &ParsedMail<'_>) -> Vec<String> {
    let inner = part.subparts.iter().flat_map(kinds);
    std::iter::once(part.ctype.mimetype.clone())
        .chain(inner)
        .collect()
}

#[test]
fn a_plain_mail_in_full() {
    let mut mail = text("One line\nand another\n");
    mail.cc = vec![
        person("Doe, Jo", "jo@example.test"),
        person("", "x@example.test"),
    ];
    mail.bcc = vec![person("", "secret@example.test")];
    assert_eq!(
        composed(&mail),
        "Date: Sun, 01 Mar 2026 09:05:07 +0100\r\n\
         From: Jobs <jobs@example.test>\r\n\
         To: bob@example.test\r\n\
         Cc: \"Doe, Jo\" <jo@example.test>,\r\n x@example.test\r\n\
         Subject: Done\r\n\
         Message-ID: <1@example.test>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 7bit\r\n\
         \r\n\
         One line\r\nand another\r\n"
    );
}

#[test]
fn hidden_recipients_are_named_only_where_they_are_asked_for() {
    let mut mail = text("x");
    mail.to.clear();
    mail.bcc = vec![person("", "secret@example.test")];
    assert!(!composed(&mail).contains("secret"));
    let form = Form {
        bcc: true,
        ..Form::default()
    };
    let named = String::from_utf8(mail.compose(form).unwrap()).unwrap();
    assert!(named.contains("Bcc: secret@example.test\r\n"));
    mail.bcc.clear();
    assert_eq!(mail.compose(form), Err(ComposeError::NoRecipient));
}

#[test]
fn an_automatic_answer_says_so() {
    let mut mail = text("x");
    mail.answers = Some(Answered {
        message_id: Some("<asked@elsewhere>".into()),
    });
    let with = composed(&mail);
    for line in [
        "Auto-Submitted: auto-replied\r\n",
        "In-Reply-To: <asked@elsewhere>\r\n",
        "References: <asked@elsewhere>\r\n",
        "X-Auto-Response-Suppress: All\r\n",
    ] {
        assert!(with.contains(line), "{line}");
    }
    for odd in [None, Some("<a>\r\nBcc: <b>"), Some("no id")] {
        mail.answers = Some(Answered {
            message_id: odd.map(str::to_owned),
        });
        let without = composed(&mail);
        assert!(without.contains("auto-replied") && !without.contains("In-Reply-To"));
    }
}

#[test]
fn urgency_and_receipts_are_headers() {
    let mut mail = text("x");
    mail.priority = Priority::Highest;
    mail.read_receipt = true;
    mail.delivery_receipt = true;
    let form = Form {
        receipt_header: true,
        ..Form::default()
    };
    let with = String::from_utf8(mail.compose(form).unwrap()).unwrap();
    for line in [
        "X-Priority: 1 (Highest)\r\n",
        "Importance: high\r\n",
        "Priority: urgent\r\n",
        "Disposition-Notification-To: <jobs@example.test>\r\n",
        "Return-Receipt-To: <jobs@example.test>\r\n",
    ] {
        assert!(with.contains(line), "{line}");
    }
    assert!(!composed(&mail).contains("Return-Receipt-To"));
    assert!(!composed(&text("x")).contains("Priority"));
}

#[test]
fn a_page_comes_with_its_text_its_pictures_and_attachments() {
    let mut mail = mail(Body::Html {
        page: "<p>Gr\u{fc}\u{df}e</p><img src=\"cid:logo.png\"><img src='cid:my%20pic.gif'>".into(),
        inline: vec![file("logo.png", b"PNG"), file("my pic.gif", b"GIF")],
    });
    mail.attachments = vec![file("data.csv", b"a;b\n"), file("r.bin", &[0, 1, 255])];
    let bytes = mail.compose(Form::default()).unwrap();
    let parsed = parse_mail(&bytes).unwrap();
    assert_eq!(
        kinds(&parsed),
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "image/gif",
            "text/csv",
            "application/octet-stream",
        ]
    );
    let [both, csv, binary] = &parsed.subparts[..] else {
        panic!("{parsed:?}");
    };
    assert_eq!(csv.get_body_raw().unwrap(), b"a;b\n");
    assert_eq!(binary.get_body_raw().unwrap(), [0, 1, 255]);
    assert_eq!(
        both.subparts[0].get_body().unwrap().trim_end(),
        "Gr\u{fc}\u{df}e"
    );
    let [page, logo, picture] = &both.subparts[1].subparts[..] else {
        panic!("{parsed:?}");
    };
    let id = |part: &ParsedMail<'_>| part.headers.get_first_value("Content-ID").unwrap();
    assert_eq!(
        (id(logo), id(picture)),
        ("<logo.png>".into(), "<my_20pic.gif>".into())
    );
    let page = page.get_body().unwrap();
    assert!(
        page.contains("cid:logo.png\"") && page.contains("cid:my_20pic.gif'"),
        "{page}"
    );
    assert_eq!(
        logo.get_content_disposition().params["filename"],
        "logo.png"
    );
}

#[test]
fn a_file_s_name_is_there_for_new_and_old_readers() {
    let mut mail = text("x");
    mail.attachments = vec![
        file("Pr\u{fc}f \"1\".pdf", b"x"),
        file("a \"b\\c\".txt", b"x"),
    ];
    let bytes = composed(&mail);
    let parsed = parse_mail(bytes.as_bytes()).unwrap();
    assert!(
        bytes.contains(" filename*=utf-8''Pr%C3%BCf%20%221%22.pdf\r\n"),
        "{bytes}"
    );
    assert!(
        bytes.contains(" name=\"=?utf-8?B?UHLDvGYgIjEiLnBkZg==?=\"\r\n"),
        "{bytes}"
    );
    let told = |index: usize| {
        let part: &ParsedMail<'_> = &parsed.subparts[index];
        part.get_content_disposition().params["filename"].clone()
    };
    assert_eq!(
        (told(1), told(2)),
        ("Pr\u{fc}f \"1\".pdf".into(), "a \"b\\c\".txt".into())
    );
    mail.attachments = vec![file(&"x".repeat(256), b"x")];
    assert!(matches!(
        mail.compose(Form::default()),
        Err(ComposeError::FileName(_))
    ));
}

#[test]
fn long_lines_and_odd_line_ends_stay_within_the_limits() {
    let long = format!("{}\rnext\n.\n\0", "x".repeat(5000));
    let bytes = composed(&text(&long));
    assert!(bytes.lines().all(|line| line.len() <= 998));
    assert!(!bytes.replace("\r\n", "").contains(['\r', '\n', '\0']));
    let body = parse_mail(bytes.as_bytes()).unwrap().get_body().unwrap();
    assert_eq!(
        body.trim_end(),
        format!("{}\r\nnext\r\n.", "x".repeat(5000))
    );
}

#[test]
fn many_recipients_make_many_short_lines() {
    let mut mail = text("x");
    mail.to = (0..500)
        .map(|n| person("", &format!("user{n}@example.test")))
        .collect();
    assert!(composed(&mail).lines().all(|line| line.len() <= 78));
}

#[test]
fn a_wrong_message_id_is_no_mail() {
    let mut mail = text("x");
    for wrong in ["", "1@x", "<1@x>\r\nBcc: a@b"] {
        mail.message_id = wrong.into();
        assert!(matches!(
            mail.compose(Form::default()),
            Err(ComposeError::MessageId(_))
        ));
    }
}

/// Text that tries to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("\0".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\u{85}".to_owned()),
        Just("Bcc: evil@example.test".to_owned()),
        Just("--".to_owned()),
        Just("\r\n.\r\n".to_owned()),
        Just("=?utf-8?B?DQpCY2M6IGU=?=".to_owned()),
        Just("\"; name=\"".to_owned()),
        Just("\\".to_owned()),
        Just(",<x@y>;".to_owned()),
        Just("\u{fc}\u{1f973}".to_owned()),
        "[ -~]{0,90}".prop_map(|text| text),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_value_adds_a_header_or_a_part(
        subject in hostile(), name in hostile(), other in hostile(), body in hostile(),
        attached in hostile(), shown in hostile(), answered in hostile(),
    ) {
        let short = |name: String| name.chars().take(40).collect::<String>();
        let mut mail = mail(Body::Html { page: body, inline: vec![file(&short(shown), b"pic")] });
        mail.from.name.clone_from(&name);
        mail.to = vec![
            Person { name: other.clone(), ..mail.to[0].clone() },
            person("last", "last@example.test"),
        ];
        mail.subject.clone_from(&subject);
        mail.attachments = vec![file(&short(attached.clone()), b"bytes")];
        mail.answers = Some(Answered { message_id: Some(answered.clone()) });
        let bytes = mail.compose(Form::default()).unwrap();

        let text = String::from_utf8(bytes.clone()).unwrap();
        prop_assert!(text.is_ascii());
        prop_assert!(text.split("\r\n").all(|line| line.len() <= 998));
        prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
        let parsed = parse_mail(&bytes).unwrap();
        let mut expected =
            vec!["Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References"];
        if !header::is_message_id(&answered) {
            expected.truncate(5);
        }
        expected.extend(["Auto-Submitted", "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"]);
        prop_assert_eq!(names(&parsed), expected);
        prop_assert_eq!(kinds(&parsed).len(), 7);

        // What was asked for is what is read.
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let read = parsed.headers.get_first_value("Subject").unwrap();
        prop_assert_eq!(folded(&read), folded(&header::one_line(&subject)));
        let to = mailparse::addrparse_header(parsed.headers.get_first_header("To").unwrap()).unwrap();
        let addresses: Vec<_> = to
            .iter()
            .map(|one| match one {
                mailparse::MailAddr::Single(one) => one.addr.clone(),
                mailparse::MailAddr::Group(_) => "a group".to_owned(),
            })
            .collect();
        prop_assert_eq!(addresses, ["bob@example.test", "last@example.test"]);
        let part = &parsed.subparts[1];
        let read = part.get_content_disposition().params.get("filename").cloned().unwrap_or_default();
        prop_assert_eq!(folded(&read), folded(&header::one_line(&short(attached))));
        prop_assert_eq!(part.get_body_raw().unwrap(), b"bytes");
    }

    #[test]
    fn texts_come_back_as_they_were(body in hostile()) {
        let mail = text(&body);
        let bytes = mail.compose(Form::default()).unwrap();
        let read = parse_mail(&bytes).unwrap().get_body().unwrap();
        let odd = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t');
        let plain = body.replace("\r\n", "\n").replace('\r', "\n").replace(odd, " ");
        // How many empty lines end it depends on the encoding.
        let read = read.replace("\r\n", "\n");
        prop_assert_eq!(read.trim_end_matches('\n'), plain.trim_end_matches('\n'));
    }
}
