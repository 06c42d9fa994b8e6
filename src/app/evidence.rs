//! Evidence: what drills came to is kept with their records, and one that did not hold pins the last good copy.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::evidence::Evidence;
use backupx_core::domain::id::RecordId;
use backupx_core::domain::operation::{Operation, OperationState};
use backupx_core::domain::record::{CopyState, Lock, Record};
use backupx_core::domain::report::{Failure, Report};

impl App {
    /// Keeps what an ended drill came to. One that somebody stopped says nothing.
    pub(crate) async fn apply_drilled(&self, operation: &Operation, record: &Record) -> Result<()> {
        let failure =
            match operation.state {
                OperationState::Success => None,
                OperationState::Failed => Some(operation.failure.clone().unwrap_or_else(|| {
                    Failure::new("drill_failed", "it ended without saying why")
                })),
                OperationState::Queued | OperationState::Running | OperationState::Cancelled => {
                    return Ok(());
                }
            };
        let known = record.drill.as_ref();
        if known.is_some_and(|known| known.operation_id >= operation.id) {
            return Ok(());
        }
        let pinned = match failure {
            None => None,
            Some(_) => self.pin(record).await?,
        };
        let evidence = Evidence {
            operation_id: operation.id,
            at: operation.finished_at.unwrap_or_else(|| self.now()),
            failure,
            report: match &operation.report {
                Some(Report::Drill(report)) => Some(report.as_ref().clone()),
                _ => None,
            },
        };
        self.ports
            .records
            .set_evidence(record.id, &evidence, pinned)
            .await?;
        Ok(())
    }

    /// Locks the record that is the last good one of the task as far as anybody knows, beside the one that did not hold. One that is locked
    /// already is as good.
    async fn pin(&self, failed: &Record) -> Result<Option<RecordId>> {
        let records = self.ports.records.with_copies(failed.task_id).await?;
        let Some(last) = last_good(&records, failed.id) else {
            return Ok(None);
        };
        if last.lock.is_none() {
            let lock = Lock {
                reason: format!(
                    "the drill of record {} did not hold; this is the last good one that is known",
                    failed.id
                ),
                since: self.now(),
            };
            self.ports.records.set_lock(last.id, Some(&lock)).await?;
            tracing::info!(
                record.id = last.id.0,
                failed.id = failed.id.0,
                "a record was locked, because a drill did not hold"
            );
        }
        Ok(Some(last.id))
    }
}

/// Of records that come oldest first: the newest whose drill held, else the newest whose bytes were proven, else the newest before the
/// one that failed; nothing odd.
fn last_good(records: &[Record], failed: RecordId) -> Option<&Record> {
    let is_good = |record: &&Record| {
        let drilled_badly = record.drill.as_ref().is_some_and(|drill| !drill.holds());
        record.id != failed
            && !record.is_suspicious()
            && !drilled_badly
            && record.has_copy(CopyState::Good)
    };
    let newest = |wanted: &dyn Fn(&Record) -> bool| {
        let mut good = records.iter().rev().filter(is_good);
        good.find(|record| wanted(record))
    };
    newest(&|record| record.drill.is_some())
        .or_else(|| newest(&|record| record.copies.iter().any(|copy| copy.verified_at.is_some())))
        .or_else(|| newest(&|record| record.id < failed))
}
