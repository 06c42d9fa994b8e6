//! Removals: each deletion planned per (record, target), carried out by a node that holds it, and the row gone when the last copy is.

use crate::App;
use crate::reports::is_good;
use backupx_core::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{NodeId, OperationId, RecordId, TargetId};
use backupx_core::domain::operation::{Operation, OperationSpec, OperationState, VerifyMode};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{CopyState, Record, RecordCopy};
use backupx_core::domain::report::{CopyReport, Report, VerifiedCopy};
use backupx_core::domain::target::Reach;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::operations::OperationFilter;

/// Why leftovers of a run are removed, as it stands in the operation. Such a removal leaves the row: it is history.
const FAILED_RUN: &str = "failed run";
/// Why a copy is removed that policy or a person let go.
const LET_GO: &str = "no longer kept";

/// Whether a copy may be removed now.
pub(crate) enum Removable {
    /// It may.
    Yes,
    /// Its record was locked since its removal was planned.
    Locked,
    /// Nothing is to be removed.
    No,
}

/// Whether the copy of `record` on `target` may be removed now.
pub(crate) fn removable(record: &Record, target: TargetId) -> Removable {
    let Some(copy) = copy_on(record, target) else {
        return Removable::No;
    };
    match copy.state {
        _ if !record.state.is_final() => Removable::No,
        CopyState::Deleting if record.lock.is_some() => Removable::Locked,
        CopyState::Failed | CopyState::Deleting => Removable::Yes,
        CopyState::Pending | CopyState::Good | CopyState::Deleted | CopyState::Lost => {
            Removable::No
        }
    }
}

/// How long to wait after the `failed`-th failure in a row: 5 min doubling to a day when the target refused, from 5 s on when the agent
/// was only broken off, which says nothing about the target.
fn pause_after(last: &Operation, failed: usize) -> chrono::Duration {
    const BROKEN_OFF: [&str; 5] = [
        "agent_restarted",
        "agent_stopped",
        "hand_out_lost",
        "command_lost",
        "timeout",
    ];
    let broken_off = last
        .failure
        .as_ref()
        .is_some_and(|failure| BROKEN_OFF.contains(&failure.code.as_str()));
    let first = chrono::Duration::seconds(if broken_off { 5 } else { 300 });
    let doublings = u32::try_from(failed.saturating_sub(1)).map_or(16, |n| n.min(16));
    (first * (1 << doublings)).min(chrono::Duration::days(1))
}

fn copy_on(record: &Record, target: TargetId) -> Option<&RecordCopy> {
    record.copies.iter().find(|copy| copy.target_id == target)
}

impl App {
    /// Plans up to `limit` removals that wait for one. Answers how many were put in.
    pub(crate) async fn plan_removals(&self, limit: u32) -> Result<u64> {
        let mut planned = 0;
        for (id, target) in self.ports.records.to_be_removed(limit).await? {
            let Some(record) = self.ports.records.get(id).await? else {
                continue;
            };
            match removable(&record, target) {
                Removable::Yes => {
                    if self.plan_removal(&record, target).await? {
                        planned += 1;
                    }
                }
                Removable::Locked => self.keep_copy(&record, target).await?,
                Removable::No => {}
            }
        }
        Ok(planned)
    }

    /// One removal, unless one is under way or the last one failed a short while ago.
    async fn plan_removal(&self, record: &Record, target: TargetId) -> Result<bool> {
        let deletions = self.deletions(record.id, target).await?;
        if deletions
            .iter()
            .any(|operation| !operation.state.is_final())
            || self.too_soon(&deletions)
        {
            return Ok(false);
        }
        let Some(copy) = copy_on(record, target) else {
            return Ok(false);
        };
        let reason = match copy.state {
            CopyState::Failed => FAILED_RUN,
            _ => LET_GO,
        };
        let spec = OperationSpec::Delete {
            target_id: target,
            reason: reason.to_owned(),
        };
        let node = self.holder(record, target).await?;
        let operation = self
            .ports
            .operations
            .add(record.id, node, &spec, self.now())
            .await?;
        self.enqueue_operation(&operation).await
    }

