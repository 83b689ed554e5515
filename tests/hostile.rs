//! Servers that lie: every lie at every stage of a conversation, and an honest server afterwards
//! with which the work is completed exactly once.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::io;
use std::time::Duration;

use harness::hostile::{Lie, Question, Stage};
use harness::job::{self, Task};
use harness::{HostileServer, Ini, Table, World};

/// What the program may take: its time limits are one second each, and the machine is busy.
const LIMIT: Duration = Duration::from_secs(30);
/// What the program may hold, in kB.
const MEMORY: u64 = 64 * 1024;

const STAGES: [Stage; 13] = [
    Stage::Greeting,
    Stage::LogIn,
    Stage::Status,
    Stage::Select,
    Stage::Search,
    Stage::List,
    Stage::Structure,
    Stage::Text,
    Stage::Mails,
    Stage::Capability,
    Stage::Store,
    Stage::Expunge,
    Stage::LogOut,
];

/// A mail that nobody asked for.
const FOREIGN: &str = "* 9 FETCH (UID 999 RFC822.SIZE 30 INTERNALDATE \"06-Jan-2026 12:00:00 +0000\" \
    BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 7 1) \
    BODY[HEADER.FIELDS (FROM SUBJECT DATE MESSAGE-ID)]<0> {29}\r\nSubject: Test foreign\r\n\r\nabcd \
    BODY[1] \"wanted foreign\" BODY[] {27}\r\nSubject: Test foreign\r\n\r\nab)\r\n";

/// What a server may say at any time.
const UNSOLICITED: &str = "* OK [ALERT] the cellar is on fire\r\n* NO [ALERT] and the roof\r\n\
    * BAD it rains\r\n* FLAGS (\\Seen $Odd)\r\n* 3 RECENT\r\n* LIST () \"/\" INBOX\r\n\
    * LSUB () \"/\" Drafts\r\n* SEARCH 999\r\n* ESEARCH (TAG \"x\") UID ALL 999\r\n\
    * STATUS Drafts (MESSAGES 4 UIDNEXT 8)\r\n* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n\
    * ENABLED CONDSTORE\r\n* ID NIL\r\n* VANISHED (EARLIER) 1:2\r\n\
    * 2 FETCH (FLAGS (\\Seen) MODSEQ (9))\r\n* OK [UNSEEN 2] two\r\n\
    * OK [HIGHESTMODSEQ 9] nine\r\n* XSURPRISE (very {3}\r\nbig)\r\n\r\n";

fn said_before(question: &Question, line: impl AsRef<[u8]>) -> io::Result<()> {
    question.say(line)?;
    question.say(question.answer)
}

fn replaced(question: &Question, what: &str, with: &str) -> io::Result<()> {
    let answer = String::from_utf8_lossy(question.answer);
    question.say(answer.replacen(what, with, 1))
}

/// Says that the first literal is so many bytes longer or shorter than it is.
fn literal_off_by(question: &Question, bytes: i64) -> io::Result<()> {
    let answer = String::from_utf8_lossy(question.answer);
    let size = answer.split(['{', '}']).nth(1).unwrap_or_default();
    let said = size.parse::<i64>().unwrap_or_default() + bytes;
    replaced(question, &format!("{{{size}}}"), &format!("{{{said}}}"))
}

fn for_ever(question: &Question, first: &str, again: &[u8]) -> io::Result<()> {
    question.say(first)?;
    loop {
        question.say(again)?;
    }
}

