//! Lines that break: every fault at every stage of a conversation with a real server, and a
//! healthy line afterwards that completes the work exactly once.
#![cfg(unix)]

#[allow(dead_code, reason = "each test file uses its own part of the test bed")]
pub mod harness;

use std::sync::Arc;
use std::time::Duration;

use harness::door::{CLEAR, DOORS};
use harness::dovecot::Options;
use harness::faulty_line::{Exchange, Fault, Kind, Way};
use harness::hostile::Stage;
use harness::job::{self, Task};
use harness::{Door, Dovecot, FaultyLine, Ini, Inspector, Ran, Table, World, daemon};

const NOON: u64 = 1_767_700_800;
/// The program's time limits, and what they are on a healthy line of a busy machine.
const LIMITS: [&str; 3] = ["ConnectTimeout", "ReadTimeout", "WriteTimeout"];
const PATIENT: &str = "00:00:10";
/// What the program may take: its time limits are one second each on a line with a fault.
const LIMIT: Duration = Duration::from_secs(15);
/// What the program may hold, in kB.
const MEMORY: u64 = 64 * 1024;

/// Where in an exchange a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// The question does not reach the server.
    Before,
    /// Half of the question reaches the server.
    Asking,
    /// Half of the answer comes.
    In,
    /// The answer comes as a whole.
    After,
}

/// A fault at a place of the conversation, and what must come of it.
struct Cell {
    fault: Fault,
    code: i32,
    words: &'static [&'static str],
}

/// A server with the mails of the job, a line to one of its ports, and a program.
struct Bed {
    server: Arc<Dovecot>,
    line: FaultyLine,
    world: World,
    tasks: Vec<Task>,
    protocol: &'static str,
}

impl Bed {
    /// A program that has looked before, so that it asks what is new; then the mails arrive.
    fn new(door: &Door) -> Option<Self> {
        // Connections that stall are not missed for a while.
        let server = Dovecot::with(&Options {
            extra: "mail_max_userip_connections = 100",
            ..Options::default()
        })?;
        let bed = Self::at(Arc::new(server), door);
        bed.world.run(&[]).exit(0);
        for task in &bed.tasks {
            bed.server.deliver(&task.mail, NOON);
        }
        Some(bed)
    }

    /// The same again. POP3 leaves the mailbox as it was, so that one server does for many.
    fn again(server: &Arc<Dovecot>, door: &Door) -> Option<Self> {
        match door.protocol {
            "POP" => Some(Self::at(Arc::clone(server), door)),
            _ => Self::new(door),
        }
    }

    fn at(server: Arc<Dovecot>, door: &Door) -> Self {
        let line = FaultyLine::before(server.address, door.port(server.as_ref()));
        let patient = LIMITS.iter().fold(door.mailbox(line.port), |ini, limit| {
            ini.set("Mail", limit, PATIENT)
        });
        let world = World::with(&job::rules(patient))
            .env("SSL_CERT_FILE", &Door::authority())
            .limit(LIMIT);
        Self {
            server,
            line,
            world,
            tasks: job::tasks(),
            protocol: door.protocol,
        }
    }

    /// What is said when nothing goes wrong.
    fn conversation(&self) -> Vec<Exchange> {
        self.world.run(&[]).exit(0);
        self.assert_done();
        self.line.conversation()
    }

    #[track_caller]
    fn assert_done(&self) {
        job::assert_done_once(&self.world, &self.tasks);
        let left = Inspector::open(&self.server).subjects().len();
        let deletes = self.protocol == "IMAP";
        let goes = |task: &&Task| deletes && task.event.is_some();
        let expected = self.tasks.len() - self.tasks.iter().filter(goes).count();
        assert_eq!(left, expected, "mails left");
    }

    /// A run over a line with a fault, by a program that does not wait for long.
    fn struck(&self, fault: Fault) -> Ran {
        let wait = |time| {
            LIMITS
                .iter()
                .for_each(|limit| self.world.change(limit, time));
        };
        self.line.strike_next(fault);
        wait("00:00:01");
        let ran = self.world.run(&[]);
        wait(PATIENT);
        ran
    }

