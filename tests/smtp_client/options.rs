//! Every option of the section, one by one: what a test sets and what the server has seen of it.
//!
//! `cargo test --test smtp_client every_option` prints the table.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what breaks ends the test, loudly"
)]

use std::time::{Duration, Instant};

use data_encoding::BASE64;

use super::ways::{to_graph, trusting, with_tokens};
use super::*;
use crate::harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, TokenRequest, USER};
use crate::harness::sink::Mood;
use crate::harness::{Ews, Exim, Graph, IdentityProvider, RudeServer, Table, exim};

/// An option, what its test sets it to, and what tells what was seen; that gives `None` where a
/// server is not installed.
type Row = (&'static str, &'static str, fn() -> Option<String>);

const ROWS: [Row; 25] = [
    ("server-type", "absent, EWS, GRAPH", server_type),
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
    ("user", "alice@example.test, bob@example.test", user),
    ("password", "the right one, another", password),
    (
        "mail.smtp.auth.mechanisms",
        "blank, PLAIN, LOGIN, XOAUTH2",
        smtp_mechanisms,
    ),
    (
        "mail.ews.auth.mechanisms",
        "absent, XOAUTH2",
        ews_mechanisms,
    ),
    ("client-id", "0a1b-native, 0a1b-daemon", client_id),
    (
        "directory-id",
        "contoso.example, elsewhere.example",
        directory_id,
    ),
    (
        "tenant-authority",
        "its address, one with google in it",
        tenant_authority,
    ),
    ("scope", "absent, absent with GRAPH, another", scope),
    ("grant-type", "absent, client_credentials", grant_type),
    ("secret", "blank, mine", secret),
    ("token-expiry-margin-time", "blank, 00:59:59", token_margin),
    ("allow-delegate", "absent, true", allow_delegate),
    (
        "exchange-version",
        "absent, blank, Exchange2010_SP2, Office365, Exchange2016",
        exchange_version,
    ),
    ("connect-timeout", "00:00:01", connect_timeout),
    ("protocol-timeout", "00:00:01", protocol_timeout),
    ("cnx-pool-size", "blank, 1, 3, 20", pool_size),
    ("cnx-check-idle-time", "blank, 00:00:00", check_idle),
    ("cnx-max-idle-time", "blank, 00:00:00", max_idle),
    ("enable-debug", "absent, true", enable_debug),
    (
        "[secret-smtp] password",
        "the right one, another",
        application_secret,
    ),
];

enum Cell {
    Text(String),
    Seen(fn() -> Option<String>),
}

#[test]
fn every_option() {
    let columns = ["default", "set to", "seen"].map(str::to_owned);
    let mut table = Table::new("[smtp-client]", columns);
    for (name, default) in documented() {
        let row = ROWS.iter().find(|(row, ..)| *row == name);
        let (_, set, seen) = row.unwrap_or_else(|| panic!("nothing shows what {name} does"));
        let cells = [
            Cell::Text(default),
            Cell::Text((*set).to_owned()),
            Cell::Seen(*seen),
        ];
        table.row(&name, cells.map(Some).into());
    }
    table.prove(|cell| match cell {
        Cell::Text(text) => text.clone(),
        Cell::Seen(seen) => seen().unwrap_or_else(|| "(a server is not installed)".into()),
    });
}

/// The options of the example file with their defaults.
fn documented() -> Vec<(String, String)> {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/SMArtEmail.ini.example");
    let text = std::fs::read_to_string(example).unwrap();
    let mut section = String::new();
    let mut options = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, default)) = line.split_once('=') {
            let default = if default.is_empty() { "blank" } else { default };
            let default = default.to_owned();
            match section.as_str() {
                SECTION => options.push((key.to_owned(), default)),
                "secret-smtp" => options.push((format!("[{section}] {key}"), default)),
                _ => {}
            }
        }
    }
    assert_eq!(options.len(), ROWS.len());
    options
}

