//! The scheduler: a plain pass that writes a queued run for every schedule that fired. It only writes rows; nothing waits for a run.

use crate::App;
use crate::ends::without_copies;
use crate::timetable::Timetable;
use backupx_core::domain::command::Subject;
use backupx_core::domain::id::{RecordId, TaskId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{Record, RecordState, Trigger};
use backupx_core::domain::report::Failure;
use backupx_core::domain::task::Task;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::RecordFilter;
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};

/// Tasks of one look at what is due.
const AT_ONCE: u32 = 100;
/// Looks of one pass.
const ROUNDS: usize = 10;
/// When a schedule that cannot be fired is tried again.
const TRY_AGAIN: chrono::Duration = chrono::Duration::minutes(10);

/// What a pass of the scheduler did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TickReport {
    /// Runs that were queued.
    pub queued: Vec<RecordId>,
    /// Runs that were still waiting when their schedule fired again: they are `missed` now.
    pub missed: Vec<RecordId>,
    /// Tasks that fired while a run that a person asked for was still waiting: that one serves for both.
    pub waiting: Vec<TaskId>,
    /// Tasks that could not be fired, with the reason; they stop none of the others.
    pub failed: Vec<(TaskId, String)>,
}

impl App {
    /// Fires what is due. Safe on several replicas at once; a schedule that was missed many times fires once.
    pub async fn tick(&self) -> Result<TickReport> {
        let mut report = TickReport::default();
        for _ in 0..ROUNDS {
            let now = self.now();
            let due = self.ports.tasks.due(now, AT_ONCE).await?;
            let last = due.len() < AT_ONCE as usize;
            for task in due {
                if let Err(error) = self.fire(&task, now, &mut report).await {
                    self.put_off(&task, now, &error, &mut report).await;
                }
            }
            if last {
                break;
            }
        }
        Ok(report)
    }

    async fn fire(&self, task: &Task, now: Timestamp, report: &mut TickReport) -> Result<()> {
        let Some(expected) = task.next_run_at else {
            return Ok(());
        };
        let next = match &task.spec.schedule {
            Some(schedule) => Timetable::parse(schedule)?.next_after(now),
            None => None,
        };
        let record = if task.spec.schedule.is_none() {
            None
        } else {
            match self.waiting_run(task.id).await? {
                // Another replica fired this very instant.
                Some(waiting)
                    if waiting.trigger == Trigger::Schedule && waiting.created_at >= expected =>
                {
                    return Ok(());
                }
                // At most one run waits. One that the schedule made and nobody took until now was missed.
                Some(waiting) if waiting.trigger == Trigger::Schedule => {
                    if self.miss(&waiting).await? {
                        report.missed.push(waiting.id);
                    }
                    Some(self.new_record(task, Trigger::Schedule).await?)
                }
                Some(_) => {
                    report.waiting.push(task.id);
                    None
                }
                None => Some(self.new_record(task, Trigger::Schedule).await?),
            }
        };
        let fired = self
            .ports
            .tasks
            .fire(task.id, expected, next, record)
            .await?;
        let Some(id) = fired else {
            return Ok(());
        };
        tracing::info!(task.id = task.id.0, record.id = id.0, "a schedule fired");
        report.queued.push(id);
        // The record is written; should this fail, the sweep puts the command in.
        match self.ports.records.get(id).await? {
            Some(record) => self.enqueue_record(&record).await,
            None => Ok(()),
        }
    }

    /// A task that cannot be fired is tried again later, so that it neither spins nor keeps others back (never 16).
    async fn put_off(&self, task: &Task, now: Timestamp, error: &Error, report: &mut TickReport) {
        tracing::error!(
            task.id = task.id.0,
            error = error.chain(),
            "a schedule could not be fired"
        );
        report.failed.push((task.id, error.message().to_owned()));
        let Some(expected) = task.next_run_at else {
            return;
        };
        let again = Some(now + TRY_AGAIN);
        if let Err(error) = self.ports.tasks.fire(task.id, expected, again, None).await {
            tracing::warn!(
                task.id = task.id.0,
                error = error.chain(),
                "a schedule could not be put off"
            );
        }
    }

    async fn waiting_run(&self, task: TaskId) -> Result<Option<Record>> {
        let filter = RecordFilter {
            task_id: Some(task),
            state: Some(RecordState::Queued),
            ..RecordFilter::default()
        };
        let page = self
            .ports
            .records
            .list(filter, PageRequest::first(1))
            .await?;
        Ok(page.items.into_iter().next())
    }

    /// Ends a scheduled run that no node took in time. False when a node was faster.
    pub(crate) async fn miss(&self, record: &Record) -> Result<bool> {
        let failure = Failure::new(
            "missed",
            format!(
                "no agent took this run in time; node {} was away or busy",
                record.node_id
            ),
        );
        let end = without_copies(record, RecordState::Missed, Some(failure));
        if !self.finish_record(record, &end).await? {
            return Ok(false);
        }
        let subject = Subject::Record(record.id);
        if let Some(command) = self.ports.queue.find(subject).await? {
            self.ports.queue.close(command.id, self.now()).await?;
        }
        self.notify(Topic::Node(record.node_id)).await;
        Ok(true)
    }
}
