//! What is new, and in how many turns.

use chrono::{TimeZone, Utc};

use super::*;

#[test]
fn nothing_new_is_known_after_one_turn() {
    let (mut mailbox, lines) = open(|_| {
        "* STATUS INBOX (MESSAGES 10000 UIDNEXT 10001 UIDVALIDITY 7)\r\nTAG OK\r\n".into()
    });
    let listing = mailbox.list(&at("7.10001")).unwrap();
    assert!(listing.ids.is_empty() && listing.void.is_none());
    assert_eq!(listing.position, Some(Position::new("7.10001")));
    assert_eq!(mailbox.count().unwrap(), 10_000);
    Box::new(mailbox).close();
    assert_eq!(
        *lines.borrow(),
        [
            "a2 STATUS \"INBOX\" (MESSAGES UIDVALIDITY UIDNEXT)",
            "a3 LOGOUT"
        ]
    );
}

#[test]
fn ten_new_mails_are_handled_in_seven_turns() {
    let (mut mailbox, lines) = open(|command| match command.split(' ').next().unwrap() {
        "STATUS" => "* STATUS \"inbox\" (UIDVALIDITY 7 UIDNEXT 21)\r\nTAG OK\r\n".into(),
        "SELECT" => selected(15, 7, 21),
        _ if command.contains("BODY.PEEK[]") => {
            let mails =
                (11..21).map(|uid| format!("* 1 FETCH (UID {uid} BODY[] {{4}}\r\nm{uid}\n)\r\n"));
            mails.collect::<String>() + "TAG OK\r\n"
        }
        _ if command.contains("FETCH") => {
            (11..21).map(|uid| summary(uid, 4)).collect::<String>() + "TAG OK\r\n"
        }
        _ => "TAG OK\r\n".into(),
    });
    let listing = mailbox.list(&at("7.11")).unwrap();
    assert_eq!(listing.ids, ids(7, 11..21));
    assert_eq!(listing.position, Some(Position::new("7.21")));
    let summaries = mailbox.summaries(&listing.ids).unwrap();
    assert!(summaries.iter().all(|(_, summary)| summary.is_ok()));
    let mut raw = Vec::new();
    mailbox
        .raw(&listing.ids, &mut |_, mail| raw.push(mail.unwrap()))
        .unwrap();
    assert_eq!(raw.len(), 10);
    assert_eq!(mailbox.delete(&listing.ids).unwrap().deleted, listing.ids);
    Box::new(mailbox).close();
    assert_eq!(
        *lines.borrow(),
        [
            "a2 STATUS \"INBOX\" (MESSAGES UIDVALIDITY UIDNEXT)",
            "a3 SELECT \"INBOX\"",
            "a4 UID FETCH 11:* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES AUTO-SUBMITTED PRECEDENCE RETURN-PATH LIST-ID)]<0.65536>)",
            "a5 UID FETCH 11:20 (UID BODY.PEEK[])",
            "a6 UID STORE 11:20 +FLAGS.SILENT (\\Deleted)",
            "a7 UID EXPUNGE 11:20",
            "a8 LOGOUT",
        ]
    );
}

#[test]
fn a_mailbox_never_seen_takes_two_turns_to_list() {
    let (mut mailbox, lines) = open(|command| {
        if command.starts_with("SELECT") {
            selected(2000, 7, 2001)
        } else {
            (1..=2000).map(|uid| summary(uid, 9)).collect::<String>() + "TAG OK\r\n"
        }
    });
    let listing = mailbox.list(&Known::default()).unwrap();
    assert_eq!(listing.ids.len(), 2000);
    assert_eq!(mailbox.summaries(&listing.ids).unwrap().len(), 2000);
    assert_eq!(lines.borrow().len(), 2);
}

#[test]
fn many_mails_are_searched_for_first() {
    let (mut mailbox, lines) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(9000, 7, 9001),
        "UID SEARCH UID 4" => "* SEARCH\r\nTAG OK\r\n".into(),
        _ if command.starts_with("UID SEARCH") => {
            "* SEARCH 8999  9000 5 17 (MODSEQ 9)\r\n* SEARCH\r\nTAG OK\r\n".into()
        }
        _ => summary(3, 9) + "TAG OK\r\n",
    });
    let known = Known {
        position: Some(Position::new("7.10")),
        again: ids(7, [3, 4]).into_iter().chain(ids(6, [5])).collect(),
        since: Some(Utc.with_ymd_and_hms(2026, 3, 1, 0, 30, 0).unwrap()),
        since_if_void: None,
    };
    let listing = mailbox.list(&known).unwrap();
    assert_eq!(listing.ids, ids(7, [3, 17, 8999, 9000]));
    assert_eq!(listing.position, Some(Position::new("7.9001")));
    let lines = lines.borrow();
    assert!(lines.get(1).unwrap().starts_with("a3 UID FETCH 3:4 "));
    assert_eq!(
        lines.last().unwrap(),
        "a5 UID SEARCH UID 10:* SINCE 28-Feb-2026"
    );
}

