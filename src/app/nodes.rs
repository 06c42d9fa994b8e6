//! Nodes: servers that run work, their tokens and their status.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::node::{Node, NodeStatus};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::report::Listing;
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use secrecy::SecretString;

/// A node and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// The node.
    pub node: Node,
    /// Whether it is there.
    pub status: NodeStatus,
    /// When it was last heard.
    pub last_seen_at: Option<Timestamp>,
}

/// A node that was just made, with its token: the only time that it is shown.
#[derive(Debug)]
pub struct AddedNode {
    /// The node.
    pub node: NodeView,
    /// 64 hex digits.
    pub token: SecretString,
}

impl App {
    /// Adds a node. Needs `admin`.
    pub async fn add_node(
        &self,
        principal: &Principal,
        name: &str,
        labels: &[String],
    ) -> Result<AddedNode> {
        Err(Error::internal("not built yet"))
    }

    /// Nodes by id.
    pub async fn nodes(&self, principal: &Principal, page: PageRequest) -> Result<Page<NodeView>> {
        Err(Error::internal("not built yet"))
    }

    /// One node.
    pub async fn node(&self, principal: &Principal, id: NodeId) -> Result<NodeView> {
        Err(Error::internal("not built yet"))
    }

    /// The node of this name.
    pub async fn node_named(&self, principal: &Principal, name: &str) -> Result<NodeView> {
        Err(Error::internal("not built yet"))
    }

    /// Changes name and labels. Needs `admin`.
    pub async fn update_node(
        &self,
        principal: &Principal,
        id: NodeId,
        version: i64,
        name: &str,
        labels: &[String],
    ) -> Result<NodeView> {
        Err(Error::internal("not built yet"))
    }

    /// Gives a node a new token; the one before is taken for 24 hours more. Needs `admin`.
    pub async fn rotate_node_token(
        &self,
        principal: &Principal,
        id: NodeId,
    ) -> Result<SecretString> {
        Err(Error::internal("not built yet"))
    }

    /// Removes a node. `Conflict` (`node_in_use`) while a task names it or a copy lies in a folder of its own. Needs `admin`.
    pub async fn remove_node(&self, principal: &Principal, id: NodeId) -> Result<()> {
        Err(Error::internal("not built yet"))
    }

    /// The node that a token proves; `Unauthenticated` when it proves none.
    pub async fn node_of_token(&self, token: &str) -> Result<NodeId> {
        Err(Error::internal("not built yet"))
    }

    /// Lists a folder of a node. `Unavailable`: `node_offline`, `node_silent`. Needs `operator`.
    pub async fn browse(
        &self,
        principal: &Principal,
        node: NodeId,
        path: &str,
    ) -> Result<Listing> {
        Err(Error::internal("not built yet"))
    }
}
