//! A Dovecot server (IMAP and POP3) for one test: its own folder, free ports, one user, gone at the end.

use std::fs::{self, File, FileTimes};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use super::daemon::{self, Account, Daemon};
use super::idp::DIRECTORY;
use super::world::{MAIL_PASSWORD, MAIL_USER, OTHER_USER};
use super::{Doors, Mail, MailServer, certs};

const PROGRAM: &str = "/usr/sbin/dovecot";

/// What a test may want differently.
pub struct Options {
    /// Which certificate (see [`certs::folder`]) it shows.
    pub certificate: &'static str,
    /// The address that it listens on.
    pub address: &'static str,
    /// The one version of TLS that it speaks, in OpenSSL's words; all of today's without.
    pub tls: Option<&'static str>,
    /// Mails can be delivered by LMTP.
    pub lmtp: bool,
    /// It takes tokens of the provider at this port too, which it asks what they are worth.
    pub tokens: Option<u16>,
    /// More lines for its configuration.
    pub extra: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            certificate: "good",
            address: "127.0.0.1",
            tls: None,
            tokens: None,
            lmtp: false,
            extra: "",
        }
    }
}

/// A running server. Dropping it ends it with all its processes.
pub struct Dovecot {
    /// The port of plain IMAP (and STARTTLS).
    pub imap: u16,
    /// The port of IMAP over TLS.
    pub imaps: u16,
    /// The port of plain POP3 (and STLS).
    pub pop: u16,
    /// The port of POP3 over TLS.
    pub pops: u16,
    /// The port of LMTP, where that is wanted.
    pub lmtp: u16,
    /// The address that it listens on.
    pub address: &'static str,
    daemon: Daemon,
    delivered: AtomicU64,
    /// How often the user was changed.
    turns: AtomicU64,
}

impl Dovecot {
    /// Starts a server with a good certificate; `None` (said on standard output) where no
    /// Dovecot is installed and the run does not demand it.
    pub fn start() -> Option<Self> {
        Self::with(&Options::default())
    }

    /// Starts a server with other options.
    pub fn with(options: &Options) -> Option<Self> {
        let lmtp = options.lmtp.then_some("/usr/lib/dovecot/lmtp");
        let needs = ["/usr/bin/setpriv", "/usr/bin/openssl", PROGRAM].into_iter();
        let needs: Vec<_> = needs.chain(lmtp).map(Path::new).collect();
        daemon::is_installed("Dovecot", &needs)
            .then(|| daemon::persist("Dovecot", || Self::attempt(options)))
    }

    fn attempt(options: &Options) -> Option<Self> {
        let folder = daemon::folder();
        let ports @ [imap, imaps, pop, pops, lmtp] = daemon::free_ports(options.address);
        let account = Account::ordinary();
        certs::copy(options.certificate, folder.path());
        fs::write(
            folder.path().join("users"),
            [MAIL_USER, OTHER_USER]
                .map(|user| format!("{user}:{{PLAIN}}{MAIL_PASSWORD}\n"))
                .concat(),
        )
        .unwrap();
        let text = configuration(folder.path(), &account, ports, options);
        fs::write(folder.path().join("dovecot.conf"), text).unwrap();
        for inbox in ["tmp", "new", "cur"] {
            fs::create_dir_all(maildir(folder.path()).join(inbox)).unwrap();
        }
        if let Some(provider) = options.tokens {
            fs::write(folder.path().join("oauth2.conf"), introspection(provider)).unwrap();
        }
        let tls = folder.path().join("openssl.cnf");
        if let Some(version) = options.tls {
            fs::write(&tls, only(version)).unwrap();
        }
        let mut command = account.command(Path::new(PROGRAM), folder.path());
        command
            .args(["-F", "-c"])
            .arg(folder.path().join("dovecot.conf"));
        if options.tls.is_some() {
            command.env("OPENSSL_CONF", tls);
        }
        let address = options.address;
        Some(Self {
            imap,
            imaps,
            pop,
            pops,
            lmtp,
            address,
            daemon: Daemon::start(folder, command, || greets(address, imap))?,
            delivered: AtomicU64::new(0),
            turns: AtomicU64::new(0),
        })
    }

