//! A line to a server that breaks at a chosen place of the conversation: a TCP proxy that
//! strikes one connection and leaves the next ones in peace.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A question of the client and the answer to it, in bytes as they crossed the line. The first
/// one of a server that greets has an empty question.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// What the client sent.
    pub question: Vec<u8>,
    /// What came back.
    pub answer: Vec<u8>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the server.
    Question,
    /// To the client.
    Answer,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Both sides get a reset.
    Reset,
    /// This way ends, as if the sender had nothing more to say; the other way stays open.
    HalfClose,
    /// Nothing passes this way any more, for ever.
    Stall,
    /// One byte a second passes this way.
    Trickle,
    /// One bit of the next byte is turned over.
    Flip,
}

/// What goes wrong, and where.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// In which exchange, counted from 0.
    pub exchange: usize,
    /// Which way.
    pub way: Way,
    /// After so many bytes of the exchange have passed this way. If there are fewer, at the
    /// beginning of the next exchange.
    pub after: usize,
    /// And after the line that these bytes end in, of which servers vary the length.
    pub line: bool,
}

/// A proxy in front of one server. Its threads end with the connections that they serve.
pub struct FaultyLine {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

/// What the connections have in common.
#[derive(Default)]
struct Shared {
    next: Option<Fault>,
    last: Arc<Mutex<Connection>>,
}

/// What its two threads know of a connection.
#[derive(Default)]
struct Connection {
    fault: Option<Fault>,
    exchanges: Vec<Exchange>,
    reset: bool,
}

impl FaultyLine {
    /// Listens on a free port and forwards to this one.
    pub fn before(address: &'static str, target: u16) -> Self {
        Self::at(0, address, target)
    }

    /// Listens on this port.
    pub fn at(port: u16, address: &'static str, target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let common = Arc::clone(&shared);
        // The listener lives as long as the test program: nothing waits for this thread.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect((address, target)) else {
                    continue;
                };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (client, server) = (Arc::new(client), Arc::new(server));
                let connection = {
                    let mut shared = common.lock().unwrap();
                    shared.last = Arc::new(Mutex::new(Connection {
                        fault: shared.next.take(),
                        exchanges: vec![Exchange::default()],
                        reset: false,
                    }));
                    Arc::clone(&shared.last)
                };
                forward(Way::Question, &client, &server, &connection);
                forward(Way::Answer, &server, &client, &connection);
            }
        });
        Self { port, shared }
    }

    /// The next connection suffers this; those after it are healthy.
    pub fn strike_next(&self, fault: Fault) {
        self.shared.lock().unwrap().next = Some(fault);
    }

    /// What was said over the last connection, as the line took it in.
    pub fn conversation(&self) -> Vec<Exchange> {
        let last = Arc::clone(&self.shared.lock().unwrap().last);
        let connection = last.lock().unwrap();
        connection.exchanges.clone()
    }
}

impl Connection {
    /// Takes bytes in. Says how many pass before the fault strikes, if it does.
    fn take(&mut self, way: Way, bytes: &[u8]) -> (usize, Option<Kind>) {
        let answered = |exchange: &Exchange| !exchange.answer.is_empty();
        if way == Way::Question && self.exchanges.last().is_some_and(answered) {
            self.exchanges.push(Exchange::default());
        }
        let current = self.exchanges.len() - 1;
        let exchange = &mut self.exchanges[current];
        let passed = match way {
            Way::Question => &mut exchange.question,
            Way::Answer => &mut exchange.answer,
        };
        let before = passed.len();
        passed.extend_from_slice(bytes);
        let Some(fault) = self.fault.filter(|fault| fault.way == way) else {
            return (bytes.len(), None);
        };
        let mut passes = match current.cmp(&fault.exchange) {
            std::cmp::Ordering::Less => return (bytes.len(), None),
            std::cmp::Ordering::Equal => fault.after.saturating_sub(before),
            std::cmp::Ordering::Greater => 0,
        };
        if passes > bytes.len() {
            return (bytes.len(), None);
        }
        if fault.line {
            let end = bytes[passes..].iter().position(|byte| *byte == b'\n');
            match end {
                Some(end) => passes += end + 1,
                None => return (bytes.len(), None),
            }
        }
        self.fault = None;
        self.reset = fault.kind == Kind::Reset;
        (passes, Some(fault.kind))
    }
}

fn forward(
    way: Way,
    from: &Arc<TcpStream>,
    to: &Arc<TcpStream>,
    connection: &Arc<Mutex<Connection>>,
) {
    let (from, to, connection) = (Arc::clone(from), Arc::clone(to), Arc::clone(connection));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        let mut struck = None;
        while let Ok(length @ 1..) = (&*from).read(&mut buffer) {
            let bytes = &mut buffer[..length];
            let mut passes = 0;
            if struck.is_none() {
                (passes, struck) = connection.lock().unwrap().take(way, bytes);
            }
            let (before, behind) = bytes.split_at_mut(passes);
            if (&*to).write_all(before).is_err() {
                break;
            }
            let goes_on = match struck {
                None | Some(Kind::Stall) => true,
                Some(Kind::Trickle) => trickle(&to, behind),
                Some(Kind::HalfClose) => {
                    let _ = to.shutdown(Shutdown::Write);
                    true
                }
                Some(Kind::Flip) => {
                    if let Some(first) = behind.first_mut() {
                        *first ^= 1;
                        struck = None;
                    }
                    (&*to).write_all(behind).is_ok()
                }
                Some(Kind::Reset) => {
                    reset(&from, &to);
                    false
                }
            };
            if !goes_on {
                break;
            }
        }
        if !connection.lock().unwrap().reset {
            let _ = to.shutdown(Shutdown::Write);
        }
    });
}

fn trickle(mut to: &TcpStream, bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| {
        thread::sleep(Duration::from_secs(1));
        to.write_all(&[*byte]).is_ok()
    })
}

/// A socket that does not linger is reset when it is closed, which is when both threads have
/// let go of it: the end of reading wakes the other one, and sends nothing.
fn reset(from: &TcpStream, to: &TcpStream) {
    for stream in [from, to] {
        let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
        let _ = stream.shutdown(Shutdown::Read);
    }
}
