//! Exactly once: the program is killed at every named point of its order of commit and at random
//! times, while mails keep arriving and a stand-in for OpCon's agent empties MSGIN.
//!
//! The random test takes its size and its seed from the environment:
//!
//! ```text
//! SMARTEMAIL_CRASH_RUNS=200 cargo test --test crash random -- --nocapture
//! SMARTEMAIL_CRASH_SEED=17 SMARTEMAIL_CRASH_RUNS=200 cargo test --test crash random -- --nocapture
//! ```
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

use harness::program::POINTS;
use harness::{CountingProxy, Dovecot, Ini, Inspector, Mail, Sam, Sink, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
/// Two events a mail: half of a file would be seen.
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,first [[1]]\nEvent2=$CONSOLE:DISPLAY,second [[1]]";
const EVENTS_OF_A_MAIL: usize = 2;
/// A mailbox, the program, the reader of its events and the receiver of its notices.
struct Bed<'a> {
    server: &'a Dovecot,
    world: World,
    sam: Sam,
    sink: Sink,
    mails: Vec<Mail>,
}

impl<'a> Bed<'a> {
    fn new(server: &'a Dovecot, port: u16) -> Self {
        let sink = Sink::start();
        let world = World::with(
            &Ini::imap(port)
                .smtp(sink.port)
                .set("Audit", "NotifyOnAccepts", "True")
                .set("Audit", "NotifyOnAcceptSubject", "[[SUBJECT]]")
                .set("General", "DeleteEmails", "Match")
                .set("General", "DownloadEmails", "True")
                .set("General", "UseLastRunDate", "True")
                .rule(RULE),
        );
        let sam = Sam::reading(world.path("MSGIN"), EVENTS_OF_A_MAIL);
        Self {
            server,
            world,
            sam,
            sink,
            mails: Vec::new(),
        }
    }

    /// The next mail arrives.
    fn deliver(&mut self, received: u64) {
        let mail = self.next_mail();
        self.server.deliver(&mail, received);
    }

    fn next_mail(&mut self) -> Vec<u8> {
        let mail = Mail::new(&format!("Test m{}", self.mails.len()));
        let bytes = mail.bytes();
        self.mails.push(mail);
        bytes
    }

    /// What the mails that have arrived are to write.
    fn expected(&self) -> Vec<String> {
        (0..self.mails.len())
            .flat_map(|number| {
                ["first", "second"].map(|word| format!("$CONSOLE:DISPLAY,{word} m{number}"))
            })
            .collect()
    }

    /// The mailbox is empty, every mail was saved once, and nothing unfinished lies about.
    #[track_caller]
    fn assert_tidy(&self) {
        assert_eq!(Inspector::open(self.server).subjects(), [""; 0]);
        let saved = self.world.saved();
        assert_eq!(
            saved.len(),
            self.mails.len(),
            "one file for each mail: {saved:?}"
        );
        let saved: BTreeSet<String> = saved
            .iter()
            .map(|name| self.world.read(&format!("Received/{name}")))
            .collect();
        let mails = self
            .mails
            .iter()
            .map(|mail| String::from_utf8_lossy(&mail.bytes()).into_owned());
        assert_eq!(saved, mails.collect(), "the mails as they arrived");
        let left: Vec<_> = self
            .world
            .tree()
            .0
            .into_iter()
            .filter(|(path, bytes)| {
                let name = path.to_string_lossy();
                name.contains(".smartemail-")
                    || (name.starts_with("MSGIN.staging") && bytes.is_some())
            })
            .map(|(path, _)| path)
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// How many of the mails brought no notice, and how many more than one.
    fn notices(&self) -> (usize, usize) {
        let taken = self.sink.mails();
        let subjects: Vec<_> = taken.iter().map(|mail| mail.header("Subject")).collect();
        let counts = (0..self.mails.len()).map(|number| {
            let subject = format!("Test m{number}");
            subjects.iter().filter(|found| **found == subject).count()
        });
        let counts: Vec<_> = counts.collect();
        let having = |wanted: fn(&&usize) -> bool| counts.iter().filter(wanted).count();
        (having(|count| **count == 0), having(|count| **count > 1))
    }

    #[track_caller]
    fn assert_exactly_once(self) {
        self.assert_tidy();
        assert_eq!(self.notices(), (0, 0), "notices lost and doubled");
        let expected = self.expected();
        self.sam.finish().assert_once(&expected);
    }
}

/// One run that dies at this point, and two that do not.
fn dies_at(server: &Dovecot, point: &str, recovers: bool, mails: usize) {
    println!("--- dies at {point} with {mails} in the mailbox");
    let mut bed = Bed::new(server, server.imap);
    for number in 0..mails {
        bed.deliver(NOON + number as u64);
    }
    bed.world = bed.world.env("SMARTEMAIL_CRASH", point);
    bed.world.run(&[]).killed();
    bed.world = bed.world.without_env("SMARTEMAIL_CRASH");
    let second = bed.world.run(&[]);
    second.exit(0);
    assert_eq!(
        second.lines_starting("recovered:"),
        usize::from(recovers),
        "{second}"
    );
    let third = bed.world.run(&[]);
    third
        .exit(0)
        .never_says("recovered:")
        .says("0 mails looked at");
    bed.assert_exactly_once();
}

#[test]
fn a_kill_at_any_point_with_one_mail() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for (point, recovers) in POINTS {
        dies_at(&server, point, recovers, 1);
    }
}

