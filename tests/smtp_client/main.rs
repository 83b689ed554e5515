//! `[smtp-client]`: every option in the INI file, and notices by every way that there is.

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

#[cfg(unix)]
mod options;
mod values;
#[cfg(unix)]
mod ways;

use harness::world::{MAIL_PASSWORD, MAIL_USER};
use harness::{Ini, Mail, Ran, Sink, World};

const RULE: &str = "SubjectLineMask=Test\nEvent=$CONSOLE:DISPLAY,hit";
const SECTION: &str = "smtp-client";

/// Notices on acceptance, by the options that a test adds.
fn ini() -> Ini {
    Ini::folder()
        .set("Audit", "NotifyOnAccepts", "True")
        .set("Audit", "NotifyFrom", "jobs@example.test")
        .set("Audit", "NotifyOnAcceptTo", "bob@example.test")
        .rule(RULE)
}

/// The same with a server that takes everything.
fn to_sink(sink: &Sink) -> Ini {
    ini().smtp(sink.port)
}

/// A run on one mail that matches. The events are written whatever becomes of the notice.
#[track_caller]
fn run(ini: &Ini) -> Ran {
    run_in(&World::with(ini))
}

#[track_caller]
fn run_in(world: &World) -> Ran {
    world.mail("1.eml", &Mail::new("Test").bytes());
    let ran = world.run(&[]);
    assert_eq!(world.events(), ["$CONSOLE:DISPLAY,hit"], "{ran}");
    ran
}
