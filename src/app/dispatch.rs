//! Dispatch: commands on their way to nodes - put in, claimed, and filled with what they need.

use crate::App;
use backupx_core::domain::id::NodeId;
use backupx_core::domain::protocol::{Assignments, Poll};
use backupx_core::{Error, Result};

impl App {
    /// Claims up to `free` commands of a lane for a node, waiting for the first one up to the smaller of the asked and the longest wait.
    pub async fn poll(&self, node: NodeId, poll: Poll) -> Result<Assignments> {
        Err(Error::internal("not built yet"))
    }
}