#[test]
fn a_kill_at_any_point_with_a_batch() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for (point, recovers) in POINTS {
        dies_at(&server, point, recovers, 5);
    }
}

#[test]
fn a_kill_in_the_middle_of_a_batch() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    for point in ["staging:3", "staging:5", "submitting:3", "submitting:5"] {
        dies_at(&server, point, true, 5);
    }
}

#[test]
fn a_run_that_recovers_may_be_killed_too() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let mut bed = Bed::new(&server, server.imap);
    for (round, (point, _)) in POINTS.iter().cycle().take(2 * POINTS.len()).enumerate() {
        bed.deliver(NOON + 2 * round as u64);
        bed.deliver(NOON + 2 * round as u64 + 1);
        bed.world = bed.world.env("SMARTEMAIL_CRASH", point);
        bed.world.run(&[]).killed();
    }
    bed.world = bed.world.without_env("SMARTEMAIL_CRASH");
    bed.world.run(&[]).exit(0);
    bed.assert_exactly_once();
}

#[test]
fn what_was_staged_is_found_under_another_name_of_its_folder() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    // A link would do it too, and on Windows the case of its letters; and the folder may be moved.
    for name in ["Received/../MSGIN.staging", "moved"] {
        let mut bed = Bed::new(&server, server.imap);
        bed.deliver(NOON);
        bed.deliver(NOON);
        bed.world = bed.world.env("SMARTEMAIL_CRASH", "intended");
        bed.world.run(&[]).killed();
        bed.world = bed.world.without_env("SMARTEMAIL_CRASH");
        let [old, new] = ["MSGIN.staging", name].map(|name| bed.world.path(name));
        if !new.exists() {
            std::fs::rename(old, &new).unwrap();
        }
        let general = format!("[General]\nStagingDirectory={}\n", new.display());
        let text = bed.world.ini_text();
        bed.world.write_ini(text.replace("[General]\n", &general));
        bed.world
            .run(&[])
            .exit(0)
            .says("2 event files submitted now, 0 had been, 0 unfinished removed");
        bed.world.run(&[]).exit(0).says("0 mails looked at");
        bed.assert_exactly_once();
    }
}

