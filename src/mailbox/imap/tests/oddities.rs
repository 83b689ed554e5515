//! Answers that break the `imap` crate when they reach it, and answers that are not
//! answers at all.

use proptest::prelude::*;

use super::*;

/// Lines that a server may put between any others.
const BETWEEN: &[&str] = &[
    "* NO [ALERT] 95% of your quota is used",
    "* BAD something happened",
    "* OK [ALERT] Gr\u{fc}\u{df}e",
    "* OK [X",
    "* FLAGS (\\Seen $\u{fc})",
    "* XFOO (bar",
    "",
    "* ",
    "*",
    "* 3 FETCH (FLAGS (\\Seen) MODSEQ (5))",
    "* 9 FETCH (UID 999 FLAGS (\\Flagged))",
    "* 3 EXPUNGE",
    "* 12 EXISTS   ",
    "* VANISHED (EARLIER) 1:5",
    "* SEARCH 1 2 3",
    "* STATUS INBOX (UIDNEXT 1",
    "* LIST () \"/\" INBOX",
    "* CAPABILITY IMAP4rev1 UIDPLUS X\u{fc}",
    "* ENABLED",
    "* 99999999999 EXISTS",
    "nonsense",
    "a7",
    "\u{fc}",
];

#[test]
fn lines_between_the_lines_do_no_harm() {
    for between in BETWEEN {
        let (mut mailbox, _) = open(move |command| {
            let answer = match command {
                _ if command.starts_with("STATUS") => {
                    "* STATUS INBOX (UIDNEXT 3 UIDVALIDITY 7)\r\nTAG OK\r\n".into()
                }
                _ if command.starts_with("SELECT") => selected(2, 7, 3),
                _ if command.contains("BODY.PEEK[]") => {
                    "* 1 FETCH (UID 2 BODY[] \"x\")\r\nTAG OK\r\n".into()
                }
                _ if command.contains("FETCH") => summary(2, 1) + "TAG OK\r\n",
                _ => "TAG OK\r\n".to_owned(),
            };
            format!(
                "{between}\r\n{}",
                answer.replace("\r\n* ", &format!("\r\n{between}\r\n* "))
            )
        });
        let listing = mailbox.list(&at("7.2")).unwrap();
        assert_eq!(listing.ids, ids(7, [2]), "{between}");
        assert!(
            mailbox
                .summaries(&listing.ids)
                .unwrap()
                .iter()
                .all(|(_, s)| s.is_ok())
        );
        let mut mails = 0;
        mailbox
            .raw(&listing.ids, &mut |_, mail| mails += mail.unwrap().len())
            .unwrap();
        assert_eq!(mails, 1);
        assert_eq!(mailbox.delete(&listing.ids).unwrap().deleted, listing.ids);
        Box::new(mailbox).close();
    }
}

#[test]
fn what_nobody_asked_for_is_not_kept() {
    let (mut mailbox, _) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(1, 7, 2),
        _ => {
            let data = "* 1 FETCH (UID 1 BODY[1] \"x\" BODY[] \"whole\")\r\n";
            format!("{data}TAG OK\r\n")
        }
    });
    mailbox.select().unwrap();
    let mut fetch = |items: &str| {
        let uids = [1].into_iter().collect();
        let (mut found, _) = mailbox
            .fetch_once(&uids, items, Default::default())
            .unwrap();
        let mut mail = found.remove(&1).unwrap();
        (
            mail.text_of("1").unwrap().is_some(),
            mail.text_of("").unwrap().is_some(),
        )
    };
    assert_eq!(fetch("(UID BODY.PEEK[1])"), (true, false));
    assert_eq!(fetch("(UID BODY.PEEK[])"), (false, true));
}

#[test]
fn answers_without_their_carriage_returns() {
    let (mut mailbox, _) = open(|_| selected(0, 7, 3).replace('\r', ""));
    assert_eq!(
        mailbox.list(&Known::default()).unwrap().position,
        Some(Position::new("7.3"))
    );
}

