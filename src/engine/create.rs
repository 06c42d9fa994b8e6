//! Creating an object although the network may lose the answer: retried alone, never replaced, never taken on trust.

use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::time::Duration;

const ATTEMPTS: u32 = 5;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Creates `key` from `body`, trying again while that may help. When an attempt failed without saying whether it took effect and a
/// later one finds the object there, that object counts only when it has our bytes.
pub(crate) async fn create_surely(
    store: &dyn ObjectStore,
    key: &ObjectKey,
    body: &[Bytes],
    sha256: &str,
) -> Result<()> {
    let mut attempt = 1;
    loop {
        let error = match store.create(key, body.to_vec()).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if attempt > 1 && error.code() == "object_exists" {
            return if is_ours(store, key, body, sha256).await? {
                Ok(())
            } else {
                Err(error)
            };
        }
        if !error.is_retryable() || attempt == ATTEMPTS {
            return Err(error);
        }
        tracing::debug!(key = %key, attempt, error = %error.chain(), "creating an object is tried again");
        tokio::time::sleep(delay(attempt, &error)).await;
        attempt += 1;
    }
}

/// Twice as long after each attempt, spread over half of it so that many volumes do not come back at the same moment.
fn delay(attempt: u32, error: &Error) -> Duration {
    let full = FIRST_DELAY * 2u32.saturating_pow(attempt - 1);
    let spread = full.mul_f64(0.5 + 0.5 * rand::random::<f64>());
    let asked = Duration::from_secs(error.retry_after().unwrap_or(0));
    spread.max(asked).min(LONGEST_DELAY)
}

async fn is_ours(
    store: &dyn ObjectStore,
    key: &ObjectKey,
    body: &[Bytes],
    sha256: &str,
) -> Result<bool> {
    let size: u64 = body.iter().map(|block| block.len() as u64).sum();
    let Some(info) = store.stat(key).await? else {
        return Ok(false);
    };
    if info.size != size {
        return Ok(false);
    }
    if let Some(stated) = info.sha256 {
        return Ok(stated == sha256);
    }
    let there = store.read(key, 0..size).await?;
    Ok(hex::encode(Sha256::digest(&there)) == sha256)
}
