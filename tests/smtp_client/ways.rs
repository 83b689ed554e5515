//! Notices by every way that there is: SMTP in each security and log-in, Graph, EWS.

use super::*;
use crate::harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
use crate::harness::{Door, Ews, Exim, Graph, IdentityProvider, exim, secrets};

/// A world that trusts the authority of the tests and has these settings sealed.
pub(super) fn trusting(ini: &Ini, sealed: &[(&str, &str)]) -> World {
    let world = World::with(ini).env("SSL_CERT_FILE", &Door::authority());
    for (name, value) in sealed {
        world.seal_setting(name, value);
    }
    world
}

#[test]
fn smtp_with_every_security_and_every_log_in() {
    let Some(server) = Exim::with(exim::Options {
        clear_login: true,
        ..exim::Options::default()
    }) else {
        return;
    };
    let mut sent = 0;
    for (security, port) in [
        ("none", server.submission),
        ("start-tls", server.submission),
        ("START-TLS-required", server.submission),
        ("ssl-tls", server.smtps),
    ] {
        for mechanisms in ["", "PLAIN", "LOGIN", "login plain"] {
            let ini = to_port(port)
                .set(SECTION, "smtp-connection-security", security)
                .set(SECTION, "enable-authentication", "true")
                .set(SECTION, "mail.smtp.auth.mechanisms", mechanisms)
                .set(SECTION, "user", MAIL_USER);
            let world = trusting(&ini, &[("smtp-client.password", MAIL_PASSWORD)]);
            run_in(&world).exit(0).says("1 notice sent");
            sent += 1;
        }
    }
    server.mails("bob", sent);
    let log = server.log();
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    let (plain, login) = (count("A=plain:"), count("A=login:"));
    assert_eq!((plain, login), (8, 8), "{log}");
    assert_eq!((count("P=esmtpa "), count("P=esmtpsa ")), (4, 12), "{log}");
}

#[test]
fn a_server_that_nobody_vouches_for_gets_nothing() {
    for (security, certificate) in [
        ("ssl-tls", "untrusted"),
        ("start-tls-required", "expired"),
        ("start-tls", "wronghost"),
    ] {
        let Some(server) = Exim::with(exim::Options {
            certificate: Some(certificate),
            clear_login: true,
            ..exim::Options::default()
        }) else {
            return;
        };
        let port = if security == "ssl-tls" {
            server.smtps
        } else {
            server.submission
        };
        let ini = to_port(port)
            .set(SECTION, "smtp-connection-security", security)
            .set(SECTION, "enable-authentication", "true")
            .set(SECTION, "user", MAIL_USER);
        let world = trusting(&ini, &[("smtp-client.password", MAIL_PASSWORD)]);
        run_in(&world).exit(2).complains("notices can't be sent");
        assert!(!server.log().contains("A=plain"), "{}", server.log());
    }
}

fn to_port(port: u16) -> Ini {
    ini().smtp(port)
}

/// The options that all tokens need.
pub(super) fn with_tokens(ini: Ini, authority: &str, client: &str) -> Ini {
    ini.set(SECTION, "enable-authentication", "true")
        .set(SECTION, "mail.smtp.auth.mechanisms", "XOAUTH2")
        .set(SECTION, "mail.ews.auth.mechanisms", "XOAUTH2")
        .set(SECTION, "user", USER)
        .set(SECTION, "tenant-authority", authority)
        .set(SECTION, "directory-id", DIRECTORY)
        .set(SECTION, "client-id", client)
        .set(SECTION, "enable-debug", "true")
}

/// A run that shows the conversations, and none of the tokens in them.
#[track_caller]
fn run_with_tokens(provider: &IdentityProvider, world: &World) -> Ran {
    let ran = run_in(world);
    assert!(ran.stdout.contains("grant_type="), "{ran}");
    secrets::assert_hidden(&ran.output(), provider.issued());
    ran
}

#[test]
fn smtp_with_tokens_of_every_grant() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let Some(server) = Exim::with(exim::Options {
        tokens: Some(provider.port),
        ..exim::Options::default()
    }) else {
        return;
    };
    let tls = |authority: &str, client: &str| {
        with_tokens(to_port(server.smtps), authority, client)
            .set(SECTION, "smtp-connection-security", "ssl-tls")
            .set(SECTION, "scope", "https://outlook.office.com/SMTP.Send")
    };
    let microsoft = provider.authority();
    let world_of =
        |ini: &Ini, sealed: &[(&str, &str)]| run_with_tokens(&provider, &trusting(ini, sealed));

    let password = ("smtp-client.password", PASSWORD);
    world_of(&tls(&microsoft, NATIVE), &[password])
        .exit(0)
        .says("1 notice sent");

    let secret = ("smtp-client.password", SECRET);
    let ini = tls(&microsoft, DAEMON).set(SECTION, "grant-type", "client_credentials");
    world_of(&ini, &[secret]).exit(0).says("1 notice sent");

    let token = provider.refresh_token("https://outlook.office.com/SMTP.Send");
    let ini = tls(&provider.google(), DAEMON).set(SECTION, "secret", "mine");
    let sealed = [
        ("smtp-client.password", token.as_str()),
        ("secret-mine.password", SECRET),
    ];
    world_of(&ini, &sealed).exit(0).says("1 notice sent");

    server.mails("bob", 3);
    let log = server.log();
    assert_eq!(
        log.matches(&format!("A=xoauth2:{USER}")).count(),
        3,
        "{log}"
    );

    let wrong = ("smtp-client.password", "Wrong-pass-9921");
    world_of(&tls(&microsoft, NATIVE), &[wrong])
        .exit(2)
        .complains("notices can't be sent")
        .complains("check user and password");
}

