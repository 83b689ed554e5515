//! Logging in, and secrets.

use std::sync::{Arc, Mutex};

use super::*;
use crate::mailbox::login::sendable;

fn attempt(
    greeting: &str,
    login: &Login,
    answer: &'static str,
) -> (Result<ImapMailbox, Error>, Vec<String>) {
    let mut tag = String::new();
    let (mailbox, lines) = open_with(greeting.as_bytes(), login, Trace::off(), move |line| {
        // The lines of a log-in that goes on have no tag.
        if let Some((own, _)) = line.split_once(' ') {
            own.clone_into(&mut tag);
        }
        if line.ends_with("CAPABILITY") {
            return b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK\r\n".to_vec();
        }
        if line.ends_with("AUTHENTICATE PLAIN") {
            return b"+ \r\n".to_vec();
        }
        answer.replace("TAG", &tag).into()
    });
    let lines = lines.borrow().clone();
    (mailbox, lines)
}

#[test]
fn one_turn_where_the_server_allows_it() {
    let sent = |greeting: &str| {
        let (mailbox, lines) = attempt(greeting, &login(), "TAG OK in\r\n");
        mailbox.unwrap();
        lines
    };
    let plain = "a1 AUTHENTICATE PLAIN AG1lAHMzY3JldA==";
    assert_eq!(
        sent("* OK [CAPABILITY AUTH=PLAIN SASL-IR LOGINDISABLED] x\r\n"),
        [plain]
    );
    assert_eq!(
        sent("* OK [CAPABILITY AUTH=PLAIN] x\r\n"),
        ["a1 LOGIN \"me\" \"s3cret\""]
    );
    assert_eq!(
        sent("* OK Exchange says nothing\r\n"),
        ["a1 LOGIN \"me\" \"s3cret\""]
    );
    assert_eq!(
        sent("* OK [CAPABILITY AUTH=PLAIN LOGINDISABLED] x\r\n"),
        ["a1 AUTHENTICATE PLAIN", "AG1lAHMzY3JldA=="]
    );
}

#[test]
fn letters_beyond_ascii_need_plain() {
    let umlaut = Login {
        user: "jürgen".into(),
        ..login()
    };
    let (mailbox, lines) = attempt("* OK x\r\n", &umlaut, "TAG OK in\r\n");
    mailbox.unwrap();
    assert_eq!(
        lines,
        [
            "a1 CAPABILITY",
            "a2 AUTHENTICATE PLAIN",
            "AGrDvHJnZW4AczNjcmV0"
        ]
    );
    let (mailbox, lines) = attempt("* OK [CAPABILITY IMAP4rev1] x\r\n", &umlaut, "");
    assert!(matches!(mailbox, Err(Error::NoLogin { .. })) && lines.is_empty());
}

#[test]
fn no_password_goes_where_it_is_not_taken() {
    let (mailbox, lines) = attempt(
        "* OK [CAPABILITY LOGINDISABLED STARTTLS] x\r\n",
        &login(),
        "",
    );
    assert!(
        mailbox
            .unwrap_err()
            .to_string()
            .contains("ConnectionSecurity")
    );
    assert!(lines.is_empty());
}

