//! One type for every connection, whatever secures it.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::time::Duration;

use super::error::Error;
use super::socket::Socket;
use super::{Endpoint, Fingerprint, Security, Trust, address, tls};
#[cfg(unix)]
use super::{TlsFloor, tls_openssl};

/// What a protocol client needs of a connection. Tests give it scripted ones.
///
/// Flushing says that a request is complete: the deadline of its answer starts.
pub trait Channel: Read + Write {
    /// Makes this the time for each answer that follows, whatever arrives meanwhile, so that a
    /// good-bye holds nobody up.
    ///
    /// # Errors
    /// The operating system refuses.
    fn limit(&mut self, limit: Duration) -> io::Result<()>;
}

impl<C: Channel> Channel for &mut C {
    fn limit(&mut self, limit: Duration) -> io::Result<()> {
        (**self).limit(limit)
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    security: String,
    certificate: Certificate,
}

/// Who vouches for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Nobody: the connection is in clear text.
    None,
    /// An authority that the machine trusts has issued its certificate.
    Trusted,
    /// No known authority has. It is the one that was remembered, or at first contact the one to
    /// remember.
    Untrusted(Fingerprint),
}

#[derive(Debug)]
enum Stream {
    Clear(Socket),
    Native(Box<native_tls::TlsStream<Socket>>),
    #[cfg(unix)]
    OpenSsl(Box<openssl::ssl::SslStream<Socket>>),
}

/// What a protocol's beginning in clear text came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// The server awaits the TLS handshake now.
    Ready,
    /// The server does not offer TLS.
    NotOffered,
}

/// Connects, and agrees on TLS where the endpoint asks for it.
///
/// Under STARTTLS, `upgrade` talks in clear text until the server awaits the handshake. It
/// must read no byte beyond that point, as whatever came after it may be forged
/// (CVE-2011-0411); left unread, such bytes fail the handshake. It may be called more
/// than once, each time with a new connection.
///
/// # Errors
/// The server can't be reached in time, TLS does not come about as the endpoint demands,
/// or `upgrade` failed.
pub fn connect<E: From<Error>>(
    endpoint: &Endpoint,
    mut upgrade: impl FnMut(&mut Connection) -> Result<Upgrade, E>,
) -> Result<Connection, E> {
    let mut dial = || -> Result<(Connection, Upgrade), E> {
        let mut connection = Connection::clear(address::dial(endpoint)?);
        let ready = match endpoint.security {
            Security::None => Upgrade::NotOffered,
            Security::Tls => Upgrade::Ready,
            Security::StartTls | Security::StartTlsRequired => upgrade(&mut connection)?,
        };
        Ok((connection, ready))
    };
    match dial()? {
        (clear, Upgrade::NotOffered) => match endpoint.security {
            Security::None | Security::StartTls => Ok(clear),
            Security::StartTlsRequired | Security::Tls => Err(Error::NoStartTls {
                server: endpoint.server(),
            }
            .into()),
        },
        (ready, Upgrade::Ready) => secure(endpoint, ready, dial),
    }
}

#[cfg(unix)]
fn secure<E: From<Error>>(
    endpoint: &Endpoint,
    ready: Connection,
    _dial_again: impl FnMut() -> Result<(Connection, Upgrade), E>,
) -> Result<Connection, E> {
    let socket = ready.into_socket(endpoint)?;
    let native = endpoint.trust == Trust::Authorities && endpoint.floor >= TlsFloor::Tls1_2;
    let secured = if native {
        tls::handshake(endpoint, socket, |_| Ok(()))
            .map(|stream| (Stream::Native(Box::new(stream)), None))
    } else {
        tls_openssl::handshake(endpoint, socket)
            .map(|(stream, untrusted)| (Stream::OpenSsl(Box::new(stream)), untrusted))
    };
    let (stream, untrusted) =
        secured.map_err(|error| tls_openssl::blame_this_machine(endpoint, error))?;
    Ok(Connection::secured(endpoint, stream, untrusted))
}

