//! What leaves: copies that are to be removed, and records whose last copy is gone.

use crate::SqlStores;
use crate::error::store;
use crate::row::Columns;
use crate::stores::commit;
use backupx_core::Result;
use backupx_core::domain::command::Subject;
use backupx_core::domain::id::{RecordId, TargetId, TaskId};

pub(crate) const TASKS_WITH_COPIES: &str = "SELECT DISTINCT r.task_id FROM record_copies c JOIN records r ON r.id = c.record_id WHERE c.state = 'good' ORDER BY r.task_id";
pub(crate) const TO_BE_REMOVED: &str = "SELECT c.record_id, c.target_id FROM record_copies c JOIN records r ON r.id = c.record_id WHERE c.state IN ('failed', 'deleting') AND r.finished_at IS NOT NULL ORDER BY c.record_id, c.position LIMIT $1";
const REMOVE: &str = "DELETE FROM records WHERE id = $1 AND finished_at IS NOT NULL AND lock IS NULL AND NOT EXISTS (SELECT 1 FROM record_copies c WHERE c.record_id = records.id AND c.state <> 'deleted')";

pub(super) async fn tasks_with_copies(stores: &SqlStores) -> Result<Vec<TaskId>> {
    let rows = sqlx::query(TASKS_WITH_COPIES)
        .fetch_all(stores.reader())
        .await
        .map_err(store)?;
    rows.iter()
        .map(|row| row.int("task_id").map(TaskId))
        .collect()
}

pub(super) async fn to_be_removed(
    stores: &SqlStores,
    limit: u32,
) -> Result<Vec<(RecordId, TargetId)>> {
    let rows = sqlx::query(TO_BE_REMOVED)
        .bind(i64::from(limit))
        .fetch_all(stores.reader())
        .await
        .map_err(store)?;
    rows.iter()
        .map(|row| {
            Ok((
                RecordId(row.int("record_id")?),
                TargetId(row.int("target_id")?),
            ))
        })
        .collect()
}

/// The copies' rows go with the record's; its log has no reference to it and goes by its subject.
pub(super) async fn remove(stores: &SqlStores, id: RecordId) -> Result<bool> {
    let mut transaction = stores.begin().await?;
    let done = sqlx::query(REMOVE)
        .bind(id.0)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM log_lines WHERE subject = $1")
        .bind(Subject::Record(id).to_string())
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    commit(transaction).await?;
    Ok(true)
}
