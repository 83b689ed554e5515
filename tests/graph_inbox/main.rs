//! A Microsoft 365 mailbox through Graph: what is asked for, how often, and what becomes of every
//! kind of answer; and runs of the program over it.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what breaks ends the test, loudly"
)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

pub mod bed;
mod deletions;
mod faults;
mod hostile;
mod journey;
mod mails;
mod one_mail;
mod runs;
mod turns;
