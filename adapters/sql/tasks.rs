//! The store of tasks.

use crate::SqlStores;
use crate::connections::Transaction;
use crate::error::{in_use, store, taken};
use crate::operations::add_operation;
use crate::records::add_record;
use crate::row::{Columns, json, micros, optional_micros};
use crate::stores::{certain, commit, returning};
use crate::upstreams;
use async_trait::async_trait;
use backupx_core::domain::id::{EventId, RecordId, TaskId};
use backupx_core::domain::operation::Operation;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::schedule::NextRun;
use backupx_core::domain::secret::Sealed;
use backupx_core::domain::task::{AfterWhen, Pause, Task, TaskSpec};
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::verification::NextVerify;
use backupx_core::ports::operations::NewOperation;
use backupx_core::ports::records::NewRecord;
use backupx_core::ports::tasks::Tasks;
use backupx_core::{Error, FieldError, Result};
use sqlx::any::AnyRow;

macro_rules! columns {
    () => {
        "id, spec, secrets, enabled, next_run_at, next_instant, verify_from, verify_at, paused_until, pause_reason, created_at, updated_at, version"
    };
}

const GET: &str = concat!("SELECT ", columns!(), " FROM tasks WHERE id = $1");
const BY_NAME: &str = concat!("SELECT ", columns!(), " FROM tasks WHERE name = $1");
const ADD: &str = concat!(
    "INSERT INTO tasks (name, node_id, spec, enabled, next_run_at, next_instant, verify_from, verify_at, created_at, updated_at, version) VALUES ($1, $2, $3, 1, $4, $5, $7, $7, $6, $6, 1) RETURNING ",
    columns!()
);
const UPDATE: &str = concat!(
    "UPDATE tasks SET name = $3, node_id = $4, spec = $5, next_run_at = $6, next_instant = $7, verify_from = $9, verify_at = $10, updated_at = $8, version = version + 1 WHERE id = $1 AND version = $2 RETURNING ",
    columns!()
);
const SET_ENABLED: &str = concat!(
    "UPDATE tasks SET enabled = $2, next_run_at = $3, next_instant = $4, paused_until = NULL, pause_reason = NULL, updated_at = $5, version = version + 1 WHERE id = $1 RETURNING ",
    columns!()
);
const PAUSE: &str = concat!(
    "UPDATE tasks SET paused_until = $2, pause_reason = $3, next_run_at = $4, next_instant = $5, updated_at = $6, version = version + 1 WHERE id = $1 RETURNING ",
    columns!()
);
pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE id > $1 ORDER BY id LIMIT $2"
);
pub(crate) const DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE enabled = 1 AND next_run_at IS NOT NULL AND next_run_at <= $1 ORDER BY next_run_at, id LIMIT $2"
);
pub(crate) const FOLLOWERS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE id IN (SELECT task_id FROM task_upstreams WHERE upstream_id = $1 AND task_id > $2 ORDER BY task_id LIMIT $3) ORDER BY id"
);
pub(crate) const VERIFY_DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tasks WHERE enabled = 1 AND verify_at IS NOT NULL AND verify_at <= $1 ORDER BY verify_at, id LIMIT $2"
);
/// Only an enabled task begins verifications: somebody may have turned it off since it was seen to be due.
const VERIFY: &str = "UPDATE tasks SET verify_from = $4, verify_at = $5 WHERE id = $1 AND verify_from = $2 AND verify_at = $3 AND enabled = 1";
/// Only an enabled schedule fires: somebody may have turned it off since it was seen to be due.
const FIRE: &str = "UPDATE tasks SET next_run_at = $4, next_instant = $5 WHERE id = $1 AND next_run_at = $2 AND next_instant = $3 AND enabled = 1";

#[async_trait]
impl Tasks for SqlStores {
    async fn add(
        &self,
        spec: &TaskSpec,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task> {
        let mut transaction = upstreams::begin(self, spec).await?;
        refuse_unknown(&mut transaction, spec).await?;
        let statement = sqlx::query(ADD)
            .bind(spec.name.as_str())
            .bind(node_of(spec))
            .bind(json(spec)?)
            .bind(optional_micros(next_run.map(|next| next.at)))
            .bind(optional_micros(next_run.map(|next| next.instant)))
            .bind(micros(now))
            .bind(optional_micros(looked_at(spec, now).map(|next| next.at)));
        let row = returning(statement, &mut *transaction)
            .await
            .map_err(name_taken(spec))?;
        let task = task(&certain(row)?)?;
        name_targets(&mut transaction, task.id, spec).await?;
        upstreams::name(&mut transaction, task.id, spec).await?;
        commit(transaction).await?;
        Ok(task)
    }

    async fn get(&self, id: TaskId) -> Result<Option<Task>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(task).transpose()
    }

    async fn by_name(&self, name: &str) -> Result<Option<Task>> {
        let row = sqlx::query(BY_NAME)
            .bind(name)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(task).transpose()
    }

