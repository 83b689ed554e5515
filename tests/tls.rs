//! Versions of TLS: `SecurityProtocol` is a floor, through each door, and nothing below it is
//! ever offered.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::door::DOORS;
use harness::dovecot::Options;
use harness::{CountingProxy, Door, Dovecot, RudeServer, Table, World};

/// A version of TLS.
#[derive(Clone, Copy)]
struct Version {
    openssl: &'static str,
    name: &'static str,
    /// Its number on the wire (RFC 8446, section 4.2.1).
    code: u16,
}

const fn version(openssl: &'static str, name: &'static str, code: u16) -> Version {
    Version {
        openssl,
        name,
        code,
    }
}

const V1_0: Version = version("TLSv1", "TLS 1.0", 0x0301);
const V1_1: Version = version("TLSv1.1", "TLS 1.1", 0x0302);
const V1_2: Version = version("TLSv1.2", "TLS 1.2", 0x0303);
const V1_3: Version = version("TLSv1.3", "TLS 1.3", 0x0304);
const VERSIONS: [Version; 4] = [V1_0, V1_1, V1_2, V1_3];

/// The values of `SecurityProtocol`, each with the lowest version that it allows.
const FLOORS: [(&str, Version); 7] = [
    ("", V1_2),
    ("SSL", V1_0),
    ("SSL2", V1_0),
    ("TLS1", V1_0),
    ("TLS1_1", V1_1),
    ("TLS1_2", V1_2),
    ("TLS1_3", V1_3),
];

/// A server that speaks exactly one version of TLS.
fn speaking(tls: &'static str) -> Option<Dovecot> {
    Dovecot::with(&Options {
        tls: Some(tls),
        ..Options::default()
    })
}

/// Whether a log-in through a door reaches the mailbox. If not, the message has to name the
/// lowest version that is allowed, and the setting.
fn is_reached(world: &World, door: &Door, server: &Dovecot, lowest: &str) -> bool {
    door.before(world, server);
    let ran = world.run(&["--check"]);
    if ran.stdout.contains("connected:") {
        ran.exit(0);
        return true;
    }
    ran.exit(2).complains_in_one_line(&[
        "localhost:",
        &format!(
            "have nothing as new as {lowest}: have it updated, or lower SecurityProtocol to TLS1"
        ),
    ]);
    false
}

/// A server, a value of `SecurityProtocol`, and whether they come together.
struct Cell<'s> {
    server: &'s Dovecot,
    value: &'static str,
    floor: Version,
    is_reached: bool,
}

impl Cell<'_> {
    /// The same through each door, whatever SelfSignedCertificate says.
    fn prove(&self) -> String {
        let world = Door::hall();
        world.change("SecurityProtocol", self.value);
        for trust in ["False", "True"] {
            world.change("SelfSignedCertificate", trust);
            for door in &DOORS {
                let reached = is_reached(&world, door, self.server, self.floor.name);
                assert_eq!(reached, self.is_reached, "{trust}, {}", door.name);
            }
        }
        let outcome = if self.is_reached {
            "reached"
        } else {
            "refused"
        };
        outcome.to_owned()
    }
}

#[test]
fn every_version_under_every_floor_through_every_door() {
    let servers: Option<Vec<_>> = VERSIONS.iter().map(|one| speaking(one.openssl)).collect();
    let Some(servers) = servers else { return };
    let only = VERSIONS.map(|version| format!("{} only", version.name));
    let mut table = Table::new("SecurityProtocol", only);
    for (value, floor) in FLOORS {
        let cell = |(version, server): (&Version, _)| Cell {
            server,
            value,
            floor,
            is_reached: version.code >= floor.code,
        };
        let cells = VERSIONS.iter().zip(&servers).map(cell);
        let name = if value.is_empty() { "blank" } else { value };
        table.row(name, cells.map(Some).collect());
    }
    table.prove(Cell::prove);
}

/// The versions that the first TLS message in these bytes offers (ClientHello, RFC 8446,
/// sections 4.1.2 and 4.2.1), in ascending order.
fn offered(sent: &[u8]) -> Option<Vec<u16>> {
    // A record of the type "handshake"; what came before it was clear text.
    let start = sent.windows(2).position(|pair| pair == [0x16, 0x03])?;
    let mut rest = sent.get(start + 5..)?;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken)
    };
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, byte| sum * 256 + usize::from(*byte))
    };
    assert_eq!(take(1)?, [1], "a ClientHello");
    take(3 + 2 + 32)?;
    for width in [1, 2, 1] {
        let length = number(take(width)?);
        take(length)?;
    }
    let mut left = number(take(2)?);
    while left > 0 {
        let (kind, length) = (number(take(2)?), number(take(2)?));
        let content = take(length)?;
        left -= 4 + length;
        if kind == 43 {
            let pairs = content.get(1..)?.chunks_exact(2);
            let mut versions: Vec<u16> = pairs.map(|pair| number(pair) as u16).collect();
            versions.sort_unstable();
            return Some(versions);
        }
    }
    None
}

