//! Records: one run of one task.

use crate::drills::Drill;
use crate::evidence::Evidence;
use crate::guard::Alarm;
use crate::mirror::mirrored;
use crate::operations::VerifyMode;
use crate::reports::Failure;
use crate::sources::Secrets;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::{progress, record, report};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

mirrored! {
    /// Where a record is in its life: `queued → running → success | degraded | failed | cancelled | missed`.
    #[serde(rename_all = "camelCase")]
    RecordStatus = record::RecordState {
        /// Waiting for a node.
        Queued = "queued",
        /// A node works on it.
        Running = "running",
        /// Every target has a confirmed copy.
        Success = "success",
        /// At least one target has a confirmed copy, not all.
        Degraded = "degraded",
        /// No target has one.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
        /// The schedule fired and no node took the run in time.
        Missed = "missed",
    }
}

impl RecordStatus {
    /// True when nothing changes it any more.
    pub fn is_final(self) -> bool {
        record::RecordState::from(self).is_final()
    }
}

mirrored! {
    /// What made a run start.
    #[serde(rename_all = "camelCase")]
    Trigger = record::Trigger {
        /// A person or a script.
        Manual = "manual",
        /// The task's schedule.
        Schedule = "schedule",
        /// The success of the tasks that it waits for.
        After = "after",
        /// Nothing here: another master ran it, and this one found it in storage.
        Import = "import",
    }
}

mirrored! {
    /// What is known of one copy.
    #[serde(rename_all = "camelCase")]
    CopyStatus = record::CopyState {
        /// Not there yet.
        Pending = "pending",
        /// Confirmed, its manifest written last.
        Good = "good",
        /// It did not come about.
        Failed = "failed",
        /// Its removal is on its way.
        Deleting = "deleting",
        /// It is confirmed gone.
        Deleted = "deleted",
        /// It was good and storage no longer has it whole.
        Lost = "lost",
    }
}

mirrored! {
    /// What a run is doing.
    #[serde(rename_all = "camelCase")]
    Phase = progress::Phase {
        /// Not begun.
        Waiting = "waiting",
        /// Reading what is needed before the work.
        Preparing = "preparing",
        /// Moving data.
        Transferring = "transferring",
        /// Confirming objects and writing the manifest.
        Confirming = "confirming",
        /// At its end.
        Done = "done",
    }
}

/// One run of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its id.
    pub id: i64,
    /// The task; it may be gone.
    pub task_id: i64,
    /// The task's name when the run was made.
    pub task_name: String,
    /// The node that runs it; `null` while no node of its pool has taken it.
    pub node_id: Option<i64>,
    /// The node's name, while there is such a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<String>,
    /// Where it is in its life.
    pub status: RecordStatus,
    /// What made it run.
    pub trigger: Trigger,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a node took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When the master heard of its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// Bytes of content that were read.
    pub raw_bytes: u64,
    /// Bytes of one copy in storage.
    pub stored_bytes: u64,
    /// What was read; known when it ended.
    pub counts: Counts,
    /// How far it is.
    pub progress: Progress,
    /// Why it did not end in `success`, when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// One per target of the task.
    pub copies: Vec<RecordCopy>,
    /// Whether retention and people must leave it alone.
    pub locked: bool,
    /// Why and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// What is odd about it, when it is far off the history of its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
    /// What its last drill came to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Evidence>,
    /// The run in figures, once it made a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// Its folder on every target.
    pub location: String,
    /// The streams that it consists of, once it ended well somewhere.
    pub streams: Vec<Stream>,
}

