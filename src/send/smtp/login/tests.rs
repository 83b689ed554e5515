//! Log-ins at scripted servers.

use std::sync::{Arc, Mutex};

use super::*;
use crate::net::Trace;
use crate::net::script::Script;
use crate::send::smtp::wire::Talk;

const USER: &str = "alice@example.test";
const PASSWORD: &str = "s3cret p\u{e4}ss";

fn password(mechanisms: &[Mechanism]) -> Login {
    Login::Password {
        user: USER.into(),
        password: Secret::new(PASSWORD.into()),
        mechanisms: mechanisms.to_vec(),
    }
}

fn offering(mechanisms: &[&str]) -> Capabilities {
    Capabilities {
        mechanisms: Some(mechanisms.iter().map(|name| (*name).to_owned()).collect()),
        ..Capabilities::default()
    }
}

/// The result, the lines that were sent, and everything that was shown.
fn attempt(
    login: &Login,
    capabilities: &Capabilities,
    answer: impl FnMut(&str) -> Vec<u8> + 'static,
) -> (Result<Option<Instant>, Error>, Vec<String>, String) {
    let (script, lines) = Script::new(b"", answer);
    let shown = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&shown);
    let trace = Trace::to(move |line| sink.lock().unwrap().push_str(&format!("{line}\n")));
    let mut wire = Wire::new(script, Talk::new("h:25".into(), trace, 1));
    let result = log_in(&mut wire, capabilities, login);
    let sent = lines.borrow().clone();
    let mut shown = shown.lock().unwrap().clone();
    shown.push_str(&format!("{result:?} {login:?}"));
    if let Err(error) = &result {
        shown.push_str(&error.to_string());
    }
    (result, sent, shown)
}

fn base64(text: &str) -> String {
    BASE64.encode(text.as_bytes())
}

#[test]
fn plain_goes_at_once_and_login_as_asked() {
    let both = offering(&["LOGIN", "PLAIN"]);
    let (result, sent, _) = attempt(
        &password(&[Mechanism::Plain, Mechanism::Login]),
        &both,
        |_| "235 ok\r\n".into(),
    );
    assert_eq!(result.unwrap(), None);
    let whole = base64(&format!("\0{USER}\0{PASSWORD}"));
    assert_eq!(sent, [format!("AUTH PLAIN {whole}")]);

    let (result, sent, _) = attempt(
        &password(&[Mechanism::Login, Mechanism::Plain]),
        &both,
        |line| match line {
            "AUTH LOGIN" => "334 VXNlcm5hbWU6\r\n".into(),
            line if line == base64(USER) => "334 UGFzc3dvcmQ6\r\n".into(),
            line if line == base64(PASSWORD) => "235 ok\r\n".into(),
            _ => "535 no\r\n".into(),
        },
    );
    assert!(result.is_ok() && sent.len() == 3);
}

#[test]
fn what_does_not_fit_into_a_command_waits_for_its_question() {
    let login = Login::Password {
        user: USER.into(),
        password: Secret::new("x".repeat(400)),
        mechanisms: vec![Mechanism::Plain],
    };
    let (result, sent, _) = attempt(&login, &offering(&["PLAIN"]), |line| {
        if line == "AUTH PLAIN" {
            "334 \r\n"
        } else {
            "235 ok\r\n"
        }
        .into()
    });
    assert!(result.is_ok());
    assert_eq!((sent.len(), sent[0].as_str()), (2, "AUTH PLAIN"));
}

#[test]
fn a_refusal_is_told_apart_from_trouble() {
    let cases = [
        ("535 5.7.8 wrong\r\n", false, true),
        ("454 4.7.0 later\r\n", true, true),
        ("421 4.3.0 bye\r\n", true, false),
    ];
    for (answer, transient, authentication) in cases {
        let (result, ..) = attempt(
            &password(&[Mechanism::Plain]),
            &offering(&["PLAIN"]),
            move |_| answer.into(),
        );
        let error = result.unwrap_err();
        assert_eq!(
            (error.is_transient(), error.is_authentication()),
            (transient, authentication),
            "{error}"
        );
        assert_eq!(
            error.to_string().contains("--credentials"),
            !transient,
            "{error}"
        );
    }
}

#[test]
fn a_server_that_hangs_up_on_a_password_may_have_refused_it() {
    for (mechanism, last, authentication) in [
        (Mechanism::Plain, "AUTH PLAIN", true),
        (Mechanism::Login, "AUTH LOGIN", false),
        (Mechanism::Login, "YWxpY2VAZXhhbXBsZS50ZXN0", true),
    ] {
        let (result, ..) = attempt(
            &password(&[mechanism]),
            &offering(&["PLAIN", "LOGIN"]),
            move |line| {
                if line.starts_with(last) {
                    Vec::new()
                } else {
                    b"334 more\r\n".to_vec()
                }
            },
        );
        let error = result.unwrap_err();
        assert_eq!(
            (error.is_authentication(), error.is_transient()),
            (authentication, !authentication),
            "{error}"
        );
        assert!(
            error.to_string().contains("closed the connection"),
            "{error}"
        );
    }
}

#[test]
fn what_no_mechanism_can_carry_is_not_sent() {
    let zero = Login::Password {
        user: USER.into(),
        password: Secret::new("a\0b".into()),
        mechanisms: vec![Mechanism::Plain],
    };
    let (result, sent, _) = attempt(&zero, &offering(&["PLAIN"]), |_| Vec::new());
    assert!(matches!(result, Err(Error::NoLogin { .. })) && sent.is_empty());
}

#[test]
fn nothing_is_sent_where_nothing_in_common_is_offered() {
    for (capabilities, says) in [
        (Capabilities::default(), "offers none"),
        (offering(&["CRAM-MD5"]), "offers CRAM-MD5"),
    ] {
        let (result, sent, _) = attempt(
            &password(&[Mechanism::Plain, Mechanism::Login]),
            &capabilities,
            |_| Vec::new(),
        );
        let error = result.unwrap_err();
        assert!(
            error.is_authentication() && error.to_string().contains(says),
            "{error}"
        );
        assert_eq!(sent, [""; 0]);
    }
    let (result, sent, _) = attempt(&Login::None, &Capabilities::default(), |_| Vec::new());
    assert!(result.is_ok() && sent.is_empty());
}

#[test]
fn a_server_that_never_stops_asking_is_left() {
    let (result, sent, _) = attempt(
        &password(&[Mechanism::Plain]),
        &offering(&["PLAIN"]),
        |_| "334 x\r\n".into(),
    );
    assert!(result.unwrap_err().to_string().contains("asks and asks"));
    assert!(sent.len() < 10);
}

#[test]
fn no_secret_is_shown_even_if_the_server_repeats_it() {
    let whole = base64(&format!("\0{USER}\0{PASSWORD}"));
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        let (_, _, shown) = attempt(
            &password(&[mechanism]),
            &offering(&["PLAIN", "LOGIN"]),
            |line| {
                if line == "AUTH LOGIN" || line == base64(USER) {
                    format!("334 {}\r\n", base64(PASSWORD))
                } else {
                    format!("535 you sent {line}, that is {PASSWORD}\r\n")
                }
                .into()
            },
        );
        assert!(
            shown.contains("C: AUTH") && shown.contains("***"),
            "{shown}"
        );
        for secret in [PASSWORD, &base64(PASSWORD), &whole] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
    }
}