    /// A run that ends like this, and one over a healthy line.
    fn completes_the_work(&self, fault: Fault, code: i32, words: &[&str]) -> String {
        let first = self.struck(fault);
        first.exit(code);
        assert_orderly(&first);
        if code != 0 {
            let server = format!("localhost:{}", self.line.port);
            let mut said = first.stderr.lines().filter(|line| line.contains(&server));
            let is_said = said.any(|line| words.iter().any(|words| line.contains(words)));
            assert!(is_said, "{server} and one of {words:?}\n{first}");
        }
        self.world.run(&[]).exit(0);
        self.assert_done();
        format!("{code} then 0")
    }
}

#[track_caller]
fn assert_orderly(ran: &Ran) {
    assert!(ran.peak_kb < MEMORY, "{} kB\n{ran}", ran.peak_kb);
    assert!(!ran.output().contains("panicked"), "{ran}");
}

/// What an exchange is for.
fn stage(protocol: &str, exchange: &Exchange) -> String {
    let question = String::from_utf8_lossy(&exchange.question);
    if protocol == "POP" {
        let verb = question.split_whitespace().next();
        return verb.unwrap_or("greeting").to_owned();
    }
    let stage = Stage::of(&question);
    assert_ne!(stage, Stage::Other, "a new stage: {question}");
    format!("{stage:?}")
}

/// A fault's name, what it is, when it strikes, and one of the things to be said of it.
type Named = (&'static str, Kind, Moment, &'static [&'static str]);

/// A reset of the greeting may be there before the program has its connection.
const BROKEN: &[&str] = &["broke", "closed the connection", "can't be reached"];
const CLOSED: &[&str] = &["closed the connection"];
const LATE: &[&str] = &["took too long"];
const INSECURE: &[&str] = &[
    "no secure connection",
    "broke",
    "closed the connection",
    "took too long",
];

const KINDS: [Named; 8] = [
    ("reset before", Kind::Reset, Moment::Before, BROKEN),
    ("reset in the answer", Kind::Reset, Moment::In, BROKEN),
    ("reset after", Kind::Reset, Moment::After, BROKEN),
    (
        "half closed before",
        Kind::HalfClose,
        Moment::Before,
        CLOSED,
    ),
    (
        "half closed in the answer",
        Kind::HalfClose,
        Moment::In,
        CLOSED,
    ),
    ("stalled before", Kind::Stall, Moment::Before, LATE),
    ("stalled in the answer", Kind::Stall, Moment::In, LATE),
    ("one byte a second", Kind::Trickle, Moment::In, LATE),
];

/// What may become of a line however it is secured.
const LOST: [Named; 2] = [
    ("reset in the answer", Kind::Reset, Moment::In, INSECURE),
    ("stalled in the answer", Kind::Stall, Moment::In, INSECURE),
];

/// What is tried besides where TLS begins with the first byte.
const TLS_KINDS: [Named; 4] = [
    (
        "half closed in the answer",
        Kind::HalfClose,
        Moment::In,
        INSECURE,
    ),
    ("one byte a second", Kind::Trickle, Moment::In, INSECURE),
    (
        "flipped in the question",
        Kind::Flip,
        Moment::Asking,
        INSECURE,
    ),
    ("flipped in the answer", Kind::Flip, Moment::In, INSECURE),
];

/// The cells of a row: the same fault in each exchange.
fn row(
    door: &Door,
    conversation: &[Exchange],
    kind: Kind,
    moment: Moment,
    words: &'static [&'static str],
) -> Vec<Option<Cell>> {
    let last = conversation.len() - 1;
    // IMAP servers tell how long they took, and so the length of the last line varies.
    let varies = moment == Moment::After && door.protocol == "IMAP";
    let slack = if varies { 10 } else { 0 };
    let cell = |(exchange, said): (usize, &Exchange)| {
        let (way, after) = match moment {
            Moment::Before if said.question.is_empty() => (Way::Answer, 0),
            Moment::Before => (Way::Question, 0),
            Moment::Asking => (Way::Question, said.question.len() / 2),
            Moment::In => (Way::Answer, said.answer.len() / 2),
            Moment::After => (Way::Answer, said.answer.len().saturating_sub(slack)),
        };
        // All work is done before the good-bye, in which nothing can hurt any more.
        let done = exchange == last || exchange + 1 == last && moment == Moment::After;
        Some(Cell {
            fault: Fault {
                kind,
                exchange,
                way,
                after,
                line: varies,
            },
            code: if done { 0 } else { 2 },
            words,
        })
    };
    conversation.iter().enumerate().map(cell).collect()
}

fn prove(table: &Table<Cell>, server: &Arc<Dovecot>, door: &Door) {
    table.prove(|cell| {
        let Some(bed) = Bed::again(server, door) else {
            return "no server".to_owned();
        };
        bed.completes_the_work(cell.fault, cell.code, cell.words)
    });
}

#[test]
fn every_fault_at_every_stage() {
    for door in &CLEAR {
        let Some(bed) = Bed::new(door) else {
            return;
        };
        let conversation = bed.conversation();
        let stages = conversation.iter().map(|said| stage(door.protocol, said));
        let mut table = Table::new(door.name, stages);
        for (name, kind, moment, words) in KINDS {
            table.row(name, row(door, &conversation, kind, moment, words));
        }
        prove(&table, &bed.server, door);
    }
}

/// Under TLS nobody sees the stages; there is one exchange more, or two, for the handshake.
fn under_tls(doors: &str, kinds: &[Named]) {
    for door in DOORS.iter().filter(|door| door.name.contains(doors)) {
        let Some(bed) = Bed::new(door) else {
            return;
        };
        let conversation = bed.conversation();
        let turns = (1..=conversation.len()).map(|turn| format!("turn {turn}"));
        let mut table = Table::new(door.name, turns);
        for (name, kind, moment, words) in kinds {
            let mut cells = row(door, &conversation, *kind, *moment, words);
            if door.name.contains("with") {
                // The session tickets may come before or with the first answer, so that there may be
                // a turn or two more or less: the last one with work to do is not known.
                cells.iter_mut().rev().take(4).for_each(|cell| *cell = None);
            }
            table.row(name, cells);
        }
        prove(&table, &bed.server, door);
    }
}

#[test]
fn every_fault_at_every_stage_under_tls() {
    under_tls("over TLS", &[&LOST[..], &TLS_KINDS[..]].concat());
}

/// Before and after the handshake.
#[test]
fn every_line_that_is_lost_with_start_tls() {
    under_tls("with", &LOST);
}

#[test]
fn a_server_that_is_down_for_a_while() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let [port] = daemon::free_ports("127.0.0.1");
    let world = World::with(&job::rules(Ini::imap(port)));
    let ran = world.run(&[]);
    ran.exit(2)
        .complains_in_one_line(&[&format!("localhost:{port}"), "refused the connection"]);
    assert_orderly(&ran);
    let tasks = job::tasks();
    for task in &tasks {
        server.deliver(&task.mail, NOON);
    }
    let _line = FaultyLine::at(port, server.address, server.imap);
    world.run(&[]).exit(0);
    job::assert_done_once(&world, &tasks);
}

