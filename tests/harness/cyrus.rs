//! A Cyrus server (IMAP and POP3) for one test: stricter than Dovecot, and of other habits.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use super::certs;
use super::daemon::{self, Account, Daemon};
use super::world::{MAIL_PASSWORD, MAIL_USER};
use super::{Doors, Inspector, MailServer};

const ADDRESS: &str = "127.0.0.1";
/// What Debian's `cyrus-common` installs.
const COMMON: &str = "/usr/lib/cyrus/bin";
/// Where `tests/run.sh` unpacks the rest.
const UNPACKED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cyrus/usr/lib/cyrus/bin");
const SASLPASSWD: &str = "/usr/sbin/saslpasswd2";

/// A running server. Dropping it ends it with all its processes.
pub struct Cyrus {
    doors: Doors,
    _daemon: Daemon,
}

impl Cyrus {
    /// Starts a server with a good certificate and these ways to log in.
    pub fn with(mechanisms: &str) -> Option<Self> {
        let master = Path::new(COMMON).join("master");
        let needs = [
            master.as_path(),
            &Path::new(UNPACKED).join("imapd"),
            &Path::new(UNPACKED).join("pop3d"),
            Path::new(SASLPASSWD),
            Path::new("/usr/bin/setpriv"),
            Path::new("/usr/bin/openssl"),
        ];
        daemon::is_installed("Cyrus", &needs)
            .then(|| daemon::persist("Cyrus", || Self::attempt(&master, mechanisms)))
    }

    fn attempt(master: &Path, mechanisms: &str) -> Option<Self> {
        let folder = daemon::folder();
        let inside = |name: &str| folder.path().join(name);
        let ports @ [imap, imaps, pop, pops] = daemon::free_ports(ADDRESS);
        let account = Account::ordinary();
        certs::copy("good", folder.path());
        let parts = [
            "db", "proc", "socket", "lock", "log", "msg", "quota", "user",
        ];
        for part in parts {
            fs::create_dir_all(inside("lib").join(part)).unwrap();
        }
        for name in ["spool", "run"] {
            fs::create_dir(inside(name)).unwrap();
        }
        let text = imapd_conf(folder.path(), &account.user, mechanisms);
        fs::write(inside("imapd.conf"), text).unwrap();
        fs::write(inside("cyrus.conf"), cyrus_conf(folder.path(), ports)).unwrap();
        set_password(&inside("sasldb2"));
        let mut command = account.command(master, folder.path());
        command.arg("-D").arg("-C").arg(inside("imapd.conf"));
        command.arg("-M").arg(inside("cyrus.conf"));
        command.arg("-p").arg(inside("run/master.pid"));
        // Its master listens before its services can serve, and keeps who comes early waiting.
        let serves = || TcpStream::connect((ADDRESS, imap)).is_ok();
        Some(Self {
            doors: Doors {
                address: ADDRESS,
                imap,
                imaps,
                pop: Some(pop),
                pops: Some(pops),
            },
            _daemon: Daemon::start(folder, command, serves)?,
        })
    }
}

impl MailServer for Cyrus {
    fn doors(&self) -> Doors {
        self.doors
    }

    fn deliver(&self, mail: &[u8], received: u64) {
        Inspector::connect((ADDRESS, self.doors.imap)).append(mail, received);
    }
}

fn set_password(database: &Path) {
    let (user, realm) = MAIL_USER.split_once('@').unwrap();
    let mut command = Command::new(SASLPASSWD);
    command.args(["-p", "-c", "-f"]).arg(database);
    let mut child = command
        .args(["-u", realm, user])
        .stdin(Stdio::piped())
        .spawn()
        .expect("saslpasswd2 starts");
    let mut input = child.stdin.take().unwrap();
    input.write_all(MAIL_PASSWORD.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// Users are named with their domains; the default one is none of theirs, as Cyrus would cut
/// it off, and the list of passwords knows no such user.
fn imapd_conf(folder: &Path, user: &str, mechanisms: &str) -> String {
    let folder = folder.display();
    format!(
        "configdirectory: {folder}/lib
partition-default: {folder}/spool
defaultpartition: default
proc_path: {folder}/run/proc
mboxname_lockpath: {folder}/run/lock
lmtpsocket: {folder}/run/lmtp
idlesocket: {folder}/run/idle
notifysocket: {folder}/run/notify
cyrus_user: {user}
virtdomains: userid
defaultdomain: internal.invalid
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
munge8bit: no
conversations: 0
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {folder}/sasldb2
sasl_mech_list: {mechanisms}
sasl_auto_transition: no
tls_server_cert: {folder}/server.pem
tls_server_key: {folder}/server.key
tls_versions: tls1_2 tls1_3
"
    )
}

fn cyrus_conf(folder: &Path, [imap, imaps, pop, pops]: [u16; 4]) -> String {
    let conf = folder.join("imapd.conf");
    let conf = conf.display();
    let service = |name: &str, program: &str, port: u16, implicit: &str| {
        format!(
            "  {name} cmd=\"{UNPACKED}/{program} -C {conf}{implicit}\" \
             listen=\"{ADDRESS}:{port}\" proto=\"tcp4\" prefork=0\n"
        )
    };
    let services = [
        service("imap", "imapd", imap, ""),
        service("imaps", "imapd", imaps, " -s"),
        service("pop3", "pop3d", pop, ""),
        service("pop3s", "pop3d", pops, " -s"),
    ];
    format!(
        "START {{\n  recover cmd=\"{COMMON}/ctl_cyrusdb -C {conf} -r\"\n}}\n\
         SERVICES {{\n{}}}\nEVENTS {{\n}}\n",
        services.concat()
    )
}
