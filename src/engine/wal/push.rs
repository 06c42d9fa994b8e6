//! Pushing: a file is in the archive, confirmed, or it is an error and the server keeps it.

use super::object::Object;
use super::{Archive, CLUSTER, Cluster, page, seal};
use crate::create::create_surely;
use crate::stop::joined;
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::wal::WalFile;
use backupx_core::{Error, Result};
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// What a push came to. Either way the file is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It was stored, in so many bytes.
    Stored(u64),
    /// It was there already: a server hands a file over again when it did not hear of the first time.
    Known,
}

impl Archive {
    /// Stores the file called `file` that holds `raw`, filled at `filled_at`; then asks storage whether it is there.
    ///
    /// `wal_conflict` when the archive has another file of that name, `wrong_cluster` when it belongs to another cluster: two servers
    /// that share one archive would spoil it for both.
    pub async fn push(&self, file: WalFile, raw: Vec<u8>, filled_at: Timestamp) -> Result<Pushed> {
        if matches!(file, WalFile::Segment(_) | WalFile::Partial(_)) {
            self.belongs(&page::cluster(&raw)?).await?;
        }
        let sha256 = hex::encode(Sha256::digest(&raw));
        let there = self.objects_of(file).await?;
        if there.iter().any(|object| object.sha256 == sha256) {
            return Ok(Pushed::Known);
        }
        if !there.is_empty() {
            return Err(Error::conflict(
                "wal_conflict",
                format!(
                    "the archive has another {file} than this: two servers write to it, or this one went back in time; give each its own prefix"
                ),
            ));
        }
        let recipients = match file.holds_data() {
            true => self.recipients.clone(),
            false => Vec::new(),
        };
        let key = Object::key(
            &self.prefix,
            file,
            filled_at,
            &sha256,
            !recipients.is_empty(),
        )?;
        let stored = joined(tokio::task::spawn_blocking(move || {
            seal::close(&raw, &recipients)
        }))
        .await?;
        let size = stored.len() as u64;
        let stored_sum = hex::encode(Sha256::digest(&stored));
        create_surely(
            self.store.as_ref(),
            &key,
            &[Bytes::from(stored)],
            &stored_sum,
        )
        .await?;
        let confirmed = self.store.stat(&key).await?;
        let holds = confirmed.is_some_and(|info| {
            info.size == size && info.sha256.is_none_or(|sum| sum == stored_sum)
        });
        if holds {
            Ok(Pushed::Stored(size))
        } else {
            Err(Error::unavailable(
                "not_confirmed",
                format!("storage took {file} and does not have it as it was sent"),
            ))
        }
    }

    /// Refuses what another cluster made. The first push says whose the archive is.
    async fn belongs(&self, cluster: &Cluster) -> Result<()> {
        let known = match self.cluster().await? {
            Some(known) => known,
            None => {
                self.claim(cluster).await?;
                self.its_cluster().await?
            }
        };
        if known.system_id == cluster.system_id && known.segment_bytes == cluster.segment_bytes {
            return Ok(());
        }
        Err(Error::conflict(
            "wrong_cluster",
            format!(
                "the archive {} belongs to the cluster {}, and this is a piece of {}; give each cluster its own prefix",
                self.prefix, known.system_id, cluster.system_id
            ),
        ))
    }

    async fn claim(&self, cluster: &Cluster) -> Result<()> {
        let text = serde_json::to_vec_pretty(cluster)
            .map_err(|error| Error::internal("a cluster can't be written").with_source(error))?;
        let sum = hex::encode(Sha256::digest(&text));
        let key = self.prefix.join(CLUSTER)?;
        match create_surely(self.store.as_ref(), &key, &[Bytes::from(text)], &sum).await {
            // Another push of the same moment was first: its word counts.
            Err(error) if error.code() == "object_exists" => Ok(()),
            done => done,
        }
    }
}
