//! Fetching and deleting mails.

use super::*;

const MAIL: &str = "Subject: s\r\nContent-Type: text/html\r\n\r\n<p>whole</p>\r\n";
const PLAIN: &str = r#"("text" "plain" NIL NIL NIL "7bit" 4 1 NIL NIL NIL NIL)"#;

fn literal(text: &str) -> String {
    format!("{{{}}}\r\n{text}", text.len())
}

#[test]
fn mails_come_in_the_order_asked_for() {
    let (mut mailbox, lines) = open(|command| {
        match command {
        _ if command.starts_with("SELECT") => selected(9, 7, 10),
        "UID SEARCH UID 4" => "* SEARCH\r\nTAG OK\r\n".into(),
        _ if command.contains("RFC822.SIZE") => {
            "* 1 FETCH (UID 2 RFC822.SIZE 5)\r\n* 1 FETCH (UID 3 RFC822.SIZE 1001)\r\n* 2 FETCH (UID 5 RFC822.SIZE 9)\r\n\
             TAG OK\r\n"
                .into()
        }
        _ => format!(
            "* 1 FETCH (UID 2 BODY[] {})\r\n* 2 FETCH (UID 5 BODY[] NIL)\r\n* 3 FETCH (UID 9 BODY[] \"not asked for\")\r\n\
             TAG OK\r\n",
            literal("two\r\n")
        ),
    }
    });
    let mut got = Vec::new();
    mailbox
        .raw(&ids(7, [5, 4, 3, 2]), &mut |id, mail| {
            got.push((id.as_str().to_owned(), mail));
        })
        .unwrap();
    assert_eq!(
        got,
        [
            (
                "7.5".to_owned(),
                Err(Fault::Unreadable("the server does not hand it out".into()))
            ),
            (
                "7.3".to_owned(),
                Err(Fault::MailTooLong {
                    size: 1001,
                    limit: 1000
                })
            ),
            ("7.2".to_owned(), Ok(b"two\r\n".to_vec())),
        ]
    );
    assert_eq!(
        lines.borrow().iter().skip(1).collect::<Vec<_>>(),
        [
            "a3 UID FETCH 2:5 (UID RFC822.SIZE)",
            "a4 UID SEARCH UID 4",
            "a5 UID FETCH 2,5 (UID BODY.PEEK[])"
        ]
    );
}

#[test]
fn a_size_that_was_a_lie_is_found_out() {
    let opened = |announced: u64| {
        open(move |command| match command {
            _ if command.starts_with("SELECT") => selected(9, 7, 10),
            _ if command.contains("RFC822.SIZE") => {
                "* 1 FETCH (UID 2 RFC822.SIZE 5)\r\nTAG OK\r\n".into()
            }
            _ => {
                let sent = if announced > 2000 { 10 } else { 2000 };
                format!(
                    "* 1 FETCH (UID 2 BODY[] {{{announced}}}\r\n{})\r\nTAG OK\r\n",
                    "x".repeat(sent)
                )
            }
        })
    };
    // Above the limit for mails, but the rest of the answer can still be read.
    let (mut mailbox, _) = opened(2000);
    let mut got = Vec::new();
    mailbox
        .raw(&ids(7, [2]), &mut |_, mail| got.push(mail))
        .unwrap();
    assert_eq!(
        got,
        [Err(Fault::MailTooLong {
            size: 2000,
            limit: 1000
        })]
    );
    // Beyond everything that was announced: the server is not to be trusted.
    let (mut mailbox, _) = opened(1 << 40);
    let error = mailbox
        .raw(&ids(7, [2]), &mut |_, _| panic!("no mail came"))
        .unwrap_err();
    assert!(error.to_string().contains("1099511627776 bytes or more"));
}

#[test]
fn a_literal_that_is_shorter_than_its_text_is_found_out() {
    let text = |item: &str| {
        format!("* 1 FETCH (UID 2 {item} {{20}}\r\nall but the last fewer bytes)\r\nTAG OK\r\n")
    };
    let (mut mailbox, _) = open(move |command| match command {
        _ if command.starts_with("SELECT") => selected(9, 7, 10),
        _ if command.contains("RFC822.SIZE") => {
            "* 1 FETCH (UID 2 RFC822.SIZE 24)\r\nTAG OK\r\n".into()
        }
        _ if command.contains("BODYSTRUCTURE") => {
            format!("* 1 FETCH (UID 2 BODYSTRUCTURE {PLAIN})\r\nTAG OK\r\n")
        }
        _ if command.contains("BODY.PEEK[1]") => text("BODY[1]"),
        _ => text("BODY[]"),
    });
    let mut mails = Vec::new();
    mailbox
        .raw(&ids(7, [2]), &mut |_, mail| mails.push(mail))
        .unwrap();
    assert!(matches!(mails.as_slice(), [Err(Fault::Unreadable(_))]));
    let [id] = ids(7, [2]).try_into().unwrap();
    let contents = mailbox.contents(&[Query { id, text: true }]).unwrap();
    assert!(matches!(
        contents.as_slice(),
        [(_, Err(Fault::Unreadable(_)))]
    ));
}