#[test]
fn a_connection_cut_at_any_byte_loses_nothing_and_doubles_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let proxy = CountingProxy::before(server.address, server.imap);
    let mut bed = Bed::new(&server, proxy.port);
    // The first run asks in another way than those that know where they are.
    for _ in 0..2 {
        bed.deliver(NOON);
        bed.deliver(NOON);
        proxy.take_traffic();
        bed.world.run(&[]).exit(0);
    }
    let whole = proxy.take_traffic().down;
    let mut deletions_cut = 0;
    // Closely towards the end, where mails are deleted.
    let coarse = (0..whole.saturating_sub(200)).step_by(149);
    for cut in coarse.chain((whole.saturating_sub(200)..whole).step_by(9)) {
        bed.deliver(NOON);
        bed.deliver(NOON);
        proxy.cut_after(Some(cut));
        let first = bed.world.run(&[]);
        proxy.cut_after(None);
        let sent = proxy.take_traffic();
        let second = bed.world.run(&[]);
        second.exit(0);
        if first.code == Some(2) && !sent.commands_with("STORE").is_empty() {
            deletions_cut += 1;
            first.says("accepted:");
            second.never_says("accepted:").says("2 deleted");
        }
        proxy.take_traffic();
        assert_eq!(Inspector::open(&server).subjects(), [""; 0], "{second}");
    }
    println!("{deletions_cut} deletions were cut off, of {whole} bytes");
    assert!(deletions_cut > 3, "the deletion was hardly ever cut off");
    bed.assert_exactly_once();
}

/// Numbers that look random and follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse().ok();
    assert!(number.is_some(), "{name}={text} is no number");
    number
}

#[test]
fn random_kills_while_mails_arrive() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let runs = given("SMARTEMAIL_CRASH_RUNS").unwrap_or(20);
    let seed = given("SMARTEMAIL_CRASH_SEED").unwrap_or_else(|| {
        // Every hasher of the standard library begins with keys of its own.
        RandomState::new().hash_one(0) >> 32
    });
    println!("SMARTEMAIL_CRASH_SEED={seed} SMARTEMAIL_CRASH_RUNS={runs}");
    let mut dice = Dice(seed);
    let mut bed = Bed::new(&server, server.imap);
    // How long a run takes that nobody disturbs.
    bed.deliver(NOON);
    let usual = bed.world.run(&[]).exit(0).took.as_micros();
    let usual = u64::try_from(usual).unwrap();

    // Kills fall anywhere in a run, and about every other run gets through.
    let mut reach = usual;
    let mut kills = 0;
    // Notices of which the next run says that nobody knows what became of them.
    let mut unsure = 0;
    for _ in 0..runs {
        // Mails arrive in an order that is not that of their times, as moved ones do.
        for _ in 0..dice.below(4) {
            let received = NOON + dice.below(200_000);
            bed.deliver(received);
        }
        let delay = Duration::from_micros(dice.below(reach));
        let meanwhile = Duration::from_micros(dice.below(reach));
        let received = NOON + dice.below(200_000);
        let mail = bed.next_mail();
        let ran = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(meanwhile);
                server.deliver(&mail, received);
            });
            bed.world.run_killed_after(&[], delay)
        });
        unsure += ran.stderr.matches("may have arrived").count();
        match ran.code {
            Some(code) => {
                assert_eq!(code, 0, "{ran}");
                reach -= reach / 10;
            }
            None => {
                kills += 1;
                reach += reach / 10;
            }
        }
    }
    let last = bed.world.run(&[]);
    unsure += last.exit(0).stderr.matches("may have arrived").count();
    bed.world.run(&[]).exit(0).says("0 mails looked at");

    bed.assert_tidy();
    let (silent, repeated) = bed.notices();
    println!("{silent} mails without a notice, {unsure} told of, {repeated} with more than one");
    assert_eq!(repeated, 0, "a notice went out twice");
    assert!(silent <= unsure, "a notice was lost in silence");
    let expected = bed.expected();
    let mails = bed.mails.len();
    let read = bed.sam.finish();
    let lost = expected
        .iter()
        .filter(|event| !read.events.contains_key(*event))
        .count();
    let doubled = read.events.values().filter(|count| **count > 1).count();
    println!(
        "seed {seed}: {runs} runs, {kills} kills, {mails} mails, {} events, {lost} lost, {doubled} doubled, {} partial files",
        expected.len(),
        read.partial.len()
    );
    assert!(runs < 10 || kills > runs / 4, "it was hardly ever killed");
    read.assert_once(&expected);
}