    /// After a removal that failed the next one waits: a target that is away is not asked all the time.
    fn too_soon(&self, deletions: &[Operation]) -> bool {
        let failed = deletions
            .iter()
            .take_while(|operation| operation.state == OperationState::Failed)
            .count();
        let Some(last) = deletions.first().filter(|_| failed > 0) else {
            return false;
        };
        let pause = pause_after(last, failed);
        last.finished_at.is_some_and(|at| self.now() < at + pause)
    }

    /// The deletions of one copy, newest first.
    async fn deletions(&self, record: RecordId, target: TargetId) -> Result<Vec<Operation>> {
        let filter = OperationFilter {
            record_id: Some(record),
            kind: Some("delete"),
            state: None,
        };
        let operations = self
            .ports
            .operations
            .list(filter, PageRequest::first(200))
            .await?;
        Ok(operations
            .items
            .into_iter()
            .filter(|operation| matches!(&operation.spec, OperationSpec::Delete { target_id, .. } if *target_id == target))
            .collect())
    }

    /// Who carries a removal out: whoever holds the copy. What a run left behind is removed by the node that ran it.
    async fn holder(&self, record: &Record, target: TargetId) -> Result<NodeId> {
        let reach = self.known_target(target).await?.reach();
        let failed = copy_on(record, target).is_some_and(|copy| copy.state == CopyState::Failed);
        let master = self.ports.nodes.get(NodeId::LOCAL).await?.is_some();
        let own = self.ports.nodes.get(record.node_id).await?.is_some();
        Ok(match reach {
            Reach::OwnNode => record.node_id,
            Reach::Master => NodeId::LOCAL,
            Reach::Everywhere if failed && own => record.node_id,
            Reach::Everywhere if !master => self.worker_of(record, &[target]).await?,
            Reach::Everywhere => NodeId::LOCAL,
        })
    }

    /// Takes a planned removal back: the record was locked meanwhile.
    pub(crate) async fn keep_copy(&self, record: &Record, target: TargetId) -> Result<()> {
        let Some(copy) = copy_on(record, target) else {
            return Ok(());
        };
        for operation in self.deletions(record.id, target).await? {
            let of_copy =
                matches!(&operation.spec, OperationSpec::Delete { reason, .. } if reason == LET_GO);
            if of_copy && operation.lease != Lease::NONE {
                // A node may have begun: the copy cannot be called good any more.
                return Ok(());
            }
            if !operation.state.is_final() {
                self.stop_operation(&operation).await?;
            }
        }
        let mut copy = copy.clone();
        copy.state = CopyState::Good;
        self.ports
            .records
            .set_copy(record.id, CopyState::Deleting, &copy, None)
            .await?;
        Ok(())
    }

