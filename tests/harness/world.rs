//! One test's world: a temporary folder with an INI file, mails and MSGIN, in which the
//! program runs. After every run it looks for secrets where none belong.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::program::{self, Running};
use super::secrets::forms;
use super::{Ini, Mail, Ran, Tree};

/// The user of the mailbox.
pub const MAIL_USER: &str = "alice@example.test";
/// Somebody else who has a mailbox on the same server, with the same password.
pub const OTHER_USER: &str = "bob@example.test";
/// That user's password: found nowhere by chance, with characters that have to be quoted.
pub const MAIL_PASSWORD: &str = "Mail\"Box\\ pass-7391-word";
/// Not that user's password.
pub const WRONG_PASSWORD: &str = "Wrong-pass-6623";
/// The OpCon user of the tests.
pub const OPCON_USER: &str = "batch";
/// The external event password of the tests.
pub const OPCON_PASSWORD: &str = "Event-pass-5824-word";
/// Where the key of the sealed settings is, in its world.
pub const KEY: &str = if cfg!(windows) {
    "ProgramData/smartemail/secret.key"
} else {
    "home/.config/smartemail/secret.key"
};
/// Folders that hold secrets by design (MSGIN, and its staging folder after a kill) or nothing
/// but mails.
const STORES: [&str; 6] = [
    "MSGIN",
    "spool",
    "MSGIN.staging",
    "ProgramData/OpConxps/SAM/MSGIN",
    "mails",
    "Received",
];

