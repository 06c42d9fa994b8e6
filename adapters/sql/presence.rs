//! Presence on the database.

use crate::SqlStores;
use crate::batch::Change;
use crate::engine::Engine;
use crate::error::store;
use crate::row::{Columns, json, micros};
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::presence::Presence;
use sqlx::any::AnyRow;
use std::collections::HashSet;

/// The usual case: the node is noted as online and is heard again.
const HEARD: &str = "UPDATE presence SET seen_at = CASE WHEN seen_at < $2 THEN $2 ELSE seen_at END WHERE node_id = $1 AND online = 1 RETURNING node_id";
/// Like [`HEARD`], of the pairs (node, time) in a JSON array. A row that another master writes at this moment is left to a second look.
pub(crate) const HEARD_SQLITE: &str = "WITH heard AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS node_id, json_extract(value, '$[1]') AS at FROM json_each($1)) UPDATE presence SET seen_at = CASE WHEN presence.seen_at < heard.at THEN heard.at ELSE presence.seen_at END FROM heard WHERE presence.node_id = heard.node_id AND online = 1 RETURNING presence.node_id";
const HEARD_POSTGRES: &str = "WITH heard AS MATERIALIZED (SELECT CAST(pair ->> 0 AS BIGINT) AS node_id, CAST(pair ->> 1 AS BIGINT) AS at FROM json_array_elements(CAST($1 AS JSON)) AS pair), picked AS MATERIALIZED (SELECT presence.node_id, heard.at FROM presence JOIN heard ON heard.node_id = presence.node_id WHERE online = 1 FOR UPDATE OF presence SKIP LOCKED) UPDATE presence SET seen_at = CASE WHEN presence.seen_at < picked.at THEN picked.at ELSE presence.seen_at END FROM picked WHERE presence.node_id = picked.node_id RETURNING presence.node_id";
/// Of several callers that note the same return, one changes the row.
const RETURNED: &str = "INSERT INTO presence (node_id, seen_at, online) VALUES ($1, $2, 1) ON CONFLICT (node_id) DO UPDATE SET seen_at = excluded.seen_at, online = 1 WHERE presence.online = 0 AND presence.seen_at <= excluded.seen_at RETURNING node_id";
pub(crate) const TAKE_OFFLINE: &str =
    "UPDATE presence SET online = 0 WHERE online = 1 AND seen_at < $1 RETURNING node_id";

#[async_trait]
impl Presence for SqlStores {
    async fn seen(&self, node: NodeId, now: Timestamp) -> Result<bool> {
        for (statement, returned) in [(HEARD, false), (RETURNED, true)] {
            let change = Change::new(statement).bind(node.0).bind(micros(now));
            if !self.change(change).await?.is_empty() {
                return Ok(returned);
            }
        }
        Ok(false)
    }

    async fn seen_all(&self, heard: &[(NodeId, Timestamp)]) -> Result<Vec<NodeId>> {
        let pairs: Vec<_> = heard
            .iter()
            .map(|(node, at)| (node.0, micros(*at)))
            .collect();
        let statement = match self.engine() {
            Engine::Sqlite => HEARD_SQLITE,
            Engine::Postgres => HEARD_POSTGRES,
        };
        let rows = self
            .change(Change::new(statement).bind(json(&pairs)?))
            .await?;
        let usual = rows.iter().map(node_id).collect::<Result<HashSet<_>>>()?;
        let mut returned = Vec::new();
        for (node, at) in heard {
            if !usual.contains(node) && self.seen(*node, *at).await? {
                returned.push(*node);
            }
        }
        Ok(returned)
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
