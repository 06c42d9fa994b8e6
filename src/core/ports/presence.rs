//! Presence: which nodes were heard when.

use crate::Result;
use crate::domain::id::NodeId;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Remembers when nodes were last heard.
#[async_trait]
pub trait Presence: Send + Sync {
    /// Notes that a node was heard at `now`; an older time than the noted one is ignored. True when it was not noted as online before.
    async fn seen(&self, node: NodeId, now: Timestamp) -> Result<bool>;

    /// Like [`Presence::seen`], of many nodes at once, each named once. Answers those that were not noted as online before.
    async fn seen_all(&self, heard: &[(NodeId, Timestamp)]) -> Result<Vec<NodeId>>;

    /// When each node was last heard; nodes that never were are not in it.
    async fn all(&self) -> Result<Vec<(NodeId, Timestamp)>>;

    /// When one node was last heard.
    async fn last_seen(&self, node: NodeId) -> Result<Option<Timestamp>>;

    /// Marks nodes that were last heard before `before` and are noted as online as offline, and answers them: each node once per absence, to one caller.
    async fn take_offline(&self, before: Timestamp) -> Result<Vec<NodeId>>;

    /// Forgets a node.
    async fn forget(&self, node: NodeId) -> Result<()>;
}
