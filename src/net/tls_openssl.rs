//! TLS by OpenSSL itself, for what native-tls can't do: accepting a certificate without a known
//! authority while the host name and the dates are checked, and versions below 1.2.

use std::sync::{Arc, OnceLock};

use openssl::error::ErrorStack;
use openssl::ssl::{
    HandshakeError, SslConnector, SslConnectorBuilder, SslMethod, SslStream, SslVerifyMode,
    SslVersion,
};
use openssl::x509::X509StoreContextRef;

use super::error::Error;
use super::fault::{CertificateFlaw, TlsFault};
use super::socket::Socket;
use super::{Endpoint, Fingerprint, TlsFloor, Trust};

/// Agrees on TLS over a connection. Gives also the certificate that was accepted without a
/// known authority, if it came to that.
pub(super) fn handshake(
    endpoint: &Endpoint,
    socket: Socket,
) -> Result<(SslStream<Socket>, Option<Fingerprint>), Error> {
    let untrusted = Untrusted::default();
    let connector =
        connector(endpoint, Arc::clone(&untrusted)).map_err(|e| fault(endpoint, other(&e)))?;
    match connector.connect(&endpoint.host, socket) {
        Ok(stream) => Ok((stream, untrusted.get().copied())),
        Err(error) => Err(explain(endpoint, error, untrusted.get())),
    }
}

/// The server's own certificate, once its chain was found to lead to no known authority.
type Untrusted = Arc<OnceLock<Fingerprint>>;

fn connector(endpoint: &Endpoint, untrusted: Untrusted) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    trust_installed_authorities(&mut builder);
    offer(&mut builder, endpoint.floor, None)?;
    if let Trust::Remembered(remembered) = endpoint.trust {
        // Called for each fault of the chain; a certificate that is refused here ends the
        // handshake.
        builder.set_verify_callback(SslVerifyMode::PEER, move |good, context| {
            good || is_of_the_chain(context.error().as_raw())
                && leaf(context).is_some_and(|shown| {
                    let shown = *untrusted.get_or_init(|| shown);
                    remembered.is_none_or(|remembered| remembered == shown)
                })
        });
    }
    Ok(builder.build())
}

/// Offers the versions within these bounds. What the settings say wins over `MinProtocol` and
/// `MaxProtocol` of the machine's `openssl.cnf`, as it does with native-tls.
fn offer(
    builder: &mut SslConnectorBuilder,
    lowest: TlsFloor,
    highest: Option<TlsFloor>,
) -> Result<(), ErrorStack> {
    let version = |floor| match floor {
        TlsFloor::Tls1_0 => SslVersion::TLS1,
        TlsFloor::Tls1_1 => SslVersion::TLS1_1,
        TlsFloor::Tls1_2 => SslVersion::TLS1_2,
        TlsFloor::Tls1_3 => SslVersion::TLS1_3,
    };
    builder.set_min_proto_version(Some(version(lowest)))?;
    builder.set_max_proto_version(highest.map(version))?;
    if lowest < TlsFloor::Tls1_2 {
        // TLS 1.0 and 1.1 sign with SHA-1, which every higher level refuses.
        builder.set_security_level(0);
    }
    Ok(())
}

/// Where no common version was found, or may be why: the ones to blame on this machine, if there
/// are any.
pub(super) fn blame_this_machine(endpoint: &Endpoint, error: Error) -> Error {
    let missing = || -> Vec<TlsFloor> {
        TlsFloor::ALL
            .into_iter()
            .filter(|version| *version >= endpoint.floor && !is_here(*version).unwrap_or(true))
            .collect()
    };
    match error {
        Error::Tls {
            server,
            fault: TlsFault::HungUp { floor, .. },
        } => Error::Tls {
            server,
            fault: TlsFault::HungUp {
                floor,
                missing: missing(),
            },
        },
        Error::Tls {
            server,
            fault: TlsFault::VersionFloor(floor),
        } => {
            let missing = missing();
            let fault = if missing.is_empty() {
                TlsFault::VersionFloor(floor)
            } else {
                TlsFault::NotOnThisMachine(missing)
            };
            Error::Tls { server, fault }
        }
        other => other,
    }
}

