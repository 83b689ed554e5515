//! Whose certificate is good enough: through each door, checked by the machine's authorities,
//! and remembered where `SelfSignedCertificate=True` does without them.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::thread;
use std::time::Duration;

use harness::door::DOORS;
use harness::dovecot::Options;
use harness::{CountingProxy, Door, Dovecot, Ini, Mail, Ran, Table, World, certs, program};

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

/// What Windows says of a certificate before or after its time.
const ON_THIS_DAY: &str = "is not valid on this day";
/// How a message tells what is wrong, and a short name for it.
const FAULTS: [(&str, &str); 6] = [
    (ON_THIS_DAY, "refused: not on this day"),
    ("has expired", "refused: expired"),
    ("is not valid yet", "refused: not valid yet"),
    ("is not for localhost", "refused: wrong host"),
    ("is not trusted here", "refused: unknown authority"),
    ("is self-signed", "refused: self-signed"),
];

/// A certificate, what the setting SelfSignedCertificate says, and a door to log in through.
struct Cell<'s> {
    server: &'s Dovecot,
    value: &'static str,
    door: &'static Door,
    expected: &'static str,
}

impl Cell<'_> {
    fn prove(&self) -> String {
        let world = Door::hall();
        world.change("SelfSignedCertificate", self.value);
        self.door.before(&world, self.server);
        let ran = world.run(&["--check"]);
        let found = if ran.stdout.contains("connected:") {
            ran.exit(0);
            "reached"
        } else {
            ran.exit(2).complains("localhost:");
            let mut faults = FAULTS.iter().filter(|(says, _)| ran.stderr.contains(says));
            faults.next().map_or("another message", |(_, name)| *name)
        };
        let expected = match self.expected {
            "refused: expired" | "refused: not valid yet" if program::is_windows() => {
                "refused: not on this day"
            }
            "refused: self-signed" if program::is_windows() => "refused: unknown authority",
            other => other,
        };
        assert_eq!(found, expected, "{ran}");
        assert!(!world.path(FILE).exists(), "a check remembers nothing");
        found.to_owned()
    }
}

#[test]
fn every_kind_of_certificate_through_every_door() {
    const UNKNOWN: &str = "refused: unknown authority";
    let rows = [
        ("good", "known authority, RSA", ["reached"; 2]),
        ("goodec", "known authority, EC", ["reached"; 2]),
        ("untrusted", "unknown authority", [UNKNOWN, "reached"]),
        ("self", "self-signed", ["refused: self-signed", "reached"]),
        ("expired", "expired", ["refused: expired"; 2]),
        ("notyet", "not valid yet", ["refused: not valid yet"; 2]),
        ("wronghost", "for another host", ["refused: wrong host"; 2]),
        (
            "untrusted-expired",
            "unknown authority, expired",
            [UNKNOWN, "refused: expired"],
        ),
        (
            "untrusted-notyet",
            "unknown authority, not valid yet",
            [UNKNOWN, "refused: not valid yet"],
        ),
        (
            "untrusted-wronghost",
            "unknown authority, for another host",
            [UNKNOWN, "refused: wrong host"],
        ),
    ];
    let servers: Option<Vec<_>> = rows.iter().map(|(name, ..)| server(name)).collect();
    let Some(servers) = servers else { return };
    let doors = DOORS.iter().map(|door| door.name.to_owned());
    let mut table = Table::new("SelfSignedCertificate, certificate", doors);
    for ((_, title, expected), server) in rows.iter().zip(&servers) {
        for (value, expected) in ["False", "True"].into_iter().zip(*expected) {
            let cell = |door| Cell {
                server,
                value,
                door,
                expected,
            };
            let cells = DOORS.iter().map(|door| Some(cell(door))).collect();
            table.row(&format!("{value}, {title}"), cells);
        }
    }
    table.prove(Cell::prove);
}

/// An unknown authority is all that SelfSignedCertificate=True lets pass.
#[test]
fn what_else_is_wrong_can_not_be_accepted() {
    for (certificate, words) in [
        (
            "untrusted-expired",
            if program::is_windows() {
                ON_THIS_DAY
            } else {
                "has expired"
            },
        ),
        (
            "untrusted-notyet",
            if program::is_windows() {
                ON_THIS_DAY
            } else {
                "is not valid yet"
            },
        ),
        ("untrusted-wronghost", "is not for localhost"),
    ] {
        let Some(server) = server(certificate) else {
            return;
        };
        let exactly = format!("--acceptCertificate:{}", certs::fingerprint(certificate));
        for door in &DOORS {
            let world = trustful(door, door.port(&server));
            for switches in [&[][..], &["--acceptCertificate"], &[exactly.as_str()]] {
                world.run(switches).exit(2).complains(words);
                assert!(!world.path(FILE).exists());
            }
            assert_eq!(world.event_lines(), [""; 0]);
        }
        assert!(!server.log().contains("Login: user"), "{}", server.log());
    }
}