/// Without TLS nobody can tell that a byte of a mail is another one. But whatever it makes of
/// the protocol, the run ends in order.
#[test]
fn a_flipped_byte_in_clear_text_does_no_harm() {
    for door in &CLEAR {
        let Some(bed) = Bed::new(door) else {
            return;
        };
        let conversation = bed.conversation();
        let stages = conversation.iter().map(|said| stage(door.protocol, said));
        let mut table = Table::new(door.name, stages);
        for tenth in [0, 1, 5, 9] {
            let cell = |(exchange, said): (usize, &Exchange)| {
                Some(Fault {
                    kind: Kind::Flip,
                    exchange,
                    way: Way::Answer,
                    after: said.answer.len() * tenth / 10,
                    line: false,
                })
            };
            let name = format!("flipped at {tenth}/10 of the answer");
            table.row(&name, conversation.iter().enumerate().map(cell).collect());
        }
        let server = &bed.server;
        table.prove(|fault| {
            let Some(bed) = Bed::again(server, door) else {
                return "no server".to_owned();
            };
            let ran = bed.struck(*fault);
            assert!(matches!(ran.code, Some(0 | 2)), "{ran}");
            assert_orderly(&ran);
            bed.world.run(&[]).exit(0);
            let mut events = bed.world.events();
            let written = events.len();
            events.sort();
            events.dedup();
            assert_eq!(events.len(), written, "an event stands twice");
            format!("{}", ran.code.unwrap_or(-1))
        });
    }
}
