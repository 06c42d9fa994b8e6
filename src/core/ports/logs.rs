//! The store of log lines.

use crate::Result;
use crate::domain::command::{Lease, Subject};
use crate::domain::log::{LogLine, StoredLine};
use async_trait::async_trait;

/// Keeps the logs of records and operations.
#[async_trait]
pub trait Logs: Send + Sync {
    /// Appends lines in their order. A line whose (subject, lease, seq) is stored already is ignored.
    async fn append(&self, subject: Subject, lease: Lease, lines: &[LogLine]) -> Result<()>;

    /// Up to `limit` lines behind the id `after`, in order.
    async fn read(&self, subject: Subject, after: i64, limit: u32) -> Result<Vec<StoredLine>>;
}
