//! Tasks: what is backed up, from where to where, when, and how long it is kept.

use crate::drills::Drill;
use crate::guard::Guard;
use crate::mirror::mirrored;
use crate::records::chosen;
use crate::schedules::Schedule;
use crate::sources::{Secrets, Source};
use crate::verifications::VerifyPlan;
use backupx_core::domain::hook;
use backupx_core::domain::id::{NodeId, TargetId, TaskId};
use backupx_core::domain::name::Name;
use backupx_core::domain::retention::{self, RetentionPolicy};
use backupx_core::domain::task::{self, TaskSpec};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mirrored! {
    /// How a stream is compressed.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    Compression = task::Compression {
        /// zstd in independent frames with a seek table.
        #[default]
        Zstd = "zstd",
        /// gzip.
        Gzip = "gzip",
        /// As it is.
        None = "none",
    }
}

/// A backup task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its id.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// The node that runs it; `0` is the master itself, `null` when it names a pool.
    pub node_id: Option<i64>,
    /// The label of the nodes one of which runs it.
    pub pool: Option<String>,
    /// What is read.
    pub source: Source,
    /// Where copies go.
    pub target_ids: Vec<i64>,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// The tasks whose success makes it run.
    pub after: Option<After>,
    /// How it is compressed.
    pub compression: Compression,
    /// Whether it is sealed to the organisation's key.
    pub encrypt: bool,
    /// age recipients beside the organisation's.
    pub extra_recipients: Vec<String>,
    /// How long copies are kept.
    pub retention: Retention,
    /// How many files may be unreadable or vanish before the run fails.
    pub max_unreadable: u64,
    /// Most processor cores that the run uses; `null` means all.
    pub max_cores: Option<u16>,
    /// How long a run may take, in seconds; `null` means a day for databases and no limit for files.
    pub time_limit_secs: Option<u64>,
    /// What the node runs around it.
    #[serde(default)]
    pub hooks: Hooks,
    /// When its newest backup is proven by itself.
    pub verify: Vec<VerifyPlan>,
    /// How far from its history a run may be.
    pub guard: Guard,
    /// How its backups are drilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
    /// Names of the secrets of the source that are set.
    #[serde(default)]
    pub secrets_set: Vec<String>,
    /// A disabled task does not run by its schedule.
    pub enabled: bool,
    /// When the schedule fires next.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Until when its schedule rests, if it was paused; a time that is past means nothing.
    pub paused_until: Option<DateTime<Utc>>,
    /// Why it was paused.
    pub pause_reason: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a person last changed it.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change; the entity tag of an update.
    pub version: i64,
}

impl Task {
    /// A task as people see it; its secrets are sealed, so that their names are told apart.
    pub fn of(task: task::Task, secrets_set: Vec<String>) -> Self {
        let TaskInput {
            name,
            node_id,
            pool,
            source,
            target_ids,
            schedule,
            after,
            compression,
            encrypt,
            extra_recipients,
            retention,
            max_unreadable,
            max_cores,
            time_limit_secs,
            hooks,
            verify,
            guard,
            drill,
            secrets: _,
        } = task.spec.into();
        let paused_until = task.pause.as_ref().map(|pause| pause.until);
        let reason = task.pause.map(|pause| pause.reason);
        Self {
            id: task.id.0,
            name,
            node_id,
            pool,
            source,
            target_ids,
            schedule,
            after,
            compression,
            encrypt,
            extra_recipients,
            retention,
            max_unreadable,
            max_cores,
            time_limit_secs,
            hooks,
            verify,
            guard,
            drill,
            secrets_set,
            enabled: task.enabled,
            next_run_at: task.next_run.map(|next| next.at),
            paused_until,
            pause_reason: reason.filter(|reason| !reason.is_empty()),
            created_at: task.created_at,
            updated_at: task.updated_at,
            version: task.version,
        }
    }
}

