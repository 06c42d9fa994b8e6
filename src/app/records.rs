//! Records: runs of tasks, looked at, proven, locked, stopped, completed and removed.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::{RecordId, TargetId};
use backupx_core::domain::log::StoredLine;
use backupx_core::domain::operation::{Operation, VerifyMode};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::record::Record;
use backupx_core::domain::report::FilePage;
use backupx_core::ports::records::RecordFilter;
use backupx_core::{Error, Result};

impl App {
    /// Records, newest first.
    pub async fn records(
        &self,
        principal: &Principal,
        filter: RecordFilter,
        page: PageRequest,
    ) -> Result<Page<Record>> {
        Err(Error::internal("not built yet"))
    }

    /// One record.
    pub async fn record(&self, principal: &Principal, id: RecordId) -> Result<Record> {
        Err(Error::internal("not built yet"))
    }

    /// Up to `limit` lines of a record's log behind the line `after`.
    pub async fn record_log(
        &self,
        principal: &Principal,
        id: RecordId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>> {
        Err(Error::internal("not built yet"))
    }

    /// The direct children of a folder in a record's archive; `after` is the last path of the page before. Needs `operator`.
    pub async fn record_files(
        &self,
        principal: &Principal,
        id: RecordId,
        path: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<FilePage> {
        Err(Error::internal("not built yet"))
    }

    /// Has the good copies proven (all when `targets` is empty). Needs `operator`.
    pub async fn verify_record(
        &self,
        principal: &Principal,
        id: RecordId,
        mode: VerifyMode,
        targets: &[TargetId],
    ) -> Result<Operation> {
        Err(Error::internal("not built yet"))
    }

    /// Has the missing copies made from a good one. Needs `operator`.
    pub async fn retry_record(&self, principal: &Principal, id: RecordId) -> Result<Operation> {
        Err(Error::internal("not built yet"))
    }

    /// Asks a run to stop; one that no node took yet ends at once. Needs `operator`.
    pub async fn cancel_record(&self, principal: &Principal, id: RecordId) -> Result<Record> {
        Err(Error::internal("not built yet"))
    }

    /// Keeps a record whatever the policy says. Needs `operator`.
    pub async fn lock_record(
        &self,
        principal: &Principal,
        id: RecordId,
        reason: &str,
    ) -> Result<Record> {
        Err(Error::internal("not built yet"))
    }

    /// Takes the lock off. Needs `admin`.
    pub async fn unlock_record(&self, principal: &Principal, id: RecordId) -> Result<Record> {
        Err(Error::internal("not built yet"))
    }

    /// Plans the removal of all copies of a record; the row goes when the last one is confirmed gone. `Conflict` while it is locked
    /// (`record_locked`) or not at its end (`record_running`). Needs `admin`.
    pub async fn remove_record(&self, principal: &Principal, id: RecordId) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
