//! The INI file: text to [`Settings`], and single values changed in place.
//!
//! Read in passes: characters (`text`), lines (`lines`), sections (`ini`), tokens (`tokens`),
//! meaning (`resolve`, `rule`). Every problem of the whole file is collected with its line and
//! told in one run; only what is worth stopping for stops it. Knows nothing of mailboxes.

pub mod edit;
mod ini;
pub mod keys;
mod lines;
pub mod places;
pub mod problem;
mod resolve;
mod rule;
pub mod settings;
mod text;
mod tokens;
mod unknown;
mod values;

pub use problem::{Problems, Severity};
pub use settings::{
    Account, Delete, General, GraphAccount, LastRun, LoadError, MailSettings, Outbound, Purpose,
    Settings, SettingsFile, Traces,
};
