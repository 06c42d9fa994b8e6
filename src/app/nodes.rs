//! Nodes: servers that run work, their tokens and their status.

use crate::App;
use crate::requests::unexpected;
use crate::vault::token_hash;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::command::CommandSpec;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::name::Name;
use backupx_core::domain::node::{Node, NodeStatus};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::report::{Listing, Report};
use backupx_core::domain::time::Timestamp;
use backupx_core::{Error, Result};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// How long the token before the last rotation is still taken.
const TOKEN_OVERLAP: chrono::Duration = chrono::Duration::hours(24);

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
        principal.require(Role::Admin)?;
        let name = Name::parse("name", name)?;
        let labels = checked_labels(labels)?;
        let token = new_token();
        let node = self
            .ports
            .nodes
            .add(&name, &labels, &token_hash(&token), self.now())
            .await?;
        tracing::info!(
            node.id = node.id.0,
            by = principal.username,
            "a node was added"
        );
        Ok(AddedNode {
            node: NodeView {
                node,
                status: NodeStatus::New,
                last_seen_at: None,
            },
            token: SecretString::from(token),
        })
    }

    /// Nodes by id.
    pub async fn nodes(&self, principal: &Principal, page: PageRequest) -> Result<Page<NodeView>> {
        principal.require(Role::Viewer)?;
        let seen: BTreeMap<_, _> = self.ports.presence.all().await?.into_iter().collect();
        let nodes = self.ports.nodes.list(page).await?;
        Ok(nodes.map(|node| {
            let last_seen_at = seen.get(&node.id).copied();
            self.node_view(node, last_seen_at)
        }))
    }

    /// One node.
    pub async fn node(&self, principal: &Principal, id: NodeId) -> Result<NodeView> {
        principal.require(Role::Viewer)?;
        let node = self.known_node(id).await?;
        let last_seen_at = self.ports.presence.last_seen(id).await?;
        Ok(self.node_view(node, last_seen_at))
    }

    /// The node of this name.
    pub async fn node_named(&self, principal: &Principal, name: &str) -> Result<NodeView> {
        principal.require(Role::Viewer)?;
        let node = self.ports.nodes.by_name(name).await?.ok_or_else(|| {
            Error::not_found("node_not_found", format!("there is no node {name:?}"))
        })?;
        let last_seen_at = self.ports.presence.last_seen(node.id).await?;
        Ok(self.node_view(node, last_seen_at))
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
        principal.require(Role::Admin)?;
        let name = Name::parse("name", name)?;
        let labels = checked_labels(labels)?;
        let node = self.ports.nodes.update(id, version, &name, &labels).await?;
        let last_seen_at = self.ports.presence.last_seen(id).await?;
        Ok(self.node_view(node, last_seen_at))
    }

    /// Gives a node a new token; the one before is taken for 24 hours more. Needs `admin`.
    pub async fn rotate_node_token(
        &self,
        principal: &Principal,
        id: NodeId,
    ) -> Result<SecretString> {
        principal.require(Role::Admin)?;
        if id.is_local() {
            return Err(Error::conflict(
                "local_node",
                "node 0 runs in the master itself and has no token",
            ));
        }
        let token = new_token();
        let until = self.now() + TOKEN_OVERLAP;
        if !self
            .ports
            .nodes
            .rotate_token(id, &token_hash(&token), until)
            .await?
        {
            return Err(no_node(id));
        }
        self.tokens.forget(id);
        tracing::info!(
            node.id = id.0,
            by = principal.username,
            "a node token was rotated"
        );
        Ok(SecretString::from(token))
    }

    /// Removes a node. `Conflict` (`node_in_use`) while a task names it or a copy lies in a folder of its own. Needs `admin`.
    pub async fn remove_node(&self, principal: &Principal, id: NodeId) -> Result<()> {
        principal.require(Role::Admin)?;
        if id.is_local() && self.settings.local_node {
            return Err(Error::conflict(
                "local_node",
                "node 0 runs in the master itself and stays as long as it does",
            ));
        }
        if !self.ports.nodes.remove(id).await? {
            return Err(no_node(id));
        }
        self.tokens.forget(id);
        self.heard.forget(id);
        self.ports.presence.forget(id).await?;
        tracing::info!(
            node.id = id.0,
            by = principal.username,
            "a node was removed"
        );
        Ok(())
    }

    /// Lists a folder of a node. `Unavailable`: `node_offline`, `node_silent`. Needs `operator`.
    pub async fn browse(&self, principal: &Principal, node: NodeId, path: &str) -> Result<Listing> {
        principal.require(Role::Operator)?;
        if !path.starts_with('/') || path.contains('\0') || path.len() > 4095 {
            return Err(Error::field(
                "path",
                format!("{path:?} is not an absolute path"),
            ));
        }
        let spec = CommandSpec::Browse {
            path: path.to_owned(),
        };
        match self.ask(node, spec, self.settings.request_limit).await? {
            Report::Browse(listing) => Ok(listing),
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn known_node(&self, id: NodeId) -> Result<Node> {
        self.ports.nodes.get(id).await?.ok_or_else(|| no_node(id))
    }

    pub(crate) async fn node_status(&self, id: NodeId) -> Result<NodeStatus> {
        let last_seen_at = self.ports.presence.last_seen(id).await?;
        Ok(NodeStatus::at(
            last_seen_at,
            self.now(),
            self.offline_after(),
        ))
    }

    fn node_view(&self, node: Node, last_seen_at: Option<Timestamp>) -> NodeView {
        NodeView {
            status: NodeStatus::at(last_seen_at, self.now(), self.offline_after()),
            node,
            last_seen_at,
        }
    }
}

fn no_node(id: NodeId) -> Error {
    Error::not_found("node_not_found", format!("there is no node {id}"))
}

pub(crate) fn new_token() -> String {
    let random: [u8; 32] = rand::random();
    hex::encode(random)
}

fn checked_labels(labels: &[String]) -> Result<Vec<String>> {
    if labels.len() > 50 {
        return Err(Error::field("labels", "are more than 50"));
    }
    let mut checked = Vec::new();
    for label in labels {
        let label: String = Name::parse("labels", label)?.into();
        if !checked.contains(&label) {
            checked.push(label);
        }
    }
    Ok(checked)
}
