//! Connecting: addresses, time limits, TLS policy. Shared by everything that talks to a
//! server; knows nothing of mail.
//!
//! [`connect`] gives a [`Connection`], which reads and writes whatever it is secured by.
//! A protocol that starts in clear text passes its way to TLS as a function. [`Trace`] is
//! where protocol clients show their steps.

use std::time::Duration;

mod address;
mod connection;
mod error;
mod fault;
mod fingerprint;
pub mod http;
#[cfg(test)]
pub(crate) mod script;
mod socket;
mod tls;
#[cfg(unix)]
mod tls_openssl;
#[cfg(windows)]
mod tls_pin;
mod trace;

pub use connection::{Certificate, Channel, Connection, Upgrade, connect};
pub use error::{Error, Step};
pub use fault::{CertificateFlaw, TlsFault};
pub use fingerprint::{Fingerprint, NoFingerprint};
pub use trace::{Trace, clean};

/// How a port is secured (`[Mail] ConnectionSecurity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Clear text: everybody on the way reads the password and can forge mails.
    None,
    /// STARTTLS where the server offers it, else clear text: someone on the way can
    /// strip the offer.
    StartTls,
    /// STARTTLS, and no conversation without it.
    StartTlsRequired,
    /// TLS from the first byte.
    Tls,
}

/// The lowest TLS version that is accepted; the highest that both sides have is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsFloor {
    /// TLS 1.0, known to be weak.
    Tls1_0,
    /// TLS 1.1, known to be weak.
    Tls1_1,
    /// TLS 1.2.
    Tls1_2,
    /// TLS 1.3.
    Tls1_3,
}

#[cfg(unix)]
impl TlsFloor {
    /// Every version, the oldest first.
    const ALL: [Self; 4] = [Self::Tls1_0, Self::Tls1_1, Self::Tls1_2, Self::Tls1_3];
}

impl std::fmt::Display for TlsFloor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tls1_0 => "TLS 1.0",
            Self::Tls1_1 => "TLS 1.1",
            Self::Tls1_2 => "TLS 1.2",
            Self::Tls1_3 => "TLS 1.3",
        })
    }
}

/// Whose certificate is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A chain to an authority that the machine trusts.
    Authorities,
    /// The same, or else exactly the certificate that is remembered for this server
    /// (`SelfSignedCertificate=True`). Where none is, whichever it shows is accepted, and
    /// someone on the way can pass for the server. The host name and the dates must be right
    /// all the same.
    Remembered(Option<Fingerprint>),
}

/// Time limits of a connection; none is ever unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To reach the server, all of its addresses together.
    pub connect: Duration,
    /// To wait for the server's next bytes. An answer as a whole may take this long plus
    /// one second for each KiB received, up to a minute; what takes longer must come at 8 KiB
    /// a second or more. So a trickle ends too.
    pub read: Duration,
    /// To hand bytes to the network.
    pub write: Duration,
}

/// Where to connect and how.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Host name or address, as the certificate must name it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the port is secured.
    pub security: Security,
    /// The lowest TLS version accepted.
    pub floor: TlsFloor,
    /// Whose certificate is good enough.
    pub trust: Trust,
    /// Time limits.
    pub timeouts: Timeouts,
}

impl Endpoint {
    /// Whether the server may show a certificate that has to be remembered.
    #[must_use]
    pub fn remembers_certificates(&self) -> bool {
        self.security != Security::None && self.trust != Trust::Authorities
    }

    /// Host and port as messages name them.
    #[must_use]
    pub fn server(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}
