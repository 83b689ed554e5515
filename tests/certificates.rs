//! Whose certificate is good enough: through each door, checked by the machine's authorities,
//! and remembered where `SelfSignedCertificate=True` does without them.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::door::DOORS;
use harness::dovecot::Options;
use harness::{CountingProxy, Door, Dovecot, Ini, Mail, Ran, World, certs};

const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";
const FILE: &str = "SMArtEmail.state/certificates";

/// A server with one mail that matches, showing this certificate.
fn server(certificate: &'static str) -> Option<Dovecot> {
    let server = Dovecot::with(&Options {
        certificate,
        ..Options::default()
    })?;
    server.deliver(&Mail::new("Test").bytes(), NOON);
    Some(server)
}

/// How a message tells what is wrong, and a short name for it.
const FAULTS: [(&str, &str); 5] = [
    ("has expired", "refused: expired"),
    ("is not valid yet", "refused: not valid yet"),
    ("is not for localhost", "refused: wrong host"),
    ("is not trusted here", "refused: unknown authority"),
    ("is self-signed", "refused: self-signed"),
];

/// A message that no row of the table knows.
fn unknown(ran: &Ran) -> &'static str {
    println!("{ran}");
    "another message, shown above"
}

/// What comes of a log-in through a door.
fn outcome(world: &World, door: &Door, server: &Dovecot) -> &'static str {
    door.before(world, server);
    let ran = world.run(&["--check"]);
    if ran.stdout.contains("connected:") {
        ran.exit(0);
        return "reached";
    }
    ran.exit(2);
    let mut found = FAULTS.iter().filter(|(says, _)| ran.stderr.contains(says));
    assert!(ran.stderr.contains("localhost:"), "{ran}");
    let known = found.next().map(|(_, name)| *name);
    known.unwrap_or_else(|| unknown(&ran))
}

#[test]
fn every_kind_of_certificate_through_every_door() {
    let rows = [
        ("good", "known authority, RSA", "reached", "reached"),
        ("goodec", "known authority, EC", "reached", "reached"),
        (
            "untrusted",
            "unknown authority",
            "refused: unknown authority",
            "reached",
        ),
        ("self", "self-signed", "refused: self-signed", "reached"),
        ("expired", "expired", "refused: expired", "refused: expired"),
        (
            "notyet",
            "not valid yet",
            "refused: not valid yet",
            "refused: not valid yet",
        ),
        (
            "wronghost",
            "for another host",
            "refused: wrong host",
            "refused: wrong host",
        ),
    ];
    let world = Door::hall();
    println!("| Certificate | `SelfSignedCertificate=False` | `True` |\n|---|---|---|");
    for (certificate, title, checked, unchecked) in rows {
        let Some(server) = server(certificate) else {
            return;
        };
        for (value, expected) in [("False", checked), ("True", unchecked)] {
            world.change("SelfSignedCertificate", value);
            for door in &DOORS {
                let found = outcome(&world, door, &server);
                assert_eq!(found, expected, "{certificate}, {value}, {}", door.name);
            }
        }
        println!("| {title} | {checked} | {unchecked} |");
    }
    let doors = DOORS.map(|door| door.name).join(", ");
    println!("The same through each door: {doors}.");
    assert!(!world.path(FILE).exists(), "a check remembers nothing");
}

/// A world that accepts certificates without a known authority, before a server on this port.
fn trustful(port: u16) -> World {
    let authority = certs::folder()
        .map(|folder| folder.join("ca.pem"))
        .unwrap_or_default();
    let ini = Ini::imaps(port).set("Mail", "SelfSignedCertificate", "True");
    World::with(&ini.rule(RULE)).env("SSL_CERT_FILE", &authority.to_string_lossy())
}

/// What the world remembers: server and fingerprint.
fn remembered(world: &World) -> Vec<(String, String)> {
    let text = world.read(FILE);
    let entries = text.lines().filter(|line| !line.starts_with('#'));
    let words = entries.filter_map(|line| line.rsplit_once(' ')?.0.split_once(' '));
    words
        .map(|(server, fingerprint)| (server.to_owned(), fingerprint.to_owned()))
        .collect()
}

#[test]
fn a_first_contact_is_told_and_remembered_and_then_nothing_more_is_said() {
    for certificate in ["self", "untrusted"] {
        let Some(server) = server(certificate) else {
            return;
        };
        let world = trustful(server.imaps);
        let fingerprint = certs::fingerprint(certificate);
        let place = format!("localhost:{}", server.imaps);
        world.run(&[]).exit(0).complains_in_one_line(&[
            &place,
            &fingerprint,
            "remembered from now on",
            "openssl x509",
        ]);
        assert_eq!(remembered(&world), [(place, fingerprint)]);
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
        let before = world.read(FILE);
        world.run(&[]).exit(0).without_complaint();
        assert_eq!(world.read(FILE), before);
    }
}

/// Nothing is said of certificates. (Two servers may have numbered their mails within the same second
/// or not: of that there may be a word.)
#[track_caller]
fn no_word_of_it(ran: &Ran) {
    assert!(!ran.stderr.contains("certificate"), "{ran}");
}

