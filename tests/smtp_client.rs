//! `[smtp-client]`: every option in the INI file, and notices by every way that there is.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::world::{MAIL_PASSWORD, MAIL_USER};
use harness::{Ini, Mail, Ran, Sink, World};

const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";
const SECTION: &str = "smtp-client";

/// Notices on acceptance, by the options that a test adds.
fn ini() -> Ini {
    Ini::folder()
        .set("Audit", "NotifyOnAccepts", "True")
        .set("Audit", "NotifyFrom", "jobs@example.test")
        .set("Audit", "NotifyOnAcceptTo", "bob@example.test")
        .rule(RULE)
}

/// The same with a server that takes everything.
fn to_sink(sink: &Sink) -> Ini {
    ini().smtp(sink.port)
}

/// A run on one mail that matches. The events are written whatever becomes of the notice.
#[track_caller]
fn run(ini: &Ini) -> Ran {
    run_in(&World::with(ini))
}

#[track_caller]
fn run_in(world: &World) -> Ran {
    world.mail("1.eml", &Mail::new("Test").bytes());
    let ran = world.run(&[]);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"], "{ran}");
    ran
}

#[test]
fn a_value_that_can_not_be_read_is_named_with_its_line() {
    let sink = Sink::start();
    for (key, value) in [
        ("server-type", "IMAP"),
        ("port", "0"),
        ("port", "65536"),
        ("smtp-connection-security", "tls"),
        ("enable-authentication", "perhaps"),
        ("enable-debug", "2"),
        ("allow-delegate", "x"),
        ("mail.smtp.auth.mechanisms", "NTLM"),
        ("mail.smtp.auth.mechanisms", "XOAUTH2 PLAIN"),
        ("mail.ews.auth.mechanisms", "PLAIN"),
        ("exchange-version", "Exchange2003"),
        ("grant-type", "implicit"),
        ("cnx-pool-size", "0"),
        ("cnx-pool-size", "ten"),
        ("cnx-check-idle-time", "30"),
        ("cnx-max-idle-time", "0:0"),
        ("connect-timeout", "00:00:00"),
        ("protocol-timeout", "100:00:00"),
        ("token-expiry-margin-time", "01:00:00"),
        ("secret", "my secret"),
    ] {
        let world = World::with(&to_sink(&sink).unset(SECTION, key).set(SECTION, key, value));
        let line = world
            .ini_text()
            .lines()
            .position(|line| line == format!("{key}={value}"))
            .unwrap();
        run_in(&world).exit(2).complains_in_one_line(&[
            &format!("SMArtEmail.ini:{}: [smtp-client] {key}", line + 1),
            value,
        ]);
        assert_eq!(sink.mails(), []);
    }
}

#[test]
fn the_bounds_of_times_and_numbers_are_good_values() {
    let sink = Sink::start();
    for (key, value) in [
        ("cnx-check-idle-time", "00:00:00"),
        ("cnx-max-idle-time", "00:00:00"),
        ("connect-timeout", "99:59:59"),
        ("token-expiry-margin-time", "00:59:59"),
        ("token-expiry-margin-time", "00:00:00"),
        ("cnx-pool-size", "100000"),
        ("exchange-version", ""),
        ("exchange-version", "Exchange2010_SP3"),
        ("server-type", "smtp"),
        ("grant-type", "password"),
        ("mail.smtp.auth.mechanisms", "LOGIN, PLAIN"),
    ] {
        let ini = to_sink(&sink).unset(SECTION, key).set(SECTION, key, value);
        run(&ini).exit(0).without_complaint();
    }
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    for (options, missing) in [
        (vec![], "it needs server,"),
        (
            vec![("server", "localhost"), ("enable-authentication", "true")],
            "enable-authentication=true needs user, password,",
        ),
        (
            vec![("server-type", "EWS")],
            "server-type=EWS needs server, user, password,",
        ),
        (
            vec![("server-type", "GRAPH")],
            "server-type=GRAPH needs user, password, client-id, directory-id,",
        ),
        (
            vec![
                ("enable-authentication", "true"),
                ("mail.smtp.auth.mechanisms", "XOAUTH2"),
            ],
            "XOAUTH2 needs server, user, password, client-id, directory-id,",
        ),
        (
            vec![
                ("enable-authentication", "true"),
                ("mail.smtp.auth.mechanisms", "XOAUTH2"),
                ("tenant-authority", "https://accounts.Google.com"),
                ("secret", "own"),
            ],
            "XOAUTH2 needs server, user, password, client-id, [secret-own] password,",
        ),
    ] {
        let ini = options
            .iter()
            .fold(ini(), |ini, (key, value)| ini.set(SECTION, key, value));
        run(&ini)
            .exit(2)
            .complains_in_one_line(&["[smtp-client]", missing]);
    }
}

