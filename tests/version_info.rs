//! smartemail.exe says what it is: the version information that Windows shows of a program.
#![cfg(windows)]

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn the_program_has_version_information() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_smartemail")).unwrap();
    for (name, value) in [
        ("ProductName", "smartemail"),
        ("ProductVersion", env!("CARGO_PKG_VERSION")),
        ("FileVersion", env!("CARGO_PKG_VERSION")),
        ("FileDescription", "smartemail: mail becomes OpCon events"),
        ("OriginalFilename", "smartemail.exe"),
    ] {
        let name_and_end = utf16(&format!("{name}\0"));
        let place = program
            .windows(name_and_end.len())
            .position(|bytes| bytes == name_and_end)
            .unwrap_or_else(|| panic!("{name} is not in the program"));
        // The value begins at the next multiple of four bytes.
        let behind = &program[place + name_and_end.len()..][..80];
        let start = behind.iter().position(|byte| *byte != 0).unwrap();
        let value = utf16(&format!("{value}\0"));
        assert!(behind[start..].starts_with(&value), "{name}");
    }
}
