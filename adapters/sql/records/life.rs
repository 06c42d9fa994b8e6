//! The life of a record: every change of its state is guarded by state and lease, and a change that comes too late changes nothing.

use super::history;
use crate::SqlStores;
use crate::connections::Transaction;
use crate::error::store;
use crate::events;
use crate::row::{Columns, count, json, micros, optional_json, optional_micros};
use crate::stores::{commit, returning};
use backupx_core::domain::command::Lease;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::guard::{Acceptance, Alarm};
use backupx_core::domain::id::{NodeId, RecordId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::progress::Progress;
use backupx_core::domain::record::{CopyState, Record, RecordCopy, RecordState};
use backupx_core::domain::report::Counts;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::{NewRecord, RecordEnd};
use backupx_core::{Error, Result};

const QUEUED: &str =
    "SELECT id FROM records WHERE task_id = $1 AND state = 'queued' ORDER BY id LIMIT 1";
/// The partial unique index decides between callers that saw no queued record at the same time.
const ADD: &str = "INSERT INTO records (task_id, task, node_id, cause, state, lease, location, progress, counts, streams, created_at) VALUES ($1, $2, $3, $4, 'queued', 0, '', $5, $6, '[]', $7) ON CONFLICT DO NOTHING RETURNING id";
/// The same lease again is no new start: it keeps its time and its progress.
const START: &str = "UPDATE records SET state = 'running', lease = $2, started_at = CASE WHEN state = 'running' AND lease = $2 THEN started_at ELSE $3 END, progress = CASE WHEN state = 'running' AND lease = $2 THEN progress ELSE $4 END WHERE id = $1 AND state IN ('queued', 'running') AND lease <= $2";
const PROGRESS: &str =
    "UPDATE records SET progress = $3 WHERE id = $1 AND lease = $2 AND state = 'running'";
const FINISH: &str = "UPDATE records SET state = $3, counts = $4, failure = $5, streams = $6, finished_at = $7, alarm = $8 WHERE id = $1 AND lease = $2 AND state IN ('queued', 'running') RETURNING task_id";
const REQUEUE: &str = "UPDATE records SET state = 'queued', started_at = NULL, progress = $3 WHERE id = $1 AND lease = $2 AND state = 'running'";
const ASSIGN: &str =
    "UPDATE records SET node_id = $3 WHERE id = $1 AND node_id = $2 AND state = 'queued'";
const REQUEST_CANCEL: &str = "UPDATE records SET cancel_requested_at = COALESCE(cancel_requested_at, $2) WHERE id = $1 AND finished_at IS NULL";
const ALARM: &str = "SELECT alarm FROM records WHERE id = $1";
const ACCEPT: &str = "UPDATE records SET alarm = $3 WHERE id = $1 AND alarm = $2";
const PUT_COPY: &str = "INSERT INTO record_copies (record_id, target_id, position, target_name, state, stored_bytes, manifest_sha256, error, verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (record_id, target_id) DO UPDATE SET target_name = excluded.target_name, state = excluded.state, stored_bytes = excluded.stored_bytes, manifest_sha256 = excluded.manifest_sha256, error = excluded.error, verified_at = excluded.verified_at";
const SET_COPY: &str = "UPDATE record_copies SET state = $4, stored_bytes = $5, manifest_sha256 = $6, error = $7, verified_at = $8 WHERE record_id = $1 AND target_id = $2 AND state = $3";
/// Changes nothing; whoever changes another copy of the same record has to wait for the end of this transaction.
pub(super) const HOLD: &str = "UPDATE records SET state = state WHERE id = $1";
const COPY_STATES: &str = "SELECT state FROM record_copies WHERE record_id = $1";
/// A run that is under way gets its state by `finish` alone.
const ROLL_UP: &str = "UPDATE records SET state = $2 WHERE id = $1 AND finished_at IS NOT NULL";

/// Writes a queued record within a transaction, or answers the one that the task has already.
pub(crate) async fn add_record(
    transaction: &mut Transaction,
    new: NewRecord,
) -> Result<std::result::Result<Record, RecordId>> {
    if let Some(waiting) = queued(transaction, new.task_id).await? {
        return Ok(Err(waiting));
    }
    let statement = sqlx::query(ADD)
        .bind(new.task_id.0)
        .bind(json(&new.task)?)
        .bind(new.node_id.0)
        .bind(new.trigger.as_str())
        .bind(json(&Progress::default())?)
        .bind(json(&Counts::default())?)
        .bind(micros(new.created_at));
    let row = returning(statement, &mut **transaction)
        .await
        .map_err(store)?;
    let Some(row) = row else {
        let waiting = queued(transaction, new.task_id).await?;
        return waiting.map(Err).ok_or_else(|| {
            Error::unavailable(
                "store_unavailable",
                "another record of the task came and went meanwhile",
            )
        });
    };
    let id = RecordId(row.int("id")?);
    let location = ObjectKey::of_record(&new.task.name.slug(), id, new.created_at)?;
    sqlx::query("UPDATE records SET location = $2 WHERE id = $1")
        .bind(id.0)
        .bind(location.as_str())
        .execute(&mut **transaction)
        .await
        .map_err(store)?;
    put_copies(transaction, id, &new.copies).await?;
    Ok(Ok(Record {
        id,
        task_id: new.task_id,
        task: new.task,
        node_id: new.node_id,
        trigger: new.trigger,
        state: RecordState::Queued,
        lease: Lease::NONE,
        location,
        progress: Progress::default(),
        counts: Counts::default(),
        failure: None,
        lock: None,
        alarm: None,
        drill: None,
        streams: Vec::new(),
        copies: new.copies,
        created_at: new.created_at,
        started_at: None,
        finished_at: None,
        cancel_requested_at: None,
    }))
}

pub(super) async fn start(
    stores: &SqlStores,
    id: RecordId,
    lease: Lease,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(START)
        .bind(id.0)
        .bind(lease.0)
        .bind(micros(now))
        .bind(json(&Progress::default())?)
        .execute(stores.writer())
        .await
        .map_err(store)?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn progress(
    stores: &SqlStores,
    id: RecordId,
    lease: Lease,
    progress: &Progress,
) -> Result<bool> {
    let done = sqlx::query(PROGRESS)
        .bind(id.0)
        .bind(lease.0)
        .bind(json(progress)?)
        .execute(stores.writer())
        .await
        .map_err(store)?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn finish(
    stores: &SqlStores,
    id: RecordId,
    lease: Lease,
    end: &RecordEnd,
    now: Timestamp,
) -> Result<bool> {
    if !end.state.is_final() {
        return Err(Error::internal(format!(
            "record {id} can't end as {}",
            end.state.as_str()
        )));
    }
    let mut transaction = stores.begin().await?;
    let statement = sqlx::query(FINISH)
        .bind(id.0)
        .bind(lease.0)
        .bind(end.state.as_str())
        .bind(json(&end.counts)?)
        .bind(optional_json(end.failure.as_ref())?)
        .bind(json(&end.streams)?)
        .bind(micros(now))
        .bind(optional_json(end.alarm.as_ref())?);
    let row = returning(statement, &mut *transaction)
        .await
        .map_err(store)?;
    let Some(row) = row else {
        return Ok(false);
    };
    put_copies(&mut transaction, id, &end.copies).await?;
    let task_id = TaskId(row.int("task_id")?);
    let event = EventKind::RecordFinished {
        record_id: id,
        task_id,
        status: end.state,
    };
    events::write(stores, &mut transaction, &event, now).await?;
    if let Some(history) = &end.history {
        history::set(&mut *transaction, task_id, history).await?;
    }
    if let Some(alarm) = &end.alarm {
        let codes = alarm.findings.iter().map(|finding| finding.code.clone());
        let event = EventKind::RecordSuspicious {
            record_id: id,
            task_id,
            findings: codes.collect(),
        };
        events::write(stores, &mut transaction, &event, now).await?;
    }
    commit(transaction).await?;
    Ok(true)
}

pub(super) async fn requeue(stores: &SqlStores, id: RecordId, lease: Lease) -> Result<bool> {
    let done = sqlx::query(REQUEUE)
        .bind(id.0)
        .bind(lease.0)
        .bind(json(&Progress::default())?)
        .execute(stores.writer())
        .await
        .map_err(store)?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn assign(
    stores: &SqlStores,
    id: RecordId,
    from: NodeId,
    to: NodeId,
) -> Result<bool> {
    let done = sqlx::query(ASSIGN)
        .bind(id.0)
        .bind(from.0)
        .bind(to.0)
        .execute(stores.writer())
        .await
        .map_err(store)?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn request_cancel(
    stores: &SqlStores,
    id: RecordId,
    now: Timestamp,
) -> Result<bool> {
    let done = sqlx::query(REQUEST_CANCEL)
        .bind(id.0)
        .bind(micros(now))
        .execute(stores.writer())
        .await
        .map_err(store)?;
    Ok(done.rows_affected() > 0)
}

/// The alarm is replaced as it was read: of two callers one is first, and its word stays.
pub(super) async fn accept(
    stores: &SqlStores,
    id: RecordId,
    acceptance: &Acceptance,
) -> Result<bool> {
    let row = sqlx::query(ALARM)
        .bind(id.0)
        .fetch_optional(stores.reader())
        .await
        .map_err(store)?;
    let Some(row) = row else {
        return Ok(false);
    };
    let Some(alarm) = row.optional_json::<Alarm>("alarm")?.filter(Alarm::is_open) else {
        return Ok(false);
    };
    let accepted = Alarm {
        accepted: Some(acceptance.clone()),
        ..alarm
    };
    let done = sqlx::query(ACCEPT)
        .bind(id.0)
        .bind(row.optional_text("alarm")?)
        .bind(json(&accepted)?)
        .execute(stores.writer())
        .await
        .map_err(store)?;
    Ok(done.rows_affected() > 0)
}

/// What the copies roll up to is taken from the rows within the transaction: two callers that change two copies at once must not
/// decide from what each of them saw before.
pub(super) async fn set_copy(
    stores: &SqlStores,
    id: RecordId,
    expected: CopyState,
    copy: &RecordCopy,
    state: Option<RecordState>,
) -> Result<bool> {
    let mut transaction = stores.begin().await?;
    let done = sqlx::query(SET_COPY)
        .bind(id.0)
        .bind(copy.target_id.0)
        .bind(expected.as_str())
        .bind(copy.state.as_str())
        .bind(count(copy.stored_bytes))
        .bind(copy.manifest_sha256.as_deref())
        .bind(copy.error.as_deref())
        .bind(optional_micros(copy.verified_at))
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if state.is_some() {
        roll_up(&mut transaction, id).await?;
    }
    commit(transaction).await?;
    Ok(true)
}

async fn roll_up(transaction: &mut Transaction, id: RecordId) -> Result<()> {
    sqlx::query(HOLD)
        .bind(id.0)
        .execute(&mut **transaction)
        .await
        .map_err(store)?;
    let rows = sqlx::query(COPY_STATES)
        .bind(id.0)
        .fetch_all(&mut **transaction)
        .await
        .map_err(store)?;
    let states = rows
        .iter()
        .map(|row| CopyState::parse(&row.text("state")?))
        .collect::<Result<Vec<_>>>()?;
    sqlx::query(ROLL_UP)
        .bind(id.0)
        .bind(RecordState::roll_up(states).as_str())
        .execute(&mut **transaction)
        .await
        .map_err(store)?;
    Ok(())
}

async fn queued(transaction: &mut Transaction, task: TaskId) -> Result<Option<RecordId>> {
    let row = sqlx::query(QUEUED)
        .bind(task.0)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(store)?;
    row.map(|row| row.int("id").map(RecordId)).transpose()
}

async fn put_copies(
    transaction: &mut Transaction,
    id: RecordId,
    copies: &[RecordCopy],
) -> Result<()> {
    put_copies_from(transaction, id, 0, copies).await
}

/// Writes copies, the first of them at this position.
pub(super) async fn put_copies_from(
    transaction: &mut Transaction,
    id: RecordId,
    first: i64,
    copies: &[RecordCopy],
) -> Result<()> {
    for (position, copy) in (first..).zip(copies) {
        sqlx::query(PUT_COPY)
            .bind(id.0)
            .bind(copy.target_id.0)
            .bind(position)
            .bind(copy.target_name.as_str())
            .bind(copy.state.as_str())
            .bind(count(copy.stored_bytes))
            .bind(copy.manifest_sha256.as_deref())
            .bind(copy.error.as_deref())
            .bind(optional_micros(copy.verified_at))
            .execute(&mut **transaction)
            .await
            .map_err(store)?;
    }
    Ok(())
}
