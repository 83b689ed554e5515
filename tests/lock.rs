//! One run at a time: runs that start at the same moment, and what a killed one leaves behind.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::time::Duration;

use harness::{Dovecot, Ini, Mail, Sam, World, program};

const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";
const ROUNDS: usize = 100;

#[test]
fn of_two_runs_at_the_same_moment_one_works_and_one_says_who_does() {
    let world = World::with(
        &Ini::folder()
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
    );
    let sam = Sam::reading(world.path("MSGIN"), 1);
    let mut expected = Vec::new();
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    for round in 0..ROUNDS {
        for mail in 0..3 {
            let word = format!("m{round}x{mail}");
            world.mail(
                &format!("{word}.eml"),
                &Mail::new(&format!("Test {word}")).bytes(),
            );
            expected.push(format!("$CONSOLE:DISPLAY,{word}"));
        }
        let started = [world.start(&[]), world.start(&[])];
        let processes = started.each_ref().map(program::Running::id);
        // Each is watched from its start, so that the time it took is its own.
        let ran = std::thread::scope(|scope| {
            started
                .map(|running| scope.spawn(|| running.wait(Duration::from_secs(60))))
                .map(|thread| thread.join().unwrap())
        });
        let losers: Vec<_> = (0..2).filter(|index| ran[*index].code != Some(0)).collect();
        assert!(losers.len() < 2, "both gave way\n{}\n{}", ran[0], ran[1]);
        for loser in losers {
            // Wine has numbers of its own.
            let other = match program::is_windows() {
                true => "process ".to_owned(),
                false => format!("process {} since ", processes[1 - loser]),
            };
            ran[loser].exit(2).complains(&other);
            refused += 1;
            slowest = slowest.max(ran[loser].took);
        }
        assert_eq!(world.mails_left(), [""; 0]);
    }
    println!(
        "{ROUNDS} pairs, {refused} runs gave way to the other one, the slowest within {slowest:?}"
    );
    assert!(
        refused > ROUNDS / 10,
        "the two hardly ever met: {refused} times"
    );
    // A program of Wine takes its time to start.
    let at_once = Duration::from_secs(if program::is_windows() { 10 } else { 1 });
    assert!(slowest < at_once, "{slowest:?}");
    sam.finish().assert_once(&expected);
}

#[test]
fn a_killed_run_leaves_no_lock() {
    let ini = Ini::folder().rule(RULE);
    let world =
        World::with_mails(&ini, &[Mail::new("Test one")]).env("SMARTEMAIL_CRASH", "intended");
    world.run(&[]).killed();
    assert!(world.path("SMArtEmail.state/lock").exists());
    world.without_env("SMARTEMAIL_CRASH").run(&[]).exit(0);
}

#[test]
fn two_thousand_mails_cost_few_durable_writes_of_the_journal() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    server.deliver_many(&Mail::new("Test mail").bytes(), 1_767_700_800, 2000);
    let world = World::with(
        &Ini::imap(server.imap)
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
    );
    let ran = world.run(&["--verbose"]);
    ran.exit(0).says("2000 accepted").says("2000 deleted");
    assert_eq!(world.event_files().len(), 2000);
    let writes: usize = ran
        .stderr
        .lines()
        .find_map(|line| {
            line.strip_prefix("journal: ")?
                .strip_suffix(" durable writes")
        })
        .unwrap_or_else(|| panic!("no count of writes\n{ran}"))
        .parse()
        .unwrap();
    println!("2000 mails cost {writes} durable writes of the journal");
    assert!(writes <= 24, "{writes}");
}

#[test]
fn a_run_on_another_mailbox_finishes_what_a_killed_one_had_begun() {
    for point in ["staged", "intended", "submitting", "submitted"] {
        let mut world = World::with(&Ini::folder().rule(RULE));
        for (folder, words) in [("first", ["a", "b"]), ("second", ["c", "d"])] {
            std::fs::create_dir(world.path(folder)).unwrap();
            for word in words {
                let mail = Mail::new(&format!("Test {word}")).bytes();
                std::fs::write(world.path(folder).join(format!("{word}.eml")), mail).unwrap();
            }
        }
        let sam = Sam::reading(world.path("MSGIN"), 1);
        let folder = |world: &World, name: &str| format!("-folder:{}", world.place(name));
        world = world.env("SMARTEMAIL_CRASH", point);
        world.run(&[&folder(&world, "first")]).killed();
        world = world.without_env("SMARTEMAIL_CRASH");
        for name in ["second", "first", "second"] {
            world.run(&[&folder(&world, name)]).exit(0);
        }
        println!("killed at {point}");
        let words = ["a", "b", "c", "d"].map(|word| format!("$CONSOLE:DISPLAY,{word}"));
        sam.finish().assert_once(&words);
    }
}
