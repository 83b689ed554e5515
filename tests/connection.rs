//! The connection to an IMAP server: how it is secured, whom it trusts, and how it ends when
//! the other side does not play along.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

use harness::dovecot::Options;
use harness::world::MAIL_USER;
use harness::{
    CountingProxy, Door, Dovecot, Hoodiecrow, Ini, Inspector, Mail, MailServer, Ran, RudeServer,
    World,
};

const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

/// A server with one mail that matches, showing this certificate.
fn server(certificate: &'static str) -> Option<Dovecot> {
    let server = Dovecot::with(&Options {
        certificate,
        ..Options::default()
    })?;
    server.deliver(&Mail::new("Test").bytes(), NOON);
    Some(server)
}

/// A world whose program trusts the test authority, as far as the INI file lets it.
fn trusting(ini: &Ini) -> World {
    World::with(&ini.clone().rule(RULE)).env("SSL_CERT_FILE", &Door::authority())
}

#[track_caller]
fn assert_works(world: &World) -> Ran {
    let ran = world.run(&[]);
    ran.exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
    ran
}

/// The run fails for a reason that holds one of these words, and the mailbox is untouched.
#[track_caller]
fn assert_fails(world: &World, words: &[&str]) -> Ran {
    let ran = world.run(&[]);
    ran.exit(2);
    let stderr = ran.stderr.to_lowercase();
    assert!(
        words
            .iter()
            .any(|word| stderr.contains(&word.to_lowercase())),
        "one of {words:?} should be said\n{ran}"
    );
    assert_eq!(world.event_lines(), [""; 0]);
    ran
}

#[test]
fn a_certificate_of_a_known_authority_for_this_host_is_trusted() {
    let Some(server) = server("good") else { return };
    assert_works(&trusting(&Ini::imaps(server.imaps))).without_complaint();
}

#[test]
fn tls_is_chosen_by_the_port_when_only_a_security_protocol_is_set() {
    let Some(server) = server("good") else { return };
    for protocol in ["SSL", "SSL2", "TLS1", "TLS1_1", "TLS1_2", "tls1_2"] {
        let ini = Ini::imaps(server.imaps)
            .unset("Mail", "ConnectionSecurity")
            .set("Mail", "SecurityProtocol", protocol);
        assert_works(&trusting(&ini));
    }
}

#[test]
fn the_encryption_switches_secure_a_connection_too() {
    let Some(server) = server("good") else { return };
    for switch in ["--ssl", "--tls1_1", "--tls1_2"] {
        let world = trusting(
            &Ini::imap(server.imaps)
                .unset("Mail", "ConnectionSecurity")
                .set("Mail", "SelfSignedCertificate", "No"),
        );
        world.run(&["--imap", switch]).exit(0);
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"], "{switch}");
    }
}

#[test]
fn nothing_set_means_clear_text_with_a_warning() {
    let Some(server) = server("good") else { return };
    let world = trusting(&Ini::imap(server.imap).unset("Mail", "ConnectionSecurity"));
    let ran = assert_works(&world);
    assert!(ran.output().contains("SecurityProtocol"), "{ran}");
}

#[test]
fn start_tls_secures_a_plain_port() {
    let Some(server) = server("good") else { return };
    for security in ["start-tls-required", "start-tls", "START-TLS"] {
        let proxy = CountingProxy::before(server.address, server.imap);
        assert_works(&trusting(&Ini::imaps(proxy.port).set(
            "Mail",
            "ConnectionSecurity",
            security,
        )));
        let traffic = proxy.traffic();
        assert_eq!(traffic.commands_with("STARTTLS").len(), 1, "{security}");
        assert!(
            traffic.commands_with("LOGIN").is_empty()
                && traffic.commands_with("AUTHENTICATE").is_empty()
        );
    }
}

#[test]
fn a_server_without_start_tls_gets_no_password_when_it_is_required() {
    let extra = "ssl = no";
    let Some(server) = Dovecot::with(&Options {
        extra,
        ..Options::default()
    }) else {
        return;
    };
    let proxy = CountingProxy::before(server.address, server.imap);
    let world =
        trusting(&Ini::imaps(proxy.port).set("Mail", "ConnectionSecurity", "start-tls-required"));
    assert_fails(&world, &["STARTTLS"]);
    let traffic = proxy.traffic();
    assert!(
        traffic.commands_with("LOGIN").is_empty()
            && traffic.commands_with("AUTHENTICATE").is_empty(),
        "{traffic:?}"
    );
}

