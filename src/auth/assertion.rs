//! A certificate in place of an application's secret: a signed statement that is good for a few
//! minutes (RFC 7523, section 2.2;
//! learn.microsoft.com/entra/identity-platform/certificate-credentials).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PSS_SHA256, RsaKeyPair};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Error;
use crate::clock;
use crate::secret::Secret;

/// A file larger than this holds more than a certificate and its key.
const LARGEST_FILE: u64 = 1024 * 1024;
/// How long a statement is good for.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A certificate and its RSA key.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    /// The certificate's SHA-256, by which the authority knows it.
    thumbprint: String,
    key: RsaKeyPair,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.0.thumbprint)
    }
}

/// A file does not give a certificate or a key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It can't be read.
    #[error("can't read {path}: {cause}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It has none of what was looked for.
    #[error("{path} holds no {what} in PEM form (-----BEGIN …-----)")]
    Missing {
        /// Which file.
        path: PathBuf,
        /// "certificate" or "private key".
        what: &'static str,
    },
    /// The key is protected by a password.
    #[error(
        "the private key in {path} is protected by a password, which no unattended run can give: write it without one by \
         \"openssl pkey -in OLD -out NEW\" and let only this user read it"
    )]
    Encrypted {
        /// Which file.
        path: PathBuf,
    },
    /// The key is of a kind that the authority does not take.
    #[error(
        "the private key in {path} can't be used ({cause}): it has to be an RSA key of 2048 to 4096 bits"
    )]
    Key {
        /// Which file.
        path: PathBuf,
        /// What the library says.
        cause: String,
    },
}

impl Certificate {
    /// Reads a certificate and its key from PEM files, which may be the same.
    ///
    /// # Errors
    /// A file can't be read or does not hold what it should.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let missing = |path: &Path, what| CertificateError::Missing {
            path: path.to_path_buf(),
            what,
        };
        let blocks = pem(&read(certificate)?);
        let shown = blocks
            .iter()
            .find(|block| block.label == "CERTIFICATE")
            .and_then(|block| block.bytes.as_ref())
            .ok_or_else(|| missing(certificate, "certificate"))?;
        let thumbprint = BASE64URL_NOPAD.encode(&Sha256::digest(shown.as_slice()));
        let blocks = pem(&read(key)?);
        let block = blocks
            .iter()
            .find(|block| block.label.ends_with("PRIVATE KEY"))
            .ok_or_else(|| missing(key, "private key"))?;
        let path = key.to_path_buf();
        let Some(bytes) = block
            .bytes
            .as_ref()
            .filter(|_| block.label != "ENCRYPTED PRIVATE KEY")
        else {
            return Err(CertificateError::Encrypted { path });
        };
        let read = match block.label.as_str() {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(bytes),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(bytes),
            other => {
                let cause = other.to_owned();
                return Err(CertificateError::Key { path, cause });
            }
        };
        let key = read.map_err(|error| CertificateError::Key {
            path,
            cause: error.to_string(),
        })?;
        Ok(Self(Arc::new(Inner { thumbprint, key })))
    }

    /// A statement that this is the application, for one token endpoint.
    pub(super) fn assertion(&self, client_id: &str, endpoint: &str) -> Result<Secret, Error> {
        let mut number = [0; 16];
        getrandom::fill(&mut number).map_err(|_| Error::Signing)?;
        let text = statement(
            &self.0.thumbprint,
            client_id,
            endpoint,
            &number,
            clock::now(),
        );
        let mut signature = vec![0; self.0.key.public().modulus_len()];
        self.0
            .key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .map_err(|_| Error::Signing)?;
        Ok(Secret::new(format!(
            "{text}.{}",
            BASE64URL_NOPAD.encode(&signature)
        )))
    }
}

/// Header and claims, as they are signed.
fn statement(
    thumbprint: &str,
    client_id: &str,
    endpoint: &str,
    number: &[u8],
    now: DateTime<Utc>,
) -> String {
    let header = serde_json::json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
    let claims = serde_json::json!({
        "aud": endpoint,
        "iss": client_id,
        "sub": client_id,
        "jti": HEXLOWER.encode(number),
        "nbf": now.timestamp(),
        "exp": (now + LIFETIME).timestamp(),
    });
    let encoded = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}", encoded(header), encoded(claims))
}

fn read(path: &Path) -> Result<Zeroizing<String>, CertificateError> {
    let failed = |cause| CertificateError::File {
        path: path.to_path_buf(),
        cause,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > LARGEST_FILE {
        let large = std::io::Error::other("it is far too large for a certificate or a key");
        return Err(failed(large));
    }
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(failed)
}

/// A block of a PEM file (RFC 7468).
struct Block {
    label: String,
    /// `None` where they can't be read, as with the older form of encryption.
    bytes: Option<Zeroizing<Vec<u8>>>,
}

fn pem(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let label = line
            .strip_prefix("-----BEGIN ")
            .and_then(|rest| rest.strip_suffix("-----"));
        let Some(label) = label else { continue };
        let body: Zeroizing<String> = Zeroizing::new(
            lines
                .by_ref()
                .take_while(|line| !line.starts_with("-----END "))
                .collect(),
        );
        blocks.push(Block {
            label: label.to_owned(),
            bytes: BASE64.decode(body.as_bytes()).ok().map(Zeroizing::new),
        });
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_for_one_endpoint_and_ten_minutes() {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let text = statement("THUMB", "app", "https://login.test/token", &[1, 2], now);
        let parts: Vec<serde_json::Value> = text
            .split('.')
            .map(|part| {
                serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
            })
            .collect();
        assert_eq!(parts[0]["alg"], "PS256");
        assert_eq!(parts[0]["x5t#S256"], "THUMB");
        assert_eq!(parts[1]["aud"], "https://login.test/token");
        assert_eq!(parts[1]["iss"], "app");
        assert_eq!(parts[1]["sub"], "app");
        assert_eq!(parts[1]["jti"], "0102");
        let (from, to) = (&parts[1]["nbf"], &parts[1]["exp"]);
        assert_eq!(to.as_i64().unwrap() - from.as_i64().unwrap(), 600);
    }

    #[test]
    fn pem_files_have_blocks_and_other_text() {
        let text = "subject=CN\r\n-----BEGIN CERTIFICATE-----\r\nAQI=\r\n-----END CERTIFICATE-----\r\n\
                    -----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END RSA PRIVATE KEY-----\n";
        let blocks = pem(text);
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].label, "CERTIFICATE");
        assert_eq!(blocks[0].bytes.as_ref().unwrap().as_slice(), [1, 2]);
        assert!(blocks[1].bytes.is_none());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.pem");
        let told = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Certificate::read(&path, &path).unwrap_err().to_string()
        };
        assert!(told("nothing").contains("holds no certificate"));
        let certificate = "-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";
        assert!(told(certificate).contains("holds no private key"));
        let with = |label: &str, body: &str| {
            format!("{certificate}-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        };
        assert!(told(&with("ENCRYPTED PRIVATE KEY", "AQI=")).contains("by a password"));
        assert!(told(&with("PRIVATE KEY", "Proc-Type: 4,ENCRYPTED")).contains("by a password"));
        assert!(told(&with("EC PRIVATE KEY", "AQI=")).contains("RSA key"));
        assert!(told(&with("PRIVATE KEY", "AQI=")).contains("RSA key"));
    }
}
