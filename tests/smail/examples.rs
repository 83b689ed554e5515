//! The examples of the specification, word for word; only hosts and ports are others.

use crate::harness::idp::{DAEMON, DIRECTORY, SECRET, USER};
use crate::harness::{Dovecot, Graph, IdentityProvider, Inspector, Parsed, Recorder};
use crate::{PDF, Sender, recorder};

/// `SMTP simple`.
const SIMPLE: &str = r#"SMail /SMTP_SERVER="smtp.bbox.fr" ^
/FROM_NAME="Albert" ^
/FROM_ADDR="albert@demo.net" ^
/TO="client@test.com" ^
/SUBJECT="Hello" ^
/BODY_FILE="Msg.txt""#;

/// `SMTP classique avec pièces jointes`.
const ATTACHMENTS: &str = r#"SMail /MODE=SMTP ^
/SMTP_SERVER="smtp.bbox.fr" ^
/FROM_NAME="Albert Dupont" ^
/FROM_ADDR="albert@demo.net" ^
/TO="client@test.com" ^
/SUBJECT="Facture Mars 2026" ^
/BODY_FILE="Mail.txt" ^
/ATTACH="Facture_032026.pdf,Conditions.pdf" ^
/PRIORITY=HIGH"#;

/// `SMTP HTML avec images inline + pièces jointes`.
const INLINE: &str = r#"SMail /MODE=SMTP ^
/SMTP_SERVER="smtp.office365.com" ^
/SMTP_PORT=587 ^
/AUTH_TYPE=SASL ^
/SSL_VERSION=TLSV1_2 ^
/SMTP_USERNAME="james@koxo.net" ^
/SMTP_PASSWORD="Secret123" ^
/FROM_NAME="KoXo Support" ^
/FROM_ADDR="james@koxo.net" ^
/TO="client@test.com" ^
/SUBJECT="Nouvelle offre" ^
/BODY_FILE="Mail.html" ^
/INLINE="logo.png,banner.jpg" ^
/ATTACH="Offre2026.pdf,Conditions.pdf" ^
/READ_ACK ^
/RECEPTION_ACK"#;

/// `Office 365 SASL`.
const SASL: &str = r#"SMail /MODE=SMTP ^
/SMTP_SERVER="smtp.office365.com" ^
/AUTH_TYPE=SASL ^
/SSL_VERSION=TLSV1_2 ^
/SMTP_USERNAME="user@domaine.com" ^
/SMTP_PASSWORD="secret" ^
/TO="client@test.com" ^
/BODY_FILE="Msg.html""#;

/// `Office 365 OAuth2`.
const TOKEN: &str = r#"SMail /MODE=SMTP ^
/AUTH_TYPE=XOAUTH2 ^
/SMTP_SERVER="smtp.office365.com" ^
/SMTP_PORT=587 ^
/SMTP_USERNAME="user@domaine.com" ^
/SMTP_TOKEN_FILE="token.txt" ^
/SSL_VERSION=TLSV1_2 ^
/TO="client@test.com" ^
/BODY_FILE="Msg.html""#;

/// `Microsoft Graph`.
const GRAPH: &str = r#"SMail /MODE=GRAPH ^
/O365_TENANT_ID="xxx" ^
/O365_APP_ID="xxx" ^
/O365_SECRET="xxx" ^
/GRAPH_SENDER="user@domaine.com" ^
/TO="client@test.com" ^
/BODY_FILE="Msg.html""#;

/// `Exemple complet`.
const COMPLETE: &str = r#"Smail  /MODE=GRAPH ^
/GRAPH_SENDER=infos@koxo.net ^
/O365_TENANT_ID="23452339-a007-48cd-87f5-86cbecde67bd" ^
/O365_APP_ID="cf415c27-ec7a-4efa-9795-102f1eabe367" ^
/O365_SECRET="Sjp*********************************" ^
/SUBJECT="Démonstration d'envoi de mail" ^
/TO="support@koxo.net" ^
/BODY_FILE=message.html ^
/ATTACH="manuel.pdf" ^
/INLINE="logo.png" ^
/LOG_FILE=Journal.txt ^
/LOG_LEVEL=DEBUG"#;

fn sender() -> Sender {
    let sender = Sender::new();
    sender.file("Mail.txt", "La facture.\n");
    sender.file("Mail.html", crate::PAGE);
    sender.file("message.html", crate::PAGE);
    sender.file("token.txt", "ey.t0ken");
    for name in [
        "Facture_032026.pdf",
        "Conditions.pdf",
        "Offre2026.pdf",
        "manuel.pdf",
    ] {
        sender.file(name, PDF);
    }
    sender
}

/// The arguments that the C runtime of Windows makes of a command of a batch file, with the
/// program's name; the ends of lines are gone by then.
fn arguments(command: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut in_quotes = false;
    for c in command.replace("^\n", "").chars() {
        match c {
            '"' => in_quotes = !in_quotes,
            ' ' if !in_quotes => arguments.push(String::new()),
            c => arguments.last_mut().unwrap().push(c),
        }
    }
    arguments.retain(|argument| !argument.is_empty());
    arguments
}

