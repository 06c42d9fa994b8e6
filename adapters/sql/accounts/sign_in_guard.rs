//! The store of failed sign-ins.

use crate::SqlStores;
use crate::error::{store, unreadable};
use crate::row::{Columns, micros};
use crate::stores::commit;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::accounts::SignInGuard;
use sqlx::any::AnyRow;

pub(crate) const COUNT: &str = "SELECT COUNT(*) AS failures, MAX(failed_at) AS last FROM sign_in_failures WHERE key = $1 AND failed_at >= $2";

#[async_trait]
impl SignInGuard for SqlStores {
    async fn failed(&self, key: &str, now: Timestamp, window_start: Timestamp) -> Result<u32> {
        let mut transaction = self.begin_alone(&format!("sign-in {key}")).await?;
        sqlx::query("INSERT INTO sign_in_failures (key, failed_at) VALUES ($1, $2)")
            .bind(key)
            .bind(micros(now))
            .execute(&mut *transaction)
            .await
            .map_err(store)?;
        let row = sqlx::query(COUNT)
            .bind(key)
            .bind(micros(window_start))
            .fetch_one(&mut *transaction)
            .await
            .map_err(store)?;
        commit(transaction).await?;
        failures(&row)
    }

    async fn failures(
        &self,
        key: &str,
        window_start: Timestamp,
    ) -> Result<(u32, Option<Timestamp>)> {
        let row = sqlx::query(COUNT)
            .bind(key)
            .bind(micros(window_start))
            .fetch_one(self.reader())
            .await
            .map_err(store)?;
        Ok((failures(&row)?, row.optional_time("last")?))
    }

    async fn clear(&self, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM sign_in_failures WHERE key = $1")
            .bind(key)
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query("DELETE FROM sign_in_failures WHERE failed_at < $1")
            .bind(micros(before))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected())
    }
}

fn failures(row: &AnyRow) -> Result<u32> {
    u32::try_from(row.int("failures")?).map_err(|why| unreadable("failures", why))
}