#[test]
fn nothing_is_asked_of_the_section_while_nobody_wants_notices() {
    let quiet = || {
        ini()
            .unset("Audit", "NotifyOnAccepts")
            .unset("Audit", "NotifyFrom")
    };
    run(&quiet()
        .set(SECTION, "server-type", "GRAPH")
        .set(SECTION, "enable-debug", "false"))
    .exit(0)
    .without_complaint();
    // A mistake is told all the same.
    run(&quiet().set(SECTION, "port", "x"))
        .exit(2)
        .complains("[smtp-client] port");
    run(&quiet().set(SECTION, "prot", "25"))
        .exit(0)
        .complains("did you mean port?");
    run(&quiet().set("secret-smtp", "pasword", "x"))
        .exit(0)
        .complains("did you mean password?");
}

#[test]
fn notices_are_from_the_first_address_there_is() {
    let sink = Sink::start();
    let unnamed = || to_sink(&sink).unset("Audit", "NotifyFrom");
    run(&unnamed()).exit(2).complains("[Audit] NotifyFrom");
    run(&unnamed().set(SECTION, "user", "not-an-address"))
        .exit(2)
        .complains("[Audit] NotifyFrom");
    run(&to_sink(&sink).set("Audit", "NotifyFrom", "a b"))
        .exit(2)
        .complains_in_one_line(&["[Audit] NotifyFrom", "\"a b\""]);
    assert_eq!(sink.mails(), []);

    run(&unnamed().set(SECTION, "user", "sender@example.test")).exit(0);
    let world = World::with(&unnamed());
    world.seal_setting("smtp-client.user", "sealed@example.test");
    // It is sealed, but no secret: every notice shows it.
    world.forget_secrets();
    run_in(&world).exit(0);
    let from: Vec<_> = sink
        .mails()
        .iter()
        .map(|mail| mail.header("From"))
        .collect();
    assert_eq!(from, ["sender@example.test", "sealed@example.test"]);
}

#[test]
fn a_password_in_plain_text_is_refused_with_the_command_that_seals_it() {
    let sink = Sink::start();
    let ini = to_sink(&sink)
        .set(SECTION, "enable-authentication", "true")
        .set(SECTION, "user", MAIL_USER)
        .set(SECTION, "password", "Plain-text-2214");
    let ran = run(&ini);
    ran.exit(2).complains_in_one_line(&[
        "[smtp-client] password",
        "plain text",
        "smartemail -seal:smtp-client.password",
    ]);
    assert!(!ran.output().contains("Plain-text-2214"), "{ran}");
    assert_eq!(sink.connections(), 0);
}

#[test]
fn a_sealed_password_logs_in_and_is_shown_nowhere() {
    let sink = Sink::start();
    for debug in ["false", "true"] {
        let ini = to_sink(&sink)
            .set(SECTION, "enable-authentication", "true")
            .set(SECTION, "enable-debug", debug);
        let world = World::with(&ini);
        world.secret(MAIL_PASSWORD);
        let answers = format!("{MAIL_USER}\n{MAIL_PASSWORD}\n");
        world
            .run_with(
                &[
                    "--credentials",
                    "-opconuser:batch",
                    &format!("-opconpassword:{}", harness::world::OPCON_PASSWORD),
                    "-smtpuser",
                    "-smtppassword:-",
                ],
                &answers,
            )
            .exit(0)
            .says("[smtp-client] user, [smtp-client] password");
        let ran = run_in(&world);
        ran.exit(0).complains("clear text");
        // The world has looked for the password in everything that was written.
        assert_eq!(
            ran.stdout.contains("AUTH PLAIN ***"),
            debug == "true",
            "{ran}"
        );
        assert_eq!(ran.stdout.contains("235 welcome"), debug == "true", "{ran}");
        // With --verbose, standard error has it as well.
        world.mail("2.eml", &Mail::new("Test two").bytes());
        let ran = world.run(&["--verbose"]);
        assert!(ran.stderr.contains("AUTH PLAIN ***"), "{ran}");
        assert_eq!(ran.stdout.contains("AUTH PLAIN"), debug == "true", "{ran}");
    }
    assert_eq!(sink.logins(), 4);
}

