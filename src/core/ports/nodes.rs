//! The store of nodes.

use crate::Result;
use crate::domain::id::NodeId;
use crate::domain::name::Name;
use crate::domain::node::{Node, NodeFacts, NodeToken};
use crate::domain::page::{Page, PageRequest};
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// Keeps nodes and the hashes of their tokens.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Adds a node with the hash of its token. `Conflict` (`node_name_taken`) when the name is in use.
    async fn add(
        &self,
        name: &Name,
        labels: &[String],
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Node>;

    /// Makes sure that node 0 exists under this name (or the next free `name-2` …) and answers it.
    async fn ensure_local(&self, name: &Name, now: Timestamp) -> Result<Node>;

    /// One node.
    async fn get(&self, id: NodeId) -> Result<Option<Node>>;

    /// The node of this name.
    async fn by_name(&self, name: &str) -> Result<Option<Node>>;

    /// Nodes by id.
    async fn list(&self, page: PageRequest) -> Result<Page<Node>>;

    /// Changes name and labels when the version is still `version`; `Conflict` (`stale_version`) when it is not, `NotFound` when it is gone.
    async fn update(
        &self,
        id: NodeId,
        version: i64,
        name: &Name,
        labels: &[String],
    ) -> Result<Node>;

    /// Stores what the agent said of itself.
    async fn set_facts(&self, id: NodeId, facts: &NodeFacts) -> Result<()>;

    /// Replaces the token: the old one is taken until `previous_until`. False when there is no such node.
    async fn rotate_token(
        &self,
        id: NodeId,
        token_hash: &str,
        previous_until: Timestamp,
    ) -> Result<bool>;

    /// The node of a token hash: of its current token, or of the one before while `now < previous_until`.
    async fn by_token(&self, token_hash: &str, now: Timestamp) -> Result<Option<Node>>;

    /// The hashes of a node, for tests and rotation.
    async fn token(&self, id: NodeId) -> Result<Option<NodeToken>>;

    /// Removes a node. `Conflict` (`node_in_use`) while a task names it or a copy lies in a folder of its own. False when there was none.
    async fn remove(&self, id: NodeId) -> Result<bool>;
}
