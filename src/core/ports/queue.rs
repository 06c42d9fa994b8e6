//! The command queue: carries work to nodes, at least once, under leases.

use crate::Result;
use crate::domain::command::{Command, CommandSpec, Lane, Lease, Subject};
use crate::domain::id::{CommandId, NodeId};
use crate::domain::protocol::HeldLease;
use crate::domain::report::Outcome;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// A command to put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    /// What it is about.
    pub subject: Subject,
    /// Whom it is for.
    pub node_id: NodeId,
    /// Its lane.
    pub lane: Lane,
    /// What it asks for.
    pub spec: CommandSpec,
    /// The lease that an earlier command of the same subject reached, when a queue lost it: this one's leases come behind it.
    pub after: Lease,
    /// Not handed out before this.
    pub not_before: Timestamp,
    /// A pending one that nobody took by then becomes `timeout`.
    pub expires_at: Option<Timestamp>,
}

/// How many commands of each lane somebody can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Short questions.
    pub short: u32,
    /// Long work.
    pub work: u32,
}

impl Wanted {
    /// So many of one lane alone.
    pub fn only(lane: Lane, count: u32) -> Self {
        let mut wanted = Self::default();
        wanted.set(lane, count);
        wanted
    }

    /// How many of a lane.
    pub fn of(self, lane: Lane) -> u32 {
        match lane {
            Lane::Short => self.short,
            Lane::Work => self.work,
        }
    }

    /// Sets how many of a lane.
    pub fn set(&mut self, lane: Lane, count: u32) {
        match lane {
            Lane::Short => self.short = count,
            Lane::Work => self.work = count,
        }
    }
}

/// How a guarded change of a command went.
#[derive(Debug, Clone, PartialEq)]
pub enum Guarded {
    /// It was made.
    Done,
    /// The lease is not the current one, or the command is at its end, or there is no such command: nothing was changed.
    LeaseLost,
}

/// How the renewal of a lease went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// It holds.
    Held {
        /// True when somebody asked the command to stop.
        cancel: bool,
    },
    /// It is not the current one, or the command is at its end: nothing was changed.
    LeaseLost,
}

/// How a request to stop went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// It was still waiting and is `cancelled` now.
    BeforeStart,
    /// A node holds it and will be told.
    Requested,
    /// It was at its end already, or there is no such command.
    TooLate,
}

/// Carries commands to nodes.
#[async_trait]
pub trait CommandQueue: Send + Sync {
    /// Puts a command in, `pending` at the lease `after`. One that exists for the same subject is left as it is and its id answered.
    /// An id is never given twice, also by a queue that forgot everything: a late report on a forgotten command meets no other one.
    async fn enqueue(&self, command: NewCommand, now: Timestamp) -> Result<CommandId>;

    /// Leases the oldest due `pending` command of `node` in `lane` (by id, among those with `not_before <= now` and not expired):
    /// `claimed`, lease raised by one, not acknowledged. At most one live lease per command, across all masters.
    /// Returns nothing when nothing is due. Never blocks on another claimer.
    async fn claim(&self, node: NodeId, lane: Lane, now: Timestamp) -> Result<Option<Command>> {
        let wanted = Wanted::only(lane, 1);
        Ok(self.claim_some(node, wanted, now).await?.pop())
    }

    /// Like [`CommandQueue::claim`], of up to as many commands of each lane as are wanted, in one step, oldest first.
    async fn claim_some(
        &self,
        node: NodeId,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Vec<Command>>;

    /// Up to `limit` nodes behind `after`, by id, for which a claim would find something in some lane. It may name one too many.
    async fn due(&self, now: Timestamp, after: NodeId, limit: u32) -> Result<Vec<NodeId>>;

    /// A sign of life under `lease`: sets `seen_at` and marks it acknowledged. Only a `claimed` command of this lease.
    async fn renew(&self, id: CommandId, lease: Lease, now: Timestamp) -> Result<Renewal>;

    /// Ends a `claimed` command of this lease with what the node reported.
    async fn finish(
        &self,
        id: CommandId,
        lease: Lease,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Guarded>;

    /// Puts a `claimed` command of this lease back to `pending`, not to be handed out before `not_before`. The lease number stays.
    async fn release(&self, id: CommandId, lease: Lease, not_before: Timestamp) -> Result<Guarded>;

    /// Removes a `pending` command that reached this lease, as if it had never been put in: its subject may be put in anew, for another node.
    async fn withdraw(&self, id: CommandId, lease: Lease) -> Result<Guarded>;

    /// Asks a command to stop: `pending` becomes `cancelled` at once, `claimed` is marked.
    async fn cancel(&self, id: CommandId, now: Timestamp) -> Result<Cancelled>;

    /// Ends a command without a node, whatever lease it has: `pending` or `claimed` becomes `cancelled` (the record was ended elsewhere).
    async fn close(&self, id: CommandId, now: Timestamp) -> Result<Guarded>;

    /// Turns up to `limit` commands into `timeout`: `claimed` ones without a sign of life since `silent_since` (their claim counts as one),
    /// and `pending` ones whose `expires_at` has passed. Answers them as they are now.
    async fn expire(
        &self,
        silent_since: Timestamp,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Command>>;

    /// The `claimed` commands of a node, by id.
    async fn claimed_by(&self, node: NodeId) -> Result<Vec<Command>>;

    /// Up to `limit` of all `claimed` commands behind `after`, by node and id.
    async fn claimed(&self, after: Option<(NodeId, CommandId)>, limit: u32)
    -> Result<Vec<Command>>;

    /// Nodes with a command that was claimed before `before` and has had no sign of life since, by id.
    async fn unconfirmed(&self, before: Timestamp) -> Result<Vec<NodeId>>;

    /// One command.
    async fn get(&self, id: CommandId) -> Result<Option<Command>>;

    /// The command of a subject.
    async fn find(&self, subject: Subject) -> Result<Option<Command>>;

    /// The commands of those of these subjects that have one, in any order.
    async fn find_all(&self, subjects: &[Subject]) -> Result<Vec<Command>>;

    /// Of the leases that a node says it holds, those that are the current lease of a `claimed` command of that node; each counts as a sign of life.
    async fn renew_all(
        &self,
        node: NodeId,
        leases: &[HeldLease],
        now: Timestamp,
    ) -> Result<Vec<(HeldLease, bool)>>;

    /// Removes up to `limit` ended commands that ended before `before`. Answers how many.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// How many commands are (pending, claimed).
    async fn depth(&self) -> Result<(u64, u64)>;
}