    /// Puts a mail into the INBOX, received at this second of the Unix epoch.
    pub fn deliver(&self, mail: &[u8], received: u64) {
        let file = self.write(mail, received);
        fs::rename(&file, self.inbox("new").join(self.name())).unwrap();
    }

    /// Puts the same mail into the INBOX many times: one file with many names, so that
    /// thousands take no time.
    pub fn deliver_many(&self, mail: &[u8], received: u64, count: usize) {
        let file = self.write(mail, received);
        for _ in 0..count {
            fs::hard_link(&file, self.inbox("cur").join(format!("{}:2,", self.name()))).unwrap();
        }
        fs::remove_file(file).unwrap();
    }

    /// Gives the user these further fields of Dovecot's passwd-file; `None` makes the file
    /// unreadable, as when a directory service is down.
    pub fn set_user(&self, fields: Option<&str>) {
        let path = self.daemon.folder.path().join("users");
        let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(&path, mode(0o644)).unwrap();
        if let Some(fields) = fields {
            let text = format!("{MAIL_USER}:{{PLAIN}}{MAIL_PASSWORD}::::::{fields}\n");
            fs::write(&path, text).unwrap();
        }
        // Dovecot looks at the time, in seconds, to see whether the file is another one.
        let file = File::options().write(true).open(&path).unwrap();
        let before = file.metadata().unwrap().modified().unwrap();
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        file.set_modified(before + Duration::from_secs(2 + turn))
            .unwrap();
        if fields.is_none() {
            fs::set_permissions(&path, mode(0o000)).unwrap();
        }
        // And it looks once in each second at the most.
        let second = || UNIX_EPOCH.elapsed().unwrap().as_secs();
        let now = second();
        while second() == now {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Another POP3 client of the same user, which has the mailbox as long as this lives.
    pub fn occupy_pop(&self) -> TcpStream {
        let mut client = TcpStream::connect((self.address, self.pop)).unwrap();
        let log_in = format!("USER {MAIL_USER}\r\nPASS {MAIL_PASSWORD}\r\nNOOP\r\n");
        client.write_all(log_in.as_bytes()).unwrap();
        let answers = BufReader::new(client.try_clone().unwrap()).lines();
        let answers: Vec<_> = answers.take(4).map(Result::unwrap).collect();
        assert!(
            answers.iter().all(|answer| answer.starts_with("+OK")),
            "{answers:?}"
        );
        client
    }

    /// Puts three mails into the INBOX, "Test one", "other" and "Test three", received at this
    /// second and the next ones.
    pub fn deliver_three(&self, received: u64) {
        for (received, subject) in (received..).zip(["Test one", "other", "Test three"]) {
            self.deliver(&Mail::new(subject).bytes(), received);
        }
    }

    /// How many mails were put into the INBOX.
    pub fn delivered(&self) -> usize {
        usize::try_from(self.delivered.load(Ordering::Relaxed)).unwrap()
    }

    /// Forgets the numbers of all mails, as after a restored backup or a move to another
    /// server: the INBOX gets another UIDVALIDITY, and its mails new UIDs in their order.
    pub fn number_anew(&self) {
        let validity = || {
            let mut inspector = super::Inspector::open(self);
            let status = inspector.command("STATUS INBOX (UIDVALIDITY)");
            inspector.command("LOGOUT");
            status
        };
        let before = validity();
        // The number is a time in seconds: within the same one it would be the same.
        while validity() == before {
            std::thread::sleep(Duration::from_millis(100));
            for entry in fs::read_dir(self.inbox("")).unwrap().map(Result::unwrap) {
                if entry.file_name().to_string_lossy().starts_with("dovecot") {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        }
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Its process group.
    pub fn process_group(&self) -> u32 {
        self.daemon.group()
    }

    fn inbox(&self, part: &str) -> PathBuf {
        maildir(self.daemon.folder.path()).join(part)
    }

    /// Dovecot gives UIDs in the order of the number that a file name starts with.
    fn name(&self) -> String {
        let number = 1_000_000_000 + self.delivered.fetch_add(1, Ordering::Relaxed);
        format!("{number}.M1P1.test")
    }

    fn write(&self, mail: &[u8], received: u64) -> PathBuf {
        let path = self.inbox("tmp").join("mail");
        fs::write(&path, mail).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(received);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(time).set_accessed(time))
            .unwrap();
        let owner = fs::metadata(self.inbox("tmp")).unwrap();
        let (user, group) = (
            std::os::unix::fs::MetadataExt::uid(&owner),
            std::os::unix::fs::MetadataExt::gid(&owner),
        );
        std::os::unix::fs::chown(&path, Some(user), Some(group)).unwrap();
        path
    }
}

impl MailServer for Dovecot {
    fn doors(&self) -> Doors {
        Doors {
            address: self.address,
            imap: self.imap,
            imaps: self.imaps,
            pop: Some(self.pop),
            pops: Some(self.pops),
        }
    }

    fn deliver(&self, mail: &[u8], received: u64) {
        Self::deliver(self, mail, received);
    }
}

fn maildir(folder: &Path) -> PathBuf {
    folder.join("mail").join(MAIL_USER).join("Maildir")
}

/// Whether the real greeting comes: on a cold start another line may come before it.
fn greets(address: &str, port: u16) -> bool {
    let Ok(stream) = TcpStream::connect((address, port)) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.any(|line| line.contains("CAPABILITY"))
}

/// Dovecot 2.3 has a lowest version but no highest one; OpenSSL's own configuration has both.
fn only(tls: &str) -> String {
    format!(
        "openssl_conf = i\n[i]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\nMinProtocol = {tls}\n\
         MaxProtocol = {tls}\nCipherString = DEFAULT:@SECLEVEL=0\n"
    )
}

/// How Dovecot asks the provider at this port about tokens (RFC 7662).
pub fn introspection(provider: u16) -> String {
    format!(
        "introspection_mode = post
introspection_url = http://mail-server:introspection@localhost:{provider}/{DIRECTORY}/introspect
username_attribute = username
active_attribute = active
active_value = true
"
    )
}

fn configuration(
    folder: &Path,
    Account { user, group, .. }: &Account,
    [imap, imaps, pop, pops, lmtp]: [u16; 5],
    options: &Options,
) -> String {
    let folder = folder.display();
    let Options {
        address,
        tls,
        tokens,
        extra,
        ..
    } = options;
    let tls = tls.map_or_else(String::new, |tls| {
        format!(
            "import_environment = $import_environment OPENSSL_CONF={folder}/openssl.cnf\n\
             ssl_min_protocol = {tls}\nssl_cipher_list = ALL:!aNULL:!eNULL:@SECLEVEL=0"
        )
    });
    // Accounts of an identity provider all have the one mailbox.
    let owner = tokens.map_or("%u", |_| MAIL_USER);
    let tokens = tokens.map_or_else(String::new, |_| {
        format!(
            "auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}"
        )
    });
    let lmtp = if options.lmtp {
        format!(
            "protocols = imap pop3 lmtp
service lmtp {{
  chroot =
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}"
        )
    } else {
        "protocols = imap pop3".to_owned()
    };
    let log = daemon::LOG;
    format!(
        "base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/{log}
auth_verbose = yes
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
listen = {address}
{lmtp}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  service_count = 0
  inet_listener pop3 {{
    port = {pop}
  }}
  inet_listener pop3s {{
    port = {pops}
    ssl = yes
  }}
}}
# Without this a wrong password slows down every later log-in from the same address.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/{owner} allow_all_users=yes
}}
mail_location = maildir:~/Maildir
first_valid_uid = 1
first_valid_gid = 1
mail_fsync = never
namespace inbox {{
  inbox = yes
  separator = /
}}
{tls}
{tokens}
{extra}
"
    )
}
