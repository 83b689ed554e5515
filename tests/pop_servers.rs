//! POP3 servers that can do little, or do it badly: right results all the same, or a clear refusal.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

use harness::pop_server::{Abilities, Names};
use harness::{Ini, Mail, PopServer, Ran, RudeServer, World};

const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// All that a server may say of itself.
const MODERN: &str = "TOP\nUIDL\nUSER\nSASL PLAIN\nRESP-CODES\nPIPELINING";

fn mail(word: &str) -> Vec<u8> {
    Mail::new(&format!("Test {word}"))
        .header(&format!("Message-ID: <{word}@example.test>"))
        .text(".\n..\nThe total is 42\n")
        .bytes()
}

fn server(abilities: Abilities, words: &[&str]) -> PopServer {
    let server = PopServer::start(abilities);
    words.iter().for_each(|word| server.deliver(&mail(word)));
    server
}

fn world(server: &PopServer) -> World {
    World::with(&Ini::pop(server.port).rule(RULE))
}

fn saving(server: &PopServer) -> World {
    World::with(
        &Ini::pop(server.port)
            .set("General", "DownloadEmails", "True")
            .rule(RULE),
    )
}

#[track_caller]
fn assert_events(world: &World, words: &[&str]) {
    let expected = words.iter().map(|word| format!("$CONSOLE:DISPLAY,{word}"));
    assert_eq!(world.events(), expected.collect::<Vec<_>>());
}

/// The saved mails are those of these words, byte for byte.
#[track_caller]
fn assert_saved(world: &World, words: &[&str]) {
    let read = |name: &String| world.read(&format!("Received/{name}")).into_bytes();
    let mut saved: Vec<Vec<u8>> = world.saved().iter().map(read).collect();
    let mut expected: Vec<Vec<u8>> = words.iter().map(|word| mail(word)).collect();
    saved.sort();
    expected.sort();
    assert!(saved == expected, "{} saved", saved.len());
}

/// The run fails for a reason in which all of these words stand, and does no harm.
#[track_caller]
fn assert_refuses(ran: &Ran, words: &[&str]) {
    ran.exit(2).complains_in_one_line(words);
    assert!(!ran.stderr.contains("panicked"), "{ran}");
    assert!(ran.peak_kb < 96 * 1024, "{} kB\n{ran}", ran.peak_kb);
}

#[test]
fn each_mail_once_whatever_the_server_can_not_do() {
    let old = Abilities {
        capabilities: None,
        ..Abilities::default()
    };
    for names in [Names::Unique, Names::None, Names::Same, Names::Odd] {
        for top in [true, false] {
            for capabilities in [None, Some("USER"), Some(MODERN)] {
                let says_too_much = capabilities == Some(MODERN) && (!top || names == Names::None);
                if says_too_much {
                    continue;
                }
                println!("--- {names:?}, TOP {top}, CAPA {capabilities:?}");
                let abilities = Abilities {
                    names,
                    top,
                    capabilities,
                    ..old.clone()
                };
                let server = server(abilities, &["one", "two"]);
                let world = saving(&server);
                world.run(&[]).exit(0).says("2 mails looked at");
                server.deliver(&mail("three"));
                world.run(&[]).exit(0).says("1 mail looked at");
                // Somebody removes a mail, so that the others move up; and some servers write
                // what they know of a mail into its header.
                server.remove(1);
                server.rewrite(|mail| [b"Status: RO\r\nX-UIDL: 1\r\n", mail].concat());
                server.take_heard("");
                world.run(&[]).exit(0).says("0 mails looked at");
                let heard = server.take_heard("");
                let asks = |line: &String| line.starts_with("TOP") || line.starts_with("RETR");
                let known_by_name = matches!(names, Names::Unique | Names::Odd);
                assert_eq!(heard.iter().any(asks), !known_by_name, "{heard:?}");
                server.rewrite(|mail| mail[b"Status: RO\r\nX-UIDL: 1\r\n".len()..].to_vec());
                server.deliver(&mail("four"));
                world.run(&[]).exit(0).says("1 mail looked at");
                assert_events(&world, &["one", "two", "three", "four"]);
                assert_saved(&world, &["one", "two", "three", "four"]);
                assert_eq!(server.mails(), 3);
            }
        }
    }
}

