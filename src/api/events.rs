//! Events: what happened, in order.

use crate::operations::OperationStatus;
use crate::records::RecordStatus;
use backupx_core::domain::event;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its place in the order: the cursor of pages and the event id of live streams.
    pub id: i64,
    /// When, by the master's clock.
    pub at: DateTime<Utc>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum EventKind {
    /// A record came to its end.
    #[serde(rename_all = "camelCase")]
    RecordFinished {
        /// Which one.
        record_id: i64,
        /// Of which task.
        task_id: i64,
        /// Its final status.
        status: RecordStatus,
    },
    /// A run is far off the history of its task, as when a mount was empty.
    #[serde(rename_all = "camelCase")]
    RecordSuspicious {
        /// Which one.
        record_id: i64,
        /// Of which task.
        task_id: i64,
        /// Codes of what is odd: `empty`, `shrunk`, `grown`, `fewer_entries`, `more_entries`, `dump_shrunk`, `dump_gone`, `rewritten`,
        /// `incompressible`.
        findings: Vec<String>,
    },
    /// An operation came to its end.
    #[serde(rename_all = "camelCase")]
    OperationFinished {
        /// Which one.
        operation_id: i64,
        /// On which record.
        record_id: i64,
        /// Its final status.
        status: OperationStatus,
    },
    /// A drill did not hold: what was backed up did not come back, or is not what it should be.
    #[serde(rename_all = "camelCase")]
    DrillFailed {
        /// Which one.
        operation_id: i64,
        /// Of which record.
        record_id: i64,
        /// Of which task.
        task_id: i64,
        /// The record that was locked, because it is the last good one as far as anybody knows.
        pinned: Option<i64>,
    },
    /// A copy that was good is not whole in storage any more.
    #[serde(rename_all = "camelCase")]
    CopyLost {
        /// Whose.
        record_id: i64,
        /// Of which task.
        task_id: i64,
        /// On which target.
        target_id: i64,
    },
    /// A node that was there is not heard any more.
    #[serde(rename_all = "camelCase")]
    NodeOffline {
        /// Which one.
        node_id: i64,
    },
    /// A node is heard again.
    #[serde(rename_all = "camelCase")]
    NodeOnline {
        /// Which one.
        node_id: i64,
    },
}

impl From<event::Event> for Event {
    fn from(event: event::Event) -> Self {
        Self {
            id: event.id.0,
            at: event.at,
            kind: event.kind.into(),
        }
    }
}

impl From<event::EventKind> for EventKind {
    fn from(kind: event::EventKind) -> Self {
        match kind {
            event::EventKind::RecordFinished {
                record_id,
                task_id,
                status,
            } => Self::RecordFinished {
                record_id: record_id.0,
                task_id: task_id.0,
                status: status.into(),
            },
            event::EventKind::RecordSuspicious {
                record_id,
                task_id,
                findings,
            } => Self::RecordSuspicious {
                record_id: record_id.0,
                task_id: task_id.0,
                findings,
            },
            event::EventKind::OperationFinished {
                operation_id,
                record_id,
                status,
            } => Self::OperationFinished {
                operation_id: operation_id.0,
                record_id: record_id.0,
                status: status.into(),
            },
            event::EventKind::DrillFailed {
                operation_id,
                record_id,
                task_id,
                pinned,
            } => Self::DrillFailed {
                operation_id: operation_id.0,
                record_id: record_id.0,
                task_id: task_id.0,
                pinned: pinned.map(|id| id.0),
            },
            event::EventKind::CopyLost {
                record_id,
                task_id,
                target_id,
            } => Self::CopyLost {
                record_id: record_id.0,
                task_id: task_id.0,
                target_id: target_id.0,
            },
            event::EventKind::NodeOffline { node_id } => Self::NodeOffline { node_id: node_id.0 },
            event::EventKind::NodeOnline { node_id } => Self::NodeOnline { node_id: node_id.0 },
        }
    }
}
