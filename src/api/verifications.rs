//! Verifications by a timetable.

use crate::operations::VerifyMode;
use backupx_core::domain::verification;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When the newest backup of a task is proven by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyPlan {
    /// How deep.
    pub mode: VerifyMode,
    /// Five or six fields, or `@weekly` and the like.
    #[schema(example = "0 4 * * 0")]
    pub cron: String,
    /// IANA name of the zone; UTC when absent.
    #[serde(default = "crate::schedules::utc")]
    pub timezone: String,
}

impl From<verification::VerifyPlan> for VerifyPlan {
    fn from(plan: verification::VerifyPlan) -> Self {
        Self {
            mode: plan.mode.into(),
            cron: plan.cron,
            timezone: plan.timezone,
        }
    }
}

impl From<VerifyPlan> for verification::VerifyPlan {
    fn from(plan: VerifyPlan) -> Self {
        Self {
            mode: plan.mode.into(),
            cron: plan.cron,
            timezone: plan.timezone,
        }
    }
}