/// The command with this recorder in place of its server.
fn at(server: &Recorder, command: &str) -> Vec<String> {
    let mut arguments = arguments(command);
    arguments.retain(|argument| !argument.starts_with("/SMTP_PORT="));
    for argument in &mut arguments {
        if argument.starts_with("/SMTP_SERVER=") {
            *argument = "/SMTP_SERVER=localhost".into();
        }
    }
    arguments.push(format!("/SMTP_PORT={}", server.smtp));
    arguments
}

#[test]
fn examples_over_smtp_run_as_written() {
    let Some((server, dovecot)) = recorder().zip(Dovecot::start()) else {
        return;
    };
    let sender = sender();
    let run = |command: &str, quoted: bool| {
        let mut arguments = at(&server, command);
        if quoted {
            // As something leaves them that is no shell.
            for argument in &mut arguments {
                if let Some((name, value)) = argument.split_once('=') {
                    *argument = format!("{name}=\"{value}\"");
                }
            }
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        sender.world.run_bare(&arguments).exit(0);
        let recorded = server.mails().pop().unwrap();
        dovecot.deliver(&recorded.bytes, 1_767_700_800);
        let mut inbox = Inspector::open(&dovecot);
        inbox.command("EXAMINE INBOX");
        let answer = inbox.command("FETCH * (BODY.PEEK[])");
        let (_, mail) = answer.split_once("}\n").unwrap();
        let (mail, _) = mail.rsplit_once(")\n").unwrap();
        (Parsed::of(mail.as_bytes()), recorded)
    };
    for quoted in [false, true] {
        let (mail, recorded) = run(SIMPLE, quoted);
        assert_eq!(mail.people("from"), ["Albert <albert@demo.net>"]);
        assert_eq!(mail.people("to"), ["<client@test.com>"]);
        assert_eq!(
            (mail.text("subject"), recorded.secure, recorded.user),
            ("Hello".into(), false, None)
        );

        let (mail, _) = run(ATTACHMENTS, quoted);
        assert_eq!(mail.people("from"), ["Albert Dupont <albert@demo.net>"]);
        assert_eq!(mail.text("subject"), "Facture Mars 2026");
        assert_eq!(mail.text("priority"), "high");
        assert_eq!(names(&mail), ["Facture_032026.pdf", "Conditions.pdf"]);

        let (mail, recorded) = run(INLINE, quoted);
        assert_eq!(recorded.login["secret"], "Secret123");
        assert_eq!(recorded.recipients[0]["dsn"]["notify"][0], "SUCCESS");
        assert!(recorded.secure && mail.text("html").contains("cid:banner.jpg"));
        assert_eq!(
            mail.header("Disposition-Notification-To"),
            "<james@koxo.net>"
        );
        assert_eq!(
            names(&mail),
            ["logo.png", "banner.jpg", "Offre2026.pdf", "Conditions.pdf"]
        );
        let ids: Vec<_> = mail
            .files()
            .into_iter()
            .filter_map(|file| file.cid)
            .collect();
        assert_eq!(ids, ["logo.png", "banner.jpg"]);

        let (mail, recorded) = run(SASL, quoted);
        assert_eq!(mail.people("from"), ["<user@domaine.com>"]);
        assert_eq!(
            (recorded.secure, &recorded.login["secret"]),
            (true, &"secret".into())
        );

        let (mail, recorded) = run(TOKEN, quoted);
        assert_eq!(mail.people("from"), ["<user@domaine.com>"]);
        assert_eq!(recorded.login["method"], "XOAUTH2");
        assert_eq!(recorded.login["secret"], "ey.t0ken");
    }
}

fn names(mail: &Parsed) -> Vec<String> {
    mail.files().into_iter().map(|file| file.name).collect()
}

/// The identifiers stand for those of the reader's own application.
#[test]
fn examples_by_graph_run_as_written() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let sender = sender();
    for command in [GRAPH, COMPLETE] {
        let mut arguments = arguments(command);
        for argument in &mut arguments {
            let name = argument.split('=').next().unwrap();
            let value = match name {
                "/O365_TENANT_ID" => DIRECTORY,
                "/O365_APP_ID" => DAEMON,
                "/O365_SECRET" => SECRET,
                "/GRAPH_SENDER" => USER,
                _ => continue,
            };
            *argument = format!("{name}={value}");
        }
        arguments.push(format!("/O365_AUTHORITY={}", provider.authority()));
        arguments.push(format!(
            "/GRAPH_SERVER={}",
            graph.scope().trim_end_matches("/.default")
        ));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        sender.world.run_bare(&arguments).exit(0);
    }
    let sent = graph.sent();
    let [simple, complete] = &sent[..] else {
        panic!("two mails");
    };
    assert_eq!(Parsed::of(&simple.mime).people("to"), ["<client@test.com>"]);
    let mail = Parsed::of(&complete.mime);
    assert_eq!(mail.text("subject"), "D\u{e9}monstration d'envoi de mail");
    assert_eq!(names(&mail), ["logo.png", "manuel.pdf"]);
    let log = sender.world.read("Journal.txt");
    assert!(
        log.contains("DEBUG   > POST ") && log.contains("/O365_SECRET=***"),
        "{log}"
    );
}
