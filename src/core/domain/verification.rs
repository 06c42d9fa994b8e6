//! Verifications by a timetable: when the newest backup of a task is proven by itself, and how deep.

use super::operation::VerifyMode;
use super::time::Timestamp;
use crate::FieldError;
use serde::{Deserialize, Serialize};

/// When the newest backup of a task is proven. Whether the expression parses and ever fires is checked when it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyPlan {
    /// How deep.
    pub mode: VerifyMode,
    /// Five or six fields, or `@weekly` and the like.
    pub cron: String,
    /// IANA name of the zone, as `Europe/Berlin`.
    #[serde(default = "super::schedule::utc")]
    pub timezone: String,
}

impl VerifyPlan {
    /// Most of them that a task has.
    pub const MOST: usize = 10;

    /// What can be seen to be wrong with those of a task without knowing zones and expressions.
    pub fn wrong(plans: &[Self]) -> Option<FieldError> {
        (plans.len() > Self::MOST).then(|| FieldError {
            field: "verify".to_owned(),
            message: format!(
                "are {} plans, {} at most are accepted",
                plans.len(),
                Self::MOST
            ),
        })
    }
}

/// Where a task is in its timetables of verifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextVerify {
    /// Up to this instant everything was seen to.
    pub from: Timestamp,
    /// When it is to be looked at again.
    pub at: Timestamp,
}
