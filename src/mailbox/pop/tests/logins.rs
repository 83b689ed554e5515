//! Logging in, and secrets.

use std::sync::{Arc, Mutex};

use super::*;

/// Logs in; `answers` go to the lines of the log-in, one by one.
fn attempt(
    capabilities: Option<&str>,
    login: &Login,
    answers: &[&'static str],
) -> (Result<PopMailbox, Error>, Vec<String>) {
    let answers = answers.to_vec();
    let mut answers = answers.into_iter();
    let (mailbox, lines) = open_with(capabilities, login, Trace::off(), move |line| {
        if line == "UIDL" {
            return list(&[]).into();
        }
        answers.next().unwrap_or_default().into()
    });
    let lines = lines.borrow().clone();
    (mailbox, lines)
}

const PLAIN: &str = "AG1lAHMzY3JldA==";
/// A server that is not asked for PLAIN in one line.
const OLD: &str = "SASL PLAIN\nUIDL\nTOP";

#[test]
fn what_is_sent() {
    let sent = |capabilities, answers: &[&'static str]| {
        let (mailbox, lines) = attempt(capabilities, &login(), answers);
        mailbox.unwrap();
        lines
    };
    let at_once = format!("AUTH PLAIN {PLAIN}");
    assert_eq!(sent(Some(MODERN), &["+OK\r\n"]), [&at_once, "UIDL"]);
    assert_eq!(
        sent(Some(MODERN), &["+ \r\n", "+OK\r\n"]),
        [&at_once, PLAIN, "UIDL"],
        "it asks though it has been told"
    );
    assert_eq!(
        sent(Some(OLD), &["+\r\n", "+OK\r\n"]),
        ["AUTH PLAIN", PLAIN, "UIDL"]
    );
    let by_name = ["USER me", "PASS s3cret", "UIDL"];
    assert_eq!(sent(None, &["+OK\r\n", "+OK\r\n"]), by_name);
    assert_eq!(sent(Some("USER"), &["+OK\r\n", "+OK\r\n"]), by_name);
}

#[test]
fn a_password_is_sent_when_its_user_was_taken_and_not_before() {
    let (mailbox, lines) = attempt(None, &login(), &["-ERR no such mailbox\r\n"]);
    assert!(matches!(mailbox, Err(Error::Login { .. })));
    assert_eq!(lines, ["USER me"]);
    let (mailbox, lines) = attempt(Some("SASL CRAM-MD5\nSTLS"), &login(), &[]);
    assert!(matches!(mailbox, Err(Error::NoLogin { .. })));
    assert!(lines.is_empty());
}

#[test]
fn refusals_are_told_from_failures() {
    for capabilities in [Some(MODERN), None] {
        let error = |answer: &'static str| {
            let answers = if capabilities.is_some() {
                vec![answer]
            } else {
                vec!["+OK\r\n", answer]
            };
            attempt(capabilities, &login(), &answers).0.unwrap_err()
        };
        assert_eq!(
            error("-ERR [AUTH] Authentication failed.\r\n").to_string(),
            "h:995 refused the log-in of me: Authentication failed. If that tells of a locked account, ask its \
             administrator; if not, check the user, or set the password again with: smartemail --credentials"
        );
        for refused in [
            "-ERR account is locked\r\n",
            "-ERR authentication failed, maildrop blocked\r\n",
        ] {
            assert!(matches!(error(refused), Error::Login { .. }), "{refused}");
        }
        for busy in [
            "-ERR [IN-USE] another session\r\n",
            "-ERR [SYS/TEMP] disk\r\n",
            "-ERR unable to lock maildrop\r\n",
        ] {
            let error = error(busy);
            assert!(matches!(error, Error::Busy { .. }), "{error}");
            assert!(error.is_transient());
        }
        let too_soon = error("-ERR [LOGIN-DELAY] wait\r\n");
        assert!(matches!(too_soon, Error::TooSoon { .. }) && !too_soon.is_transient());
        assert!(matches!(
            error("-ERR [SYS/PERM] ask somebody\r\n"),
            Error::Refused { answer, .. } if answer == "ask somebody"
        ));
        let silent = error("");
        assert_eq!(
            silent.to_string(),
            "h:995 did not answer the log-in of me: it closed the connection. The user or the password may be wrong, \
             so it is not tried again in this run. Check the user and the server, or set the password again with: \
             smartemail --credentials"
        );
        assert!(!silent.is_transient());
        assert!(matches!(error("* OK in\r\n"), Error::Protocol { .. }));
    }
    // Nothing secret has been sent by then.
    for capabilities in [Some(OLD), None] {
        let (before, lines) = attempt(capabilities, &login(), &[""]);
        assert_eq!(lines.len(), 1);
        assert!(before.unwrap_err().is_transient());
    }
    let keeps_asking = attempt(Some(MODERN), &login(), &["+ \r\n", "+ \r\n"]);
    assert!(matches!(keeps_asking.0, Err(Error::Protocol { .. })));
    assert_eq!(keeps_asking.1.len(), 2);
    let asks = attempt(None, &login(), &["+ \r\n"]);
    assert!(matches!(asks.0, Err(Error::Protocol { .. })));
    let lets_in = attempt(Some(OLD), &login(), &["+OK welcome\r\n"]);
    assert!(matches!(lets_in.0, Err(Error::Protocol { .. })));
}

#[test]
fn no_secret_is_shown_at_the_loudest_level() {
    for capabilities in [Some(MODERN), Some(OLD), Some("USER"), None] {
        let password = "p\"w\\d xyz";
        let login = Login {
            user: "me".into(),
            proof: Proof::Password(Secret::new(password.into())),
        };
        let shown = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&shown);
        let trace = Trace::to(move |line| {
            let mut shown = sink.lock().unwrap();
            shown.push_str(line);
            shown.push('\n');
        });
        // The rudest server repeats what it was sent.
        let (mailbox, lines) = open_with(capabilities, &login, trace, move |line| {
            if line == "AUTH PLAIN" {
                return b"+ c2VjcmV0\r\n".to_vec();
            }
            if line.starts_with("USER") {
                return b"+OK send PASS\r\n".to_vec();
            }
            format!("-ERR never heard of {line} {password}\r\n").into()
        });
        let error = mailbox.unwrap_err();
        let mut shown = shown.lock().unwrap();
        shown.push_str(&format!("{error} {error:?} {login:?}"));
        assert!(shown.contains("C: ") && shown.contains("***"), "{shown}");
        let sent = lines.borrow().last().unwrap().clone();
        let sent = sent.rsplit("PLAIN ").next().unwrap().replace("PASS ", "");
        for form in [password, &sent, "c2VjcmV0"] {
            assert!(!shown.contains(form), "{form} in {shown}");
        }
    }
}

/// It may know the password from an earlier attempt.
#[test]
fn a_server_that_greets_with_the_password_is_not_repeated() {
    let (script, _) = Script::new(b"-ERR [SYS/PERM] s3cret again\r\n", |_| Vec::new());
    let opened = PopMailbox::start(
        Box::new(script),
        Stage::Begun,
        "h:995",
        login().credentials("h:995").unwrap(),
        Limits::default(),
        Trace::off(),
    );
    let told = opened.unwrap_err().to_string();
    assert!(
        told.contains("*** again") && !told.contains("s3cret"),
        "{told}"
    );
}
