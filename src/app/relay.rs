//! The relay: objects of a running command on targets that only the master reaches.

use crate::App;
use backupx_core::domain::command::{CommandSpec, Lease, Subject};
use backupx_core::domain::id::{CommandId, NodeId, RecordId, TargetId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::operation::OperationSpec;
use backupx_core::domain::record::CopyState;
use backupx_core::domain::target::Reach;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// Most bytes of one read: an answer is held in memory.
const MAX_READ: u64 = 64 << 20;

/// What an agent wants to do with an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Write,
    Read,
}

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
        let (store, key) = self
            .relayed(node, command, lease, target, name, Wish::Write)
            .await?;
        store.create(&key, body).await
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
        let (store, key) = self
            .relayed(node, command, lease, target, name, Wish::Read)
            .await?;
        Ok(store.stat(&key).await?.map(|info| info.size))
    }

    /// Reads a range of such an object, at most 64 MiB at once.
    pub async fn relay_read(
        &self,
        node: NodeId,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Bytes> {
        if range.end < range.start || range.end - range.start > MAX_READ {
            return Err(Error::field("range", "must have at most 64 MiB"));
        }
        let (store, key) = self
            .relayed(node, command, lease, target, name, Wish::Read)
            .await?;
        store.read(&key, range).await
    }

    /// The store and key behind a wish, after proof that this node may have it: its live lease, its command's record, a target of this
    /// command that only the master reaches, a plain name. The key is made here; an agent never names one (never 20).
    async fn relayed(
        &self,
        node: NodeId,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        wish: Wish,
    ) -> Result<(Arc<dyn ObjectStore>, ObjectKey)> {
        let command = self.held_command(node, command, lease).await?;
        let location = match (command.subject, &command.spec) {
            (Subject::Record(id), _) => self.location_of_run(id, target).await?,
            (Subject::Operation(id), _) => {
                let operation = self.ports.operations.get(id).await?.ok_or_else(refused)?;
                let writable = matches!(&operation.spec, OperationSpec::Copy { target_ids } if target_ids.contains(&target));
                if writable {
                    self.location_of_run(operation.record_id, target).await?
                } else if wish == Wish::Read {
                    self.location_of_copy(operation.record_id, target).await?
                } else {
                    return Err(refused());
                }
            }
            (Subject::Request(_), CommandSpec::ListFiles { record_id, .. })
                if wish == Wish::Read =>
            {
                self.location_of_copy(*record_id, target).await?
            }
            (Subject::Request(_), _) => return Err(refused()),
        };
        let target = self.known_target(target).await?;
        if target.reach() != Reach::Master {
            return Err(refused());
        }
        if name.is_empty() || name.len() > 200 || name.contains('/') {
            return Err(Error::field(
                "name",
                "must be a plain file name of at most 200 bytes",
            ));
        }
        let access = self.access_of(&target, NodeId::LOCAL)?;
        Ok((self.open_here(&access).await?, location.join(name)?))
    }

    async fn location_of_run(&self, id: RecordId, target: TargetId) -> Result<ObjectKey> {
        let record = self.known_record(id).await?;
        let asked = record.copies.iter().any(|copy| copy.target_id == target);
        asked.then_some(record.location).ok_or_else(refused)
    }

    async fn location_of_copy(&self, id: RecordId, target: TargetId) -> Result<ObjectKey> {
        let record = self.known_record(id).await?;
        let good = record
            .copies
            .iter()
            .any(|copy| copy.target_id == target && copy.state == CopyState::Good);
        good.then_some(record.location).ok_or_else(refused)
    }
}

fn refused() -> Error {
    Error::forbidden(
        "relay_refused",
        "this command has no business with that target",
    )
}
