//! Secrets come from where nobody sees them, and go nowhere else.

use crate::harness::world::{MAIL_PASSWORD, MAIL_USER};
use crate::harness::{Exim, exim};
use crate::{Sender, recorder};

const USER: &str = "/SMTP_USERNAME=user@example.test";

#[test]
fn a_password_comes_from_a_file_or_the_environment() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new().env("SMAIL_SMTP_PASSWORD", "from the environment");
    // What lies there is not looked through for secrets.
    sender.file("mails/password.txt", "\u{feff}from a file\r\nnot this\r\n");
    let utf16 = "\u{feff}p\u{e4}ss\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes);
    sender.file("mails/utf16.txt", utf16.collect::<Vec<u8>>());
    for (argument, expected) in [
        (Some("/SMTP_PASSWORD=@mails/utf16.txt"), "p\u{e4}ss"),
        (Some("/SMTP_PASSWORD=on the line"), "on the line"),
        (Some("/SMTP_PASSWORD=@mails/password.txt"), "from a file"),
        (Some("/SMTP_PASSWORD=@@twice"), "@twice"),
        (Some("/SMTP_PASSWORD=\"in quotes\""), "in quotes"),
        (Some("/SMTP_PASSWORD="), "from the environment"),
        (None, "from the environment"),
    ] {
        let arguments = [Some("/AUTH_TYPE=SASL"), Some(USER), argument];
        let arguments: Vec<_> = arguments.into_iter().flatten().collect();
        sender.mail(server.smtp, &arguments).exit(0);
        let login = server.mails().pop().unwrap().login;
        assert_eq!(login["secret"], expected, "{argument:?}");
    }
    sender
        .mail(server.smtp, &[USER, "/SMTP_PASSWORD=@nowhere.txt"])
        .exit(8)
        .complains("does not exist")
        .complains("@");
    sender.file("mails/empty.txt", "\n");
    sender
        .mail(server.smtp, &[USER, "/SMTP_PASSWORD=@mails/empty.txt"])
        .exit(2)
        .complains("empty");
}

#[test]
fn a_password_in_the_environment_alone_asks_for_no_login() {
    let Some(server) = recorder() else { return };
    let sender = Sender::new().env("SMAIL_SMTP_PASSWORD", "unused");
    sender.mail(server.smtp, &[]).exit(0);
    assert_eq!(server.mails()[0].user, None);
}

/// The world looks for it in everything that the program writes, in each of its disguises.
#[test]
fn no_secret_is_shown_or_logged() {
    let Some(server) = Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    }) else {
        return;
    };
    let sender = Sender::new();
    sender.world.secret(MAIL_PASSWORD);
    let wrong = "Wr0ng-pass-4402";
    sender.world.secret(wrong);
    // As names of options are shown.
    sender.world.secret(&wrong.to_uppercase());
    let user = format!("/SMTP_USERNAME={MAIL_USER}");
    for auth in ["SASL", "DEFAULT"] {
        let auth = format!("/AUTH_TYPE={auth}");
        let log = ["/LOG=log.txt", "/LOG_LEVEL=DEBUG", "/ERROR_FILE=error.txt"];
        let with = |password: &str| {
            let password = format!("/SMTP_PASSWORD={password}");
            let arguments = [&log[..], &[&auth, &user, &password]].concat();
            sender.mail(server.submission, &arguments)
        };
        with(MAIL_PASSWORD).exit(0);
        with(wrong).exit(4);
    }
    let log = sender.world.read("log.txt");
    assert!(
        log.contains("/SMTP_PASSWORD=***") && log.contains("AUTH PLAIN ***"),
        "{log}"
    );
    // A slip of the one who writes the command is no reason to show it either.
    for arguments in [
        &["/SMTP_PASSWORD", wrong][..],
        &["/SMTP_PASWORD=Wr0ng-pass-4402"],
        &["/SMTP_PASSWORD:Wr0ng-pass-4402"],
        &["/SMTP_PASSWORD Wr0ng-pass-4402"],
        &["/SMTP_PASSWORD=two", wrong],
        &["/SMTP_PASSWORD=@Wr0ng", "-pass-4402"],
        &["/SMTP_PASSWORDWr0ng-pass-4402"],
        &["/SMTP_PASSWORD;Wr0ng-pass-4402"],
        &["/SMTP_PASSWORD-Wr0ng-pass-4402"],
        &["/SMTP_PASSWORDWr0ng-pass-4402="],
        &["/O365_SECRETSWr0ng-pass-4402"],
        &["--smtp_passwordWr0ng-pass-4402"],
        &["--smtp-passwordWr0ng-pass-4402"],
        &["//SMTP_PASSWORDWr0ng-pass-4402="],
        &["-SMTP_PASSWORD=Wr0ng-pass-4402"],
        &["/SMTP_PASSWROD=Wr0ng-pass-4402"],
        &["/SMTP_PASSWRODWr0ng-pass-4402"],
        &["/SMTP_PWWr0ng-pass-4402"],
        &["/SMTP_PASSWORD", "/Wr0ng-pass-4402="],
        &["/SMTP_PASSWROD", "/Wr0ng-pass-4402="],
        &["-SMTP_PASSWORD", "/Wr0ng-pass-4402="],
        &["/SMTP_PASSWORD=two", "or", "/Wr0ng-pass-4402="],
    ] {
        sender
            .mail(1, &[&["/LOG=log.txt"], arguments].concat())
            .exit(2);
    }
}
