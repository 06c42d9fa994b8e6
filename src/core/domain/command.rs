//! Commands: what a queue carries to a node, under a lease that fences late answers off.
//!
//! `pending → claimed → succeeded | failed | timeout | cancelled`. Each claim raises the lease; every transition is one
//! compare-and-set on (state, lease); terminal is final.

use super::id::{CommandId, NodeId, OperationId, RecordId, RequestId};
use super::report::Outcome;
use super::time::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The number of a claim of one command: a fencing token that grows with each claim. Zero means never claimed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Lease(pub i64);

impl Lease {
    /// Before the first claim.
    pub const NONE: Self = Self(0);

    /// The lease of the next claim.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a command is about. At most one command exists per subject, so that enqueueing is idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "camelCase")]
pub enum Subject {
    /// The run of a task.
    Record(RecordId),
    /// A restore, verification, copy or deletion.
    Operation(OperationId),
    /// A short question whose answer somebody waits for.
    Request(RequestId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(id) => write!(f, "record:{id}"),
            Self::Operation(id) => write!(f, "operation:{id}"),
            Self::Request(id) => write!(f, "request:{id}"),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::internal(format!("unknown subject {text:?}"));
        let (kind, id) = text.split_once(':').ok_or_else(bad)?;
        let id: i64 = id.parse().map_err(|_| bad())?;
        match kind {
            "record" => Ok(Self::Record(RecordId(id))),
            "operation" => Ok(Self::Operation(OperationId(id))),
            "request" => Ok(Self::Request(RequestId(id))),
            _ => Err(bad()),
        }
    }
}

/// Lanes keep short questions from waiting behind long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lane {
    /// Backups, restores, verifications, copies, deletions.
    Work,
    /// Browse, discover, test, list: answered at once.
    Short,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 2] = [Self::Work, Self::Short];

    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Short => "short",
        }
    }

    /// Parses what [`Lane::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|l| l.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown lane {text:?}")))
    }
}

/// What a queued command asks for: references only. Secrets and snapshots are added when it is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum CommandSpec {
    /// Run the record that is the subject.
    Backup,
    /// Carry out the operation that is the subject.
    Operation,
    /// List a folder of the node.
    Browse {
        /// Absolute path.
        path: String,
    },
    /// Write, read, list and delete on a target from this node.
    #[serde(rename_all = "camelCase")]
    TestTarget {
        /// Which one.
        target_id: super::id::TargetId,
    },
    /// Try what a task reads, from this node.
    #[serde(rename_all = "camelCase")]
    TestSource {
        /// Whose source.
        task_id: super::id::TaskId,
    },
    /// Look at what lies on a target.
    #[serde(rename_all = "camelCase")]
    Inventory {
        /// Which one.
        target_id: super::id::TargetId,
        /// The folder behind which to begin; absent means at the beginning.
        after: Option<super::key::ObjectKey>,
        /// How many folders of records at most.
        limit: u32,
    },
    /// Read a part of a record's index.
    #[serde(rename_all = "camelCase")]
    ListFiles {
        /// Whose index.
        record_id: RecordId,
        /// Folder in the archive whose direct children are listed; empty means the top.
        path: String,
        /// How many entries at most.
        limit: u32,
        /// The last path of the page before.
        after: Option<String>,
    },
}

/// Where a command is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CommandState {
    /// Waiting for its node.
    Pending,
    /// A node holds its lease.
    Claimed,
    /// The node reported success.
    Succeeded,
    /// The node reported failure.
    Failed,
    /// The node gave no sign of life for too long, or nobody took it in time.
    Timeout,
    /// Somebody stopped it.
    Cancelled,
}

impl CommandState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Claimed,
        Self::Succeeded,
        Self::Failed,
        Self::Timeout,
        Self::Cancelled,
    ];

    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }

    /// Parses what [`CommandState::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown command state {text:?}")))
    }

    /// True when nothing may change it any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Claimed => false,
            Self::Succeeded | Self::Failed | Self::Timeout | Self::Cancelled => true,
        }
    }
}

/// A command as the queue holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// What it is about.
    pub subject: Subject,
    /// Whom it is for.
    pub node_id: NodeId,
    /// Its lane.
    pub lane: Lane,
    /// What it asks for.
    pub spec: CommandSpec,
    /// Where it is in its life.
    pub state: CommandState,
    /// The lease of the last claim; it is also how often it was handed out.
    pub lease: Lease,
    /// When it was put in.
    pub created_at: Timestamp,
    /// Not handed out before this.
    pub not_before: Timestamp,
    /// A pending one that nobody took by then becomes `timeout`.
    pub expires_at: Option<Timestamp>,
    /// When it was last claimed.
    pub claimed_at: Option<Timestamp>,
    /// The last sign of life under the current lease.
    pub seen_at: Option<Timestamp>,
    /// True once the node proved, under the current lease, that it knows of it.
    pub acknowledged: bool,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<Timestamp>,
    /// What the node reported.
    pub outcome: Option<Outcome>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

impl Command {
    /// How often a command whose hand-out got lost is handed out before it fails.
    pub const MAX_CLAIMS: i64 = 3;

    /// How long a command waits before it is handed out again after its `claims`-th hand-out was lost: at once, then 5 min doubling to 1 h.
    pub fn hand_out_delay(claims: i64) -> chrono::Duration {
        match claims {
            ..=1 => chrono::Duration::zero(),
            n => {
                chrono::Duration::minutes(5 * (1 << (n - 2).min(4))).min(chrono::Duration::hours(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_survive_text() {
        for subject in [
            Subject::Record(RecordId(1)),
            Subject::Operation(OperationId(2)),
            Subject::Request(RequestId(3)),
        ] {
            assert_eq!(
                subject.to_string().parse::<Subject>().expect("parses"),
                subject
            );
        }
        assert!("record".parse::<Subject>().is_err());
    }

    #[test]
    fn never_10_repeated_hand_outs_back_off() {
        let minutes: Vec<_> = (1..8)
            .map(|n| Command::hand_out_delay(n).num_minutes())
            .collect();
        assert_eq!(minutes, [0, 5, 10, 20, 40, 60, 60]);
    }
}
