//! The store of operations.

use crate::Result;
use crate::domain::command::Lease;
use crate::domain::id::{NodeId, OperationId, RecordId};
use crate::domain::operation::{Operation, OperationSpec, OperationState};
use crate::domain::page::{Page, PageRequest};
use crate::domain::progress::Progress;
use crate::domain::report::{Failure, Report};
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// An operation to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOperation {
    /// The record that it works on.
    pub record_id: RecordId,
    /// Who carries it out.
    pub node_id: NodeId,
    /// What is to be done.
    pub spec: OperationSpec,
    /// When it is made.
    pub created_at: Timestamp,
}

/// Which operations are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OperationFilter {
    /// On this record.
    pub record_id: Option<RecordId>,
    /// Of this kind: `restore`, `verify`, `copy`, `delete`.
    pub kind: Option<&'static str>,
    /// In this state.
    pub state: Option<OperationState>,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationEnd {
    /// A final state.
    pub state: OperationState,
    /// What came of it.
    pub report: Option<Report>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

/// Keeps operations. Works like [`super::records::Records`]; `finish` writes an `OperationFinished` event in the same transaction.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Writes a queued operation.
    async fn add(
        &self,
        record: RecordId,
        node: NodeId,
        spec: &OperationSpec,
        now: Timestamp,
    ) -> Result<Operation>;

    /// One operation.
    async fn get(&self, id: OperationId) -> Result<Option<Operation>>;

    /// Operations, newest first.
    async fn list(&self, filter: OperationFilter, page: PageRequest) -> Result<Page<Operation>>;

    /// `queued` (or `running` under a smaller lease) becomes `running` under `lease`. False when it is at its end or under a higher lease.
    async fn start(&self, id: OperationId, lease: Lease, now: Timestamp) -> Result<bool>;

    /// Stores progress of a `running` one under this lease. False when it is not.
    async fn progress(&self, id: OperationId, lease: Lease, progress: &Progress) -> Result<bool>;

    /// Ends one that is `queued` or `running` under exactly this lease. False when it is not.
    async fn finish(
        &self,
        id: OperationId,
        lease: Lease,
        end: &OperationEnd,
        now: Timestamp,
    ) -> Result<bool>;

    /// `running` under this lease becomes `queued` again. False when it is not.
    async fn requeue(&self, id: OperationId, lease: Lease) -> Result<bool>;

    /// Notes that somebody asked it to stop. False when it is at its end.
    async fn request_cancel(&self, id: OperationId, now: Timestamp) -> Result<bool>;

    /// Operations that are not at their end, oldest first, behind `after`.
    async fn unfinished(&self, after: OperationId, limit: u32) -> Result<Vec<Operation>>;
}