#[test]
fn mails_before_the_floor_and_before_the_position_are_left_out() {
    let (mut mailbox, _) = open(|command| {
        if command.starts_with("SELECT") {
            return selected(3, 7, 21);
        }
        let old = summary(20, 9).replace("2-Mar-2026", "1-Mar-2026");
        // `19:*` names the newest mail even when it is older.
        format!(
            "{}{}{old}{}TAG OK\r\n",
            summary(3, 9),
            summary(5, 9),
            summary(19, 9)
        )
    });
    let known = Known {
        again: ids(7, [3]),
        since: Some(Utc.with_ymd_and_hms(2026, 3, 2, 0, 0, 0).unwrap()),
        ..at("7.19")
    };
    let listing = mailbox.list(&known).unwrap();
    assert_eq!(listing.ids, ids(7, [3, 19]));
    assert_eq!(listing.position, Some(Position::new("7.21")));
}

#[test]
fn a_position_that_became_void_says_so() {
    let opened = |validity, next| {
        open(move |command| match command {
            _ if command.starts_with("STATUS") => {
                format!("* STATUS INBOX (UIDVALIDITY {validity} UIDNEXT {next})\r\nTAG OK\r\n")
            }
            _ if command.starts_with("SELECT") => selected(1, validity, next),
            _ => summary(3, 9) + "TAG OK\r\n",
        })
    };
    let (mut mailbox, _) = opened(8, 4);
    let listing = mailbox.list(&at("7.100")).unwrap();
    assert_eq!(listing.ids, ids(8, [3]));
    assert_eq!(listing.position, Some(Position::new("8.4")));
    assert!(listing.void.unwrap().contains("UIDVALIDITY was 7 and is 8"));
    // The mails of the old numbering exist no longer.
    assert!(mailbox.summaries(&ids(7, [3])).unwrap().is_empty());
    let (mut mailbox, _) = opened(7, 4);
    assert!(mailbox.list(&at("nonsense")).unwrap().void.is_some());
}

#[test]
fn a_server_without_uidnext_is_followed_by_its_highest_uid() {
    let courier = |command: &str| match command {
        _ if command.starts_with("STATUS") => "TAG NO unknown\r\n".into(),
        _ if command.starts_with("SELECT") => {
            "* 2 EXISTS\r\n* OK [UIDVALIDITY 7] Ok\r\nTAG OK\r\n".to_owned()
        }
        _ => summary(5, 9) + &summary(6, 9) + "TAG OK\r\n",
    };
    let (mut mailbox, _) = open(courier);
    let listing = mailbox.list(&Known::default()).unwrap();
    assert_eq!(
        (listing.ids, listing.position),
        (ids(7, [5, 6]), Some(Position::new("7.7")))
    );
    let (mut mailbox, _) = open(courier);
    let listing = mailbox.list(&at("7.7")).unwrap();
    assert_eq!(
        (listing.ids, listing.position),
        (Vec::new(), Some(Position::new("7.7")))
    );
}

#[test]
fn a_refused_fetch_is_made_up_for_by_a_search() {
    let (mut mailbox, _) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(2, 7, 3),
        _ if command.starts_with("UID SEARCH") => "* SEARCH 1 2\r\nTAG OK\r\n".into(),
        _ if command.starts_with("UID FETCH 2 ") => summary(2, 9) + "TAG OK\r\n",
        _ => "TAG NO [CANNOT] a mail can't be converted\r\n".into(),
    });
    let listing = mailbox.list(&Known::default()).unwrap();
    assert_eq!(listing.ids, ids(7, [1, 2]));
    let summaries = mailbox.summaries(&listing.ids).unwrap();
    let faults: Vec<bool> = summaries
        .iter()
        .map(|(_, summary)| summary.is_err())
        .collect();
    assert_eq!(faults, [true, false]);
    assert_eq!(
        summaries.first().unwrap().1.as_ref().unwrap_err(),
        &Fault::Unreadable("the server refuses it: a mail can't be converted".into())
    );
}