/// Notices go out by Graph.
pub(super) fn to_graph(provider: &IdentityProvider, graph: &Graph) -> Ini {
    with_tokens(ini(), &provider.authority(), DAEMON)
        .set(SECTION, "server-type", "graph")
        .set(SECTION, "scope", &graph.scope())
}

#[test]
fn graph() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let graph = Graph::start(&provider);
    let ini = to_graph(&provider, &graph);
    let secret = ("smtp-client.password", SECRET);
    let first = trusting(&ini, &[secret]);
    first
        .run(&["--check"])
        .exit(0)
        .says("notices: a token was given");
    assert_eq!(graph.sent().len(), 0);
    run_with_tokens(&provider, &first)
        .exit(0)
        .says("1 notice sent")
        .says("sendMail");
    let [sent] = &graph.sent()[..] else {
        panic!("one mail: {:?}", graph.sent());
    };
    let text = String::from_utf8_lossy(&sent.mime).into_owned();
    assert!(
        text.contains("To: bob@example.test") && text.contains("Auto-Submitted: auto-replied"),
        "{text}"
    );

    // On behalf of the address that notices are from, where both sides allow it.
    graph.allow_sending_as("jobs@example.test");
    let delegate = ini.set(SECTION, "allow-delegate", "true");
    run_with_tokens(&provider, &trusting(&delegate, &[secret])).exit(0);
    assert_eq!(graph.sent().len(), 2);
}

#[test]
fn ews_with_password_and_tokens() {
    let Some(provider) = IdentityProvider::start() else {
        return;
    };
    let Some(ews) = Ews::start(Some(&provider)) else {
        return;
    };
    let basic = ini()
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", &ews.address())
        .set(SECTION, "user", USER);
    let password = ("smtp-client.password", PASSWORD);
    run_in(&trusting(&basic, &[password]))
        .exit(0)
        .says("1 notice sent");

    let tokens = |client: &str| {
        with_tokens(basic.clone(), &provider.authority(), client).set(
            SECTION,
            "exchange-version",
            "Exchange2016",
        )
    };
    run_with_tokens(&provider, &trusting(&tokens(NATIVE), &[password]))
        .exit(0)
        .says("1 notice sent");
    let own = tokens(DAEMON).set(SECTION, "grant-type", "client_credentials");
    let secret = ("smtp-client.password", SECRET);
    run_with_tokens(&provider, &trusting(&own, &[secret]))
        .exit(0)
        .says("1 notice sent");

    let taken = ews.taken();
    let versions: Vec<_> = taken.iter().map(|mail| mail.version.as_str()).collect();
    assert_eq!(versions, ["Exchange2010", "Exchange2016", "Exchange2016"]);
    let acting: Vec<_> = taken
        .iter()
        .map(|mail| mail.impersonated.as_deref())
        .collect();
    assert_eq!(acting, [None, None, Some(USER)]);

    let no_address = basic.set(SECTION, "server", "mail.example.com");
    run_in(&trusting(&no_address, &[password]))
        .exit(2)
        .complains_in_one_line(&[
            "[smtp-client]",
            "https://mail.example.com/EWS/Exchange.asmx",
        ]);
}

/// Each attempt with a wrong password brings the account nearer to being locked.
#[test]
fn a_refused_log_in_is_not_tried_with_the_other_notices() {
    let mails = || ["Test 1", "Test 2", "Test 3"].map(Mail::new);
    let wrong = "Wrong-pass-8806";
    let fails = |ini: &Ini| {
        let world = World::with_mails(ini, &mails());
        world.seal_setting("smtp-client.password", wrong);
        world
            .run(&[])
            .exit(2)
            .complains_in_one_line(&["notices can't be sent", "3 notices wait"]);
    };
    let sink = Sink::start();
    let by_smtp = to_sink(&sink)
        .set(SECTION, "cnx-pool-size", "1")
        .set(SECTION, "enable-authentication", "true")
        .set(SECTION, "user", MAIL_USER);
    fails(&by_smtp);
    assert_eq!(sink.connections(), 1);

    let Some(ews) = Ews::start(None) else {
        return;
    };
    let by_ews = ini()
        .set(SECTION, "server-type", "EWS")
        .set(SECTION, "server", &ews.address())
        .set(SECTION, "user", USER);
    fails(&by_ews);
    assert_eq!(ews.statuses(), [401]);
}
