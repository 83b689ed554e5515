//! A disk that refuses: the run stops before harm, says what and where, and the next one goes on.
//!
//! Real full disks are small tmpfs, mounted where the rights allow it; elsewhere these tests say
//! that they were left out.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::{Dovecot, Ini, Inspector, Mail, Sam, World};

/// Tuesday, 6 January 2026, noon UTC.
const NOON: u64 = 1_767_700_800;
const RULE: &str = "SubjectLineMask=Test (\\w+)\nEvent=$CONSOLE:DISPLAY,[[1]]";
const WORDS: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Something mounted in a world; unmounted when dropped, which must be before the world.
struct Mounted(PathBuf);

impl Mounted {
    /// A tmpfs of this size, or `None` (said on standard output) where the rights do not allow it.
    fn small_disk(place: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&place).unwrap();
        let options = format!("size={size},mode=0777");
        Self::mount(place, &["-t", "tmpfs", "-o", &options, "none"])
    }

    /// A folder that refuses every change, even by root.
    fn read_only(place: PathBuf) -> Option<Self> {
        let path = place.to_str().unwrap().to_owned();
        let mounted = Self::mount(place, &["--bind", &path])?;
        run_mount(&["-o", "remount,bind,ro", &path]).then_some(mounted)
    }

    fn mount(place: PathBuf, args: &[&str]) -> Option<Self> {
        if run_mount(&[args, &[place.to_str().unwrap()]].concat()) {
            return Some(Self(place));
        }
        println!("skipped: nothing can be mounted here (it takes the rights of root)");
        None
    }

    /// Fills it but for so many bytes; the path of what fills it.
    fn fill(&self, but_for: usize) -> PathBuf {
        let filler = self.0.join("filler");
        let mut file = File::create(&filler).unwrap();
        let page = [0; 4096];
        let mut length = 0;
        while file.write_all(&page).is_ok() {
            length += page.len();
        }
        file.set_len((length - but_for) as u64).unwrap();
        filler
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn run_mount(args: &[&str]) -> bool {
    let done = Command::new("mount")
        .args(args)
        .stderr(Stdio::null())
        .status();
    done.is_ok_and(|status| status.success())
}

fn deliver(server: &Dovecot) {
    for word in WORDS {
        let mail = Mail::new(&format!("Test {word}")).attach("a.bin", &[7; 15_000]);
        server.deliver(&mail.bytes(), NOON);
    }
}

fn expected() -> Vec<String> {
    WORDS
        .iter()
        .map(|word| format!("$CONSOLE:DISPLAY,{word}"))
        .collect()
}

fn settings(server: &Dovecot) -> Ini {
    Ini::imap(server.imap)
        .set("General", "DeleteEmails", "Match")
        .rule(RULE)
}

#[test]
fn staging_on_another_file_system_stops_the_run() {
    let world = World::with_mails(&Ini::folder().rule(RULE), &[Mail::new("Test one")]);
    let other = Path::new("/dev/shm");
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    if device(other).is_none() || device(other) == device(&world.path("MSGIN")) {
        println!("skipped: /dev/shm is no file system of its own here");
        return;
    }
    let staging = tempfile::tempdir_in(other).unwrap();
    let place = staging.path().to_str().unwrap();
    world.configure(
        &Ini::folder()
            .set("General", "StagingDirectory", place)
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
    );
    world
        .run(&[])
        .exit(2)
        .complains("StagingDirectory")
        .complains(place)
        .complains("another file system");
    assert_eq!(world.event_files(), [""; 0]);
    assert_eq!(world.mails_left(), ["001.eml"]);
    assert_eq!(fs::read_dir(staging.path()).unwrap().count(), 0);
}

#[test]
fn staging_in_another_mount_of_the_file_system_stops_the_run() {
    let world = World::with_mails(
        &Ini::folder()
            .set("General", "DeleteEmails", "Match")
            .rule(RULE),
        &[Mail::new("Test one")],
    );
    let msgin = world.path("MSGIN");
    let place = msgin.to_str().unwrap().to_owned();
    let Some(_mounted) = Mounted::mount(msgin, &["--bind", &place]) else {
        return;
    };
    for arguments in [&[][..], &["--check"]] {
        world
            .run(arguments)
            .exit(2)
            .complains("StagingDirectory")
            .complains(&place)
            .complains("another mount");
    }
    assert_eq!(world.event_files(), [""; 0]);
    assert_eq!(world.mails_left(), ["001.eml"]);
}

#[test]
fn a_full_download_folder_keeps_the_mails_on_the_server() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    deliver(&server);
    let world = World::with(&settings(&server).set("General", "DownloadEmails", "True"));
    let sam = Sam::reading(world.path("MSGIN"), 1);
    let Some(disk) = Mounted::small_disk(world.path("Received"), "400k") else {
        return;
    };
    // Room for two of the five.
    let filler = disk.fill(60_000);
    let ran = world.run(&[]);
    ran.exit(2)
        .complains("DownloadFolder")
        .complains(&world.place("Received"))
        .complains("No space left");
    assert_eq!(Inspector::open(&server).subjects().len(), 5, "{ran}");
    world.run(&[]).exit(2);
    fs::remove_file(filler).unwrap();
    world.run(&[]).exit(0).says("5 saved").says("5 deleted");
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(world.saved().len(), 5, "{:?}", world.saved());
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
    sam.finish().assert_once(&expected());
}

