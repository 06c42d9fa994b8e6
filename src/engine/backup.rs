//! A backup: one source, read once, on several destinations at the same time.

use crate::Destination;
use backupx_core::domain::report::BackupReport;
use backupx_core::domain::work::BackupWork;
use backupx_core::ports::observer::Observer;
use backupx_core::ports::source::{EntrySource, StopFlag};
use backupx_core::{Error, Result};
use std::sync::Arc;

/// What a backup is to do.
#[derive(Debug, Clone)]
pub struct BackupPlan {
    /// The claimed work; its `targets` are not looked at, the destinations are given opened.
    pub work: BackupWork,
    /// The host's own name, for the manifest.
    pub hostname: String,
    /// How many processor cores compress.
    pub cores: usize,
}

/// Reads `source` once and lays it down on all `destinations`, then confirms every object and writes each manifest last.
///
/// The report says per target whether it has a confirmed copy; it has at least one. An error means that no target has one:
/// the source failed, too much of it was unreadable (`too_many_unreadable`), the run was stopped (`cancelled`), or every
/// destination failed. Whatever was written to a destination without a confirmed copy is removed as far as that is possible.
pub async fn backup(
    plan: BackupPlan,
    source: Box<dyn EntrySource>,
    destinations: Vec<Destination>,
    observer: Arc<dyn Observer>,
    stop: StopFlag,
) -> Result<BackupReport> {
    drop((plan, source, destinations, observer, stop));
    Err(Error::internal("backups are not built in yet"))
}