#[test]
fn an_empty_mailbox_and_one_without_uidvalidity() {
    let (mut mailbox, lines) = open(|_| selected(0, 7, 1));
    assert_eq!(
        mailbox.list(&Known::default()).unwrap().position,
        Some(Position::new("7.1"))
    );
    assert_eq!(lines.borrow().len(), 1);
    let (mut mailbox, _) = open(|_| "* 1 EXISTS\r\nTAG OK\r\n".into());
    assert!(matches!(
        mailbox.list(&Known::default()),
        Err(Error::Protocol { .. })
    ));
    let (mut mailbox, _) = open(|_| "TAG NO Mailbox doesn't exist.\r\n".into());
    let refused = mailbox.list(&Known::default()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "h:993 refused SELECT: Mailbox doesn't exist. Ask its administrator; --verbose shows the conversation"
    );
}

#[test]
fn a_folder_that_may_not_change_is_examined() {
    let (mut mailbox, lines) = open(|_| selected(0, 7, 1));
    mailbox.access = Access::ReadOnly;
    mailbox.list(&Known::default()).unwrap();
    assert_eq!(*lines.borrow(), ["a2 EXAMINE \"INBOX\""]);
}

#[test]
fn a_server_that_counts_from_a_lower_number_repeats_nothing_and_loses_nothing() {
    // The remembered position is 7.10, and UIDNEXT is 5.
    let listed = |existing: &'static [u32], arrived: u32| {
        let (mut mailbox, _) = open(move |command| {
            let told = |from: u32| existing.iter().copied().filter(move |uid| *uid >= from);
            match command {
                _ if command.starts_with("STATUS") => {
                    "* STATUS INBOX (UIDVALIDITY 7 UIDNEXT 5)\r\nTAG OK\r\n".into()
                }
                _ if command.starts_with("SELECT") => {
                    selected(existing.len() as u32 - arrived, 7, 5)
                }
                "UID SEARCH UID 5:*" => {
                    let found: Vec<String> = told(0).map(|uid| uid.to_string()).collect();
                    let count = existing.len();
                    format!(
                        "* {count} EXISTS\r\n* SEARCH {}\r\nTAG OK\r\n",
                        found.join(" ")
                    )
                }
                _ => {
                    let set = command.split(' ').nth(2).unwrap();
                    let from = set.trim_end_matches(":*").parse().unwrap();
                    told(from).map(|uid| summary(uid, 9)).collect::<String>() + "TAG OK\r\n"
                }
            }
        });
        let listing = mailbox.list(&at("7.10")).unwrap();
        assert!(listing.void.is_none());
        (listing.ids, listing.position.unwrap())
    };
    let position = |text: &str| Position::new(text);
    // It lags: the last mail is still there.
    assert_eq!(listed(&[3, 9], 0), (Vec::new(), position("7.10")));
    assert_eq!(listed(&[3, 9, 10], 0), (ids(7, [10]), position("7.11")));
    // It counts from the highest mail that is left.
    assert_eq!(listed(&[3, 4], 0), (Vec::new(), position("7.5")));
    assert_eq!(listed(&[3, 4, 5], 1), (ids(7, [5]), position("7.6")));
    // It contradicts itself: these were there before.
    assert_eq!(listed(&[3, 6, 7], 0), (Vec::new(), position("7.8")));
}

#[test]
fn header_fields_that_come_back_empty_are_asked_for_as_a_whole() {
    let empty = |uid: u32, header: &str| {
        format!(
            "* {uid} FETCH (UID {uid} RFC822.SIZE 9 INTERNALDATE \"02-Mar-2026 10:00:00 +0000\" \
             BODY[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)]<0> {header})\r\n"
        )
    };
    let (mut mailbox, lines) = open(move |command| match command {
        _ if command.starts_with("SELECT") => selected(3, 7, 4),
        _ if command.contains("<0.65536>") => {
            summary(1, 9) + &empty(2, "\"\"") + &empty(3, "NIL") + "TAG OK\r\n"
        }
        "UID FETCH 2:3 (UID BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES AUTO-SUBMITTED PRECEDENCE RETURN-PATH LIST-ID)])" => {
            "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (FROM)] \"Subject: found\")\r\n\
             * 3 FETCH (UID 3 BODY[HEADER.FIELDS (FROM)] NIL)\r\nTAG OK\r\n"
                .into()
        }
        other => panic!("{other}"),
    });
    let listing = mailbox.list(&Known::default()).unwrap();
    let summaries = mailbox.summaries(&listing.ids).unwrap();
    let told: Vec<_> = summaries
        .iter()
        .map(|(_, summary)| {
            let subject = summary.as_ref().map(|s| s.envelope.subject.as_str());
            subject.map_err(ToString::to_string)
        })
        .collect();
    assert_eq!(told[1], Ok("found"));
    let fault = "the server gives no header fields of it";
    assert!(told[2].as_ref().unwrap_err().contains(fault), "{told:?}");
    assert_eq!(lines.borrow().len(), 3, "SELECT, FETCH, FETCH");
}
