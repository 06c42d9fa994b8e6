//! Presence on Redis.

use crate::RedisStores;
use crate::command::{instant, micros};
use crate::scripts;
use async_trait::async_trait;
use backupx_core::Result;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::presence::Presence;
use deadpool_redis::redis::cmd;
use std::collections::BTreeMap;

#[async_trait]
impl Presence for RedisStores {
    async fn seen(&self, node: NodeId, now: Timestamp) -> Result<bool> {
        Ok(!self.seen_all(&[(node, now)]).await?.is_empty())
    }

    async fn seen_all(&self, heard: &[(NodeId, Timestamp)]) -> Result<Vec<NodeId>> {
        let pairs: Vec<_> = heard
            .iter()
            .map(|(node, at)| (node.0, micros(*at)))
            .collect();
        let returned: Vec<i64> = self.run(&scripts::SEEN, pairs).await?;
        Ok(returned.into_iter().map(NodeId).collect())
    }

    async fn all(&self) -> Result<Vec<(NodeId, Timestamp)>> {
        let heard: BTreeMap<i64, i64> = self.ask(cmd("HGETALL").arg(self.key("heard"))).await?;
        heard
            .into_iter()
            .map(|(node, at)| Ok((NodeId(node), instant("heard", at)?)))
            .collect()
    }

    async fn last_seen(&self, node: NodeId) -> Result<Option<Timestamp>> {
        let at: Option<i64> = self
            .ask(cmd("HGET").arg(self.key("heard")).arg(node.0))
            .await?;
        at.map(|at| instant("heard", at)).transpose()
    }

    async fn take_offline(&self, before: Timestamp) -> Result<Vec<NodeId>> {
        let mut gone: Vec<i64> = self.run(&scripts::TAKE_OFFLINE, micros(before)).await?;
        gone.sort_unstable();
        Ok(gone.into_iter().map(NodeId).collect())
    }

    async fn forget(&self, node: NodeId) -> Result<()> {
        let _: bool = self.run(&scripts::FORGET, node.0).await?;
        Ok(())
    }
}
