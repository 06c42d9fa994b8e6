//! Secrets at rest: AES-256-GCM, bound to the table, column and row they belong to.

use crate::{Error, Result};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

/// Where a sealed secret lives. It is the associated data, so a ciphertext moved to another place does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table name.
    pub table: &'a str,
    /// Column name.
    pub column: &'a str,
    /// Row id, or the row's unique name where it has no id yet.
    pub row: &'a str,
}

impl Place<'_> {
    fn associated_data(&self) -> Vec<u8> {
        format!("backupx\0{}\0{}\0{}", self.table, self.column, self.row).into_bytes()
    }
}

/// A ciphertext as it is stored: `v1.<key id>.<base64 of nonce and ciphertext>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(pub String);

/// A 256-bit key that seals secrets, with the short id that ciphertexts carry.
#[derive(Clone)]
pub struct SealingKey {
    id: String,
    key: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// A key of 32 bytes under an id of `[a-z0-9]`.
    pub fn new(id: impl Into<String>, key: [u8; 32]) -> Self {
        Self {
            id: id.into(),
            key: Zeroizing::new(key),
        }
    }

    /// The id that ciphertexts of this key carry.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(*self.key))
    }

    /// Seals `plain` for `place` under a fresh random nonce.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Sealed> {
        let nonce: [u8; 12] = rand::random();
        let aad = place.associated_data();
        let sealed = self
            .cipher()
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| Error::internal("secret could not be sealed"))?;
        Ok(Sealed(format!(
            "v1.{}.{}",
            self.id,
            BASE64.encode([&nonce[..], &sealed].concat())
        )))
    }

    /// Opens what [`SealingKey::seal`] made for the same place.
    pub fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        let broken = || {
            Error::internal(format!(
                "the secret in {}.{} of row {} does not open with key {}: was the database copied from another installation?",
                place.table, place.column, place.row, self.id
            ))
        };
        let mut parts = sealed.0.splitn(3, '.');
        let (Some("v1"), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken());
        };
        if id != self.id {
            return Err(broken());
        }
        let body = BASE64.decode(body).map_err(|_| broken())?;
        let Some((nonce, ciphertext)) = body.split_first_chunk::<12>() else {
            return Err(broken());
        };
        let aad = place.associated_data();
        self.cipher()
            .decrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: ciphertext,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| broken())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id)
    }
}

/// A secret on its way to an agent: readable on the wire of a claimed command, never in a log.
#[derive(Clone)]
pub struct WireSecret(pub SecretString);

impl WireSecret {
    /// Wraps a plain secret.
    pub fn new(plain: impl Into<String>) -> Self {
        Self(SecretString::from(plain.into()))
    }

    /// The plain secret.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for WireSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for WireSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for WireSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place {
        table: "targets",
        column: "secrets",
        row: "4",
    };

    #[test]
    fn sealed_secret_opens_only_in_its_place_and_with_its_key() {
        let key = SealingKey::new("k1", [7; 32]);
        let sealed = key.seal(HERE, b"hunter2").expect("seals");
        assert_eq!(
            key.open(HERE, &sealed).expect("opens").as_slice(),
            b"hunter2"
        );
        assert!(key.open(Place { row: "5", ..HERE }, &sealed).is_err());
        assert!(SealingKey::new("k1", [8; 32]).open(HERE, &sealed).is_err());
        assert!(SealingKey::new("k2", [7; 32]).open(HERE, &sealed).is_err());
        assert!(!sealed.0.contains("hunter2"));
    }

    #[test]
    fn never_30_wire_secret_is_not_in_debug_output() {
        assert_eq!(format!("{:?}", WireSecret::new("hunter2")), "[secret]");
    }
}
