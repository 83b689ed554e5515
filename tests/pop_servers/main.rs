//! POP3 servers that can do little, or do it badly: right results all the same, or a clear refusal.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

mod hostile;

use harness::pop_server::{Abilities, Names};
use harness::{Ini, Mail, PopServer, Ran, World};

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
                world.assert_events(&["one", "two", "three", "four"]);
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
    world.assert_events(&["one", "two", "same", "same", "two"]);
}

#[test]
fn a_name_that_another_mail_gets_is_the_name_of_a_new_mail() {
    let server = server(Abilities::default(), &["one", "two"]);
    let world = saving(&server);
    world.run(&[]).exit(0);
    // Somebody empties the mailbox, and the server counts from the start again.
    server.remove(2);
    server.remove(1);
    world.run(&[]).exit(0).says("0 mails looked at");
    server.count_from(1);
    let later = "Tue, 6 Jan 2026 13:00:00 +0000";
    server.deliver(&Mail::new("Test three").received(later).bytes());
    world.run(&["--explain"]).exit(0).says("1 event");
    world.run(&[]).exit(0).says("1 mail looked at");
    // A mail that was only out of sight is the same.
    server.deliver(&mail("two"));
    let ran = world.run(&[]);
    ran.exit(0).says("0 mails looked at");
    assert!(!ran.stderr.contains("passed over"), "{ran}");
    server.take_heard("");
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(server.take_heard("TOP"), [""; 0]);
    world.assert_events(&["one", "two", "three"]);
}

#[test]
fn a_mail_whose_name_changes_is_recognised_among_others_that_keep_theirs() {
    let server = PopServer::start(Abilities::default());
    let nameless = |word: &str| {
        let mail = Mail::new(&format!("Test {word}"));
        let received = "Tue, 6 Jan 2026 12:00:00 +0000";
        mail.received(received).bytes()
    };
    for word in ["twin", "keeps", "twin"] {
        server.deliver(&nameless(word));
    }
    let world = world(&server);
    world.run(&[]).exit(0).says("3 mails looked at");
    // Two get other names, and a third of the same looks is new.
    server.remove(3);
    server.remove(1);
    server.count_from(11);
    for word in ["twin", "twin", "twin", "other"] {
        server.deliver(&nameless(word));
    }
    world.run(&[]).exit(0).says("2 mails looked at");
    world.run(&[]).exit(0).says("0 mails looked at");
    world.assert_events(&["twin", "keeps", "twin", "twin", "other"]);
}

#[test]
fn a_name_gets_no_blame_for_the_mail_that_had_it_before() {
    let server = PopServer::start(Abilities::default());
    let too_long = [mail("long"), b"x".repeat(2_000_000)].concat();
    server.deliver(&too_long);
    let ini = Ini::pop(server.port)
        .set("General", "DownloadEmails", "True")
        .set("General", "MaxMailSize", "1");
    let world = World::with(&ini.rule(RULE));
    for _ in 0..5 {
        world.run(&[]).exit(2);
    }
    world.run(&[]).exit(0).says("set aside");
    server.remove(1);
    let ran = world.run(&[]);
    ran.exit(0).says("0 mails looked at");
    assert!(!ran.output().contains("set aside"), "{ran}");
    server.count_from(1);
    server.deliver(&mail("one"));
    world.run(&[]).exit(0).says("1 mail looked at");
    world.assert_events(&["one"]);
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
    world.assert_events(&["42", "42"]);
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
    world.assert_events(&["one"]);
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
        world.assert_events(&["one"]);
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
    world.assert_events(&["one", "two"]);
    let lf = String::from_utf8(mail("one")).unwrap().replace('\r', "");
    let saved = world.saved();
    assert!(
        saved
            .iter()
            .any(|name| world.read(&format!("Received/{name}")) == lf)
    );
}