    async fn list(&self, page: PageRequest) -> Result<Page<Task>> {
        let rows = sqlx::query(LIST)
            .bind(page.after.unwrap_or(i64::MIN))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        let tasks = rows.iter().map(task).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(tasks, page.limit, |task| task.id.0))
    }

    async fn update(
        &self,
        id: TaskId,
        version: i64,
        spec: &TaskSpec,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task> {
        let mut transaction = upstreams::begin(self, spec).await?;
        let current = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(store)?
            .ok_or_else(|| not_found(id))?;
        refuse_unknown(&mut transaction, spec).await?;
        let before = task(&current)?;
        let verify = match before.spec.verify == spec.verify {
            true => before.verify,
            false => looked_at(spec, now),
        };
        let statement = sqlx::query(UPDATE)
            .bind(id.0)
            .bind(version)
            .bind(spec.name.as_str())
            .bind(node_of(spec))
            .bind(json(spec)?)
            .bind(optional_micros(next_run.map(|next| next.at)))
            .bind(optional_micros(next_run.map(|next| next.instant)))
            .bind(micros(now))
            .bind(optional_micros(verify.map(|next| next.from)))
            .bind(optional_micros(verify.map(|next| next.at)));
        let row = returning(statement, &mut *transaction)
            .await
            .map_err(name_taken(spec))?;
        let Some(row) = row else {
            return Err(stale(id, version, before.version));
        };
        sqlx::query("DELETE FROM task_targets WHERE task_id = $1")
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        name_targets(&mut transaction, id, spec).await?;
        upstreams::name(&mut transaction, id, spec).await?;
        commit(transaction).await?;
        task(&row)
    }

    async fn set_secrets(&self, id: TaskId, secrets: Option<&Sealed>) -> Result<()> {
        let done = sqlx::query("UPDATE tasks SET secrets = $2 WHERE id = $1")
            .bind(id.0)
            .bind(secrets.map(|sealed| sealed.0.as_str()))
            .execute(self.writer())
            .await
            .map_err(store)?;
        if done.rows_affected() == 0 {
            return Err(not_found(id));
        }
        Ok(())
    }

    async fn set_enabled(
        &self,
        id: TaskId,
        enabled: bool,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task> {
        let statement = sqlx::query(SET_ENABLED)
            .bind(id.0)
            .bind(i64::from(enabled))
            .bind(optional_micros(next_run.map(|next| next.at)))
            .bind(optional_micros(next_run.map(|next| next.instant)))
            .bind(micros(now));
        let row = returning(statement, self.writer()).await.map_err(store)?;
        task(&row.ok_or_else(|| not_found(id))?)
    }

    async fn pause(
        &self,
        id: TaskId,
        pause: &Pause,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task> {
        let statement = sqlx::query(PAUSE)
            .bind(id.0)
            .bind(micros(pause.until))
            .bind(pause.reason.as_str())
            .bind(optional_micros(next_run.map(|next| next.at)))
            .bind(optional_micros(next_run.map(|next| next.instant)))
            .bind(micros(now));
        let row = returning(statement, self.writer()).await.map_err(store)?;
        task(&row.ok_or_else(|| not_found(id))?)
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Task>> {
        due(self, DUE, now, limit).await
    }

    async fn fire(
        &self,
        id: TaskId,
        expected: NextRun,
        next: Option<NextRun>,
        record: Option<NewRecord>,
    ) -> Result<Option<RecordId>> {
        let mut transaction = self.begin().await?;
        let fired = sqlx::query(FIRE)
            .bind(id.0)
            .bind(micros(expected.at))
            .bind(micros(expected.instant))
            .bind(optional_micros(next.map(|next| next.at)))
            .bind(optional_micros(next.map(|next| next.instant)))
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        if fired.rows_affected() == 0 {
            return Ok(None);
        }
        let written = match record {
            Some(record) => add_record(&mut transaction, record).await?.ok(),
            None => None,
        };
        commit(transaction).await?;
        Ok(written.map(|record| record.id))
    }

    async fn due_verifications(&self, now: Timestamp, limit: u32) -> Result<Vec<Task>> {
        due(self, VERIFY_DUE, now, limit).await
    }

    async fn begin_verifications(
        &self,
        id: TaskId,
        expected: NextVerify,
        next: Option<NextVerify>,
        operations: &[NewOperation],
    ) -> Result<Vec<Operation>> {
        let mut transaction = self.begin().await?;
        let moved = sqlx::query(VERIFY)
            .bind(id.0)
            .bind(micros(expected.from))
            .bind(micros(expected.at))
            .bind(optional_micros(next.map(|next| next.from)))
            .bind(optional_micros(next.map(|next| next.at)))
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        if moved.rows_affected() == 0 {
            return Ok(Vec::new());
        }
        let mut written = Vec::new();
        for new in operations {
            written.push(add_operation(&mut *transaction, new).await?);
        }
        commit(transaction).await?;
        Ok(written)
    }

    async fn followers(&self, upstream: TaskId, page: PageRequest) -> Result<Page<Task>> {
        let rows = sqlx::query(FOLLOWERS)
            .bind(upstream.0)
            .bind(page.after.unwrap_or(i64::MIN))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        let tasks = rows.iter().map(task).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(tasks, page.limit, |task| task.id.0))
    }

    async fn follow(
        &self,
        id: TaskId,
        upstream: TaskId,
        event: EventId,
        when: AfterWhen,
        record: NewRecord,
    ) -> Result<Option<RecordId>> {
        upstreams::follow(self, id, upstream, event, when, record).await
    }

    async fn remove(&self, id: TaskId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM tasks WHERE id = $1")
            .bind(id.0)
            .execute(self.writer())
            .await
            .map_err(in_use("task_in_use", || {
                format!("another task runs after task {id}: change that one first")
            }))?;
        Ok(done.rows_affected() > 0)
    }
}

/// The tasks that a statement finds due at `now`, at most `limit`.
async fn due(
    stores: &SqlStores,
    statement: &'static str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Task>> {
    let rows = sqlx::query(statement)
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(stores.reader())
        .await
        .map_err(store)?;
    rows.iter().map(task).collect()
}

/// The node that a task holds on to; one with a pool holds on to none.
fn node_of(spec: &TaskSpec) -> Option<i64> {
    spec.pool.is_none().then_some(spec.node_id.0)
}

/// Refuses a task that names a node or a target that does not exist; every one of them is named.
async fn refuse_unknown(transaction: &mut Transaction, spec: &TaskSpec) -> Result<()> {
    let mut wrong = Vec::new();
    let node = sqlx::query("SELECT id FROM nodes WHERE id = $1")
        .bind(spec.node_id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(store)?;
    if node.is_none() && spec.pool.is_none() {
        wrong.push(FieldError {
            field: "nodeId".to_owned(),
            message: format!("there is no node {}", spec.node_id),
        });
    }
    let upstreams = spec.after.iter().flat_map(|after| &after.task_ids);
    for upstream in upstreams {
        let known = sqlx::query("SELECT id FROM tasks WHERE id = $1")
            .bind(upstream.0)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(store)?;
        if known.is_none() {
            wrong.push(FieldError {
                field: "after.taskIds".to_owned(),
                message: format!("there is no task {upstream}"),
            });
        }
    }
    for target in &spec.target_ids {
        let known = sqlx::query("SELECT id FROM targets WHERE id = $1")
            .bind(target.0)
            .fetch_optional(&mut **transaction)
            .await
            .map_err(store)?;
        if known.is_none() {
            wrong.push(FieldError {
                field: "targetIds".to_owned(),
                message: format!("there is no target {target}"),
            });
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::fields(wrong))
    }
}

async fn name_targets(transaction: &mut Transaction, id: TaskId, spec: &TaskSpec) -> Result<()> {
    for target in &spec.target_ids {
        sqlx::query(
            "INSERT INTO task_targets (task_id, target_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(id.0)
        .bind(target.0)
        .execute(&mut **transaction)
        .await
        .map_err(store)?;
    }
    Ok(())
}

fn name_taken(spec: &TaskSpec) -> impl FnOnce(sqlx::Error) -> Error {
    let name = spec.name.clone();
    taken("task_name_taken", move || {
        format!("there is a task called {name} already")
    })
}

fn not_found(id: TaskId) -> Error {
    Error::not_found("task_not_found", format!("there is no task {id}"))
}

fn stale(id: TaskId, version: i64, now: i64) -> Error {
    Error::conflict(
        "stale_version",
        format!("task {id} is at version {now}, not {version}: somebody else changed it"),
    )
}

fn task(row: &AnyRow) -> Result<Task> {
    Ok(Task {
        id: TaskId(row.int("id")?),
        spec: row.json("spec")?,
        secrets: row.optional_text("secrets")?.map(Sealed),
        enabled: row.flag("enabled")?,
        next_run: next_run(row)?,
        verify: next_verify(row)?,
        pause: pause(row)?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

fn next_run(row: &AnyRow) -> Result<Option<NextRun>> {
    let Some(at) = row.optional_time("next_run_at")? else {
        return Ok(None);
    };
    let instant = row.optional_time("next_instant")?.unwrap_or(at);
    Ok(Some(NextRun { instant, at }))
}

fn next_verify(row: &AnyRow) -> Result<Option<NextVerify>> {
    let Some(at) = row.optional_time("verify_at")? else {
        return Ok(None);
    };
    let from = row.optional_time("verify_from")?.unwrap_or(at);
    Ok(Some(NextVerify { from, at }))
}

/// Where a task with these plans begins in their timetables: a pass of the scheduler reads them soon.
fn looked_at(spec: &TaskSpec, now: Timestamp) -> Option<NextVerify> {
    (!spec.verify.is_empty()).then_some(NextVerify { from: now, at: now })
}

fn pause(row: &AnyRow) -> Result<Option<Pause>> {
    let Some(until) = row.optional_time("paused_until")? else {
        return Ok(None);
    };
    Ok(Some(Pause {
        until,
        reason: row.optional_text("pause_reason")?.unwrap_or_default(),
    }))
}
