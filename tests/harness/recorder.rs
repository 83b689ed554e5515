//! A mail server that takes mails for one test and tells exactly what it was sent: envelope,
//! parameters, bytes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::certs;
use super::daemon::{self, Account, Daemon};
use super::world::{MAIL_PASSWORD, MAIL_USER};

const ADDRESS: &str = "127.0.0.1";

/// What a test may want differently.
#[derive(Clone, Copy)]
pub struct Options {
    /// Extensions that it does not announce: `PIPELINING`, `STARTTLS`, `DSN`, `8BITMIME`.
    pub hidden: &'static [&'static str],
    /// It takes passwords in clear text.
    pub clear_login: bool,
    /// It takes every user, password and token.
    pub anybody: bool,
    /// The largest mail that it takes, in bytes.
    pub size: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hidden: &[],
            clear_login: false,
            anybody: false,
            size: 30_000_000,
        }
    }
}

/// A running server. Dropping it ends it. Recipients that begin with `reject` get a 550.
pub struct Recorder {
    /// The port of SMTP (and STARTTLS).
    pub smtp: u16,
    /// The port of SMTP over TLS.
    pub smtps: u16,
    daemon: Daemon,
}

/// A mail as it came in.
#[derive(Debug)]
pub struct Recorded {
    /// The sender and the parameters of MAIL, with `dsn` for those of RFC 3461.
    pub sender: Value,
    /// RET and ENVID.
    pub dsn: Value,
    /// Each recipient, with NOTIFY and ORCPT in `dsn`.
    pub recipients: Vec<Value>,
    /// Who was logged in.
    pub user: Option<String>,
    /// How: `method`, `username` and `secret`.
    pub login: Value,
    /// It came over TLS.
    pub secure: bool,
    /// Which connection it came over.
    pub connection: String,
    /// Its bytes, without the dots of SMTP.
    pub bytes: Vec<u8>,
}

impl Recorder {
    /// Starts a server that announces all it can.
    pub fn start() -> Option<Self> {
        Self::with(Options::default())
    }

    /// Starts a server with other options.
    pub fn with(options: Options) -> Option<Self> {
        let npm = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
        let node = daemon::find("node");
        let needs = [
            node.as_path(),
            &npm.join("node_modules/smtp-server/package.json"),
            Path::new("/usr/bin/setpriv"),
            Path::new("/usr/bin/openssl"),
        ];
        let script = npm.join("recorder.js");
        daemon::is_installed("smtp-server", &needs)
            .then(|| daemon::persist("smtp-server", || Self::attempt(&node, &script, options)))
    }

    fn attempt(node: &Path, script: &Path, options: Options) -> Option<Self> {
        let folder = daemon::folder();
        let inside = |name: &str| folder.path().join(name);
        let [smtp, smtps] = daemon::free_ports(ADDRESS);
        certs::copy("good", folder.path());
        fs::create_dir(inside("mails")).unwrap();
        let name = daemon::name(&folder);
        let settings = json!({
            "name": name,
            "address": ADDRESS, "port": smtp, "tlsPort": smtps, "hidden": options.hidden,
            "clearLogin": options.clear_login, "anybody": options.anybody, "size": options.size,
            "user": MAIL_USER, "password": MAIL_PASSWORD, "out": inside("mails"),
            "cert": inside("server.pem"), "key": inside("server.key"),
        });
        fs::write(inside("settings.json"), settings.to_string()).unwrap();
        let mut command = Account::ordinary().command(node, folder.path());
        command.arg(script).arg(inside("settings.json"));
        let serves = || daemon::greets((ADDRESS, smtp), &name);
        Some(Self {
            smtp,
            smtps,
            daemon: Daemon::start(folder, command, serves)?,
        })
    }

    /// The mails that it has taken, in the order in which they came.
    pub fn mails(&self) -> Vec<Recorded> {
        let folder = self.daemon.folder.path().join("mails");
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut files: Vec<_> = files
            .filter(|file| file.extension().is_some_and(|e| e == "json"))
            .collect();
        files.sort();
        files
            .iter()
            .map(|file| Recorded::read(&fs::read(file).unwrap()))
            .collect()
    }
}

impl Recorded {
    fn read(bytes: &[u8]) -> Self {
        let mut mail: Value = serde_json::from_slice(bytes).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            sender: mail["envelope"]["mailFrom"].take(),
            dsn: mail["envelope"]["dsn"].take(),
            recipients: mail["envelope"]["rcptTo"].as_array().unwrap().clone(),
            login: mail["login"].take(),
            user: mail["user"].as_str().map(str::to_owned),
            secure: mail["secure"].as_bool().unwrap(),
            connection: text(&mail["connection"]),
            // Each byte is one letter of Latin-1.
            bytes: text(&mail["bytes"])
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect(),
        }
    }
}
