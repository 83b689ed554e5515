//! `--credentials` and sealed secrets: what is written where, and what is refused.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::net::TcpListener;

use harness::world::{KEY, OPCON_PASSWORD, OPCON_USER};
use harness::{Ini, Mail, Tree, World};

const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";

/// A world that is not sealed yet, with one mail that matches.
fn unsealed() -> World {
    let world = World::new();
    world.write_ini(Ini::folder().rule(RULE).text(&world.place("")));
    world.mail("1.eml", &Mail::new("Test").bytes());
    world
}

/// The same, sealed.
fn sealed() -> World {
    let world = unsealed();
    world.seal(false);
    world
}

/// The value of a key in the INI file.
fn value(world: &World, key: &str) -> String {
    let text = world.ini_text();
    let start = format!("{key}=");
    text.lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_default()
        .to_owned()
}

/// The run refuses to use the sealed password, says so, and writes nothing.
#[track_caller]
fn assert_not_used(world: &World, words: &[&str]) {
    let ran = world.run(&[]);
    ran.exit(2)
        .complains("OpConUserPassword")
        .complains("--credentials");
    for word in words {
        ran.complains(word);
    }
    assert_eq!(world.event_lines(), [""; 0]);
}

#[test]
fn sealed_credentials_stand_at_the_end_of_every_event() {
    let world = sealed();
    world.run(&[]).exit(0);
    assert_eq!(
        world.event_lines(),
        [format!(
            "$CONSOLE:DISPLAY,hit,{OPCON_USER},{OPCON_PASSWORD}"
        )]
    );
}

#[test]
fn passwords_are_encrypted_in_the_ini_file() {
    let world = sealed();
    assert!(
        value(&world, "OpConUserPassword").starts_with("enc:v1:"),
        "{}",
        world.ini_text()
    );
    let first = value(&world, "OpConUserPassword");
    world.seal(false);
    assert_ne!(
        value(&world, "OpConUserPassword"),
        first,
        "a fresh nonce for every seal"
    );
}

#[test]
fn it_says_what_it_wrote_without_showing_any_secret() {
    let world = unsealed();
    world.secret(OPCON_PASSWORD);
    let ran = world.run(&[
        "--credentials",
        "-opconuser:batch",
        &format!("-opconpassword:{OPCON_PASSWORD}"),
    ]);
    ran.exit(0).says("OpConUserPassword").says("SMArtEmail.ini");
}

#[test]
fn values_are_read_line_by_line_in_a_fixed_order() {
    for switches in [
        ["-user", "-password", "-opconuser", "-opconpassword"],
        ["-opconpassword:-", "-opconuser=-", "-password:", "-user"],
    ] {
        for line_end in ["\n", "\r\n"] {
            let world = unsealed();
            for secret in ["Mailbox-pass-31", OPCON_PASSWORD] {
                world.secret(secret);
            }
            let answers = ["alice", "Mailbox-pass-31", OPCON_USER, OPCON_PASSWORD]
                .map(|answer| format!("{answer}{line_end}"))
                .concat();
            world
                .run_with(&[&["--credentials"], &switches[..]].concat(), &answers)
                .exit(0);
            world.run(&[]).exit(0);
            assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
            assert!(
                value(&world, "Password").starts_with("enc:v1:"),
                "{}",
                world.ini_text()
            );
        }
    }
}

#[test]
fn a_missing_answer_changes_nothing() {
    for input in ["", "\n"] {
        let world = unsealed();
        let before = world.ini_bytes();
        let ran = world.run_with(
            &["--credentials", "-opconuser:batch", "-opconpassword"],
            input,
        );
        assert_ne!(ran.code, Some(0), "{ran}");
        assert!(ran.stderr.contains("password"), "{ran}");
        assert_eq!(world.ini_bytes(), before);
    }
}

#[test]
fn a_secret_may_hold_any_character_of_a_line() {
    let odd = " p;#\"a'%PATH%\\ss=wörd-5512 ";
    let world = unsealed();
    world.secret(odd);
    world
        .run_with(
            &["--credentials", "-opconuser:batch", "-opconpassword"],
            &format!("{odd}\n"),
        )
        .exit(0);
    world.run(&[]).exit(0);
    assert_eq!(
        world.event_lines(),
        [format!("$CONSOLE:DISPLAY,hit,batch,{odd}")]
    );
}

