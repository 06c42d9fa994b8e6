//! Restores: getting files back, on any node that reaches a good copy.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::{NodeId, RecordId};
use backupx_core::domain::operation::{Operation, RestoreSpec};
use backupx_core::{Error, Result};

impl App {
    /// Has files of a record put back on `node` (the record's own when none is named). `Conflict` (`copy_unreachable`) when that node
    /// reaches no good copy. Needs `operator`.
    pub async fn restore_record(
        &self,
        principal: &Principal,
        id: RecordId,
        node: Option<NodeId>,
        spec: RestoreSpec,
    ) -> Result<Operation> {
        Err(Error::internal("not built yet"))
    }
}
