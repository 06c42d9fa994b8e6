//! Reports: what came of operations and of short questions to nodes.

use crate::drills::DrillReport;
use crate::mirror::mirrored;
use backupx_core::domain::{entry, report};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Stable code, as `source_missing`, `disk_full`.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

impl From<report::Failure> for Failure {
    fn from(failure: report::Failure) -> Self {
        Self {
            code: failure.code,
            message: failure.message,
        }
    }
}

/// What came of an operation, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum OperationReport {
    /// Of a restore.
    Restore(RestoreReport),
    /// Of a verification.
    Verify(VerifyReport),
    /// Of a drill.
    Drill(Box<DrillReport>),
    /// Of a copy.
    Copy(CopyReport),
    /// Of a deletion.
    Delete(DeleteReport),
}

impl OperationReport {
    /// The report of an operation; nothing for reports of other commands.
    pub fn of(report: report::Report) -> Option<Self> {
        match report {
            report::Report::Restore(report) => Some(Self::Restore(report.into())),
            report::Report::Verify(report) => Some(Self::Verify(report.into())),
            report::Report::Drill(report) => Some(Self::Drill(Box::new((*report).into()))),
            report::Report::Copy { copies } => Some(Self::Copy(CopyReport {
                copies: copies.into_iter().map(Into::into).collect(),
            })),
            report::Report::Delete(report) => Some(Self::Delete(report.into())),
            report::Report::Backup(_)
            | report::Report::Browse(_)
            | report::Report::TestTarget(_)
            | report::Report::TestSource(_)
            | report::Report::Inventory(_)
            | report::Report::ListFiles(_) => None,
        }
    }
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreReport {
    /// Entries that the selection holds.
    pub selected_entries: u64,
    /// Bytes of content that the selection holds.
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
    pub would_write: Vec<String>,
    /// Bytes read from storage.
    pub stored_bytes_read: u64,
    /// The folder that was written to.
    pub to: String,
}

impl From<report::RestoreReport> for RestoreReport {
    fn from(report: report::RestoreReport) -> Self {
        Self {
            selected_entries: report.selected_entries,
            selected_bytes: report.selected_bytes,
            restored_entries: report.restored_entries,
            restored_bytes: report.restored_bytes,
            kept_entries: report.kept_entries,
            failed_entries: report.failed_entries,
            warnings: report.warnings,
            would_write: report.would_write,
            stored_bytes_read: report.stored_bytes_read,
            to: report.to,
        }
    }
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Per copy.
    pub copies: Vec<VerifiedCopy>,
}

impl From<report::VerifyReport> for VerifyReport {
    fn from(report: report::VerifyReport) -> Self {
        Self {
            copies: report.copies.into_iter().map(Into::into).collect(),
        }
    }
}

/// What a verification found of one copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedCopy {
    /// Which target.
    pub target_id: i64,
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

impl From<report::VerifiedCopy> for VerifiedCopy {
    fn from(copy: report::VerifiedCopy) -> Self {
        Self {
            target_id: copy.target_id.0,
            ok: copy.ok,
            objects: copy.objects,
            bytes_read: copy.bytes_read,
            entries: copy.entries,
            problems: copy.problems,
            damaged: copy.damaged,
        }
    }
}

/// What came of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CopyReport {
    /// Per target that was to get one.
    pub copies: Vec<CopiedTarget>,
}

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CopiedTarget {
    /// Which target.
    pub target_id: i64,
    /// Bytes in storage, manifest included.
    pub stored_bytes: u64,
    /// Why there is no copy, when there is none.
    pub error: Option<Failure>,
}

impl From<report::CopyReport> for CopiedTarget {
    fn from(report: report::CopyReport) -> Self {
        Self {
            target_id: report.target_id.0,
            stored_bytes: report.stored_bytes,
            error: report.failure.map(Into::into),
        }
    }
}

/// What came of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteReport {
    /// Objects removed.
    pub objects: u64,
    /// Bytes removed, where storage says sizes.
    pub bytes: u64,
}

impl From<report::DeleteReport> for DeleteReport {
    fn from(report: report::DeleteReport) -> Self {
        Self {
            objects: report.objects,
            bytes: report.bytes,
        }
    }
}

mirrored! {
    /// What a thing in a file tree is.
    #[serde(rename_all = "camelCase")]
    EntryKind = entry::EntryKind {
        /// A regular file.
        File = "file",
        /// A folder.
        Dir = "dir",
        /// A symbolic link.
        Symlink = "symlink",
        /// A further name of a file.
        Hardlink = "hardlink",
        /// A character device.
        CharDevice = "charDevice",
        /// A block device.
        BlockDevice = "blockDevice",
        /// A named pipe.
        Fifo = "fifo",
    }
}

/// One thing in a folder or in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedEntry {
    /// Its name; bytes that are no UTF-8 are shown as `\xNN`.
    pub name: String,
    /// Its full path.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its modification time, seconds since 1970.
    pub mtime: i64,
}

impl From<report::ListedEntry> for ListedEntry {
    fn from(entry: report::ListedEntry) -> Self {
        Self {
            name: entry.name,
            path: entry.path,
            kind: entry.kind.into(),
            size: entry.size,
            mtime: entry.mtime,
        }
    }
}

/// A folder of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// The folder.
    pub path: String,
    /// What is in it, folders first, then by name; at most 1,000.
    pub entries: Vec<ListedEntry>,
    /// True when there was more.
    pub truncated: bool,
}

impl From<report::Listing> for Listing {
    fn from(listing: report::Listing) -> Self {
        Self {
            path: listing.path,
            entries: listing.entries.into_iter().map(Into::into).collect(),
            truncated: listing.truncated,
        }
    }
}

/// Which folder of a backup is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct FilesQuery {
    /// Folder in the archive; its top when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many items at most, 1 to 500; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// The `nextCursor` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What a test of a target found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// True when every step held.
    pub ok: bool,
    /// Each step, in order, up to the one that failed.
    pub steps: Vec<TestStep>,
    /// True when storage refused to create an object a second time.
    pub conditional_create: bool,
}

/// One step of a test of a target or a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    /// What was tried: `open`, `write`, `read`, `list`, `speed`, `createAgain`, `delete` of a target; `tools`, `connect`, `version`, `rights`,
    /// `databases` of a source.
    pub name: String,
    /// Whether it held.
    pub ok: bool,
    /// What was found, or the cause and what to do.
    pub message: String,
    /// How long it took.
    pub duration_ms: u64,
}

impl From<report::TestStep> for TestStep {
    fn from(step: report::TestStep) -> Self {
        Self {
            name: step.name,
            ok: step.ok,
            message: step.message,
            duration_ms: step.duration_ms,
        }
    }
}

impl From<report::TestReport> for TestReport {
    fn from(report: report::TestReport) -> Self {
        Self {
            ok: report.ok,
            steps: report.steps.into_iter().map(Into::into).collect(),
            conditional_create: report.conditional_create,
        }
    }
}