/// A run whose one notice goes out.
#[track_caller]
fn sends(ini: &Ini, sealed: &[(&str, &str)]) -> Ran {
    let ran = run_in(&trusting(ini, sealed));
    ran.exit(0).says("1 notice sent");
    ran
}

/// A run whose one notice does not go out, for this reason.
#[track_caller]
fn fails(ini: &Ini, sealed: &[(&str, &str)], reason: &str) -> Ran {
    let ran = run_in(&trusting(ini, sealed));
    ran.exit(2).complains(reason).says("1 failed");
    ran
}

/// Asks for what notices need without sending any, and says what came of it.
fn check(ini: &Ini, sealed: &[(&str, &str)]) -> Ran {
    trusting(ini, sealed).run(&["--check"])
}

/// A run with so many mails, each of which brings a notice.
fn sends_many(ini: &Ini, count: usize) -> Ran {
    let mails: Vec<Mail> = (0..count).map(|_| Mail::new("Test")).collect();
    let ran = World::with_mails(ini, &mails).run(&[]);
    ran.exit(0).says(&format!("{count} notices sent"));
    ran
}

/// The first words of what a server was told, for each connection.
fn verbs(sink: &Sink) -> Vec<String> {
    let verb = |line: &String| line.split([' ', ':']).next().unwrap().to_owned();
    let said = sink.said();
    let lines = |lines: &Vec<String>| lines.iter().map(verb).collect::<Vec<_>>().join(" ");
    said.iter().map(lines).collect()
}

fn with_password(ini: Ini) -> Ini {
    ini.set(SECTION, "enable-authentication", "true")
        .set(SECTION, "user", MAIL_USER)
}

const SEALED: (&str, &str) = ("smtp-client.password", MAIL_PASSWORD);

fn server_type() -> Option<String> {
    let sink = Sink::start();
    sends(&to_sink(&sink), &[]);
    assert_eq!(verbs(&sink), ["EHLO MAIL RCPT DATA QUIT"]);
    let provider = IdentityProvider::start()?;
    let ews = Ews::start(None)?;
    sends(&to_ews(&ews), &[("smtp-client.password", PASSWORD)]);
    assert_eq!(ews.taken().len(), 1);
    let graph = Graph::start(&provider);
    sends(
        &to_graph(&provider, &graph),
        &[("smtp-client.password", SECRET)],
    );
    assert_eq!(graph.exchanges(), ["POST sendMail 202"]);
    Some("EHLO MAIL RCPT DATA QUIT; EWS: CreateItem; GRAPH: POST sendMail".into())
}

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
        &ini.set(SECTION, "user", "bob@example.test"),
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
    assert_eq!(names, [MAIL_USER, "bob@example.test"]);
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

fn to_ews(ews: &Ews) -> Ini {
    ini()
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", &ews.address())
        .set(SECTION, "user", USER)
}

fn ews_mechanisms() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let ews = Ews::start(Some(&provider))?;
    let password = [("smtp-client.password", PASSWORD)];
    sends(&to_ews(&ews), &password);
    sends(
        &with_tokens(to_ews(&ews), &provider.authority(), NATIVE),
        &password,
    );
    let taken = ews.taken();
    let schemes: Vec<_> = taken.iter().map(|mail| mail.scheme.as_str()).collect();
    assert_eq!(schemes, ["Basic", "Bearer"]);
    Some(format!("Authorization: {}", schemes.join("; ")))
}

