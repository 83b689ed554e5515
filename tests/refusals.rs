//! Log-ins that a real server refuses: each in its own words, none loses or doubles a mail.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::thread;
use std::time::Duration;

use harness::dovecot::Options;
use harness::world::MAIL_USER;
use harness::{CountingProxy, Dovecot, Ini, Inspector, Mail, Ran, RudeServer, World};

const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

/// What makes an INI file for a server.
type Way = fn(&Dovecot) -> Ini;

/// The protocols in clear text, so that the tests can look on.
const WAYS: [Way; 2] = [
    |server| Ini::imap(server.imap),
    |server| Ini::pop(server.pop),
];

/// A server with one mail, and a world that reads it.
fn ready(way: Way, extra: &'static str) -> Option<(Dovecot, World)> {
    let server = Dovecot::with(&Options {
        extra,
        ..Options::default()
    })?;
    server.deliver(&Mail::new("Test").bytes(), NOON);
    let ini = way(&server).rule(RULE);
    Some((server, World::with(&ini)))
}

/// The run ends with this in one line, and nothing has happened to the mail.
#[track_caller]
fn refused(world: &World, words: &[&str]) -> Ran {
    let ran = world.run(&[]);
    println!("{}", ran.stderr);
    ran.exit(2).complains_in_one_line(words);
    assert_eq!(world.event_lines(), [""; 0]);
    ran
}

/// The next run does the work, once, and the one after that nothing.
#[track_caller]
fn works(world: &World) {
    for _ in 0..2 {
        world.run(&[]).exit(0);
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
    }
}

#[test]
fn a_wrong_password() {
    for way in WAYS {
        let Some((_server, world)) = ready(way, "") else {
            return;
        };
        world.seal_wrong();
        let advice = format!(
            "smartemail -inifile:{} --credentials",
            world.place("SMArtEmail.ini")
        );
        refused(
            &world,
            &["localhost:", "refused the log-in of", MAIL_USER, &advice],
        );
        world.seal(true);
        works(&world);
    }
}

#[test]
fn a_locked_account_is_told_in_the_server_s_words() {
    for (way, advice) in [
        (WAYS[0], "Ask the server's administrator"),
        // POP3 has one code for whatever is wrong with a log-in (RFC 3206, section 5).
        (WAYS[1], "If that tells of a locked account, ask"),
    ] {
        let Some((server, world)) = ready(way, "") else {
            return;
        };
        server.set_user(Some("nologin=y reason=Closed_on_Monday"));
        refused(
            &world,
            &["localhost:", MAIL_USER, "Closed_on_Monday", advice],
        );
        server.set_user(Some(""));
        works(&world);
    }
}

#[test]
fn a_server_that_can_not_check_passwords_now() {
    for way in WAYS {
        let Some((server, world)) = ready(way, "") else {
            return;
        };
        server.set_user(None);
        let ran = refused(
            &world,
            &[
                "localhost:",
                "has no time for this mailbox now",
                "Nothing is wrong with the credentials",
            ],
        );
        assert!(!ran.stderr.contains("set the password"), "{ran}");
        server.set_user(Some(""));
        works(&world);
    }
}

#[test]
fn too_many_connections() {
    for way in WAYS {
        let Some((server, world)) = ready(way, "mail_max_userip_connections = 1") else {
            return;
        };
        let others = (Inspector::open(&server), server.occupy_pop());
        refused(
            &world,
            &[
                "localhost:",
                "has no time for this mailbox now",
                "Maximum number of connections",
            ],
        );
        world.change("Retries", "3");
        let leaving = thread::spawn(move || {
            thread::sleep(Duration::from_millis(500));
            drop(others);
        });
        let ran = world.run(&[]);
        leaving.join().unwrap();
        ran.exit(0)
            .complains("Trying again in 1 s (attempt 2 of 4)");
        assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
        assert_eq!(ran.lines_starting("accepted:"), 1, "{ran}");
    }
}

#[test]
fn a_greeting_that_refuses_without_a_reason_may_pass() {
    let server = RudeServer::saying(b"-ERR too many connections\r\n");
    let world = World::with(&Ini::pop(server.port).set("Mail", "Retries", "1").rule(RULE));
    refused(
        &world,
        &[
            "given up after 2 attempts",
            "localhost:",
            "has no time for this mailbox now: too many connections",
        ],
    );
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_greeting_that_comes_after_another_line() {
    let Some((server, world)) = ready(WAYS[0], "") else {
        return;
    };
    let proxy = CountingProxy::before(server.address, server.imap);
    proxy.rewrite(
        "* OK [CAPABILITY",
        "* OK Waiting for authentication process to respond..\r\n* OK [CAPABILITY",
    );
    world.change("Port", &proxy.port.to_string());
    works(&world);
}
