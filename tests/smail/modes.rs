//! Each way of sending, from the command line into a mailbox, where the mail is found by IMAP and
//! read by another program.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::idp::{DAEMON, DIRECTORY, SECRET, USER};
use crate::harness::world::{MAIL_PASSWORD, MAIL_USER, OTHER_USER};
use crate::harness::{
    Dovecot, Exim, Graph, IdentityProvider, Inspector, Parsed, Table, dovecot, exim, parsed, site,
};
use crate::{JPG, PDF, PNG, Sender};

/// A token of the provider for the application's mailbox.
fn token(provider: &IdentityProvider) -> Value {
    let form = format!(
        "grant_type=client_credentials&client_id={DAEMON}&client_secret={}&scope=https%3A%2F%2Foutlook.office.com%2F.default",
        SECRET
            .replace('~', "%7E")
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    );
    let target = format!("/{DIRECTORY}/oauth2/v2.0/token");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let (status, answer) = site::ask(provider.port, "POST", &target, kind, &form);
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

/// The mail with this subject, once it is in the mailbox.
#[track_caller]
fn by_imap(server: &Dovecot, subject: &str) -> Parsed {
    let began = Instant::now();
    loop {
        let mut inbox = Inspector::open_as(OTHER_USER, server);
        inbox.command("EXAMINE INBOX");
        let found = inbox.command(&format!("UID SEARCH SUBJECT \"{subject}\""));
        let number = found.split_whitespace().nth(2).map(str::to_owned);
        if let Some(number) = number {
            let answer = inbox.command(&format!("UID FETCH {number} (BODY.PEEK[])"));
            let (_, mail) = answer.split_once("}\n").unwrap();
            let (mail, _) = mail.rsplit_once(")\n").unwrap();
            let mail = Parsed::of(mail.as_bytes());
            // While mails come in, the numbers of a new mailbox may still change.
            if mail.text("subject").starts_with(subject) {
                return mail;
            }
        }
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{subject}: {found}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_way_leads_into_the_mailbox() {
    let Some(provider) = IdentityProvider::start().filter(|_| parsed::is_installed()) else {
        return;
    };
    let Some(dovecot) = Dovecot::with(&dovecot::Options {
        lmtp: true,
        ..dovecot::Options::default()
    }) else {
        return;
    };
    let Some(server) = Exim::with(exim::Options {
        clear_login: true,
        tokens: Some(provider.port),
        lmtp: Some(dovecot.lmtp),
        ..exim::Options::default()
    }) else {
        return;
    };
    let answer = token(&provider);
    let sender = || {
        let sender = Sender::new();
        let token = answer["access_token"].as_str().unwrap();
        sender.world.secret(MAIL_PASSWORD);
        sender.world.secret(token);
        // What lies there is not looked through for secrets.
        sender.file("mails/token.txt", format!("{token}\r\n"));
        sender.file("mails/token.json", answer.to_string());
        sender
    };
    let user = format!("/SMTP_USERNAME={MAIL_USER}");
    let password = format!("/SMTP_PASSWORD={MAIL_PASSWORD}");
    let owner = format!("/SMTP_USERNAME={USER}");
    let rows: [(&str, u16, &str, Vec<&str>); 7] = [
        ("plain SMTP", server.smtp, "P=esmtp ", vec!["/MODE=SMTP"]),
        (
            "plain SMTP, secured",
            server.smtp,
            "P=esmtps ",
            vec!["/SSL_VERSION=TLSV1_2"],
        ),
        (
            "password in clear text",
            server.submission,
            "P=esmtpa ",
            vec![&user, &password, "/AUTH_TYPE=DEFAULT"],
        ),
        (
            "SASL and TLS",
            server.submission,
            "P=esmtpsa ",
            vec!["/AUTH_TYPE=SASL", "/SSL_VERSION=TLSV1_2", &user, &password],
        ),
        (
            "SASL alone",
            server.submission,
            "P=esmtpsa ",
            vec!["/AUTH_TYPE=SASL", &user, &password],
        ),
        (
            "XOAUTH2, raw token",
            server.submission,
            "P=esmtpsa ",
            vec![
                "/AUTH_TYPE=XOAUTH2",
                &owner,
                "/SMTP_TOKEN_FILE=mails/token.txt",
            ],
        ),
        (
            "XOAUTH2, token in JSON",
            server.submission,
            "P=esmtpsa ",
            vec![
                "/auth_type=xoauth2",
                &owner,
                "/SMTP_TOKEN_FILE=mails/token.json",
                "/SSL_VERSION=TLSV1_3",
            ],
        ),
    ];
    let mut table = Table::new(
        "way",
        ["Exim received it", "found by IMAP"].map(str::to_owned),
    );
    for row in &rows {
        table.row(row.0, vec![Some((row, false)), Some((row, true))]);
    }
    table.prove(|((name, port, protocol, arguments), imap)| {
        let number = rows.iter().position(|row| row.0 == *name).unwrap();
        let subject = format!("way {number} {}", if *imap { "imap" } else { "log" });
        let about = format!("/SUBJECT={subject}");
        let to = format!("/TO={OTHER_USER}");
        let more = [about.as_str(), &to, "/LOG=log.txt", "/LOG_LEVEL=DEBUG"];
        sender()
            .mail(*port, &[&more[..], arguments].concat())
            .exit(0)
            .says("Mail sent to");
        let mail = by_imap(&dovecot, &subject);
        assert_eq!(mail.people("from"), ["<jobs@example.test>"]);
        assert_eq!(mail.text("text"), "Bonjour,\nvoil\u{e0}.");
        if *imap {
            return mail.text("subject");
        }
        let log = server.log();
        let id = mail.text("messageId");
        let id = id.trim_matches(['<', '>']);
        let line = log
            .lines()
            .find(|line| line.contains(&format!("id={id}")))
            .unwrap();
        assert!(line.contains(protocol), "{line}");
        protocol.trim().to_owned()
    });
}

#[test]
fn a_full_mail_is_found_by_imap_as_it_was_meant() {
    let Some(dovecot) = Dovecot::with(&dovecot::Options {
        lmtp: true,
        ..dovecot::Options::default()
    })
    .filter(|_| parsed::is_installed()) else {
        return;
    };
    let Some(server) = Exim::with(exim::Options {
        lmtp: Some(dovecot.lmtp),
        ..exim::Options::default()
    }) else {
        return;
    };
    let sender = Sender::new();
    sender.file("Offre\u{e9}.pdf", PDF);
    let to = format!("/TO=\"L\u{e9}a, B.\" <{OTHER_USER}>");
    sender
        .mail(
            server.smtp,
            &[
                &to,
                "/BCC=hidden@example.test",
                "/FROM_NAME=KoXo \u{c9}quipe",
                "/SUBJECT=full mail \u{2013} n\u{b0} 7",
                "/BODY_FILE=Msg.html",
                "/INLINE=logo.png,banner.jpg",
                "/ATTACH=Offre\u{e9}.pdf",
                "/PRIORITY=HIGHEST",
                "/READ_ACK",
            ],
        )
        .exit(0);
    let mail = by_imap(&dovecot, "full mail");
    assert_eq!(
        mail.people("from"),
        ["KoXo \u{c9}quipe <jobs@example.test>"]
    );
    assert_eq!(mail.people("to"), ["L\u{e9}a, B. <bob@example.test>"]);
    assert_eq!(mail.people("bcc"), [""; 0]);
    assert_eq!(mail.text("subject"), "full mail \u{2013} n\u{b0} 7");
    assert_eq!(mail.text("priority"), "high");
    assert_eq!(
        mail.text("text"),
        "Veuillez trouver notre offre en pi\u{e8}ce jointe."
    );
    assert_eq!(
        mail.header("Disposition-Notification-To"),
        "<jobs@example.test>"
    );
    let files = mail.files();
    let told: Vec<_> = files
        .iter()
        .map(|file| {
            (
                file.name.as_str(),
                file.cid.as_deref(),
                file.bytes.as_slice(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("logo.png", Some("logo.png"), PNG),
            ("banner.jpg", Some("banner.jpg"), JPG),
            ("Offre\u{e9}.pdf", None, PDF),
        ]
    );
}

/// The options for the stand-ins of Microsoft's services.
pub(crate) fn graph_options(provider: &IdentityProvider, graph: &Graph) -> [String; 7] {
    [
        "/MODE=GRAPH".to_owned(),
        format!("/O365_AUTHORITY={}", provider.authority()),
        format!(
            "/GRAPH_SERVER={}",
            graph.scope().trim_end_matches("/.default")
        ),
        format!("/O365_TENANT_ID={DIRECTORY}"),
        format!("/O365_APP_ID={DAEMON}"),
        format!("/O365_SECRET={SECRET}"),
        format!("/GRAPH_SENDER={USER}"),
    ]
}

#[test]
fn an_application_sends_by_graph() {
    let Some(provider) = IdentityProvider::start().filter(|_| parsed::is_installed()) else {
        return;
    };
    let graph = Graph::start(&provider);
    let sender = Sender::new();
    sender.world.secret(SECRET);
    sender.file("manuel.pdf", PDF);
    let options = graph_options(&provider, &graph);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let more = [
        "/SUBJECT=D\u{e9}monstration d'envoi de mail",
        "/TO=support@koxo.net",
        "/CC=a@example.test",
        "/BCC=b@example.test",
        "/BODY_FILE=Msg.html",
        "/ATTACH=manuel.pdf",
        "/INLINE=logo.png",
        "/LOG_FILE=Journal.txt",
        "/LOG_LEVEL=DEBUG",
    ];
    sender
        .run(&[&options[..], &more, &["/PRIORITY=LOW", "/READ_ACK"]].concat())
        .exit(0)
        .says("Mail sent to support@koxo.net, a@example.test, b@example.test");
    let sent = graph.sent();
    let mail = Parsed::of(&sent[0].mime);
    assert_eq!(mail.people("from"), [format!("<{USER}>")]);
    assert_eq!(mail.people("to"), ["<support@koxo.net>"]);
    assert_eq!(mail.text("subject"), "D\u{e9}monstration d'envoi de mail");
    assert_eq!(mail.text("priority"), "low");
    let names: Vec<_> = mail.files().into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["logo.png", "manuel.pdf"]);
    let asked = provider.requests().remove(0);
    let client = asked.form["client_id"].as_str().unwrap().to_owned();
    let mut table = Table::new("option", ["what arrived".to_owned()]);
    for (option, told, expected) in [
        (
            "/O365_AUTHORITY /O365_TENANT_ID",
            asked.path,
            format!("/{DIRECTORY}/oauth2/v2.0/token"),
        ),
        ("/O365_APP_ID", client, DAEMON.to_owned()),
        (
            "/O365_SECRET",
            format!("answer {}", asked.status),
            "answer 200".to_owned(),
        ),
        (
            "/GRAPH_SERVER /GRAPH_SENDER",
            mail.people("from").concat(),
            format!("<{USER}>"),
        ),
    ] {
        table.row(option, vec![Some((told, expected))]);
    }
    table.prove(|(told, expected)| {
        assert_eq!(told, expected);
        told.clone()
    });
    // The receipt is a property of the resource; the floor of TLS is one that Microsoft has.
    let ran = sender.run(
        &[
            &options[..],
            &more,
            &["/RECEPTION_ACK", "/SSL_VERSION=TLSV1_2"],
        ]
        .concat(),
    );
    ran.exit(0).says("as a property of the mail");
    let resource = &graph.sent()[1].resource;
    assert_eq!(resource["isDeliveryReceiptRequested"], true);
    sender
        .run(&[&options[..], &more, &["/SSL_VERSION=TLSV1_3"]].concat())
        .exit(2)
        .complains("/SSL_VERSION=TLSV1_3");
    assert_eq!(graph.sent().len(), 2);
    // Another sender is one on whose behalf the mailbox sends.
    graph.allow_sending_as("boss@example.com");
    let boss = ["/FROM_ADDR=boss@example.com", "/FROM_NAME=Chef"];
    sender.run(&[&options[..], &more, &boss].concat()).exit(0);
    let from = &graph.sent()[2].resource["from"]["emailAddress"];
    assert_eq!(
        (&from["address"], &from["name"]),
        (&"boss@example.com".into(), &"Chef".into())
    );
}

/// Tokens and mails cross no network in clear text, and that is known before a token is fetched.
#[test]
fn graph_and_the_issuer_of_tokens_are_asked_in_clear_text_on_this_machine_alone() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let sender = Sender::new();
    sender.world.secret(SECRET);
    for (place, given) in [
        (1, "/O365_AUTHORITY=http://login.example"),
        (2, "/GRAPH_SERVER=http://graph.example"),
        (2, "/GRAPH_SERVER=HTTP://localhost.example:8080/"),
    ] {
        for (language, told) in [
            (
                "/LANG=EN",
                "would be asked in clear text: write https:// (http:// is for this machine itself only)",
            ),
            ("/LANG=FR", "serait interrog\u{e9} en clair"),
        ] {
            let mut options = graph_options(&provider, &graph);
            given.clone_into(&mut options[place]);
            let options: Vec<_> = options.iter().map(String::as_str).collect();
            let more = ["/TO=bob@example.test", "/BODY_FILE=Msg.txt", language];
            let ran = sender.run(&[&options[..], &more].concat());
            ran.exit(2)
                .complains(&format!("{} {told}", given.trim_end_matches('/')));
        }
    }
    assert_eq!(provider.requests().len(), 0);
}