impl From<Task> for TaskInput {
    /// What to send back to change a task that was read.
    fn from(task: Task) -> Self {
        Self {
            name: task.name,
            node_id: task.node_id,
            pool: task.pool,
            source: task.source,
            target_ids: task.target_ids,
            schedule: task.schedule,
            after: task.after,
            compression: task.compression,
            encrypt: task.encrypt,
            extra_recipients: task.extra_recipients,
            retention: task.retention,
            max_unreadable: task.max_unreadable,
            max_cores: task.max_cores,
            time_limit_secs: task.time_limit_secs,
            hooks: task.hooks,
            verify: task.verify,
            guard: task.guard,
            drill: task.drill,
            secrets: Secrets::default(),
        }
    }
}

/// What a person sets of a task, to add or to change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskInput {
    /// Unique name: 1 to 100 characters, no `/` or `\`.
    pub name: String,
    /// The node that runs it; `0` is the master itself, which is the default without a pool.
    #[serde(default)]
    pub node_id: Option<i64>,
    /// The label of the nodes one of which runs it, instead of a node: each run goes to the least busy one that is there.
    #[serde(default)]
    pub pool: Option<String>,
    /// What is read.
    pub source: Source,
    /// Where copies go: one to eight targets.
    pub target_ids: Vec<i64>,
    /// When it runs by itself.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// The tasks whose success makes it run, instead of a schedule or beside it.
    #[serde(default)]
    pub after: Option<After>,
    /// How it is compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Whether it is sealed to the organisation's key.
    #[serde(default = "yes")]
    pub encrypt: bool,
    /// age recipients beside the organisation's, `age1…`.
    #[serde(default)]
    pub extra_recipients: Vec<String>,
    /// How long copies are kept.
    #[serde(default)]
    pub retention: Retention,
    /// How many files may be unreadable or vanish before the run fails.
    #[serde(default = "default_threshold")]
    pub max_unreadable: u64,
    /// Most processor cores that the run uses; `null` means all.
    #[serde(default)]
    pub max_cores: Option<u16>,
    /// How long a run may take before it is ended as failed, in seconds; `null` means a day for databases and no limit for files.
    #[serde(default)]
    pub time_limit_secs: Option<u64>,
    /// What the node runs around it, picked by name from what its own policy allows.
    #[serde(default, skip_serializing_if = "Hooks::is_empty")]
    pub hooks: Hooks,
    /// When its newest backup is proven by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<VerifyPlan>,
    /// How far from its history a run may be.
    #[serde(default)]
    pub guard: Guard,
    /// Secrets of the source that are set or, when empty, removed; those that are not named stay as they are.
    /// How its backups are drilled; absent means as the kind of source is usually, with nothing asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
    /// Secrets of the source, and `drillPassword` of the scratch server of its drill, that are set or, when empty, removed; those that are not named stay as they are.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secrets: Secrets,
}

fn yes() -> bool {
    true
}

fn default_threshold() -> u64 {
    100
}

impl TryFrom<TaskInput> for TaskSpec {
    type Error = backupx_core::Error;

    fn try_from(input: TaskInput) -> Result<Self, Self::Error> {
        Ok(Self {
            name: Name::parse("name", &input.name)?,
            node_id: match (input.node_id, &input.pool) {
                (Some(id), _) => NodeId(id),
                (None, None) => NodeId::LOCAL,
                (None, Some(_)) => NodeId::NONE,
            },
            pool: input
                .pool
                .map(|label| Name::parse("pool", &label))
                .transpose()?,
            source: input.source.into(),
            target_ids: input.target_ids.into_iter().map(TargetId).collect(),
            schedule: input.schedule.map(Into::into),
            after: input.after.map(Into::into),
            compression: input.compression.into(),
            encrypt: input.encrypt,
            extra_recipients: input.extra_recipients,
            retention: input.retention.into(),
            max_unreadable: input.max_unreadable,
            max_cores: input.max_cores,
            time_limit_secs: input.time_limit_secs,
            hooks: input.hooks.try_into()?,
            verify: input.verify.into_iter().map(Into::into).collect(),
            guard: input.guard.into(),
            drill: input.drill.map(|drill| Box::new(drill.into())),
        })
    }
}

