//! Operations: restores, verifications, copies and deletions, looked at and stopped.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::OperationId;
use backupx_core::domain::log::StoredLine;
use backupx_core::domain::operation::Operation;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::ports::operations::OperationFilter;
use backupx_core::{Error, Result};

impl App {
    /// Operations, newest first.
    pub async fn operations(
        &self,
        principal: &Principal,
        filter: OperationFilter,
        page: PageRequest,
    ) -> Result<Page<Operation>> {
        Err(Error::internal("not built yet"))
    }

    /// One operation.
    pub async fn operation(&self, principal: &Principal, id: OperationId) -> Result<Operation> {
        Err(Error::internal("not built yet"))
    }

    /// Up to `limit` lines of an operation's log behind the line `after`.
    pub async fn operation_log(
        &self,
        principal: &Principal,
        id: OperationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>> {
        Err(Error::internal("not built yet"))
    }

    /// Asks an operation to stop; one that no node took yet ends at once. Needs `operator`.
    pub async fn cancel_operation(
        &self,
        principal: &Principal,
        id: OperationId,
    ) -> Result<Operation> {
        Err(Error::internal("not built yet"))
    }
}
