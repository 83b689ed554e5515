//! Logging in with tokens (XOAUTH2).

use std::sync::{Arc, Mutex};

use super::*;
use crate::mailbox::bearer::{message, with_tokens};

const OFFERED: &str = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n";
/// What a server asks that has more to say than no.
const CHALLENGE: &str = "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n";

/// A server that takes this token alone.
fn taking(
    greeting: &str,
    login: &Login,
    good: &'static str,
) -> (Result<ImapMailbox, Error>, Vec<String>, String) {
    let shown = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&shown);
    let trace = Trace::to(move |line| {
        let mut shown = sink.lock().unwrap();
        shown.push_str(line);
        shown.push('\n');
    });
    let mut tag = String::new();
    let (mailbox, lines) = open_with(greeting.as_bytes(), login, trace, move |line| {
        if let Some((own, _)) = line.split_once(' ') {
            own.clone_into(&mut tag);
        }
        let answer = match line {
            _ if line.ends_with("CAPABILITY") => {
                "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\nTAG OK\r\n"
            }
            _ if line.ends_with("AUTHENTICATE XOAUTH2") => "+ \r\n",
            _ if line.ends_with(&message(good)) => "TAG OK in\r\n",
            "" => "TAG NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
            _ => CHALLENGE,
        };
        answer.replace("TAG", &tag).into()
    });
    let lines = lines.borrow().clone();
    let mut shown = shown.lock().unwrap().clone();
    shown += &format!("{login:?} {mailbox:?}");
    (mailbox, lines, shown)
}

#[test]
fn the_token_goes_at_once_where_the_server_allows_it() {
    let (mailbox, lines, _) = taking(OFFERED, &with_tokens(&["T1"]), "T1");
    mailbox.unwrap();
    let at_once = format!("a1 AUTHENTICATE XOAUTH2 {}", message("T1"));
    assert_eq!(lines, [at_once]);
    for greeting in ["* OK [CAPABILITY AUTH=XOAUTH2] x\r\n", "* OK x\r\n"] {
        let (mailbox, lines, _) = taking(greeting, &with_tokens(&["T1"]), "T1");
        mailbox.unwrap();
        let (last, before) = lines.split_last().unwrap();
        assert_eq!(*last, message("T1"));
        assert!(before.last().unwrap().ends_with(" AUTHENTICATE XOAUTH2"));
    }
}

#[test]
fn what_is_longer_than_a_line_waits_until_it_is_asked_for() {
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "t".repeat(7000));
    static LIST: std::sync::LazyLock<[&str; 1]> = std::sync::LazyLock::new(|| [LONG.as_str()]);
    let (mailbox, lines, _) = taking(OFFERED, &with_tokens(&*LIST), &LONG);
    mailbox.unwrap();
    assert_eq!(lines, ["a1 AUTHENTICATE XOAUTH2", &message(&LONG)]);
}

#[test]
fn a_refused_token_is_replaced_once() {
    for greeting in [OFFERED, "* OK [CAPABILITY AUTH=XOAUTH2] x\r\n"] {
        let (mailbox, lines, shown) = taking(greeting, &with_tokens(&["T1", "T2"]), "T2");
        mailbox.unwrap();
        let asked = lines.iter().filter(|line| line.contains("AUTHENTICATE"));
        assert_eq!(asked.count(), 2, "{lines:?}");
        // A challenge wants an empty line.
        assert_eq!(lines.iter().filter(|line| line.is_empty()).count(), 1);
        let (mailbox, lines, refused) = taking(greeting, &with_tokens(&["T1", "T2"]), "T3");
        let error = mailbox.unwrap_err();
        assert!(matches!(error, Error::TokenRefused { .. }) && !error.is_transient());
        let told = error.to_string();
        assert!(
            told.starts_with(
                "h:993 refused the token for me@example.test: Authentication failed. Check"
            ),
            "{told}"
        );
        assert_eq!(lines.iter().filter(|line| line.is_empty()).count(), 2);
        for shown in [shown, refused] {
            assert!(shown.contains("AUTHENTICATE XOAUTH2"), "{shown}");
            for token in ["T1", "T2"] {
                assert!(
                    !shown.contains(&message(token)) && !shown.contains(token),
                    "{shown}"
                );
            }
        }
    }
}

#[test]
fn a_server_that_has_no_time_is_not_asked_with_another_token() {
    for (answer, transient) in [
        ("TAG NO [UNAVAILABLE] later\r\n", true),
        ("TAG BAD what\r\n", false),
        ("", true),
    ] {
        let login = with_tokens(&["T1", "T2"]);
        let (mailbox, lines) = open_with(OFFERED.as_bytes(), &login, Trace::off(), move |_| {
            answer.into()
        });
        let error = mailbox.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{error}");
        assert_eq!(lines.borrow().len(), 1);
    }
}

#[test]
fn no_token_goes_where_it_is_not_taken() {
    let greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n";
    let (mailbox, lines, _) = taking(greeting, &with_tokens(&["T1"]), "T1");
    let told = mailbox.unwrap_err().to_string();
    assert!(told.contains("XOAUTH2") && lines.is_empty(), "{told}");
}
