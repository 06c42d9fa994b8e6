//! Fan-out: one sealed stream, hashed once, handed to every destination's own queue.
//!
//! A destination that fails drops its queue's receiving end and is left out from then on. One that is slow holds the others up only
//! when its queue is full; one that hangs fails by its store's own limit.

use super::write::{Sealed, StreamSummary};
use backupx_core::ports::observer::Observer;
use backupx_core::{Error, Result};
use bytes::Bytes;
use crossbeam_channel::Receiver;
use sha2::{Digest, Sha256};
use std::sync::atomic::Ordering;
use tokio::sync::{mpsc, oneshot};

/// How many blocks wait for a destination before the stream does.
const QUEUE_BLOCKS: usize = 8;

/// What a destination gets.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// The next bytes of the stream.
    Block(Bytes),
    /// The stream is complete. A queue that ends without this was given up.
    End {
        /// Bytes in all.
        stored_bytes: u64,
        /// SHA-256 of all bytes, lower-case hex.
        sha256: String,
    },
}

/// The sending end of a destination's queue.
pub(crate) type Pieces = mpsc::Sender<Piece>;

/// A queue for one stream on its way to one destination.
pub(crate) fn queue() -> (Pieces, mpsc::Receiver<Piece>) {
    mpsc::channel(QUEUE_BLOCKS)
}

/// Hands all blocks to all queues. Ends early when nobody listens any more.
pub(super) fn run(
    blocks: &Receiver<Bytes>,
    sealed: oneshot::Receiver<Result<Sealed>>,
    mut queues: Vec<Pieces>,
    observer: &dyn Observer,
) -> Result<StreamSummary> {
    let mut hash = Sha256::new();
    let mut stored_bytes = 0u64;
    for block in blocks {
        hash.update(&block);
        let size = block.len() as u64;
        send(&mut queues, &Piece::Block(block))?;
        stored_bytes += size;
        observer
            .counters()
            .stored_bytes
            .fetch_add(size, Ordering::Relaxed);
    }
    let sealed = sealed
        .blocking_recv()
        .map_err(|_| Error::internal("the seal ended without saying how"))??;
    let sha256 = hex::encode(hash.finalize());
    let end = Piece::End {
        stored_bytes,
        sha256: sha256.clone(),
    };
    send(&mut queues, &end)?;
    Ok(StreamSummary {
        raw_bytes: sealed.raw_bytes,
        stored_bytes,
        sha256,
        age_header: sealed.age_header,
    })
}

fn send(queues: &mut Vec<Pieces>, piece: &Piece) -> Result<()> {
    queues.retain(|queue| queue.blocking_send(piece.clone()).is_ok());
    if queues.is_empty() {
        return Err(Error::unavailable(
            "no_destination_left",
            "every destination failed",
        ));
    }
    Ok(())
}