#[test]
fn a_secret_in_plain_text_is_refused_with_the_command_that_encrypts_it() {
    let world = unsealed();
    let plain = "OpConUser=batch\nOpConUserPassword=Plain-text-8812";
    world.write_ini(
        world
            .ini_text()
            .replacen("[General]", &format!("[General]\n{plain}"), 1),
    );
    let ran = world.run(&[]);
    ran.exit(2)
        .complains("OpConUserPassword")
        .complains("--credentials");
    assert!(!ran.output().contains("Plain-text-8812"), "{ran}");
    assert_eq!(world.event_lines(), [""; 0]);
    assert!(ran.stderr.contains("SMArtEmail.ini:3"), "{ran}");
}

#[test]
fn credentials_that_were_never_set_are_asked_for_with_the_command() {
    let world = unsealed();
    world
        .run(&[])
        .exit(2)
        .complains("--credentials")
        .complains("OpConUser");
    assert_eq!(world.event_lines(), [""; 0]);
}

#[test]
fn a_value_that_was_tampered_with_is_never_used() {
    let world = sealed();
    let old = value(&world, "OpConUserPassword");
    let place = old.len() - 8;
    let other = if old.as_bytes()[place] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut new = old.clone();
    new.replace_range(place..=place, other);
    world.write_ini(world.ini_text().replace(&old, &new));
    assert_not_used(&world, &["SMArtEmail.ini:"]);
}

#[test]
fn a_value_that_was_cut_short_is_never_used() {
    for length in [7, 8, 20, 40] {
        let world = sealed();
        let old = value(&world, "OpConUserPassword");
        let short: String = old.chars().take(length).collect();
        world.write_ini(world.ini_text().replace(&old, &short));
        assert_not_used(&world, &[]);
    }
}

#[test]
fn a_value_copied_to_another_key_is_never_used() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let world = World::with(&Ini::imap(server.local_addr().unwrap().port()).rule(RULE));
    let text = world.ini_text();
    let moved = text.replace(
        &value(&world, "Password"),
        &value(&world, "OpConUserPassword"),
    );
    world.write_ini(moved);
    world
        .run(&[])
        .exit(2)
        .complains("Password")
        .complains("[Mail]")
        .complains("--credentials");
    assert!(server.accept().is_err(), "it connected");
}

#[test]
fn a_value_of_another_machine_is_never_used() {
    let (world, other) = (sealed(), sealed());
    std::fs::copy(other.path(KEY), world.path(KEY)).unwrap();
    assert_not_used(&world, &[]);
}

#[test]
fn a_lost_key_file_is_named() {
    let world = sealed();
    std::fs::remove_file(world.path(KEY)).unwrap();
    assert_not_used(&world, &["secret.key"]);
    assert!(!world.path(KEY).exists(), "a run must not make a new key");
}

#[test]
fn a_broken_key_file_is_named_and_not_overwritten() {
    let world = sealed();
    std::fs::write(world.path(KEY), "short").unwrap();
    assert_not_used(&world, &["secret.key"]);
    let ran = world.run_with(
        &["--credentials", "-opconuser:batch", "-opconpassword"],
        "Another-pass-4\n",
    );
    ran.exit(2).complains("secret.key");
    assert_eq!(std::fs::read(world.path(KEY)).unwrap(), b"short");
}

#[cfg(unix)]
#[test]
fn the_key_file_is_readable_by_its_owner_only_and_lies_apart_from_the_ini_file() {
    use std::os::unix::fs::PermissionsExt;
    let world = sealed();
    let mode = |name: &str| {
        std::fs::metadata(world.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(KEY), 0o600);
    assert_eq!(mode("home/.config/smartemail") & 0o077, 0);
}

#[test]
fn the_key_stays_the_same_when_credentials_change() {
    let world = sealed();
    let key = std::fs::read(world.path(KEY)).unwrap();
    world.seal(true);
    assert_eq!(std::fs::read(world.path(KEY)).unwrap(), key);
    world.run(&[]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
}

#[test]
fn nothing_but_the_ini_file_and_the_key_is_written() {
    let world = unsealed();
    let before = world.tree();
    world.seal(false);
    let Tree(after) = world.tree();
    let new: Vec<_> = after
        .iter()
        .filter(|(name, bytes)| bytes.is_some() && !before.0.contains_key(*name))
        .collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(world.path(KEY).exists());
}

#[cfg(unix)]
#[test]
fn the_ini_file_keeps_its_rights() {
    use std::os::unix::fs::PermissionsExt;
    let world = unsealed();
    for mode in [0o640, 0o600, 0o664] {
        std::fs::set_permissions(world.ini_path(), std::fs::Permissions::from_mode(mode)).unwrap();
        world.seal(false);
        assert_eq!(
            std::fs::metadata(world.ini_path())
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            mode
        );
    }
}
