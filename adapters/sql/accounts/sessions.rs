//! The store of sessions.

use super::users::{joined_columns, joined_user};
use crate::SqlStores;
use crate::error::store;
use crate::row::{Columns, micros};
use crate::stores::{certain, returning};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::account::{Session, User};
use backupx_core::domain::id::{SessionId, UserId};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::accounts::Sessions;
use sqlx::any::AnyRow;

const ADD: &str = "INSERT INTO sessions (user_id, created_at, expires_at) VALUES ($1, $2, $3) RETURNING id, user_id, created_at, expires_at, revoked_at";
const LIVE: &str = concat!(
    "SELECT s.id, s.user_id, s.created_at, s.expires_at, s.revoked_at, ",
    joined_columns!(),
    " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND u.disabled = 0"
);

#[async_trait]
impl Sessions for SqlStores {
    async fn add(&self, user: UserId, now: Timestamp, expires_at: Timestamp) -> Result<Session> {
        let statement = sqlx::query(ADD)
            .bind(user.0)
            .bind(micros(now))
            .bind(micros(expires_at));
        let row = returning(statement, self.writer())
            .await
            .map_err(super::user_gone(user))?;
        session(&certain(row)?)
    }

    async fn live(&self, id: SessionId, now: Timestamp) -> Result<Option<(Session, User)>> {
        let row = sqlx::query(LIVE)
            .bind(id.0)
            .bind(micros(now))
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.map(|row| Ok((session(&row)?, joined_user(&row)?)))
            .transpose()
    }

    async fn revoke(&self, id: SessionId, now: Timestamp) -> Result<bool> {
        let done =
            sqlx::query("UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
                .bind(id.0)
                .bind(micros(now))
                .execute(self.writer())
                .await
                .map_err(store)?;
        Ok(done.rows_affected() > 0)
    }

    async fn purge(&self, before: Timestamp) -> Result<u64> {
        let done = sqlx::query("DELETE FROM sessions WHERE expires_at < $1 OR revoked_at < $1")
            .bind(micros(before))
            .execute(self.writer())
            .await
            .map_err(store)?;
        Ok(done.rows_affected())
    }
}

fn session(row: &AnyRow) -> Result<Session> {
    Ok(Session {
        id: SessionId(row.int("id")?),
        user_id: UserId(row.int("user_id")?),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
