//! Evidence of drills: the last one of a record, told of when it did not hold.

use super::life::HOLD;
use crate::SqlStores;
use crate::error::store;
use crate::events;
use crate::row::{Columns, json};
use crate::stores::commit;
use backupx_core::Result;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::evidence::Evidence;
use backupx_core::domain::id::{RecordId, TaskId};

const GET: &str = "SELECT task_id, drill FROM records WHERE id = $1";
const SET: &str = "UPDATE records SET drill = $2 WHERE id = $1";

pub(super) async fn set(
    stores: &SqlStores,
    id: RecordId,
    evidence: &Evidence,
    pinned: Option<RecordId>,
) -> Result<bool> {
    let mut transaction = stores.begin().await?;
    sqlx::query(HOLD)
        .bind(id.0)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    let row = sqlx::query(GET)
        .bind(id.0)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(store)?;
    let Some(row) = row else {
        return Ok(false);
    };
    let there = row.optional_json::<Evidence>("drill")?;
    if there.is_some_and(|there| there.operation_id >= evidence.operation_id) {
        return Ok(false);
    }
    sqlx::query(SET)
        .bind(id.0)
        .bind(json(evidence)?)
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if !evidence.holds() {
        let event = EventKind::DrillFailed {
            operation_id: evidence.operation_id,
            record_id: id,
            task_id: TaskId(row.int("task_id")?),
            pinned,
        };
        events::write(stores, &mut transaction, &event, evidence.at).await?;
    }
    commit(transaction).await?;
    Ok(true)
}
