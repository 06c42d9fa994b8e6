//! An upload that is given up when it stalls, not when it is slow (never 26).

use backupx_core::{Error, Result};
use bytes::Bytes;
use futures::stream;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Pieces that the body is sent in: small enough that a slow line still shows progress.
const PIECE: usize = 64 << 10;

/// Counts what the connection took of a body.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<AtomicU64>);

impl Taken {
    /// The body of `blocks`, counted while it is sent.
    pub(super) fn body(&self, blocks: Vec<Bytes>) -> reqwest::Body {
        let counter = Arc::clone(&self.0);
        let pieces = blocks.into_iter().flat_map(|mut block| {
            std::iter::from_fn(move || {
                (!block.is_empty()).then(|| block.split_to(block.len().min(PIECE)))
            })
        });
        reqwest::Body::wrap_stream(stream::iter(pieces.map(move |piece| {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
            Ok::<_, Infallible>(piece)
        })))
    }

    /// Waits for `call`, for as long as the body moves: `limit` without a byte taken and without an answer is the end.
    pub(super) async fn watch<T>(
        &self,
        call: impl Future<Output = Result<T>>,
        limit: Duration,
        master: &str,
    ) -> Result<T> {
        let mut call = std::pin::pin!(call);
        let mut seen = 0;
        loop {
            // `timeout` over `&mut` only stops waiting: the call itself goes on with the next round.
            match tokio::time::timeout(limit, &mut call).await {
                Ok(result) => return result,
                Err(_) => {
                    let taken = self.0.load(Ordering::Relaxed);
                    if taken == seen {
                        return Err(Error::unavailable(
                            "master_stalled",
                            format!(
                                "the master at {master} took nothing for {} s",
                                limit.as_secs()
                            ),
                        ));
                    }
                    seen = taken;
                }
            }
        }
    }
}