/// What the provider was asked for one notice by EWS with these options on top.
fn asked(options: &[(&str, &str)], sealed: &[(&str, &str)], given: bool) -> Option<TokenRequest> {
    let provider = IdentityProvider::start()?;
    let ini = with_tokens(ini(), &provider.authority(), NATIVE)
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", "http://localhost:1/EWS/Exchange.asmx");
    let ini = options.iter().fold(ini, |ini, (key, value)| {
        let (section, key) = key.split_once('/').unwrap_or((SECTION, key));
        ini.set(
            section,
            key,
            &value.replace("{provider}", &provider.authority()),
        )
    });
    let token = provider.refresh_token("https://outlook.office.com/.default");
    let sealed: Vec<_> = sealed
        .iter()
        .map(|(name, value)| {
            (
                *name,
                if *value == "(refresh token)" {
                    &token
                } else {
                    *value
                },
            )
        })
        .collect();
    let ran = check(&ini, &sealed);
    if given {
        ran.exit(0).says("a token was given");
    } else {
        ran.exit(2).complains("[smtp-client]");
    }
    let mut requests = provider.requests();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    requests.pop()
}
const BY_PASSWORD: [(&str, &str); 1] = [("smtp-client.password", PASSWORD)];
const BY_SECRET: [(&str, &str); 1] = [("smtp-client.password", SECRET)];
const OF_ITSELF: (&str, &str) = ("grant-type", "client_credentials");

fn client_id() -> Option<String> {
    let native = asked(&[], &BY_PASSWORD, true)?;
    let daemon = asked(&[("client-id", DAEMON), OF_ITSELF], &BY_SECRET, true)?;
    assert_eq!(native.form["client_id"], NATIVE);
    assert_eq!(daemon.form["client_id"], DAEMON);
    Some("client_id of the token request".into())
}

fn directory_id() -> Option<String> {
    let here = asked(&[], &BY_PASSWORD, true)?.path;
    assert_eq!(here, format!("/{DIRECTORY}/oauth2/v2.0/token"));
    let provider = IdentityProvider::start()?;
    let ini = to_graph(&provider, &Graph::start(&provider));
    check(
        &ini.set(SECTION, "directory-id", "elsewhere.example"),
        &BY_SECRET,
    )
    .exit(2)
    .complains("directory-id");
    assert_eq!(provider.requests().len(), 0);
    Some(format!(
        "the token request goes to {here}; another directory: refused"
    ))
}

fn tenant_authority() -> Option<String> {
    let microsoft = asked(&[], &BY_PASSWORD, true)?;
    let google = [
        ("tenant-authority", "{provider}/google"),
        ("client-id", DAEMON),
    ];
    let sealed = [
        ("smtp-client.password", "(refresh token)"),
        ("secret-smtp.password", SECRET),
    ];
    let google = asked(&google, &sealed, true)?;
    assert_eq!(microsoft.form["grant_type"], "password");
    assert_eq!(google.form["grant_type"], "refresh_token");
    Some(format!(
        "{}; {} with the refresh token",
        microsoft.path, google.path
    ))
}

fn scope() -> Option<String> {
    let usual = asked(&[], &BY_PASSWORD, true)?;
    let other = asked(
        &[("scope", "https://mail.example/Send")],
        &BY_PASSWORD,
        true,
    )?;
    let provider = IdentityProvider::start()?;
    let ini = to_graph(&provider, &Graph::start(&provider)).unset(SECTION, "scope");
    check(&ini, &BY_SECRET).exit(0).says("a token was given");
    let requests = provider.requests();
    let graph = requests.first().expect("a request");
    let scopes = [&usual, graph, &other].map(|request| request.form["scope"].as_str().unwrap());
    assert_eq!(
        scopes,
        [
            "https://outlook.office.com/.default",
            "https://graph.microsoft.com/.default",
            "https://mail.example/Send"
        ]
    );
    Some(format!("scope={}", scopes.join("; scope=")))
}

fn grant_type() -> Option<String> {
    let password = asked(&[], &BY_PASSWORD, true)?;
    let itself = asked(&[("client-id", DAEMON), OF_ITSELF], &BY_SECRET, true)?;
    assert_eq!(
        (&password.form["username"], &password.form["password"]),
        (&USER.into(), &PASSWORD.into())
    );
    assert_eq!(itself.form["client_secret"], SECRET);
    let grants = [password, itself].map(|request| request.form["grant_type"].clone());
    assert_eq!(grants, ["password", "client_credentials"]);
    Some("grant_type=password with both; grant_type=client_credentials with password as client_secret".into())
}

