//! Retries: copies that a run or a verification left missing are made again by themselves, from a good one, for the missing target alone.

use crate::App;
use backupx_core::domain::operation::Operation;
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::operations::OperationFilter;
use backupx_core::ports::records::RecordFilter;
use backupx_core::{ErrorKind, Result};
use chrono::Duration;

/// How often records are looked through.
const EVERY: Duration = Duration::seconds(30);
/// Records of one look, the newest first.
const AT_ONCE: u32 = 100;
/// A backup that is older is left as it is: newer ones took its place.
const FOR: Duration = Duration::days(7);
/// How long after the end of the run the first try begins; each later one waits twice as long.
const FIRST: Duration = Duration::minutes(5);
/// Tries in a row. What they do not bring about, a person is to look at.
const MOST: usize = 3;

impl App {
    /// Begins the copies that are due. Answers how many.
    pub(crate) async fn retry_degraded(&self) -> Result<u64> {
        if !self.is_time_for("sweep.retries", EVERY).await? {
            return Ok(0);
        }
        let filter = RecordFilter {
            state: Some(RecordState::Degraded),
            ..RecordFilter::default()
        };
        let page = self.ports.records.list(filter, PageRequest::first(AT_ONCE));
        let mut begun = 0;
        for record in page.await?.items {
            if !self.is_due(&record).await? {
                continue;
            }
            match self.retry_missing(&record).await {
                Ok(operation) => {
                    tracing::info!(
                        record.id = record.id.0,
                        operation.id = operation.id.0,
                        "a copy that is missing is made again"
                    );
                    begun += 1;
                }
                // Nothing of it is missing any more, or nothing good of it can be reached now.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => tracing::warn!(
                    record.id = record.id.0,
                    error = error.chain(),
                    "a missing copy could not be begun"
                ),
            }
        }
        Ok(begun)
    }

    async fn is_due(&self, record: &Record) -> Result<bool> {
        let now = self.now();
        let ended = record.finished_at.unwrap_or(record.created_at);
        // What is being removed is about to go as a whole.
        if now - ended > FOR
            || !record.has_copy(CopyState::Good)
            || record.has_copy(CopyState::Deleting)
        {
            return Ok(false);
        }
        let filter = OperationFilter {
            record_id: Some(record.id),
            kind: Some("copy"),
            ..OperationFilter::default()
        };
        let page = self.ports.operations.list(filter, PageRequest::first(20));
        Ok(due_at(&page.await?.items, ended).is_some_and(|at| at <= now))
    }
}

/// When the next try begins, behind `tries`, the newest first; never while one is under way or when there were enough.
fn due_at(tries: &[Operation], ended: Timestamp) -> Option<Timestamp> {
    if tries.len() >= MOST || tries.iter().any(|one| !one.state.is_final()) {
        return None;
    }
    let last = tries.first().and_then(|one| one.finished_at);
    let wait = FIRST * (1 << tries.len().min(4));
    Some(last.map_or(ended + FIRST, |last| last + wait))
}