#[test]
fn nothing_below_the_floor_is_offered_and_everything_above_it_is() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let world = Door::hall();
    for (value, floor) in FLOORS {
        world.change("SecurityProtocol", value);
        for trust in ["False", "True"] {
            world.change("SelfSignedCertificate", trust);
            for door in &DOORS {
                let proxy = CountingProxy::before(server.address, door.port(&server));
                door.before(&world, &server);
                world.change("Port", &proxy.port.to_string());
                world.run(&["--check"]).exit(0);
                let codes = VERSIONS.map(|version| version.code);
                let expected = codes.into_iter().filter(|code| *code >= floor.code);
                let found = offered(&proxy.traffic().sent);
                assert_eq!(
                    found,
                    Some(expected.collect()),
                    "{value}, {trust}, {}",
                    door.name
                );
            }
        }
    }
}

/// Settings of the machine's OpenSSL for one run.
fn policy(world: World, lines: &str) -> World {
    let text =
        format!("openssl_conf = i\n[i]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\n{lines}\n");
    world.write("openssl.cnf", &text);
    let place = world.place("openssl.cnf");
    world.env("OPENSSL_CONF", &place)
}

#[test]
fn the_settings_win_over_the_bounds_of_the_machine() {
    for (lines, tls, floor) in [
        ("MinProtocol = TLSv1.3", "TLSv1.2", ""),
        (
            "MinProtocol = TLSv1.2\nCipherString = DEFAULT@SECLEVEL=2",
            "TLSv1",
            "TLS1",
        ),
        ("MaxProtocol = TLSv1.2", "TLSv1.3", "TLS1_3"),
    ] {
        let Some(server) = speaking(tls) else { return };
        let world = policy(Door::hall(), lines);
        world.change("SecurityProtocol", floor);
        for trust in ["False", "True"] {
            world.change("SelfSignedCertificate", trust);
            for door in &DOORS {
                assert!(is_reached(&world, door, &server, ""), "{lines}, {trust}");
            }
        }
    }
}

#[test]
fn a_version_that_the_machine_has_dropped_is_named() {
    for (lines, tls, floor, missing) in [
        (
            "Protocol = ALL,-TLSv1",
            "TLSv1",
            "SSL",
            "does not have TLS 1.0:",
        ),
        (
            "Protocol = ALL,-TLSv1,-TLSv1.1",
            "TLSv1.1",
            "TLS1",
            "does not have TLS 1.0 and TLS 1.1:",
        ),
        (
            "Protocol = ALL,-TLSv1.3",
            "TLSv1.3",
            "TLS1_2",
            "does not have TLS 1.3:",
        ),
        (
            "Protocol = ALL,-TLSv1.3",
            "TLSv1.3",
            "TLS1_3",
            "does not have TLS 1.3:",
        ),
    ] {
        let Some(server) = speaking(tls) else { return };
        let world = policy(Door::hall(), lines);
        world.change("SecurityProtocol", floor);
        for trust in ["False", "True"] {
            world.change("SelfSignedCertificate", trust);
            for door in &DOORS {
                door.before(&world, &server);
                world.run(&["--check"]).exit(2).complains_in_one_line(&[
                    "localhost:",
                    missing,
                    "openssl.cnf",
                ]);
            }
        }
    }
}

/// Many servers hang up instead of saying that they have no version in common; but so does one that
/// is being started.
#[test]
fn a_server_that_hangs_up_is_tried_again_and_the_machine_may_be_why() {
    let server = RudeServer::saying(b"");
    let world = policy(Door::hall(), "Protocol = ALL,-TLSv1");
    world.change("Port", &server.port.to_string());
    world.change("SecurityProtocol", "TLS1");
    world.change("Retries", "1");
    world.run(&[]).exit(2).complains_in_one_line(&[
        "given up after 2 attempts",
        "hung up in the middle of the handshake",
        "TLS library of this machine does not have TLS 1.0:",
        "openssl.cnf",
    ]);
    assert_eq!(server.connections(), 2);
}
