//! Download: the stored bytes of a record, for whoever wants them outside of any target.

use crate::App;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::{NodeId, RecordId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{Manifest, StoredObject};
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of one read: what a download holds in memory.
const BLOCK: u64 = 4 << 20;
/// A manifest of more bytes is none: volumes grow with the stream, so their number is bounded.
const MAX_MANIFEST: u64 = 64 << 20;

/// A record's data stream as it is stored: one file, sealed and compressed as its name says.
pub struct Download {
    /// What to call it, as `web-7.tar.zst.age`.
    pub file_name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its bytes, in order. An error ends it.
    pub body: BoxStream<'static, Result<Bytes>>,
}

impl App {
    /// Opens the data stream of a record on a target that the master itself reaches. `Conflict` (`copy_unreachable`) when only
    /// another node reaches its copies. Needs `operator`.
    pub async fn download_record(&self, principal: &Principal, id: RecordId) -> Result<Download> {
        principal.require(Role::Operator)?;
        let record = self.known_record(id).await?;
        let sources = self.sources(&record, NodeId::LOCAL).await?;
        let mut last = None;
        for source in &sources {
            let store = match self.open_here(source).await {
                Ok(store) => store,
                Err(error) => {
                    last = Some(error);
                    continue;
                }
            };
            match read_manifest(store.as_ref(), &record.location).await {
                Ok(manifest) => {
                    tracing::info!(
                        record.id = id.0,
                        by = principal.username,
                        "a record is downloaded"
                    );
                    return open(store, record.location, &record.task.name.slug(), &manifest);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::internal("a record has sources and none was tried")))
    }
}

async fn read_manifest(store: &dyn ObjectStore, location: &ObjectKey) -> Result<Manifest> {
    let key = location.join(Manifest::FILE_NAME)?;
    let info = store
        .stat(&key)
        .await?
        .ok_or_else(|| Error::conflict("copy_damaged", format!("{key} is missing in storage")))?;
    if info.size > MAX_MANIFEST {
        return Err(Error::conflict(
            "copy_damaged",
            format!("{key} is no manifest"),
        ));
    }
    let bytes = store.read(&key, 0..info.size).await?;
    serde_json::from_slice(&bytes).map_err(|e| {
        Error::conflict("copy_damaged", format!("{key} is no manifest")).with_source(e)
    })
}

fn open(
    store: Arc<dyn ObjectStore>,
    location: ObjectKey,
    slug: &str,
    manifest: &Manifest,
) -> Result<Download> {
    let data = manifest
        .stream("data")
        .filter(|data| !data.objects.is_empty())
        .ok_or_else(|| Error::conflict("copy_damaged", "the manifest names no data"))?;
    let first = &data.objects[0].name;
    let extension = first.split_once('.').map_or("", |(_, extension)| extension);
    let extension = match data.objects.len() {
        1 => extension,
        _ => extension.rsplit_once('.').map_or(extension, |(e, _)| e),
    };
    let blocks: Result<VecDeque<_>> = data
        .objects
        .iter()
        .map(|object| Ok((location.join(&object.name)?, object)))
        .map(|keyed| keyed.map(|(key, object)| (key, 0, object.size)))
        .collect();
    Ok(Download {
        file_name: format!("{slug}-{}.{extension}", manifest.record_id),
        size_bytes: data
            .objects
            .iter()
            .map(|object: &StoredObject| object.size)
            .sum(),
        body: read_all(store, blocks?),
    })
}

/// Reads objects one after the other, block by block. The next block is only read when somebody takes it.
fn read_all(
    store: Arc<dyn ObjectStore>,
    rest: VecDeque<(ObjectKey, u64, u64)>,
) -> BoxStream<'static, Result<Bytes>> {
    stream::unfold((store, rest), |(store, mut rest)| async move {
        let (key, from, size) = rest.pop_front()?;
        let to = size.min(from + BLOCK);
        let block = store.read(&key, from..to).await;
        if block.is_err() {
            rest.clear();
        } else if to < size {
            rest.push_front((key, to, size));
        }
        Some((block, (store, rest)))
    })
    .boxed()
}