#[test]
fn refusals_are_told_from_failures() {
    let error = |answer| attempt("* OK x\r\n", &login(), answer).0.unwrap_err();
    let refused = error("TAG NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
    assert_eq!(
        refused.to_string(),
        "h:993 refused the log-in of me: Authentication failed. If that tells of a locked account, ask its administrator; \
         if not, check the user, or set the password again with: smartemail --credentials"
    );
    assert!(matches!(error("TAG NO bad user\r\n"), Error::Login { .. }));
    for passing in ["UNAVAILABLE", "LIMIT", "INUSE"] {
        let answer: &'static str = format!("TAG NO [{passing}] later\r\n").leak();
        let error = error(answer);
        assert!(matches!(&error, Error::Busy { answer, .. } if answer == "later"));
        assert!(error.is_transient());
    }
    for (code, bar) in [
        ("EXPIRED", Bar::Expired),
        ("AUTHORIZATIONFAILED", Bar::NotAllowed),
        ("NOPERM", Bar::NotAllowed),
        ("CONTACTADMIN", Bar::AskAdministrator),
        ("PRIVACYREQUIRED", Bar::NeedsEncryption),
    ] {
        let answer: &'static str = format!("TAG NO [{code}] no\r\n").leak();
        let error = error(answer);
        assert!(matches!(&error, Error::Barred { bar: told, .. } if *told == bar));
        assert!(!error.is_transient() && !error.to_string().contains("password again"));
    }
    for ours in ["TAG NO [SERVERBUG] oops\r\n", "TAG BAD what?\r\n"] {
        assert!(matches!(error(ours), Error::Refused { .. }));
    }
    assert!(!refused.is_transient());
    let farewell = error("* BYE Authentication failed\r\n");
    assert_eq!(
        farewell.to_string(),
        "h:993 did not answer the log-in of me: it closed the connection and said: Authentication failed. The user or \
         the password may be wrong, so it is not tried again in this run. Check the user and the server, or set the \
         password again with: smartemail --credentials"
    );
    assert!(!farewell.is_transient());
    assert!(matches!(error(""), Error::Unanswered { .. }));
    assert!(matches!(
        error("* BYE [UNAVAILABLE] later\r\n"),
        Error::Busy { answer, .. } if answer == "later"
    ));
    assert!(matches!(
        error("* BYE bye\r\nTAG NO wrong\r\n"),
        Error::Login { .. }
    ));
    assert!(matches!(error("+ more?\r\n"), Error::Protocol { .. }));
    assert!(matches!(error("b7 OK in\r\n"), Error::Protocol { .. }));
}

#[test]
fn a_connection_lost_before_the_credentials_is_like_any_other() {
    let greeting = "* OK [CAPABILITY AUTH=PLAIN LOGINDISABLED] x\r\n";
    let (mailbox, lines) = open_with(greeting.as_bytes(), &login(), Trace::off(), |_| Vec::new());
    assert!(mailbox.unwrap_err().is_transient());
    assert_eq!(*lines.borrow(), ["a1 AUTHENTICATE PLAIN"]);
}

#[test]
fn a_server_that_keeps_asking_is_left() {
    let greeting = "* OK [CAPABILITY AUTH=PLAIN LOGINDISABLED] x\r\n";
    let (mailbox, lines) = open_with(greeting.as_bytes(), &login(), Trace::off(), |_| {
        b"+ \r\n".to_vec()
    });
    assert!(matches!(mailbox, Err(Error::Protocol { .. })));
    assert_eq!(lines.borrow().len(), 3);
}

#[test]
fn values_that_would_end_a_command_are_not_sent() {
    let endings = ["a\r\nb", "a\nb", "a\0b"];
    for value in endings {
        let user = Login {
            user: value.into(),
            ..login()
        };
        let password = Login {
            proof: Proof::Password(Secret::new(value.into())),
            ..login()
        };
        let text = |error: Option<Error>| error.unwrap().to_string();
        let refused = |login: &Login| text(login.credentials("h:1").err());
        assert!(refused(&user).starts_with("the user name can't be sent"));
        assert!(refused(&password).starts_with("the password can't be sent"));
        let folder = sendable("h:1", "folder name", value);
        assert!(text(folder.err()).starts_with("the folder name can't be sent"));
    }
}

#[test]
fn no_secret_is_shown_at_the_loudest_level() {
    let secret = "p\"w\\d \u{fc}";
    let greetings = [
        "* OK [CAPABILITY AUTH=PLAIN SASL-IR] x\r\n",
        "* OK [CAPABILITY AUTH=PLAIN LOGINDISABLED] x\r\n",
        "* OK [CAPABILITY IMAP4rev1] x\r\n",
    ];
    for (index, greeting) in greetings.into_iter().enumerate() {
        let password = if index == 2 { "p\"w\\d xyz" } else { secret };
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
        let (mailbox, lines) = open_with(greeting.as_bytes(), &login, trace, move |line| {
            let tag = if line.contains(' ') { "TAG" } else { "a1" };
            if line.ends_with("AUTHENTICATE PLAIN") {
                return b"+ c2VjcmV0\r\n".to_vec();
            }
            format!("* NO you sent {line}\r\n{tag} NO never heard of {line} {password}\r\n").into()
        });
        let error = mailbox.unwrap_err();
        let mut shown = shown.lock().unwrap();
        shown.push_str(&format!("{error} {error:?} {login:?}"));
        assert!(shown.contains("C: a1") && shown.contains("***"));
        let sent = lines.borrow().last().unwrap().clone();
        let sent = sent.rsplit(' ').next().unwrap();
        for form in [password, "p\\\"w\\\\d", sent, "c2VjcmV0"] {
            assert!(!shown.contains(form), "{form} in {shown}");
        }
    }
}

/// It may know the password from an earlier attempt.
#[test]
fn a_server_that_knows_the_password_before_the_log_in_is_not_repeated() {
    let umlaut = Login {
        user: "j\u{fc}rgen".into(),
        ..login()
    };
    for (greeting, capability) in [
        ("* BYE s3cret again\r\n", ""),
        ("+OK s3cret again\r\n", ""),
        ("* OK s3cret again\r\n", "TAG BAD s3cret again\r\n"),
        ("* OK ready\r\n", "* BYE s3cret again\r\n"),
        ("* OK ready\r\n", "TAG BAD s3cret again\r\n"),
    ] {
        let shown = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&shown);
        let trace = Trace::to(move |line| sink.lock().unwrap().push_str(line));
        let (mailbox, _) = open_with(greeting.as_bytes(), &umlaut, trace, |_| capability.into());
        let error = mailbox.unwrap_err();
        let shown = format!("{} {error} {error:?}", shown.lock().unwrap());
        assert!(
            shown.contains("*** again") && !shown.contains("s3cret"),
            "{shown}"
        );
    }
}
