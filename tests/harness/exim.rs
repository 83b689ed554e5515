//! An Exim server for one test: its own folder, free ports, mailboxes in Maildirs, gone at the end.
//!
//! What it does depends on the recipient: `reject@` gets a 550, `temp@` a 451, `slow@` waits three
//! seconds, other domains than example.test get a 550; a mail with `reject-at-data` in its subject
//! is refused after its contents. Whom it does not know, it delivers to `catchall@`. Each AUTH
//! leaves a line with `asks to log in` in its log.
//!
//! Tokens (XOAUTH2) it leaves to a Dovecot, which asks the identity provider.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::daemon::{self, Daemon};
use super::world::{MAIL_PASSWORD, MAIL_USER};
use super::{certs, dovecot};

const PROGRAM: &str = "/usr/sbin/exim4";
const DOVECOT: &str = "/usr/sbin/dovecot";
/// Exim runs as this user and as no other, whoever starts it.
const USER: &str = "Debian-exim";
const ADDRESS: &str = "127.0.0.1";

/// What a test may want differently.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Which certificate (see [`certs::folder`]) it shows; `good` without.
    pub certificate: Option<&'static str>,
    /// Log-ins are offered in clear text too.
    pub clear_login: bool,
    /// Tokens are taken that the identity provider at this port has issued.
    pub tokens: Option<u16>,
    /// Mails are delivered by LMTP to this port, and not to Maildirs.
    pub lmtp: Option<u16>,
    /// Options of the main part of its configuration that take the place of those that are there.
    pub extra: &'static str,
}

/// A running server. Dropping it ends it with all its processes.
pub struct Exim {
    /// The port of SMTP (and STARTTLS) that takes mails from everybody.
    pub smtp: u16,
    /// The same for those who log in.
    pub submission: u16,
    /// The port of SMTP over TLS for those who log in.
    pub smtps: u16,
    daemon: Daemon,
    _tokens: Option<Daemon>,
}

impl Exim {
    /// Starts a server with a good certificate.
    pub fn start() -> Option<Self> {
        Self::with(Options::default())
    }

    /// Starts a server with other options.
    pub fn with(options: Options) -> Option<Self> {
        let needs = [
            Path::new(PROGRAM),
            Path::new(DOVECOT),
            // The light edition has no PAM, and no authentication through Dovecot.
            Path::new("/usr/share/doc/exim4-daemon-heavy"),
            Path::new("/usr/bin/setpriv"),
            Path::new("/usr/bin/unshare"),
            Path::new("/usr/bin/openssl"),
        ];
        daemon::is_installed("Exim", &needs)
            .then(|| daemon::persist("Exim", || Self::attempt(options)))
    }

    fn attempt(options: Options) -> Option<Self> {
        let folder = daemon::folder();
        let ports @ [smtp, submission, smtps] = daemon::free_ports(ADDRESS);
        certs::copy(options.certificate.unwrap_or("good"), folder.path());
        for inside in ["spool", "log", "mail"] {
            fs::create_dir(folder.path().join(inside)).unwrap();
        }
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("passwd", format!("{MAIL_USER}: {MAIL_PASSWORD}\n"));
        // What a lookup gives may be part of a path; what came with a mail may not.
        write(
            "mailboxes",
            "alice: alice\nbob: bob\njobs: jobs\n*: catchall\n".into(),
        );
        let tokens = match options.tokens {
            Some(provider) => Some(asks_about_tokens(provider)?),
            None => None,
        };
        let socket = tokens
            .as_ref()
            .map(|dovecot| dovecot.folder.path().join("run/auth-client"));
        write(
            "exim.conf",
            configuration(folder.path(), ports, options, socket.as_deref()),
        );
        let name = daemon::name(&folder);
        let mut command = as_exim(PROGRAM, folder.path());
        command
            .arg("-C")
            .arg(folder.path().join("exim.conf"))
            .arg("-bdf");
        Some(Self {
            smtp,
            submission,
            smtps,
            daemon: Daemon::start(folder, command, || daemon::greets((ADDRESS, smtp), &name))?,
            _tokens: tokens,
        })
    }

