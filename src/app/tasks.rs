//! Tasks: what is backed up, from where to where, when, and how long it is kept.

use crate::App;
use crate::plan::{Plan, check_jitter, first_of, first_run};
use crate::sources::{WithSecrets, settled, task_secret_names};
use crate::targets::place_of;
use crate::verifications::wrong_plans;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::TaskId;
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::record::{Record, RecordCopy, Trigger};
use backupx_core::domain::retention::Decision;
use backupx_core::domain::schedule::Schedule;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::target::{Reach, Target};
use backupx_core::domain::task::{Pause, Task, TaskSpec};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::NewRecord;
use backupx_core::{Error, FieldError, Result};
use std::collections::BTreeMap;

/// Longest pause of a schedule.
const LONGEST_PAUSE: chrono::Duration = chrono::Duration::days(5 * 366);

impl App {
    /// Adds a task, enabled, with the secrets of its source. Needs `admin`.
    pub async fn add_task(
        &self,
        principal: &Principal,
        new: impl Into<WithSecrets<TaskSpec>>,
    ) -> Result<Task> {
        principal.require(Role::Admin)?;
        let WithSecrets { spec, secrets } = new.into();
        self.check_task(&spec).await?;
        let secrets = settled(
            &task_secret_names(&spec),
            &spec.source,
            BTreeMap::new(),
            secrets,
        )?;
        let now = self.now();
        let next_run = first_run(&spec, now)?;
        let mut task = self.ports.tasks.add(&spec, next_run, now).await?;
        // Sealing needs the id, so the secrets follow. A crash between the two leaves a task that says it has none.
        task.secrets = self.vault.seal_task(task.id, &secrets)?;
        if task.secrets.is_some() {
            self.ports
                .tasks
                .set_secrets(task.id, task.secrets.as_ref())
                .await?;
        }
        tracing::info!(
            task.id = task.id.0,
            by = principal.username,
            "a task was added"
        );
        Ok(task)
    }

    /// Tasks by id.
    pub async fn tasks(&self, principal: &Principal, page: PageRequest) -> Result<Page<Task>> {
        principal.require(Role::Viewer)?;
        self.ports.tasks.list(page).await
    }

    /// One task.
    pub async fn task(&self, principal: &Principal, id: TaskId) -> Result<Task> {
        principal.require(Role::Viewer)?;
        self.ports.tasks.get(id).await?.ok_or_else(|| no_task(id))
    }

    /// The task of this name.
    pub async fn task_named(&self, principal: &Principal, name: &str) -> Result<Task> {
        principal.require(Role::Viewer)?;
        self.ports
            .tasks
            .by_name(name)
            .await?
            .ok_or_else(|| Error::not_found("task_not_found", format!("there is no task {name:?}")))
    }

    /// Replaces what a task does. Secrets that are not named stay, as long as its server does; an empty one is removed. Needs `admin`.
    pub async fn update_task(
        &self,
        principal: &Principal,
        id: TaskId,
        version: i64,
        changed: impl Into<WithSecrets<TaskSpec>>,
    ) -> Result<Task> {
        principal.require(Role::Admin)?;
        let WithSecrets { spec, secrets } = changed.into();
        let before = self.task(principal, id).await?;
        self.check_task(&spec).await?;
        let kept = self.kept_secrets(&before, &spec, &secrets)?;
        let secrets = settled(&task_secret_names(&spec), &spec.source, kept, secrets)?;
        let now = self.now();
        let next_run = if !before.enabled {
            None
        } else if before.spec.schedule == spec.schedule {
            before.next_run
        } else {
            let from = before.pause.map_or(now, |pause| end_of(&pause).max(now));
            first_run(&spec, from)?
        };
        let mut task = self
            .ports
            .tasks
            .update(id, version, &spec, next_run, now)
            .await?;
        let changed = secrets != self.vault.open_task(id, task.secrets.as_ref())?;
        if changed {
            task.secrets = self.vault.seal_task(id, &secrets)?;
            self.ports
                .tasks
                .set_secrets(id, task.secrets.as_ref())
                .await?;
        }
        tracing::info!(
            task.id = id.0,
            by = principal.username,
            "a task was changed"
        );
        Ok(task)
    }

    /// Turns the schedule on, from now; a pause is over. Needs `operator`.
    pub async fn enable_task(&self, principal: &Principal, id: TaskId) -> Result<Task> {
        principal.require(Role::Operator)?;
        let task = self.task(principal, id).await?;
        let now = self.now();
        let next_run = match task.next_run {
            Some(next) if task.enabled && task.pause.is_none() => Some(next),
            _ => first_run(&task.spec, now)?,
        };
        self.ports.tasks.set_enabled(id, true, next_run, now).await
    }