impl Record {
    /// A record with the name of its node where that is known.
    pub fn of(record: record::Record, node_name: Option<String>) -> Self {
        let raw_bytes = record.counts.bytes.max(match record.state.is_final() {
            true => 0,
            false => record.progress.bytes,
        });
        let stored_bytes = record
            .copies
            .iter()
            .map(|copy| copy.stored_bytes)
            .max()
            .filter(|bytes| *bytes > 0)
            .unwrap_or(record.progress.stored_bytes);
        let statistics = Statistics::of(&record);
        Self {
            id: record.id.0,
            task_id: record.task_id.0,
            task_name: record.task.name.into(),
            node_id: chosen(record.node_id),
            node_name,
            status: record.state.into(),
            trigger: record.trigger.into(),
            created_at: record.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            cancel_requested_at: record.cancel_requested_at,
            raw_bytes,
            stored_bytes,
            counts: record.counts.into(),
            progress: record.progress.into(),
            error: record.failure.map(Into::into),
            copies: record.copies.into_iter().map(Into::into).collect(),
            locked: record.lock.is_some(),
            lock: record.lock.map(Into::into),
            alarm: record.alarm.map(Into::into),
            drill: record.drill.map(|evidence| (*evidence).into()),
            statistics,
            location: record.location.into(),
            streams: record.streams.into_iter().map(Into::into).collect(),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Entries done.
    pub files: u64,
    /// Bytes of content done.
    pub bytes: u64,
    /// Bytes in storage touched.
    pub stored_bytes: u64,
    /// Entries in all, once known.
    pub total_files: Option<u64>,
    /// Bytes of content in all, once known.
    pub total_bytes: Option<u64>,
}

impl From<progress::Progress> for Progress {
    fn from(progress: progress::Progress) -> Self {
        Self {
            phase: progress.phase.into(),
            files: progress.files,
            bytes: progress.bytes,
            stored_bytes: progress.stored_bytes,
            total_files: progress.total_files,
            total_bytes: progress.total_bytes,
        }
    }
}

/// What was read from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Entries in the archive, of all kinds.
    pub entries: u64,
    /// Regular files among them.
    pub files: u64,
    /// Folders among them.
    pub dirs: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Files whose size changed while they were read.
    pub changed: u64,
    /// Files and folders that could not be read.
    pub unreadable: u64,
    /// Files that vanished between listing and reading.
    pub vanished: u64,
    /// Things that an archive can't hold, as sockets.
    pub skipped: u64,
    /// Warnings in all.
    pub warnings: u64,
    /// Regular files that are newer than the good run before; absent when there was none, and for databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_files: Option<u64>,
    /// Bytes of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_bytes: Option<u64>,
}

impl From<report::Counts> for Counts {
    fn from(counts: report::Counts) -> Self {
        Self {
            entries: counts.entries,
            files: counts.files,
            dirs: counts.dirs,
            bytes: counts.bytes,
            changed: counts.changed,
            unreadable: counts.unreadable,
            vanished: counts.vanished,
            skipped: counts.skipped,
            warnings: counts.warnings,
            new_files: counts.new_files,
            new_bytes: counts.new_bytes,
        }
    }
}

/// One record on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordCopy {
    /// Where.
    pub target_id: i64,
    /// The target's name when the run was made.
    pub target_name: String,
    /// What is known of it.
    pub status: CopyStatus,
    /// Bytes in storage, manifest included.
    pub stored_bytes: u64,
    /// SHA-256 of its manifest, once it is good.
    pub manifest_sha256: Option<String>,
    /// Why it failed or is lost.
    pub error: Option<String>,
    /// When its bytes were last proven.
    pub verified_at: Option<DateTime<Utc>>,
}

impl From<record::RecordCopy> for RecordCopy {
    fn from(copy: record::RecordCopy) -> Self {
        Self {
            target_id: copy.target_id.0,
            target_name: copy.target_name,
            status: copy.state.into(),
            stored_bytes: copy.stored_bytes,
            manifest_sha256: copy.manifest_sha256,
            error: copy.error,
            verified_at: copy.verified_at,
        }
    }
}

/// A reason to keep a record whatever the policy says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Why, in a person's words.
    pub reason: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl From<record::Lock> for Lock {
    fn from(lock: record::Lock) -> Self {
        Self {
            reason: lock.reason,
            since: lock.since,
        }
    }
}

/// A run in figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// How long it took, in milliseconds, from the node's taking it to the master's hearing of its end.
    pub duration_ms: u64,
    /// Bytes of content read in a second.
    pub bytes_per_second: u64,
    /// The share of its bytes that storage holds, 0 to 1 and a little more; absent for an empty run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_share: Option<f64>,
    /// The share of its files that is newer than the good run before, 0 to 1; absent when there was none, and for databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_share: Option<f64>,
}

impl Statistics {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share for people has a few digits"
    )]
    fn of(record: &record::Record) -> Option<Self> {
        let (started, finished) = (record.started_at?, record.finished_at?);
        if !record.state.has_copies() {
            return None;
        }
        let duration_ms = u64::try_from((finished - started).num_milliseconds()).unwrap_or(0);
        let counts = &record.counts;
        let stored = record.copies.iter().map(|copy| copy.stored_bytes).max();
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        Some(Self {
            duration_ms,
            bytes_per_second: counts.bytes.saturating_mul(1000) / duration_ms.max(1),
            stored_share: stored.and_then(|stored| share(stored, counts.bytes)),
            changed_share: counts.new_files.and_then(|new| share(new, counts.files)),
        })
    }
}

/// A stream as it lies in storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    /// `data` or `index`.
    pub name: String,
    /// Whether it is sealed.
    pub encrypted: bool,
    /// Its size as stored.
    pub stored_bytes: u64,
    /// SHA-256 as stored, lower-case hex.
    pub sha256: String,
}

impl From<record::StreamHead> for Stream {
    fn from(head: record::StreamHead) -> Self {
        Self {
            name: head.stream,
            encrypted: head.age_header.is_some(),
            stored_bytes: head.stored_bytes,
            sha256: head.sha256,
        }
    }
}

/// Which records are listed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct RecordQuery {
    /// Of this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// Run by this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<i64>,
    /// In this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<RecordStatus>,
    /// How many items at most, 1 to 500; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// The `nextCursor` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// How a record is to be verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// How deep.
    #[serde(default)]
    pub mode: VerifyMode,
    /// Which copies; all good ones when empty.
    #[serde(default)]
    pub target_ids: Vec<i64>,
    /// How a drill goes, for mode `drill` alone; the task's own when absent. Needs `admin` when it asks with SQL, since that runs with the rights of
    /// the sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<Drill>,
    /// Secrets for the server of that drill, by name; without any the task's own are used, as long as it is the task's own server.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secrets: Secrets,
}

/// Why a record is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LockRequest {
    /// Why, in a person's words.
    pub reason: String,
}
/// The id of a node, nothing when none was chosen.
pub(crate) fn chosen(node: NodeId) -> Option<i64> {
    (node != NodeId::NONE).then_some(node.0)
}
