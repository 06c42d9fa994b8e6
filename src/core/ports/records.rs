//! The store of records.

use crate::Result;
use crate::domain::check::KeptCopy;
use crate::domain::command::Lease;
use crate::domain::evidence::Evidence;
use crate::domain::guard::{Acceptance, Alarm, Past};
use crate::domain::id::{NodeId, RecordId, TargetId, TaskId};
use crate::domain::key::ObjectKey;
use crate::domain::page::{Page, PageRequest};
use crate::domain::progress::Progress;
use crate::domain::record::{Lock, Record, RecordCopy, RecordState, StreamHead, Trigger};
use crate::domain::report::{Counts, Failure};
use crate::domain::task::TaskSpec;
use crate::domain::time::Timestamp;
use async_trait::async_trait;

/// A run to be made. Its folder is derived from the id that the store gives it: [`crate::domain::key::ObjectKey::of_record`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewRecord {
    /// The task.
    pub task_id: TaskId,
    /// The task as it is now.
    pub task: TaskSpec,
    /// Who runs it.
    pub node_id: NodeId,
    /// What made it run.
    pub trigger: Trigger,
    /// One pending copy per target.
    pub copies: Vec<RecordCopy>,
    /// When it is made.
    pub created_at: Timestamp,
}

/// Which records are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordFilter {
    /// Of this task.
    pub task_id: Option<TaskId>,
    /// Run by this node.
    pub node_id: Option<NodeId>,
    /// In this state.
    pub state: Option<RecordState>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordEnd {
    /// A final state.
    pub state: RecordState,
    /// What was read.
    pub counts: Counts,
    /// Why it was no success.
    pub failure: Option<Failure>,
    /// The streams of a run with a good copy.
    pub streams: Vec<StreamHead>,
    /// All copies with their last state.
    pub copies: Vec<RecordCopy>,
    /// What is odd about it; written with a `RecordSuspicious` event.
    pub alarm: Option<Alarm>,
    /// The history of its task with this run, when it belongs to it, newest first.
    pub history: Option<Vec<Past>>,
}

/// A backup that lies on a target and was made by another master.
#[derive(Debug, Clone, PartialEq)]
pub struct AdoptedRecord {
    /// The task that it belongs to here.
    pub task_id: TaskId,
    /// The task as its manifest tells it.
    pub task: TaskSpec,
    /// The node that made it, as this master knows it.
    pub node_id: NodeId,
    /// Its folder.
    pub location: ObjectKey,
    /// What was read.
    pub counts: Counts,
    /// Its streams.
    pub streams: Vec<StreamHead>,
    /// The good copy that was found.
    pub copy: RecordCopy,
    /// When it was made, by the clock of its own master.
    pub created_at: Timestamp,
}

/// What became of a backup that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// A new record.
    New(RecordId),
    /// A further copy of a record that is known.
    Copy(RecordId),
    /// Nothing: a record knows this copy.
    Known(RecordId),
}

/// Keeps records, the truth about runs. `finish` writes a `RecordFinished` event in the same transaction.
#[async_trait]
pub trait Records: Send + Sync {
    /// Writes a queued record. Nothing when the task has a queued one already (never 13): that one's id is answered as `Err(id)`.
    async fn add(&self, record: NewRecord) -> Result<std::result::Result<Record, RecordId>>;

    /// Writes backups that were found on target `on`, all or none; an answer for each. One with the folder, the time and the streams of a record
    /// that is there is a copy of it; one of a record that has no streams yet is known. `NotFound` when there is no such target.
    async fn adopt(&self, on: TargetId, found: &[AdoptedRecord]) -> Result<Vec<Adoption>>;

    /// One record.
    async fn get(&self, id: RecordId) -> Result<Option<Record>>;

    /// Records, newest first.
    async fn list(&self, filter: RecordFilter, page: PageRequest) -> Result<Page<Record>>;

    /// `queued` (or `running` under a smaller lease) becomes `running` under `lease`. False when it is at its end or under a higher lease.
    async fn start(&self, id: RecordId, lease: Lease, now: Timestamp) -> Result<bool>;

    /// Stores progress of a `running` record under this lease. False when it is not.
    async fn progress(&self, id: RecordId, lease: Lease, progress: &Progress) -> Result<bool>;

