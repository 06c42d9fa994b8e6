//! The history of tasks: kept with the task, since records go when their last copy does.

use crate::SqlStores;
use crate::error::store;
use crate::row::{Columns, json};
use backupx_core::Result;
use backupx_core::domain::guard::Past;
use backupx_core::domain::id::TaskId;

const GET: &str = "SELECT history FROM tasks WHERE id = $1";
const SET: &str = "UPDATE tasks SET history = $2 WHERE id = $1";

pub(super) async fn get(stores: &SqlStores, task: TaskId) -> Result<Vec<Past>> {
    let row = sqlx::query(GET)
        .bind(task.0)
        .fetch_optional(stores.reader())
        .await
        .map_err(store)?;
    let history = row.map(|row| row.optional_json("history")).transpose()?;
    Ok(history.flatten().unwrap_or_default())
}

/// By itself or within a transaction.
pub(super) async fn set<'e, E>(executor: E, task: TaskId, history: &[Past]) -> Result<()>
where
    E: sqlx::Executor<'e, Database = sqlx::Any>,
{
    sqlx::query(SET)
        .bind(task.0)
        .bind(json(&history)?)
        .execute(executor)
        .await
        .map_err(store)?;
    Ok(())
}
