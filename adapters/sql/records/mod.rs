//! The store of records: what is asked of it. [`row`] knows the shape of its tables, [`life`] the changes of a record's state.

mod adopt;
mod evidence;
mod history;
mod life;
mod removal;
mod row;

pub(crate) use life::add_record;
#[cfg(test)]
pub(crate) use removal::{TASKS_WITH_COPIES, TO_BE_REMOVED};
pub(crate) use row::{in_pools_sql, list_sql, unfinished_sql, with_copies_sql};

use crate::SqlStores;
use crate::error::store;
use crate::row::{Columns, optional_json};
use crate::stores::commit;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::command::Lease;
use backupx_core::domain::evidence::Evidence;
use backupx_core::domain::guard::{Acceptance, Past};
use backupx_core::domain::id::{NodeId, RecordId, TargetId, TaskId};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::progress::Progress;
use backupx_core::domain::record::{CopyState, Lock, Record, RecordCopy, RecordState};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::{
    AdoptedRecord, Adoption, NewRecord, RecordEnd, RecordFilter, Records,
};

pub(crate) const LOAD: &str = "SELECT node_id, COUNT(*) AS runs FROM records WHERE finished_at IS NULL AND node_id <> $1 GROUP BY node_id ORDER BY node_id";

#[async_trait]
impl Records for SqlStores {
    async fn add(&self, record: NewRecord) -> Result<std::result::Result<Record, RecordId>> {
        let mut transaction = self.begin().await?;
        let added = add_record(&mut transaction, record).await?;
        commit(transaction).await?;
        Ok(added)
    }

    async fn adopt(&self, on: TargetId, found: &[AdoptedRecord]) -> Result<Vec<Adoption>> {
        adopt::all(self, on, found).await
    }

    async fn get(&self, id: RecordId) -> Result<Option<Record>> {
        let rows = sqlx::query(row::GET)
            .bind(id.0)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        Ok(row::records(&rows)?.pop())
    }

    async fn list(&self, filter: RecordFilter, page: PageRequest) -> Result<Page<Record>> {
        let (sql, values) = list_sql(filter);
        let mut statement = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(page.after.unwrap_or(i64::MAX))
            .bind(i64::from(page.limit) + 1);
        for id in values.ids {
            statement = statement.bind(id);
        }
        for text in values.texts {
            statement = statement.bind(text);
        }
        let rows = statement.fetch_all(self.reader()).await.map_err(store)?;
        Ok(Page::from_rows(
            row::records(&rows)?,
            page.limit,
            |record| record.id.0,
        ))
    }

    async fn start(&self, id: RecordId, lease: Lease, now: Timestamp) -> Result<bool> {
        life::start(self, id, lease, now).await
    }

    async fn progress(&self, id: RecordId, lease: Lease, progress: &Progress) -> Result<bool> {
        life::progress(self, id, lease, progress).await
    }

    async fn finish(
        &self,
        id: RecordId,
        lease: Lease,
        end: &RecordEnd,
        now: Timestamp,
    ) -> Result<bool> {
        life::finish(self, id, lease, end, now).await
    }

    async fn requeue(&self, id: RecordId, lease: Lease) -> Result<bool> {
        life::requeue(self, id, lease).await
    }

    async fn assign(&self, id: RecordId, from: NodeId, to: NodeId) -> Result<bool> {
        life::assign(self, id, from, to).await
    }

    async fn in_pools(&self, limit: u32) -> Result<Vec<Record>> {
        let rows = sqlx::query(in_pools_sql())
            .bind(NodeId::NONE.0)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        row::records(&rows)
    }

    async fn load(&self) -> Result<Vec<(NodeId, u64)>> {
        let rows = sqlx::query(LOAD)
            .bind(NodeId::NONE.0)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter()
            .map(|row| Ok((NodeId(row.int("node_id")?), row.count("runs")?)))
            .collect()
    }

    async fn request_cancel(&self, id: RecordId, now: Timestamp) -> Result<bool> {
        life::request_cancel(self, id, now).await
    }

    async fn unfinished(&self, after: RecordId, limit: u32) -> Result<Vec<Record>> {
        let rows = sqlx::query(unfinished_sql())
            .bind(after.0)
            .bind(i64::from(limit))
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        row::records(&rows)
    }

    async fn set_lock(&self, id: RecordId, lock: Option<&Lock>) -> Result<bool> {
        let done = sqlx::query("UPDATE records SET lock = $2 WHERE id = $1")
            .bind(id.0)
            .bind(optional_json(lock)?)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn accept(&self, id: RecordId, acceptance: &Acceptance) -> Result<bool> {
        life::accept(self, id, acceptance).await
    }

    async fn history(&self, task: TaskId) -> Result<Vec<Past>> {
        history::get(self, task).await
    }

    async fn set_history(&self, task: TaskId, history: &[Past]) -> Result<()> {
        history::set(self.writer(), task, history).await
    }

    async fn set_evidence(
        &self,
        id: RecordId,
        evidence: &Evidence,
        pinned: Option<RecordId>,
    ) -> Result<bool> {
        evidence::set(self, id, evidence, pinned).await
    }

    async fn set_copy(
        &self,
        id: RecordId,
        expected: CopyState,
        copy: &RecordCopy,
        state: Option<RecordState>,
    ) -> Result<bool> {
        life::set_copy(self, id, expected, copy, state).await
    }

    async fn with_copies(&self, task: TaskId) -> Result<Vec<Record>> {
        let rows = sqlx::query(with_copies_sql())
            .bind(task.0)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        row::records(&rows)
    }

    async fn tasks_with_copies(&self) -> Result<Vec<TaskId>> {
        removal::tasks_with_copies(self).await
    }

    async fn to_be_removed(&self, limit: u32) -> Result<Vec<(RecordId, TargetId)>> {
        removal::to_be_removed(self, limit).await
    }

    async fn remove(&self, id: RecordId) -> Result<bool> {
        removal::remove(self, id).await
    }
}