#[test]
fn a_server_without_names_says_what_that_costs() {
    let abilities = Abilities {
        names: Names::None,
        capabilities: Some("USER\nTOP"),
        ..Abilities::default()
    };
    let server = server(abilities, &["one", "two"]);
    let world = saving(&server);
    let ran = world.run(&[]);
    ran.exit(0)
        .complains_in_one_line(&["no UIDL", "headers", "every run"]);
    assert_eq!(server.take_heard("TOP").len(), 2, "each header once");
    world.run(&["--check"]).exit(0).complains("no UIDL");

    // Two mails that look the same are two mails, as long as no Message-ID says otherwise.
    for word in ["same", "same", "two"] {
        let twin = Mail::new("Test same").bytes();
        server.deliver(&if word == "two" { mail(word) } else { twin });
        world.run(&[]).exit(0);
    }
    // What a server notes of a mail in its header makes no other mail of it.
    server.rewrite(|mail| {
        let is_twin = String::from_utf8_lossy(mail).contains("Test same");
        let notes: &[u8] = if is_twin { b"Status: RO\r\n" } else { b"" };
        [notes, mail].concat()
    });
    let ran = world.run(&[]);
    ran.exit(0).says("0 mails looked at");
    assert!(!ran.stderr.contains("passed over"), "{ran}");
    assert_events(&world, &["one", "two", "same", "same"]);
}

#[test]
fn a_server_without_top_hands_out_each_mail_once() {
    let abilities = Abilities {
        top: false,
        capabilities: Some("USER\nUIDL\nPIPELINING"),
        ..Abilities::default()
    };
    let server = server(abilities, &["one", "two"]);
    let body = "SubjectLineMask=total is (\\d+)\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let ini = Ini::pop(server.port).set("General", "DownloadEmails", "True");
    let world = World::with(&ini.rule(body));
    world.run(&[]).exit(0);
    assert_events(&world, &["42", "42"]);
    assert_saved(&world, &["one", "two"]);
    assert_eq!(server.take_heard("RETR"), ["RETR 1", "RETR 2"]);
}

#[test]
fn a_server_that_has_no_time_is_told_from_wrong_credentials() {
    let abilities = Abilities {
        login_delay: true,
        ..Abilities::default()
    };
    let server = server(abilities, &["one"]);
    // Trying again at once would be too soon again.
    let world = World::with(&Ini::pop(server.port).set("Mail", "Retries", "2").rule(RULE));
    world.run(&[]).exit(0);
    let ran = world.run(&[]);
    assert_refuses(&ran, &["minimum time between", "less often"]);
    assert!(!ran.stderr.contains("--credentials"), "{ran}");
    world.run(&[]).exit(0);
    assert_events(&world, &["one"]);
}

#[test]
fn names_that_can_not_be_had_for_once_do_not_make_all_mails_new() {
    for words in ["[SYS/TEMP] later", "what?"] {
        let server = server(Abilities::default(), &["one"]);
        let world = world(&server);
        world.run(&[]).exit(0);
        server.change(|abilities| abilities.refuses = Some(("UIDL", words)));
        world.run(&[]).exit(2);
        server.change(|abilities| abilities.refuses = None);
        world.run(&[]).exit(0).says("0 mails looked at");
        assert_events(&world, &["one"]);
    }
}

#[test]
fn lengths_that_are_wrong() {
    let body = "SubjectLineMask=total is (\\d+)\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let sizes: [fn(usize) -> u64; 3] = [|_| 0, |length| length as u64 / 2, |_| 1_000_000];
    for size in sizes {
        for capabilities in [None, Some(MODERN)] {
            let abilities = Abilities {
                size,
                capabilities,
                ..Abilities::default()
            };
            let server = server(abilities, &["one", "two", "three"]);
            let ini = Ini::pop(server.port).set("General", "DownloadEmails", "True");
            let world = World::with(&ini.rule(body));
            world.run(&[]).exit(0);
            assert_events(&world, &["42", "42", "42"]);
            assert_saved(&world, &["one", "two", "three"]);
        }
    }
}

#[test]
fn a_mail_that_is_longer_than_allowed_stays_alone_with_that() {
    let sizes: [fn(usize) -> u64; 2] = [|length| length as u64, |_| 1];
    for size in sizes {
        let abilities = Abilities {
            size,
            capabilities: Some(MODERN),
            ..Abilities::default()
        };
        let server = server(abilities, &["one"]);
        server.deliver(
            &Mail::new("Test long")
                .text(&"line\n".repeat(1 << 19))
                .bytes(),
        );
        server.deliver(&mail("two"));
        let ini = Ini::pop(server.port)
            .set("General", "DownloadEmails", "True")
            .set("General", "MaxMailSize", "1");
        let world = World::with(&ini.rule(RULE));
        assert_refuses(&world.run(&[]), &["Test long", "MaxMailSize"]);
        assert_events(&world, &["one", "two"]);
        assert_saved(&world, &["one", "two"]);
    }
}

#[test]
fn a_mail_that_the_server_refuses_stays_alone_with_that() {
    for (command, pipelines) in [
        ("TOP 2 ", false),
        ("RETR 2", false),
        ("TOP 2 ", true),
        ("RETR 2", true),
    ] {
        let abilities = Abilities {
            refuses: Some((command, "[SYS/TEMP] disk error")),
            capabilities: Some(if pipelines { MODERN } else { "TOP\nUIDL\nUSER" }),
            ..Abilities::default()
        };
        let server = server(abilities, &["one", "two", "three"]);
        let world = saving(&server);
        assert_refuses(&world.run(&[]), &["disk error", "tried again"]);
        assert_events(&world, &["one", "three"]);
        server.change(|abilities| abilities.refuses = None);
        world.run(&[]).exit(0).says("1 mail looked at");
        assert_events(&world, &["one", "three", "two"]);
    }
}

