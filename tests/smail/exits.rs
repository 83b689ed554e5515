//! Each exit code by how it comes about; each with its message on standard error, in the error file
//! and in the log.

use crate::harness::idp::{DAEMON, DIRECTORY};
use crate::harness::world::MAIL_USER;
use crate::harness::{
    CountingProxy, Exim, Graph, IdentityProvider, RudeServer, Table, daemon, exim,
};
use crate::{Sender, recorder};

/// What happens, the code that comes of it, and words of the message.
struct Case {
    how: &'static str,
    code: i32,
    port: u16,
    arguments: Vec<String>,
    says: &'static str,
}

fn case(code: i32, how: &'static str, port: u16, arguments: &[&str], says: &'static str) -> Case {
    Case {
        how,
        code,
        port,
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        says,
    }
}

const NAMES: [&str; 10] = [
    "EXIT_OK",
    "EXIT_ERROR",
    "EXIT_PARAM",
    "EXIT_CONNECT",
    "EXIT_AUTH",
    "EXIT_SEND",
    "EXIT_RETRY_EXCEEDED",
    "EXIT_INTERNAL",
    "EXIT_FILE_NOT_FOUND",
    "EXIT_INVALID_MODE",
];

/// Files in which the cases look for something.
fn files(sender: &Sender) {
    std::fs::create_dir(sender.world.path("folder")).unwrap();
    sender.file("bad.txt", "{\"error\": \"invalid_grant\"}");
    sender.file("token.txt", "n0.token");
    sender.file("binary.txt", b"MZ\0\x01\0\0");
}

