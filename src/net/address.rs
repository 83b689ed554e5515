//! From a host name to a TCP connection, all addresses within one limit.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{Error, Step};
use super::{Endpoint, socket::Socket};

/// Connects to the first address that answers.
pub(super) fn dial(endpoint: &Endpoint) -> Result<Socket, Error> {
    let began = Instant::now();
    let limit = endpoint.timeouts.connect;
    let mut addresses = resolve(endpoint, limit)?.into_iter();
    let mut last = None;
    while let Some(address) = addresses.next() {
        let left = limit.saturating_sub(began.elapsed());
        if left.is_zero() {
            break;
        }
        // An address that swallows packets must leave time for those after it.
        let others = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        let share = left / others.saturating_add(1);
        match TcpStream::connect_timeout(&address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                return Socket::new(stream, &endpoint.timeouts)
                    .map_err(|e| Error::of_io(&endpoint.server(), e));
            }
            Err(error) => last = Some(error),
        }
    }
    Err(failure(endpoint, last, began.elapsed()))
}

fn failure(endpoint: &Endpoint, last: Option<io::Error>, after: Duration) -> Error {
    let server = endpoint.server();
    match last {
        Some(source) if source.kind() == io::ErrorKind::ConnectionRefused => {
            Error::Refused { server, source }
        }
        Some(source) if source.kind() != io::ErrorKind::TimedOut => {
            Error::Unreachable { server, source }
        }
        _ => Error::TimedOut {
            server,
            step: Step::Connecting,
            after,
        },
    }
}

/// Asks the name service. It knows no limit, so it runs aside; a thread that waits in vain
/// ends with the program.
fn resolve(endpoint: &Endpoint, limit: Duration) -> Result<Vec<SocketAddr>, Error> {
    let port = endpoint.port;
    if let Ok(address) = endpoint.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unresolved = |source| Error::Unresolved {
        host: endpoint.host.clone(),
        source,
    };
    let (answer, awaited) = mpsc::channel();
    let host = endpoint.host.clone();
    thread::Builder::new()
        .name("name service".into())
        .spawn(move || {
            let found = (host.as_str(), port)
                .to_socket_addrs()
                .map(Iterator::collect::<Vec<_>>);
            // Nobody listens any more when the limit has run out.
            let _ = answer.send(found);
        })
        .map_err(unresolved)?;
    match awaited.recv_timeout(limit) {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(unresolved(io::Error::other("the name has no address")))
        }
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(unresolved(error)),
        Err(_) => Err(Error::TimedOut {
            server: endpoint.server(),
            step: Step::Resolving,
            after: limit,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::net::{Security, Timeouts, TlsFloor, Trust};

    fn endpoint(host: &str, port: u16) -> Endpoint {
        let limit = Duration::from_millis(300);
        Endpoint {
            host: host.into(),
            port,
            security: Security::None,
            floor: TlsFloor::Tls1_2,
            trust: Trust::Authorities,
            timeouts: Timeouts {
                connect: limit,
                read: limit,
                write: limit,
            },
        }
    }

    #[test]
    fn refusal_and_unknown_names_have_their_own_errors() {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(matches!(
            dial(&endpoint("127.0.0.1", port)),
            Err(Error::Refused { .. })
        ));
        assert!(matches!(
            dial(&endpoint("no such host", 1)),
            Err(Error::Unresolved { .. } | Error::TimedOut { .. })
        ));
    }

    #[test]
    fn every_address_of_a_name_is_tried() {
        // localhost is ::1 and 127.0.0.1 on most machines; only the latter listens.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(dial(&endpoint("localhost", port)).is_ok());
    }
}
