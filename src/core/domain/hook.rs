//! Hooks: programs of a host that run around a backup. A task only picks them by name; what a name runs, the host alone says.

use super::name::Name;
use crate::FieldError;
use serde::{Deserialize, Serialize};

/// Which hooks run when, each list in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Hooks {
    /// Before anything is read. The first one that fails fails the run, and nothing is backed up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Name>,
    /// When everything was read and stored, or that failed, if the ones before had all run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Name>,
    /// After a backup that at least one target has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_success: Vec<Name>,
    /// After one that failed, one before it included, or that was stopped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<Name>,
    /// Last of all, in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<Name>,
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before anything is read.
    Before,
    /// When everything was read and stored, or that failed.
    After,
    /// After a good backup.
    Success,
    /// After one that failed.
    Failure,
    /// Last of all.
    Always,
}

impl Moment {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 5] = [
        Self::Before,
        Self::After,
        Self::Success,
        Self::Failure,
        Self::Always,
    ];

    /// Its name, as hooks find it in their environment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Always => "always",
        }
    }
}

impl Hooks {
    /// Most hooks of one moment.
    pub const MOST: usize = 20;

    /// Those of a moment.
    pub fn at(&self, moment: Moment) -> &[Name] {
        match moment {
            Moment::Before => &self.before,
            Moment::After => &self.after,
            Moment::Success => &self.on_success,
            Moment::Failure => &self.on_failure,
            Moment::Always => &self.always,
        }
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        Moment::ALL.iter().all(|moment| self.at(*moment).is_empty())
    }

    /// Every name that is picked.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        Moment::ALL.into_iter().flat_map(|moment| self.at(moment))
    }

    /// What can be seen to be wrong.
    pub(super) fn wrong(&self) -> Vec<FieldError> {
        let many = |moment: &Moment| self.at(*moment).len() > Self::MOST;
        let error = |moment: Moment| FieldError {
            field: "hooks".to_owned(),
            message: format!(
                "more than {} hooks are picked for {}",
                Self::MOST,
                moment.as_str()
            ),
        };
        Moment::ALL.into_iter().filter(many).map(error).collect()
    }
}
