//! Evidence: what the last drill of a record came to, kept with the record as long as it is there.

use super::drill::DrillReport;
use super::id::OperationId;
use super::report::Failure;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A drill of a record that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The drill.
    pub operation_id: OperationId,
    /// When the master heard of its end.
    pub at: Timestamp,
    /// Why it did not hold; absent when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What was restored, and what was answered, as far as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<DrillReport>,
}

impl Evidence {
    /// Whether the backup came back and every assertion held.
    pub fn holds(&self) -> bool {
        self.failure.is_none()
    }
}
