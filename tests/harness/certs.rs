//! Certificates for the servers of the tests, made once by the `openssl` command.
//!
//! They are kept in the folder that cargo has for the data of tests, or where the environment says
//! (`SMARTEMAIL_TEST_FOLDER`: another user may not write into cargo's). All dates are fixed, so
//! they need no clock and nobody has to renew them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::program;

const LONG_AGO: &str = "20240101000000Z";
const FAR_AHEAD: &str = "20491231235959Z";
/// The names that a client of the tests may call the server by.
const HERE: &str = "DNS:localhost,IP:127.0.0.1,IP:127.0.0.2";

/// Those of servers that an authority has issued, and which.
const SERVERS: [(&str, &str); 10] = [
    ("good", "ca"),
    ("goodec", "ca"),
    ("expired", "ca"),
    ("notyet", "ca"),
    ("wronghost", "ca"),
    ("untrusted", "otherca"),
    ("untrusted-expired", "otherca"),
    ("untrusted-notyet", "otherca"),
    ("untrusted-wronghost", "otherca"),
    ("self", "self"),
];

/// The folder with the certificates: `NAME.pem` and `NAME.key` for
///
/// - `good`: signed by `ca`, for this machine, with an RSA key;
/// - `goodec`: the same with an EC key, as all that follow (RSA under Wine);
/// - `expired`: the same, until 2021;
/// - `notyet`: the same, from 2048 on;
/// - `wronghost`: signed by `ca`, for `mail.example.net`;
/// - `untrusted`: signed by an authority that nobody knows;
/// - `untrusted-expired`, `untrusted-notyet`, `untrusted-wronghost`: that and the other as well;
/// - `self`: signed by itself;
/// - `application` and `stranger`: RSA, signed by themselves, for applications that ask for
///   tokens.
///
/// `None` when the `openssl` command is missing.
pub fn folder() -> Option<PathBuf> {
    let place = std::env::var_os("SMARTEMAIL_TEST_FOLDER");
    let place = place.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    let folder = Path::new(&place).join("certificates-5");
    fs::create_dir_all(&folder).unwrap();
    // Several test programs and many tests may come here at the same time.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("done").exists() {
        Command::new("openssl")
            .arg("version")
            .stdout(Stdio::null())
            .status()
            .ok()?;
        make(&folder);
        if program::is_windows() {
            super::wine::trust(&folder, "ca", &SERVERS.map(|(name, _)| name.to_owned()));
        }
        File::create(folder.join("done")).unwrap();
    }
    Some(folder)
}

/// Puts one of them into a server's folder, as `server.pem` and `server.key`.
pub fn copy(certificate: &str, target: &Path) {
    let folder = folder().expect("openssl starts");
    for kind in ["pem", "key"] {
        let from = folder.join(certificate).with_extension(kind);
        fs::copy(from, target.join("server").with_extension(kind)).unwrap();
    }
    // Wine accepts whatever comes without its authority, so there it comes with it.
    let authority = SERVERS.iter().find(|(name, _)| *name == certificate);
    if program::is_windows()
        && let Some((_, authority)) = authority
        && *authority != certificate
    {
        let chain = [certificate, authority]
            .map(|name| fs::read_to_string(folder.join(name).with_extension("pem")).unwrap());
        fs::write(target.join("server.pem"), chain.concat()).unwrap();
    }
}

