//! Mails that exist and that a server leaves out of an answer which it calls complete. The
//! position moves past them, so nobody would ask for them again.

use super::*;

const LEFT_OUT: &str = "the server left it out of its answer";

/// The mails of a search or fetch command that a folder with the UIDs 1 to 5 holds.
fn named(command: &str) -> Vec<u32> {
    let set = command
        .split(' ')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let ranges = set.unwrap().split(',').map(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        first.parse().unwrap()..=last.parse().unwrap_or(5)
    });
    let ranges: Vec<_> = ranges.collect();
    let named = |uid: &u32| ranges.iter().any(|range| range.contains(uid));
    (1..=5).filter(named).collect()
}

/// A folder with the UIDs 1 to 5 whose FETCH answers do not name `hidden`.
fn hiding(hidden: u32, next: u32, instead: &'static str) -> (ImapMailbox, Lines) {
    open(move |command| {
        let uids = || named(command).into_iter();
        match command.split(' ').nth(1) {
            _ if command.starts_with("STATUS") => "TAG NO unknown\r\n".into(),
            _ if command.starts_with("SELECT") => selected(5, 7, next),
            Some("SEARCH") => {
                let found: Vec<String> = uids().map(|uid| uid.to_string()).collect();
                format!("* SEARCH {}\r\nTAG OK\r\n", found.join(" "))
            }
            Some("FETCH") => {
                let told = uids().filter(|uid| *uid != hidden);
                format!(
                    "{instead}{}TAG OK\r\n",
                    told.map(|uid| summary(uid, 9)).collect::<String>()
                )
            }
            other => panic!("{other:?}"),
        }
    })
}

fn faults(mailbox: &mut ImapMailbox, ids: &[MailId]) -> Vec<String> {
    let summaries = mailbox.summaries(ids).unwrap();
    let faults = summaries.into_iter().filter_map(|(id, summary)| {
        let fault = summary.err()?;
        Some(format!("{}: {fault:?}", id.as_str()))
    });
    faults.collect()
}

#[test]
fn a_mail_missing_from_the_list_is_listed_and_faulted() {
    let news_of_flags = "* 3 FETCH (UID 3 FLAGS ())\r\n";
    for (hidden, next, position, instead) in [
        (3, 6, None, ""),
        (5, 6, None, ""),
        (3, 6, Some("7.2"), ""),
        (3, 6, Some("7.3"), news_of_flags),
        (5, 6, Some("7.5"), ""),
    ] {
        let known = position.map(at).unwrap_or_default();
        let first = position.map_or(1, |text| text.trim_start_matches("7.").parse().unwrap());
        let (mut mailbox, _) = hiding(hidden, next, instead);
        let listing = mailbox.list(&known).unwrap();
        assert_eq!(listing.ids, ids(7, first..=5), "{hidden} {position:?}");
        assert_eq!(listing.position, Some(Position::new("7.6")));
        assert_eq!(
            faults(&mut mailbox, &listing.ids),
            [format!("7.{hidden}: Unreadable({LEFT_OUT:?})")]
        );
    }
}

#[test]
fn a_mail_that_failed_before_is_not_forgotten() {
    let (mut mailbox, _) = hiding(2, 6, "");
    let known = Known {
        again: ids(7, [1, 2]),
        ..at("7.6")
    };
    let listing = mailbox.list(&known).unwrap();
    assert_eq!(listing.ids, ids(7, [1, 2]));
    assert_eq!(faults(&mut mailbox, &listing.ids).len(), 1);
}

#[test]
fn a_mail_that_arrives_in_the_middle_is_left_to_the_next_run() {
    let (mut mailbox, _) = open(move |command| match command {
        _ if command.starts_with("SELECT") => selected(1, 7, 2),
        _ if command.contains("SEARCH") => "* SEARCH 1 2\r\nTAG OK\r\n".into(),
        _ => format!("{}* 2 EXISTS\r\n{}TAG OK\r\n", summary(1, 9), summary(2, 9)),
    });
    let listing = mailbox.list(&Known::default()).unwrap();
    assert_eq!(listing.ids, ids(7, [1]));
    assert_eq!(listing.position, Some(Position::new("7.2")));
}

#[test]
fn bodies_and_structures_left_out_are_faults_too() {
    let (mut mailbox, _) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(5, 7, 6),
        "UID FETCH 1:2 (UID RFC822.SIZE)" => {
            "* 1 FETCH (UID 1 RFC822.SIZE 1)\r\n* 2 FETCH (UID 2 RFC822.SIZE 1)\r\nTAG OK\r\n"
                .into()
        }
        "UID FETCH 1:2 (UID BODY.PEEK[])" => "* 1 FETCH (UID 1 BODY[] \"x\")\r\nTAG OK\r\n".into(),
        "UID SEARCH UID 2" => "* SEARCH 2\r\nTAG OK\r\n".into(),
        "UID SEARCH UID 1:2" => "* SEARCH 2\r\nTAG OK\r\n".into(),
        _ => "TAG OK\r\n".into(),
    });
    let mut got = Vec::new();
    mailbox
        .raw(&ids(7, [1, 2]), &mut |_, mail| got.push(mail))
        .unwrap();
    let left_out = || Fault::Unreadable(LEFT_OUT.into());
    assert_eq!(got, [Ok(b"x".to_vec()), Err(left_out())]);
    let queries = ids(7, [1, 2])
        .into_iter()
        .map(|id| Query { id, text: true });
    let contents = mailbox.contents(&queries.collect::<Vec<_>>()).unwrap();
    let faults: Vec<_> = contents
        .into_iter()
        .map(|(id, content)| (id, content.err()))
        .collect();
    assert_eq!(faults, [(MailId::new("7.2"), Some(left_out()))]);
}

#[test]
fn a_list_of_mails_that_can_not_be_read_ends_the_run() {
    for list in ["", "* SEARCH 1 2 3x\r\n", "* SEARCH 1 4294967296\r\n"] {
        let (mut mailbox, _) = open(move |command| match command {
            _ if command.starts_with("SELECT") => selected(9000, 7, 9001),
            _ => format!("{list}TAG OK\r\n"),
        });
        assert!(matches!(
            mailbox.list(&Known::default()),
            Err(Error::Protocol { .. })
        ));
    }
}

#[test]
fn a_uid_that_was_not_given_out_yet_moves_no_position() {
    let (mut mailbox, _) = open(|command| match command {
        _ if command.starts_with("SELECT") => selected(2, 7, 3),
        _ if command.contains("SEARCH") => "* SEARCH 1 2 3 4294967295\r\nTAG OK\r\n".into(),
        _ => summary(1, 9) + &summary(4, 9) + &summary(u32::MAX, 9) + "TAG OK\r\n",
    });
    let listing = mailbox.list(&Known::default()).unwrap();
    assert_eq!(listing.ids, ids(7, [1, 2]));
    assert_eq!(listing.position, Some(Position::new("7.3")));
}