    /// Turns the schedule off. Needs `operator`.
    pub async fn disable_task(&self, principal: &Principal, id: TaskId) -> Result<Task> {
        principal.require(Role::Operator)?;
        self.ports
            .tasks
            .set_enabled(id, false, None, self.now())
            .await
    }

    /// Lets the schedule rest until an instant; what falls in the pause is not caught up. `Conflict` (`task_disabled`) when it is off
    /// anyway. Needs `operator`.
    pub async fn pause_task(
        &self,
        principal: &Principal,
        id: TaskId,
        pause: Pause,
    ) -> Result<Task> {
        principal.require(Role::Operator)?;
        let now = self.now();
        if pause.until <= now || pause.until - now > LONGEST_PAUSE {
            return Err(Error::field(
                "until",
                format!("{} is not within the next five years", pause.until),
            ));
        }
        if pause.reason.chars().count() > 500 {
            return Err(Error::field("reason", "has more than 500 characters"));
        }
        let task = self.task(principal, id).await?;
        if !task.enabled {
            return Err(Error::conflict(
                "task_disabled",
                format!(
                    "task {} is off; turn it on before it can be paused",
                    task.spec.name
                ),
            ));
        }
        let next_run = first_run(&task.spec, end_of(&pause))?;
        let task = self.ports.tasks.pause(id, &pause, next_run, now).await?;
        tracing::info!(
            task.id = id.0,
            by = principal.username,
            until = %pause.until,
            "a task was paused"
        );
        Ok(task)
    }

    /// Removes a task; its records stay. `Conflict` (`task_in_use`) while another waits for it. Needs `admin`.
    pub async fn remove_task(&self, principal: &Principal, id: TaskId) -> Result<()> {
        principal.require(Role::Admin)?;
        if !self.ports.tasks.remove(id).await? {
            return Err(no_task(id));
        }
        tracing::info!(
            task.id = id.0,
            by = principal.username,
            "a task was removed; its records stay"
        );
        Ok(())
    }

    /// Runs a task now. `Conflict` (`task_already_queued`) while a run of it waits. Needs `operator`.
    pub async fn run_task(&self, principal: &Principal, id: TaskId) -> Result<Record> {
        principal.require(Role::Operator)?;
        let task = self.task(principal, id).await?;
        let record = self.new_record(&task, Trigger::Manual).await?;
        let record = match self.ports.records.add(record).await? {
            Ok(record) => record,
            Err(waiting) => {
                return Err(Error::conflict(
                    "task_already_queued",
                    format!(
                        "record {waiting} of task {} is waiting already",
                        task.spec.name
                    ),
                ));
            }
        };
        tracing::info!(
            task.id = id.0,
            record.id = record.id.0,
            node.id = record.node_id.0,
            by = principal.username,
            "a run was queued"
        );
        // The record is written; a command that could not follow it is put in by the sweep.
        if let Err(error) = self.enqueue_record(&record).await {
            tracing::warn!(
                record.id = record.id.0,
                error = error.chain(),
                "the command of a run could not be put in yet"
            );
        }
        Ok(record)
    }

    /// When a schedule would fire next: up to `count` (at most 50) instants, strictly later than now, without jitter, which hangs on the
    /// task. Refused as a task with it would be.
    pub async fn preview_schedule(
        &self,
        principal: &Principal,
        schedule: &Schedule,
        count: usize,
    ) -> Result<Vec<Timestamp>> {
        principal.require(Role::Viewer)?;
        let schedule = Schedule {
            jitter_secs: 0,
            ..schedule.clone()
        };
        schedule.check()?;
        let now = self.now();
        let name = Name::parse("name", "preview")?;
        let first = first_of(&name, &schedule, now)?;
        let plan = Plan::of(&name, &schedule)?;
        Ok(plan.coming(Some(first), now, count.min(50)))
    }

    /// When a task runs next by its schedule: up to `count` (at most 50) instants, as things stand. Empty when it does not.
    pub async fn next_runs(
        &self,
        principal: &Principal,
        id: TaskId,
        count: usize,
    ) -> Result<Vec<Timestamp>> {
        principal.require(Role::Viewer)?;
        let task = self.task(principal, id).await?;
        let Some(schedule) = task.spec.schedule.as_ref().filter(|_| task.enabled) else {
            return Ok(Vec::new());
        };
        let plan = Plan::of(&task.spec.name, schedule)?;
        Ok(plan.coming(task.next_run, self.now(), count.min(50)))
    }