impl From<TaskSpec> for TaskInput {
    fn from(spec: TaskSpec) -> Self {
        Self {
            name: spec.name.into(),
            node_id: chosen(spec.node_id),
            pool: spec.pool.map(Into::into),
            source: spec.source.into(),
            target_ids: spec.target_ids.into_iter().map(|id| id.0).collect(),
            schedule: spec.schedule.map(Into::into),
            after: spec.after.map(Into::into),
            compression: spec.compression.into(),
            encrypt: spec.encrypt,
            extra_recipients: spec.extra_recipients,
            retention: spec.retention.into(),
            max_unreadable: spec.max_unreadable,
            max_cores: spec.max_cores,
            time_limit_secs: spec.time_limit_secs,
            hooks: spec.hooks.into(),
            verify: spec.verify.into_iter().map(Into::into).collect(),
            guard: spec.guard.into(),
            drill: spec.drill.map(|drill| (*drill).into()),
            secrets: Secrets::default(),
        }
    }
}

mirrored! {
    /// When a task runs that waits for several.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    AfterWhen = task::AfterWhen {
        /// When each of them succeeded since it ran for them last.
        #[default]
        All = "all",
        /// Whenever one of them succeeds.
        Any = "any",
    }
}

/// What a task waits for: runs of other tasks that end in success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct After {
    /// The tasks: one to twenty, none of which waits for this one.
    pub task_ids: Vec<i64>,
    /// Whether all of them have to succeed, or any.
    #[serde(default)]
    pub when: AfterWhen,
}

impl From<After> for task::After {
    fn from(after: After) -> Self {
        Self {
            task_ids: after.task_ids.into_iter().map(TaskId).collect(),
            when: after.when.into(),
        }
    }
}

impl From<task::After> for After {
    fn from(after: task::After) -> Self {
        Self {
            task_ids: after.task_ids.into_iter().map(|id| id.0).collect(),
            when: after.when.into(),
        }
    }
}

/// How a task's schedule is turned off: for good when nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisableTask {
    /// The schedule goes on by itself from then on; what falls before is not caught up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Why, for whoever looks at the task; needs `until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Programs of the node that run around a backup. What a name runs stands in the node's own policy file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Hooks {
    /// Before anything is read. The first one that fails fails the run, and nothing is backed up.
    pub before: Vec<String>,
    /// When everything was read and stored, or that failed, if the ones before had all run.
    pub after: Vec<String>,
    /// After a backup that at least one target has.
    pub on_success: Vec<String>,
    /// After one that failed, one before it included, or that was stopped.
    pub on_failure: Vec<String>,
    /// Last of all, in any case.
    pub always: Vec<String>,
}

impl Hooks {
    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl TryFrom<Hooks> for hook::Hooks {
    type Error = backupx_core::Error;

    fn try_from(hooks: Hooks) -> Result<Self, Self::Error> {
        let names = |field: &str, names: Vec<String>| -> Result<Vec<Name>, Self::Error> {
            let field = format!("hooks.{field}");
            names.iter().map(|name| Name::parse(&field, name)).collect()
        };
        Ok(Self {
            before: names("before", hooks.before)?,
            after: names("after", hooks.after)?,
            on_success: names("onSuccess", hooks.on_success)?,
            on_failure: names("onFailure", hooks.on_failure)?,
            always: names("always", hooks.always)?,
        })
    }
}

impl From<hook::Hooks> for Hooks {
    fn from(hooks: hook::Hooks) -> Self {
        let names = |names: Vec<Name>| names.into_iter().map(Into::into).collect();
        Self {
            before: names(hooks.before),
            after: names(hooks.after),
            on_success: names(hooks.on_success),
            on_failure: names(hooks.on_failure),
            always: names(hooks.always),
        }
    }
}

/// How many copies are kept. All zero keeps everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Retention {
    /// The newest ones.
    pub keep_last: u32,
    /// The newest of each of so many days that have one.
    pub keep_daily: u32,
    /// The newest of each of so many ISO weeks that have one.
    pub keep_weekly: u32,
    /// The newest of each of so many months that have one.
    pub keep_monthly: u32,
    /// The newest of each of so many years that have one.
    pub keep_yearly: u32,
}

