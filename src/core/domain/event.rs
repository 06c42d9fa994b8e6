//! Events: what happened, in order. The outbox: written with the change they tell of, handled after it.

use super::id::{EventId, NodeId, OperationId, RecordId, TargetId, TaskId};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the order.
    pub id: EventId,
    /// When, by the master's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum EventKind {
    /// A record came to its end.
    #[serde(rename_all = "camelCase")]
    RecordFinished {
        /// Which one.
        record_id: RecordId,
        /// Of which task.
        task_id: TaskId,
        /// Its final state.
        status: super::record::RecordState,
    },
    /// A run is far off the history of its task; written with its `RecordFinished`.
    #[serde(rename_all = "camelCase")]
    RecordSuspicious {
        /// Which one.
        record_id: RecordId,
        /// Of which task.
        task_id: TaskId,
        /// Codes of what is odd, as [`super::guard::Finding`] has them.
        findings: Vec<String>,
    },
    /// An operation came to its end.
    #[serde(rename_all = "camelCase")]
    OperationFinished {
        /// Which one.
        operation_id: OperationId,
        /// On which record.
        record_id: RecordId,
        /// Its final state.
        status: super::operation::OperationState,
    },
    /// A drill did not hold: what was backed up did not come back, or is not what it should be.
    #[serde(rename_all = "camelCase")]
    DrillFailed {
        /// Which one.
        operation_id: OperationId,
        /// Of which record.
        record_id: RecordId,
        /// Of which task.
        task_id: TaskId,
        /// The record that was locked, because it is the last good one as far as anybody knows.
        pinned: Option<RecordId>,
    },
    /// A copy that was good is not whole in storage any more.
    #[serde(rename_all = "camelCase")]
    CopyLost {
        /// Whose.
        record_id: RecordId,
        /// Of which task.
        task_id: TaskId,
        /// On which target.
        target_id: TargetId,
    },
    /// A node that was there is not heard any more.
    #[serde(rename_all = "camelCase")]
    NodeOffline {
        /// Which one.
        node_id: NodeId,
    },
    /// A node is heard again.
    #[serde(rename_all = "camelCase")]
    NodeOnline {
        /// Which one.
        node_id: NodeId,
    },
}
