//! Operations: restores, verifications, copies and deletions, looked at and stopped.

use crate::App;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::command::Subject;
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
        principal.require(Role::Viewer)?;
        self.ports.operations.list(filter, page).await
    }

    /// One operation.
    pub async fn operation(&self, principal: &Principal, id: OperationId) -> Result<Operation> {
        principal.require(Role::Viewer)?;
        self.ports.operations.get(id).await?.ok_or_else(|| {
            Error::not_found("operation_not_found", format!("there is no operation {id}"))
        })
    }

    /// Up to `limit` lines of an operation's log behind the line `after`.
    pub async fn operation_log(
        &self,
        principal: &Principal,
        id: OperationId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>> {
        self.operation(principal, id).await?;
        self.read_log(Subject::Operation(id), after, limit).await
    }

    /// Asks an operation to stop; one that no node took yet ends at once. Needs `operator`.
    pub async fn cancel_operation(
        &self,
        principal: &Principal,
        id: OperationId,
    ) -> Result<Operation> {
        principal.require(Role::Operator)?;
        let operation = self.operation(principal, id).await?;
        if !self.stop_operation(&operation).await? {
            return Err(Error::conflict(
                "operation_finished",
                format!("operation {id} is at its end already"),
            ));
        }
        tracing::info!(
            operation.id = id.0,
            by = principal.username,
            "an operation was asked to stop"
        );
        self.operation(principal, id).await
    }
}