/// A temporary folder and the program in it.
///
/// The program sees no environment but this world's, so nothing outside is read or written.
/// When a test fails, everything that happened in its world is printed.
pub struct World {
    folder: tempfile::TempDir,
    root: PathBuf,
    environment: Vec<(String, String)>,
    limit: Duration,
    secrets: RefCell<Vec<String>>,
    history: RefCell<Vec<Ran>>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A world with an empty MSGIN, an empty folder of mails and no INI file.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("smartemail-test-")
            .tempdir()
            .unwrap();
        let root = dunce::canonicalize(folder.path()).unwrap();
        for name in ["MSGIN", "mails", "home"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let inside = |name: &str| root.join(name).to_str().unwrap().to_owned();
        let mut environment = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
            ("LC_ALL".to_owned(), "C".to_owned()),
            ("HOME".to_owned(), inside("home")),
            ("XDG_CONFIG_HOME".to_owned(), inside("home/.config")),
            ("XDG_DATA_HOME".to_owned(), inside("home/.local/share")),
            ("XDG_STATE_HOME".to_owned(), inside("home/.local/state")),
            ("PROGRAMDATA".to_owned(), inside("ProgramData")),
            ("LOCALAPPDATA".to_owned(), inside("home")),
        ];
        if cfg!(windows) {
            // Sockets and DPAPI do not work without these.
            let needed = ["SYSTEMROOT", "WINDIR", "USERPROFILE", "APPDATA"];
            let given = needed
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
            environment.extend(given);
        }
        Self {
            folder,
            root,
            environment,
            limit: Duration::from_secs(60),
            secrets: RefCell::default(),
            history: RefCell::default(),
        }
    }

    /// A world with this INI file, its credentials sealed into it.
    pub fn with(ini: &Ini) -> Self {
        let world = Self::new();
        world.configure(ini);
        world
    }

    /// A world with this INI file and these mails in its folder, in this order.
    pub fn with_mails(ini: &Ini, mails: &[Mail]) -> Self {
        let world = Self::with(ini);
        for (number, mail) in mails.iter().enumerate() {
            world.mail(&format!("{:03}.eml", number + 1), &mail.bytes());
        }
        world
    }

    /// Sets a variable of the program's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a variable out of the program's environment.
    pub fn without_env(mut self, name: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self
    }

    /// The program's environment.
    pub fn environment(&self) -> impl Iterator<Item = (&String, &String)> {
        self.environment.iter().map(|(name, value)| (name, value))
    }

    /// Gives the program more or less time than the usual minute.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The world's folder, or a path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() {
            self.root.clone()
        } else {
            // Windows takes slashes, and shows backslashes.
            let separators = std::path::MAIN_SEPARATOR_STR;
            self.root.join(name.replace('/', separators))
        }
    }

    /// The same as text.
    pub fn place(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Where the INI file lies.
    pub fn ini_path(&self) -> PathBuf {
        self.path("SMArtEmail.ini")
    }

    /// Moves the INI file to another place in this world.
    pub fn move_ini(&self, place: &str) {
        let target = self.path(place);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::rename(self.ini_path(), target).unwrap();
    }

    /// The bytes of the INI file.
    pub fn ini_bytes(&self) -> Vec<u8> {
        fs::read(self.ini_path()).unwrap()
    }

    /// The INI file as text (it must be UTF-8).
    pub fn ini_text(&self) -> String {
        String::from_utf8(self.ini_bytes()).unwrap()
    }

    /// Writes the INI file and seals the credentials of the tests into it.
    pub fn configure(&self, ini: &Ini) {
        self.write_ini(ini.text(&self.place("")));
        let has_login = |protocol| ini.has("Mail", "EmailProtocol", protocol);
        let by_token = ini.has("Mail", "Authentication", "XOAUTH2");
        self.seal(!by_token && (has_login("IMAP") || has_login("POP")));
    }

    /// Writes the INI file byte for byte.
    pub fn write_ini(&self, text: impl AsRef<[u8]>) {
        fs::write(self.ini_path(), text).unwrap();
    }

    /// Gives a setting of the INI file another value. It must stand there already, under a
    /// name that no other section has; the credentials stay as they are.
    #[track_caller]
    pub fn change(&self, key: &str, value: &str) {
        let start = format!("{key}=");
        let mut changed = 0;
        let lines = self.ini_text();
        let lines = lines.lines().map(|line| {
            if line.starts_with(&start) {
                changed += 1;
                format!("{start}{value}\n")
            } else {
                format!("{line}\n")
            }
        });
        let text: String = lines.collect();
        assert_eq!(changed, 1, "{key} should stand there once");
        self.write_ini(text);
    }

    /// Runs `--credentials` for the OpCon user and, if asked, for the mailbox, with the
    /// passwords on standard input.
    #[track_caller]
    pub fn seal(&self, mailbox: bool) {
        if mailbox {
            self.seal_mailbox(MAIL_PASSWORD);
            return;
        }
        let opcon = format!("-opconuser:{OPCON_USER}");
        self.secret(OPCON_PASSWORD);
        let switches = ["--credentials", &opcon, "-opconpassword:-"];
        self.run_with(&switches, &format!("{OPCON_PASSWORD}\n"))
            .exit(0);
    }

    /// The same with a password for the mailbox that its server does not take.
    #[track_caller]
    pub fn seal_wrong(&self) {
        self.seal_mailbox(WRONG_PASSWORD);
    }

    #[track_caller]
    fn seal_mailbox(&self, password: &str) {
        self.secret(password);
        self.secret(OPCON_PASSWORD);
        let (user, opcon) = (
            format!("-user:{MAIL_USER}"),
            format!("-opconuser:{OPCON_USER}"),
        );
        let switches = [
            "--credentials",
            &user,
            "-password:-",
            &opcon,
            "-opconpassword:-",
        ];
        self.run_with(&switches, &format!("{password}\n{OPCON_PASSWORD}\n"))
            .exit(0);
    }

    /// Seals one setting (`section.key`), the value on standard input.
    #[track_caller]
    pub fn seal_setting(&self, name: &str, value: &str) {
        self.secret(value);
        let ran = self.run_with(&[&format!("-seal:{name}")], &format!("{value}\n"));
        ran.exit(0);
    }

    /// Runs `-seal` for one setting, with its value on standard input.
    #[track_caller]
    pub fn seal_one(&self, setting: &str, value: &str) {
        self.secret(value);
        let input = format!("{value}\n");
        let seal = format!("-seal:{setting}");
        self.run_with(&[&seal], &input).exit(0);
    }

    /// Lets the notices that the journal knows of be older by so many seconds.
    pub fn age_notices(&self, seconds: i64) {
        let path = self.path("SMArtEmail.state/journal");
        let mut aged = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            // A checksum stands before each record.
            let mut record: Value = serde_json::from_str(&line[9..]).unwrap();
            make_older(&mut record, seconds);
            let text = record.to_string();
            aged += &format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()));
        }
        fs::write(path, aged).unwrap();
    }

    /// From now on this text must not turn up in any output or file (but those of MSGIN).
    pub fn secret(&self, text: &str) {
        self.secrets.borrow_mut().push(text.to_owned());
    }

    /// The secrets so far may turn up anywhere.
    pub fn forget_secrets(&self) {
        self.secrets.borrow_mut().clear();
    }

    /// The text of one of the world's files; empty when there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The same of a log, with LF at the ends of its lines on every system.
    pub fn log(&self, name: &str) -> String {
        self.read(name).replace("\r\n", "\n")
    }

    /// Writes one of the world's files.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Puts a mail into the folder of mails.
    pub fn mail(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path("mails").join(name), bytes).unwrap();
    }

    /// Runs the program on this world's INI file.
    pub fn run(&self, args: &[&str]) -> Ran {
        let ini = format!("-inifile:{}", self.place("SMArtEmail.ini"));
        self.run_bare(&[&[ini.as_str()], args].concat())
    }

    /// The same with something to read on standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let ini = format!("-inifile:{}", self.place("SMArtEmail.ini"));
        self.finish(&[&[ini.as_str()], args].concat(), Some(input))
    }

    /// Runs the program with these arguments and no other.
    pub fn run_bare(&self, args: &[&str]) -> Ran {
        self.finish(args, None)
    }

    /// Starts the program on this world's INI file and goes on without waiting for it.
    pub fn start(&self, args: &[&str]) -> Running {
        let ini = format!("-inifile:{}", self.place("SMArtEmail.ini"));
        self.launch(&[&[ini.as_str()], args].concat(), None)
    }

    /// Waits for the end of a run that was started.
    pub fn ended(&self, running: Running) -> Ran {
        self.remember(running.wait(self.limit))
    }

    /// Runs the program on this world's INI file and kills it after this time.
    pub fn run_killed_after(&self, args: &[&str], delay: Duration) -> Ran {
        self.remember(self.start(args).kill_after(delay))
    }

    fn finish(&self, args: &[&str], input: Option<&str>) -> Ran {
        self.remember(self.launch(args, input).wait(self.limit))
    }

    fn launch(&self, args: &[&str], input: Option<&str>) -> Running {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        program::start(&args, &self.environment, &self.root, input)
    }

    fn remember(&self, ran: Ran) -> Ran {
        self.history.borrow_mut().push(ran.clone());
        self.assert_no_secret_in(&ran);
        ran
    }

    /// The events in MSGIN, in the order of their files' names, without the credentials,
    /// which every one of them must end with. Files are whole: every line has its end.
    #[track_caller]
    pub fn events(&self) -> Vec<String> {
        let ending = format!(",{OPCON_USER},{OPCON_PASSWORD}");
        let bare = |line: &String| line.strip_suffix(&ending).map(str::to_owned);
        let lines = self.event_lines();
        lines
            .iter()
            .map(|line| {
                bare(line).unwrap_or_else(|| panic!("no credentials at the end of {line:?}"))
            })
            .collect()
    }

    /// The events in MSGIN show these words on the console, one each, in this order.
    #[track_caller]
    pub fn assert_events(&self, words: &[&str]) {
        let expected = words.iter().map(|word| format!("$CONSOLE:DISPLAY,{word}"));
        assert_eq!(self.events(), expected.collect::<Vec<_>>());
    }

    /// The same lines as they are.
    #[track_caller]
    pub fn event_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for name in self.event_files() {
            let text =
                fs::read_to_string(self.path("MSGIN").join(&name)).expect("an event file is UTF-8");
            // What ends a line for the OpCon agent of the program's system.
            let end = if program::is_windows() { "\r\n" } else { "\n" };
            let whole = text.strip_suffix(end);
            let whole = whole.unwrap_or_else(|| panic!("{name} ends within a line: {text:?}"));
            lines.extend(whole.split(end).map(str::to_owned));
        }
        for line in &lines {
            assert!(
                !line.is_empty() && !line.contains(['\r', '\n']),
                "a broken event line: {line:?}"
            );
        }
        lines
    }

    /// The names of the files in MSGIN, sorted. They must be plain ASCII.
    #[track_caller]
    pub fn event_files(&self) -> Vec<String> {
        let files = Tree::of(&self.path("MSGIN")).files();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        for name in &files {
            assert!(
                name.chars().all(plain),
                "a file in MSGIN has the odd name {name:?}"
            );
        }
        files
    }

    /// The files of the folder of saved mails, sorted, with `/` between folders.
    pub fn saved(&self) -> Vec<String> {
        let folder = self.path("Received");
        if folder.exists() {
            Tree::of(&folder).files()
        } else {
            Vec::new()
        }
    }

    /// The names of the mails that are still in the folder of mails, sorted.
    pub fn mails_left(&self) -> Vec<String> {
        Tree::of(&self.path("mails")).files()
    }

    /// Everything in this world.
    pub fn tree(&self) -> Tree {
        Tree::of(&self.root)
    }

    #[track_caller]
    fn assert_no_secret_in(&self, ran: &Ran) {
        let secrets = self.secrets.borrow();
        if secrets.is_empty() {
            return;
        }
        let tree = Tree::without(&self.root, &STORES);
        for form in secrets.iter().flat_map(|secret| forms(secret)) {
            assert!(
                !ran.output().contains(&form),
                "a secret in the output: {form:?}\n{ran}"
            );
            let files = tree.files_holding(form.as_bytes());
            assert!(
                files.is_empty(),
                "the secret {form:?} stands in {files:?}\n{ran}"
            );
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        println!(
            "=== the world of the failed test: {}",
            self.folder.path().display()
        );
        for ran in self.history.borrow().iter() {
            println!("{ran}");
        }
        println!("--- files\n{}", self.tree());
        if let Ok(ini) = fs::read(Path::new(&self.ini_path())) {
            println!("--- SMArtEmail.ini\n{}\n===", String::from_utf8_lossy(&ini));
        }
    }
}

fn make_older(value: &mut Value, seconds: i64) {
    let Some(fields) = value.as_object_mut() else {
        return;
    };
    for (name, value) in fields {
        match value.as_i64() {
            Some(at) if name == "at" => *value = (at - seconds).into(),
            _ => make_older(value, seconds),
        }
    }
}
