//! The options of a server that speaks SMTP.

use std::time::{Duration, Instant};

use data_encoding::BASE64;

use super::tokens::BY_PASSWORD;
use super::*;
use crate::harness::RudeServer;
use crate::harness::sink::Mood;
use crate::ways::with_tokens;

pub(super) const ROWS: &[Row] = &[
    ("server", "127.0.0.1, 127.0.0.2", server),
    ("port", "absent, another", port),
    (
        "smtp-connection-security",
        "blank, none, start-tls, start-tls-required, ssl-tls",
        connection_security,
    ),
    (
        "enable-authentication",
        "blank, false, true",
        enable_authentication,
    ),
    ("user", "alice@example.test, carol@example.test", user),
    ("password", "the right one, another", password),
    (
        "mail.smtp.auth.mechanisms",
        "blank, PLAIN, LOGIN, XOAUTH2",
        smtp_mechanisms,
    ),
    ("connect-timeout", "00:00:01", connect_timeout),
    ("protocol-timeout", "00:00:01", protocol_timeout),
    ("cnx-pool-size", "blank, 1, 3, 20", pool_size),
    ("cnx-check-idle-time", "blank, 00:00:00", check_idle),
    ("cnx-max-idle-time", "blank, 00:00:00", max_idle),
    ("enable-debug", "absent, true", enable_debug),
];

fn server() -> Option<String> {
    let one = Sink::start();
    let two = Sink::at("127.0.0.2", one.port).unwrap();
    sends(&to_sink(&one).set(SECTION, "server", "127.0.0.2"), &[]);
    assert_eq!((one.connections(), two.connections()), (0, 1));
    sends(&to_sink(&one).set(SECTION, "server", "127.0.0.1"), &[]);
    assert_eq!((one.connections(), two.connections()), (1, 1));
    Some("the connection comes to that address, the other one has none".into())
}

fn port() -> Option<String> {
    let sink = Sink::start();
    sends(&to_sink(&sink), &[]);
    assert_eq!(sink.connections(), 1);
    // An address of this machine at which no mail server listens.
    let ini = to_sink(&sink).set(SECTION, "server", "127.0.0.25");
    let ini = ini.unset(SECTION, "port");
    let seen = if let Ok(usual) = Sink::at("127.0.0.25", 25) {
        sends(&ini, &[]);
        usual.connections()
    } else {
        check(&ini, &[]).exit(2).complains("127.0.0.25:25");
        0
    };
    Some(format!("a connection at that port; absent: {seen} at 25"))
}

fn connection_security() -> Option<String> {
    let server = Exim::start()?;
    let ini = |security: &str, port| {
        ini()
            .smtp(port)
            .set(SECTION, "smtp-connection-security", security)
    };
    for (security, port) in [
        ("", server.smtp),
        ("none", server.smtp),
        ("start-tls", server.smtp),
        ("start-tls-required", server.smtp),
    ] {
        sends(&ini(security, port), &[]);
    }
    // The other port is for those who log in.
    sends(&with_password(ini("ssl-tls", server.smtps)), &[SEALED]);
    server.mails("bob", 5);
    let log = server.log();
    let ways = log.lines().filter_map(|line| line.split_once(" P="));
    let ways: Vec<_> = ways
        .map(|(_, rest)| rest.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        ways,
        ["esmtp", "esmtp", "esmtps", "esmtps", "esmtpsa"],
        "{log}"
    );

    let sink = Sink::start();
    sends(&ini("start-tls", sink.port), &[]).complains("does not offer STARTTLS");
    fails(&ini("start-tls-required", sink.port), &[], "STARTTLS");
    assert_eq!(verbs(&sink), ["EHLO MAIL RCPT DATA QUIT", "EHLO"]);
    Some(format!(
        "{}; not offered: clear text with a warning, start-tls-required: EHLO and no more",
        ways.join(", ")
    ))
}

fn enable_authentication() -> Option<String> {
    let sink = Sink::start();
    let ini = with_password(to_sink(&sink));
    for value in ["", "false", "true"] {
        sends(
            &ini.clone().set(SECTION, "enable-authentication", value),
            &[SEALED],
        );
    }
    let without = "EHLO MAIL RCPT DATA QUIT";
    assert_eq!(
        verbs(&sink),
        [without, without, "EHLO AUTH MAIL RCPT DATA QUIT"]
    );
    Some("EHLO MAIL; true: EHLO AUTH MAIL".into())
}

fn user() -> Option<String> {
    let sink = Sink::start();
    let ini = with_password(to_sink(&sink));
    sends(&ini, &[SEALED]);
    fails(
        &ini.set(SECTION, "user", "carol@example.test"),
        &[SEALED],
        "535",
    );
    let said = sink.said();
    let names = said.iter().map(|lines| {
        let coded = lines[1].strip_prefix("AUTH PLAIN ").unwrap();
        let pair = BASE64.decode(coded.as_bytes()).unwrap();
        String::from_utf8(pair)
            .unwrap()
            .split('\0')
            .nth(1)
            .unwrap()
            .to_owned()
    });
    let names: Vec<_> = names.collect();
    assert_eq!(names, [MAIL_USER, "carol@example.test"]);
    Some(format!("AUTH PLAIN with {}", names.join("; with ")))
}

