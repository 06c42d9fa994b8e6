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
        let counted = Self::pieces(blocks).map(move |piece| {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
            Ok::<_, Infallible>(piece)
        });
        reqwest::Body::wrap_stream(stream::iter(counted))
    }

    fn pieces(blocks: Vec<Bytes>) -> impl Iterator<Item = Bytes> + Send + 'static {
        blocks.into_iter().flat_map(|mut block| {
            std::iter::from_fn(move || {
                (!block.is_empty()).then(|| block.split_to(block.len().min(PIECE)))
            })
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    const LIMIT: Duration = Duration::from_secs(120);

    #[tokio::test(start_paused = true)]
    async fn never_26_an_upload_that_stalls_is_given_up() {
        let stuck = std::future::pending::<Result<()>>();
        let error = Taken::default()
            .watch(stuck, LIMIT, "https://backup.example")
            .await
            .expect_err("must be given up");
        assert_eq!(error.code(), "master_stalled");
        assert!(error.is_retryable());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_upload_is_waited_for() {
        let taken = Taken::default();
        let counter = taken.clone();
        let slow = async move {
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_secs(60)).await;
                counter.0.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        taken
            .watch(slow, LIMIT, "https://backup.example")
            .await
            .expect("it moves");
    }

    #[tokio::test]
    async fn a_body_is_sent_whole_in_small_pieces() {
        let taken = Taken::default();
        let blocks = vec![
            Bytes::from(vec![1; 200_000]),
            Bytes::new(),
            Bytes::from(vec![2; 10]),
        ];
        let pieces: Vec<_> = stream::iter(Taken::pieces(blocks)).collect().await;
        assert!(
            pieces
                .iter()
                .all(|piece| !piece.is_empty() && piece.len() <= PIECE)
        );
        assert_eq!(pieces.concat().len(), 200_010);
        assert_eq!(taken.0.load(Ordering::Relaxed), 0);
    }
}
