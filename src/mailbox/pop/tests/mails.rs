//! Whole mails, and what rules want of them.

use super::*;

fn query(name: &str, text: bool) -> Query {
    Query {
        id: MailId::new(name),
        text,
    }
}

#[test]
fn whole_mails_come_in_the_order_asked_for_and_once() {
    let (mailbox, lines) = open(MODERN, |line| match line {
        "RETR 2" => "+OK\r\n..\r\n..a\r\n\nb\r\n.\r\n".to_owned(),
        _ => good(3)(line),
    });
    let mut mailbox = mailbox.unwrap();
    let first = "Subject: s1\r\n\r\nbody\r\n".to_owned();
    let wanted = ids(&["u2", "gone", "u1", "u3"]);
    let contents = mailbox.contents(&[query("u1", true)]).unwrap();
    let body = contents[0].1.as_ref().unwrap().body.as_ref().unwrap();
    assert_eq!(body.text(), "body\n");
    let mails = raw(&mut mailbox, &wanted);
    assert_eq!(
        mails[0],
        ("u2".to_owned(), Ok(".\r\n.a\r\n\nb\r\n".to_owned()))
    );
    assert_eq!(mails[1], ("u1".to_owned(), Ok(first)));
    assert_eq!(mails[2].0, "u3");
    let sent = ["UIDL", "LIST", "RETR 1", "RETR 2", "RETR 3"];
    assert_eq!(*lines.borrow(), sent, "u1 was fetched before");
}

#[test]
fn the_limit_holds_whatever_the_server_says_of_lengths() {
    for says in ["2000", "5", "999999999999999999999", ""] {
        let long = format!("Subject: long\r\n\r\n{}", "line\r\n".repeat(400));
        let (mailbox, lines) = open(MODERN, move |line| match line {
            "LIST" => list(&["1 10", &format!("2 {says}"), "3 10"]),
            "RETR 2" => format!("+OK\r\n{long}.\r\n"),
            _ => good(3)(line),
        });
        let mut mailbox = mailbox.unwrap();
        let mails = raw(&mut mailbox, &ids(&["u1", "u2", "u3"]));
        assert!(mails[0].1.is_ok() && mails[2].1.is_ok());
        let fault = mails[1].1.as_ref().unwrap_err();
        assert!(matches!(fault, Fault::MailTooLong { limit: 1000, .. }));
        let asked = lines.borrow().contains(&"RETR 2".to_owned());
        assert_eq!(asked, says != "2000", "{says}");
        let contents = mailbox.contents(&[query("u2", true)]).unwrap();
        assert_eq!(contents[0].1.as_ref().unwrap_err(), fault);
    }
}

#[test]
fn refused_mails() {
    let (mailbox, _) = open(MODERN, |line| match line {
        "RETR 2" => "-ERR disk error\r\n".to_owned(),
        "RETR 3" | "LIST 3" => "-ERR Message 3 expunged.\r\n".to_owned(),
        _ => good(4)(line),
    });
    let mut mailbox = mailbox.unwrap();
    let queries = ["u1", "u2", "u3", "u4"].map(|name| query(name, false));
    let contents = mailbox.contents(&queries).unwrap();
    let told: Vec<_> = contents
        .iter()
        .map(|(id, content)| (id.as_str(), content.is_ok()))
        .collect();
    assert_eq!(told, [("u1", true), ("u2", false), ("u4", true)]);
    let mails = raw(&mut mailbox, &ids(&["u1", "u2", "u3", "u4"]));
    let told: Vec<_> = mails.iter().map(|(_, mail)| mail.is_ok()).collect();
    assert_eq!(told, [true, false, false, true]);

    let (mailbox, _) = open(MODERN, |line| match line.split(' ').next() {
        Some("RETR") => "-ERR [SYS/TEMP] no disk\r\n".to_owned(),
        _ => good(100)(line),
    });
    let mut mailbox = mailbox.unwrap();
    let all = all(&mut mailbox);
    let error = mailbox.raw(&all, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, Error::Busy { answer, .. } if answer == "no disk"));
}

#[test]
fn a_turn_is_cut_by_what_the_server_says_of_lengths() {
    let sizes = [10_u64 << 20, 6 << 20, 1, 40 << 20, 1];
    let (mailbox, _) = open(MODERN, move |line| match line {
        "LIST" => {
            let lines = (1..)
                .zip(sizes)
                .map(|(n, size): (u32, u64)| format!("{n} {size}"));
            let lines: Vec<String> = lines.collect();
            list(&lines.iter().map(String::as_str).collect::<Vec<_>>())
        }
        _ => good(5)(line),
    });
    let mut mailbox = mailbox.unwrap();
    mailbox.measure().unwrap();
    let turns = mailbox.turns(&[1, 2, 3, 4, 5]);
    assert_eq!(turns, [vec![1, 2], vec![3], vec![4], vec![5]]);
    mailbox.pipelining = false;
    assert_eq!(mailbox.turns(&[1, 2]), [vec![1], vec![2]]);
}