    /// What retention would keep and remove of a task's copies now. Changes nothing.
    pub async fn retention_plan(&self, principal: &Principal, id: TaskId) -> Result<Vec<Decision>> {
        principal.require(Role::Viewer)?;
        let task = self.task(principal, id).await?;
        self.plan_retention(&task).await
    }

    /// A run of a task as it is now.
    pub(crate) async fn new_record(&self, task: &Task, trigger: Trigger) -> Result<NewRecord> {
        let mut copies = Vec::new();
        for id in &task.spec.target_ids {
            let target = self.known_target(*id).await?;
            copies.push(RecordCopy::pending(*id, target.name.as_str()));
        }
        Ok(NewRecord {
            task_id: task.id,
            task: task.spec.clone(),
            node_id: task.spec.node_id,
            trigger,
            copies,
            created_at: self.now(),
        })
    }

    /// Refuses what cannot work, naming every wrong field.
    async fn check_task(&self, spec: &TaskSpec) -> Result<()> {
        spec.check()?;
        let mut errors = Vec::new();
        if spec.pool.is_none() && self.ports.nodes.get(spec.node_id).await?.is_none() {
            errors.push(wrong(
                "nodeId",
                format!("there is no node {}", spec.node_id),
            ));
        }
        let drill_node = spec.drill.as_ref().and_then(|drill| drill.node_id);
        if let Some(id) = drill_node
            && self.ports.nodes.get(id).await?.is_none()
        {
            errors.push(wrong("drill.nodeId", format!("there is no node {id}")));
        }
        for id in spec.after.iter().flat_map(|after| &after.task_ids) {
            if self.ports.tasks.get(*id).await?.is_none() {
                errors.push(wrong("after.taskIds", format!("there is no task {id}")));
            }
        }
        let mut targets = Vec::new();
        for id in &spec.target_ids {
            match self.ports.targets.get(*id).await? {
                Some(target) => targets.push(target),
                None => errors.push(wrong("targetIds", format!("there is no target {id}"))),
            }
        }
        errors.extend(same_places(&targets));
        errors.extend(targets.iter().filter_map(|target| swallowed(spec, target)));
        for recipient in &spec.extra_recipients {
            if let Err(error) = self.ports.keys.check_recipient(recipient) {
                errors.push(wrong("extraRecipients", error.message().to_owned()));
            }
        }
        let now = self.now();
        let fires = first_run(spec, now).map(drop);
        if let Err(error) = fires.and_then(|()| check_jitter(spec, now)) {
            errors.extend(error.field_errors().iter().cloned());
        }
        errors.extend(wrong_plans(spec, now));
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Error::fields(errors))
        }
    }
}

fn wrong(field: &str, message: String) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message,
    }
}

/// The last instant of a pause: a run that is meant for its very end is made.
fn end_of(pause: &Pause) -> Timestamp {
    pause.until - chrono::Duration::microseconds(1)
}

fn no_task(id: TaskId) -> Error {
    Error::not_found("task_not_found", format!("there is no task {id}"))
}

/// Two targets in one place would write the same objects twice.
fn same_places(targets: &[Target]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (position, target) in targets.iter().enumerate() {
        let place = place_of(target.kind, &target.config);
        let same = |other: &&Target| place_of(other.kind, &other.config) == place;
        if let Some(other) = targets[..position].iter().find(same) {
            let message = format!("{} and {} are the same place", other.name, target.name);
            errors.push(wrong("targetIds", message));
        }
    }
    errors
}

/// A folder target below a path that the task reads would back itself up, larger each time.
fn swallowed(spec: &TaskSpec, target: &Target) -> Option<FieldError> {
    let on_same_host = match target.reach() {
        Reach::OwnNode => true,
        Reach::Master => spec.node_id.is_local(),
        Reach::Everywhere => false,
    };
    let folder = target.config.get("path").filter(|_| on_same_host)?;
    let folder = folder.trim_end_matches('/');
    let SourceSpec::File {
        paths, excludes, ..
    } = &spec.source
    else {
        return None;
    };
    let excluded = excludes
        .iter()
        .map(|pattern| pattern.trim_end_matches("/**").trim_end_matches('/'))
        .filter(|pattern| !pattern.is_empty())
        .any(|pattern| is_beneath(folder, &pattern.replace('\\', "")));
    let path = paths
        .iter()
        .map(|path| path.trim_end_matches('/'))
        .find(|path| is_beneath(folder, path))?;
    (!excluded).then(|| {
        let message = format!(
            "{:?} holds target {} ({folder}), so each backup would hold the ones before it; exclude {folder}",
            if path.is_empty() { "/" } else { path },
            target.name
        );
        wrong("source.paths", message)
    })
}

/// Whether `path` is `folder` or lies in it; neither ends in `/`.
fn is_beneath(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