#[test]
fn lines_that_end_in_lf_alone() {
    let abilities = Abilities {
        line_end: "\n",
        capabilities: Some(MODERN),
        ..Abilities::default()
    };
    let server = server(abilities, &["one", "two"]);
    let world = saving(&server);
    world.run(&[]).exit(0);
    assert_events(&world, &["one", "two"]);
    let lf = String::from_utf8(mail("one")).unwrap().replace('\r', "");
    let saved = world.saved();
    assert!(
        saved
            .iter()
            .any(|name| world.read(&format!("Received/{name}")) == lf)
    );
}

#[test]
fn a_mail_can_not_speak_in_the_server_s_name() {
    // To one who takes LF for a line's end, the mail ends at its dot, and what follows is the
    // answer to the next command.
    let mut forger = Mail::new("Test forger").text("x").bytes();
    forger.extend(b"\n.\r\n+OK\r\nSubject: Test forged\r\n\r\n.\r\n");
    for capabilities in [None, Some(MODERN)] {
        let abilities = Abilities {
            capabilities,
            ..Abilities::default()
        };
        let server = server(abilities, &["one"]);
        server.deliver(&forger);
        server.deliver(&mail("two"));
        let world = saving(&server);
        world.run(&[]).exit(0);
        assert_events(&world, &["one", "forger", "two"]);
        let whole = world
            .saved()
            .iter()
            .any(|name| std::fs::read(world.path("Received").join(name)).unwrap() == forger);
        assert!(whole, "byte for byte");
    }
}

#[test]
fn a_slow_server_has_its_time_for_each_answer() {
    let abilities = Abilities {
        pause: Duration::from_secs(1),
        capabilities: Some(MODERN),
        ..Abilities::default()
    };
    let server = server(abilities, &["one", "two", "three", "four"]);
    let ini = Ini::pop(server.port).set("Mail", "ReadTimeout", "00:00:02");
    let world = World::with(&ini.rule(RULE));
    world.run(&[]).exit(0);
    assert_eq!(world.events().len(), 4);
    server.change(|abilities| abilities.pause = Duration::from_secs(4));
    assert_refuses(&world.run(&[]), &["took too long"]);
}

#[test]
fn answers_that_never_end() {
    for endless in ["CAPA", "UIDL", "LIST", "TOP", "RETR"] {
        let abilities = Abilities {
            endless: Some(endless),
            capabilities: Some(MODERN),
            ..Abilities::default()
        };
        let server = server(abilities, &["one"]);
        let ini = Ini::pop(server.port)
            .set("General", "DownloadEmails", "True")
            .set("General", "MaxMailSize", "1");
        // A gigabyte is passed over before the server is left.
        let world = World::with(&ini.rule(RULE)).limit(Duration::from_secs(300));
        let ran = world.run(&[]);
        assert_refuses(&ran, &["localhost", endless]);
        assert_eq!(world.event_lines(), [""; 0]);
    }
}

#[test]
fn servers_that_speak_otherwise_or_not_at_all() {
    for words in [
        &b""[..],
        b"\r\n",
        b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
        b"220 mail.example.test ESMTP\r\n",
        b"-ERR closed for today\r\n",
        b"+OK\r\n",
        b"+OK\r\n+OK\r\n.\r\n+OK\r\n+OK\r\n",
        b"+OK\n-ERR\n+OK\n+OK\n0 x\n.\n",
        b"+OK\r\n+\r\n",
        b"\xff\xfe\x00\x01\r\n",
    ] {
        let server = RudeServer::saying(words);
        let ini = Ini::pop(server.port).set("Mail", "ReadTimeout", "00:00:02");
        let ran = World::with(&ini.rule(RULE)).run(&[]);
        assert_refuses(&ran, &["localhost"]);
    }
    for words in [&[b'a'; 65536][..], b"+OK another line\r\n", b"+OK\r\n.\r\n"] {
        let server = RudeServer::repeating(words);
        let ini = Ini::pop(server.port).set("Mail", "ReadTimeout", "00:00:02");
        let ran = World::with(&ini.rule(RULE)).run(&[]);
        assert!(
            !ran.stderr.contains("panicked") && ran.peak_kb < 64 * 1024,
            "{ran}"
        );
    }
    let server = RudeServer::silent();
    let ini = Ini::pop(server.port).set("Mail", "ReadTimeout", "00:00:01");
    let ran = World::with(&ini.rule(RULE)).run(&[]);
    assert_refuses(&ran, &["took too long"]);
    assert!(ran.took < Duration::from_secs(8), "{ran}");
}
