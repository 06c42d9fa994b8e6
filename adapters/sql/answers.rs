//! The store of answers kept for repeated requests.

use crate::SqlStores;
use crate::error::{store, unreadable};
use crate::row::{Columns, micros};
use crate::stores::{commit, returning};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::settings::{Answers, KeptAnswer};
use sqlx::any::AnyRow;

/// Returns a row to the one who made the entry or took over one that no longer counts.
const BEGIN: &str = "INSERT INTO answers (key, request_hash, status, body, created_at) VALUES ($1, $2, 0, '', $3) ON CONFLICT (key) DO UPDATE SET request_hash = excluded.request_hash, status = 0, body = '', created_at = excluded.created_at WHERE answers.created_at < $4 RETURNING key";

#[async_trait]
impl Answers for SqlStores {
    async fn begin(
        &self,
        key: &str,
        request_hash: &str,
        now: Timestamp,
        expired: Timestamp,
    ) -> Result<Option<KeptAnswer>> {
        let mut transaction = self.begin().await?;
        let statement = sqlx::query(BEGIN)
            .bind(key)
            .bind(request_hash)
            .bind(micros(now))
            .bind(micros(expired));
        let claimed = returning(statement, &mut *transaction)
            .await
            .map_err(store)?;
        let known = match claimed {
            Some(_) => None,
            None => Some(
                sqlx::query("SELECT request_hash, status, body FROM answers WHERE key = $1")
                    .bind(key)
                    .fetch_one(&mut *transaction)
                    .await
                    .map_err(store)?,
            ),
        };
        commit(transaction).await?;
        known.as_ref().map(answer).transpose()
    }

    async fn keep(&self, key: &str, status: u16, body: &str) -> Result<()> {
        sqlx::query("UPDATE answers SET status = $2, body = $3 WHERE key = $1")
            .bind(key)
            .bind(i64::from(status))
            .bind(body)
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }

    async fn forget(&self, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM answers WHERE key = $1")
            .bind(key)
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query("DELETE FROM answers WHERE created_at < $1")
            .bind(micros(before))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected())
    }
}

fn answer(row: &AnyRow) -> Result<KeptAnswer> {
    Ok(KeptAnswer {
        request_hash: row.text("request_hash")?,
        status: u16::try_from(row.int("status")?).map_err(|why| unreadable("status", why))?,
        body: row.text("body")?,
    })
}