#[test]
fn every_code_has_its_reasons() {
    let Some(server) = Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    }) else {
        return;
    };
    let Some(untrusted) = Exim::with(exim::Options {
        certificate: Some("untrusted"),
        ..exim::Options::default()
    }) else {
        return;
    };
    let Some((provider, recorder)) = IdentityProvider::start().zip(recorder()) else {
        return;
    };
    let Some(stranger) = IdentityProvider::over_tls("untrusted") else {
        return;
    };
    let graph = Graph::start(&provider);
    let [nobody] = daemon::free_ports("127.0.0.1");
    let rude = RudeServer::saying(b"* OK IMAP4rev1 ready\r\n");
    let lossy = CountingProxy::before("127.0.0.1", recorder.smtp);
    lossy.lose_answer_to(".\r\n");
    let plain = CountingProxy::before("127.0.0.1", server.smtp);
    plain.hide("STARTTLS");
    let user = format!("/SMTP_USERNAME={MAIL_USER}");
    let authority = format!("/O365_AUTHORITY={}", provider.authority());
    let graph_server = format!(
        "/GRAPH_SERVER={}",
        graph.scope().trim_end_matches("/.default")
    );
    let tenant = format!("/O365_TENANT_ID={DIRECTORY}");
    let application = format!("/O365_APP_ID={DAEMON}");
    let by_graph = |secret: &'static str, sender: &'static str| {
        vec![
            "/MODE=GRAPH",
            &authority,
            &graph_server,
            &tenant,
            &application,
            secret,
            sender,
        ]
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>()
    };
    let (smtp, submission) = (server.smtp, server.submission);
    let cases = [
        case(0, "the server took it", smtp, &[], ""),
        case(
            1,
            "the attachment is a folder",
            smtp,
            &["/ATTACH=folder"],
            "/ATTACH: the file folder can't be read: it is a folder",
        ),
        case(
            1,
            "the log can't be written",
            smtp,
            &["/LOG=none/log.txt"],
            "/LOG: the file none/log.txt can't be written",
        ),
        case(
            2,
            "options are missing",
            smtp,
            &["/TO=", "/BODY_FILE="],
            "/TO, /BODY_FILE",
        ),
        case(
            2,
            "a password without user",
            smtp,
            &["/SMTP_PASSWORD=x"],
            "/SMTP_USERNAME",
        ),
        case(
            2,
            "SASL without user and password",
            smtp,
            &["/AUTH_TYPE=SASL"],
            "/SMTP_USERNAME, /SMTP_PASSWORD",
        ),
        case(
            2,
            "XOAUTH2 without token file",
            smtp,
            &["/AUTH_TYPE=XOAUTH2", &user],
            "/SMTP_TOKEN_FILE",
        ),
        case(
            2,
            "Graph without its options",
            smtp,
            &["/MODE=GRAPH"],
            "/O365_TENANT_ID, /O365_APP_ID, /O365_SECRET, /GRAPH_SENDER",
        ),
        case(
            2,
            "an unknown option",
            smtp,
            &["/SUBJET=x"],
            "did you mean /SUBJECT?",
        ),
        case(
            2,
            "an option twice",
            smtp,
            &["/CC=a@b.c", "/CC=a@b.c"],
            "/CC is given twice",
        ),
        case(
            2,
            "a wrong value",
            smtp,
            &["/PRIORITY=URGENT"],
            "HIGHEST, HIGH, NORMAL, LOW, LOWEST",
        ),
        case(
            2,
            "a number out of range",
            smtp,
            &["/RETRY=101"],
            "from 1 to 100",
        ),
        case(
            2,
            "a wrong address",
            smtp,
            &["/CC=a@b.c,nobody"],
            "\"nobody\" is not a mail address",
        ),
        case(
            2,
            "/INLINE with plain text",
            smtp,
            &["/INLINE=logo.png"],
            "/INLINE goes with an HTML text only",
        ),
        case(
            2,
            "a body that is no text",
            smtp,
            &["/BODY_FILE=binary.txt"],
            "binary.txt holds no text",
        ),
        case(
            2,
            "a token file without token",
            smtp,
            &["/AUTH_TYPE=XOAUTH2", &user, "/SMTP_TOKEN_FILE=bad.txt"],
            "bad.txt holds no token",
        ),
        case(
            3,
            "nobody listens",
            nobody,
            &[],
            "refused the connection: check /SMTP_SERVER, /SMTP_PORT",
        ),
        case(
            3,
            "no such host",
            smtp,
            &["/SMTP_SERVER=no-such-host.invalid"],
            "no-such-host.invalid can't be found",
        ),
        case(
            3,
            "not a mail server",
            rude.port,
            &[],
            "does not answer as a mail server",
        ),
        case(
            3,
            "an unknown authority",
            untrusted.smtp,
            &["/SSL_VERSION=TLSV1_2"],
            "is not trusted on this machine",
        ),
        case(
            3,
            "no STARTTLS",
            plain.port,
            &["/SSL_VERSION=TLSV1_2"],
            "does not offer STARTTLS",
        ),
        case(
            4,
            "a wrong password",
            submission,
            &["/AUTH_TYPE=SASL", &user, "/SMTP_PASSWORD=wrong"],
            "refused the log-in as alice@example.test: 535",
        ),
        case(
            5,
            "550 for the recipient",
            smtp,
            &["/TO=reject@example.test"],
            "reject@example.test (550 5.1.1 No such mailbox)",
        ),
        case(
            5,
            "550 for the sender",
            submission,
            &[],
            "refused the sender: 550",
        ),
        case(
            5,
            "550 after the contents",
            smtp,
            &["/SUBJECT=reject-at-data"],
            "550 5.6.0 contents rejected",
        ),
        case(
            5,
            "one of two recipients refused",
            smtp,
            &["/TO=bob@example.test,reject@example.test"],
            "not to these recipients",
        ),
        case(
            5,
            "the answer to the mail was lost",
            lossy.port,
            &["/RETRY=3"],
            "it is not sent again",
        ),
        case(
            5,
            "451 without /RETRY",
            smtp,
            &["/TO=temp@example.test"],
            "451 4.2.0 Try again later",
        ),
        case(
            6,
            "451 until /RETRY=2 is used up",
            smtp,
            &["/TO=temp@example.test", "/RETRY=2"],
            "All 2 attempts have failed. The last one: No recipient was accepted: temp@example.test (451",
        ),
        case(
            6,
            "nobody listens, /RETRY=2",
            nobody,
            &["/RETRY=2"],
            "All 2 attempts have failed",
        ),
        case(
            7,
            "a fault of the program",
            smtp,
            &[],
            "Internal error at src/crash.rs",
        ),
        case(
            8,
            "no body file",
            smtp,
            &["/BODY_FILE=none.txt"],
            "/BODY_FILE: the file none.txt does not exist",
        ),
        case(
            8,
            "no attachments",
            smtp,
            &["/ATTACH=none.pdf,Msg.txt,nor.pdf"],
            "/ATTACH: the file nor.pdf does not exist",
        ),
        case(
            8,
            "no picture",
            smtp,
            &["/BODY_FILE=Msg.html", "/INLINE=none.png"],
            "/INLINE: the file none.png does not exist",
        ),
        case(
            8,
            "no token file",
            smtp,
            &["/AUTH_TYPE=XOAUTH2", &user, "/SMTP_TOKEN_FILE=none.txt"],
            "/SMTP_TOKEN_FILE: the file none.txt does not exist",
        ),
        case(
            8,
            "no password file",
            smtp,
            &[&user, "/SMTP_PASSWORD=@none.txt"],
            "/SMTP_PASSWORD: the file @… does not exist",
        ),
        case(
            9,
            "an unknown mode",
            smtp,
            &["/MODE=FAX"],
            "/MODE=FAX is not a mode; possible values: SMTP, GRAPH",
        ),
        Case {
            how: "a wrong secret (Graph)",
            code: 4,
            port: smtp,
            arguments: by_graph("/O365_SECRET=wrong", "/GRAPH_SENDER=ops@example.com"),
            says: "gave no token (invalid_client",
        },
        Case {
            how: "Graph is not there",
            code: 3,
            port: smtp,
            arguments: {
                let mut arguments = by_graph("/O365_SECRET=x", "/GRAPH_SENDER=ops@example.com");
                arguments[1] = format!("/O365_AUTHORITY=http://localhost:{nobody}");
                arguments
            },
            says: "can't be reached: check /GRAPH_SERVER, /O365_AUTHORITY",
        },
        Case {
            how: "an unknown authority at /O365_AUTHORITY",
            code: 3,
            port: smtp,
            arguments: {
                let mut arguments = by_graph("/O365_SECRET=x", "/GRAPH_SENDER=ops@example.com");
                arguments[1] = format!("/O365_AUTHORITY=https://localhost:{}", stranger.port);
                arguments
            },
            says: "is not trusted on this machine",
        },
    ];
    let mut table = Table::new("how", ["exit code".to_owned()]);
    for case in &cases {
        table.row(case.how, vec![Some(case)]);
    }
    table.prove(|case| {
        let mut sender = Sender::new();
        if case.code == 7 {
            sender = sender.env("SMARTEMAIL_SLIP", "smail");
        }
        files(&sender);
        let mut arguments: Vec<_> = case.arguments.iter().map(String::as_str).collect();
        if !case
            .arguments
            .iter()
            .any(|argument| argument.starts_with("/LOG="))
        {
            arguments.push("/LOG=log.txt");
        }
        arguments.push("/ERROR_FILE=error.txt");
        let ran = sender.mail(case.port, &arguments);
        ran.exit(case.code);
        let name = NAMES[usize::try_from(case.code).unwrap()];
        if case.code == 0 {
            ran.without_complaint();
            assert!(!sender.world.path("error.txt").exists());
        } else {
            ran.complains("Error: ").complains(case.says);
            assert!(!ran.stdout.contains("Mail sent"), "{ran}");
            let told = sender.world.read("error.txt");
            assert!(told.contains(case.says), "{told}");
            let log = sender.world.read("log.txt");
            let logged = log.contains(&format!("[{name} {}]", case.code));
            assert!(logged || case.says.starts_with("/LOG"), "{log}");
        }
        format!("{} {name}", case.code)
    });
    // What is checked before is checked before anybody is spoken to.
    assert_eq!(server.mails("bob", 2).len(), 2);
}

#[test]
fn what_can_be_known_beforehand_is_told_without_a_connection_and_at_once() {
    let server = RudeServer::silent();
    let sender = Sender::new();
    for (arguments, code) in [
        (&["/MODE=FAX", "/TO="][..], 9),
        (
            &[
                "/TO=nobody",
                "/BODY_FILE=",
                "/PRIORITY=X",
                "/SSL_VERSION=X",
                "/AUTH_TYPE=X",
                "/RETRY=x",
                "/NONSENSE=1",
            ],
            2,
        ),
        (
            &[
                "/BODY_FILE=none.txt",
                "/ATTACH=none.pdf",
                "/INLINE=none.png",
            ],
            8,
        ),
    ] {
        let ran = sender.mail(server.port, arguments);
        ran.exit(code);
        for argument in arguments
            .iter()
            .filter(|a| code != 9 || !a.starts_with("/TO"))
        {
            let name = argument.split('=').next().unwrap();
            ran.complains(name);
        }
    }
    assert_eq!(server.connections(), 0);
}