impl From<Retention> for RetentionPolicy {
    fn from(policy: Retention) -> Self {
        Self {
            keep_last: policy.keep_last,
            keep_daily: policy.keep_daily,
            keep_weekly: policy.keep_weekly,
            keep_monthly: policy.keep_monthly,
            keep_yearly: policy.keep_yearly,
        }
    }
}

impl From<RetentionPolicy> for Retention {
    fn from(policy: RetentionPolicy) -> Self {
        Self {
            keep_last: policy.keep_last,
            keep_daily: policy.keep_daily,
            keep_weekly: policy.keep_weekly,
            keep_monthly: policy.keep_monthly,
            keep_yearly: policy.keep_yearly,
        }
    }
}

/// What retention would do with each good copy of a task, newest first for each target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionPlan {
    /// One per copy.
    pub decisions: Vec<RetentionDecision>,
}

/// What happens to one copy, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionDecision {
    /// Whose copy.
    pub record_id: i64,
    /// Where.
    pub target_id: i64,
    /// When the master heard of its success.
    pub received_at: DateTime<Utc>,
    /// Whether it stays.
    pub keep: bool,
    /// Why it stays: `last`, `daily`, `locked`, `floor` and so on; empty when it goes.
    pub reasons: Vec<String>,
}

impl From<retention::Decision> for RetentionDecision {
    fn from(decision: retention::Decision) -> Self {
        Self {
            record_id: decision.record_id.0,
            target_id: decision.target_id.0,
            received_at: decision.received_at,
            keep: decision.keeps(),
            reasons: decision.reasons,
        }
    }
}

impl DisableTask {
    /// The pause that is asked for, if it is one.
    pub fn pause(self) -> Result<Option<task::Pause>, backupx_core::Error> {
        match (self.until, self.reason) {
            (Some(until), reason) => Ok(Some(task::Pause {
                until,
                reason: reason.unwrap_or_default(),
            })),
            (None, Some(_)) => Err(backupx_core::Error::field(
                "reason",
                "belongs to a pause with an end: name `until` as well",
            )),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_task_gets_the_defaults() {
        let json =
            r#"{"name": "etc", "source": {"type": "file", "paths": ["/etc"]}, "targetIds": [1]}"#;
        let input: TaskInput = serde_json::from_str(json).expect("parses");
        let spec = TaskSpec::try_from(input.clone()).expect("is valid");
        assert!(spec.encrypt && spec.node_id.is_local());
        let explicit = TaskInput {
            node_id: Some(0),
            ..input
        };
        assert_eq!(TaskInput::from(spec), explicit);
    }

    #[test]
    fn unknown_fields_are_refused_at_every_depth() {
        for json in [
            r#"{"name": "etc", "source": {"type": "file", "paths": ["/etc"]}, "targetIds": [1], "colour": "red"}"#,
            r#"{"name": "etc", "source": {"type": "file", "paths": ["/etc"], "colour": "red"}, "targetIds": [1]}"#,
            r#"{"name": "etc", "source": {"type": "file", "paths": ["/etc"]}, "targetIds": [1], "retention": {"colour": 1}}"#,
        ] {
            let error = serde_json::from_str::<TaskInput>(json).expect_err("must be refused");
            assert!(error.to_string().contains("colour"), "{error}");
        }
    }
}
