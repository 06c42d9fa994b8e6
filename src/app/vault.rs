//! The vault: keys derived from the root key, and what is sealed under them.

use backupx_core::domain::id::{RecordId, TargetId, TaskId};
use backupx_core::domain::secret::{Place, Sealed, SealingKey};
use backupx_core::{Error, Result};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A key for one purpose, derived from the root key with HKDF-SHA-256: knowing it tells nothing of the root or of other purposes.
pub fn derive_key(root: &[u8; 32], purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(b"backupx root key v1"), root)
        .expand(purpose.as_bytes(), key.as_mut_slice())
        .expect("32 bytes are less than the 8160 that HKDF-SHA-256 gives");
    key
}

/// SHA-256 of a token, as lower-case hex: how every token is kept.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Seals and opens secrets, and derives keys.
pub(crate) struct Vault {
    root: Zeroizing<[u8; 32]>,
    sealing: SealingKey,
}

impl Vault {
    pub(crate) fn new(root: &[u8; 32]) -> Self {
        // The id tells keys apart without telling the key: a second derivation, never the key itself.
        let id = hex::encode(&derive_key(root, "sealing key id")[..4]);
        Self {
            root: Zeroizing::new(*root),
            sealing: SealingKey::new(id, *derive_key(root, "sealing key")),
        }
    }

    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        derive_key(&self.root, purpose)
    }

    /// Seals the secret settings of a target; nothing when there are none.
    pub(crate) fn seal_target(
        &self,
        id: TargetId,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Option<Sealed>> {
        self.seal_all(target_place(&id.to_string()), secrets)
    }

    /// Opens what [`Vault::seal_target`] made.
    pub(crate) fn open_target(
        &self,
        id: TargetId,
        sealed: Option<&Sealed>,
    ) -> Result<BTreeMap<String, String>> {
        self.open_all(target_place(&id.to_string()), sealed)
    }

    /// Seals the secrets of a task's source; nothing when there are none.
    pub(crate) fn seal_task(
        &self,
        id: TaskId,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Option<Sealed>> {
        self.seal_all(task_place(&id.to_string()), secrets)
    }

    /// Opens what [`Vault::seal_task`] made.
    pub(crate) fn open_task(
        &self,
        id: TaskId,
        sealed: Option<&Sealed>,
    ) -> Result<BTreeMap<String, String>> {
        self.open_all(task_place(&id.to_string()), sealed)
    }

    /// Seals the secrets that a restore of a record brings along; nothing when there are none.
    pub(crate) fn seal_restore(
        &self,
        record: RecordId,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Option<Sealed>> {
        self.seal_all(restore_place(&record.to_string()), secrets)
    }

    /// Opens what [`Vault::seal_restore`] made.
    pub(crate) fn open_restore(
        &self,
        record: RecordId,
        sealed: Option<&Sealed>,
    ) -> Result<BTreeMap<String, String>> {
        self.open_all(restore_place(&record.to_string()), sealed)
    }

    fn seal_all(
        &self,
        place: Place<'_>,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Option<Sealed>> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let plain = Zeroizing::new(
            serde_json::to_vec(secrets)
                .map_err(|e| Error::internal("secrets could not be encoded").with_source(e))?,
        );
        self.sealing.seal(place, &plain).map(Some)
    }

    fn open_all(
        &self,
        place: Place<'_>,
        sealed: Option<&Sealed>,
    ) -> Result<BTreeMap<String, String>> {
        let Some(sealed) = sealed else {
            return Ok(BTreeMap::new());
        };
        let plain = self.sealing.open(place, sealed)?;
        serde_json::from_slice(&plain).map_err(|_| {
            Error::internal(format!(
                "the opened secrets of {} {} are no settings",
                place.table, place.row
            ))
        })
    }

    /// Seals the value of a setting.
    pub(crate) fn seal_setting(&self, key: &str, plain: &str) -> Result<Sealed> {
        self.sealing.seal(setting_place(key), plain.as_bytes())
    }

    /// Opens what [`Vault::seal_setting`] made.
    pub(crate) fn open_setting(&self, key: &str, sealed: &Sealed) -> Result<secrecy::SecretString> {
        let plain = self.sealing.open(setting_place(key), sealed)?;
        let text = std::str::from_utf8(&plain)
            .map_err(|_| Error::internal(format!("the opened setting {key} is no text")))?;
        Ok(secrecy::SecretString::from(text.to_owned()))
    }
}

fn target_place(row: &str) -> Place<'_> {
    Place {
        table: "targets",
        column: "secrets",
        row,
    }
}

fn task_place(row: &str) -> Place<'_> {
    Place {
        table: "tasks",
        column: "secrets",
        row,
    }
}

/// An operation has no id yet when its secrets are sealed: they belong to the record that is restored.
fn restore_place(row: &str) -> Place<'_> {
    Place {
        table: "operations",
        column: "spec of a restore of record",
        row,
    }
}

fn setting_place(key: &str) -> Place<'_> {
    Place {
        table: "settings",
        column: "value",
        row: key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_23_secrets_open_only_in_their_row_and_with_their_root_key() {
        let vault = Vault::new(&[1; 32]);
        let secrets = BTreeMap::from([("secretAccessKey".to_owned(), "hunter2".to_owned())]);
        let sealed = vault.seal_target(TargetId(4), &secrets).expect("seals");
        let open = |vault: &Vault, id| vault.open_target(TargetId(id), sealed.as_ref());
        assert_eq!(open(&vault, 4).expect("opens"), secrets);
        assert!(open(&vault, 5).is_err());
        assert!(open(&Vault::new(&[2; 32]), 4).is_err());
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        assert_ne!(derive_key(&[1; 32], "a"), derive_key(&[1; 32], "b"));
        assert_ne!(derive_key(&[1; 32], "a"), derive_key(&[2; 32], "a"));
    }
}