fn make(folder: &Path) {
    authority(folder, "ca", "Test Authority");
    authority(folder, "otherca", "Unknown Authority");
    openssl(folder, &["genrsa", "-out", "good.key", "2048"]);
    signed(folder, "good", HERE, "ca", [LONG_AGO, FAR_AHEAD]);
    key(folder, "goodec");
    signed(folder, "goodec", HERE, "ca", [LONG_AGO, FAR_AHEAD]);
    for (prefix, authority) in [("", "ca"), ("untrusted-", "otherca")] {
        for (name, names, dates) in [
            ("expired", HERE, ["20200101000000Z", "20210101000000Z"]),
            ("notyet", HERE, ["20480101000000Z", FAR_AHEAD]),
            ("wronghost", "DNS:mail.example.net", [LONG_AGO, FAR_AHEAD]),
        ] {
            let name = format!("{prefix}{name}");
            key(folder, &name);
            signed(folder, &name, names, authority, dates);
        }
    }
    key(folder, "untrusted");
    signed(folder, "untrusted", HERE, "otherca", [LONG_AGO, FAR_AHEAD]);
    for name in ["application", "stranger"] {
        let (key, out) = (format!("{name}.key"), format!("{name}.pem"));
        let new = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "8000", "-subj", "/CN=a",
        ];
        openssl(
            folder,
            &[&new[..], &["-keyout", &key, "-out", &out]].concat(),
        );
    }
    key(folder, "self");
    let names = format!("subjectAltName={HERE}");
    openssl(
        folder,
        &[
            "req", "-x509", "-new", "-key", "self.key", "-out", "self.pem", "-days", "8000",
        ]
        .into_iter()
        .chain([
            "-subj",
            "/CN=localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-addext",
            &names,
        ])
        .collect::<Vec<_>>(),
    );
}

fn key(folder: &Path, name: &str) {
    let out = format!("{name}.key");
    // Wine takes no EC signature whose numbers happen to be short.
    if program::is_windows() {
        openssl(folder, &["genrsa", "-out", &out, "2048"]);
        return;
    }
    openssl(
        folder,
        &[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            &out,
        ],
    );
}

fn authority(folder: &Path, name: &str, title: &str) {
    key(folder, name);
    let (key, out, subject) = (
        format!("{name}.key"),
        format!("{name}.pem"),
        format!("/CN={title}"),
    );
    openssl(
        folder,
        &[
            "req", "-x509", "-new", "-key", &key, "-out", &out, "-days", "8000", "-subj", &subject,
        ]
        .into_iter()
        .chain(["-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        .collect::<Vec<_>>(),
    );
}

/// A certificate for the key of this name. `openssl ca` is the one command of OpenSSL 3.0 that sets both dates freely.
fn signed(folder: &Path, name: &str, names: &str, authority: &str, [from, until]: [&str; 2]) {
    let file = |ending: &str| format!("{name}.{ending}");
    let host = names.split(',').next().unwrap().trim_start_matches("DNS:");
    let subject = format!("/CN={host}");
    openssl(
        folder,
        &[
            "req",
            "-new",
            "-key",
            &file("key"),
            "-subj",
            &subject,
            "-out",
            &file("csr"),
        ],
    );
    fs::write(folder.join(file("index")), "").unwrap();
    fs::write(
        folder.join(file("cnf")),
        format!(
            "[ca]\ndefault_ca=a\n[a]\ndatabase={name}.index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n\
             policy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nbasicConstraints=critical,CA:FALSE\n\
             keyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\nsubjectAltName={names}\n"
        ),
    )
    .unwrap();
    let (certificate, key) = (format!("{authority}.pem"), format!("{authority}.key"));
    openssl(
        folder,
        &[
            "ca",
            "-batch",
            "-notext",
            "-config",
            &file("cnf"),
            "-in",
            &file("csr"),
            "-out",
            &file("pem"),
        ]
        .into_iter()
        .chain([
            "-cert",
            &certificate,
            "-keyfile",
            &key,
            "-startdate",
            from,
            "-enddate",
            until,
        ])
        .collect::<Vec<_>>(),
    );
}

/// The SHA-256 of a certificate, as the `openssl` command prints it for people.
pub fn fingerprint(name: &str) -> String {
    let said = openssl(
        &folder().expect("openssl is there"),
        &[
            "x509",
            "-noout",
            "-fingerprint",
            "-sha256",
            "-in",
            &format!("{name}.pem"),
        ],
    );
    said.trim().split_once('=').unwrap().1.to_owned()
}

/// Runs the `openssl` command in a folder; gives what it says.
pub fn openssl(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("openssl")
        .args(args)
        .current_dir(folder)
        .output()
        .expect("openssl starts");
    assert!(
        done.status.success(),
        "openssl {args:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}
