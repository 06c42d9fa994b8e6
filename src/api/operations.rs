//! Operations: what is done with a record after it was made - restored, verified, copied, deleted.

use crate::drills::Drill;
use crate::mirror::mirrored;
use crate::records::Progress;
use crate::reports::{Failure, OperationReport};
use crate::sources::{Secrets, Server};
use backupx_core::domain::dump;
use backupx_core::domain::operation;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

mirrored! {
    /// Where an operation is in its life.
    #[serde(rename_all = "camelCase")]
    OperationStatus = operation::OperationState {
        /// Waiting for a node.
        Queued = "queued",
        /// A node works on it.
        Running = "running",
        /// Done, and it held.
        Success = "success",
        /// It did not.
        Failed = "failed",
        /// Somebody stopped it.
        Cancelled = "cancelled",
    }
}

impl OperationStatus {
    /// True when nothing changes it any more.
    pub fn is_final(self) -> bool {
        operation::OperationState::from(self).is_final()
    }
}

mirrored! {
    /// What a restore does with a file that is there already.
    #[derive(Default)]
    #[serde(rename_all = "kebab-case")]
    Overwrite = operation::Overwrite {
        /// It stays as it is.
        Never = "never",
        /// It is replaced when its size, time or type differ.
        #[default]
        IfChanged = "if-changed",
        /// It is replaced.
        Always = "always",
    }
}

mirrored! {
    /// How deep a verification looks.
    #[derive(Default)]
    #[serde(rename_all = "camelCase")]
    VerifyMode = operation::VerifyMode {
        /// Every object exists with its size, and its checksum where storage says one.
        #[default]
        Quick = "quick",
        /// Every byte is read, checked, opened, decompressed, and compared with the index.
        Full = "full",
        /// It is restored into a throw-away place and asked whether it holds what it should.
        Drill = "drill",
    }
}

/// What is done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperationKind {
    /// Files are put back.
    Restore,
    /// Copies are proven.
    Verify,
    /// Missing copies are made from a good one.
    Copy,
    /// A copy is removed.
    Delete,
}

impl OperationKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Restore, Self::Verify, Self::Copy, Self::Delete];

    /// Its name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Verify => "verify",
            Self::Copy => "copy",
            Self::Delete => "delete",
        }
    }
}

/// One restore, verification, copy or deletion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id.
    pub id: i64,
    /// The record that it works on.
    pub record_id: i64,
    /// The node that carries it out.
    pub node_id: i64,
    /// What is to be done.
    #[serde(flatten)]
    pub work: OperationWork,
    /// Where it is in its life.
    pub status: OperationStatus,
    /// How far it is.
    pub progress: Progress,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<OperationReport>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a node took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When the master heard of its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// When somebody asked it to stop.
    pub cancel_requested_at: Option<DateTime<Utc>>,
}

impl From<operation::Operation> for Operation {
    fn from(operation: operation::Operation) -> Self {
        Self {
            id: operation.id.0,
            record_id: operation.record_id.0,
            node_id: operation.node_id.0,
            work: operation.spec.into(),
            status: operation.state.into(),
            progress: operation.progress.into(),
            report: operation.report.and_then(OperationReport::of),
            error: operation.failure.map(Into::into),
            created_at: operation.created_at,
            started_at: operation.started_at,
            finished_at: operation.finished_at,
            cancel_requested_at: operation.cancel_requested_at,
        }
    }
}

/// What an operation is to do, by its `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum OperationWork {
    /// Put files back.
    #[serde(rename_all = "camelCase")]
    Restore {
        /// Folder below which everything is written; `null` means where it came from.
        to: Option<String>,
        /// Globs of archived paths; empty means everything.
        include: Vec<String>,
        /// What happens to files that are there already.
        overwrite: Overwrite,
        /// Only say what would be done.
        dry_run: bool,
        /// How databases are put back into a server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<Box<DatabaseRestore>>,
    },
    /// Prove copies.
    #[serde(rename_all = "camelCase")]
    Verify {
        /// How deep.
        mode: VerifyMode,
        /// Which copies; all good ones when empty.
        target_ids: Vec<i64>,
        /// How a drill goes, for that mode alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drill: Option<Box<Drill>>,
    },
    /// Make the copies that are missing from one that is good.
    #[serde(rename_all = "camelCase")]
    Copy {
        /// Where to.
        target_ids: Vec<i64>,
    },
    /// Remove one copy, or what a failed run left behind.
    #[serde(rename_all = "camelCase")]
    Delete {
        /// From where.
        target_id: i64,
        /// Why.
        reason: String,
    },
}