#[test]
fn what_is_said_in_clear_text_after_start_tls_is_never_believed() {
    let Some(server) = server("good") else { return };
    let imap = "* CAPABILITY IMAP4rev1 FORGED\r\na1 OK forged\r\n* 1 EXISTS\r\n";
    let pop = "+OK forged\r\nUSER\r\nFORGED\r\n.\r\n+OK forged\r\n";
    for (target, mailbox, command, forged) in [
        (server.imap, Ini::imaps as fn(u16) -> Ini, "STARTTLS", imap),
        (server.pop, Ini::pops, "STLS", pop),
    ] {
        for security in ["start-tls-required", "start-tls"] {
            let proxy = CountingProxy::before(server.address, target);
            // In the same packet as the consent, as somebody on the way would do it
            // (CVE-2011-0411).
            let consent = "Begin TLS negotiation now.\r\n";
            proxy.rewrite(consent, &format!("{consent}{forged}"));
            let ini = mailbox(proxy.port).set("Mail", "ConnectionSecurity", security);
            let world = trusting(&ini);
            let ran = world.run(&["--verbose"]);
            ran.exit(2)
                .complains("agreed to begin TLS and then did not speak it")
                .complains("something between it and this machine may interfere");
            assert!(!ran.output().to_lowercase().contains("forged"), "{ran}");
            assert_eq!(world.event_lines(), [""; 0]);
            let traffic = proxy.traffic();
            assert_eq!(traffic.commands_with(command).len(), 1);
            for log_in in ["LOGIN", "AUTH", "USER", "PASS"] {
                assert_eq!(traffic.commands_with(log_in), [""; 0]);
            }
        }
    }
}

#[test]
fn a_server_that_forbids_log_in_on_clear_text_gets_no_password() {
    let extra = "disable_plaintext_auth = yes";
    let Some(server) = Dovecot::with(&Options {
        address: "127.0.0.2",
        extra,
        ..Options::default()
    }) else {
        return;
    };
    let proxy = CountingProxy::before(server.address, server.imap);
    assert_fails(
        &trusting(&Ini::imap(proxy.port)),
        &["LOGINDISABLED", "TLS", "encrypt", "secur"],
    );
    let traffic = proxy.traffic();
    assert!(
        traffic.commands_with("LOGIN").is_empty()
            && traffic.commands_with("AUTHENTICATE").is_empty(),
        "{traffic:?}"
    );
}

#[test]
fn a_server_that_forbids_it_when_asked_gets_no_password_either() {
    let Some(server) = Hoodiecrow::with(&["LOGINDISABLED"]) else {
        return;
    };
    let doors = server.doors();
    let proxy = CountingProxy::before(doors.address, doors.imap);
    assert_fails(&trusting(&Ini::imap(proxy.port)), &["secure connections"]);
    let traffic = proxy.traffic();
    assert_eq!(traffic.commands_with("CAPABILITY").len(), 1);
    assert_eq!(traffic.commands_with("LOGIN "), [""; 0]);
}

#[test]
fn a_certificate_that_can_not_be_trusted_ends_the_run() {
    for (certificate, words) in [
        ("expired", ["expired", "certificate"]),
        ("untrusted", ["issuer", "certificate"]),
        ("self", ["self", "certificate"]),
        ("wronghost", ["host", "certificate"]),
    ] {
        let Some(server) = server(certificate) else {
            return;
        };
        let ran = assert_fails(&trusting(&Ini::imaps(server.imaps)), &words);
        assert!(
            ran.stderr.contains("localhost"),
            "the server is named\n{ran}"
        );
        assert_eq!(Inspector::open(&server).subjects(), ["Test"]);
    }
}

#[test]
fn self_signed_certificate_true_lets_an_untrusted_chain_pass() {
    for certificate in ["self", "untrusted"] {
        let Some(server) = server(certificate) else {
            return;
        };
        for value in ["True", ""] {
            assert_works(&trusting(&Ini::imaps(server.imaps).set(
                "Mail",
                "SelfSignedCertificate",
                value,
            )));
        }
    }
}

