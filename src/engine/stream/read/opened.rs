//! An opened stream: its seek table and the ways into it.

use super::ahead::AheadReader;
use super::damaged;
use super::decode::Job;
use super::exact::Exact;
use super::plain::Plain;
use crate::Destination;
use crate::stream::seek_table::{FOOTER_BYTES, SeekTable};
use crate::stream::{FRAME_BYTES, RawStream};
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{Manifest, StoredStream};
use backupx_core::domain::task::Compression;
use backupx_core::{Error, Result};
use crossbeam_channel::Sender;
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// How much is read in one go in the hope that it holds the whole seek table: 512 frames, a gigabyte.
const LIKELY_TABLE_BYTES: u64 = 4096;

/// The frames of a stream and what opens them.
pub(crate) struct Frames {
    pub(super) plain: Plain,
    pub(super) table: SeekTable,
    pub(super) compression: Compression,
    pool: Mutex<Option<Sender<Job>>>,
}

impl Frames {
    /// Where decode jobs go; the pool is started when it is first asked for.
    pub(super) fn pool(&self, start: impl FnOnce() -> Result<Sender<Job>>) -> Result<Sender<Job>> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        match &*pool {
            Some(jobs) => Ok(jobs.clone()),
            None => Ok(pool.insert(start()?).clone()),
        }
    }
}

/// A stream that can be read from any place.
pub(crate) struct Opened {
    frames: Arc<Frames>,
    raw_len: u64,
    runtime: Handle,
}

impl Opened {
    pub(crate) async fn open(
        destination: &Destination,
        location: &ObjectKey,
        manifest: &Manifest,
        stream: &str,
        keys: &[StreamKey],
    ) -> Result<Self> {
        let stored = manifest.stream(stream).ok_or_else(|| {
            Error::invalid(
                "manifest_unreadable",
                format!("the manifest names no {stream} stream"),
            )
        })?;
        Self::of(destination, location, stored, keys).await
    }

    /// Opens a stream of which it is known how it lies in storage.
    pub(crate) async fn of(
        destination: &Destination,
        location: &ObjectKey,
        stored: &StoredStream,
        keys: &[StreamKey],
    ) -> Result<Self> {
        let stream = stored.stream.as_str();
        let plain = Plain::open(destination, location, stored, keys).await?;
        let table = match stored.compression {
            Compression::Zstd => read_table(&plain, stored).await?,
            Compression::Gzip | Compression::None => {
                SeekTable::uncompressed(plain.len(), FRAME_BYTES)
            }
        };
        if stored.compression != Compression::Gzip && table.raw_len() != stored.raw_bytes {
            let why = format!(
                "it holds {} bytes, the manifest says {}",
                table.raw_len(),
                stored.raw_bytes
            );
            return Err(damaged(stream, why));
        }
        Ok(Self {
            frames: Arc::new(Frames {
                plain,
                table,
                compression: stored.compression,
                pool: Mutex::new(None),
            }),
            raw_len: stored.raw_bytes,
            runtime: Handle::current(),
        })
    }

    /// Its frames.
    pub(crate) fn frames(&self) -> Arc<Frames> {
        Arc::clone(&self.frames)
    }

    fn reader(&self, offset: u64) -> AheadReader {
        let table = &self.frames.table;
        let (frame, skip) = table.locate(offset).unwrap_or((table.frames(), 0));
        AheadReader::new(Arc::clone(&self.frames), self.runtime.clone(), frame, skip)
    }
}

impl RawStream for Opened {
    fn raw_len(&self) -> u64 {
        self.raw_len
    }

    fn open_at(&self, raw_offset: u64) -> Result<Box<dyn Read + Send>> {
        match self.frames.compression {
            Compression::Zstd | Compression::None => Ok(Box::new(self.reader(raw_offset))),
            Compression::Gzip => {
                let mut reader = Exact {
                    stream: self.frames.plain.stream().to_owned(),
                    input: MultiGzDecoder::new(self.reader(0)),
                    left: self.raw_len,
                };
                reader.skip(raw_offset).map_err(|error| {
                    damaged(&reader.stream, "it does not decompress").with_source(error)
                })?;
                Ok(Box::new(reader))
            }
        }
    }

    fn stored_bytes_read(&self) -> u64 {
        self.frames.plain.stored_bytes_read()
    }
}

/// Reads the seek table from the end of the stream.
async fn read_table(plain: &Plain, stored: &StoredStream) -> Result<SeekTable> {
    let len = plain.len();
    let footer = FOOTER_BYTES as u64;
    if len < footer {
        return Err(damaged(&stored.stream, "it is too short for a seek table"));
    }
    let tail = unsealed(plain, len.saturating_sub(LIKELY_TABLE_BYTES)..len).await?;
    let encoded = SeekTable::encoded_len(&tail[tail.len() - FOOTER_BYTES..])?;
    let start = len
        .checked_sub(encoded)
        .ok_or_else(|| damaged(&stored.stream, "its seek table is longer than itself"))?;
    let table = match usize::try_from(encoded) {
        Ok(encoded) if encoded <= tail.len() => SeekTable::decode(&tail[tail.len() - encoded..])?,
        _ => SeekTable::decode(&unsealed(plain, start..len).await?)?,
    };
    if table.compressed_len() != start {
        return Err(damaged(
            &stored.stream,
            "its seek table does not fit its frames",
        ));
    }
    Ok(table)
}

async fn unsealed(plain: &Plain, range: std::ops::Range<u64>) -> Result<bytes::Bytes> {
    let region = plain.fetch(range.clone()).await?;
    plain.unseal(&region, range)
}
