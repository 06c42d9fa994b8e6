//! Which tasks a task waits for, and which of their successes it has seen.

use crate::SqlStores;
use crate::connections::Transaction;
use crate::error::store;
use crate::records::add_record;
use crate::row::Columns;
use crate::stores::commit;
use backupx_core::domain::id::{EventId, RecordId, TaskId};
use backupx_core::domain::task::{AfterWhen, TaskSpec};
use backupx_core::ports::records::NewRecord;
use backupx_core::{Error, Result};

const NAMED: &str =
    "SELECT upstream_id FROM task_upstreams WHERE task_id = $1 ORDER BY upstream_id";
const NAME: &str = "INSERT INTO task_upstreams (task_id, upstream_id, last_event, fresh) VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING";
const UNNAME: &str = "DELETE FROM task_upstreams WHERE task_id = $1 AND upstream_id = $2";
/// Whether a task is among those that it waits for, near or far.
pub(crate) const CYCLE: &str = "WITH RECURSIVE above (id) AS (SELECT upstream_id FROM task_upstreams WHERE task_id = $1 UNION SELECT u.upstream_id FROM task_upstreams u JOIN above a ON u.task_id = a.id) SELECT id FROM above WHERE id = $1 LIMIT 1";
/// Changes nothing; whoever tells the same task of another success has to wait for the end of this transaction.
const HOLD: &str = "UPDATE tasks SET enabled = enabled WHERE id = $1 AND enabled = 1";
const COUNT: &str = "UPDATE task_upstreams SET last_event = $3, fresh = 1 WHERE task_id = $1 AND upstream_id = $2 AND last_event < $3";
const LACKING: &str = "SELECT upstream_id FROM task_upstreams WHERE task_id = $1 AND fresh = 0 ORDER BY upstream_id LIMIT 1";
const ANEW: &str = "UPDATE task_upstreams SET fresh = 0 WHERE task_id = $1";

/// Begins a transaction that saves a task. Two that begin to wait for each other at the same time must not both miss it, so those that
/// wait are saved one by one.
pub(crate) async fn begin(stores: &SqlStores, spec: &TaskSpec) -> Result<Transaction> {
    match spec.after {
        Some(_) => stores.begin_alone("tasks that wait").await,
        None => stores.begin().await,
    }
}

/// Names the tasks that a task waits for; what it has seen of those that stay is kept. `Invalid` when it would wait for itself.
pub(crate) async fn name(transaction: &mut Transaction, id: TaskId, spec: &TaskSpec) -> Result<()> {
    let wanted = match &spec.after {
        Some(after) => after.task_ids.as_slice(),
        None => &[],
    };
    for upstream in named(transaction, id).await? {
        if !wanted.contains(&upstream) {
            change(transaction, UNNAME, id, upstream).await?;
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    for upstream in wanted {
        change(transaction, NAME, id, *upstream).await?;
    }
    let cycle = sqlx::query(CYCLE)
        .bind(id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(store)?;
    match cycle {
        None => Ok(()),
        Some(_) => Err(Error::field(
            "after.taskIds",
            "it would wait for itself: one of these tasks waits for it, or is it",
        )),
    }
}

async fn named(transaction: &mut Transaction, id: TaskId) -> Result<Vec<TaskId>> {
    let rows = sqlx::query(NAMED)
        .bind(id.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(store)?;
    rows.iter()
        .map(|row| row.int("upstream_id").map(TaskId))
        .collect()
}

async fn change(
    transaction: &mut Transaction,
    statement: &'static str,
    id: TaskId,
    upstream: TaskId,
) -> Result<()> {
    sqlx::query(statement)
        .bind(id.0)
        .bind(upstream.0)
        .execute(&mut **transaction)
        .await
        .map(drop)
        .map_err(store)
}

/// Counts a success and writes the run when nothing is lacking any more.
pub(crate) async fn follow(
    stores: &SqlStores,
    id: TaskId,
    upstream: TaskId,
    event: EventId,
    when: AfterWhen,
    record: NewRecord,
) -> Result<Option<RecordId>> {
    let mut transaction = stores.begin().await?;
    let held = sqlx::query(HOLD)
        .bind(id.0)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if held.rows_affected() == 0 {
        return Ok(None);
    }
    let counted = sqlx::query(COUNT)
        .bind(id.0)
        .bind(upstream.0)
        .bind(event.0)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if counted.rows_affected() == 0 {
        return Ok(None);
    }
    if when == AfterWhen::All && is_lacking(&mut transaction, id).await? {
        commit(transaction).await?;
        return Ok(None);
    }
    sqlx::query(ANEW)
        .bind(id.0)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    let written = add_record(&mut transaction, record).await?.ok();
    commit(transaction).await?;
    Ok(written.map(|record| record.id))
}

async fn is_lacking(transaction: &mut Transaction, id: TaskId) -> Result<bool> {
    let row = sqlx::query(LACKING)
        .bind(id.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(store)?;
    Ok(row.is_some())
}
