//! Reports: what a node says at the end of a command.

use super::drill::DrillReport;
use super::id::TargetId;
use super::inventory::InventoryPage;
use super::manifest::StoredStream;
use serde::{Deserialize, Serialize};

/// How a command ended, as the node reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    /// It was carried out. A backup with failed targets is carried out too: its report says which.
    Succeeded {
        /// What came of it.
        report: Report,
    },
    /// It was not.
    Failed {
        /// Why.
        failure: Failure,
        /// What was done before it failed, where that matters.
        #[serde(default)]
        report: Option<Report>,
    },
    /// It was stopped on request.
    Cancelled,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Stable code, as `source_missing`, `disk_full`, `agent_restarted`.
    pub code: String,
    /// What happened and what to do, for a person. Never a secret.
    pub message: String,
}

impl Failure {
    /// A failure with its code and sentence.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

impl From<&crate::Error> for Failure {
    /// The sentence with its causes: it goes to the person who runs the task, into the record's log.
    fn from(error: &crate::Error) -> Self {
        Self::new(error.code(), error.chain())
    }
}

/// What came of a command, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Report {
    /// Of a backup.
    Backup(BackupReport),
    /// Of a restore.
    Restore(RestoreReport),
    /// Of a verification.
    Verify(VerifyReport),
    /// Of a drill.
    Drill(Box<DrillReport>),
    /// Of a copy: one outcome per target that was to get one.
    Copy {
        /// Per target.
        copies: Vec<CopyReport>,
    },
    /// Of a deletion.
    Delete(DeleteReport),
    /// Of a browse.
    Browse(Listing),
    /// Of a target test.
    TestTarget(TestReport),
    /// Of a test of a source.
    TestSource(SourceReport),
    /// Of a look at a target.
    Inventory(InventoryPage),
    /// Of a look into an index.
    ListFiles(FilePage),
}

/// What was read from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Entries in the archive, of all kinds.
    pub entries: u64,
    /// Regular files among them.
    pub files: u64,
    /// Folders among them.
    pub dirs: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Files whose size changed while they were read: padded or cut to the announced size.
    pub changed: u64,
    /// Files and folders that could not be read.
    pub unreadable: u64,
    /// Files that vanished between listing and reading.
    pub vanished: u64,
    /// Things that an archive can't hold, as sockets.
    pub skipped: u64,
    /// Warnings in all, of which the first hundred are kept.
    pub warnings: u64,
    /// Regular files that are newer than the good run before; absent when there was none, and for databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_files: Option<u64>,
    /// Bytes of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_bytes: Option<u64>,
}

/// What came of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupReport {
    /// What was read.
    pub counts: Counts,
    /// The streams, as they lie on the first good target (sizes and checksums of whole streams are the same on all).
    pub streams: Vec<StoredStream>,
    /// Per target.
    pub copies: Vec<CopyReport>,
}

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CopyReport {
    /// Which target.
    pub target_id: TargetId,
    /// Bytes in storage, manifest included.
    pub stored_bytes: u64,
    /// SHA-256 of the manifest, when the copy is confirmed.
    #[serde(default)]
    pub manifest_sha256: Option<String>,
    /// Why it is not, when it is not.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreReport {
    /// Entries that the selection holds, from the index.
    pub selected_entries: u64,
    /// Bytes of content that the selection holds, from the index.
    pub selected_bytes: u64,
    /// Entries written (in a dry run: that would be).
    pub restored_entries: u64,
    /// Bytes of content written (in a dry run: that would be).
    pub restored_bytes: u64,
    /// Entries left as they were, by the overwrite rule.
    pub kept_entries: u64,
    /// Entries that could not be restored or not with all their attributes.
    pub failed_entries: u64,
    /// The first hundred things that were not as they should be.
    pub warnings: Vec<String>,
    /// In a dry run: the first thousand paths that would be written.
    #[serde(default)]
    pub would_write: Vec<String>,
    /// Bytes read from storage.
    pub stored_bytes_read: u64,
    /// The folder that was written to.
    pub to: String,
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Per copy.
    pub copies: Vec<VerifiedCopy>,
}

/// What a verification found of one copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedCopy {
    /// Which target.
    pub target_id: TargetId,
    /// True when everything held.
    pub ok: bool,
    /// Objects looked at.
    pub objects: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Entries compared with the index (a full verification).
    pub entries: u64,
    /// What did not hold, each as a sentence.
    pub problems: Vec<String>,
    /// True when the problems prove that the copy is damaged or gone, false when it could not be looked at.
    pub damaged: bool,
}

/// What came of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteReport {
    /// Objects removed.
    pub objects: u64,
    /// Bytes removed, where storage says sizes.
    pub bytes: u64,
}

/// A folder of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// The folder.
    pub path: String,
    /// What is in it, folders first, then by name; at most 1,000.
    pub entries: Vec<ListedEntry>,
    /// True when there was more.
    pub truncated: bool,
}

/// One thing in a folder or in an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedEntry {
    /// Its name; bytes that are no UTF-8 are shown as `\xNN`.
    pub name: String,
    /// Its full path.
    pub path: String,
    /// What it is.
    pub kind: super::entry::EntryKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time, seconds since 1970.
    pub mtime: i64,
}

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilePage {
    /// The folder in the archive.
    pub path: String,
    /// Its direct children, by name.
    pub entries: Vec<ListedEntry>,
    /// The path to ask behind for more.
    pub next: Option<String>,
}

/// What a test of a target found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// True when every step held.
    pub ok: bool,
    /// Each step, in order, up to the one that failed.
    pub steps: Vec<TestStep>,
    /// True when storage refused to create an object a second time.
    pub conditional_create: bool,
}

/// One step of a test of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    /// What was tried: `open`, `write`, `read`, `list`, `speed`, `createAgain`, `delete`.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What was found, or the cause and what to do.
    pub message: String,
    /// How long it took.
    pub duration_ms: u64,
}

/// What a test of a source found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// True when every step held.
    pub ok: bool,
    /// Each step, in order, up to the one that failed.
    pub steps: Vec<TestStep>,
    /// The databases that are there; at most 1,000.
    pub databases: Vec<FoundDatabase>,
}

/// A database that a server holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundDatabase {
    /// Its name; for SQLite the path of its file.
    pub name: String,
    /// Its size in bytes as the server says it, when it does.
    pub size_bytes: Option<u64>,
}
