//! Logging in with tokens (XOAUTH2), in the form of either big provider.

use super::*;
use crate::mailbox::bearer::{message, with_tokens};

const OFFERED: Option<&str> = Some("SASL PLAIN XOAUTH2\nUIDL\nTOP");

/// How a server wants the token.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// When it has asked, as Microsoft; a wrong one is refused at once.
    Microsoft,
    /// With the command, as Google; a wrong one brings a question.
    Google,
    /// Either way, with a question: Dovecot.
    Both,
}

/// A server that takes this token alone.
fn taking(
    form: Form,
    login: &Login,
    good: &'static str,
) -> (Result<PopMailbox, Error>, Vec<String>) {
    let (mailbox, lines) = open_with(OFFERED, login, Trace::off(), move |line| {
        let with_command = line.strip_prefix("AUTH XOAUTH2 ");
        let token = with_command.unwrap_or(line);
        let answer = match (line, form) {
            ("UIDL", _) => return list(&[]).into(),
            ("AUTH XOAUTH2", Form::Google) => "-ERR bad command\r\n",
            ("AUTH XOAUTH2", _) => "+ \r\n",
            ("", _) => "-ERR [AUTH] no\r\n",
            _ if token == message(good) => "+OK in\r\n",
            (_, Form::Microsoft) => {
                "-ERR Authentication failure: unknown user name or bad password.\r\n"
            }
            _ => "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n",
        };
        answer.into()
    });
    let lines = lines.borrow().clone();
    (mailbox, lines)
}

#[test]
fn both_forms_are_spoken() {
    let sent = |form| {
        let (mailbox, lines) = taking(form, &with_tokens(&["T1"]), "T1");
        mailbox.unwrap();
        lines
    };
    let message = message("T1");
    let when_asked = ["AUTH XOAUTH2", &message, "UIDL"];
    assert_eq!(sent(Form::Microsoft), when_asked);
    assert_eq!(sent(Form::Both), when_asked);
    let at_once = format!("AUTH XOAUTH2 {message}");
    assert_eq!(sent(Form::Google), ["AUTH XOAUTH2", &at_once, "UIDL"]);
}

#[test]
fn a_refused_token_is_replaced_once() {
    for form in [Form::Microsoft, Form::Google, Form::Both] {
        let (mailbox, lines) = taking(form, &with_tokens(&["T1", "T2"]), "T2");
        mailbox.unwrap();
        let questions = usize::from(!matches!(form, Form::Microsoft));
        let empty = |lines: &[String]| lines.iter().filter(|line| line.is_empty()).count();
        assert_eq!(empty(&lines), questions, "{form:?} {lines:?}");
        let (mailbox, lines) = taking(form, &with_tokens(&["T1", "T2"]), "T3");
        let error = mailbox.unwrap_err();
        assert!(matches!(error, Error::TokenRefused { .. }), "{error}");
        assert_eq!(empty(&lines), 2 * questions, "{form:?} {lines:?}");
        let tried = lines.iter().filter(|line| *line == "AUTH XOAUTH2");
        assert_eq!(tried.count(), 2, "{form:?} {lines:?}");
    }
}

#[test]
fn a_server_that_has_no_time_is_not_asked_with_another_token() {
    for answer in ["-ERR [SYS/TEMP] disk\r\n", "-ERR [IN-USE] x\r\n", ""] {
        let login = with_tokens(&["T1", "T2"]);
        let (mailbox, lines) = open_with(OFFERED, &login, Trace::off(), move |line| {
            if line == "AUTH XOAUTH2" {
                "+ \r\n".into()
            } else {
                answer.into()
            }
        });
        let error = mailbox.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(lines.borrow().len(), 2);
    }
}

#[test]
fn no_token_goes_where_it_is_not_taken() {
    for capabilities in [None, Some("SASL PLAIN\nUSER")] {
        let (mailbox, lines) = open_with(capabilities, &with_tokens(&["T1"]), Trace::off(), |_| {
            Vec::new()
        });
        let told = mailbox.unwrap_err().to_string();
        assert!(
            told.contains("XOAUTH2") && lines.borrow().is_empty(),
            "{told}"
        );
    }
}
