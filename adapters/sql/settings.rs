//! The store of settings.

use crate::SqlStores;
use crate::error::store;
use crate::row::Columns;
use crate::stores::{certain, returning};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::ports::settings::Settings;

const SET: &str = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
/// The update changes nothing; it is there so that the row is returned whoever wrote it.
const GET_OR_SET: &str = "INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = settings.value RETURNING value";

#[async_trait]
impl Settings for SqlStores {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT value FROM settings WHERE key = $1")
            .bind(key)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.map(|row| row.text("value")).transpose()
    }

    async fn set(&self, key: &str, value: &str) -> Result<()> {
        sqlx::query(SET)
            .bind(key)
            .bind(value)
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }

    async fn get_or_set(&self, key: &str, value: &str) -> Result<String> {
        let statement = sqlx::query(GET_OR_SET).bind(key).bind(value);
        let row = returning(statement, self.writer()).await.map_err(store)?;
        certain(row)?.text("value")
    }

    async fn take(&self, key: &str, value: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM settings WHERE key = $1 AND value = $2")
            .bind(key)
            .bind(value)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn remove(&self, key: &str) -> Result<()> {
        sqlx::query("DELETE FROM settings WHERE key = $1")
            .bind(key)
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }
}
