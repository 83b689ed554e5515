//! What all mail servers of the tests have in common: an own folder, free ports, an ordinary
//! user, and an end of all their processes with the test.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::iter;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::program;

/// The file in a server's folder that takes all that it has to say.
pub const LOG: &str = "server.log";
/// How long a server may take until it serves.
const START: Duration = Duration::from_secs(20);
/// Where their ports are: above those that browsers refuse, below those of connections (from 32768
/// on Linux).
const FIRST_PORT: u16 = 11_000;
const PORTS: u16 = 21_000;

/// Whether these files, which `server` needs, are all there. A run that demands its servers
/// fails if not; any other says what it skips.
pub fn is_installed(server: &str, files: &[&Path]) -> bool {
    let missing: Vec<_> = files.iter().filter(|file| !file.exists()).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(
        std::env::var_os("SMARTEMAIL_TEST_SERVERS").is_none_or(|value| value != "required"),
        "{server} is not installed, {missing:?} is missing: bash tests/run.sh installs it"
    );
    println!("skipped: {server} is not installed (bash tests/run.sh installs it)");
    false
}

/// Where a command is; a path that does not exist when it is nowhere.
pub fn find(command: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(command));
    places
        .find(|place| place.exists())
        .unwrap_or_else(|| command.into())
}

/// Starts a server, again where that fails: between choosing a free port and the server's
/// taking it, another may have come.
pub fn persist<S>(server: &str, attempt: impl Fn() -> Option<S>) -> S {
    let mut attempts = (0..5).map(|_| attempt());
    let started = attempts.find_map(|server| server);
    started.unwrap_or_else(|| panic!("{server} does not start; its log is printed above"))
}

/// A folder for a server, with an empty log. Its path is short: it becomes part of the names
/// of unix sockets.
pub fn folder() -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    let folder = builder.prefix("se-").tempdir_in("/tmp").unwrap();
    File::create(folder.path().join(LOG)).unwrap();
    folder
}

/// A name for a server, by which it is told from another that has taken its port.
pub fn name(folder: &tempfile::TempDir) -> String {
    let name = folder.path().file_name().unwrap();
    name.to_str().unwrap().to_owned()
}

/// Whether the server of this name greets there.
pub fn greets(address: (&str, u16), name: &str) -> bool {
    let Ok(stream) = TcpStream::connect(address) else {
        return false;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut greeting = String::new();
    let read = BufReader::new(stream).read_line(&mut greeting);
    read.is_ok() && greeting.contains(name)
}

/// Ports that nobody listens on at this moment. Each is given once, and none is among those that
/// systems give to connections: until its server listens, no other takes it.
pub fn free_ports<const N: usize>(address: &str) -> [u16; N] {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Test programs that run at the same time begin apart.
    let start = std::process::id().wrapping_mul(97);
    let next = || {
        let number = start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        FIRST_PORT + u16::try_from(number % u32::from(PORTS)).unwrap()
    };
    let is_free = |port: &u16| TcpListener::bind((address, *port)).is_ok();
    let mut ports = iter::repeat_with(next).filter(is_free);
    [(); N].map(|()| ports.next().unwrap())
}

/// Whom servers run as: never root, which some refuse.
pub struct Account {
    /// Its name.
    pub user: String,
    /// Its first group.
    pub group: String,
    is_root: bool,
}

impl Account {
    /// The user who runs the tests; `nobody` for root.
    pub fn ordinary() -> Self {
        let is_root = says("id", &["-u"]) == "0";
        let user = if is_root {
            "nobody".to_owned()
        } else {
            says("id", &["-un"])
        };
        let group = says("id", &["-gn", &user]);
        Self {
            user,
            group,
            is_root,
        }
    }

    /// A command that runs this program as this user, who becomes the owner of the folder.
    /// However the test ends, the kernel ends the program with it.
    pub fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if self.is_root {
            let mut give_away = Command::new("chown");
            give_away.arg("-R").arg(&self.user).arg(folder);
            assert!(give_away.status().expect("chown").success());
            command.args([
                &format!("--reuid={}", self.user),
                &format!("--regid={}", self.group),
                "--clear-groups",
            ]);
        }
        command.arg(program);
        command
    }
}

fn says(program: &str, args: &[&str]) -> String {
    let done = Command::new(program).args(args).output();
    let text = String::from_utf8(done.expect("a standard command").stdout);
    text.unwrap().trim().to_owned()
}

/// A running server. Dropping it ends it with all its processes.
pub struct Daemon {
    /// Its folder, gone with it.
    pub folder: tempfile::TempDir,
    master: Child,
}

impl Daemon {
    /// Runs a command of an [`Account`] until it serves; `None` if that fails.
    pub fn start(
        folder: tempfile::TempDir,
        mut command: Command,
        serves: impl Fn() -> bool,
    ) -> Option<Self> {
        let log = File::options().append(true).open(folder.path().join(LOG));
        let log = log.unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        program::own_group(&mut command);
        let started = Instant::now();
        let master = command.spawn().expect("setpriv starts");
        let mut daemon = Self { folder, master };
        while daemon.master.try_wait().unwrap().is_none() && started.elapsed() < START {
            if serves() {
                return Some(daemon);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        println!("--- log of a server that did not start\n{}", daemon.log());
        None
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// Its process group.
    pub fn group(&self) -> u32 {
        self.master.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        program::end_group(&mut self.master);
        if std::thread::panicking() {
            println!("--- log of the server\n{}---", self.log());
        }
    }
}
