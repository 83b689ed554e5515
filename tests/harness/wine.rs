//! What Wine keeps in places of its own: the certificate store, where an authority of the tests is
//! made known as an administrator of Windows does it by hand, and `%LOCALAPPDATA%`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use smartemail::config::places::tag;

use super::{certs, program};

/// Lets the store trust an authority, and know of these certificates that they haven't been
/// revoked. Windows goes on where nobody tells it; Wine would not.
pub fn trust(folder: &Path, authority: &str, certificates: &[String]) {
    install(&place(), folder, authority);
    let known = own_folder().join("LocalLow/Microsoft/CryptnetUrlCache/Content");
    fs::create_dir_all(&known).unwrap();
    for name in certificates {
        let said = openssl(folder, name, &["-serial"]);
        let serial = said.trim().trim_start_matches("serial=").as_bytes();
        let reversed: Vec<_> = serial.rchunks(2).flatten().copied().collect();
        let file = String::from_utf8(reversed).unwrap().to_lowercase();
        // Until when that is known, in units of 100 ns since 1601: the year 2100.
        let until: u64 = (4_102_444_800 + 11_644_473_600) * 10_000_000;
        let content = [
            b"Wine cached revocation\0",
            &until.to_le_bytes()[..],
            &[0; 4],
        ]
        .concat();
        fs::write(known.join(file), content).unwrap();
    }
}

/// Where the account is kept that has signed in for an INI file. Wine sets `%LOCALAPPDATA%` itself,
/// so the files of all worlds lie side by side.
pub fn token_cache(ini: &Path) -> PathBuf {
    let name = format!("Z:{}", ini.to_str().unwrap().replace('/', "\\"));
    let tag = tag(Path::new(&name));
    own_folder().join(format!("Local/smartemail/msal-{tag}.cache"))
}

/// Where tests/wine.sh has all its things.
fn place() -> PathBuf {
    PathBuf::from(program::path()).parent().unwrap().to_owned()
}

/// The user's `AppData`.
fn own_folder() -> PathBuf {
    let users = fs::read_dir(place().join("prefix/drive_c/users")).unwrap();
    let mut users = users.map(|user| user.unwrap().path());
    let user = users.find(|user| !user.ends_with("Public"));
    user.unwrap().join("AppData")
}

/// Writes the certificate where the store of this account has its roots: a value of properties,
/// each with number, encoding and length.
fn install(place: &Path, folder: &Path, authority: &str) {
    let said = openssl(folder, authority, &["-fingerprint", "-sha1"]);
    let sha1 = said.trim().split_once('=').unwrap().1.replace(':', "");
    let text = fs::read_to_string(folder.join(authority).with_extension("pem")).unwrap();
    let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = data_encoding::BASE64.decode(lines.as_bytes()).unwrap();
    let hash = data_encoding::HEXUPPER.decode(sha1.as_bytes()).unwrap();
    let property = |number: u32, value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap();
        let head = [number, 1, length].map(u32::to_le_bytes).concat();
        [&head, value].concat()
    };
    let value: Vec<_> = [property(3, &hash), property(32, &der)].concat();
    let hex: Vec<_> = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let entries = format!(
        "REGEDIT4\n\n[HKEY_CURRENT_USER\\Software\\Microsoft\\SystemCertificates\\Root\\Certificates\\{sha1}]\n\
         \"Blob\"=hex:{}\n",
        hex.join(",")
    );
    let file = folder.join("authority.reg");
    fs::write(&file, entries).unwrap();
    let done = Command::new(place.join("run"))
        .args(["regedit", "/S"])
        .arg(format!("Z:{}", file.to_str().unwrap().replace('/', "\\")))
        .status();
    assert!(done.unwrap().success(), "regedit");
}

fn openssl(folder: &Path, name: &str, what: &[&str]) -> String {
    let file = format!("{name}.pem");
    certs::openssl(folder, &[&["x509", "-noout", "-in", &file], what].concat())
}
