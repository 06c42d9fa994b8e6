//! Nodes: servers that run work.

use crate::mirror::mirrored;
use backupx_core::domain::node;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

mirrored! {
    /// Whether a node is there.
    #[serde(rename_all = "camelCase")]
    NodeStatus = node::NodeStatus {
        /// It never said hello.
        New = "new",
        /// It was heard within the limit.
        Online = "online",
        /// It was not heard for longer than the limit.
        Offline = "offline",
    }
}

/// A server that runs work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// Its id; `0` is the master's own process.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Labels by which tasks choose nodes.
    pub labels: Vec<String>,
    /// Whether it is there.
    pub status: NodeStatus,
    /// True for the master's own process.
    pub local: bool,
    /// When it was last heard, by the master's clock.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// What the agent said at its last hello.
    pub facts: Option<NodeFacts>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Grows with every change; the entity tag of an update.
    pub version: i64,
}

impl Node {
    /// A node with what is known of its presence.
    pub fn of(
        node: node::Node,
        status: node::NodeStatus,
        last_seen_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            id: node.id.0,
            name: node.name.into(),
            labels: node.labels,
            status: status.into(),
            local: node.id.is_local(),
            last_seen_at,
            facts: node.facts.map(Into::into),
            created_at: node.created_at,
            version: node.version,
        }
    }
}

/// What an agent says of its host and itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeFacts {
    /// Version of the agent.
    pub version: String,
    /// Host name.
    pub hostname: String,
    /// Operating system, as `linux`.
    pub os: String,
    /// Processor architecture, as `x86_64`.
    pub arch: String,
    /// Kinds of task that it can run.
    pub task_types: Vec<String>,
    /// Tools found on the host.
    pub tools: Vec<Tool>,
    /// Names of the hooks that its policy allows.
    #[serde(default)]
    pub hooks: Vec<String>,
}

/// A tool found on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Its name, as `pg_dump`.
    pub name: String,
    /// Its version as it prints it.
    pub version: String,
}

impl From<node::NodeFacts> for NodeFacts {
    fn from(facts: node::NodeFacts) -> Self {
        let tool = |tool: node::Tool| Tool {
            name: tool.name,
            version: tool.version,
        };
        Self {
            version: facts.version,
            hostname: facts.hostname,
            os: facts.os,
            arch: facts.arch,
            task_types: facts.task_types,
            tools: facts.tools.into_iter().map(tool).collect(),
            hooks: facts.hooks,
        }
    }
}

/// What a person sets of a node, to add or to change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeInput {
    /// Unique name: 1 to 100 characters, no `/` or `\`.
    pub name: String,
    /// Labels by which tasks choose nodes.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// A node's token, shown this once. After a rotation the token before it is taken for 24 hours more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeToken {
    /// The node.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// 64 hex digits that its agent signs in with. It is not kept and can't be shown again.
    pub token: String,
}

/// Which folder of a node is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct BrowseQuery {
    /// Absolute path; `/` when absent.
    #[serde(default)]
    pub path: Option<String>,
}