#[test]
fn a_connection_that_ends_is_not_used_again() {
    let ends: [(&str, &str); 4] = [
        (
            "* BYE Autologout; idle for too long\r\n",
            "said: Autologout; idle for too long",
        ),
        ("TAG BYE closed by the administrator\r\n", "can't be used"),
        ("", "closed the connection"),
        ("a9 OK done\r\n", "another command"),
    ];
    for (end, words) in ends {
        let (mut mailbox, lines) = open(move |_| end.into());
        let error = mailbox.list(&Known::default()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(mailbox.list(&Known::default()).is_err());
        assert!(mailbox.delete(&ids(7, [1])).is_err());
        Box::new(mailbox).close();
        assert_eq!(lines.borrow().len(), 1, "nothing is sent any more");
    }
}

#[test]
fn long_words_of_the_server_are_cut_and_cleaned() {
    let (mut mailbox, _) = open(|_| format!("TAG NO \u{1b}[31m{}\r\n", "x".repeat(5000)));
    let text = mailbox.list(&Known::default()).unwrap_err().to_string();
    assert!(!text.contains('\u{1b}') && text.len() < 400);
}

/// Pieces of answers, so that random ones get far.
fn pieces() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(
        [
            BETWEEN,
            &[
                "TAG OK done",
                "TAG OK [READ-ONLY] done",
                "TAG NO no",
                "TAG BAD bad",
                "TAG BYE bye",
                "* BYE bye",
                "* PREAUTH hi",
                "+ more",
                "+",
                "* 5 EXISTS",
                "* OK [UIDVALIDITY 7] x",
                "* OK [UIDNEXT 6] x",
                "* OK [UIDNEXT 4294967295] x",
                "* SEARCH 1 2 4294967295 0",
                "* STATUS INBOX (UIDNEXT 6 UIDVALIDITY 7 MESSAGES 4294967296)",
                "* 1 FETCH (UID 1 RFC822.SIZE 10 INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" BODY[HEADER.FIELDS (X)] {12}\r\nSubject: x\r\n)",
                "* 1 FETCH (UID 2 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1 NIL NIL)(NIL) \"mixed\" (\"boundary\" \"b\")))",
                "* 1 FETCH (UID 3 BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1 NIL NIL))",
                "* 1 FETCH (UID 3 BODY[1] \"abc\" BODY[] {3}\r\nabc RFC822.SIZE 18446744073709551615)",
                "* 1 FETCH (UID 4 BODY[] {4000000}",
                "* 1 FETCH (UID 5 BODY[] {99999999999}",
                "* 1 FETCH (UID",
            ],
        ]
        .concat(),
    );
    prop_oneof![
        8 => fixed.prop_map(|line| format!("{line}\r\n")),
        1 => "[ -~\r\n]{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_server_makes_it_panic_or_hang(
        answers in prop::collection::vec(prop::collection::vec(pieces(), 0..6), 0..12),
        position in prop::option::of("[0-9.]{0,6}"),
    ) {
        let mut answers = answers.into_iter();
        let (mut mailbox, _) = open(move |_| answers.next().map(|a| a.concat() + "TAG OK\r\n").unwrap_or_default());
        let known = Known { position: position.map(Position::new), again: ids(7, [1]), ..Known::default() };
        let mut wanted = ids(7, [1, 2, 3, 4, 5]);
        if let Ok(listing) = mailbox.list(&known) {
            wanted.extend(listing.ids);
        }
        let _ = mailbox.summaries(&wanted);
        let _ = mailbox.contents(&wanted.iter().map(|id| Query { id: id.clone(), text: true }).collect::<Vec<_>>());
        let _ = mailbox.raw(&wanted, &mut |_, _| {});
        let _ = mailbox.delete(&wanted);
        let _ = mailbox.count();
        Box::new(mailbox).close();
    }

    #[test]
    fn no_greeting_or_log_in_makes_it_panic_or_hang(
        greeting in prop::collection::vec(pieces(), 0..4),
        answers in prop::collection::vec(prop::collection::vec(pieces(), 0..4), 0..4),
    ) {
        let mut answers = answers.into_iter();
        let greeting = format!("{}* OK [CAPABILITY AUTH=PLAIN LOGINDISABLED] x\r\n", greeting.concat());
        let _ = open_with(greeting.as_bytes(), &login(), Trace::off(), move |_| {
            answers.next().map(|a| a.concat()).unwrap_or_default().into()
        });
    }
}
