//! Retention: carrying out what the policy of a task decides about its copies.

use crate::App;
use backupx_core::Result;
use backupx_core::domain::id::TaskId;
use backupx_core::domain::record::{CopyState, Record};
use backupx_core::domain::retention::{Copy, Decision, plan};
use backupx_core::domain::task::Task;

/// Why a copy is kept that the policy would let go: a run is odd and nobody said yet that it is right.
const HELD: &str = "held";

impl App {
    /// What the policy of a task decides now, over its good copies. Changes nothing.
    pub(crate) async fn plan_retention(&self, task: &Task) -> Result<Vec<Decision>> {
        let records = self.ports.records.with_copies(task.id).await?;
        let copies: Vec<Copy> = records.iter().flat_map(good_copies).collect();
        let mut decisions = plan(&task.spec.retention, &copies);
        // As long as nobody knows whether the newest copies are what they should be, the older ones are all there is.
        if records.iter().any(Record::is_suspicious) {
            for decision in decisions.iter_mut().filter(|decision| !decision.keeps()) {
                decision.reasons.push(HELD.to_owned());
            }
        }
        Ok(decisions)
    }

    /// Marks what the policy of a task removes: each copy by itself, guarded by its state. Answers how many were marked.
    /// A task that is gone has no policy: all its copies stay.
    pub(crate) async fn retire(&self, id: TaskId) -> Result<u64> {
        let Some(task) = self.ports.tasks.get(id).await? else {
            return Ok(0);
        };
        if task.spec.retention.keeps_everything() {
            return Ok(0);
        }
        let mut retired = 0;
        for decision in self.plan_retention(&task).await? {
            if decision.keeps() {
                continue;
            }
            // The record as it is now: somebody may have locked it since the plan was made.
            let Some(record) = self.ports.records.get(decision.record_id).await? else {
                continue;
            };
            if record.lock.is_some() {
                continue;
            }
            let Some(copy) = record
                .copies
                .iter()
                .find(|copy| copy.target_id == decision.target_id)
            else {
                continue;
            };
            let mut copy = copy.clone();
            copy.state = CopyState::Deleting;
            copy.error = None;
            if self
                .ports
                .records
                .set_copy(record.id, CopyState::Good, &copy, None)
                .await?
            {
                tracing::info!(
                    record.id = record.id.0,
                    target.id = copy.target_id.0,
                    task.id = id.0,
                    "retention removes a copy"
                );
                retired += 1;
            }
        }
        Ok(retired)
    }
}

fn good_copies(record: &Record) -> Vec<Copy> {
    // The master's receipt time, never the agent's clock (never 18).
    let received_at = record.finished_at.unwrap_or(record.created_at);
    record
        .copies
        .iter()
        .filter(|copy| copy.state == CopyState::Good)
        .map(|copy| Copy {
            record_id: record.id,
            target_id: copy.target_id,
            received_at,
            locked: record.lock.is_some(),
        })
        .collect()
}