fn password() -> Option<String> {
    let server = Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    })?;
    let ini = with_password(ini().smtp(server.submission));
    sends(&ini, &[SEALED]);
    fails(&ini, &[("smtp-client.password", "Wrong-pass-5172")], "535");
    server.mails("bob", 1);
    let log = server.log();
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(count(&format!("A=plain:{MAIL_USER}")), 1, "{log}");
    assert!(count("535 Incorrect authentication data") > 0, "{log}");
    Some(format!(
        "A=plain:{MAIL_USER}; 535 Incorrect authentication data"
    ))
}

fn smtp_mechanisms() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let server = Exim::with(exim::Options {
        tokens: Some(provider.port),
        ..exim::Options::default()
    })?;
    let tls = ini()
        .smtp(server.smtps)
        .set(SECTION, "smtp-connection-security", "ssl-tls");
    for mechanism in ["", "PLAIN", "LOGIN"] {
        let ini = with_password(tls.clone()).set(SECTION, "mail.smtp.auth.mechanisms", mechanism);
        sends(&ini, &[SEALED]);
    }
    let tokens = with_tokens(tls, &provider.authority(), NATIVE);
    sends(&tokens, &[("smtp-client.password", PASSWORD)]);
    server.mails("bob", 4);
    let log = server.log();
    let ways = log.lines().filter_map(|line| line.split_once(" A="));
    let ways: Vec<_> = ways
        .map(|(_, rest)| rest.split(' ').next().unwrap())
        .collect();
    let (alice, ops) = (MAIL_USER, USER);
    let expected = [
        format!("plain:{alice}"),
        format!("plain:{alice}"),
        format!("login:{alice}"),
        format!("xoauth2:{ops}"),
    ];
    assert_eq!(ways, expected, "{log}");
    Some(expected.map(|way| format!("A={way}")).join(", "))
}

/// How long a run takes whose notice finds nobody, at a server and for a token.
fn takes(port: u16, option: &str, words: &str) -> [Duration; 2] {
    let smtp = ini()
        .smtp(port)
        .set(SECTION, "server", "127.0.0.1")
        .set(SECTION, option, "00:00:01");
    let token = with_tokens(ini(), &format!("http://127.0.0.1:{port}"), NATIVE)
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", "http://127.0.0.1:1/EWS/Exchange.asmx")
        .set(SECTION, option, "00:00:01");
    [(smtp, &[][..]), (token, &BY_PASSWORD[..])].map(|(ini, sealed)| {
        let world = trusting(&ini, sealed);
        world.mail("1.eml", &Mail::new("Test").bytes());
        let began = Instant::now();
        world.run(&[]).exit(2).complains(words).says("1 failed");
        began.elapsed()
    })
}

fn about_a_second(times: [Duration; 2]) {
    for time in times {
        assert!((1..6).contains(&time.as_secs()), "{time:?}");
    }
}

fn connect_timeout() -> Option<String> {
    let (port, _crowd, _listener) = RudeServer::busy();
    about_a_second(takes(port, "connect-timeout", "connect"));
    Some(
        "a server that accepts nobody is given up after a second; one that gives tokens too".into(),
    )
}

fn protocol_timeout() -> Option<String> {
    let server = RudeServer::silent();
    about_a_second(takes(server.port, "protocol-timeout", "answer"));
    assert!(server.connections() >= 2);
    Some("a server that says nothing is given up after a second; one that gives tokens too".into())
}

fn pool_size() -> Option<String> {
    let mut seen = Vec::new();
    for (size, expected) in [("", 10), ("1", 1), ("3", 3), ("20", 20)] {
        let sink = Sink::start();
        sink.behave(Mood::Together(expected));
        sends_many(&to_sink(&sink).set(SECTION, "cnx-pool-size", size), 30);
        assert_eq!(sink.most_connections(), expected, "{size}");
        seen.push(expected.to_string());
    }
    Some(format!(
        "30 mails: {} at the same time, never more",
        seen.join(", ")
    ))
}

/// What a server was told of three mails over one connection at a time.
fn three(option: &str, value: &str) -> Vec<String> {
    let sink = Sink::start();
    let ini = to_sink(&sink)
        .set(SECTION, "cnx-pool-size", "1")
        .set(SECTION, option, value);
    sends_many(&ini, 3);
    verbs(&sink)
}

fn check_idle() -> Option<String> {
    let mail = "MAIL RCPT DATA";
    assert_eq!(
        three("cnx-check-idle-time", ""),
        [format!("EHLO {mail} {mail} {mail} QUIT")]
    );
    assert_eq!(
        three("cnx-check-idle-time", "00:00:00"),
        [format!("EHLO {mail} NOOP {mail} NOOP {mail} QUIT")]
    );
    Some("3 mails: no NOOP; a NOOP before the 2nd and the 3rd".into())
}

fn max_idle() -> Option<String> {
    let mail = "EHLO MAIL RCPT DATA QUIT";
    assert_eq!(three("cnx-max-idle-time", "").len(), 1);
    assert_eq!(three("cnx-max-idle-time", "00:00:00"), [mail, mail, mail]);
    Some("3 mails: 1 connection; 3 connections, each with its QUIT".into())
}

fn enable_debug() -> Option<String> {
    let sink = Sink::start();
    let ini = with_password(to_sink(&sink));
    let quiet = sends(&ini, &[SEALED]);
    let debug = sends(&ini.set(SECTION, "enable-debug", "true"), &[SEALED]);
    assert!(!quiet.stdout.contains("EHLO"), "{quiet}");
    assert!(debug.stdout.contains("AUTH PLAIN ***"), "{debug}");
    assert_eq!(sink.logins(), 2);
    Some("the password itself, while standard output has AUTH PLAIN ***".into())
}