#[test]
fn one_mail_that_is_refused_is_one_fault() {
    let (mut mailbox, lines) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(9, 7, 10),
        "UID FETCH 1:4 (UID BODYSTRUCTURE)" => {
            format!("* 1 FETCH (UID 1 BODYSTRUCTURE {PLAIN})\r\nTAG NO some could not be read\r\n")
        }
        "UID FETCH 2 (UID BODYSTRUCTURE)" => "TAG NO [EXPUNGEISSUED] gone\r\n".into(),
        "UID FETCH 3 (UID BODYSTRUCTURE)" => "TAG NO broken.\r\n".into(),
        "UID FETCH 4 (UID BODYSTRUCTURE)" => {
            format!("* 4 FETCH (UID 4 BODYSTRUCTURE {PLAIN})\r\nTAG OK\r\n")
        }
        "UID FETCH 3:4 (UID BODYSTRUCTURE)" => "TAG NO some could not be read\r\n".into(),
        other => panic!("{other}"),
    });
    let queries: Vec<Query> = ids(7, 1..=4)
        .into_iter()
        .map(|id| Query { id, text: false })
        .collect();
    let contents = mailbox.contents(&queries).unwrap();
    let answers: Vec<_> = contents
        .iter()
        .map(|(id, content)| (id.as_str(), content.is_ok()))
        .collect();
    assert_eq!(answers, [("7.1", true), ("7.3", false), ("7.4", true)]);
    assert_eq!(lines.borrow().len(), 6);
}

#[test]
fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    let (mut mailbox, lines) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(2000, 7, 2001),
        _ => "TAG NO not today\r\n".into(),
    });
    let error = mailbox.summaries(&ids(7, 1..=2000)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "h:993 refused FETCH: not today. Ask its administrator; --verbose shows the conversation"
    );
    assert!(lines.borrow().len() < 70);
}

#[test]
fn only_text_parts_are_fetched() {
    let mixed = format!(
        r#"({PLAIN}("application" "pdf" ("name" "a.pdf") NIL NIL "base64" 99999999 NIL NIL) "mixed" ("boundary" "b"))"#
    );
    let (mut mailbox, lines) = open(move |command| {
        match command {
        _ if command.starts_with("SELECT") => selected(9, 7, 10),
        "UID FETCH 1:4 (UID BODYSTRUCTURE)" => format!(
            "* 1 FETCH (UID 1 BODYSTRUCTURE {mixed})\r\n* 2 FETCH (UID 2 BODYSTRUCTURE {PLAIN})\r\n\
             * 3 FETCH (UID 3 BODYSTRUCTURE (((((\r\n* 4 FETCH (UID 4 BODYSTRUCTURE {mixed})\r\nTAG OK\r\n"
        ),
        "UID FETCH 1:2 (UID BODY.PEEK[1])" => {
            "* 1 FETCH (UID 1 BODY[1] \"one\")\r\n* 2 FETCH (UID 2 BODY[1] {3}\r\ntwo)\r\nTAG OK\r\n".into()
        }
        "UID FETCH 3 (UID RFC822.SIZE)" => "* 3 FETCH (UID 3 RFC822.SIZE 60)\r\nTAG OK\r\n".into(),
        "UID FETCH 3 (UID BODY.PEEK[])" => format!("* 3 FETCH (UID 3 BODY[] {})\r\nTAG OK\r\n", literal(MAIL)),
        other => panic!("{other}"),
    }
    });
    let query = |(id, text)| Query { id, text };
    let queries: Vec<Query> = ids(7, 1..=4)
        .into_iter()
        .zip([true, true, true, false])
        .map(query)
        .collect();
    let contents = mailbox.contents(&queries).unwrap();
    let told: Vec<_> = contents
        .into_iter()
        .map(|(_, content)| {
            let content = content.unwrap();
            let names: Vec<_> = content.attachments.into_iter().map(|a| a.name).collect();
            (
                content.body.map(|body| body.text().trim().to_owned()),
                names.join(","),
            )
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            (some("one"), "a.pdf".to_owned()),
            (some("two"), String::new()),
            (some("whole"), String::new()),
            (None, "a.pdf".to_owned()),
        ]
    );
    assert!(lines.borrow().iter().all(|line| !line.contains("BODY[")));
}

