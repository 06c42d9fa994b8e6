//! The store of API keys.

use super::users::{joined_columns, joined_user, role};
use crate::SqlStores;
use crate::error::store;
use crate::nodes::name;
use crate::row::{Columns, micros, optional_micros};
use crate::stores::{certain, returning};
use async_trait::async_trait;
use backupx_core::domain::account::{ApiKey, Role, User};
use backupx_core::domain::id::{ApiKeyId, UserId};
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::accounts::ApiKeys;
use backupx_core::{Error, Result};
use chrono::Duration;
use sqlx::any::AnyRow;

const ADD: &str = "INSERT INTO api_keys (name, key_hash, role, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, name, key_hash, role, user_id, created_at, expires_at, last_used_at";
const LIVE: &str = concat!(
    "SELECT k.id, k.name, k.key_hash, k.role, k.user_id, k.created_at, k.expires_at, k.last_used_at, ",
    joined_columns!(),
    " FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.key_hash = $1 AND (k.expires_at IS NULL OR k.expires_at > $2) AND u.disabled = 0"
);
const NOTE_USE: &str = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
pub(crate) const LIST: &str = "SELECT id, name, key_hash, role, user_id, created_at, expires_at, last_used_at FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2";

#[async_trait]
impl ApiKeys for SqlStores {
    async fn add(
        &self,
        name: &Name,
        key_hash: &str,
        role: Role,
        user: UserId,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<ApiKey> {
        let statement = sqlx::query(ADD)
            .bind(name.as_str())
            .bind(key_hash)
            .bind(role.as_str())
            .bind(user.0)
            .bind(micros(now))
            .bind(optional_micros(expires_at));
        let row = returning(statement, self.writer()).await.map_err(|error| {
            match error.as_database_error() {
                Some(database) if database.is_unique_violation() => Error::conflict(
                    "api_key_name_taken",
                    format!("there is an API key called {name} already"),
                ),
                _ => super::user_gone(user)(error),
            }
        })?;
        api_key(&certain(row)?)
    }

    async fn live(&self, key_hash: &str, now: Timestamp) -> Result<Option<(ApiKey, User)>> {
        let row = sqlx::query(LIVE)
            .bind(key_hash)
            .bind(micros(now))
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (mut key, user) = (api_key(&row)?, joined_user(&row)?);
        let noted_before = now - Duration::minutes(1);
        if key.last_used_at.is_none_or(|at| at <= noted_before) {
            sqlx::query(NOTE_USE)
                .bind(key.id.0)
                .bind(micros(now))
                .bind(micros(noted_before))
                .execute(self.writer())
                .await
                .map_err(store)?;
            key.last_used_at = Some(now);
        }
        Ok(Some((key, user)))
    }

    async fn list(&self, page: PageRequest) -> Result<Page<ApiKey>> {
        let rows = sqlx::query(LIST)
            .bind(page.after.unwrap_or(i64::MIN))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        let keys = rows.iter().map(api_key).collect::<Result<Vec<_>>>()?;
        Ok(Page::from_rows(keys, page.limit, |key| key.id.0))
    }

    async fn remove(&self, id: ApiKeyId) -> Result<bool> {
        let done = sqlx::query("DELETE FROM api_keys WHERE id = $1")
            .bind(id.0)
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }
}

fn api_key(row: &AnyRow) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId(row.int("id")?),
        name: name(row)?,
        key_hash: row.text("key_hash")?,
        role: role(row, "role")?,
        user_id: UserId(row.int("user_id")?),
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        last_used_at: row.optional_time("last_used_at")?,
    })
}
