//! Presence on the database.

use crate::SqlStores;
use crate::error::store;
use crate::row::{Columns, micros};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::presence::Presence;
use sqlx::any::AnyRow;

/// The usual case: the node is noted as online and is heard again.
const HEARD: &str = "UPDATE presence SET seen_at = CASE WHEN seen_at < $2 THEN $2 ELSE seen_at END WHERE node_id = $1 AND online = 1";
/// Of several callers that note the same return, one changes the row.
const RETURNED: &str = "INSERT INTO presence (node_id, seen_at, online) VALUES ($1, $2, 1) ON CONFLICT (node_id) DO UPDATE SET seen_at = excluded.seen_at, online = 1 WHERE presence.online = 0 AND presence.seen_at <= excluded.seen_at";
pub(crate) const TAKE_OFFLINE: &str =
    "UPDATE presence SET online = 0 WHERE online = 1 AND seen_at < $1 RETURNING node_id";

#[async_trait]
impl Presence for SqlStores {
    async fn seen(&self, node: NodeId, now: Timestamp) -> Result<bool> {
        for (statement, returned) in [(HEARD, false), (RETURNED, true)] {
            let done = sqlx::query(statement)
                .bind(node.0)
                .bind(micros(now))
                .execute(self.writer())
                .await
                .map_err(store)?;
            if done.rows_affected() > 0 {
                return Ok(returned);
            }
        }
        Ok(false)
    }

    async fn all(&self) -> Result<Vec<(NodeId, Timestamp)>> {
        let rows = sqlx::query("SELECT node_id, seen_at FROM presence ORDER BY node_id")
            .fetch_all(self.reader())
            .await
            .map_err(store)?;
        rows.iter()
            .map(|row| Ok((node_id(row)?, row.time("seen_at")?)))
            .collect()
    }

    async fn last_seen(&self, node: NodeId) -> Result<Option<Timestamp>> {
        let row = sqlx::query("SELECT seen_at FROM presence WHERE node_id = $1")
            .bind(node.0)
            .fetch_optional(self.reader())
            .await
            .map_err(store)?;
        row.map(|row| row.time("seen_at")).transpose()
    }

    async fn take_offline(&self, before: Timestamp) -> Result<Vec<NodeId>> {
        let rows = sqlx::query(TAKE_OFFLINE)
            .bind(micros(before))
            .fetch_all(self.writer())
            .await
            .map_err(store)?;
        let mut nodes = rows.iter().map(node_id).collect::<Result<Vec<_>>>()?;
        nodes.sort();
        Ok(nodes)
    }

    async fn forget(&self, node: NodeId) -> Result<()> {
        sqlx::query("DELETE FROM presence WHERE node_id = $1")
            .bind(node.0)
            .execute(self.writer())
            .await
            .map(drop)
            .map_err(store)
    }
}

fn node_id(row: &AnyRow) -> Result<NodeId> {
    row.int("node_id").map(NodeId)
}