    /// Ends a record that is `queued` or `running` under exactly this lease (zero for one never claimed). False when it is not:
    /// then nothing is changed.
    async fn finish(
        &self,
        id: RecordId,
        lease: Lease,
        end: &RecordEnd,
        now: Timestamp,
    ) -> Result<bool>;

    /// `running` under this lease becomes `queued` again (its hand-out was lost before anything began). False when it is not.
    async fn requeue(&self, id: RecordId, lease: Lease) -> Result<bool>;

    /// Gives a queued record that is still with `from` to `to`; [`NodeId::NONE`] is the pool of its task. False when it is not so.
    async fn assign(&self, id: RecordId, from: NodeId, to: NodeId) -> Result<bool>;

    /// Up to `limit` queued records that no node of their pool has taken, oldest first.
    async fn in_pools(&self, limit: u32) -> Result<Vec<Record>>;

    /// How many records that are not at their end each node has; nodes without one are not in it, nor are pools.
    async fn load(&self) -> Result<Vec<(NodeId, u64)>>;

    /// Notes that somebody asked it to stop. False when it is at its end.
    async fn request_cancel(&self, id: RecordId, now: Timestamp) -> Result<bool>;

    /// Records that are not at their end, oldest first, behind `after`.
    async fn unfinished(&self, after: RecordId, limit: u32) -> Result<Vec<Record>>;

    /// Locks or unlocks. False when there is no such record.
    async fn set_lock(&self, id: RecordId, lock: Option<&Lock>) -> Result<bool>;

    /// Notes a person's word that what is odd about a record is right. False when there is no such record, nothing is odd about it, or it
    /// was accepted already: the first word stays.
    async fn accept(&self, id: RecordId, acceptance: &Acceptance) -> Result<bool>;

    /// The history of a task, newest first; empty for one that is gone.
    async fn history(&self, task: TaskId) -> Result<Vec<Past>>;

    /// Replaces the history of a task, if it is there.
    async fn set_history(&self, task: TaskId, history: &[Past]) -> Result<()>;

    /// Keeps what a drill came to, and tells with a `DrillFailed` event, which names the record that was `pinned`, when it did not hold.
    /// False when that of this drill or of a later one is there already, or the record is gone: then nothing is changed.
    async fn set_evidence(
        &self,
        id: RecordId,
        evidence: &Evidence,
        pinned: Option<RecordId>,
    ) -> Result<bool>;

    /// Changes one copy when its state is still `expected`, with a `CopyLost` event when it was good and is found lost (`lost_at`), and the record's state to what its copies roll up to when that is asked for.
    /// False when the copy's state was another.
    async fn set_copy(
        &self,
        id: RecordId,
        expected: crate::domain::record::CopyState,
        copy: &RecordCopy,
        state: Option<RecordState>,
    ) -> Result<bool>;

    /// Good copies on a target, by folder, of records of `node` where one is named.
    async fn good_copies_on(
        &self,
        target: TargetId,
        node: Option<NodeId>,
        after: Option<&ObjectKey>,
        limit: u32,
    ) -> Result<Vec<KeptCopy>>;

    /// The nodes whose records have good copies on a target, by id.
    async fn nodes_with_copies_on(&self, target: TargetId) -> Result<Vec<NodeId>>;

    /// Finished records of a task that have a copy on any target that is not `deleted` or `failed`, oldest first: what retention plans over.
    async fn with_copies(&self, task: TaskId) -> Result<Vec<Record>>;

    /// Tasks that have at least one record with a good copy (also tasks that are gone): what a sweep of retention walks.
    async fn tasks_with_copies(&self) -> Result<Vec<TaskId>>;

    /// Up to `limit` (record, target) whose copy is `failed` or `deleting`, of records at their end: leftovers and deletions to be carried out. Oldest first.
    async fn to_be_removed(&self, limit: u32) -> Result<Vec<(RecordId, TargetId)>>;

    /// Removes the row (with its log) when it is at its end, not locked, and every copy is `deleted` or `failed`-and-cleaned (`deleted`). False when it is not so.
    async fn remove(&self, id: RecordId) -> Result<bool>;
}
