//! Which mails there are, and their summaries.

use super::*;

#[test]
fn the_names_of_the_server_are_the_ids() {
    let (mailbox, lines) = open(MODERN, good(3));
    let mut mailbox = mailbox.unwrap();
    let listing = mailbox.list(&Known::default()).unwrap();
    assert_eq!(listing.ids, ids(&["u1", "u2", "u3"]));
    assert!(listing.position.is_none() && !listing.lasting);
    assert_eq!(mailbox.count().unwrap(), 3);
    assert_eq!(*lines.borrow(), ["UIDL"]);
    assert_eq!(mailbox.warnings(), [""; 0]);

    let wanted = ids(&["u3", "gone", "u1"]);
    assert_eq!(subjects(&mut mailbox, &wanted), ["s3", "s1"]);
    assert_eq!(*lines.borrow(), ["UIDL", "LIST", "TOP 3 0", "TOP 1 0"]);
    let summaries = mailbox.summaries(&wanted).unwrap();
    let sizes = summaries
        .iter()
        .map(|(_, summary)| summary.as_ref().unwrap().size);
    assert_eq!(sizes.collect::<Vec<_>>(), [103, 101]);
    assert_eq!(mailbox.delete(&wanted).unwrap().deleted, []);
    Box::new(mailbox).close();
    assert_eq!(lines.borrow().last().unwrap(), "QUIT");
    assert!(lines.borrow().iter().all(|line| !line.contains("DELE")));
}

#[test]
fn a_mail_without_times_was_received_now() {
    let (mailbox, _) = open(MODERN, good(1));
    let before = crate::clock::now();
    let summaries = mailbox.unwrap().summaries(&ids(&["u1"])).unwrap();
    let received = summaries[0].1.as_ref().unwrap().received;
    assert!(received >= before && received <= crate::clock::now());
}

#[test]
fn whether_more_may_be_sent_at_once_is_asked_again_before_many_commands() {
    let old = "SASL PLAIN\nUSER";
    for (mails, asks) in [(super::super::MANY as u32 - 1, false), (1000, true)] {
        let (mailbox, lines) = open(old, good(mails));
        let mut mailbox = mailbox.unwrap();
        let all = all(&mut mailbox);
        assert_eq!(subjects(&mut mailbox, &all).len(), mails as usize);
        raw(&mut mailbox, &all);
        let asked = lines.borrow().iter().filter(|line| *line == "CAPA").count();
        assert_eq!(asked, usize::from(asks));
        assert_eq!(mailbox.pipelining, asks);
    }
}

#[test]
fn commands_sent_at_once_are_few_bytes() {
    let longest = format!("TOP {} 0\r\n", 1_000_000);
    assert!(longest.len() * super::super::WINDOW <= 8 * 1024);
}

#[test]
fn lists_that_can_not_be_used() {
    let error = |answer: &'static str| {
        let (mailbox, _) = open(MODERN, move |_| answer.to_owned());
        mailbox.unwrap_err().to_string()
    };
    assert!(error("+OK\r\n1 a\r\n1 b\r\n.\r\n").contains("mail 1 twice"));
    assert!(error("+OK\r\nx a\r\n.\r\n").contains("the number of a mail"));
    assert!(error("+OK\r\n1 a\r\n").contains("closed the connection"));
    assert!(error("-ERR not now\r\n").contains("refused UIDL: not now"));
    assert!(error("-ERR [SYS/TEMP] not now\r\n").contains("no time"));
    assert!(error("+ more\r\n").contains("asks for more"));
}

#[test]
fn nothing_is_sent_after_an_answer_that_can_not_be_used() {
    let (mailbox, lines) = open(MODERN, |line| match line {
        "UIDL" => list(&["1 a", "2 b"]),
        "LIST" => list(&["1 10", "2 10"]),
        _ => "220 hello\r\n".to_owned(),
    });
    let mut mailbox = mailbox.unwrap();
    let all = all(&mut mailbox);
    assert!(mailbox.summaries(&all).is_err());
    let sent = lines.borrow().len();
    assert!(mailbox.summaries(&all).is_err());
    assert!(mailbox.raw(&all, &mut |_, _| {}).is_err());
    Box::new(mailbox).close();
    assert_eq!(lines.borrow().len(), sent);
}

