//! What a TLS library found wrong, in terms that lead to a setting.

use std::io;

use super::{Fingerprint, Security, TlsFloor};

/// Why TLS did not come about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// The server has no version that the settings allow.
    #[error("the server has nothing as new as {0}: have it updated{lower}", lower = or_lower(*.0))]
    VersionFloor(TlsFloor),
    /// The same, and some of the versions that the settings allow are not to be had on this
    /// machine.
    #[error(
        "the server and this machine have no version in common. Of those that SecurityProtocol allows, the TLS \
         library of this machine does not have {}: it was built without, or Protocol in its openssl.cnf switches \
         it off. Have the server updated, or change that",
        list(.0)
    )]
    NotOnThisMachine(Vec<TlsFloor>),
    /// Whatever listens there does not begin with TLS.
    #[error(
        "the port does not speak TLS: check Port, or set ConnectionSecurity to start-tls-required"
    )]
    NotTls,
    /// The server agreed to go over to TLS, and what came then was something else.
    #[error(
        "the server agreed to begin TLS and then did not speak it: something between it and this machine may \
         interfere, or the server needs repair"
    )]
    NotTlsAfterAll,
    /// The server ended the connection in the middle of the handshake, as many do instead of
    /// saying that they have no common version.
    #[error(
        "the server hung up in the middle of the handshake. {}. Or the port is for something else: check Port and \
         ConnectionSecurity",
        too_old(*floor, missing)
    )]
    HungUp {
        /// The lowest version that the settings allow.
        floor: TlsFloor,
        /// Those from there on that are not to be had on this machine.
        missing: Vec<TlsFloor>,
    },
    /// The certificate's time is over.
    #[error("the server's certificate has expired: have it renewed")]
    Expired,
    /// The certificate's time is over, or has not begun: the library of Windows doesn't tell which.
    #[error(
        "the server's certificate is not valid on this day: have it renewed if it has expired, else check the clocks of both machines"
    )]
    OutsideItsTime,
    /// The certificate's time has not begun.
    #[error("the server's certificate is not valid yet: check the clocks of both machines")]
    NotYetValid,
    /// The certificate names other hosts.
    #[error("the server's certificate is not for {0}: set Server to the name in the certificate")]
    WrongHost(String),
    /// No authority that the machine trusts has issued the certificate.
    #[error(
        "the authority that issued the server's certificate is not trusted here: have its root certificate \
         installed, or set SelfSignedCertificate=True to do without"
    )]
    UnknownAuthority,
    /// The certificate was issued by its owner.
    #[error(
        "the server's certificate is self-signed: have it installed as trusted, or set SelfSignedCertificate=True \
         to accept it"
    )]
    SelfSigned,
    /// No authority vouches for the certificate, and it is not the one that was accepted.
    #[error(
        "the server shows another certificate than the one that was accepted. Accepted, SHA-256: {remembered}. \
         Shown now: {shown}. Someone may be passing for the server: ask its administrator. If the certificate was \
         replaced, accept the new one once with: smartemail --acceptCertificate:{shown}"
    )]
    CertificateChanged {
        /// The one that is remembered for this server.
        remembered: Fingerprint,
        /// The one that it shows.
        shown: Fingerprint,
    },
    /// Something else is wrong with the certificate.
    #[error("the server's certificate is refused: {0}. Have it issued anew")]
    BadCertificate(CertificateFlaw),
    /// The server gives no other reason than that it does not want to (RFC 8446, section 6.2:
    /// `handshake_failure`).
    #[error(
        "the server broke the handshake off: it has no version or cipher in common with this machine, or wants a \
         certificate of the client, which can't be given. Ask its administrator"
    )]
    NothingInCommon,
    /// Everything else, in the words of the TLS library.
    #[error("{0}. Check Port and ConnectionSecurity, and ask the server's administrator")]
    Other(String),
}

/// What may be wrong with a certificate beside its time, its names and its authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFlaw {
    /// Its authority has taken it back.
    #[error("it has been revoked")]
    Revoked,
    /// Its key or its signature, or one in its chain, is below what the machine demands.
    #[error("its key or its signature is too weak")]
    TooWeak,
    /// It was issued for something else than servers.
    #[error("it was not issued for servers")]
    WrongPurpose,
    /// Everything else, in the words of the TLS library.
    #[error("{0}")]
    Other(String),
}

