//! Runs the built binary: closed environment, time limit, peak memory, and assertions on
//! what came out of it.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Names a program for Windows that takes the place of the built binary.
const OTHER: &str = "SMARTEMAIL_EXE";
/// How often a running program is looked at.
const PULSE: Duration = Duration::from_millis(2);

/// The points of a run with mails to delete at which the program can be told to die, in its order,
/// and whether the next run finds event files or intents that it has to see to.
pub const POINTS: [(&str, bool); 12] = [
    ("saved", false),
    ("staging", true),
    ("staged", true),
    ("intended", true),
    ("submitting", true),
    ("submitted", true),
    ("recorded", false),
    ("deleting", false),
    ("deleted", false),
    ("advanced", false),
    ("dating", false),
    ("dated", false),
];

/// One finished run of the program.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The command line, for people.
    pub command: String,
    /// The exit code; `None` when a signal ended the program.
    pub code: Option<i32>,
    /// The signal that ended it, on systems that have them.
    pub signal: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// The largest resident memory seen while it ran, in kB (0 where the system does not tell).
    pub peak_kb: u64,
    /// How long it ran.
    pub took: Duration,
}

/// A program that has been started.
pub struct Running {
    child: Child,
    command: String,
    started: Instant,
    stdout: Heard,
    stderr: Heard,
}

/// What comes out of a pipe, as it comes.
struct Heard {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<thread::JoinHandle<()>>,
}

/// The program: the built binary, or a stand-in for it that the environment names (tests/wine.sh
/// gives the .exe under Wine).
pub fn path() -> OsString {
    std::env::var_os(OTHER).unwrap_or_else(|| env!("CARGO_BIN_EXE_smartemail").into())
}

/// Whether the program is one for Windows.
pub fn is_windows() -> bool {
    cfg!(windows) || std::env::var_os(OTHER).is_some()
}

/// Starts the binary with these arguments and nothing of the test's own environment.
///
/// `input` is what it may read from standard input; `None` is an empty one.
pub fn start(
    args: &[String],
    environment: &[(String, String)],
    folder: &Path,
    input: Option<&str>,
) -> Running {
    let mut command = Command::new(path());
    command
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    own_group(&mut command);
    let started = Instant::now();
    let mut child = command.spawn().expect("the built binary starts");
    if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
        // A program that has no question does not read; that is no failure of the test bed.
        let _ = pipe.write_all(text.as_bytes());
    }
    let stdout = Heard::from(child.stdout.take().unwrap());
    let stderr = Heard::from(child.stderr.take().unwrap());
    let command = format!("smartemail {}", args.join(" "));
    Running {
        child,
        command,
        started,
        stdout,
        stderr,
    }
}

impl Running {
    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of standard output that holds this text. `None`: it ended without.
    pub fn line_with(&mut self, text: &str) -> Option<String> {
        loop {
            let ended = self.child.try_wait().unwrap().is_some();
            let bytes = self.stdout.text.lock().unwrap().clone();
            let so_far = String::from_utf8_lossy(&bytes).into_owned();
            let whole = so_far.rsplit_once('\n').map_or("", |(lines, _)| lines);
            if let Some(line) = whole.lines().find(|line| line.contains(text)) {
                return Some(line.to_owned());
            }
            if ended
                && self
                    .stdout
                    .reader
                    .as_ref()
                    .is_none_or(thread::JoinHandle::is_finished)
            {
                return None;
            }
            thread::sleep(PULSE);
        }
    }

    /// Waits for its end, which must come within this time from its start.
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> Ran {
        let (status, peak_kb) = self.watch(limit);
        let in_time = self.started.elapsed() < limit;
        let ran = self.ran(status, peak_kb);
        assert!(in_time, "the program did not end within {limit:?}\n{ran}");
        ran
    }

    /// Kills it after this time from its start, if it has not ended by then.
    pub fn kill_after(mut self, delay: Duration) -> Ran {
        let (status, peak_kb) = self.watch(delay);
        self.ran(status, peak_kb)
    }

