//! `SelfSignedCertificate=True` on Windows: the certificate is looked at first, then it is
//! the one authority of a second connection.
//!
//! native-tls has only a switch that lets everything pass, the wrong host name too. With
//! the server's own certificate among the roots, the system accepts an unknown authority
//! and still checks name and dates.

use native_tls::{Certificate, TlsStream};

use super::error::Error;
use super::fault::TlsFault;
use super::socket::Socket;
use super::{Endpoint, tls};

/// Agrees on TLS with whoever has the certificate for the right name and time. `dial`
/// makes a connection that is ready for the handshake.
pub(super) fn handshake<E: From<Error>>(
    endpoint: &Endpoint,
    mut dial: impl FnMut() -> Result<Socket, E>,
) -> Result<TlsStream<Socket>, E> {
    match tls::handshake(endpoint, dial()?, |_| Ok(())) {
        Err(Error::Tls {
            fault: TlsFault::UnknownAuthority | TlsFault::SelfSigned,
            ..
        }) => {}
        trusted_or_failed => return Ok(trusted_or_failed?),
    }
    // Nothing but the handshake happens here: no word is sent to whoever this may be.
    let look = tls::handshake(endpoint, dial()?, |builder| {
        builder.danger_accept_invalid_certs(true);
        Ok(())
    })?;
    let unreadable = |e: native_tls::Error| Error::Tls {
        server: endpoint.server(),
        fault: TlsFault::Other(e.to_string()),
    };
    let certificate = look
        .peer_certificate()
        .and_then(|found| found.map(|c| c.to_der()).transpose())
        .map_err(unreadable)?
        .ok_or_else(|| Error::Tls {
            server: endpoint.server(),
            fault: TlsFault::Other("the server has no certificate".into()),
        })?;
    drop(look);
    let pinned = tls::handshake(endpoint, dial()?, |builder| {
        builder.add_root_certificate(Certificate::from_der(&certificate)?);
        Ok(())
    })?;
    Ok(pinned)
}
