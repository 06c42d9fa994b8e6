//! An archive of write-ahead log: each file that a PostgreSQL server hands over is one object, confirmed before the server may forget it.
//!
//! ```text
//! <prefix>/cluster.json                            which cluster this is, written by the first push
//! <prefix>/<timeline and log>/<name>.<filled at>.<sha-256>.zst[.age]
//! <prefix>/history/<timeline>.history.<…>.zst      never sealed, like the labels of base backups: they hold no data
//! ```
//!
//! An object's name says when the server had filled the file (milliseconds since 1970) and its checksum, so a list of them tells what can be
//! restored, without a key. Standard tools open one: `age -d -i KEY | zstd -d`.

mod fetch;
mod holdings;
mod object;
mod page;
mod prune;
mod push;
mod seal;
#[cfg(test)]
mod tests;

pub use fetch::Fetched;
pub use prune::{Prune, Pruned};
pub use push::Pushed;

use crate::keys::{parse_identity, parse_recipient};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::wal::WalFile;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use object::Object;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the object is called that says which cluster an archive belongs to.
const CLUSTER: &str = "cluster.json";
/// A larger one is none of ours.
const MOST_CLUSTER: u64 = 64 << 10;

/// An archive that one cluster's log goes to.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    prefix: ObjectKey,
    recipients: Vec<String>,
    identities: Vec<SecretString>,
}

/// Which cluster an archive belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    format_version: u32,
    /// As `pg_controldata` says it.
    system_id: String,
    segment_bytes: u64,
}

impl Cluster {
    const FORMAT: u32 = 1;
}

impl Archive {
    /// The archive below `prefix`. What is pushed is sealed to `recipients`, none means that it is not; `identities` open what is fetched.
    /// `bad_recipient` and `bad_identity` for what is no age key.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        prefix: ObjectKey,
        recipients: Vec<String>,
        identities: Vec<SecretString>,
    ) -> Result<Self> {
        for recipient in &recipients {
            parse_recipient(recipient)?;
        }
        for identity in &identities {
            parse_identity(identity)?;
        }
        Ok(Self {
            store,
            prefix,
            recipients,
            identities,
        })
    }

    /// The cluster that it belongs to; nothing while nobody pushed anything.
    async fn cluster(&self) -> Result<Option<Cluster>> {
        let key = self.prefix.join(CLUSTER)?;
        let Some(info) = self.store.stat(&key).await? else {
            return Ok(None);
        };
        if info.size > MOST_CLUSTER {
            return Err(self.damaged("it is too large"));
        }
        let text = self.store.read(&key, 0..info.size).await?;
        let cluster: Cluster = serde_json::from_slice(&text)
            .map_err(|error| self.damaged(&error.to_string()).with_source(error))?;
        if cluster.format_version > Cluster::FORMAT {
            return Err(Error::invalid(
                "format_too_new",
                format!(
                    "the archive {} was written by a newer version; update backupx",
                    self.prefix
                ),
            ));
        }
        let size = cluster.segment_bytes;
        if !size.is_power_of_two() || !(1 << 20..=1 << 30).contains(&size) {
            return Err(self.damaged("it names no size of segments"));
        }
        Ok(Some(cluster))
    }

    /// Its cluster. `wal_archive_empty` when it has none, which an archive that was ever used does not come to by itself.
    async fn its_cluster(&self) -> Result<Cluster> {
        self.cluster().await?.ok_or_else(|| {
            Error::invalid(
                "wal_archive_empty",
                format!(
                    "nothing was ever archived below {}: the settings name another place than the server's, or its storage is not there",
                    self.prefix
                ),
            )
        })
    }

    /// The objects that hold `file`: one, unless two servers pushed different files of that name.
    async fn objects_of(&self, file: WalFile) -> Result<Vec<Object>> {
        let folder = self.prefix.join(&file.folder())?;
        let listed = self.store.list(&folder).await?;
        let objects = listed.into_iter().filter_map(Object::parse);
        Ok(objects.filter(|object| object.file == file).collect())
    }

    fn damaged(&self, why: &str) -> Error {
        Error::invalid(
            "wal_archive_damaged",
            format!("{}/{CLUSTER} is not right: {why}", self.prefix),
        )
    }
}
