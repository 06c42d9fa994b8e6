//! Nodes: servers that run work, and what they say of themselves.

use super::id::NodeId;
use super::name::Name;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A server that runs work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id; `0` is the master's own process.
    pub id: NodeId,
    /// Unique name.
    pub name: Name,
    /// Labels by which tasks choose nodes.
    pub labels: Vec<String>,
    /// What the agent said at its last hello, if it ever came.
    pub facts: Option<NodeFacts>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change that a person makes.
    pub version: i64,
}

/// A node's token as it is kept: only hashes, and the one before for a while.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeToken {
    /// SHA-256 of the token, lower-case hex.
    pub hash: String,
    /// Hash of the token before the last rotation.
    pub previous_hash: Option<String>,
    /// Until when the previous token is still taken.
    pub previous_until: Option<Timestamp>,
}

/// What an agent says of its host and itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// Kinds of task that it can run, as `file`.
    #[serde(default)]
    pub task_types: Vec<String>,
    /// Tools found on the host and their versions.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// Names of the hooks that its policy allows.
    #[serde(default)]
    pub hooks: Vec<String>,
}

/// A tool found on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// Its name, as `pg_dump`.
    pub name: String,
    /// Its version as it prints it.
    pub version: String,
}

/// Whether a node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NodeStatus {
    /// It never said hello.
    New,
    /// It was heard within the limit.
    Online,
    /// It was not heard for longer than the limit.
    Offline,
}

impl NodeStatus {
    /// The status of a node that was last heard at `seen_at`: offline once the silence is longer than `limit`.
    pub fn at(seen_at: Option<Timestamp>, now: Timestamp, limit: chrono::Duration) -> Self {
        match seen_at {
            None => Self::New,
            Some(seen) if now.signed_duration_since(seen) > limit => Self::Offline,
            Some(_) => Self::Online,
        }
    }
}