impl OperationWork {
    /// Which kind it is.
    pub fn kind(&self) -> OperationKind {
        match self {
            Self::Restore { .. } => OperationKind::Restore,
            Self::Verify { .. } => OperationKind::Verify,
            Self::Copy { .. } => OperationKind::Copy,
            Self::Delete { .. } => OperationKind::Delete,
        }
    }
}

impl From<operation::OperationSpec> for OperationWork {
    fn from(spec: operation::OperationSpec) -> Self {
        use operation::OperationSpec;
        let ids =
            |ids: Vec<backupx_core::domain::id::TargetId>| ids.iter().map(|id| id.0).collect();
        match spec {
            OperationSpec::Restore(spec) => Self::Restore {
                to: spec.to,
                include: spec.include,
                overwrite: spec.overwrite.into(),
                dry_run: spec.dry_run,
                database: spec.database.map(|database| Box::new((*database).into())),
            },
            OperationSpec::Verify {
                mode,
                target_ids,
                drill,
            } => Self::Verify {
                mode: mode.into(),
                target_ids: ids(target_ids),
                drill: drill.map(|drill| Box::new((*drill).into())),
            },
            OperationSpec::Copy { target_ids } => Self::Copy {
                target_ids: ids(target_ids),
            },
            OperationSpec::Delete { target_id, reason } => Self::Delete {
                target_id: target_id.0,
                reason,
            },
        }
    }
}

/// Which operations are listed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct OperationQuery {
    /// On this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<i64>,
    /// Of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub kind: Option<OperationKind>,
    /// In this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(inline)]
    pub status: Option<OperationStatus>,
    /// How many items at most, 1 to 500; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// The `nextCursor` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A restore to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreRequest {
    /// What is put back.
    pub record_id: i64,
    /// The node that does it; the one that made the record when absent.
    #[serde(default)]
    pub node_id: Option<i64>,
    /// Absolute folder below which everything is written; absent means where it came from.
    #[serde(default)]
    pub to: Option<String>,
    /// Globs of archived paths (`*` stops at `/`, `**` does not); a folder's path means all below it. Empty means everything.
    #[serde(default)]
    pub include: Vec<String>,
    /// What happens to files that are there already.
    #[serde(default)]
    pub overwrite: Overwrite,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// How databases are put back into a server; only for a record of databases, and not together with `to`, where their dumps become
    /// files. Without either they go back to the server that they came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseRestore>,
    /// Secrets for that server, by name; without any the task's own are used, as long as it is the task's own server.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secrets: Secrets,
}

/// How dumps are put back into a server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DatabaseRestore {
    /// The server; absent means the one that was backed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
    /// A new name, when one database is restored; for SQLite the path of the file, for a whole cluster that of its data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Tables to restore out of a database, as `table` or `schema.table`; empty means everything. Not every format can do that.
    pub tables: Vec<String>,
    /// Whether users and rights are restored too when nothing is selected.
    pub accounts: bool,
    /// How many connections restore at once, where the tool can; 0 means one.
    pub jobs: u16,
    /// Folder on the node with the tools; absent means that fitting ones are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<String>,
    /// For a whole cluster: how far its server goes on with log from an archive: `latest`, a time as `2026-11-28T10:00:00Z`,
    /// `lsn:0/3000158` or `name:POINT`. Absent means not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The settings file on the node of the archive that has the log; absent means the one that the task names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_archive: Option<String>,
}

impl From<DatabaseRestore> for dump::DatabaseRestore {
    fn from(database: DatabaseRestore) -> Self {
        Self {
            server: database.server.map(Into::into),
            rename: database.rename,
            tables: database.tables,
            accounts: database.accounts,
            jobs: database.jobs,
            tools: database.tools,
            until: database.until,
            wal_archive: database.wal_archive,
            secrets: None,
        }
    }
}

impl From<dump::DatabaseRestore> for DatabaseRestore {
    fn from(database: dump::DatabaseRestore) -> Self {
        Self {
            server: database.server.map(Into::into),
            rename: database.rename,
            tables: database.tables,
            accounts: database.accounts,
            jobs: database.jobs,
            tools: database.tools,
            until: database.until,
            wal_archive: database.wal_archive,
        }
    }
}

impl RestoreRequest {
    /// What and how, without where.
    pub fn spec(self) -> operation::RestoreSpec {
        operation::RestoreSpec {
            to: self.to,
            include: self.include,
            overwrite: self.overwrite.into(),
            dry_run: self.dry_run,
            database: self.database.map(|database| Box::new(database.into())),
        }
    }
}
