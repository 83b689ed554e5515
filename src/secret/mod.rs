//! Secrets: a type that never prints, sealing and opening of stored values, and the place
//! of the key.
//!
//! A leaf: every room that handles a password uses the type.

mod keyfile;
mod seal;
mod sealable;
mod value;

pub use keyfile::{Keeper, KeyError};
pub use seal::{SealError, is_sealed};
pub use sealable::{Sealable, command};
pub use value::Secret;
