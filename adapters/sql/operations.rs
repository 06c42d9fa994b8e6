//! The store of operations.

use crate::SqlStores;
use crate::error::{store, unreadable};
use crate::events;
use crate::filter::{Filter, Values};
use crate::row::{Columns, json, micros, optional_json};
use crate::stores::{certain, commit, returning};
use async_trait::async_trait;
use backupx_core::domain::command::Lease;
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{NodeId, OperationId, RecordId};
use backupx_core::domain::operation::{Operation, OperationSpec, OperationState};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::progress::Progress;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::operations::{NewOperation, OperationEnd, OperationFilter, Operations};
use backupx_core::{Error, Result};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

macro_rules! columns {
    () => {
        "id, record_id, node_id, spec, state, lease, progress, report, failure, created_at, started_at, finished_at, cancel_requested_at"
    };
}

const COLUMNS: &str = columns!();
const GET: &str = concat!("SELECT ", columns!(), " FROM operations WHERE id = $1");
const ADD: &str = concat!(
    "INSERT INTO operations (record_id, node_id, kind, spec, state, lease, progress, created_at) VALUES ($1, $2, $3, $4, 'queued', 0, $5, $6) RETURNING ",
    columns!()
);
pub(crate) const UNFINISHED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM operations WHERE finished_at IS NULL AND id > $1 ORDER BY id LIMIT $2"
);
/// The same lease again is no new start: it keeps its time and its progress.
const START: &str = "UPDATE operations SET state = 'running', lease = $2, started_at = CASE WHEN state = 'running' AND lease = $2 THEN started_at ELSE $3 END, progress = CASE WHEN state = 'running' AND lease = $2 THEN progress ELSE $4 END WHERE id = $1 AND state IN ('queued', 'running') AND lease <= $2";
const PROGRESS: &str =
    "UPDATE operations SET progress = $3 WHERE id = $1 AND lease = $2 AND state = 'running'";
const FINISH: &str = "UPDATE operations SET state = $3, report = $4, failure = $5, finished_at = $6 WHERE id = $1 AND lease = $2 AND state IN ('queued', 'running') RETURNING record_id";
const REQUEUE: &str = "UPDATE operations SET state = 'queued', started_at = NULL, progress = $3 WHERE id = $1 AND lease = $2 AND state = 'running'";
const REQUEST_CANCEL: &str = "UPDATE operations SET cancel_requested_at = COALESCE(cancel_requested_at, $2) WHERE id = $1 AND finished_at IS NULL";

/// The list of operations, newest first: `$1` is the id before which it begins, `$2` the limit, then the values of the filter.
pub(crate) fn list_sql(filter: OperationFilter) -> (String, Values) {
    let mut conditions = Filter::behind("id < $1", 3);
    conditions.id("record_id", filter.record_id.map(|id| id.0));
    conditions.text("kind", filter.kind);
    conditions.text("state", filter.state.map(OperationState::as_str));
    let (conditions, values) = conditions.done();
    let sql =
        format!("SELECT {COLUMNS} FROM operations WHERE {conditions} ORDER BY id DESC LIMIT $2");
    (sql, values)
}

/// Writes a queued operation, by itself or within a transaction.
pub(crate) async fn add_operation<'e, E>(executor: E, new: &NewOperation) -> Result<Operation>
where
    E: sqlx::Executor<'e, Database = sqlx::Any>,
{
    let statement = sqlx::query(ADD)
        .bind(new.record_id.0)
        .bind(new.node_id.0)
        .bind(new.spec.kind())
        .bind(json(&new.spec)?)
        .bind(json(&Progress::default())?)
        .bind(micros(new.created_at));
    let row = returning(statement, executor).await.map_err(store)?;
    operation(&certain(row)?)
}