/// What Google is asked with the application's secret in this section.
fn google_with(option: &str, sealed_as: &str, value: &str, given: bool) -> Option<TokenRequest> {
    let options = [
        ("tenant-authority", "{provider}/google"),
        ("client-id", DAEMON),
        ("secret", option),
    ];
    let sealed = [
        ("smtp-client.password", "(refresh token)"),
        (sealed_as, value),
    ];
    asked(&options, &sealed, given)
}

fn secret() -> Option<String> {
    for (option, sealed_as) in [
        ("", "secret-smtp.password"),
        ("mine", "secret-mine.password"),
    ] {
        let request = google_with(option, sealed_as, SECRET, true)?;
        assert_eq!(request.form["client_secret"], SECRET);
    }
    Some("client_secret from [secret-smtp]; from [secret-mine]".into())
}

fn application_secret() -> Option<String> {
    let right = google_with("", "secret-smtp.password", SECRET, true)?;
    let wrong = google_with("", "secret-smtp.password", "Other-secret-3306", false)?;
    assert_eq!((right.status, wrong.status), (200, 401), "{wrong:?}");
    assert_eq!(wrong.form["client_secret"], "Other-secret-3306");
    Some("client_secret of the token request; 401 invalid_client".into())
}

fn token_margin() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let server = Exim::with(exim::Options {
        tokens: Some(provider.port),
        ..exim::Options::default()
    })?;
    let ini = with_tokens(ini().smtp(server.smtps), &provider.authority(), NATIVE)
        .set(SECTION, "smtp-connection-security", "ssl-tls")
        .set(SECTION, "cnx-pool-size", "1");
    // Tokens live for an hour there.
    let mut tokens = Vec::new();
    for margin in ["", "00:59:59"] {
        if margin == "00:59:59" {
            provider.lifetime(3000);
        }
        let ini = ini.clone().set(SECTION, "token-expiry-margin-time", margin);
        let before = provider.requests().len();
        let world = trusting(&ini, &BY_PASSWORD);
        for number in 0..3 {
            world.mail(&format!("{number}.eml"), &Mail::new("Test").bytes());
        }
        world.run(&[]).exit(0).says("3 notices sent");
        tokens.push(provider.requests().len() - before);
    }
    server.mails("bob", 6);
    assert_eq!(tokens, [1, 3]);
    Some(
        "3 mails: 1 token, 1 connection; with 50 minutes left of it: 3 tokens, 3 connections"
            .into(),
    )
}

fn allow_delegate() -> Option<String> {
    let provider = IdentityProvider::start()?;
    let graph = Graph::start(&provider);
    graph.allow_sending_as("jobs@example.test");
    let ini = to_graph(&provider, &graph);
    sends(&ini, &BY_SECRET);
    sends(&ini.set(SECTION, "allow-delegate", "true"), &BY_SECRET);
    let sent = graph.sent();
    let from = sent.iter().map(|mail| {
        let text = String::from_utf8_lossy(&mail.mime).into_owned();
        text.lines()
            .find(|line| line.starts_with("From:"))
            .unwrap()
            .to_owned()
    });
    let from: Vec<_> = from.collect();
    assert_eq!(
        from,
        [
            format!("From: {USER}"),
            "From: jobs@example.test".to_owned()
        ]
    );
    Some(from.join("; "))
}

fn exchange_version() -> Option<String> {
    let ews = Ews::start(None)?;
    let ini = to_ews(&ews);
    sends(&ini, &BY_PASSWORD);
    for version in ["", "Exchange2010_SP2", "Office365", "Exchange2016"] {
        sends(
            &ini.clone().set(SECTION, "exchange-version", version),
            &BY_PASSWORD,
        );
    }
    let taken = ews.taken();
    let versions: Vec<_> = taken.iter().map(|mail| mail.version.as_str()).collect();
    assert_eq!(
        versions,
        [
            "Exchange2010",
            "Exchange2013_SP1",
            "Exchange2010_SP2",
            "Exchange2013_SP1",
            "Exchange2016"
        ]
    );
    Some(format!("RequestServerVersion {}", versions.join(", ")))
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