/// A lie's name, how it is told, and the exit codes that it leads to at each stage, `-` where
/// it makes no sense.
const LIES: [(&str, Lie, &str); 20] = [
    (
        "a literal shorter than it is",
        |q| literal_off_by(q, -3),
        "- - - - - 2 - 2 2 - - - -",
    ),
    (
        "a literal longer than it is",
        |q| literal_off_by(q, 3),
        "- - - - - 2 - 2 2 - - - -",
    ),
    (
        "a literal that never comes",
        |q| literal_off_by(q, 60_000),
        "- - - - - 2 - 2 2 - - - -",
    ),
    (
        "a literal of 2 GB",
        |q| literal_off_by(q, 1 << 31),
        "- - - - - 2 - 2 2 - - - -",
    ),
    (
        "a literal of 2 GB of nothing",
        |q| said_before(q, "* LIST () \"/\" {2147483648}\r\n"),
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "an endless line",
        |q| for_ever(q, "* OK ", &[b'a'; 8000]),
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "an endless mail",
        |q| for_ever(q, "* 1 FETCH (UID 1 BODY[] ", &[b'a'; 64_000]),
        "- - - - - - - - 2 - - - -",
    ),
    (
        "endless lines",
        |q| {
            let line = format!("* OK {}\r\n", "still here ".repeat(1000));
            for_ever(q, "", line.as_bytes())
        },
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "endless data",
        |q| {
            let line = format!("* 1 FETCH (UID 1 X-FILL \"{}\")\r\n", "a".repeat(60_000));
            for_ever(q, "", line.as_bytes())
        },
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "100,000 brackets deep",
        |q| {
            said_before(
                q,
                format!("* 2 FETCH (UID 2 BODYSTRUCTURE {}\r\n", "(".repeat(100_000)),
            )
        },
        "2 0 0 0 0 2 0 2 2 0 0 0 0",
    ),
    (
        "bytes of zero",
        |q| said_before(q, "* OK \0\0\0\r\n\0\r\n"),
        "0 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
    (
        "another command's tag",
        |q| replaced(q, &format!("{} OK", q.tag), "zz9 OK"),
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "the next answer already",
        |q| {
            q.say(q.answer)?;
            let next = q.tag.trim_start_matches('a').parse::<u32>().unwrap_or(0) + 1;
            q.say(format!("a{next} OK done\r\n"))
        },
        "2 2 2 2 2 2 2 2 2 2 0 0 0",
    ),
    (
        "a mail not asked for",
        |q| said_before(q, FOREIGN),
        "2 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
    (
        "an expunge in the middle",
        |q| said_before(q, "* 1 EXPUNGE\r\n"),
        "2 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
    (
        "unsolicited everything",
        |q| said_before(q, UNSOLICITED),
        "0 0 0 0 0 0 0 0 0 0 0 0 0",
    ),
    (
        "a question instead",
        |q| for_ever(q, "", b"+ and?\r\n"),
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "a good-bye",
        |q| {
            q.say("* BYE closed for today\r\n")?;
            Err(io::ErrorKind::ConnectionAborted.into())
        },
        "2 2 2 2 2 2 2 2 2 2 2 2 0",
    ),
    (
        "a refusal",
        |q| q.say(format!("{} NO not now\r\n", q.tag)),
        "2 2 0 2 2 0 2 2 0 2 2 2 0",
    ),
    (
        "a complaint",
        |q| q.say(format!("{} BAD what?\r\n", q.tag)),
        "2 2 0 2 2 0 2 2 0 2 2 2 0",
    ),
];

/// A lie at a stage, and the code that the run ends with.
struct Cell {
    lie: Lie,
    stage: Stage,
    code: i32,
}

#[test]
fn every_lie_at_every_stage() {
    let stages = STAGES.iter().map(|stage| format!("{stage:?}"));
    let mut table = Table::new("IMAP, a server that lies", stages);
    for (name, lie, codes) in LIES {
        let cell = |(stage, code): (&Stage, &str)| {
            let (stage, code) = (*stage, code.parse().ok()?);
            Some(Cell { lie, stage, code })
        };
        let cells = STAGES.iter().zip(codes.split(' ')).map(cell);
        table.row(name, cells.collect());
    }
    table.prove(|cell| {
        let server = HostileServer::start();
        let mut ini = Ini::imap(server.port)
            .set("Mail", "ConnectTimeout", "00:00:01")
            .set("Mail", "ReadTimeout", "00:00:01")
            .set("Mail", "WriteTimeout", "00:00:01");
        if cell.stage == Stage::Search {
            server.hide_next();
            ini = ini.set("General", "LastRunDate", "2026-01-01T00:00:00");
        }
        let world = World::with(&job::rules(ini)).limit(LIMIT);
        if cell.stage == Stage::Status {
            // A mailbox that was never seen is not asked for its state.
            world.run(&[]).exit(0);
        }
        let mut tasks = job::tasks();
        tasks.retain(is_plain);
        for task in &tasks {
            server.deliver(&task.mail);
        }
        server.lie_at(cell.stage, cell.lie);
        let ran = world.run(&[]);
        ran.exit(cell.code);
        assert!(server.has_lied(), "{ran}");
        assert!(ran.peak_kb < MEMORY, "{} kB\n{ran}", ran.peak_kb);
        assert!(!ran.output().contains("panicked"), "{ran}");
        if cell.code == 2 {
            let server = format!("localhost:{}", server.port);
            let mut said = ran
                .stderr
                .lines()
                .filter(|line| line.starts_with("error: "));
            let is_named =
                said.any(|line| line.contains(&server) || line.starts_with("error: mail "));
            assert!(is_named, "{ran}");
        }
        world.run(&[]).exit(0);
        job::assert_done_once(&world, &tasks);
        let left = tasks.iter().filter(|task| task.event.is_none()).count();
        assert_eq!(server.uids().len(), left, "{ran}");
        format!("{} then 0", cell.code)
    });
}

/// The server keeps mails of one part.
fn is_plain(task: &Task) -> bool {
    !String::from_utf8_lossy(&task.mail).contains("multipart")
}
