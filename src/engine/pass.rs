//! One pass over a stored stream: every byte read once, hashed, unsealed, decompressed and taken, each on a thread of its own.

use crate::Destination;
use crate::checksums::Checksums;
use crate::stream::{Opened, StoredBytes, spawn};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::StoredStream;
use backupx_core::ports::observer::Observer;
use backupx_core::{Error, Result};
use bytes::{Buf, Bytes};
use crossbeam_channel::{Receiver, Sender, bounded};
use futures::StreamExt;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};

/// What a pass found.
pub(crate) struct Passed<T> {
    /// Bytes read from storage.
    pub(crate) stored_bytes: u64,
    /// What came of the raw bytes.
    pub(crate) taken: T,
}

/// What becomes of the rest of a stream when whoever takes its raw bytes has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// It is checked all the same: what storage or a checksum says comes first.
    Checked,
    /// It is left alone.
    Left,
}

/// Reads one stream from its beginning to its end and has `take` read the raw bytes, on a thread of its own. The answer means that every
/// stored byte has its checksum, that the stream opens to its end, and that `take` is content.
pub(crate) async fn run<T: Send + 'static>(
    destination: &Destination,
    location: &ObjectKey,
    opened: &Opened,
    stored: StoredStream,
    observer: &Arc<dyn Observer>,
    rest: Rest,
    take: impl FnOnce(&mut dyn Read) -> Result<T> + Send + 'static,
) -> Result<Passed<T>> {
    let source = StoredBytes::new(destination, location, &stored)?;
    let (fetched_in, fetched) = mpsc::channel(2);
    let (checked_in, checked) = bounded(2);
    let (hashed_in, hashed) = oneshot::channel();
    let (taken_in, taken) = oneshot::channel();
    let checks = Checksums::new(stored);
    spawn("verify-hash".to_owned(), move || {
        let outcome = hash(fetched, checks, &checked_in, rest);
        drop(checked_in);
        // A stopped run wants no outcome.
        let _ = hashed_in.send(outcome);
    })?;
    let frames = opened.frames();
    spawn("verify-take".to_owned(), move || {
        let outcome = frames.read_through(Incoming::new(checked), take);
        // A stopped run wants no outcome.
        let _ = taken_in.send(outcome);
    })?;
    let read = fetch(&source, fetched_in, observer.as_ref());
    let ((), hashed, taken) = tokio::join!(read, hashed, taken);
    let ended = || Error::internal("a verifying thread ended unexpectedly");
    let taken = taken.map_err(|_| ended())?;
    match hashed.map_err(|_| ended())? {
        Err(error) if error.code() == NOT_TAKEN => return Err(taken.err().unwrap_or(error)),
        // What storage or a checksum says comes first: what the taker then met follows from it.
        checked => checked?,
    }
    Ok(Passed {
        stored_bytes: source.bytes_read(),
        taken: taken?,
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

/// The code of a check that ended because nobody takes the stream any more.
const NOT_TAKEN: &str = "stream_not_taken";

/// Checks what comes and hands it on.
fn hash(
    mut fetched: mpsc::Receiver<Result<Bytes>>,
    mut checks: Checksums,
    checked: &Sender<Bytes>,
    rest: Rest,
) -> Result<()> {
    while let Some(block) = fetched.blocking_recv() {
        let block = block?;
        checks.update(&block)?;
        if checked.send(block).is_err() && rest == Rest::Left {
            return Err(Error::unavailable(
                NOT_TAKEN,
                "nobody takes the stream any more",
            ));
        }
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