#[async_trait]
impl Operations for SqlStores {
    async fn add(
        &self,
        record: RecordId,
        node: NodeId,
        spec: &OperationSpec,
        now: Timestamp,
    ) -> Result<Operation> {
        let new = NewOperation {
            record_id: record,
            node_id: node,
            spec: spec.clone(),
            created_at: now,
        };
        add_operation(self.writer(), &new).await
    }

    async fn get(&self, id: OperationId) -> Result<Option<Operation>> {
        let row = sqlx::query(GET)
            .bind(id.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.as_ref().map(operation).transpose()
    }

    async fn list(&self, filter: OperationFilter, page: PageRequest) -> Result<Page<Operation>> {
        let (sql, values) = list_sql(filter);
        let mut statement = sqlx::query(AssertSqlSafe(sql))
            .bind(page.after.unwrap_or(i64::MAX))
            .bind(i64::from(page.limit) + 1);
        for id in values.ids {
            statement = statement.bind(id);
        }
        for text in values.texts {
            statement = statement.bind(text);
        }
        let rows = statement.fetch_all(self.reader()).await.map_err(store)?;
        let operations = rows.iter().map(operation).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(operations, page.limit, |operation| {
            operation.id.0
        }))
    }

    async fn start(&self, id: OperationId, lease: Lease, now: Timestamp) -> Result<bool> {
        let done = sqlx::query(START)
            .bind(id.0)
            .bind(lease.0)
            .bind(micros(now))
            .bind(json(&Progress::default())?)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn progress(&self, id: OperationId, lease: Lease, progress: &Progress) -> Result<bool> {
        let done = sqlx::query(PROGRESS)
            .bind(id.0)
            .bind(lease.0)
            .bind(json(progress)?)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn finish(
        &self,
        id: OperationId,
        lease: Lease,
        end: &OperationEnd,
        now: Timestamp,
    ) -> Result<bool> {
        if !end.state.is_final() {
            return Err(Error::internal(format!(
                "operation {id} can't end as {}",
                end.state.as_str()
            )));
        }
        let mut transaction = self.begin().await?;
        let statement = sqlx::query(FINISH)
            .bind(id.0)
            .bind(lease.0)
            .bind(end.state.as_str())
            .bind(optional_json(end.report.as_ref())?)
            .bind(optional_json(end.failure.as_ref())?)
            .bind(micros(now));
        let row = returning(statement, &mut *transaction)
            .await
            .map_err(store)?;
        let Some(row) = row else {
            return Ok(false);
        };
        let event = EventKind::OperationFinished {
            operation_id: id,
            record_id: RecordId(row.int("record_id")?),
            status: end.state,
        };
        events::write(self, &mut transaction, &event, now).await?;
        commit(transaction).await?;
        Ok(true)
    }

    async fn requeue(&self, id: OperationId, lease: Lease) -> Result<bool> {
        let done = sqlx::query(REQUEUE)
            .bind(id.0)
            .bind(lease.0)
            .bind(json(&Progress::default())?)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn request_cancel(&self, id: OperationId, now: Timestamp) -> Result<bool> {
        let done = sqlx::query(REQUEST_CANCEL)
            .bind(id.0)
            .bind(micros(now))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn unfinished(&self, after: OperationId, limit: u32) -> Result<Vec<Operation>> {
        let rows = sqlx::query(UNFINISHED)
            .bind(after.0)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter().map(operation).collect()
    }
}

fn operation(row: &AnyRow) -> Result<Operation> {
    Ok(Operation {
        id: OperationId(row.int("id")?),
        record_id: RecordId(row.int("record_id")?),
        node_id: NodeId(row.int("node_id")?),
        spec: row.json("spec")?,
        state: OperationState::parse(&row.text("state")?)
            .map_err(|why| unreadable("state", why))?,
        lease: Lease(row.int("lease")?),
        progress: row.json("progress")?,
        report: row.optional_json("report")?,
        failure: row.optional_json("failure")?,
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        cancel_requested_at: row.optional_time("cancel_requested_at")?,
    })
}