    /// True when a copy can be made: nothing of an earlier try lies in its place and nothing is about to be removed there.
    /// Operations of other kinds have no such place.
    pub(crate) async fn place_is_clean(&self, operation: &Operation) -> Result<bool> {
        let OperationSpec::Copy { target_ids } = &operation.spec else {
            return Ok(true);
        };
        let record = self.known_record(operation.record_id).await?;
        for target in target_ids {
            let clean =
                copy_on(&record, *target).is_some_and(|copy| copy.state == CopyState::Deleted);
            let deletions = self.deletions(record.id, *target).await?;
            if !clean || deletions.iter().any(|deletion| !deletion.state.is_final()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Carries out what the report of an ended operation says of copies. Each change is guarded by the state that it expects, so doing
    /// it again changes nothing.
    pub(crate) async fn apply_operation(&self, id: OperationId) -> Result<()> {
        let Some(operation) = self.ports.operations.get(id).await? else {
            return Ok(());
        };
        let Some(record) = self.ports.records.get(operation.record_id).await? else {
            return Ok(());
        };
        if !operation.state.is_final() {
            return Ok(());
        }
        match (&operation.spec, &operation.report) {
            (OperationSpec::Restore(_), _) => Ok(()),
            (OperationSpec::Verify { mode, .. }, _) if *mode == VerifyMode::Drill => {
                self.apply_drilled(&operation, &record).await
            }
            (OperationSpec::Verify { .. }, Some(Report::Verify(report))) => {
                for verified in &report.copies {
                    self.apply_verified(&record, verified, operation.finished_at)
                        .await?;
                }
                Ok(())
            }
            (OperationSpec::Verify { .. }, _) => Ok(()),
            (OperationSpec::Copy { target_ids }, report) => {
                for target in target_ids {
                    let told = match report {
                        Some(Report::Copy { copies }) => {
                            copies.iter().find(|copy| copy.target_id == *target)
                        }
                        _ => None,
                    };
                    self.apply_copied(&operation, &record, *target, told)
                        .await?;
                }
                Ok(())
            }
            (OperationSpec::Delete { target_id, reason }, _) => {
                if operation.state != OperationState::Success {
                    return Ok(());
                }
                self.apply_deleted(&record, *target_id, reason).await
            }
        }
    }

    /// What was found of a copy `at` a moment.
    pub(crate) async fn apply_verified(
        &self,
        record: &Record,
        verified: &VerifiedCopy,
        at: Option<Timestamp>,
    ) -> Result<()> {
        let Some(copy) = copy_on(record, verified.target_id) else {
            return Ok(());
        };
        let mut copy = copy.clone();
        let (expected, mut state) = (copy.state, None);
        if verified.ok {
            copy.verified_at = at;
            // Only a full verification is given lost copies.
            if copy.state == CopyState::Lost {
                copy.state = CopyState::Good;
                copy.error = None;
                copy.lost_at = None;
                state = Some(record.state);
            }
        } else if verified.damaged {
            copy.state = CopyState::Lost;
            copy.lost_at = at;
            copy.error = Some(verified.problems.join("; "));
            state = Some(record.state);
        } else {
            return Ok(());
        }
        self.ports
            .records
            .set_copy(record.id, expected, &copy, state)
            .await?;
        Ok(())
    }

    async fn apply_copied(
        &self,
        operation: &Operation,
        record: &Record,
        target: TargetId,
        told: Option<&CopyReport>,
    ) -> Result<()> {
        let Some(copy) = copy_on(record, target) else {
            return Ok(());
        };
        if operation.lease == Lease::NONE {
            // No node ever had it: nothing was written.
            return Ok(());
        }
        let mut copy = copy.clone();
        match told {
            Some(told) if is_good(told) => {
                copy.state = CopyState::Good;
                copy.stored_bytes = told.stored_bytes;
                copy.manifest_sha256.clone_from(&told.manifest_sha256);
                copy.error = None;
                copy.verified_at = None;
                copy.lost_at = None;
            }
            Some(_) | None => {
                copy.state = CopyState::Failed;
                let why = told
                    .and_then(|told| told.failure.as_ref())
                    .or(operation.failure.as_ref());
                copy.error = Some(why.map_or_else(
                    || "the copy was stopped".to_owned(),
                    |failure| failure.message.clone(),
                ));
            }
        }
        // A try that failed leaves the record as it was, whatever policy took away meanwhile.
        let state = (copy.state == CopyState::Good).then_some(record.state);
        self.ports
            .records
            .set_copy(record.id, CopyState::Deleted, &copy, state)
            .await?;
        Ok(())
    }

    async fn apply_deleted(&self, record: &Record, target: TargetId, reason: &str) -> Result<()> {
        let mut let_go = reason != FAILED_RUN || record.state.has_copies();
        if let Some(copy) = copy_on(record, target) {
            let mut gone = copy.clone();
            gone.state = CopyState::Deleted;
            gone.stored_bytes = 0;
            let records = &self.ports.records;
            let_go |= records
                .set_copy(record.id, CopyState::Deleting, &gone, None)
                .await?;
            records
                .set_copy(record.id, CopyState::Failed, &gone, None)
                .await?;
        }
        if let_go && self.remove_row(record.id).await? {
            tracing::info!(
                record.id = record.id.0,
                "the last copy of a record is gone, and so is its row"
            );
        }
        Ok(())
    }

    /// Removes the row of a record whose copies are all gone, unless a new one is being made.
    pub(crate) async fn remove_row(&self, id: RecordId) -> Result<bool> {
        let filter = OperationFilter {
            record_id: Some(id),
            kind: Some("copy"),
            state: None,
        };
        let copying = self
            .ports
            .operations
            .list(filter, PageRequest::first(100))
            .await?;
        if copying.items.iter().any(|copy| !copy.state.is_final()) {
            return Ok(false);
        }
        self.ports.records.remove(id).await
    }
}
