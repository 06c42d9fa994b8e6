//! The guard: how far from its history a run may be, and what is odd about one.

use backupx_core::domain::guard;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far from the history of its task a run may be; one that is further is odd, and retention of the task rests until it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Guard {
    /// Whether runs are looked at.
    pub enabled: bool,
    /// By how many percent a run may be smaller than the median of the runs before it, 1 to 99.
    #[schema(minimum = 1, maximum = 99)]
    pub shrink_percent: u32,
    /// By how many percent a run may be larger than the median of the runs before it, 1 to 100000.
    #[schema(minimum = 1, maximum = 100_000)]
    pub growth_percent: u32,
}

impl Default for Guard {
    fn default() -> Self {
        guard::GuardSpec::default().into()
    }
}

impl From<guard::GuardSpec> for Guard {
    fn from(guard: guard::GuardSpec) -> Self {
        Self {
            enabled: guard.enabled,
            shrink_percent: guard.shrink_percent,
            growth_percent: guard.growth_percent,
        }
    }
}

impl From<Guard> for guard::GuardSpec {
    fn from(guard: Guard) -> Self {
        Self {
            enabled: guard.enabled,
            shrink_percent: guard.shrink_percent,
            growth_percent: guard.growth_percent,
        }
    }
}

/// What is odd about a run. Until somebody accepts it, retention removes nothing of its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// What is odd.
    pub findings: Vec<Finding>,
    /// Who said that it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
}

impl From<guard::Alarm> for Alarm {
    fn from(alarm: guard::Alarm) -> Self {
        let findings = alarm.findings.into_iter().map(|finding| Finding {
            code: finding.code,
            message: finding.message,
        });
        Self {
            findings: findings.collect(),
            accepted: alarm.accepted.map(|accepted| Acceptance {
                at: accepted.at,
                by: accepted.by,
                reason: accepted.reason,
            }),
        }
    }
}

/// One odd thing about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable code: `empty`, `shrunk`, `grown`, `fewer_entries`, `more_entries`, `dump_shrunk`, `dump_gone`, `rewritten`,
    /// `incompressible`.
    pub code: String,
    /// What is odd, in figures, for a person.
    pub message: String,
}

/// A person's word that an odd run is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, by name.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
}

/// Why an odd run is right.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptRequest {
    /// Why, in a person's words; may be empty.
    #[serde(default)]
    pub reason: String,
}
