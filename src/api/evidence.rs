//! Evidence: what the last drill of a record came to.

use crate::drills::DrillReport;
use crate::reports::Failure;
use backupx_core::domain::evidence;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A drill of a record that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The drill.
    pub operation_id: i64,
    /// When the master heard of its end.
    pub at: DateTime<Utc>,
    /// Whether the backup came back and every assertion held.
    pub held: bool,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What was restored, and what was answered, as far as it came; not in lists of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<DrillReport>,
}

impl From<evidence::Evidence> for Evidence {
    fn from(evidence: evidence::Evidence) -> Self {
        Self {
            operation_id: evidence.operation_id.0,
            at: evidence.at,
            held: evidence.holds(),
            error: evidence.failure.map(Into::into),
            report: evidence.report.map(Into::into),
        }
    }
}
