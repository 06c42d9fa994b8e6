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
/// Records of one page of a look, the newest first, and pages of a look.
const AT_ONCE: u32 = 200;
const PAGES: usize = 10;
/// Copies that one look begins: the others wait for theirs.
const MOST_BEGUN: u64 = 50;
/// How long a copy is tried to be made since its run ended or since it was found lost; and how long a try counts.
const FOR: Duration = Duration::days(7);
/// How long after that the first try begins; each later one waits twice as long.
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
        let mut begun = 0;
        let mut page = PageRequest::first(AT_ONCE);
        for _ in 0..PAGES {
            let records = self.ports.records.list(filter, page).await?;
            for record in &records.items {
                begun += u64::from(self.retry(record).await?);
                if begun >= MOST_BEGUN {
                    return Ok(begun);
                }
            }
            match records.next {
                Some(after) => page.after = Some(after),
                None => break,
            }
        }
        Ok(begun)
    }

    /// Begins the copies that a record lacks, when it is time.
    async fn retry(&self, record: &Record) -> Result<bool> {
        if !self.is_due(record).await? {
            return Ok(false);
        }
        match self.retry_missing(record).await {
            Ok(operation) => {
                tracing::info!(
                    record.id = record.id.0,
                    operation.id = operation.id.0,
                    "a copy that is missing is made again"
                );
                return Ok(true);
            }
            // Nothing of it is missing any more, or nothing good of it can be reached now.
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => tracing::warn!(
                record.id = record.id.0,
                error = error.chain(),
                "a missing copy could not be begun"
            ),
        }
        Ok(false)
    }

    async fn is_due(&self, record: &Record) -> Result<bool> {
        let now = self.now();
        // What is being removed is about to go as a whole.
        if !record.has_copy(CopyState::Good) || record.has_copy(CopyState::Deleting) {
            return Ok(false);
        }
        let filter = OperationFilter {
            record_id: Some(record.id),
            kind: Some("copy"),
            ..OperationFilter::default()
        };
        let page = self.ports.operations.list(filter, PageRequest::first(20));
        let mut tries = page.await?.items;
        let ended = record.finished_at.unwrap_or(record.created_at);
        let lost = record.copies.iter().filter_map(|copy| copy.lost_at).max();
        // What was tried before says nothing of a copy that was lost since.
        tries.retain(|one| {
            now - one.created_at <= FOR && lost.is_none_or(|at| one.created_at >= at)
        });
        let first = tries.last().map(|one| one.created_at);
        let since = lost.or(first).unwrap_or(ended).max(ended);
        // What ended a run may pass by itself; what was found lost stays lost.
        let begins = lost.unwrap_or(since + FIRST);
        Ok(now - since <= FOR && due_at(&tries, begins).is_some_and(|at| at <= now))
    }
}

/// When the next try begins, behind `tries`, the newest first; never while one is under way or when there were enough.
fn due_at(tries: &[Operation], begins: Timestamp) -> Option<Timestamp> {
    if tries.len() >= MOST || tries.iter().any(|one| !one.state.is_final()) {
        return None;
    }
    let last = tries.first().and_then(|one| one.finished_at);
    let wait = FIRST * (1 << tries.len().min(4));
    Some(last.map_or(begins, |last| last + wait))
}
