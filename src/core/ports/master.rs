//! The master as an agent sees it: over HTTP from another host, by a call within one process.

use crate::Result;
use crate::domain::command::Lease;
use crate::domain::id::{CommandId, TargetId};
use crate::domain::protocol::{
    Assignments, Heartbeat, Hello, Poll, ProgressAnswer, ProgressReport, Pulse, ResultReport,
    Welcome,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::ops::Range;

/// The calls of agent protocol v1. `Unavailable` means try again; `Conflict` with code `lease_lost` means stop at once;
/// `Unauthenticated` means the token is not (or no longer) good.
#[async_trait]
pub trait MasterLink: Send + Sync {
    /// Says who is there and what it holds.
    async fn hello(&self, hello: Hello) -> Result<Welcome>;

    /// Says that it is alive.
    async fn heartbeat(&self, heartbeat: Heartbeat) -> Result<Pulse>;

    /// Waits for commands; empty when none came in time.
    async fn poll(&self, poll: Poll) -> Result<Assignments>;

    /// Says how far a command is, which renews its lease.
    async fn progress(&self, command: CommandId, report: ProgressReport) -> Result<ProgressAnswer>;

    /// Says how a command ended. A repeat of an accepted result is accepted again and changes nothing.
    async fn result(&self, command: CommandId, report: ResultReport) -> Result<()>;

    /// Creates an object of the command's record on a target that only the master reaches. `name` is a plain file name.
    async fn relay_create(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        body: Vec<Bytes>,
    ) -> Result<()>;

    /// The size of such an object, nothing when it is not there.
    async fn relay_stat(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
    ) -> Result<Option<u64>>;

    /// Reads a range of such an object.
    async fn relay_read(
        &self,
        command: CommandId,
        lease: Lease,
        target: TargetId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Bytes>;
}
