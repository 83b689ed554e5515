//! What the section takes and what it does not, and what is said of it.

use super::*;

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

/// Passwords, tokens and mails cross no network in clear text.
#[test]
fn a_service_that_would_be_asked_in_clear_text_is_told_before_a_notice_waits() {
    let ews = || ini().set(SECTION, "server-type", "EWS");
    let graph = || {
        ini()
            .set(SECTION, "server-type", "GRAPH")
            .set(SECTION, "client-id", "app")
            .set(SECTION, "directory-id", "contoso.example")
    };
    let checked = |ini: &Ini| {
        let world = World::with(&ini.clone().set(SECTION, "user", MAIL_USER));
        world.seal_setting("smtp-client.password", MAIL_PASSWORD);
        world.run(&["--check"])
    };
    for (ini, host) in [
        (
            ews().set(
                SECTION,
                "server",
                "http://mail.example.com/EWS/Exchange.asmx",
            ),
            "mail.example.com",
        ),
        (
            graph().set(SECTION, "server", "http://graph.example"),
            "graph.example",
        ),
        (
            graph().set(SECTION, "scope", "http://graph.example/.default"),
            "graph.example",
        ),
    ] {
        checked(&ini).exit(2).complains_in_one_line(&[
            "[smtp-client]",
            &format!("{host} would be asked in clear text: write https://"),
            "no notice is sent",
        ]);
    }
    for server in ["http://localhost:1/ews", "http://127.0.0.1:1/ews"] {
        checked(&ews().set(SECTION, "server", server))
            .exit(0)
            .says("the password shows its worth when a notice is sent");
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
    let mistaken = || to_sink(&sink).set("Audit", "NotifyFrom", "a b");
    let ran = run(&mistaken());
    ran.exit(2)
        .complains_in_one_line(&["[Audit] NotifyFrom", "\"a b\""]);
    assert_eq!(ran.stderr.matches("NotifyFrom").count(), 1, "{ran}");
    assert_eq!(sink.mails(), []);

    run(&mistaken().set(SECTION, "user", "first@example.test"))
        .exit(2)
        .complains("[Audit] NotifyFrom");
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
    assert_eq!(
        from,
        [
            "first@example.test",
            "sender@example.test",
            "sealed@example.test"
        ]
    );
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
        "SMArtEmail.ini -seal:smtp-client.password",
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
