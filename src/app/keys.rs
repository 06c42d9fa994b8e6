//! Keys of backups: the organisation's own, and those of masters whose backups this one took over.

use crate::App;
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::secret::Sealed;
use backupx_core::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Setting: the organisation's key, one value so that all replicas agree on the pair.
const ORGANISATION_KEY: &str = "organisation.key";
/// Setting: what the names of further keys begin with; a number from 0 on follows.
const FURTHER_KEY: &str = "organisation.further_key.";
/// Further keys at most: each is tried for each backup.
const MOST: usize = 100;

/// A key as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    recipient: String,
    identity: Sealed,
}

/// A key pair.
pub struct Key {
    /// `AGE-SECRET-KEY-1…`.
    pub identity: SecretString,
    /// Its public key, `age1…`.
    pub recipient: String,
}

/// What opens every sealed backup without BackupX. To be kept away from the master.
pub struct RecoveryKit {
    /// What this organisation seals to.
    pub own: Key,
    /// Keys of masters whose backups were taken over.
    pub further: Vec<Key>,
}

impl App {
    /// Makes the organisation's key pair unless there is one, and answers its public key. All replicas agree on one.
    pub async fn ensure_organisation_key(&self) -> Result<String> {
        if let Some(stored) = self.ports.settings.get(ORGANISATION_KEY).await? {
            return Ok(parse(&stored)?.recipient);
        }
        let pair = self.ports.keys.generate();
        let made = self.stored(ORGANISATION_KEY, pair.recipient, &pair.identity)?;
        let agreed = self
            .ports
            .settings
            .get_or_set(ORGANISATION_KEY, &made)
            .await?;
        Ok(parse(&agreed)?.recipient)
    }

    /// The organisation's public key, `age1…`.
    pub async fn organisation_recipient(&self) -> Result<String> {
        self.ensure_organisation_key().await
    }

    /// The recovery kit. Only for the master's host.
    pub async fn export_key(&self) -> Result<RecoveryKit> {
        let recipient = self.ensure_organisation_key().await?;
        Ok(RecoveryKit {
            own: Key {
                identity: self.organisation_identity().await?,
                recipient,
            },
            further: self.further_keys().await?,
        })
    }

    /// Keeps a key that opens backups of another master, and answers its public key. `Invalid` when it is none. Needs `admin`.
    pub async fn add_key(&self, principal: &Principal, identity: &SecretString) -> Result<String> {
        principal.require(Role::Admin)?;
        let recipient = self.ports.keys.recipient_of(identity)?;
        if recipient == self.organisation_recipient().await? {
            return Ok(recipient);
        }
        for number in 0..MOST {
            let name = format!("{FURTHER_KEY}{number}");
            let made = self.stored(&name, recipient.clone(), identity)?;
            let there = self.ports.settings.get_or_set(&name, &made).await?;
            if there == made {
                tracing::info!(recipient, by = principal.username, "a key was added");
            }
            if parse(&there)?.recipient == recipient {
                return Ok(recipient);
            }
        }
        Err(Error::conflict(
            "too_many_keys",
            format!("there are {MOST} further keys already"),
        ))
    }

    /// Public keys of all that this master can open, its own first.
    pub async fn recipients_known(&self, principal: &Principal) -> Result<Vec<String>> {
        principal.require(Role::Viewer)?;
        let mut known = vec![self.organisation_recipient().await?];
        known.extend(
            self.further_keys()
                .await?
                .into_iter()
                .map(|key| key.recipient),
        );
        Ok(known)
    }

    /// The organisation's identity, opened.
    pub(crate) async fn organisation_identity(&self) -> Result<SecretString> {
        let stored = self
            .ports
            .settings
            .get(ORGANISATION_KEY)
            .await?
            .ok_or_else(|| {
                Error::conflict("no_organisation_key", "there is no organisation key yet")
            })?;
        self.vault
            .open_setting(ORGANISATION_KEY, &parse(&stored)?.identity)
    }

    /// The file keys of sealed streams, given by name and header: by the organisation's key, or by a further one.
    pub(crate) async fn unwrap_all(&self, sealed: &[(&str, &str)]) -> Result<Vec<StreamKey>> {
        if sealed.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.organisation_identity().await?;
        let refused = match self.unwrapped(&own, sealed) {
            Err(error) if error.code() == "wrong_key" => error,
            done => return done,
        };
        for key in self.further_keys().await? {
            if let Ok(keys) = self.unwrapped(&key.identity, sealed) {
                return Ok(keys);
            }
        }
        Err(refused)
    }

    fn unwrapped(
        &self,
        identity: &SecretString,
        sealed: &[(&str, &str)],
    ) -> Result<Vec<StreamKey>> {
        sealed
            .iter()
            .map(|(name, header)| self.ports.keys.unwrap(identity, name, header))
            .collect()
    }

    async fn further_keys(&self) -> Result<Vec<Key>> {
        let mut keys = Vec::new();
        for number in 0..MOST {
            let name = format!("{FURTHER_KEY}{number}");
            let Some(stored) = self.ports.settings.get(&name).await? else {
                break;
            };
            let stored = parse(&stored)?;
            keys.push(Key {
                identity: self.vault.open_setting(&name, &stored.identity)?,
                recipient: stored.recipient,
            });
        }
        Ok(keys)
    }

    fn stored(&self, name: &str, recipient: String, identity: &SecretString) -> Result<String> {
        let stored = StoredKey {
            recipient,
            identity: self.vault.seal_setting(name, identity.expose_secret())?,
        };
        serde_json::to_string(&stored)
            .map_err(|e| Error::internal("the key could not be encoded").with_source(e))
    }
}

fn parse(stored: &str) -> Result<StoredKey> {
    serde_json::from_str(stored)
        .map_err(|e| Error::internal("a stored key can't be read").with_source(e))
}
