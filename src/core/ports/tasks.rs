//! The store of tasks.

use crate::Result;
use crate::domain::id::{EventId, RecordId, TaskId};
use crate::domain::operation::Operation;
use crate::domain::page::{Page, PageRequest};
use crate::domain::schedule::NextRun;
use crate::domain::secret::Sealed;
use crate::domain::task::{AfterWhen, Pause, Task, TaskSpec};
use crate::domain::time::Timestamp;
use crate::domain::verification::NextVerify;
use crate::ports::operations::NewOperation;
use crate::ports::records::NewRecord;
use async_trait::async_trait;

/// Keeps tasks.
#[async_trait]
pub trait Tasks: Send + Sync {
    /// Adds a task. `Conflict` (`task_name_taken`) when the name is in use, `Invalid` when it names a node, target or task that does not
    /// exist.
    async fn add(&self, spec: &TaskSpec, next_run: Option<NextRun>, now: Timestamp)
    -> Result<Task>;

    /// One task.
    async fn get(&self, id: TaskId) -> Result<Option<Task>>;

    /// The task of this name.
    async fn by_name(&self, name: &str) -> Result<Option<Task>>;

    /// Tasks by id.
    async fn list(&self, page: PageRequest) -> Result<Page<Task>>;

    /// Replaces the spec when the version is still `version`; `Conflict` (`stale_version`) when it is not, `NotFound` when it is gone,
    /// `Invalid` when it would wait for itself, also through others.
    async fn update(
        &self,
        id: TaskId,
        version: i64,
        spec: &TaskSpec,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task>;

    /// Replaces the sealed secrets of a task's source; its version stays. `NotFound` when it is gone.
    async fn set_secrets(&self, id: TaskId, secrets: Option<&Sealed>) -> Result<()>;

    /// Turns the schedule on or off, sets when it fires next and ends a pause. `NotFound` when it is gone.
    async fn set_enabled(
        &self,
        id: TaskId,
        enabled: bool,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task>;

    /// Notes a pause of the schedule and when it fires next. `NotFound` when it is gone.
    async fn pause(
        &self,
        id: TaskId,
        pause: &Pause,
        next_run: Option<NextRun>,
        now: Timestamp,
    ) -> Result<Task>;

    /// Up to `limit` enabled tasks whose next run is to be made at `now` or was before, the longest overdue first.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Task>>;

    /// Fires a schedule: if its next run is still `expected`, moves it to `next` and, when `record` is given, writes that record, in one
    /// transaction. Answers the record's id; nothing when somebody else fired it first or there was no record to write.
    async fn fire(
        &self,
        id: TaskId,
        expected: NextRun,
        next: Option<NextRun>,
        record: Option<NewRecord>,
    ) -> Result<Option<RecordId>>;

    /// Up to `limit` enabled tasks whose verifications are to be looked at by `now`, the longest overdue first. One whose plans were
    /// changed is to be looked at from that moment on.
    async fn due_verifications(&self, now: Timestamp, limit: u32) -> Result<Vec<Task>>;

    /// Begins verifications: if a task's place in its timetables is still `expected`, moves it to `next` and writes `operations`, in one
    /// transaction. Answers what was written; nothing when somebody else was first.
    async fn begin_verifications(
        &self,
        id: TaskId,
        expected: NextVerify,
        next: Option<NextVerify>,
        operations: &[NewOperation],
    ) -> Result<Vec<Operation>>;

    /// Tasks that wait for `upstream`, by id.
    async fn followers(&self, upstream: TaskId, page: PageRequest) -> Result<Page<Task>>;

    /// Notes that a run of `upstream` succeeded, as `event` tells, for the enabled task `id` that waits for it; when that is `all` that it
    /// waits for, or `any` of it does, writes `record` and waits anew, in one transaction. Each event counts once, however often and
    /// wherever it is told; one that is told behind a later one of the same task counts no more. Answers the record's id; nothing when
    /// it waits on, or when a run of it is queued already, which serves for this one.
    async fn follow(
        &self,
        id: TaskId,
        upstream: TaskId,
        event: EventId,
        when: AfterWhen,
        record: NewRecord,
    ) -> Result<Option<RecordId>>;

    /// Removes a task; its records stay. `Conflict` (`task_in_use`) while another waits for it. False when there was none.
    async fn remove(&self, id: TaskId) -> Result<bool>;
}
