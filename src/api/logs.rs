//! Log lines of records and operations.

use crate::mirror::mirrored;
use backupx_core::domain::log;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirrored! {
    /// How much a line matters.
    #[serde(rename_all = "camelCase")]
    Level = log::Level {
        /// Detail.
        Debug = "debug",
        /// What is going on.
        Info = "info",
        /// Something was not as it should be, and the run went on.
        Warn = "warn",
        /// Something failed.
        Error = "error",
    }
}

/// One line of a log. Its `id` is the cursor of pages and the event id of live streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Grows along the log of one record or operation.
    pub id: i64,
    /// When, by the node's clock.
    pub at: DateTime<Utc>,
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: String,
}

impl From<log::StoredLine> for LogLine {
    fn from(stored: log::StoredLine) -> Self {
        Self {
            id: stored.id,
            at: stored.line.at,
            level: stored.line.level.into(),
            message: stored.line.message,
        }
    }
}

/// The last message of a live log: the record or operation came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogEnd {
    /// Its final status.
    pub status: String,
}