#[test]
fn a_server_without_uidl_is_read_by_its_headers() {
    let (mailbox, lines) = open("SASL PLAIN\nTOP\nPIPELINING", |line| match line {
        "LIST" => list(&["1 10", "2 20", "4 40"]),
        "TOP 1 0" => list(&["Subject: a", "Status: RO", "X-UIDL: 7", ""]),
        "TOP 2 0" => list(&["Subject: b", ""]),
        "TOP 4 0" => list(&["Subject: a"]),
        _ => "-ERR what?\r\n".to_owned(),
    });
    let mut mailbox = mailbox.unwrap();
    assert!(mailbox.warnings()[0].contains("no UIDL"));
    assert_eq!(mailbox.count().unwrap(), 3);
    let all = all(&mut mailbox);
    assert_eq!(all.len(), 3);
    assert!(
        all[0] != all[1] && all[0] != all[2],
        "the second of its kind"
    );
    assert_eq!(subjects(&mut mailbox, &all), ["a", "b", "a"]);
    let sent = ["UIDL", "LIST", "TOP 1 0", "TOP 2 0", "TOP 4 0"];
    assert_eq!(*lines.borrow(), sent, "each header is read once");
}

#[test]
fn a_mail_that_only_its_header_could_tell_and_that_can_not_be_read() {
    let mut refusals = 0;
    let (mailbox, _) = open("SASL PLAIN\nTOP\nPIPELINING", move |line| match line {
        "LIST" => list(&["1 10", "2 20", "3 20"]),
        "TOP 1 0" | "TOP 3 0" if refusals < 2 => {
            refusals += 1;
            "-ERR no\r\n".to_owned()
        }
        "TOP 1 0" | "TOP 2 0" => list(&["Subject: b", ""]),
        "LIST 1" => "+OK 1 10\r\n".to_owned(),
        _ => "-ERR what?\r\n".to_owned(),
    });
    let mut mailbox = mailbox.unwrap();
    let all = all(&mut mailbox);
    assert_eq!(all.len(), 2, "the third is gone");
    let read = subjects(&mut mailbox, &all);
    assert!(read[0].contains("refuses it") && read[1] == "b", "{read:?}");
}

#[test]
fn a_server_without_top() {
    for capabilities in ["SASL PLAIN\nUIDL\nPIPELINING", "SASL PLAIN\nUSER"] {
        let (mailbox, lines) = open(capabilities, |line| match line {
            "CAPA" | "TOP 1 0" => "-ERR what?\r\n".to_owned(),
            "LIST" => list(&["1 100", "2 2000", "3 100"]),
            _ => good(3)(line),
        });
        let mut mailbox = mailbox.unwrap();
        let all = all(&mut mailbox);
        let read = subjects(&mut mailbox, &all);
        assert!(read[1].contains("limit of 1000"), "{read:?}");
        assert_eq!((read[0].as_str(), read[2].as_str()), ("s1", "s3"));
        let mails = raw(&mut mailbox, &all[..1]);
        assert_eq!(mails[0].1.as_ref().unwrap(), "Subject: s1\r\n\r\nbody\r\n");
        let lines = lines.borrow();
        let sent = |verb: &str| lines.iter().filter(|line| line.starts_with(verb)).count();
        assert_eq!((sent("TOP"), sent("RETR")), (1, 2), "{lines:?}");
    }
}

#[test]
fn refused_headers() {
    // The second mail can't be read, the third has gone.
    let refused = |line: &str| match line {
        "TOP 2 0" => "-ERR [SYS/TEMP] disk error\r\n".to_owned(),
        "TOP 3 0" | "LIST 3" => "-ERR no such message\r\n".to_owned(),
        _ => good(4)(line),
    };
    for capabilities in [MODERN, "SASL PLAIN\nUIDL\nTOP\nUSER"] {
        let (mailbox, _) = open(capabilities, refused);
        let mut mailbox = mailbox.unwrap();
        let all = all(&mut mailbox);
        assert_eq!(
            subjects(&mut mailbox, &all),
            [
                "s1",
                "it can't be read: the server refuses it: disk error",
                "s4"
            ]
        );
    }
    let (mailbox, _) = open(MODERN, |line| match line.split(' ').next() {
        Some("TOP") => "-ERR no disk\r\n".to_owned(),
        _ => good(100)(line),
    });
    let mut mailbox = mailbox.unwrap();
    let all = all(&mut mailbox);
    let error = mailbox.summaries(&all).unwrap_err();
    assert_eq!(
        error.to_string(),
        "h:995 refused TOP: no disk. Ask its administrator; --verbose shows the conversation"
    );
}
