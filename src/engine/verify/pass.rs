//! One pass over a stored stream: every byte read once, hashed, unsealed, decompressed and walked, each on a thread of its own.

use super::walk::Walk;
use crate::Destination;
use crate::checksums::Checksums;
use crate::stream::{Opened, StoredBytes, spawn};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::StoredStream;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use bytes::{Buf, Bytes};
use crossbeam_channel::{Receiver, Sender, bounded};
use futures::StreamExt;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};

/// What a pass found.
pub(super) struct Passed {
    /// Bytes read from storage.
    pub(super) stored_bytes: u64,
    /// Entries in the stream.
    pub(super) entries: u64,
}

/// Reads one stream from its beginning to its end.
pub(super) async fn run(
    destination: &Destination,
    location: &ObjectKey,
    opened: &Opened,
    stored: StoredStream,
    walk: Walk,
    observer: &Arc<dyn Observer>,
    stop: &StopFlag,
) -> Result<Passed> {
    let source = StoredBytes::new(destination, location, &stored)?;
    let (fetched_in, fetched) = mpsc::channel(2);
    let (checked_in, checked) = bounded(2);
    let (hashed_in, hashed) = oneshot::channel();
    let (walked_in, walked) = oneshot::channel();
    let checks = Checksums::new(stored);
    spawn("verify-hash".to_owned(), move || {
        let outcome = hash(fetched, checks, &checked_in);
        drop(checked_in);
        // A stopped run wants no outcome.
        let _ = hashed_in.send(outcome);
    })?;
    let frames = opened.frames();
    let (watching, stop) = (Arc::clone(observer), stop.clone());
    spawn("verify-walk".to_owned(), move || {
        let outcome = frames.read_through(Incoming::new(checked), |raw| {
            walk.run(raw, watching.as_ref(), &stop)
        });
        // A stopped run wants no outcome.
        let _ = walked_in.send(outcome);
    })?;
    let read = fetch(&source, fetched_in, observer.as_ref());
    let ((), hashed, walked) = tokio::join!(read, hashed, walked);
    let ended = || Error::internal("a verifying thread ended unexpectedly");
    // What storage or a checksum says comes first: what the walk then met follows from it.
    hashed.map_err(|_| ended())??;
    let entries = walked.map_err(|_| ended())??;
    Ok(Passed {
        stored_bytes: source.bytes_read(),
        entries,
    })
}

async fn fetch(
    source: &StoredBytes,
    fetched: mpsc::Sender<Result<Bytes>>,
    observer: &dyn Observer,
) {
    let mut blocks = std::pin::pin!(source.read_all());
    while let Some(block) = blocks.next().await {
        if let Ok(block) = &block {
            let size = block.len() as u64;
            observer
                .counters()
                .stored_bytes
                .fetch_add(size, Ordering::Relaxed);
        }
        let failed = block.is_err();
        if fetched.send(block).await.is_err() || failed {
            return;
        }
    }
}

/// Checks what comes and hands it on. A walk that gave up does not keep the rest from being checked.
fn hash(
    mut fetched: mpsc::Receiver<Result<Bytes>>,
    mut checks: Checksums,
    checked: &Sender<Bytes>,
) -> Result<()> {
    while let Some(block) = fetched.blocking_recv() {
        let block = block?;
        checks.update(&block)?;
        // See above.
        let _ = checked.send(block);
    }
    checks.finish()
}

/// The checked blocks as a reader.
struct Incoming {
    blocks: Receiver<Bytes>,
    current: Bytes,
}

impl Incoming {
    fn new(blocks: Receiver<Bytes>) -> Self {
        Self {
            blocks,
            current: Bytes::new(),
        }
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty()
            && let Ok(block) = self.blocks.recv()
        {
            self.current = block;
        }
        Ok(&self.current)
    }

    fn consume(&mut self, amount: usize) {
        self.current.advance(amount);
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        self.consume(count);
        Ok(count)
    }
}
