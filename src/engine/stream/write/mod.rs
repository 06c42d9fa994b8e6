//! Writing a stream: raw bytes in on one thread, compressed on all, sealed on one more, hashed and fanned out on a last one.

mod compress;
mod frames;
mod seal;

pub(crate) use compress::Compressors;
pub(crate) use frames::RawWriter;
pub(super) use seal::Sealed;

use super::fan_out::{self, Pieces};
use super::threads::spawn;
use backupx_core::Result;
use backupx_core::domain::task::Compression;
use backupx_core::ports::observer::Observer;
use std::sync::Arc;
use tokio::sync::oneshot;

/// How a stream is to be written.
#[derive(Clone)]
pub(crate) struct StreamPlan {
    /// Its name, in the manifest and for threads.
    pub(crate) stream: String,
    /// How it is compressed.
    pub(crate) compression: Compression,
    /// Whom it is sealed to; nobody means that it is not sealed.
    pub(crate) recipients: Vec<age::x25519::Recipient>,
}

/// What came of a stream.
#[derive(Debug, Clone)]
pub(crate) struct StreamSummary {
    /// Bytes before compression.
    pub(crate) raw_bytes: u64,
    /// Bytes in storage.
    pub(crate) stored_bytes: u64,
    /// SHA-256 of the stored bytes, lower-case hex.
    pub(crate) sha256: String,
    /// Header and nonce of the seal.
    pub(crate) age_header: Option<Vec<u8>>,
}

/// Sealed blocks that wait for the fan-out: on a busy host a thread may wait long for its turn, and the others must have work meanwhile.
const SEALED_BLOCKS: usize = 8;

/// Starts the threads of one stream. What is written to the [`RawWriter`] arrives in `queues`; the receiver gets the summary when
/// [`RawWriter::finish`] was called and everything is through, or why it did not come to that.
pub(crate) fn start(
    plan: &StreamPlan,
    compressors: &Compressors,
    queues: Vec<Pieces>,
    observer: Arc<dyn Observer>,
) -> Result<(RawWriter, oneshot::Receiver<Result<StreamSummary>>)> {
    let (raw, frames) = frames::channel(plan.compression, compressors);
    let (blocks_in, blocks) = crossbeam_channel::bounded(SEALED_BLOCKS);
    let (sealed_in, sealed) = oneshot::channel();
    let (summary_in, summary) = oneshot::channel();
    let sealing = plan.clone();
    spawn(format!("seal-{}", plan.stream), move || {
        let outcome = seal::run(&sealing, &frames, blocks_in);
        // The fan-out is gone when nobody wants the outcome any more.
        let _ = sealed_in.send(outcome);
    })?;
    spawn(format!("fan-{}", plan.stream), move || {
        let outcome = fan_out::run(&blocks, sealed, queues, observer.as_ref());
        // The run was given up when nobody wants the outcome any more.
        let _ = summary_in.send(outcome);
    })?;
    Ok((raw, summary))
}
