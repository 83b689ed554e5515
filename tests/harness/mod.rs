//! The test bed: everything that the tests in this folder stand on.
//!
//! A [`World`] is a temporary directory with an INI file, mails and an MSGIN folder, in
//! which the built binary runs with a closed environment. [`Dovecot`], [`Cyrus`] and
//! [`Hoodiecrow`] are real mail servers for one test, [`CountingProxy`] counts what passes
//! between the two, [`FaultyLine`] breaks it, [`Exim`] and [`Recorder`] take mails,
//! [`IdentityProvider`] gives tokens, [`Graph`] and [`Ews`] stand in for Microsoft's services,
//! the first of which makes a [`Cloud`] with the provider, and [`Inspector`] looks into the mailbox without the program's help. Nothing in here uses
//! the program's own code: what the tests say about it, they see from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test bed that breaks ends the test that stands on it, loudly"
)]

#[cfg(unix)]
pub mod certs;
#[cfg(unix)]
pub mod cloud;
#[cfg(unix)]
pub mod cyrus;
#[cfg(unix)]
pub mod daemon;
#[cfg(unix)]
pub mod door;
#[cfg(unix)]
pub mod dovecot;
#[cfg(unix)]
pub mod ews;
#[cfg(unix)]
pub mod exim;
#[cfg(unix)]
pub mod faulty_line;
#[cfg(unix)]
pub mod graph;
#[cfg(unix)]
pub mod hoodiecrow;
pub mod hostile;
#[cfg(unix)]
pub mod idp;
pub mod ini;
#[cfg(unix)]
pub mod inspector;
pub mod job;
pub mod judge;
pub mod mail;
pub mod mail_server;
#[cfg(unix)]
pub mod parsed;
pub mod pop_server;
pub mod program;
pub mod proxy;
#[cfg(unix)]
pub mod recorder;
pub mod rude;
pub mod sam;
pub mod schemas;
pub mod secrets;
pub mod sink;
pub mod site;
pub mod table;
pub mod tree;
#[cfg(unix)]
pub mod wine;
pub mod world;

#[cfg(unix)]
pub use cloud::Cloud;
#[cfg(unix)]
pub use cyrus::Cyrus;
#[cfg(unix)]
pub use door::Door;
#[cfg(unix)]
pub use dovecot::Dovecot;
#[cfg(unix)]
pub use ews::Ews;
#[cfg(unix)]
pub use exim::Exim;
#[cfg(unix)]
pub use faulty_line::FaultyLine;
#[cfg(unix)]
pub use graph::Graph;
#[cfg(unix)]
pub use hoodiecrow::Hoodiecrow;
pub use hostile::HostileServer;
#[cfg(unix)]
pub use idp::IdentityProvider;
pub use ini::Ini;
#[cfg(unix)]
pub use inspector::Inspector;
pub use mail::Mail;
pub use mail_server::{Doors, MailServer};
#[cfg(unix)]
pub use parsed::Parsed;
pub use pop_server::PopServer;
pub use program::Ran;
pub use proxy::CountingProxy;
#[cfg(unix)]
pub use recorder::Recorder;
pub use rude::RudeServer;
pub use sam::Sam;
pub use sink::Sink;
pub use table::Table;
pub use tree::Tree;
pub use world::World;
