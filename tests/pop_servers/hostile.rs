//! Servers that lie, refuse or never end, and the mails that make them: bounded work, and a clear
//! refusal.

use std::time::Duration;

use super::*;
use crate::harness::RudeServer;

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
            world.assert_events(&["42", "42", "42"]);
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
        world.assert_events(&["one", "two"]);
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
        world.assert_events(&["one", "three"]);
        server.change(|abilities| abilities.refuses = None);
        world.run(&[]).exit(0).says("1 mail looked at");
        world.assert_events(&["one", "three", "two"]);
    }
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
        world.assert_events(&["one", "forger", "two"]);
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
    let mail = "sends a mail that goes on";
    for (endless, said) in [
        ("CAPA", "CAPA"),
        ("UIDL", "UIDL"),
        ("LIST", "LIST"),
        ("TOP", mail),
        ("RETR", mail),
    ] {
        let abilities = Abilities {
            endless: Some(endless),
            capabilities: Some(MODERN),
            ..Abilities::default()
        };
        let server = server(abilities, &["one"]);
        let ini = Ini::pop(server.port)
            .set("General", "DownloadEmails", "True")
            .set("General", "MaxMailSize", "1");
        let world = World::with(&ini.rule(RULE));
        let ran = world.run(&[]);
        assert_refuses(&ran, &["localhost", said]);
        assert_eq!(world.event_lines(), [""; 0]);
    }
}

#[test]
fn more_mails_than_can_be_told_apart_in_bounded_memory() {
    let server = PopServer::start(Abilities::default());
    for _ in 0..=100_000 {
        server.deliver(b"");
    }
    let ran = world(&server).run(&[]);
    assert_refuses(&ran, &["localhost", "more than 100000 mails", "IMAP"]);
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

#[test]
fn lengths_beyond_all_measure() {
    let body = "SubjectLineMask=total is (\\d+)\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,[[1]]";
    for capabilities in [None, Some(MODERN)] {
        let abilities = Abilities {
            size: |_| u64::MAX,
            capabilities,
            ..Abilities::default()
        };
        let server = server(abilities, &["one", "two"]);
        let world = World::with(&Ini::pop(server.port).rule(body));
        assert_refuses(&world.run(&[]), &["<0001>", "MaxMailSize"]);
        server.change(|abilities| abilities.size = |length| length as u64);
        world.run(&[]).exit(0);
        world.assert_events(&["42", "42"]);
    }
}

/// A server that tells no lengths, but for one mail, does not decide how much is held at a time.
#[test]
fn lengths_that_hide_how_much_is_to_come() {
    let abilities = Abilities {
        size: |length| if length > 1 << 20 { 0 } else { 1 << 40 },
        capabilities: Some(MODERN),
        ..Abilities::default()
    };
    let server = server(abilities, &["one"]);
    let text = "a line of text that goes on and on\n".repeat(1 << 17);
    for number in 0..30 {
        server.deliver(&Mail::new(&format!("Test {number}")).text(&text).bytes());
    }
    let never = "SubjectLineMask=never\nProcessBody=YES\nEvent=$CONSOLE:DISPLAY,x";
    let world = World::with(&Ini::pop(server.port).rule(never));
    assert_refuses(&world.run(&[]), &["longer than the server says"]);
}

#[test]
fn a_server_that_can_not_hand_out_mails_for_a_while_is_no_fault_of_the_mails() {
    let old = "TOP\nUIDL\nUSER";
    for (command, capabilities) in [("TOP", old), ("TOP", MODERN), ("RETR", MODERN)] {
        let abilities = Abilities {
            refuses: Some((command, "[SYS/TEMP] the store is away")),
            capabilities: Some(capabilities),
            ..Abilities::default()
        };
        let server = server(abilities, &["one", "two"]);
        let world = saving(&server);
        for _ in 0..6 {
            assert_refuses(&world.run(&[]), &["the store is away", "localhost"]);
        }
        server.change(|abilities| abilities.refuses = None);
        world.run(&[]).exit(0).says("2 accepted");
        world.assert_events(&["one", "two"]);
    }
}

#[test]
fn a_mail_that_is_listed_and_can_not_be_had_is_told() {
    for (words, told) in [("TOP 2", "what mail?"), ("2", "gone: 1 mail")] {
        let abilities = Abilities {
            refuses: Some((words, "what mail?")),
            ..Abilities::default()
        };
        let server = server(abilities, &["one", "two"]);
        let world = saving(&server);
        let ran = world.run(&[]);
        assert!(ran.output().contains(told), "{ran}");
        server.remove(2);
        server.change(|abilities| abilities.refuses = None);
        world.run(&[]).exit(0).says("0 failed");
        world.assert_events(&["one"]);
    }
}

/// Such a mail has no end that could be told from its text, but for its length.
#[test]
fn a_mail_that_ends_in_lf_alone_holds_up_no_other() {
    let odd = [mail("odd"), b"the end\n".to_vec()].concat();
    let ini = |server: &PopServer| {
        Ini::pop(server.port)
            .set("General", "DownloadEmails", "True")
            .set("Mail", "ReadTimeout", "00:00:01")
            .set("Mail", "Retries", "1")
            .rule(RULE)
    };
    let deliver = |server: &PopServer| {
        for mail in [&mail("one"), &odd, &mail("two")] {
            server.deliver(mail);
        }
    };
    for capabilities in ["TOP\nUIDL\nUSER", MODERN] {
        let server = PopServer::start(Abilities {
            capabilities: Some(capabilities),
            ..Abilities::default()
        });
        deliver(&server);
        let world = World::with(&ini(&server));
        world.run(&[]).exit(0);
        world.assert_events(&["one", "odd", "two"]);
        let read = |name: &String| world.read(&format!("Received/{name}")).into_bytes();
        assert!(world.saved().iter().map(read).any(|saved| saved == odd));
    }
    // Where the server is wrong about its length, that mail alone is left out.
    let server = PopServer::start(Abilities {
        size: |length| length as u64 + 1,
        ..Abilities::default()
    });
    deliver(&server);
    let world = World::with(&ini(&server));
    assert_refuses(&world.run(&[]), &["<0002>", "line without CR"]);
    world.assert_events(&["one", "two"]);
}

/// What the header of a mail may cost is bounded, however many of them there are.
#[test]
fn subjects_without_measure() {
    let server = PopServer::start(Abilities {
        capabilities: Some(MODERN),
        ..Abilities::default()
    });
    for number in 0..60 {
        let subject = format!("Test {number} {}", "s".repeat(900_000));
        server.deliver(&Mail::new(&subject).bytes());
    }
    let rule = "SubjectLineMask=never\nEvent=$CONSOLE:DISPLAY,x";
    let ini = Ini::pop(server.port).set("General", "ExitCodeNoMatch", "0");
    let ran = World::with(&ini.rule(rule)).run(&[]);
    ran.exit(0).says("60 mails looked at");
    assert!(ran.peak_kb < 64 * 1024, "{} kB\n{ran}", ran.peak_kb);
}

#[test]
fn names_without_measure() {
    let server = PopServer::start(Abilities::default());
    let name = "n".repeat(1000);
    let named = (0..150).fold(Mail::new("Test many"), |mail, _| mail.attach(&name, b"x"));
    server.deliver(&named.bytes());
    server.deliver(&mail("one"));
    let rule = "SubjectLineMask=Test (\\w+)\nProcessAttachments=True\nEvent=$CONSOLE:DISPLAY,[[1]]";
    let world = World::with(&Ini::pop(server.port).rule(rule));
    assert_refuses(&world.run(&[]), &["<0001>", "names of its attachments"]);
}
