//! `SelfSignedCertificate=True` on Windows: the certificate is looked at first; if it is the
//! remembered one, or none is remembered, it is an authority of a further connection.
//!
//! native-tls has only a switch that lets everything pass, the wrong host name too. With
//! the server's own certificate among the roots, the system accepts an unknown authority
//! and still checks name and dates.

use native_tls::{Certificate, TlsStream};

use super::error::Error;
use super::fault::TlsFault;
use super::socket::Socket;
use super::{Endpoint, Fingerprint, tls};

/// Agrees on TLS with whoever has the certificate for the right name and time. `dial`
/// makes a connection that is ready for the handshake. Gives also the certificate that was
/// accepted without a known authority, if it came to that.
pub(super) fn handshake<E: From<Error>>(
    endpoint: &Endpoint,
    remembered: Option<Fingerprint>,
    mut dial: impl FnMut() -> Result<Socket, E>,
) -> Result<(TlsStream<Socket>, Option<Fingerprint>), E> {
    match tls::handshake(endpoint, dial()?, |_| Ok(())) {
        Err(Error::Tls {
            fault: TlsFault::UnknownAuthority | TlsFault::SelfSigned,
            ..
        }) => {}
        trusted_or_failed => return Ok((trusted_or_failed?, None)),
    }
    // Nothing but the handshake happens here: no word is sent to whoever this may be.
    let look = tls::handshake(endpoint, dial()?, |builder| {
        builder.danger_accept_invalid_certs(true);
        Ok(())
    })?;
    let certificate = certificate(endpoint, &look)?;
    drop(look);
    let remembered = remembered.unwrap_or_else(|| Fingerprint::of(&certificate));
    require(endpoint, remembered, &certificate)?;
    let pinned = tls::handshake(endpoint, dial()?, |builder| {
        builder.add_root_certificate(Certificate::from_der(&certificate)?);
        Ok(())
    })?;
    // As an authority it could have issued another one.
    require(endpoint, remembered, &self::certificate(endpoint, &pinned)?)?;
    Ok((pinned, Some(remembered)))
}

/// The certificate that the server showed, in its DER form.
fn certificate(endpoint: &Endpoint, stream: &TlsStream<Socket>) -> Result<Vec<u8>, Error> {
    let fault = |fault| Error::Tls {
        server: endpoint.server(),
        fault,
    };
    stream
        .peer_certificate()
        .and_then(|found| found.map(|c| c.to_der()).transpose())
        .map_err(|e| fault(TlsFault::Other(e.to_string())))?
        .ok_or_else(|| fault(TlsFault::Other("the server has no certificate".into())))
}

fn require(endpoint: &Endpoint, remembered: Fingerprint, der: &[u8]) -> Result<(), Error> {
    let shown = Fingerprint::of(der);
    if shown == remembered {
        return Ok(());
    }
    Err(Error::Tls {
        server: endpoint.server(),
        fault: TlsFault::CertificateChanged { remembered, shown },
    })
}