    /// How it ended; `None` when it had to be ended.
    fn watch(&mut self, limit: Duration) -> (Option<ExitStatus>, u64) {
        let mut peak_kb = 0;
        while self.started.elapsed() < limit {
            peak_kb = peak_kb.max(peak_memory(self.child.id()));
            if let Some(status) = self.child.try_wait().unwrap() {
                return (Some(status), peak_kb);
            }
            thread::sleep(PULSE);
        }
        end_group(&mut self.child);
        let status = self.child.try_wait().unwrap();
        // Windows gives a program that was ended an exit code like any other.
        (status.filter(|_| cfg!(unix)), peak_kb)
    }

    fn ran(&mut self, status: Option<ExitStatus>, peak_kb: u64) -> Ran {
        Ran {
            command: self.command.clone(),
            code: status.and_then(|status| status.code()),
            signal: status.and_then(signal),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            peak_kb,
            took: self.started.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end_group(&mut self.child);
    }
}

impl Heard {
    fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = pipe.read(&mut buffer).unwrap();
                if count == 0 {
                    return;
                }
                sink.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    /// All of it, once the pipe is closed.
    fn whole(&mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        let bytes = self.text.lock().unwrap().clone();
        String::from_utf8(bytes).expect("the program writes UTF-8")
    }
}

/// The high-water mark of a process's resident memory in kB. A process that has just
/// ended has none any more; the mark only ever grows, so an earlier look stands.
fn peak_memory(id: u32) -> u64 {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or(0)
}

fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    // What a program leaves on Windows that ends itself in the middle.
    #[cfg(not(unix))]
    {
        const ABORTED: i32 = 0xC000_0409_u32.cast_signed();
        (status.code() == Some(ABORTED)).then_some(9)
    }
}

/// Puts a child into a process group of its own, so that all it starts can be ended with it.
pub fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// Ends a child started with [`own_group`] and everything in its group, and waits for it.
pub fn end_group(child: &mut Child) {
    #[cfg(unix)]
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status();
    let _ = child.kill();
    let _ = child.wait();
}

impl Ran {
    /// The run ended with this exit code.
    #[track_caller]
    pub fn exit(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "exit code\n{self}");
        self
    }

    /// The run was killed in the middle, as by `kill -9`.
    #[track_caller]
    pub fn killed(&self) -> &Self {
        // A program for Windows ends itself with 0xC0000409, of which Wine passes on the last byte.
        let killed = self.signal == Some(9) || is_windows() && self.code == Some(9);
        assert!(killed, "it should have been killed\n{self}");
        self
    }

    /// Standard output holds this text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text),
            "standard output should hold {text:?}\n{self}"
        );
        self
    }

    /// Standard output holds nothing of the kind.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        assert!(
            !self.stdout.contains(text),
            "standard output should not hold {text:?}\n{self}"
        );
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub fn complains(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "standard error should hold {text:?}\n{self}"
        );
        self
    }

    /// Standard error holds one line that has all of these texts.
    #[track_caller]
    pub fn complains_in_one_line(&self, texts: &[&str]) -> &Self {
        let found = self
            .stderr
            .lines()
            .any(|line| texts.iter().all(|text| line.contains(text)));
        assert!(
            found,
            "one line of standard error should hold all of {texts:?}\n{self}"
        );
        self
    }

    /// Nothing was written to standard error.
    #[track_caller]
    pub fn without_complaint(&self) -> &Self {
        assert!(
            self.stderr.is_empty(),
            "standard error should be empty\n{self}"
        );
        self
    }

    /// Nothing was tried again.
    #[track_caller]
    pub fn without_retry(&self) -> &Self {
        assert!(
            !self.stderr.to_lowercase().contains("trying again"),
            "nothing should be tried again\n{self}"
        );
        self
    }

    /// How many lines of standard output start with this word.
    pub fn lines_starting(&self, word: &str) -> usize {
        self.stdout
            .lines()
            .filter(|line| line.starts_with(word))
            .count()
    }

    /// Standard output as one JSON value a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line);
        let values: Result<_, _> = self.stdout.lines().map(parse).collect();
        values.unwrap_or_else(|error| panic!("not a JSON value a line: {error}\n{self}"))
    }

    /// Both streams.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "$ {}\nexit code {:?}, signal {:?} after {:?}",
            self.command, self.code, self.signal, self.took
        )?;
        writeln!(
            f,
            "--- standard output\n{}--- standard error\n{}---",
            self.stdout, self.stderr
        )
    }
}