/// MSGIN and its staging folder on a small disk with so many pages left.
fn full_msgin(pages: usize) {
    let Some(server) = Dovecot::start() else {
        return;
    };
    deliver(&server);
    let world = World::with(
        &settings(&server)
            .set("General", "MSGINDirectory", "{root}/spool/MSGIN")
            .set("General", "StagingDirectory", "{root}/spool/staging"),
    );
    let Some(disk) = Mounted::small_disk(world.path("spool"), "200k") else {
        return;
    };
    fs::create_dir(world.path("spool/MSGIN")).unwrap();
    let sam = Sam::reading(world.path("spool/MSGIN"), 1);
    let filler = disk.fill(pages * 4096);
    for _ in 0..2 {
        let ran = world.run(&[]);
        ran.exit(2)
            .complains(&world.place("spool/staging"))
            .complains("No space left");
        assert_eq!(Inspector::open(&server).subjects().len(), 5, "{ran}");
    }
    fs::remove_file(filler).unwrap();
    world.run(&[]).exit(0).says("5 accepted").says("5 deleted");
    world.run(&[]).exit(0).says("0 mails looked at");
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
    let read = sam.finish();
    assert_eq!(read.files, 5);
    read.assert_once(&expected());
}

#[test]
fn a_full_msgin_keeps_the_mails_on_the_server() {
    full_msgin(0);
}

#[test]
fn an_msgin_that_becomes_full_in_the_middle_of_a_batch_submits_nothing_of_it() {
    full_msgin(3);
}

#[test]
fn a_full_disk_under_the_journal_loses_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let world = World::with(&settings(&server));
    let sam = Sam::reading(world.path("MSGIN"), 1);
    let Some(disk) = Mounted::small_disk(world.path("SMArtEmail.state"), "200k") else {
        return;
    };
    world.run(&[]).exit(0);
    deliver(&server);
    // The journal's own last page takes a little, and then no more.
    for room in [0, 4096] {
        let filler = disk.fill(room);
        let mut refused = 0;
        for _ in 0..60 {
            if world.run(&[]).code == Some(2) {
                refused += 1;
                break;
            }
            deliver(&server);
        }
        assert_eq!(refused, 1, "the disk never became full");
        world.run(&[]).exit(2).complains("SMArtEmail.state");
        fs::remove_file(filler).unwrap();
        world.run(&[]).exit(0);
    }
    assert_eq!(Inspector::open(&server).subjects(), [""; 0]);
    let read = sam.finish();
    assert_eq!(read.partial, [""; 0]);
    let events: usize = read.events.values().sum();
    assert_eq!(events, server.delivered());
}

#[test]
fn an_ini_folder_that_is_read_only_stops_the_run() {
    let world = World::with_mails(&Ini::folder().rule(RULE), &[Mail::new("Test one")]);
    world.move_ini("conf/SMArtEmail.ini");
    let ini = format!("-inifile:{}", world.place("conf/SMArtEmail.ini"));
    // The state folder is there and can be written: only LastRunDate can't.
    fs::create_dir(world.path("conf/SMArtEmail.state")).unwrap();
    {
        let Some(_conf) = Mounted::read_only(world.path("conf")) else {
            return;
        };
        world
            .run_bare(&[&ini])
            .exit(2)
            .complains("SMArtEmail.state")
            .complains("Read-only");
        assert_eq!(world.event_files(), [""; 0]);
        let state = world.path("conf/SMArtEmail.state");
        let Some(_state) = Mounted::mount(state, &["-t", "tmpfs", "none"]) else {
            return;
        };
        world
            .run_bare(&[&ini])
            .exit(2)
            .complains("SMArtEmail.ini")
            .complains("LastRunDate")
            .complains("Read-only");
        assert_eq!(world.event_files(), [""; 0]);
    }
    world.run_bare(&[&ini]).exit(0);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,one"]);
}