/// A world that accepts certificates without a known authority, before a door on this port.
fn trustful(door: &Door, port: u16) -> World {
    let ini = door
        .mailbox(port)
        .set("Mail", "SelfSignedCertificate", "True");
    World::with(&ini.rule(RULE)).env("SSL_CERT_FILE", &Door::authority())
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
        let fingerprint = certs::fingerprint(certificate);
        for door in &DOORS {
            let port = door.port(&server);
            let world = trustful(door, port);
            let place = format!("localhost:{port}");
            world.run(&[]).exit(0).complains_in_one_line(&[
                &place,
                &fingerprint,
                "remembered from now on",
                "openssl x509",
            ]);
            assert_eq!(remembered(&world), [(place, fingerprint.clone())]);
            assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
            let before = world.read(FILE);
            world.run(&[]).exit(0).without_complaint();
            assert_eq!(world.read(FILE), before);
        }
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
    let all = DOORS
        .iter()
        .map(|door| thread::spawn(|| changes_its_certificate(door)));
    for one in all.collect::<Vec<_>>() {
        one.join().unwrap();
    }
}

fn changes_its_certificate(door: &Door) {
    let (Some(one), Some(other)) = (server("self"), server("untrusted")) else {
        return;
    };
    let proxy = CountingProxy::before("127.0.0.1", door.port(&one));
    let world = trustful(door, proxy.port);
    let (old, new) = (certs::fingerprint("self"), certs::fingerprint("untrusted"));
    let place = format!("localhost:{}", proxy.port);
    world.run(&[]).exit(0);
    proxy.redirect(door.port(&other));
    let switch = format!("--acceptCertificate:{new}");
    for switches in [&[][..], &["--check"], &["--explain"]] {
        world.run(switches).exit(2).complains_in_one_line(&[
            &place,
            &format!("Accepted, SHA-256: {old}"),
            &format!("Shown now: {new}"),
            &format!(
                "smartemail -inifile:{} {switch}",
                world.place("SMArtEmail.ini")
            ),
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

    proxy.redirect(door.port(&one));
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
    let world = trustful(&DOORS[0], proxy.port);
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
    let world = trustful(&DOORS[0], one.imaps);
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
    let world = trustful(&DOORS[0], server.imaps);
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
    let world = trustful(&DOORS[0], proxy.port);
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
                "certificates is damaged in",
                line,
                "remove the line",
            ]);
        }
        assert_eq!(world.read(FILE), damaged);
    }
    assert_eq!(proxy.traffic().connections, 0);
    // Who does not need it is not held up.
    world.change("SelfSignedCertificate", "False");
    world.run(&[]).exit(2).complains(if program::is_windows() {
        "is not trusted here"
    } else {
        "is self-signed"
    });
}

#[test]
fn a_failed_log_in_leaves_nothing_behind() {
    let Some(server) = server("self") else { return };
    let world = trustful(&DOORS[0], server.imaps);
    world.seal_wrong();
    world.run(&[]).exit(2).complains("refused the log-in");
    assert!(!world.path(FILE).exists());
}

/// The first attempt of a run meets a server that has no time, the second is led to another one.
fn led_on(
    door: &Door,
    [busy, to]: [&Dovecot; 2],
    switches: &[&str],
) -> (World, Ran, CountingProxy) {
    let proxy = CountingProxy::before("127.0.0.1", door.port(busy));
    let world = trustful(door, proxy.port);
    world.change("Retries", "1");
    let ran = thread::scope(|scope| {
        scope.spawn(|| {
            let begun = || proxy.traffic().connections > 0;
            while !begun() {
                thread::sleep(Duration::from_millis(5));
            }
            proxy.redirect(door.port(to));
        });
        world.run(switches)
    });
    ran.complains("(attempt 2 of 2)");
    assert_eq!(proxy.traffic().connections, 2);
    (world, ran, proxy)
}

#[test]
fn a_certificate_that_changes_within_a_first_run_is_refused_before_the_log_in() {
    let servers = [server("self"), server("self"), server("untrusted")];
    let [Some(busy), Some(same), Some(other)] = servers else {
        return;
    };
    busy.set_user(None);
    thread::scope(|scope| {
        for door in &DOORS {
            scope.spawn(|| {
                let (old, new) = (certs::fingerprint("self"), certs::fingerprint("untrusted"));
                for switches in [&[][..], &["--acceptCertificate"]] {
                    let (world, ran, proxy) = led_on(door, [&busy, &other], switches);
                    ran.exit(2)
                        .complains(&format!("Accepted, SHA-256: {old}"))
                        .complains(&format!("Shown now: {new}"));
                    assert!(!world.path(FILE).exists(), "{ran}");
                    // Nothing is left behind that would have to be set right.
                    proxy.redirect(door.port(&same));
                    world.run(&[]).exit(0).complains(&old);
                }
                let (world, ran, proxy) = led_on(door, [&busy, &same], &[]);
                ran.exit(0).complains(&old);
                let place = format!("localhost:{}", proxy.port);
                assert_eq!(remembered(&world), [(place, old)]);
            });
        }
    });
    assert!(!other.log().contains("Login: user"), "{}", other.log());
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

#[test]
fn a_connection_in_clear_text_has_no_certificate_to_accept() {
    let Some(server) = Dovecot::with(&Options {
        extra: "ssl = no",
        ..Options::default()
    }) else {
        return;
    };
    for door in DOORS.iter().filter(|door| door.name.contains(" with ")) {
        let ini = door
            .mailbox(door.port(&server))
            .set("Mail", "SelfSignedCertificate", "True")
            .set("Mail", "ConnectionSecurity", "start-tls");
        let world = World::with(&ini.rule(RULE));
        world
            .run(&["--acceptCertificate"])
            .exit(0)
            .says("is not encrypted, so there was no certificate to accept")
            .never_says("needs no accepting");
        assert!(!world.path(FILE).exists());
    }
}
