//! A Hoodiecrow server for one test: IMAP with the barest list of capabilities, or with those
//! that the test names. Its mails are in memory.

use std::fs;
use std::net::TcpStream;
use std::path::Path;

use serde_json::json;

use super::certs;
use super::daemon::{self, Account, Daemon};
use super::world::{MAIL_PASSWORD, MAIL_USER};
use super::{Doors, Inspector, MailServer};

const ADDRESS: &str = "127.0.0.1";

/// A running server. Dropping it ends it.
pub struct Hoodiecrow {
    doors: Doors,
    _daemon: Daemon,
}

impl Hoodiecrow {
    /// Starts a server with these plugins: `SASL-IR`, `AUTH-PLAIN`, `UIDPLUS`, `STARTTLS` and
    /// so on. Without any it announces `IMAP4rev1` and nothing else.
    pub fn with(plugins: &[&str]) -> Option<Self> {
        let npm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
        let node = daemon::find("node");
        let needs = [
            node.as_path(),
            &npm.join("node_modules/hoodiecrow-imap/package.json"),
            Path::new("/usr/bin/setpriv"),
            Path::new("/usr/bin/openssl"),
        ];
        daemon::is_installed("Hoodiecrow", &needs).then(|| {
            daemon::persist("Hoodiecrow", || {
                Self::attempt(&node, &npm.join("hoodiecrow.js"), plugins)
            })
        })
    }

    fn attempt(node: &Path, script: &Path, plugins: &[&str]) -> Option<Self> {
        let folder = daemon::folder();
        let inside = |name: &str| folder.path().join(name);
        let [imap, imaps] = daemon::free_ports(ADDRESS);
        certs::copy("good", folder.path());
        let settings = json!({
            "address": ADDRESS, "port": imap, "tlsPort": imaps, "plugins": plugins,
            "user": MAIL_USER, "password": MAIL_PASSWORD,
            "cert": inside("server.pem"), "key": inside("server.key"),
        });
        fs::write(inside("settings.json"), settings.to_string()).unwrap();
        let mut command = Account::ordinary().command(node, folder.path());
        command.arg(script).arg(inside("settings.json"));
        let serves = || TcpStream::connect((ADDRESS, imap)).is_ok();
        Some(Self {
            doors: Doors {
                address: ADDRESS,
                imap,
                imaps,
                pop: None,
                pops: None,
            },
            _daemon: Daemon::start(folder, command, serves)?,
        })
    }
}

impl MailServer for Hoodiecrow {
    fn doors(&self) -> Doors {
        self.doors
    }

    fn deliver(&self, mail: &[u8], received: u64) {
        Inspector::connect((ADDRESS, self.doors.imap)).append(mail, received);
    }
}
