//! Where the descriptions of services are that requests and answers are judged by.

use std::path::{Path, PathBuf};

/// The folder that the variable `SMARTEMAIL_SCHEMAS` names: Microsoft's own descriptions. Without
/// it, the small ones that come with the tests, which know only what the program asks for.
pub fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schemas");
    std::env::var_os("SMARTEMAIL_SCHEMAS").map_or_else(own, PathBuf::from)
}
