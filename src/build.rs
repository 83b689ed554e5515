//! The build script: smartemail.exe gets the version information that Windows shows of a program.
//!
//! For any other system there is nothing to do.

use std::{env, io};

/// English (United States): the language that the texts are in.
const LANGUAGE: u16 = 0x0409;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src/build.rs");
    if env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return Ok(());
    }
    // Product name and versions are those of the package.
    winresource::WindowsResource::new()
        .set_language(LANGUAGE)
        .set("FileDescription", "smartemail: mail becomes OpCon events")
        .set("InternalName", "smartemail")
        .set("OriginalFilename", "smartemail.exe")
        .compile_for("smartemail")
        .map_err(|cause| {
            io::Error::other(format!(
                "the version information of smartemail.exe can't be compiled: {cause}; \
                 it needs rc.exe (Windows SDK), or windres (MinGW-w64; Debian: gcc-mingw-w64-x86-64)"
            ))
        })
}
