//! TLS by the machine's own library and authorities: native-tls.

use std::error::Error as _;
use std::io;

use native_tls::{HandshakeError, Protocol, TlsConnector, TlsConnectorBuilder, TlsStream};

use super::error::{Error, Late};
use super::fault::TlsFault;
use super::socket::Socket;
use super::{Endpoint, TlsFloor};

/// Agrees on TLS over a connection: the highest version that both sides have, at least the
/// endpoint's floor. `trust` changes whose certificates are good enough.
pub(super) fn handshake(
    endpoint: &Endpoint,
    socket: Socket,
    trust: impl FnOnce(&mut TlsConnectorBuilder) -> native_tls::Result<()>,
) -> Result<TlsStream<Socket>, Error> {
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(match endpoint.floor {
        TlsFloor::Tls1_0 => Protocol::Tlsv10,
        TlsFloor::Tls1_1 => Protocol::Tlsv11,
        TlsFloor::Tls1_2 => Protocol::Tlsv12,
        TlsFloor::Tls1_3 => Protocol::Tlsv13,
    }));
    let explain = |e| explain(endpoint, &e);
    trust(&mut builder).map_err(explain)?;
    let connector = builder.build().map_err(explain)?;
    connector
        .connect(&endpoint.host, socket)
        .map_err(|error| match error {
            HandshakeError::Failure(error) => explain(error),
            // Only a socket that does not block says so; ours does.
            HandshakeError::WouldBlock(_) => fault(
                endpoint,
                TlsFault::Other("the handshake was interrupted".into()),
            ),
        })
}

/// Names what native-tls reports: a failure of the network below it, or of TLS.
fn explain(endpoint: &Endpoint, error: &native_tls::Error) -> Error {
    let text = error.to_string();
    let below = error.source().and_then(|e| e.downcast_ref::<io::Error>());
    let left = below.is_some_and(|below| TlsFault::is_hanging_up(below.kind()));
    if left || text.to_ascii_lowercase().starts_with("unexpected eof") {
        return fault(endpoint, TlsFault::hung_up(endpoint.floor));
    }
    if let Some(below) = below {
        let copy = match below.get_ref().and_then(|e| e.downcast_ref::<Late>()) {
            Some(late) => late.into_io(),
            None => io::Error::new(below.kind(), text),
        };
        return Error::of_io(&endpoint.server(), copy);
    }
    fault(
        endpoint,
        TlsFault::of_text(&text, &endpoint.host, endpoint.floor),
    )
}

fn fault(endpoint: &Endpoint, fault: TlsFault) -> Error {
    Error::Tls {
        server: endpoint.server(),
        fault: fault.under(endpoint.security),
    }
}
