//! Secrets: a type that never prints, sealing and opening of stored values, and the place
//! of the key.
//!
//! A leaf: every room that handles a password uses the type.

mod value;

pub use value::Secret;
