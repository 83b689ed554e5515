//! Events: templates filled with a mail's words, made safe, signed, and handed to MSGIN as
//! files that appear complete.
//!
//! `template` cuts text at `[[tokens]]`, `tokens` says what the mail's own ones stand for,
//! `safety` keeps mail text from adding a field, a line or a token, `line` makes the event line,
//! `spool` stages and moves the files, `catalogue` knows OpCon's event types for `--check`.

pub mod catalogue;
pub mod line;
mod safety;
pub mod spool;
pub mod template;
pub mod tokens;

pub use line::{EventLine, LONGEST_LINE, Signature, Template, Unwritable};
pub use safety::UnsafeText;
pub use tokens::{Captures, TokenValues};
