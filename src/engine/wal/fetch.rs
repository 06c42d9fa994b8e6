//! Fetching: a file as the server handed it over, or the certainty that the archive does not have it.

use super::{Archive, seal};
use crate::stop::joined;
use backupx_core::domain::wal::WalFile;
use backupx_core::{Error, Result};
use sha2::{Digest, Sha256};

/// What a fetch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The file.
    Found(Vec<u8>),
    /// The archive is there and has none of that name. A server takes that for the end of the log.
    Absent,
}

impl Archive {
    /// The file called `file`, checked against the checksum that it was pushed with. An archive that can't be asked, or that holds nothing
    /// at all, is an error and never [`Fetched::Absent`]: a server would end its recovery there.
    pub async fn fetch(&self, file: WalFile) -> Result<Fetched> {
        let objects = self.objects_of(file).await?;
        let object = match &objects[..] {
            [] => {
                self.its_cluster().await?;
                return Ok(Fetched::Absent);
            }
            [object] => object.clone(),
            [..] => {
                return Err(Error::conflict(
                    "wal_conflict",
                    format!(
                        "the archive has {} different files called {file}, of two servers that wrote to it",
                        objects.len()
                    ),
                ));
            }
        };
        let stored = self.store.read(&object.key, 0..object.size).await?;
        let identities = self.identities.clone();
        let is_sealed = object.is_sealed;
        let raw = joined(tokio::task::spawn_blocking(move || {
            seal::open(&stored, is_sealed, &identities)
        }))
        .await?;
        if hex::encode(Sha256::digest(&raw)) != object.sha256 {
            return Err(Error::invalid(
                "wal_damaged",
                format!("{file} is damaged in storage: its checksum does not hold"),
            ));
        }
        Ok(Fetched::Found(raw))
    }
}
