//! A TCP proxy that counts: network turns, bytes, and what the client asked for. It can also
//! cut the connection in the middle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What has passed through a proxy so far.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// How many connections were made.
    pub connections: usize,
    /// When each of them was made.
    pub times: Vec<Instant>,
    /// How often the client sent something after it had received something: the times it
    /// waited for the network. The greeting, for which it does not ask, is none.
    pub turns: usize,
    /// Bytes from the client to the server.
    pub up: usize,
    /// Bytes from the server to the client.
    pub down: usize,
    /// Everything that the client sent.
    pub sent: Vec<u8>,
    server_spoke: bool,
}

impl Traffic {
    /// The lines that the client sent.
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.sent)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The commands that hold this word, in any case.
    pub fn commands_with(&self, word: &str) -> Vec<String> {
        let word = word.to_uppercase();
        self.lines()
            .into_iter()
            .filter(|line| line.to_uppercase().contains(&word))
            .collect()
    }
}

/// A proxy in front of one server. Its threads end with the connections that they serve.
pub struct CountingProxy {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

/// What the threads of a proxy have in common.
#[derive(Default)]
struct Shared {
    traffic: Traffic,
    target: u16,
    cut_after: Option<usize>,
    /// The cut is the only one.
    once: bool,
    /// What a command holds whose answer is to be lost.
    lose: Option<String>,
    /// What the server says, and what the client hears instead.
    rewrites: Vec<(String, String)>,
    /// So many connections are closed as soon as they are made.
    turn_away: usize,
    /// How long bytes are on their way.
    delay: Duration,
}

impl CountingProxy {
    /// Listens on a free port and forwards to this one.
    pub fn before(address: &'static str, target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared {
            target,
            ..Shared::default()
        }));
        let counted = Arc::clone(&shared);
        // The listener lives as long as the test program: nothing waits for this thread.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let target = {
                    let mut shared = counted.lock().unwrap();
                    shared.traffic.connections += 1;
                    shared.traffic.times.push(Instant::now());
                    if shared.turn_away > 0 {
                        shared.turn_away -= 1;
                        continue;
                    }
                    shared.target
                };
                // A server that has gone away is shown to the client as a closed connection.
                let Ok(server) = TcpStream::connect((address, target)) else {
                    continue;
                };
                forward(&client, &server, &counted, from_client);
                forward(&server, &client, &counted, from_server);
            }
        });
        Self { port, shared }
    }

    /// Cuts the connection when this many more bytes have come from the server; `None` lets
    /// everything through again.
    pub fn cut_after(&self, bytes: Option<usize>) {
        self.shared.lock().unwrap().cut_after = bytes;
    }

    /// The next command that holds this text reaches the server; its answer is lost, once, and
    /// the connection with it.
    pub fn lose_answer_to(&self, text: &str) {
        self.shared.lock().unwrap().lose = Some(text.to_owned());
    }

    /// Wherever the server says one text, the client hears the other.
    pub fn rewrite(&self, said: &str, heard: &str) {
        let rewrite = (said.to_owned(), heard.to_owned());
        self.shared.lock().unwrap().rewrites.push(rewrite);
    }

    /// Makes a word of the server's unreadable, such as the name of something that it can do.
    pub fn hide(&self, word: &str) {
        self.rewrite(word, &"_".repeat(word.len()));
    }

    /// Whether an answer that was to be lost has been lost.
    pub fn has_lost(&self) -> bool {
        self.shared.lock().unwrap().lose.is_none()
    }

    /// Connections from now on lead to another port.
    pub fn redirect(&self, target: u16) {
        self.shared.lock().unwrap().target = target;
    }

    /// Bytes take this long from one side to the other, as over a long line.
    pub fn delay(&self, delay: Duration) {
        self.shared.lock().unwrap().delay = delay;
    }

    /// Closes so many connections as soon as they are made.
    pub fn turn_away(&self, connections: usize) {
        self.shared.lock().unwrap().turn_away = connections;
    }

    /// What has passed so far.
    pub fn traffic(&self) -> Traffic {
        self.shared.lock().unwrap().traffic.clone()
    }

    /// What has passed since the last call of this kind.
    pub fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut self.shared.lock().unwrap().traffic)
    }
}

/// Counts what the client sent; all of it passes.
fn from_client(shared: &mut Shared, bytes: &[u8]) -> Vec<u8> {
    let traffic = &mut shared.traffic;
    if traffic.server_spoke {
        traffic.turns += 1;
        traffic.server_spoke = false;
    }
    traffic.up += bytes.len();
    traffic.sent.extend_from_slice(bytes);
    let said = String::from_utf8_lossy(bytes);
    if shared
        .lose
        .take_if(|text| said.contains(text.as_str()))
        .is_some()
    {
        shared.cut_after = Some(0);
        shared.once = true;
    }
    bytes.to_vec()
}

/// Counts what the server sent, and says what of it may pass.
fn from_server(shared: &mut Shared, bytes: &[u8]) -> Vec<u8> {
    let passes = shared
        .cut_after
        .map_or(bytes.len(), |left| left.min(bytes.len()));
    shared.cut_after = shared.cut_after.map(|left| left - passes);
    shared.traffic.server_spoke = true;
    shared.traffic.down += passes;
    if passes < bytes.len() && shared.once {
        shared.cut_after = None;
        shared.once = false;
    }
    let passing = &bytes[..passes];
    if shared.rewrites.is_empty() {
        return passing.to_vec();
    }
    let text = String::from_utf8_lossy(passing).into_owned();
    let rewrite = |text: String, (said, heard): &(String, String)| text.replace(said, heard);
    shared.rewrites.iter().fold(text, rewrite).into_bytes()
}

/// Copies one direction, counting before the bytes go on: so no answer can be counted
/// before its question.
fn forward(
    from: &TcpStream,
    to: &TcpStream,
    shared: &Arc<Mutex<Shared>>,
    count: fn(&mut Shared, &[u8]) -> Vec<u8>,
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let _ = to.set_nodelay(true);
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let (passing, delay) = {
                let mut shared = shared.lock().unwrap();
                (count(&mut shared, &buffer[..length]), shared.delay)
            };
            thread::sleep(delay);
            if to.write_all(&passing).is_err() {
                break;
            }
            if passing.len() < length {
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