/// Whether OpenSSL has a version, built in and not switched off: it says so when it is about to
/// write the first words of a conversation.
fn is_here(version: TlsFloor) -> Result<bool, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    offer(&mut builder, version, Some(version))?;
    let nobody = std::io::Cursor::new(Vec::new());
    Ok(match builder.build().connect("localhost", nobody) {
        Err(HandshakeError::Failure(middle)) => {
            let reasons = middle.error().ssl_error().map(ErrorStack::errors);
            reasons
                .into_iter()
                .flatten()
                .all(|error| error.reason() != Some("no protocols available"))
        }
        _ => true,
    })
}

/// OpenSSL linked into the program does not know where this machine keeps them. A place
/// that can't be read leaves fewer authorities, which the check then says.
fn trust_installed_authorities(builder: &mut SslConnectorBuilder) {
    let places = openssl_probe::probe();
    if let Some(file) = &places.cert_file {
        let _ = builder.load_verify_locations(Some(file), None);
    }
    for folder in &places.cert_dir {
        let _ = builder.load_verify_locations(None, Some(folder));
    }
}

/// The server's own certificate, which leads its chain.
fn leaf(context: &X509StoreContextRef) -> Option<Fingerprint> {
    let der = context.chain()?.get(0)?.to_der().ok()?;
    Some(Fingerprint::of(&der))
}

/// Self-signed, alone or within the chain, or issued by somebody unknown. Nothing about
/// names, dates, signatures or purposes.
fn is_of_the_chain(verify_code: i32) -> bool {
    matches!(verify_code, 18..=21)
}

fn explain(
    endpoint: &Endpoint,
    error: HandshakeError<Socket>,
    untrusted: Option<&Fingerprint>,
) -> Error {
    match error {
        HandshakeError::SetupFailure(stack) => fault(endpoint, other(&stack)),
        HandshakeError::Failure(middle) | HandshakeError::WouldBlock(middle) => {
            let verified = middle.ssl().verify_result();
            let error = middle.into_error();
            let text = error.to_string();
            // The code stays at "unknown authority" when the callback let that pass, so it
            // speaks only when the check itself was what failed.
            let code = verified.as_raw();
            let checked = text.contains("certificate verify failed").then(|| {
                match (endpoint.trust, untrusted) {
                    (Trust::Remembered(Some(remembered)), Some(&shown))
                        if remembered != shown && is_of_the_chain(code) =>
                    {
                        TlsFault::CertificateChanged { remembered, shown }
                    }
                    _ => TlsFault::of_verify_code(code, &endpoint.host).unwrap_or_else(|| {
                        let reason = CertificateFlaw::of_reason(verified.error_string());
                        TlsFault::BadCertificate(reason)
                    }),
                }
            });
            match error.into_io_error() {
                Ok(below) if TlsFault::is_hanging_up(below.kind()) => {
                    fault(endpoint, TlsFault::hung_up(endpoint.floor))
                }
                Ok(below) => Error::of_io(&endpoint.server(), below),
                Err(_) if text.to_ascii_lowercase().starts_with("unexpected eof") => {
                    fault(endpoint, TlsFault::hung_up(endpoint.floor))
                }
                Err(_) => fault(
                    endpoint,
                    checked.unwrap_or_else(|| {
                        TlsFault::of_text(&text, &endpoint.host, endpoint.floor)
                    }),
                ),
            }
        }
    }
}

fn other(stack: &ErrorStack) -> TlsFault {
    TlsFault::Other(stack.to_string())
}

fn fault(endpoint: &Endpoint, fault: TlsFault) -> Error {
    Error::Tls {
        server: endpoint.server(),
        fault: fault.under(endpoint.security),
    }
}