impl CertificateFlaw {
    /// Reads OpenSSL's words (`X509_verify_cert_error_string(3)`) or the system's number
    /// (`winerror.h`) within a text; `None` where it has neither.
    fn named_in(text: &str) -> Option<Self> {
        // CRYPT_E_REVOKED and CERT_E_REVOKED.
        const REVOKED: &[&str] = &["certificate revoked", "-2146885616", "-2146762484"];
        const TOO_WEAK: &[&str] = &[
            "certificate key too weak",
            "signature digest algorithm too weak",
            "ee key too small",
            "ca key too small",
            "ca md too weak",
        ];
        // CERT_E_PURPOSE and CERT_E_WRONG_USAGE.
        const WRONG_PURPOSE: &[&str] = &["certificate purpose", "-2146762490", "-2146762480"];
        let text = text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if says(REVOKED) {
            Some(Self::Revoked)
        } else if says(TOO_WEAK) {
            Some(Self::TooWeak)
        } else if says(WRONG_PURPOSE) {
            Some(Self::WrongPurpose)
        } else {
            None
        }
    }

    /// Reads the reason for which a certificate was refused.
    pub(super) fn of_reason(reason: &str) -> Self {
        Self::named_in(reason).unwrap_or_else(|| Self::Other(reason.to_owned()))
    }
}

/// What else can be done about a server that is too old.
fn or_lower(floor: TlsFloor) -> &'static str {
    match floor {
        TlsFloor::Tls1_0 if cfg!(windows) => {
            ", or switch the old versions on in this machine's Windows (SCHANNEL)"
        }
        TlsFloor::Tls1_0 => "",
        TlsFloor::Tls1_1 => ", or lower SecurityProtocol to TLS1",
        TlsFloor::Tls1_2 => ", or lower SecurityProtocol to TLS1_1 or TLS1",
        TlsFloor::Tls1_3 => ", or lower SecurityProtocol to TLS1_2",
    }
}

/// Why a server may see nothing to agree on.
fn too_old(floor: TlsFloor, missing: &[TlsFloor]) -> String {
    if missing.is_empty() {
        let lower = or_lower(floor);
        return format!("It may have nothing as new as {floor}: have it updated{lower}");
    }
    let missing = list(missing);
    format!(
        "The TLS library of this machine does not have {missing}: it was built without, or Protocol in its openssl.cnf \
         switches it off. If the server has nothing else, have it updated, or change that"
    )
}

fn list(versions: &[TlsFloor]) -> String {
    let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
    names.join(" and ")
}