    /// Waits until this user of example.test has so many mails, and gives them with their oldest
    /// first.
    #[track_caller]
    pub fn mails(&self, user: &str, count: usize) -> Vec<String> {
        let folder = self
            .daemon
            .folder
            .path()
            .join("mail")
            .join(user)
            .join("Maildir/new");
        let began = Instant::now();
        loop {
            let files = fs::read_dir(&folder).into_iter().flatten();
            let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
            if files.len() >= count {
                files.sort();
                let read = |file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
                return files.iter().map(read).collect();
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{user} has {} mails, not {count}\n{}",
                files.len(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many mails wait to be delivered (`queue_only`).
    pub fn queued(&self) -> usize {
        let spool = self.daemon.folder.path().join("spool/input");
        let files = fs::read_dir(spool).into_iter().flatten();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with("-H")).count()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        let read = |name: &str| {
            fs::read_to_string(self.daemon.folder.path().join("log").join(name)).unwrap_or_default()
        };
        ["mainlog", "rejectlog", "paniclog"].map(read).concat()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- log of Exim\n{}---", self.log());
        }
    }
}

/// A program as Exim's own user: root becomes that user, anybody else passes for it.
fn as_exim(program: &str, folder: &Path) -> Command {
    let id = |switch: &str, user: &str| {
        let done = Command::new("id").args([switch, user]).output().unwrap();
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    let (user, group) = (id("-u", USER), id("-g", USER));
    let me = Command::new("id").arg("-u").output().unwrap().stdout;
    let mut command = Command::new("setpriv");
    // However the test ends, the kernel ends the server with it; it forgets that for programs
    // that get more rights when they start, as Exim would.
    command.args(["--pdeathsig", "KILL", "--no-new-privs"]);
    if me.trim_ascii() == b"0" {
        let mut give_away = Command::new("chown");
        give_away
            .arg("-R")
            .arg(format!("{user}:{group}"))
            .arg(folder);
        assert!(give_away.status().expect("chown").success());
        command.args([
            &format!("--reuid={user}"),
            &format!("--regid={group}"),
            "--clear-groups",
        ]);
    } else {
        command.args(["unshare", "--user"]);
        command.args([
            &format!("--map-user={user}"),
            &format!("--map-group={group}"),
        ]);
    }
    command.arg(program);
    command
}

/// A Dovecot that does nothing but say what tokens are worth.
fn asks_about_tokens(provider: u16) -> Option<Daemon> {
    let folder = daemon::folder();
    let here = folder.path().display();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("oauth2.conf", dovecot::introspection(provider));
    write(
        "dovecot.conf",
        format!(
            "base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/{log}
auth_verbose = yes
default_internal_user = {USER}
default_internal_group = {USER}
default_login_user = {USER}
protocols =
ssl = no
auth_mechanisms = xoauth2
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {here}/oauth2.conf
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service auth {{
  unix_listener auth-client {{
    mode = 0600
  }}
}}
",
            log = daemon::LOG
        ),
    );
    let mut command = as_exim(DOVECOT, folder.path());
    command
        .arg("-F")
        .arg("-c")
        .arg(folder.path().join("dovecot.conf"));
    let socket = folder.path().join("run/auth-client");
    Daemon::start(folder, command, move || {
        std::os::unix::net::UnixStream::connect(&socket)
            .is_ok_and(|socket| BufReader::new(socket).read_line(&mut String::new()).is_ok())
    })
}

fn configuration(
    folder: &Path,
    [smtp, submission, smtps]: [u16; 3],
    options: Options,
    tokens: Option<&Path>,
) -> String {
    let tokens = tokens.map_or_else(String::new, |socket| {
        let socket = socket.display();
        format!(
            "xoauth2:
  driver = dovecot
  public_name = XOAUTH2
  server_socket = {socket}
  server_set_id = $auth1
"
        )
    });
    let lmtp_port = options.lmtp.unwrap_or_default();
    let lmtp = options.lmtp.map_or_else(String::new, |_| {
        format!(
            "by_lmtp:
  driver = manualroute
  domains = example.test
  route_list = * {ADDRESS}
  self = send
  transport = lmtp
"
        )
    });
    let name = folder.file_name().unwrap().display();
    let folder = folder.display();
    let Options {
        clear_login, extra, ..
    } = options;
    let login = if clear_login {
        "*"
    } else {
        "${if eq{$tls_in_cipher}{}{}{*}}"
    };
    let main = format!(
        "primary_hostname = localhost
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
local_interfaces = {ADDRESS}
daemon_startup_retries = 0
smtp_banner = {name}
daemon_smtp_ports = {smtp} : {submission} : {smtps}
tls_on_connect_ports = {smtps}
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.key
tls_advertise_hosts = *
auth_advertise_hosts = {login}
dsn_advertise_hosts = *
pipelining_advertise_hosts = *
smtp_accept_max = 100
smtp_accept_max_per_connection = 1000
smtp_accept_queue_per_connection = 1000
message_size_limit = 1M
host_lookup =
rfc1413_query_timeout = 0s
qualify_domain = example.test
trusted_users = {USER}
admin_groups = {USER}
never_users =
keep_environment =
deliver_drop_privilege = true
acl_smtp_auth = acl_auth
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data"
    );
    // An option that stands there twice is an error.
    let option = |line: &str| line.split('=').next().unwrap().trim().to_owned();
    let changed: Vec<_> = extra.lines().map(option).collect();
    let kept = main.lines().filter(|line| !changed.contains(&option(line)));
    let main = kept.chain(extra.lines()).collect::<Vec<_>>().join("\n");
    format!(
        "{main}
begin acl
acl_auth:
  accept logwrite = asks to log in
acl_mail:
  accept condition = ${{if eq{{$received_port}}{{{smtp}}}}}
  accept authenticated = *
  deny message = 5.7.0 Authentication required
acl_rcpt:
  deny  local_parts = reject
        message = 5.1.1 No such mailbox
  defer local_parts = temp
        message = 4.2.0 Try again later
  warn  local_parts = slow
        delay = 3s
  accept domains = example.test
  deny message = 5.7.1 relay not permitted
acl_data:
  deny  condition = ${{if match{{$h_subject:}}{{reject-at-data}}}}
        message = 5.6.0 contents rejected
  accept
begin routers
{lmtp}mailboxes:
  driver = accept
  domains = example.test
  local_parts = lsearch*;{folder}/mailboxes
  transport = maildir
begin transports
lmtp:
  driver = smtp
  protocol = lmtp
  port = {lmtp_port}
  allow_localhost
maildir:
  driver = appendfile
  directory = {folder}/mail/$local_part_data/Maildir
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{!eq{{$auth2}}{{}}}}{{eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{folder}/passwd}}}}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if and{{{{!eq{{$auth1}}{{}}}}{{eq{{$auth2}}{{${{lookup{{$auth1}}lsearch{{{folder}/passwd}}}}}}}}}}}}
  server_set_id = $auth1
{tokens}"
    )
}
