//! What master and agent say to each other, whatever carries it: HTTP between hosts, a call within one process.

use super::access::TargetAccess;
use super::command::{Lane, Lease};
use super::id::{CommandId, NodeId};
use super::log::LogLine;
use super::node::NodeFacts;
use super::progress::Progress;
use super::report::Outcome;
use super::time::Timestamp;
use super::work::Assignment;
use serde::{Deserialize, Serialize};

/// A lease that an agent believes it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldLease {
    /// The command.
    pub command_id: CommandId,
    /// The lease.
    pub lease: Lease,
}

/// An agent's first words after its start or a reconnect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// What it says of its host and itself.
    pub facts: NodeFacts,
    /// What it believes it holds. Commands of this node that it does not name here are lost to it.
    #[serde(default)]
    pub leases: Vec<HeldLease>,
}

/// The master's answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// Who the agent is.
    pub node_id: NodeId,
    /// The node's name.
    pub node_name: String,
    /// The master's time.
    pub server_time: Timestamp,
    /// How often to send a heartbeat, in seconds.
    pub heartbeat_interval_secs: u64,
    /// How long one poll may wait, in seconds.
    pub max_wait_secs: u64,
    /// Leases that hold; everything else is to be stopped at once.
    pub keep: Vec<HeldLease>,
    /// Leases that the agent named and that are not its own any more.
    pub stop: Vec<HeldLease>,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// What runs.
    #[serde(default)]
    pub leases: Vec<HeldLease>,
}

/// The master's answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pulse {
    /// The master's time.
    pub server_time: Timestamp,
    /// Running commands that somebody asked to stop.
    pub cancel: Vec<HeldLease>,
    /// Leases that are not the agent's any more: to be stopped at once, without a report.
    pub lost: Vec<HeldLease>,
}

/// A database's Backint program asks where its objects go. No lease is needed: what it gets is a target of a task of its own node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackintAsk {
    /// The target's name; absent means the only one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// The master's answer to a Backint program.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackintTarget {
    /// The master's time.
    pub server_time: Timestamp,
    /// Where its objects go, with the secrets that it takes.
    pub target: TargetAccess,
}

/// A question for work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Poll {
    /// How long to wait for something, in seconds; the master waits no longer than it wants.
    #[serde(rename = "wait", alias = "waitSecs", default)]
    pub wait_secs: u64,
    /// How many commands of long work it can take now, or of the lane that it names.
    pub free: u32,
    /// Which lane, where only one of them can take something or the other one is asked for already. Nothing: both, and short questions come
    /// whether or not anything is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<Lane>,
}

/// The master's answer to a poll; empty when there was nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignments {
    /// The master's time.
    pub server_time: Timestamp,
    /// Claimed commands, oldest first.
    pub commands: Vec<Assignment>,
    /// How long to wait before the next question, in seconds, from a master that holds none. Over HTTP it is the header `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_secs: Option<u64>,
}

/// How far a command is. Renews its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressReport {
    /// The lease.
    pub lease: Lease,
    /// Absolute figures.
    pub progress: Progress,
    /// New lines; one that was sent before is ignored by its number.
    #[serde(default)]
    pub log: Vec<LogLine>,
}

/// The master's answer to progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgressAnswer {
    /// The master's time.
    pub server_time: Timestamp,
    /// True when somebody asked this command to stop.
    pub cancel: bool,
}

/// The end of a command. Accepted once, from the current lease only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultReport {
    /// The lease.
    pub lease: Lease,
    /// The last lines.
    #[serde(default)]
    pub log: Vec<LogLine>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}