impl TlsFault {
    /// Whether the same may well work a little later, with nothing changed by anybody.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            // As with any connection that breaks.
            Self::HungUp { .. } => true,
            Self::VersionFloor(_)
            | Self::NotOnThisMachine(_)
            | Self::NotTls
            | Self::NotTlsAfterAll
            | Self::Expired
            | Self::OutsideItsTime
            | Self::NotYetValid
            | Self::WrongHost(_)
            | Self::UnknownAuthority
            | Self::SelfSigned
            | Self::CertificateChanged { .. }
            | Self::BadCertificate(_)
            | Self::NothingInCommon
            | Self::Other(_) => false,
        }
    }

    /// The server left in the middle of the handshake.
    pub(super) fn hung_up(floor: TlsFloor) -> Self {
        Self::HungUp {
            floor,
            missing: Vec::new(),
        }
    }

    /// Whether an error below TLS says that the server left.
    pub(super) fn is_hanging_up(kind: io::ErrorKind) -> bool {
        matches!(
            kind,
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        )
    }

    /// The same in view of how the port is secured.
    pub(super) fn under(self, security: Security) -> Self {
        match (self, security) {
            (Self::NotTls, Security::StartTls | Security::StartTlsRequired) => Self::NotTlsAfterAll,
            (fault, _) => fault,
        }
    }

    /// Reads a certificate check's result by OpenSSL's number
    /// (`X509_V_ERR_…`, manual page `X509_STORE_CTX_get_error(3)`).
    #[cfg(unix)]
    pub(super) fn of_verify_code(code: i32, host: &str) -> Option<Self> {
        Some(match code {
            9 => Self::NotYetValid,
            10 => Self::Expired,
            18 => Self::SelfSigned,
            2 | 19 | 20 | 21 | 27 => Self::UnknownAuthority,
            62 | 64 => Self::WrongHost(host.to_owned()),
            _ => return None,
        })
    }

    /// Reads a library's error text. native-tls passes nothing else on: OpenSSL's words,
    /// or on Windows the system's number (`winerror.h`), which does not depend on the
    /// language.
    pub(super) fn of_text(text: &str, host: &str, floor: TlsFloor) -> Self {
        const NOT_YET_VALID: &[&str] = &["certificate is not yet valid"];
        const EXPIRED: &[&str] = &["certificate has expired"];
        // CERT_E_EXPIRED covers both ends of the certificate's time, as does SEC_E_CERT_EXPIRED.
        const OUTSIDE: &[&str] = &["-2146762495", "-2146893016"];
        const WRONG_HOST: &[&str] = &[
            "hostname mismatch",
            "ip address mismatch",
            "-2146762481",
            "-2146893022",
        ];
        const UNKNOWN_AUTHORITY: &[&str] = &[
            "unable to get local issuer certificate",
            "unable to get issuer certificate",
            "unable to verify the first certificate",
            "in certificate chain",
            "-2146762487",
            "-2146762486",
            "-2146893019",
        ];
        const SELF_SIGNED: &[&str] = &["self-signed certificate", "self signed certificate"];
        const VERSION: &[&str] = &[
            "unsupported protocol",
            "protocol version",
            "version too low",
            "no protocols available",
            "legacy sigalg",
            "-2146893007",
            "-2146893018",
        ];
        const NOT_TLS: &[&str] = &[
            "wrong version number",
            "packet length too long",
            "http request",
            "-2146893048",
        ];
        let lower = text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if says(NOT_YET_VALID) {
            Self::NotYetValid
        } else if says(EXPIRED) {
            Self::Expired
        } else if says(OUTSIDE) {
            Self::OutsideItsTime
        } else if says(WRONG_HOST) {
            Self::WrongHost(host.to_owned())
        } else if says(UNKNOWN_AUTHORITY) {
            Self::UnknownAuthority
        } else if says(SELF_SIGNED) {
            Self::SelfSigned
        } else if says(VERSION) {
            Self::VersionFloor(floor)
        } else if says(NOT_TLS) {
            Self::NotTls
        } else if lower.contains("alert handshake failure") {
            Self::NothingInCommon
        } else if lower.contains("certificate verify failed") {
            let reason = text.rsplit_once('(').map_or(text, |(_, reason)| reason);
            Self::BadCertificate(CertificateFlaw::of_reason(reason.trim_end_matches(')')))
        } else if let Some(flaw) = CertificateFlaw::named_in(text) {
            Self::BadCertificate(flaw)
        } else {
            Self::Other(text.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_been_done_is_not_advised() {
        let told = |security| TlsFault::NotTls.under(security).to_string();
        assert!(told(Security::Tls).contains("start-tls-required"));
        assert!(told(Security::StartTlsRequired).contains("agreed to begin TLS"));
        assert_eq!(
            TlsFault::Expired.under(Security::StartTls),
            TlsFault::Expired
        );
    }

    #[test]
    fn openssl_words_become_faults() {
        let fault = |text: &str| TlsFault::of_text(text, "h", TlsFloor::Tls1_2);
        let verify = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:\
                      ../ssl/statem/statem_clnt.c:1889:";
        assert_eq!(
            fault(&format!("{verify} (certificate has expired)")),
            TlsFault::Expired
        );
        assert_eq!(
            fault(&format!("{verify} (self-signed certificate)")),
            TlsFault::SelfSigned
        );
        assert_eq!(
            fault(&format!(
                "{verify} (self-signed certificate in certificate chain)"
            )),
            TlsFault::UnknownAuthority
        );
        assert_eq!(
            fault(&format!("{verify} (hostname mismatch)")),
            TlsFault::WrongHost("h".into())
        );
        assert_eq!(
            fault("error:0A00010B:SSL routines:ssl3_get_record:wrong version number"),
            TlsFault::NotTls
        );
        assert_eq!(
            fault("error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version"),
            TlsFault::VersionFloor(TlsFloor::Tls1_2)
        );
        assert_eq!(
            fault("error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure"),
            TlsFault::NothingInCommon
        );
        assert_eq!(
            fault("Ein Zertifikat ist abgelaufen. (os error -2146762495)"),
            TlsFault::OutsideItsTime
        );
        for (reason, flaw) in [
            ("certificate revoked", CertificateFlaw::Revoked),
            ("EE certificate key too weak", CertificateFlaw::TooWeak),
            (
                "CA signature digest algorithm too weak",
                CertificateFlaw::TooWeak,
            ),
            (
                "unsuitable certificate purpose",
                CertificateFlaw::WrongPurpose,
            ),
            (
                "path length constraint exceeded",
                CertificateFlaw::Other("path length constraint exceeded".into()),
            ),
        ] {
            assert_eq!(
                fault(&format!("{verify} ({reason})")),
                TlsFault::BadCertificate(flaw)
            );
        }
        assert_eq!(
            fault("Das Zertifikat wurde gesperrt. (os error -2146885616)"),
            TlsFault::BadCertificate(CertificateFlaw::Revoked)
        );
        assert_eq!(
            fault("something else"),
            TlsFault::Other("something else".into())
        );
    }
}
