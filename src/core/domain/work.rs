//! Work: a claimed command with everything that it needs. Made when it is claimed, sent to its node, never stored.

use super::access::{StreamKey, TargetAccess};
use super::check::KeptCopy;
use super::command::{Lane, Lease, Subject};
use super::drill::DrillSpec;
use super::id::{CommandId, NodeId, OperationId, RecordId, TaskId};
use super::key::ObjectKey;
use super::operation::{RestoreSpec, VerifyMode};
use super::secret::WireSecret;
use super::source::SourceSpec;
use super::task::TaskSpec;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A claimed command on its way to its node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assignment {
    /// The command.
    pub command_id: CommandId,
    /// The lease under which the node may report.
    pub lease: Lease,
    /// What it is about.
    pub subject: Subject,
    /// Its lane.
    pub lane: Lane,
    /// What is to be done.
    pub work: Work,
}

/// What a node is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Work {
    /// Make a backup.
    Backup(Box<BackupWork>),
    /// Put files back.
    Restore(RestoreWork),
    /// Prove copies.
    Verify(VerifyWork),
    /// Restore into a throw-away place, and ask.
    Drill(Box<DrillWork>),
    /// Make missing copies from a good one.
    Copy(CopyWork),
    /// Remove everything below a record's folder on one target.
    Delete(DeleteWork),
    /// List a folder of the node.
    Browse {
        /// Absolute path.
        path: String,
    },
    /// Try a target.
    TestTarget {
        /// Which one.
        target: TargetAccess,
    },
    /// Try a source.
    TestSource(Box<DatabaseWork>),
    /// Look whether a target still holds copies.
    CheckTarget(CheckWork),
    /// Look at what lies on a target.
    Inventory(InventoryWork),
    /// Read a part of an index.
    ListFiles(ListFilesWork),
    /// Something that only newer versions know. Read, so that what else came with it is not lost.
    #[serde(other)]
    Unknown,
}

/// Look whether a target still holds copies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckWork {
    /// Which target.
    pub target: TargetAccess,
    /// The copies, by folder.
    pub copies: Vec<KeptCopy>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// Look at what lies on a target.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryWork {
    /// Which one.
    pub target: TargetAccess,
    /// The folder behind which to begin; absent means at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ObjectKey>,
    /// How many folders of records at most.
    pub limit: u32,
}

/// A database server and how to sign in there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseWork {
    /// Which one.
    pub source: SourceSpec,
    /// Its secrets by name.
    pub secrets: BTreeMap<String, WireSecret>,
}

/// Make a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupWork {
    /// The record.
    pub record_id: RecordId,
    /// The task.
    pub task_id: TaskId,
    /// The task as it was when the run was made.
    pub task: TaskSpec,
    /// When the good run before it began, from which on files count as new; absent for the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_run: Option<Timestamp>,
    /// The folder on every target.
    pub location: ObjectKey,
    /// When the run was made, by the master's clock.
    pub created_at: Timestamp,
    /// The node, for the manifest.
    pub node_id: NodeId,
    /// The node's name, for the manifest.
    pub node_name: String,
    /// Where copies go.
    pub targets: Vec<TargetAccess>,
    /// Public keys to seal to; empty when the task is not encrypted.
    pub recipients: Vec<String>,
    /// Secrets of the task's source by name.
    #[serde(default)]
    pub secrets: BTreeMap<String, WireSecret>,
}

/// Put files back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreWork {
    /// The record.
    pub record_id: RecordId,
    /// Its folder.
    pub location: ObjectKey,
    /// Targets with good copies, best first; the next one is taken when one fails.
    pub sources: Vec<TargetAccess>,
    /// Keys of its sealed streams.
    pub keys: Vec<StreamKey>,
    /// What and how.
    pub spec: RestoreSpec,
    /// Whether the record holds dumps of databases instead of files.
    #[serde(default)]
    pub dumps: bool,
    /// The server that dumps are put back into, unless they become files.
    #[serde(default)]
    pub database: Option<Box<DatabaseWork>>,
}

/// Prove copies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyWork {
    /// The record.
    pub record_id: RecordId,
    /// Its folder.
    pub location: ObjectKey,
    /// The copies to prove.
    pub targets: Vec<TargetAccess>,
    /// Keys of its sealed streams; empty for a quick verification.
    pub keys: Vec<StreamKey>,
    /// How deep.
    pub mode: VerifyMode,
}

/// Restore into a throw-away place, ask whether it holds what it should, and drop it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DrillWork {
    /// The operation: what is made on servers is called after it.
    pub operation_id: OperationId,
    /// The record.
    pub record_id: RecordId,
    /// Its folder.
    pub location: ObjectKey,
    /// Targets with good copies, best first; the next one is taken when one fails.
    pub sources: Vec<TargetAccess>,
    /// Keys of its sealed streams.
    pub keys: Vec<StreamKey>,
    /// Where to and what is asked; its place is named.
    pub spec: DrillSpec,
    /// The server of the place, or of which kind the throw-away one or the files are; nothing for a backup of files.
    #[serde(default)]
    pub database: Option<Box<DatabaseWork>>,
}

/// Make missing copies from a good one. Bytes are copied as they are stored: no key is needed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyWork {
    /// The record.
    pub record_id: RecordId,
    /// Its folder.
    pub location: ObjectKey,
    /// Targets with good copies, best first.
    pub sources: Vec<TargetAccess>,
    /// Targets that are to get one.
    pub targets: Vec<TargetAccess>,
}

/// Remove everything below a record's folder on one target.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteWork {
    /// The record.
    pub record_id: RecordId,
    /// Its folder.
    pub location: ObjectKey,
    /// From where.
    pub target: TargetAccess,
}

/// Read a part of an index.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFilesWork {
    /// The record's folder.
    pub location: ObjectKey,
    /// Targets with good copies, best first.
    pub sources: Vec<TargetAccess>,
    /// The key of its index.
    pub keys: Vec<StreamKey>,
    /// Folder in the archive whose direct children are listed; empty means the top.
    pub path: String,
    /// How many entries at most.
    pub limit: u32,
    /// The last path of the page before.
    pub after: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_only_newer_versions_know_is_read_beside_the_other() {
        let text =
            r#"[{"type": "browse", "path": "/"}, {"type": "foretell", "what": {"the": "future"}}]"#;
        let works: Vec<Work> = serde_json::from_str(text).expect("both are read");
        assert!(matches!(works[..], [Work::Browse { .. }, Work::Unknown]));
    }
}
