//! Where a browser comes back to after a sign-in: a port of this machine that takes one answer
//! (RFC 8252, section 7.3).
//!
//! Anything on this machine can knock: whatever does not carry the right state is turned away and
//! ends nothing.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use oauth2::url::form_urlencoded;

use crate::secret::Secret;

/// How often new connections are looked for.
const PULSE: Duration = Duration::from_millis(20);
/// A browser opens connections ahead and says nothing on them; it is heard for so long.
const HEARING: Duration = Duration::from_secs(20);
/// So many connections are heard at a time.
const MOST_CONNECTIONS: usize = 32;
/// A request that has no end within this is none of a browser's that comes back.
const LARGEST_REQUEST: u64 = 32 * 1024;

/// What the browser brings.
pub(super) enum Redirected {
    /// The person signed in: good for tokens, once.
    Code(Secret),
    /// The authority said no (RFC 6749, section 4.1.2.1).
    Refused { error: String, description: String },
}

/// A port that waits for a browser.
#[derive(Debug)]
pub(super) struct Listener {
    listener: TcpListener,
    port: u16,
}

impl Listener {
    /// Takes a free port.
    pub(super) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the request that carries this state. `None`: it did not come in time.
    pub(super) fn wait(self, state: &str, limit: Duration) -> io::Result<Option<Redirected>> {
        let began = Instant::now();
        let (heard, hear) = mpsc::channel();
        let alive = Arc::new(());
        while began.elapsed() < limit {
            self.take_in(&heard, &alive)?;
            match hear.recv_timeout(PULSE) {
                Ok((mut connection, request)) => {
                    let answer = understand(&request, state);
                    // The person's window; what becomes of it decides nothing.
                    let _ = connection.write_all(page(answer.as_ref()).as_bytes());
                    if let Some(answer) = answer {
                        return Ok(Some(answer));
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        Ok(None)
    }

    /// Hears everybody who has come, each aside, so that nobody holds up the others.
    fn take_in(&self, heard: &Sender<(TcpStream, String)>, alive: &Arc<()>) -> io::Result<()> {
        loop {
            let connection = match self.listener.accept() {
                Ok((connection, _)) => connection,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The other end was gone before it was taken in: Windows says "reset".
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if Arc::strong_count(alive) > MOST_CONNECTIONS {
                continue;
            }
            let (heard, alive) = (heard.clone(), Arc::clone(alive));
            thread::Builder::new()
                .name("browser".into())
                .spawn(move || {
                    if let Ok(request) = request(&connection) {
                        // Nobody listens any more when the answer has come.
                        let _ = heard.send((connection, request));
                    }
                    drop(alive);
                })?;
        }
    }
}

/// The first line of a request, once its head is there.
fn request(connection: &TcpStream) -> io::Result<String> {
    connection.set_nonblocking(false)?;
    connection.set_read_timeout(Some(HEARING))?;
    connection.set_write_timeout(Some(HEARING))?;
    let began = Instant::now();
    let mut head = Vec::new();
    let mut reader = connection.take(LARGEST_REQUEST);
    let mut buffer = [0; 2048];
    while !head.ends_with(b"\r\n\r\n") {
        let count = reader.read(&mut buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        if read.is_empty() || began.elapsed() > HEARING {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(read);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    String::from_utf8(line.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// What a request's first line brings, if it is the one that is waited for.
fn understand(line: &str, state: &str) -> Option<Redirected> {
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let query = target.strip_prefix("/?")?;
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    };
    if value("state")? != state {
        return None;
    }
    if let Some(error) = value("error") {
        let description = value("error_description").unwrap_or_default();
        return Some(Redirected::Refused { error, description });
    }
    value("code").map(|code| Redirected::Code(Secret::new(code)))
}

/// What the browser shows. Nothing of the request is in it.
fn page(answer: Option<&Redirected>) -> String {
    let (status, text) = match answer {
        Some(Redirected::Code(_)) => (
            "200 OK",
            "You have signed in. This window can be closed; whether all went well is told where smartemail was started.",
        ),
        Some(Redirected::Refused { .. }) => (
            "200 OK",
            "Nobody was signed in. This window can be closed; why is told where smartemail was started.",
        ),
        None => ("404 Not Found", "There is nothing here."),
    };
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>smartemail</title><p>{text}</p></html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn knock(port: u16, bytes: &[u8]) -> String {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        connection.write_all(bytes).unwrap();
        let mut answer = String::new();
        let _ = connection.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn strangers_are_turned_away_and_the_right_one_is_taken() {
        let listener = Listener::open().unwrap();
        let port = listener.port();
        let browser = thread::spawn(move || {
            // Says nothing, as a connection that was opened ahead.
            let silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            for stray in [
                "GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /?code=forged&state=wrong HTTP/1.1\r\n\r\n",
                "GET /?code=forged HTTP/1.1\r\n\r\n",
                "GET /?state=right HTTP/1.1\r\n\r\n",
                "POST /?code=forged&state=right HTTP/1.1\r\n\r\n",
                "GET /else?code=forged&state=right HTTP/1.1\r\n\r\n",
            ] {
                let answer = knock(port, stray.as_bytes());
                assert!(answer.starts_with("HTTP/1.1 404 "), "{stray} {answer}");
            }
            // Too large, and no request at all.
            knock(port, &vec![b'x'; 40_000]);
            knock(port, b"\xff\xfe\r\n\r\n");
            let right =
                "GET /?code=a%2Fb&state=right&session_state=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
            let answer = knock(port, right.as_bytes());
            drop(silent);
            answer
        });
        let Some(Redirected::Code(code)) = listener.wait("right", LIMIT).unwrap() else {
            panic!("no code");
        };
        assert_eq!(code.expose(), "a/b");
        let answer = browser.join().unwrap();
        assert!(answer.contains("can be closed"), "{answer}");
        assert!(!answer.contains("a/b"), "{answer}");
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }

    #[test]
    fn a_refusal_ends_it_too() {
        let listener = Listener::open().unwrap();
        let port = listener.port();
        let line = b"GET /?error=access_denied&error_description=AADSTS65004%3A+no&state=s HTTP/1.1\r\n\r\n";
        let browser = thread::spawn(move || knock(port, line));
        let Some(Redirected::Refused { error, description }) = listener.wait("s", LIMIT).unwrap()
        else {
            panic!("no refusal");
        };
        assert_eq!(
            (error.as_str(), description.as_str()),
            ("access_denied", "AADSTS65004: no")
        );
        assert!(browser.join().unwrap().contains("Nobody was signed in"));
    }

    #[test]
    fn nobody_is_waited_for_for_ever() {
        let listener = Listener::open().unwrap();
        let limit = Duration::from_millis(60);
        assert!(listener.wait("s", limit).unwrap().is_none());
    }
}
