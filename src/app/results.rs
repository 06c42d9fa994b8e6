//! Results: the end of a command, accepted once, and what it means for its record or operation.

use crate::App;
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::ResultReport;
use backupx_core::{Error, Result};

impl App {
    /// How a command ended. `Conflict` (`lease_lost`) from a stale lease, which changes nothing; a repeat of an accepted result is accepted.
    pub async fn result(
        &self,
        node: NodeId,
        command: CommandId,
        report: ResultReport,
    ) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
