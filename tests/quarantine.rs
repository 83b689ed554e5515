//! A mail that fails by itself: tried again in five runs, then set aside until `--retry`.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use harness::{Dovecot, Ini, Inspector, Mail, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";

/// A mail over `MaxMailSize`, and the settings that it is over.
fn huge() -> Vec<u8> {
    Mail::new("Test huge")
        .attach("a.bin", &vec![7; 1_200_000])
        .bytes()
}

fn small(word: &str) -> Vec<u8> {
    Mail::new(&format!("Test {word}")).bytes()
}

fn settings(ini: Ini) -> Ini {
    ini.set("General", "DownloadEmails", "True")
        .set("General", "MaxMailSize", "1")
        .set("General", "DeleteEmails", "Match")
        .set("General", "ExitCodeForNoMatchingEmails", "3")
        .rule(RULE)
}

/// Events without the text around them, sorted.
fn words(world: &World) -> Vec<String> {
    let mut words: Vec<_> = world
        .events()
        .iter()
        .map(|event| event.trim_start_matches("$CONSOLE:DISPLAY,").to_owned())
        .collect();
    words.sort();
    words
}

/// Five runs that fail at the mail, with another mail each, and one that passes it over.
fn fails_five_times(world: &World, deliver: &dyn Fn(&[u8])) {
    deliver(&huge());
    for run in 1..=5 {
        deliver(&small(&format!("small{run}")));
        let ran = world.run(&[]);
        ran.exit(2)
            .says("1 failed")
            .says("1 accepted")
            .complains("Test huge")
            .complains("MaxMailSize");
        let aside = ran.lines_starting("set aside: ");
        assert_eq!(aside, usize::from(run == 5), "run {run}\n{ran}");
    }
    for _ in 0..2 {
        let ran = world.run(&[]);
        ran.exit(3).says("0 mails looked at").says("5 runs");
        assert_eq!(ran.lines_starting("set aside: "), 1, "{ran}");
        ran.says("Test huge").says("--retry");
    }
    deliver(&small("late"));
    world
        .run(&[])
        .exit(0)
        .says("1 accepted")
        .says("set aside: ");
    let others = ["late", "small1", "small2", "small3", "small4", "small5"];
    assert_eq!(words(world), others);
}

/// `--retry` fails while nothing has changed, and helps when it has.
fn is_taken_up_again(world: &World) {
    let ran = world.run(&["--retry"]);
    ran.exit(2)
        .says("retry: 1 mail taken up again")
        .complains("Test huge")
        .never_says("set aside:");
    // It has a few attempts again, not just the one.
    world.run(&[]).exit(2);
    for _ in 0..2 {
        world.run(&[]).exit(2);
    }
    world.run(&[]).exit(3).says("set aside: ");

    world.write_ini(
        world
            .ini_text()
            .replace("MaxMailSize=1\n", "MaxMailSize=9\n"),
    );
    world.run(&[]).exit(3).says("set aside: ");
    let ran = world.run(&["--retry"]);
    ran.exit(0).says("1 accepted").says("1 deleted");
    ran.never_says("set aside:");
    world.run(&[]).exit(3).never_says("set aside:");
    assert_eq!(
        words(world).iter().filter(|word| *word == "huge").count(),
        1
    );
    assert_eq!(words(world).len(), 7);
    assert_eq!(world.saved().len(), 7, "{:?}", world.saved());
}

#[test]
fn a_mail_on_a_server_that_is_too_large() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let world = World::with(&settings(Ini::imap(server.imap)));
    fails_five_times(&world, &|mail| server.deliver(mail, NOON));
    assert_eq!(Inspector::open(&server).subjects(), ["Test huge"]);
    is_taken_up_again(&world);
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
}

#[test]
fn a_mail_in_a_folder_that_is_too_large() {
    let world = World::with(&settings(Ini::folder()));
    let arrived = std::cell::Cell::new(0);
    fails_five_times(&world, &|mail| {
        arrived.set(arrived.get() + 1);
        world.mail(&format!("{:03}.eml", arrived.get()), mail);
    });
    assert_eq!(world.mails_left(), ["001.eml"]);
    is_taken_up_again(&world);
    assert_eq!(world.mails_left(), [""; 0]);
}

#[test]
fn a_mail_that_somebody_has_removed_is_forgotten() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let world = World::with(&settings(Ini::imap(server.imap)));
    let mut other = Inspector::open(&server);
    let mut remove = |uid: u32| {
        other.command("SELECT INBOX");
        other.command(&format!("UID STORE {uid} +FLAGS (\\Deleted)"));
        other.command("EXPUNGE");
        other.command("UNSELECT");
    };
    // While it is still tried.
    server.deliver(&huge(), NOON);
    world.run(&[]).exit(2);
    remove(1);
    world.run(&[]).exit(3).never_says("failed:");
    // After it was set aside, by the next look at such mails.
    server.deliver(&huge(), NOON);
    for _ in 0..5 {
        world.run(&[]).exit(2);
    }
    world.run(&[]).exit(3).says("set aside: ");
    remove(2);
    let ran = world.run(&["--retry"]);
    ran.exit(3).says("retry: 1 mail").never_says("set aside: ");
    world.run(&[]).exit(3).never_says("set aside: ");
    assert_eq!(world.event_files(), [""; 0]);
}
