//! Operations: what is done with a record after it was made - restored, verified, copied, deleted.

use super::command::Lease;
use super::drill::DrillSpec;
use super::dump::DatabaseRestore;
use super::id::{NodeId, OperationId, RecordId, TargetId};
use super::progress::Progress;
use super::report::{Failure, Report};
use super::time::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// One restore, verification, copy or deletion. Like a record, the row is the truth and a command follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The record that it works on.
    pub record_id: RecordId,
    /// The node that carries it out.
    pub node_id: NodeId,
    /// What is to be done.
    pub spec: OperationSpec,
    /// Where it is in its life.
    pub state: OperationState,
    /// The lease under which it runs or ran; zero before the first claim.
    pub lease: Lease,
    /// How far it is.
    pub progress: Progress,
    /// What came of it.
    pub report: Option<Report>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a node took it.
    pub started_at: Option<Timestamp>,
    /// When the master heard of its end.
    pub finished_at: Option<Timestamp>,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<Timestamp>,
}

/// What an operation is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum OperationSpec {
    /// Put files back.
    Restore(RestoreSpec),
    /// Prove copies.
    #[serde(rename_all = "camelCase")]
    Verify {
        /// How deep.
        mode: VerifyMode,
        /// Which copies; all good ones when empty.
        target_ids: Vec<TargetId>,
        /// How a drill goes, for that mode alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drill: Option<Box<DrillSpec>>,
    },
    /// Make the copies that are missing from one that is good.
    #[serde(rename_all = "camelCase")]
    Copy {
        /// Where to.
        target_ids: Vec<TargetId>,
    },
    /// Remove one copy, or what a failed run left behind.
    #[serde(rename_all = "camelCase")]
    Delete {
        /// From where.
        target_id: TargetId,
        /// Why, as `retention`, `failed run`, `asked by admin`.
        reason: String,
    },
}

impl OperationSpec {
    /// The kind's name in JSON and in the database.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Restore(_) => "restore",
            Self::Verify { .. } => "verify",
            Self::Copy { .. } => "copy",
            Self::Delete { .. } => "delete",
        }
    }
}

/// How files are put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreSpec {
    /// Folder below which everything is written; absent means where it came from.
    #[serde(default)]
    pub to: Option<String>,
    /// Globs of archived paths to restore (`*` stops at `/`, `**` does not); a folder's path means all below it. Empty means everything.
    #[serde(default)]
    pub include: Vec<String>,
    /// What happens to files that are there already.
    #[serde(default)]
    pub overwrite: Overwrite,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// How databases are put back into a server; only for a record of databases, and not together with `to`, where their dumps become files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Box<DatabaseRestore>>,
}

/// What a restore does with a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overwrite {
    /// It stays as it is.
    Never,
    /// It is replaced when its size, time or type differ.
    #[default]
    IfChanged,
    /// It is replaced.
    Always,
}

/// How deep a verification looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VerifyMode {
    /// Every object exists with its size, and its checksum where storage says one.
    #[default]
    Quick,
    /// Every byte is read, checked, opened, decompressed, and compared with the index.
    Full,
    /// It is restored into a throw-away place and asked whether it holds what it should.
    Drill,
}

/// Where an operation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationState {
    /// Waiting for a node.
    Queued,
    /// A node holds its lease.
    Running,
    /// Done, and it held.
    Success,
    /// It did not.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl OperationState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Queued,
        Self::Running,
        Self::Success,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Parses a state's name.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| {
                Error::field("status", format!("{text:?} is not a state of an operation"))
            })
    }

    /// True when nothing may change it any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Success | Self::Failed | Self::Cancelled => true,
        }
    }
}
