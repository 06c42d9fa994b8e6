//! Records as rows: one statement reads a record and its copies, so that both are of one moment.

use crate::error::unreadable;
use crate::filter::{Filter, Values};
use crate::row::Columns;
use backupx_core::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{NodeId, RecordId, TargetId, TaskId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::record::{CopyState, Record, RecordCopy, RecordState, Trigger};
use backupx_core::ports::records::RecordFilter;
use sqlx::any::AnyRow;

macro_rules! record_columns {
    () => {
        "SELECT r.id, r.task_id, r.task, r.node_id, r.cause, r.state, r.lease, r.location, r.progress, r.counts, r.failure, r.lock, r.alarm, r.drill, r.streams, r.created_at, r.started_at, r.finished_at, r.cancel_requested_at, c.target_id, c.target_name, c.state AS copy_state, c.stored_bytes, c.manifest_sha256, c.error, c.verified_at, c.lost_at"
    };
}

const RECORD_COLUMNS: &str = record_columns!();
const NEWEST_FIRST: &str = " ORDER BY r.id DESC, c.position";

pub(super) const GET: &str = concat!(
    record_columns!(),
    " FROM records r LEFT JOIN record_copies c ON c.record_id = r.id WHERE r.id = $1 ORDER BY r.id, c.position"
);

/// The records whose ids `picked` selects, with their copies.
macro_rules! picked {
    ($picked:literal) => {
        concat!(
            record_columns!(),
            " FROM (",
            $picked,
            ") AS picked JOIN records r ON r.id = picked.id LEFT JOIN record_copies c ON c.record_id = r.id ORDER BY r.id, c.position"
        )
    };
}

/// The list of records, newest first: `$1` is the id before which it begins, `$2` the limit, then the values of the filter.
pub(crate) fn list_sql(filter: RecordFilter) -> (String, Values) {
    let mut conditions = Filter::behind("id < $1", 3);
    conditions.id("task_id", filter.task_id.map(|id| id.0));
    conditions.id("node_id", filter.node_id.map(|id| id.0));
    conditions.text("state", filter.state.map(RecordState::as_str));
    let (conditions, values) = conditions.done();
    let sql = format!(
        "{RECORD_COLUMNS} FROM (SELECT id FROM records WHERE {conditions} ORDER BY id DESC LIMIT $2) AS picked JOIN records r ON r.id = picked.id LEFT JOIN record_copies c ON c.record_id = r.id{NEWEST_FIRST}"
    );
    (sql, values)
}

/// Records that are not at their end, behind the id `$1`, at most `$2`.
pub(crate) fn unfinished_sql() -> &'static str {
    picked!("SELECT id FROM records WHERE finished_at IS NULL AND id > $1 ORDER BY id LIMIT $2")
}

/// Queued records of node `$1`, at most `$2`: asked for those that no node has.
pub(crate) fn in_pools_sql() -> &'static str {
    picked!("SELECT id FROM records WHERE node_id = $1 AND state = 'queued' ORDER BY id LIMIT $2")
}

/// Finished records of task `$1` with a copy that may still be somewhere.
pub(crate) fn with_copies_sql() -> &'static str {
    picked!(
        "SELECT id FROM records WHERE task_id = $1 AND finished_at IS NOT NULL AND EXISTS (SELECT 1 FROM record_copies k WHERE k.record_id = records.id AND k.state NOT IN ('deleted', 'failed'))"
    )
}

/// Rows that were read by one of these statements: neighbours with the same id are one record with several copies.
pub(super) fn records(rows: &[AnyRow]) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    for row in rows {
        let id = RecordId(row.int("id")?);
        if records.last().is_none_or(|last| last.id != id) {
            records.push(record(id, row)?);
        }
        if let (Some(last), Some(copy)) = (records.last_mut(), copy(row)?) {
            last.copies.push(copy);
        }
    }
    Ok(records)
}

fn record(id: RecordId, row: &AnyRow) -> Result<Record> {
    Ok(Record {
        id,
        task_id: TaskId(row.int("task_id")?),
        task: row.json("task")?,
        node_id: NodeId(row.int("node_id")?),
        trigger: Trigger::parse(&row.text("cause")?)?,
        state: RecordState::parse(&row.text("state")?).map_err(|why| unreadable("state", why))?,
        lease: Lease(row.int("lease")?),
        location: ObjectKey::parse(&row.text("location")?)
            .map_err(|why| unreadable("location", why))?,
        progress: row.json("progress")?,
        counts: row.json("counts")?,
        failure: row.optional_json("failure")?,
        lock: row.optional_json("lock")?,
        alarm: row.optional_json("alarm")?,
        drill: row.optional_json("drill")?,
        streams: row.json("streams")?,
        copies: Vec::new(),
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        cancel_requested_at: row.optional_time("cancel_requested_at")?,
    })
}

fn copy(row: &AnyRow) -> Result<Option<RecordCopy>> {
    let Some(target_id) = row.optional_int("target_id")? else {
        return Ok(None);
    };
    Ok(Some(RecordCopy {
        target_id: TargetId(target_id),
        target_name: row.text("target_name")?,
        state: CopyState::parse(&row.text("copy_state")?)?,
        stored_bytes: row.count("stored_bytes")?,
        manifest_sha256: row.optional_text("manifest_sha256")?,
        error: row.optional_text("error")?,
        verified_at: row.optional_time("verified_at")?,
        lost_at: row.optional_time("lost_at")?,
    }))
}
