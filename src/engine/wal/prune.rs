//! Pruning: log that no restore to a moment since then needs is removed.

use super::Archive;
use super::object::Object;
use backupx_core::Result;
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::wal::WalFile;

/// What pruning removes, or would.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Where the base backup began from which on everything stays; nothing when none is old enough, and nothing goes.
    pub kept_from: Option<String>,
    /// How many objects go.
    pub objects: u64,
    /// How many bytes of storage they take.
    pub bytes: u64,
}

/// Whether anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prune {
    /// It is.
    Remove,
    /// It is only said.
    Say,
}

impl Archive {
    /// Removes what is not needed to restore to any moment since `since`: everything before the newest base backup that had ended by then.
    /// Histories of timelines stay.
    pub async fn prune(&self, since: Timestamp, prune: Prune) -> Result<Pruned> {
        let holdings = self.holdings().await?;
        let kept = holdings
            .bases
            .iter()
            .filter(|(_, ended)| **ended <= since)
            .max_by_key(|(_, ended)| **ended);
        let Some((start, _)) = kept else {
            return Ok(Pruned::default());
        };
        let first = start.number(holdings.segment_bytes);
        let mut pruned = Pruned {
            kept_from: Some(start.to_string()),
            ..Pruned::default()
        };
        let listed = self.store.list(&self.prefix).await?;
        for object in listed.into_iter().filter_map(Object::parse) {
            let segment = match object.file {
                WalFile::Segment(segment)
                | WalFile::Partial(segment)
                | WalFile::Label(segment, _) => segment,
                WalFile::History(_) => continue,
            };
            if segment.number(holdings.segment_bytes) >= first {
                continue;
            }
            if prune == Prune::Remove {
                self.store.remove(&object.key).await?;
            }
            pruned.objects += 1;
            pruned.bytes += object.size;
        }
        Ok(pruned)
    }
}
