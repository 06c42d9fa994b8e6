//! The store of settings: single values of the whole installation, and answers kept for repeated requests.

use crate::Result;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Keeps single values by key.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The value of `key`.
    async fn get(&self, key: &str) -> Result<Option<String>>;

    /// Sets `key`.
    async fn set(&self, key: &str, value: &str) -> Result<()>;

    /// Sets `key` when it is not set, and answers what is set now: all replicas agree on one value.
    async fn get_or_set(&self, key: &str, value: &str) -> Result<String>;

    /// Removes `key` when its value is `value`. True when this call removed it: a one-time code works once.
    async fn take(&self, key: &str, value: &str) -> Result<bool>;

    /// Removes `key`.
    async fn remove(&self, key: &str) -> Result<()>;
}

/// An answer that was given to a request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of method, path and body, hex: the same key with another request is refused.
    pub request_hash: String,
    /// HTTP status; zero while the first request is still under way.
    pub status: u16,
    /// Body.
    pub body: String,
}

/// Keeps answers for repeated requests.
#[async_trait]
pub trait Answers: Send + Sync {
    /// Claims `key` (of one user) for a request. Nothing when this caller is the first: it must call [`Answers::keep`] or [`Answers::forget`].
    /// Otherwise what is known. Entries made before `expired` do not count.
    async fn begin(
        &self,
        key: &str,
        request_hash: &str,
        now: Timestamp,
        expired: Timestamp,
    ) -> Result<Option<KeptAnswer>>;

    /// Stores the answer.
    async fn keep(&self, key: &str, status: u16, body: &str) -> Result<()>;

    /// Gives the key free again (the request failed without effect).
    async fn forget(&self, key: &str) -> Result<()>;

    /// Removes entries made before `before`.
    async fn purge(&self, before: Timestamp) -> Result<u64>;
}
