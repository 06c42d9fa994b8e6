//! Leases: who may report on a command, and until when.

use crate::App;
use backupx_core::domain::id::{CommandId, NodeId};
use backupx_core::domain::protocol::{
    Heartbeat, Hello, ProgressAnswer, ProgressReport, Pulse, Welcome,
};
use backupx_core::{Error, Result};

impl App {
    /// An agent's first words after its start or a reconnect: what it does not name is lost to it.
    pub async fn hello(&self, node: NodeId, hello: Hello) -> Result<Welcome> {
        Err(Error::internal("not built yet"))
    }

    /// A sign of life.
    pub async fn heartbeat(&self, node: NodeId, heartbeat: Heartbeat) -> Result<Pulse> {
        Err(Error::internal("not built yet"))
    }

    /// How far a command is. `Conflict` (`lease_lost`) when the lease is not the current one.
    pub async fn progress(
        &self,
        node: NodeId,
        command: CommandId,
        report: ProgressReport,
    ) -> Result<ProgressAnswer> {
        Err(Error::internal("not built yet"))
    }
}
