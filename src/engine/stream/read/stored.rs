//! The stored bytes of a stream, whether one object holds them or a series of volumes.

use super::damaged;
use crate::Destination;
use backupx_core::Result;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::StoredStream;
use backupx_core::ports::objects::ObjectStore;
use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream, StreamExt};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one request when everything is read in order, and how many of these are under way.
const RANGE_BYTES: u64 = 4 << 20;
const RANGES_AHEAD: usize = 3;

/// Reads any range of a stream as it is stored.
#[derive(Debug)]
pub(crate) struct StoredBytes {
    store: Arc<dyn ObjectStore>,
    /// Each object with where it ends in the stream.
    objects: Vec<(ObjectKey, u64)>,
    read: AtomicU64,
}

impl StoredBytes {
    /// The stored bytes of `stream`. Refuses a manifest whose objects do not add up.
    pub(crate) fn new(
        destination: &Destination,
        location: &ObjectKey,
        stream: &StoredStream,
    ) -> Result<Self> {
        let mut objects = Vec::with_capacity(stream.objects.len());
        let mut end = 0u64;
        for object in &stream.objects {
            end = end.saturating_add(object.size);
            objects.push((location.join(&object.name)?, end));
        }
        if end != stream.stored_bytes {
            return Err(damaged(
                &stream.stream,
                format!(
                    "its objects have {end} bytes together, the manifest says {}",
                    stream.stored_bytes
                ),
            ));
        }
        Ok(Self {
            store: Arc::clone(&destination.store),
            objects,
            read: AtomicU64::new(0),
        })
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> u64 {
        self.objects.last().map_or(0, |(_, end)| *end)
    }

    /// Bytes read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Everything in order, some ranges ahead of whoever takes them.
    pub(crate) fn read_all(&self) -> impl Stream<Item = Result<Bytes>> {
        let len = self.len();
        let starts = (0..len.div_ceil(RANGE_BYTES)).map(|number| number * RANGE_BYTES);
        stream::iter(starts)
            .map(move |start| self.read(start..(start + RANGE_BYTES).min(len)))
            .buffered(RANGES_AHEAD)
    }

    /// Reads a range, exactly.
    pub(crate) async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let first = self.objects.partition_point(|(_, end)| *end <= range.start);
        let mut parts: Vec<Bytes> = Vec::new();
        for (index, (key, end)) in self.objects.iter().enumerate().skip(first) {
            let start = index
                .checked_sub(1)
                .map_or(0, |before| self.objects[before].1);
            if start >= range.end {
                break;
            }
            let part = range.start.max(start) - start..range.end.min(*end) - start;
            if part.is_empty() {
                continue;
            }
            let bytes = self.store.read(key, part).await?;
            self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            parts.push(bytes);
        }
        Ok(joined(parts))
    }
}

fn joined(mut parts: Vec<Bytes>) -> Bytes {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
    for part in parts {
        whole.extend_from_slice(&part);
    }
    whole.freeze()
}