#[test]
fn tls_spoken_to_a_plain_port_ends_with_a_message() {
    let Some(server) = server("good") else { return };
    let ran = assert_fails(&trusting(&Ini::imaps(server.imap)), &["TLS", "handshake"]);
    assert!(ran.stderr.contains(&server.imap.to_string()), "{ran}");
}

#[test]
fn a_wrong_password_names_the_user_and_the_command_that_sets_it() {
    let Some(server) = server("good") else { return };
    let world = trusting(&Ini::imap(server.imap));
    world.seal_wrong();
    let ran = assert_fails(&world, &["--credentials"]);
    assert!(ran.stderr.contains(MAIL_USER), "{ran}");
}

#[test]
fn the_verbose_protocol_trace_shows_commands_but_no_secret() {
    let Some(server) = server("good") else { return };
    for extra in [
        &["--verbose"][..],
        &["--verbose", "--explain"],
        &["--verbose", "--check"],
    ] {
        let ran = trusting(&Ini::imap(server.imap)).run(extra);
        ran.exit(0);
        assert!(
            ran.output().contains("LOGOUT"),
            "the world looks for the secrets\n{ran}"
        );
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let world = trusting(&Ini::imap(9).set("Mail", "Server", "127.0.0.1"));
    let ran = assert_fails(&world, &["refused"]);
    assert!(
        ran.stderr.contains("127.0.0.1:9") || ran.stderr.contains("port 9"),
        "{ran}"
    );
}

#[test]
fn a_host_name_that_does_not_exist_is_named() {
    let world = trusting(&Ini::imap(993).set("Mail", "Server", "mail.nowhere.invalid"));
    assert_fails(&world, &["mail.nowhere.invalid"]);
}

#[test]
fn a_silent_server_ends_the_run_after_the_read_timeout() {
    let server = RudeServer::silent();
    for ini in [Ini::imap(server.port), Ini::imaps(server.port)] {
        let world = trusting(&ini.set("Mail", "ReadTimeout", "00:00:01"));
        let ran = assert_fails(&world, &["time", "answer"]);
        assert!(ran.took < Duration::from_secs(8), "{ran}");
    }
}

/// The TLS library passes over such requests by itself, for ever (RFC 5246, section 7.4.1.1).
#[test]
fn a_handshake_that_never_ends_ends_the_run() {
    let server = RudeServer::trickling(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00");
    for trust in ["False", "True"] {
        let ini = Ini::imaps(server.port)
            .set("Mail", "ReadTimeout", "00:00:01")
            .set("Mail", "SelfSignedCertificate", trust);
        let ran = assert_fails(&trusting(&ini), &["took too long"]);
        assert!(ran.took < Duration::from_secs(30), "{ran}");
    }
}

#[test]
fn a_server_that_talks_nonsense_ends_the_run_without_harm() {
    for words in [
        &b""[..],
        b"\r\n",
        b"220 mail.example.test ESMTP\r\n",
        b"+OK POP3 ready\r\n",
        b"* BYE closed for today\r\n",
        b"* OK [CAPABILITY IMAP4rev1",
        b"* PREAUTH already in\r\n",
        b"\xff\xfe\x00\x01\r\n",
    ] {
        let server = RudeServer::saying(words);
        let ran = assert_fails(
            &trusting(&Ini::imap(server.port).set("Mail", "ReadTimeout", "00:00:02")),
            &["localhost"],
        );
        assert!(!ran.stderr.contains("panicked"), "{ran}");
    }
}

#[test]
fn a_server_that_never_stops_talking_is_cut_off() {
    for words in [
        &[b'a'; 65536][..],
        b"* OK another line\r\n* OK and one more\r\n",
    ] {
        let server = RudeServer::repeating(words);
        let ran = assert_fails(
            &trusting(&Ini::imap(server.port).set("Mail", "ReadTimeout", "00:00:02")),
            &["localhost"],
        );
        assert!(
            ran.peak_kb < 64 * 1024 && ran.took < Duration::from_secs(30),
            "{} kB\n{ran}",
            ran.peak_kb
        );
    }
}
