//! The check of a target: whether what its records say lies there still does, found by listings alone, and how far it is.

use super::id::{NodeId, RecordId, RequestId};
use super::key::ObjectKey;
use super::report::VerifiedCopy;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The last check of a target, or the one that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetCheck {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; absent while it is under way.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Copies that were looked for.
    pub checked: u64,
    /// Copies among them that storage does not hold whole any more.
    pub lost: u64,
    /// Nodes whose own folders nobody could look at.
    #[serde(default)]
    pub unreached: Vec<NodeId>,
    /// Why it ended early, or what stood in its way last.
    #[serde(default)]
    pub failure: Option<String>,
    /// When the next one begins.
    pub next_at: Timestamp,
    /// What is still to be looked at; empty when it is over.
    #[serde(default)]
    pub left: Vec<CheckPart>,
    /// Questions in a row that nobody answered.
    #[serde(default)]
    pub tries: u32,
}

/// A part of a check: the copies that one question after the other is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckPart {
    /// The node whose own folder it is; absent for a place that many reach.
    #[serde(default)]
    pub node: Option<NodeId>,
    /// The folder up to which everything was looked at.
    #[serde(default)]
    pub after: Option<ObjectKey>,
    /// The question that is under way.
    #[serde(default)]
    pub asked: Option<RequestId>,
}

/// A copy as the master knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptCopy {
    /// Whose.
    pub record_id: RecordId,
    /// Where.
    pub location: ObjectKey,
    /// Bytes of all its objects.
    pub stored_bytes: u64,
}

/// What one question of a check came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Copies that were looked for.
    pub checked: u64,
    /// Those that did not look right in the listing, as a closer look found them.
    pub looked_at: Vec<LookedAt>,
    /// The folder up to which everything was looked at; absent when there is nothing behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ObjectKey>,
}

/// A copy that was looked at closely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LookedAt {
    /// Whose.
    pub record_id: RecordId,
    /// What was found.
    pub copy: VerifiedCopy,
}