#[cfg(windows)]
fn secure<E: From<Error>>(
    endpoint: &Endpoint,
    ready: Connection,
    mut dial_again: impl FnMut() -> Result<(Connection, Upgrade), E>,
) -> Result<Connection, E> {
    let (stream, untrusted) = match endpoint.trust {
        Trust::Authorities => {
            let socket = ready.into_socket(endpoint)?;
            (tls::handshake(endpoint, socket, |_| Ok(()))?, None)
        }
        Trust::Remembered(remembered) => {
            let mut first = Some(ready);
            super::tls_pin::handshake(endpoint, remembered, || {
                let connection = match first.take() {
                    Some(connection) => connection,
                    None => dial_again()?.0,
                };
                Ok::<_, E>(connection.into_socket(endpoint)?)
            })?
        }
    };
    let stream = Stream::Native(Box::new(stream));
    Ok(Connection::secured(endpoint, stream, untrusted))
}

/// OpenSSL's name of a version as people write it.
#[cfg(unix)]
fn version(name: &str) -> String {
    match name {
        "TLSv1" => "TLS 1.0".to_owned(),
        name => name.replace("TLSv", "TLS "),
    }
}

impl Connection {
    fn clear(socket: Socket) -> Self {
        Self {
            stream: Stream::Clear(socket),
            security: "in clear text".into(),
            certificate: Certificate::None,
        }
    }

    fn secured(endpoint: &Endpoint, stream: Stream, untrusted: Option<Fingerprint>) -> Self {
        let version = match &stream {
            #[cfg(unix)]
            Stream::OpenSsl(stream) => version(stream.ssl().version_str()),
            // native-tls does not tell which version was agreed on.
            Stream::Clear(_) | Stream::Native(_) => format!("{} or later", endpoint.floor),
        };
        let unchecked = match untrusted {
            None => "",
            Some(_) => ", no known authority behind the certificate",
        };
        Self {
            stream,
            security: format!("over {version}{unchecked}"),
            certificate: untrusted.map_or(Certificate::Trusted, Certificate::Untrusted),
        }
    }

    /// Who vouches for the server.
    #[must_use]
    pub fn certificate(&self) -> Certificate {
        self.certificate
    }

    /// How the connection is secured, for the job output: `in clear text`,
    /// `over TLS 1.2 or later`.
    #[must_use]
    pub fn security(&self) -> &str {
        &self.security
    }

    /// Nobody on the way can read along.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        !matches!(self.stream, Stream::Clear(_))
    }

    /// The address that this machine has in this connection.
    #[must_use]
    pub fn local_address(&self) -> Option<IpAddr> {
        match &self.stream {
            Stream::Clear(socket) => socket.local_address(),
            Stream::Native(stream) => stream.get_ref().local_address(),
            #[cfg(unix)]
            Stream::OpenSsl(stream) => stream.get_ref().local_address(),
        }
    }

    fn into_socket(self, endpoint: &Endpoint) -> Result<Socket, Error> {
        match self.stream {
            Stream::Clear(socket) => Ok(socket),
            _ => Err(Error::of_io(
                &endpoint.server(),
                io::Error::other("TLS was asked for twice"),
            )),
        }
    }

    fn socket(&mut self) -> &mut Socket {
        match &mut self.stream {
            Stream::Clear(socket) => socket,
            Stream::Native(stream) => stream.get_mut(),
            #[cfg(unix)]
            Stream::OpenSsl(stream) => stream.get_mut(),
        }
    }
}

impl Channel for Connection {
    fn limit(&mut self, limit: Duration) -> io::Result<()> {
        self.socket().limit(limit)
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.stream {
            Stream::Clear(socket) => socket.read(buffer),
            Stream::Native(stream) => stream.read(buffer),
            #[cfg(unix)]
            Stream::OpenSsl(stream) => stream.read(buffer),
        }?;
        self.socket().answered(count);
        Ok(count)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Clear(socket) => socket.write(bytes),
            Stream::Native(stream) => stream.write(bytes),
            #[cfg(unix)]
            Stream::OpenSsl(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(socket) => socket.flush(),
            Stream::Native(stream) => stream.flush(),
            #[cfg(unix)]
            Stream::OpenSsl(stream) => stream.flush(),
        }?;
        self.socket().begin_answer();
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn versions_are_written_in_full() {
        let told = ["TLSv1", "TLSv1.1", "TLSv1.3"].map(version);
        assert_eq!(told, ["TLS 1.0", "TLS 1.1", "TLS 1.3"]);
    }
}
