//! A TCP proxy that counts: network turns, bytes, and what the client asked for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What has passed through a proxy so far.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// How many connections were made.
    pub connections: usize,
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
    traffic: Arc<Mutex<Traffic>>,
}

impl CountingProxy {
    /// Listens on a free port and forwards to this one.
    pub fn before(address: &'static str, target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let traffic = Arc::new(Mutex::new(Traffic::default()));
        let counted = Arc::clone(&traffic);
        // The listener lives as long as the test program: nothing waits for this thread.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A server that has gone away is shown to the client as a closed connection.
                let Ok(server) = TcpStream::connect((address, target)) else {
                    continue;
                };
                counted.lock().unwrap().connections += 1;
                forward(&client, &server, &counted, from_client);
                forward(&server, &client, &counted, from_server);
            }
        });
        Self { port, traffic }
    }

    /// What has passed so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic.lock().unwrap().clone()
    }

    /// What has passed since the last call of this kind.
    pub fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut *self.traffic.lock().unwrap())
    }
}

fn from_client(traffic: &mut Traffic, bytes: &[u8]) {
    if traffic.server_spoke {
        traffic.turns += 1;
        traffic.server_spoke = false;
    }
    traffic.up += bytes.len();
    traffic.sent.extend_from_slice(bytes);
}

fn from_server(traffic: &mut Traffic, bytes: &[u8]) {
    traffic.server_spoke = true;
    traffic.down += bytes.len();
}

/// Copies one direction, counting before the bytes go on: so no answer can be counted
/// before its question.
fn forward(
    from: &TcpStream,
    to: &TcpStream,
    traffic: &Arc<Mutex<Traffic>>,
    count: fn(&mut Traffic, &[u8]),
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let _ = to.set_nodelay(true);
    let traffic = Arc::clone(traffic);
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            count(&mut traffic.lock().unwrap(), &buffer[..length]);
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