#[test]
fn text_beyond_the_limit_is_not_fetched() {
    let (mut mailbox, lines) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(9, 7, 10),
        _ => {
            let long = PLAIN.replace(" 4 1", " 16777217 1");
            format!("* 1 FETCH (UID 1 BODYSTRUCTURE {long})\r\nTAG OK\r\n")
        }
    });
    let query = Query {
        id: MailId::new("7.1"),
        text: true,
    };
    let contents = mailbox.contents(&[query]).unwrap();
    assert!(matches!(
        contents.first(),
        Some((
            _,
            Err(Fault::TextTooLong {
                size: 16_777_217,
                ..
            })
        ))
    ));
    assert_eq!(lines.borrow().len(), 2);
}

#[test]
fn without_uidplus_mails_are_only_marked() {
    let (mailbox, lines) = open_with(
        b"* OK ready\r\n",
        &login(),
        Trace::off(),
        |line| {
            match line {
        _ if line.contains("SELECT") => selected(9, 7, 10).into(),
        _ if line.contains("CAPABILITY") => b"* CAPABILITY IMAP4rev1 MOVE\r\nTAG OK\r\n".to_vec(),
        _ => b"* 1 FETCH (FLAGS (\\Deleted))\r\n* 2 FETCH (UID 3 FLAGS (\\Deleted))\r\nTAG OK\r\n".to_vec(),
    }
        },
    );
    let mut mailbox = mailbox.unwrap();
    let deletion = mailbox
        .delete(&[ids(7, [3, 1]), ids(6, [2])].concat())
        .unwrap();
    assert_eq!(
        (deletion.deleted, deletion.marked),
        (ids(6, [2]), ids(7, [3, 1]))
    );
    Box::new(mailbox).close();
    assert_eq!(
        *lines.borrow(),
        [
            "a1 LOGIN \"me\" \"s3cret\"",
            "a2 SELECT \"INBOX\"",
            "a3 CAPABILITY",
            "a4 UID STORE 1,3 +FLAGS.SILENT (\\Deleted)",
            "a5 LOGOUT",
        ]
    );
}

#[test]
fn expunged_mails_are_not_counted_any_more() {
    let (mut mailbox, _) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(9, 7, 10),
        _ if command.contains("EXPUNGE") => {
            "* 3 EXPUNGE\r\n* 1 EXPUNGE\r\n* VANISHED 4\r\nTAG OK\r\n".into()
        }
        _ => "TAG OK\r\n".into(),
    });
    mailbox.delete(&ids(7, [3, 1])).unwrap();
    assert_eq!(mailbox.count().unwrap(), 7);
}

#[test]
fn structures_come_in_groups() {
    let (mut mailbox, lines) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(1200, 7, 1201),
        _ if command.contains("SEARCH") => "* SEARCH\r\nTAG OK\r\n".into(),
        _ => "TAG OK\r\n".into(),
    });
    let queries = ids(7, 1..=1200)
        .into_iter()
        .map(|id| Query { id, text: true });
    mailbox.contents(&queries.collect::<Vec<_>>()).unwrap();
    let lines = lines.borrow();
    let fetched: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("FETCH"))
        .map(|line| line.split(' ').nth(3).unwrap())
        .collect();
    assert_eq!(fetched, ["1:500", "501:1000", "1001:1200"]);
}

#[test]
fn text_far_longer_than_its_mail_is_not_fetched() {
    let (mut mailbox, _) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(1, 7, 2),
        _ if command.contains("BODYSTRUCTURE") => {
            let long = PLAIN.replace(" 4 1", " 4000000 1");
            format!("* 1 FETCH (UID 1 BODYSTRUCTURE {long})\r\nTAG OK\r\n")
        }
        _ => summary(1, 10) + "TAG OK\r\n",
    });
    let listing = mailbox.list(&Known::default()).unwrap();
    mailbox.summaries(&listing.ids).unwrap();
    let query = Query {
        id: MailId::new("7.1"),
        text: true,
    };
    let contents = mailbox.contents(&[query]).unwrap();
    assert!(matches!(
        contents.first(),
        Some((_, Err(Fault::Unreadable(why)))) if why.contains("10 bytes and 4000000 bytes of text")
    ));
}
