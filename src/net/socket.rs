//! A TCP connection whose every wait ends.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use super::Timeouts;
use super::error::{Late, Step};

/// Below this the operating systems round a limit to "none".
const SHORTEST: Duration = Duration::from_millis(1);
/// So many bytes buy an answer a second,
const SLOW: u64 = 1024;
/// up to this many seconds;
const SLOW_SECONDS: u64 = 60;
/// beyond them a second takes so many bytes.
const FLOOR: u64 = 8 * 1024;
/// No more than so many bytes buy time before some of what they carry is handed over: the longest
/// TLS record (RFC 5246, section 6.2.3).
const UNSEEN: u64 = 18 * 1024;

/// A TCP stream with a limit for each wait and a deadline for each answer.
///
/// It lies beneath the TLS library, so that a trickle of TLS records ends as well, and so does a
/// stream of records that the library takes in by itself.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    read: Duration,
    /// Bytes that arrive buy time.
    extends: bool,
    began: Instant,
    /// Bytes of the answer that were handed over to those who read it.
    answered: u64,
    /// Bytes that have arrived since, TLS and all.
    unseen: u64,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, timeouts: &Timeouts) -> io::Result<Self> {
        // One command is one packet; waiting for more to send would cost 40 ms each time.
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(timeouts.write.max(SHORTEST)))?;
        Ok(Self {
            stream,
            read: timeouts.read,
            extends: true,
            began: Instant::now(),
            answered: 0,
            unseen: 0,
        })
    }

    pub(super) fn local_address(&self) -> Option<IpAddr> {
        self.stream.local_addr().ok().map(|local| local.ip())
    }

    /// A request is complete: the clock of its answer starts.
    pub(super) fn begin_answer(&mut self) {
        self.began = Instant::now();
        self.answered = 0;
        self.unseen = 0;
    }

    /// So many bytes of the answer have been read, without what TLS adds.
    pub(super) fn answered(&mut self, bytes: usize) {
        self.answered = self.answered.saturating_add(bytes as u64);
        self.unseen = 0;
    }

    /// Makes this the time for all of what follows, however much arrives.
    pub(super) fn limit(&mut self, read: Duration) -> io::Result<()> {
        self.read = read;
        self.extends = false;
        self.stream.set_write_timeout(Some(read.max(SHORTEST)))
    }

    /// How long the whole answer may take by now.
    fn allowed(&self) -> Duration {
        if !self.extends {
            return self.read;
        }
        let received = self.answered.saturating_add(self.unseen.min(UNSEEN));
        let slow = (received / SLOW).min(SLOW_SECONDS);
        let bought = slow.max(received / FLOOR);
        self.read.saturating_add(Duration::from_secs(bought))
    }

    fn late(&self) -> io::Error {
        Late {
            step: Step::Answering,
            after: self.began.elapsed(),
        }
        .into_io()
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let left = self.allowed().saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return Err(self.late());
            }
            let wait = left.min(self.read).max(SHORTEST);
            self.stream.set_read_timeout(Some(wait))?;
            match self.stream.read(buffer) {
                Ok(count) => {
                    self.unseen = self.unseen.saturating_add(count as u64);
                    return Ok(count);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if is_late(&e) => return Err(self.late()),
                Err(e) => return Err(e),
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let began = Instant::now();
        self.stream.write(bytes).map_err(|e| {
            if is_late(&e) {
                Late {
                    step: Step::Sending,
                    after: began.elapsed(),
                }
                .into_io()
            } else {
                e
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Unix calls a limit that ran out `WouldBlock`, Windows `TimedOut`.
fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;
    use crate::net::Error;

    fn pair(read: Duration) -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (far, _) = listener.accept().unwrap();
        let timeouts = Timeouts {
            connect: read,
            read,
            write: read,
        };
        (Socket::new(near, &timeouts).unwrap(), far)
    }

    #[test]
    fn silence_ends() {
        let (mut near, _far) = pair(Duration::from_millis(80));
        let error = near.read(&mut [0; 10]).unwrap_err();
        assert!(matches!(
            Error::of_io("h:1", error),
            Error::TimedOut { step: Step::Answering, after, .. } if after >= Duration::from_millis(80)
        ));
    }

    #[test]
    fn a_trickle_ends() {
        let (mut near, mut far) = pair(Duration::from_millis(150));
        let writer = thread::spawn(move || {
            while far.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(30));
            }
        });
        near.begin_answer();
        let began = Instant::now();
        let error = loop {
            if let Err(error) = near.read(&mut [0; 10]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(2));
        drop(near);
        writer.join().unwrap();
    }

    #[test]
    fn a_good_bye_buys_no_time() {
        let (mut near, mut far) = pair(Duration::from_secs(60));
        far.write_all(&[b'x'; 8192]).unwrap();
        near.limit(Duration::from_millis(100)).unwrap();
        near.begin_answer();
        let began = Instant::now();
        near.read_exact(&mut [0; 8192]).unwrap();
        let error = near.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn after_a_minute_a_second_takes_eight_kib() {
        let (mut near, _far) = pair(Duration::from_secs(1));
        for (received, seconds) in [
            (0, 1),
            (10_240, 11),
            (61_440, 61),
            (480 * 1024, 61),
            (800 * 1024, 101),
        ] {
            near.answered = received;
            assert_eq!(near.allowed(), Duration::from_secs(seconds));
        }
    }

    #[test]
    fn bytes_that_carry_no_answer_buy_little() {
        let (mut near, _far) = pair(Duration::from_secs(1));
        near.unseen = 1 << 40;
        assert_eq!(near.allowed(), Duration::from_secs(19));
        near.answered(1024);
        assert_eq!(near.allowed(), Duration::from_secs(2));
    }

    #[test]
    fn each_kib_buys_a_second() {
        let (mut near, mut far) = pair(Duration::from_millis(100));
        far.write_all(&[b'x'; 4096]).unwrap();
        near.begin_answer();
        near.read_exact(&mut [0; 4096]).unwrap();
        thread::sleep(Duration::from_millis(150));
        far.write_all(b"y").unwrap();
        near.read_exact(&mut [0; 1]).unwrap();
    }
}
