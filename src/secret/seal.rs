//! Sealed values: `enc:v1:` and, in base64, the key's fingerprint, a fresh nonce and the text
//! encrypted by AES-256-GCM. Section and key of the setting are bound to it as associated
//! data, so a value copied to another setting does not open there.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::sealable::SETTINGS;
use super::{Keeper, KeyError, Secret};

const PREFIX: &str = "enc:v1:";
const FINGERPRINT: usize = 8;
const NONCE: usize = 12;

/// A 256-bit key.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// A sealed value can't be opened, or a secret can't be sealed. What to do is told by whoever knows
/// the setting: see [`super::command`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key can't be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Not in the form that this program writes.
    #[error("is not a sealed value that this version can read")]
    Form,
    /// Another key sealed it.
    #[error("was sealed with another key than {0}: on another machine or by another user")]
    Foreign(String),
    /// It belongs to another setting.
    #[error("holds a value that was sealed for [{section}] {key} and copied here")]
    Moved {
        /// Section of the setting it belongs to.
        section: &'static str,
        /// Its key.
        key: &'static str,
    },
    /// Somebody or something changed it.
    #[error("was changed after it was sealed, or copied from another setting")]
    Tampered,
}

/// Whether a value of the INI file is a sealed one.
#[must_use]
pub fn is_sealed(value: &str) -> bool {
    value.starts_with("enc:")
}

impl Keeper {
    /// Seals a secret for one setting. The key is made when there is none yet.
    pub fn seal(&self, secret: &Secret, section: &str, key: &str) -> Result<String, SealError> {
        let sealing = self.key_or_new()?;
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Key(KeyError::Random))?;
        let binding = binding(section, key);
        let payload = Payload {
            msg: secret.expose().as_bytes(),
            aad: binding.as_bytes(),
        };
        // Encryption fails only for texts of many gigabytes.
        let sealed = cipher(&sealing)
            .encrypt(&nonce.into(), payload)
            .map_err(|_| SealError::Form)?;
        let bytes = [fingerprint(&sealing).as_slice(), &nonce, &sealed].concat();
        Ok(format!("{PREFIX}{}", BASE64.encode(&bytes)))
    }

    /// Opens a sealed value of one setting.
    pub fn open(&self, value: &str, section: &str, key: &str) -> Result<Secret, SealError> {
        let bytes = value
            .strip_prefix(PREFIX)
            .and_then(|text| BASE64.decode(text.as_bytes()).ok())
            .ok_or(SealError::Form)?;
        let (mark, rest) = bytes.split_at_checked(FINGERPRINT).ok_or(SealError::Form)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Form)?;
        let opening = self.key()?;
        if mark != fingerprint(&opening) {
            return Err(SealError::Foreign(self.path().display().to_string()));
        }
        let decrypt = |section: &str, key: &str| {
            let binding = binding(section, key);
            let payload = Payload {
                msg: sealed,
                aad: binding.as_bytes(),
            };
            cipher(&opening)
                .decrypt(&(*nonce).into(), payload)
                .ok()
                .map(Zeroizing::new)
        };
        let Some(plain) = decrypt(section, key) else {
            let moved = SETTINGS
                .into_iter()
                .find(|(section, key)| decrypt(section, key).is_some());
            return Err(
                moved.map_or(SealError::Tampered, |(section, key)| SealError::Moved {
                    section,
                    key,
                }),
            );
        };
        let text = std::str::from_utf8(&plain).map_err(|_| SealError::Tampered)?;
        Ok(Secret::new(text.to_owned()))
    }
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new(&(**key).into())
}

fn binding(section: &str, key: &str) -> String {
    format!("{}\n{}", section.to_lowercase(), key.to_lowercase())
}

/// Tells keys apart without telling anything of them.
fn fingerprint(key: &Key) -> [u8; FINGERPRINT] {
    let digest = Sha256::new()
        .chain_update(b"smartemail key fingerprint")
        .chain_update(key.as_slice())
        .finalize();
    let mut short = [0; FINGERPRINT];
    short
        .iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper() -> (tempfile::TempDir, Keeper) {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::at(folder.path().join("in/secret.key"));
        (folder, keeper)
    }

    #[test]
    fn what_is_sealed_opens() {
        let (_folder, keeper) = keeper();
        for text in ["", "s3cret", "pä ss\"\\%;#"] {
            let sealed = keeper
                .seal(&Secret::new(text.into()), "Mail", "Password")
                .unwrap();
            assert!(is_sealed(&sealed) && (text.is_empty() || !sealed.contains(text)));
            assert_eq!(
                keeper.open(&sealed, "mail", "PASSWORD").unwrap().expose(),
                text
            );
        }
        let secret = Secret::new("x".into());
        assert_ne!(
            keeper.seal(&secret, "Mail", "User").unwrap(),
            keeper.seal(&secret, "Mail", "User").unwrap()
        );
    }

    #[test]
    fn what_was_moved_changed_or_brought_from_elsewhere_does_not() {
        let (_folder, first) = keeper();
        let (_other_folder, second) = keeper();
        let sealed = first
            .seal(&Secret::new("s3cret".into()), "Mail", "Password")
            .unwrap();
        second
            .seal(&Secret::new("x".into()), "Mail", "User")
            .unwrap();
        assert!(matches!(
            first.open(&sealed, "General", "OpConUserPassword"),
            Err(SealError::Moved {
                key: "Password",
                ..
            })
        ));
        assert!(matches!(
            second.open(&sealed, "Mail", "Password"),
            Err(SealError::Foreign(_))
        ));
        for value in [
            "enc:v2:AAAA",
            "enc:v1:",
            "enc:v1:%%",
            "enc:v1:AAAA",
            "plain",
        ] {
            assert!(
                matches!(first.open(value, "Mail", "Password"), Err(SealError::Form)),
                "{value}"
            );
        }
        let mut bytes = BASE64
            .decode(sealed.strip_prefix(PREFIX).unwrap().as_bytes())
            .unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let changed = format!("{PREFIX}{}", BASE64.encode(&bytes));
        assert!(matches!(
            first.open(&changed, "Mail", "Password"),
            Err(SealError::Tampered)
        ));
    }

    #[test]
    fn without_a_key_the_message_names_its_place() {
        let (folder, keeper) = keeper();
        let sealed = keeper
            .seal(&Secret::new("x".into()), "Mail", "User")
            .unwrap();
        std::fs::remove_file(folder.path().join("in/secret.key")).unwrap();
        let message = keeper
            .open(&sealed, "Mail", "User")
            .unwrap_err()
            .to_string();
        assert!(message.contains("secret.key"), "{message}");
    }
}
