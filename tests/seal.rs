//! `-seal`: one setting at a time is sealed into the INI file.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::world::KEY;
use harness::{Ini, Mail, Ran, Sink, World};

const SECRET: &str = "Sealed-one-6204";

/// An INI file as people write them: comments, blanks, CRLF, a section that stands there already.
const TEXT: &str = "; by hand\r\n[General]\r\nMSGINDirectory = MSGIN\r\n\r\n[SMTP-Client]\r\n\
                    # the server\r\nserver=mail.example.test\r\nPassword=old one\r\nport=25\r\n\r\n[Tokens]\r\nA=1";

#[track_caller]
fn seal(world: &World, name: &str, value: &str) -> Ran {
    world.secret(value);
    world.run_with(&[&format!("-seal:{name}")], &format!("{value}\n"))
}

/// The file's lines, sealed values cut to their marks.
fn lines(world: &World) -> Vec<String> {
    let text = world.ini_text();
    let lines = text
        .split('\n')
        .map(|line| match line.split_once("enc:v1:") {
            Some((key, _)) => format!("{key}enc:v1:"),
            None => line.to_owned(),
        });
    lines.collect()
}

#[test]
fn the_value_takes_the_place_of_the_old_one_and_every_other_byte_stays() {
    let world = World::new();
    world.write_ini(TEXT);
    seal(&world, "smtp-client.PASSWORD", SECRET)
        .exit(0)
        .says("sealed into")
        .says("[smtp-client] password");
    let sealed = lines(&world).join("\n");
    assert_eq!(
        sealed,
        TEXT.replace("Password=old one\r", "Password=enc:v1:")
    );
    assert_eq!(
        world.ini_text().matches('\r').count(),
        TEXT.matches('\r').count()
    );
}

#[test]
fn a_missing_section_is_added_at_the_end() {
    let world = World::new();
    world.write_ini(TEXT);
    for name in ["secret-mine.password", "secret-other.password", "mail.user"] {
        seal(&world, name, SECRET).exit(0);
    }
    let text = world.ini_text();
    assert!(text.starts_with(TEXT), "{text}");
    let lines = lines(&world);
    for section in ["[secret-mine]", "[secret-other]"] {
        let place = lines.iter().position(|line| line.trim() == section);
        let next = place.and_then(|place| lines.get(place + 1));
        assert_eq!(next.map(String::as_str), Some("password=enc:v1:"), "{text}");
    }
    assert!(lines.contains(&"User=enc:v1:".to_owned()), "{text}");
}

#[test]
fn what_is_never_sealed_is_refused_before_anything_is_touched() {
    let world = World::new();
    world.write_ini(TEXT);
    for name in [
        "smtp-client.server",
        "general.msgindirectory",
        "password",
        "secret-.password",
    ] {
        let ran = world.run_with(&[&format!("-seal:{name}")], "x\n");
        ran.exit(1)
            .complains(name)
            .complains("smtp-client.password")
            .complains("secret-NAME.password");
    }
    world
        .run_with(&["-seal:mail.user", "--check"], "x\n")
        .exit(1);
    assert_eq!(world.ini_text(), TEXT);
    assert!(!world.path(KEY).exists());
}

#[test]
fn without_a_value_nothing_is_written() {
    let world = World::new();
    world.write_ini(TEXT);
    for input in ["", "\n"] {
        world
            .run_with(&["-seal:smtp-client.password"], input)
            .exit(2)
            .complains("[smtp-client] password");
    }
    assert_eq!(world.ini_text(), TEXT);
}

#[test]
fn a_value_is_good_for_its_own_setting_alone() {
    let sink = Sink::start();
    let ini = Ini::folder()
        .smtp(sink.port)
        .set("smtp-client", "enable-authentication", "true")
        .set("smtp-client", "user", "jobs@example.test")
        .set("Audit", "NotifyOnAccepts", "True")
        .rule("SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit");
    let world = World::with_mails(&ini, &[Mail::new("Test")]);
    seal(&world, "mail.password", SECRET).exit(0);
    let text = world.ini_text();
    let sealed = text.lines().find_map(|line| line.strip_prefix("Password="));
    let copied = sealed.map(|value| format!("[smtp-client]\npassword={value}\n"));
    world.write_ini(text.replace("[smtp-client]\n", &copied.unwrap_or_default()));
    world
        .run(&[])
        .exit(2)
        .complains_in_one_line(&["[smtp-client] password", "-seal:smtp-client.password"]);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"]);
    assert_eq!(sink.connections(), 0);
}