#[test]
fn check_tries_the_way_of_notices_and_sends_none() {
    let sink = Sink::start();
    let world = World::with(&to_sink(&sink));
    world.run(&["--check"]).exit(0).says(
        "notices: connected, without a log-in, from smartemail@example.test; nothing was sent",
    );

    let world = World::with(&to_sink(&sink).set(SECTION, "enable-authentication", "true"));
    world.seal_setting("smtp-client.user", MAIL_USER);
    world.seal_setting("smtp-client.password", MAIL_PASSWORD);
    world.forget_secrets();
    world
        .run(&["--check"])
        .exit(0)
        .says("notices: connected and logged in");
    world.seal_setting("smtp-client.password", "Wrong-pass-4410");
    world.run(&["--check"]).exit(2).complains_in_one_line(&[
        "[smtp-client]",
        "refused the log-in",
        "not with that password",
    ]);

    let nowhere = to_sink(&sink).set(SECTION, "port", "1");
    World::with(&nowhere)
        .run(&["--check"])
        .exit(2)
        .complains_in_one_line(&["[smtp-client]", "localhost:1"]);
    assert_eq!(sink.mails(), []);
}

#[cfg(unix)]
mod by_every_way {
    use super::*;
    use harness::idp::{DAEMON, DIRECTORY, NATIVE, PASSWORD, SECRET, USER};
    use harness::{Door, Ews, Exim, Graph, IdentityProvider, exim};

    /// A world that trusts the authority of the tests and has these settings sealed.
    fn world(ini: &Ini, sealed: &[(&str, &str)]) -> World {
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
                let world = world(&ini, &[("smtp-client.password", MAIL_PASSWORD)]);
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
            let world = world(&ini, &[("smtp-client.password", MAIL_PASSWORD)]);
            run_in(&world).exit(2).complains("notices can't be sent");
            assert!(!server.log().contains("A=plain"), "{}", server.log());
        }
    }

    fn to_port(port: u16) -> Ini {
        ini().smtp(port)
    }

    /// The options that all tokens need.
    fn with_tokens(ini: Ini, authority: &str, client: &str) -> Ini {
        ini.set(SECTION, "enable-authentication", "true")
            .set(SECTION, "mail.smtp.auth.mechanisms", "XOAUTH2")
            .set(SECTION, "mail.ews.auth.mechanisms", "XOAUTH2")
            .set(SECTION, "user", USER)
            .set(SECTION, "tenant-authority", authority)
            .set(SECTION, "directory-id", DIRECTORY)
            .set(SECTION, "client-id", client)
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
        let world_of = |ini: &Ini, sealed: &[(&str, &str)]| run_in(&world(ini, sealed));

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
        let ran = world_of(
            &tls(&microsoft, NATIVE).set(SECTION, "enable-debug", "true"),
            &[wrong],
        );
        ran.exit(2)
            .complains("notices can't be sent")
            .complains("check user and password");
    }

    #[test]
    fn graph() {
        let Some(provider) = IdentityProvider::start() else {
            return;
        };
        let graph = Graph::start(&provider);
        let ini = with_tokens(ini(), &provider.authority(), DAEMON)
            .set(SECTION, "server-type", "graph")
            .set(SECTION, "scope", &graph.scope())
            .set(SECTION, "enable-debug", "true")
            .set("Audit", "NotifyFrom", "jobs@example.com");
        let secret = ("smtp-client.password", SECRET);
        let first = world(&ini, &[secret]);
        first
            .run(&["--check"])
            .exit(0)
            .says("notices: a token was given");
        assert_eq!(graph.sent().len(), 0);
        run_in(&first)
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
        graph.allow_sending_as("jobs@example.com");
        let delegate = ini.set(SECTION, "allow-delegate", "true");
        run_in(&world(&delegate, &[secret])).exit(0);
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
        run_in(&world(&basic, &[password]))
            .exit(0)
            .says("1 notice sent");

        let tokens = |client: &str| {
            with_tokens(basic.clone(), &provider.authority(), client).set(
                SECTION,
                "exchange-version",
                "Exchange2016",
            )
        };
        run_in(&world(&tokens(NATIVE), &[password]))
            .exit(0)
            .says("1 notice sent");
        let own = tokens(DAEMON).set(SECTION, "grant-type", "client_credentials");
        let secret = ("smtp-client.password", SECRET);
        run_in(&world(&own, &[secret]))
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
        run_in(&world(&no_address, &[password]))
            .exit(2)
            .complains_in_one_line(&[
                "[smtp-client]",
                "https://mail.example.com/EWS/Exchange.asmx",
            ]);
    }
}
