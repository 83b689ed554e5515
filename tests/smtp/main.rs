//! Mails over SMTP, sent by the library to real servers.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what breaks ends the test, loudly")]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
#[path = "../harness/mod.rs"]
pub mod harness;

mod cost;
mod delivery;
mod faults;
pub mod outgoing;
mod pool;
mod security;
mod tokens;

use outgoing::{mail, mails, notices, outbox, password, settings};
use smartemail::send::smtp::Settings;
use smartemail::send::{Delivery, Error, Mail};

/// Sends one mail over a connection of its own.
fn send_one(settings: Settings, mail: Mail) -> Result<Delivery, Error> {
    let outbox = outbox(settings);
    let result = outbox.send(&[mail]).pop().unwrap();
    outbox.close();
    result
}
