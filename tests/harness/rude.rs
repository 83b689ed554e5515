//! A server that does not behave: it says one thing, or the same thing for ever, or nothing.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Listens on a free port until the test program ends.
pub struct RudeServer {
    /// Where it listens.
    pub port: u16,
    connections: Arc<AtomicUsize>,
}

impl RudeServer {
    /// Accepts and never says a word.
    pub fn silent() -> Self {
        Self::start(|stream| {
            // Kept open: a client that waits has to end the wait itself.
            std::mem::forget(stream);
        })
    }

    /// Has no time for anybody: no connection comes about. Keep what holds its line busy.
    #[cfg(unix)]
    pub fn busy() -> (u16, Vec<TcpStream>, TcpListener) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
        let crowd = std::iter::from_fn(|| connect().ok()).collect();
        (address.port(), crowd, listener)
    }

    /// Says this, and closes.
    pub fn saying(words: &'static [u8]) -> Self {
        Self::start(move |mut stream| {
            let _ = stream.write_all(words);
        })
    }

    /// Says this over and over until the client has had enough.
    pub fn repeating(words: &'static [u8]) -> Self {
        Self::start(move |mut stream| while stream.write_all(words).is_ok() {})
    }

    /// Says this hundreds of times a second, for ever.
    pub fn trickling(words: &'static [u8]) -> Self {
        Self::start(move |mut stream| {
            while stream.write_all(&words.repeat(100)).is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        })
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self { port, connections }
    }
}
