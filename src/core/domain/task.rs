//! Tasks: what is backed up, from where to where, when, and how long it is kept.

use super::drill::DrillSpec;
use super::guard::GuardSpec;
use super::hook::Hooks;
use super::id::{NodeId, TargetId, TaskId};
use super::name::Name;
use super::retention::RetentionPolicy;
use super::schedule::{NextRun, Schedule};
use super::secret::Sealed;
use super::source::SourceSpec;
use super::time::Timestamp;
use super::verification::{NextVerify, VerifyPlan};
use crate::{Error, FieldError, Result};
use serde::{Deserialize, Serialize};

/// A backup task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it does.
    pub spec: TaskSpec,
    /// The secrets of its source as one sealed JSON object of strings, absent when there are none.
    pub secrets: Option<Sealed>,
    /// A disabled task does not run by its schedule.
    pub enabled: bool,
    /// When the schedule fires next.
    pub next_run: Option<NextRun>,
    /// When the verifications that it plans are to be looked at again.
    pub verify: Option<NextVerify>,
    /// Until when its schedule rests, if somebody paused it; one that is over means nothing.
    pub pause: Option<Pause>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person last changed it.
    pub updated_at: Timestamp,
    /// Grows with every change that a person makes.
    pub version: i64,
}

/// A rest of a task's schedule that ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// When the schedule goes on.
    pub until: Timestamp,
    /// Why, in a person's words; may be empty.
    pub reason: String,
}

/// What a task does: all that a person sets, without state. Copied into every record as it was when the run was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskSpec {
    /// Unique name.
    pub name: Name,
    /// The node that runs it; `0` is the master itself, [`NodeId::NONE`] when it names a pool.
    #[serde(default = "local_node")]
    pub node_id: NodeId,
    /// The label of the nodes one of which runs it, instead of a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Name>,
    /// What is read.
    pub source: SourceSpec,
    /// Where copies go: one to eight targets.
    pub target_ids: Vec<TargetId>,
    /// When it runs by itself.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// The tasks whose success makes it run, instead of a schedule or beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// How it is compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Whether it is sealed to the organisation's key.
    #[serde(default = "yes")]
    pub encrypt: bool,
    /// age recipients beside the organisation's, `age1…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_recipients: Vec<String>,
    /// How long copies are kept.
    #[serde(default)]
    pub retention: RetentionPolicy,
    /// How many files may be unreadable or vanish before the run fails.
    #[serde(default = "default_threshold")]
    pub max_unreadable: u64,
    /// Most processor cores that the run uses; nothing means all.
    #[serde(default)]
    pub max_cores: Option<u16>,
    /// How long a run may take before it is ended as failed; nothing means a day for databases, whose tools may hang, and no limit for
    /// files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_secs: Option<u64>,
    /// What the node runs around it, picked by name from what its own policy allows.
    #[serde(default, skip_serializing_if = "Hooks::is_empty")]
    pub hooks: Hooks,
    /// When its newest backup is proven by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<VerifyPlan>,
    /// How far a run may be from its history before it is odd.
    #[serde(default, skip_serializing_if = "GuardSpec::is_default")]
    pub guard: GuardSpec,
    /// How its backups are drilled; absent means as the kind of source is usually, with nothing asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Box<DrillSpec>>,
}

/// What a task waits for: runs of other tasks that end in success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct After {
    /// The tasks.
    pub task_ids: Vec<TaskId>,
    /// Whether each of them counts or the last of them.
    #[serde(default)]
    pub when: AfterWhen,
}

impl After {
    /// Most tasks that one waits for.
    pub const MAX_TASKS: usize = 20;

    fn wrong(&self) -> Option<String> {
        let mut seen = self.task_ids.clone();
        seen.sort();
        seen.dedup();
        match self.task_ids.len() {
            0 => Some("name at least one task".to_owned()),
            more if more > Self::MAX_TASKS => Some(format!(
                "{more} tasks are more than the {} that one can wait for",
                Self::MAX_TASKS
            )),
            all if all != seen.len() => Some("names a task twice".to_owned()),
            _ => None,
        }
    }
}

/// When a task runs that waits for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AfterWhen {
    /// When each of them succeeded since it ran for them last.
    #[default]
    All,
    /// Whenever one of them succeeds.
    Any,
}

fn local_node() -> NodeId {
    NodeId::LOCAL
}

pub(super) fn yes() -> bool {
    true
}

fn default_threshold() -> u64 {
    TaskSpec::MAX_UNREADABLE
}

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Compression {
    /// zstd in independent frames with a seek table.
    #[default]
    Zstd,
    /// gzip, for those who need it elsewhere; restores read it from its beginning.
    Gzip,
    /// As it is.
    None,
}

impl Compression {
    /// The kind's name as it stands in JSON and after `--compression`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::None => "none",
        }
    }

    /// What it adds to a file's name: `.zst`, `.gz` or nothing.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::None => "",
        }
    }
}

impl TaskSpec {
    /// How many files may be unreadable when nobody says.
    pub const MAX_UNREADABLE: u64 = 100;

    /// How long a run that reads a database may take when nobody said.
    pub const DATABASE_TIME_LIMIT_SECS: u64 = 24 * 60 * 60;

    /// How long a run may take, in seconds.
    pub fn time_limit_secs(&self) -> Option<u64> {
        self.time_limit_secs.or_else(|| {
            self.source
                .is_database()
                .then_some(Self::DATABASE_TIME_LIMIT_SECS)
        })
    }

    /// Most targets of a task.
    pub const MAX_TARGETS: usize = 8;

    /// Refuses what can be seen to be wrong without asking anybody: every wrong field is named.
    pub fn check(&self) -> Result<()> {
        let mut errors = self.source.wrong();
        errors.extend(self.hooks.wrong());
        errors.extend(self.guard.wrong());
        errors.extend(VerifyPlan::wrong(&self.verify));
        let drill = self.drill.iter();
        errors.extend(drill.flat_map(|drill| drill.wrong("drill", &self.source)));
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError {
                field: field.to_owned(),
                message,
            })
        };
        if self.pool.is_some() != (self.node_id == NodeId::NONE) {
            wrong("pool", "name either a node or a pool".to_owned());
        }
        if self.target_ids.is_empty() {
            wrong("targetIds", "name at least one target".to_owned());
        }
        if self.target_ids.len() > Self::MAX_TARGETS {
            wrong(
                "targetIds",
                format!(
                    "{} targets are more than the {} that one run can feed",
                    self.target_ids.len(),
                    Self::MAX_TARGETS
                ),
            );
        }
        let mut seen = self.target_ids.clone();
        seen.sort();
        seen.dedup();
        if seen.len() != self.target_ids.len() {
            wrong("targetIds", "names a target twice".to_owned());
        }
        if self.max_cores == Some(0) {
            wrong("maxCores", "must be at least 1".to_owned());
        }
        if self.time_limit_secs == Some(0) {
            wrong("timeLimitSecs", "must be at least 1".to_owned());
        }
        if !self.encrypt && !self.extra_recipients.is_empty() {
            wrong(
                "extraRecipients",
                "recipients make sense only for an encrypted task".to_owned(),
            );
        }
        if let Some(message) = self.after.as_ref().and_then(After::wrong) {
            wrong("after.taskIds", message);
        }
        if let Some(schedule) = &self.schedule {
            errors.extend(schedule.wrong());
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::fields(errors))
        }
    }
}
