//! The relay: objects of a running command on targets that only the master reaches.

use crate::App;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{CommandId, NodeId, TargetId};
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::ops::Range;

impl App {
    /// Creates an object of the command's record. `name` is a plain file name.
    pub async fn relay_create(
        &self,
        node: NodeId,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        body: Vec<Bytes>,
    ) -> Result<()> {
        Err(Error::internal("not built yet"))
    }

    /// The size of such an object, nothing when it is not there.
    pub async fn relay_stat(
        &self,
        node: NodeId,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
    ) -> Result<Option<u64>> {
        Err(Error::internal("not built yet"))
    }

    /// Reads a range of such an object.
    pub async fn relay_read(
        &self,
        node: NodeId,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Bytes> {
        Err(Error::internal("not built yet"))
    }
}