#[test]
fn a_changed_certificate_is_refused_before_the_log_in_until_it_is_accepted() {
    let (Some(one), Some(other)) = (server("self"), server("untrusted")) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", one.imaps);
    let world = trustful(proxy.port);
    let (old, new) = (certs::fingerprint("self"), certs::fingerprint("untrusted"));
    let place = format!("localhost:{}", proxy.port);
    world.run(&[]).exit(0);
    proxy.redirect(other.imaps);
    let switch = format!("--acceptCertificate:{new}");
    for switches in [&[][..], &["--check"], &["--explain"]] {
        world.run(switches).exit(2).complains_in_one_line(&[
            &place,
            &format!("Accepted, SHA-256: {old}"),
            &format!("Shown now: {new}"),
            &format!("smartemail {switch}"),
        ]);
    }
    // A swap between looking and accepting, or a slip of the pen.
    let wrong = format!("--acceptCertificate:{}", certs::fingerprint("good"));
    world.run(&[&wrong]).exit(2).complains(&new);
    assert_eq!(remembered(&world), [(place.clone(), old.clone())]);
    assert!(!other.log().contains("Login: user"), "{}", other.log());
    assert_eq!(world.events().len(), 1);

    no_word_of_it(world.run(&[&switch]).exit(0).says(&format!(
        "{new}, is accepted and remembered in place of {old}"
    )));
    assert_eq!(remembered(&world), [(place.clone(), new.clone())]);
    no_word_of_it(world.run(&[]).exit(0));

    proxy.redirect(one.imaps);
    world.run(&[]).exit(2).complains("--acceptCertificate");
    no_word_of_it(world.run(&["-acceptcertificate"]).exit(0));
    assert_eq!(remembered(&world), [(place, old)]);
    no_word_of_it(world.run(&[]).exit(0));
}

#[test]
fn a_certificate_that_the_machine_trusts_is_not_remembered() {
    let (Some(good), Some(selfmade)) = (server("good"), server("self")) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", good.imaps);
    let world = trustful(proxy.port);
    no_word_of_it(world.run(&[]).exit(0));
    world
        .run(&["--acceptCertificate"])
        .exit(0)
        .says("needs no accepting");
    assert!(!world.path(FILE).exists());

    // One that has become trusted leaves the memory of the other one alone.
    proxy.redirect(selfmade.imaps);
    world.run(&[]).exit(0).complains("remembered from now on");
    let before = remembered(&world);
    proxy.redirect(good.imaps);
    no_word_of_it(world.run(&[]).exit(0));
    assert_eq!(remembered(&world), before);
}

#[test]
fn each_server_and_port_has_its_own() {
    let (Some(one), Some(other)) = (server("self"), server("untrusted")) else {
        return;
    };
    let world = trustful(one.imaps);
    world.run(&[]).exit(0);
    world.change("Port", &other.imaps.to_string());
    world.run(&[]).exit(0).complains("remembered from now on");
    world.run(&["-server:127.0.0.1"]).exit(0);
    let mut expected = [
        (
            format!("localhost:{}", one.imaps),
            certs::fingerprint("self"),
        ),
        (
            format!("localhost:{}", other.imaps),
            certs::fingerprint("untrusted"),
        ),
        (
            format!("127.0.0.1:{}", other.imaps),
            certs::fingerprint("untrusted"),
        ),
    ];
    expected.sort();
    assert_eq!(remembered(&world), expected);
}

#[test]
fn check_and_explain_tell_of_a_first_contact_and_change_nothing() {
    let Some(server) = server("self") else { return };
    let world = trustful(server.imaps);
    let before = world.tree();
    for switch in ["--check", "--explain"] {
        world.run(&[switch]).exit(0).complains_in_one_line(&[
            &certs::fingerprint("self"),
            "not remembered yet",
            "openssl x509",
        ]);
    }
    let ran = world.run(&["--explain=json"]);
    assert_eq!(ran.exit(0).json_lines().len(), 1);
    assert_eq!(world.tree(), before);
}

#[test]
fn a_damaged_memory_stops_the_run_before_it_connects() {
    let Some(server) = server("self") else { return };
    let proxy = CountingProxy::before("127.0.0.1", server.imaps);
    let world = trustful(proxy.port);
    world.run(&[]).exit(0);
    let good = world.read(FILE);
    proxy.take_traffic();
    for (damaged, line) in [
        (String::new(), "line 1"),
        (good.trim_end().to_owned(), "line 2"),
        (good.replace(":", ";"), "line 2"),
    ] {
        std::fs::write(world.path(FILE), &damaged).unwrap();
        for switches in [&[][..], &["--acceptCertificate"], &["--check"]] {
            world.run(switches).exit(2).complains_in_one_line(&[
                FILE,
                "is damaged in",
                line,
                "remove the line",
            ]);
        }
        assert_eq!(world.read(FILE), damaged);
    }
    assert_eq!(proxy.traffic().connections, 0);
    // Who does not need it is not held up.
    world.change("SelfSignedCertificate", "False");
    world.run(&[]).exit(2).complains("is self-signed");
}

#[test]
fn a_failed_log_in_leaves_nothing_behind() {
    let Some(server) = server("self") else { return };
    let world = trustful(server.imaps);
    let user = format!("-user:{}", harness::world::MAIL_USER);
    world.secret("Wrong-pass-6623");
    let switches = [
        "--credentials",
        &user,
        "-password",
        "-opconuser:a",
        "-opconpassword:b",
    ];
    world.run_with(&switches, "Wrong-pass-6623\n").exit(0);
    world.run(&[]).exit(2).complains("refused the log-in");
    assert!(!world.path(FILE).exists());
}

#[test]
fn there_must_be_something_to_accept() {
    let world = World::with(&Ini::imaps(9).rule(RULE));
    let before = world.tree();
    world
        .run(&["--acceptCertificate"])
        .exit(1)
        .complains("SelfSignedCertificate=True");
    assert_eq!(world.tree(), before);
}
