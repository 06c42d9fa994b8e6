//! The scheduler: a plain pass that writes a queued run for every schedule that fired. It only writes rows; nothing waits for a run.

use crate::App;
use crate::ends::without_copies;
use crate::plan::{Firing, Plan};
use backupx_core::domain::command::Subject;
use backupx_core::domain::id::{NodeId, OperationId, RecordId, TaskId};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::{Record, RecordState, Trigger};
use backupx_core::domain::report::Failure;
use backupx_core::domain::schedule::{CatchUp, NextRun};
use backupx_core::domain::task::Task;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::records::RecordFilter;
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};
use std::sync::{Mutex, PoisonError};

/// Tasks of one look at what is due.
const AT_ONCE: u32 = 100;
/// Looks of one pass.
const ROUNDS: usize = 10;
/// When a schedule that cannot be fired is tried again.
const TRY_AGAIN: chrono::Duration = chrono::Duration::minutes(10);

/// When a missed firing is looked at again while the run before it is not over.
const ONE_BY_ONE: chrono::Duration = chrono::Duration::seconds(10);

/// A poll makes a pass when the last one of this process is so long ago: where something ticks by itself, that is never.
const OVERDUE: chrono::Duration = chrono::Duration::seconds(2);
/// How long a poll's answer waits for the pass beside it at most; what a pass leaves undone the next one does.
const BESIDE_A_POLL: std::time::Duration = std::time::Duration::from_secs(1);

/// When this process last made a pass. Nothing hangs on it but how often it looks.
#[derive(Default)]
pub(crate) struct Ticks(Mutex<Option<Timestamp>>);

impl Ticks {
    /// Notes a pass at `now`, unless the last one is not `apart` from it yet.
    fn begin(&self, now: Timestamp, apart: chrono::Duration) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A pass in the future was noted by a clock that was wrong.
        if last.is_some_and(|last| last <= now && now - last < apart) {
            return false;
        }
        *last = Some(now);
        true
    }
}

/// What a pass of the scheduler did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TickReport {
    /// Runs that were queued.
    pub queued: Vec<RecordId>,
    /// Runs that were still waiting when their schedule fired again, or came too late for it: they are `missed` now.
    pub missed: Vec<RecordId>,
    /// Tasks that fired while a run that a person asked for was still waiting: that one serves for both.
    pub waiting: Vec<TaskId>,
    /// Tasks whose firing waits: for the end of a maintenance window, or for the run before it.
    pub later: Vec<TaskId>,
    /// Verifications that were queued.
    pub verifications: Vec<OperationId>,
    /// Tasks that could not be fired, with the reason; they stop none of the others.
    pub failed: Vec<(TaskId, String)>,
}

impl App {
    /// Fires what is due. Safe on several replicas at once. What was missed is caught up as each schedule says; at most one run of a
    /// task waits.
    pub async fn tick(&self) -> Result<TickReport> {
        self.ticks.begin(self.now(), chrono::Duration::zero());
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
        // Runs come first: what could not be looked at is looked at in the next pass.
        if let Err(error) = self.tick_verifications(&mut report).await {
            tracing::error!(
                error = error.chain(),
                "what is to be verified could not be looked at"
            );
        }
        Ok(report)
    }

    /// The pass of a process in which nothing ticks by itself, as a Lambda: beside a poll, seldom, and only for a moment.
    pub(crate) async fn tick_beside(&self) {
        if !self.ticks.begin(self.now(), OVERDUE) {
            return;
        }
        match tokio::time::timeout(BESIDE_A_POLL, self.tick()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(
                    error = error.chain(),
                    "the scheduler's pass beside a poll failed"
                );
            }
            Err(_) => tracing::info!("the scheduler's pass beside a poll is left to the next one"),
        }
    }

    async fn fire(&self, task: &Task, now: Timestamp, report: &mut TickReport) -> Result<()> {
        let Some(due) = task.next_run else {
            return Ok(());
        };
        let Some(schedule) = &task.spec.schedule else {
            self.ports.tasks.fire(task.id, due, None, None).await?;
            return Ok(());
        };
        let plan = Plan::of(&task.spec.name, schedule)?;
        let firing = match plan.firing(due, now) {
            Firing::Run(firing) => firing,
            Firing::Wait(until) => return self.look_again(task, due, until, report).await,
            Firing::LeftOut => {
                let next = plan.behind(due, now);
                return self.leave_out(task, due, next, report).await;
            }
        };
        let next = plan.behind(firing, now);
        let waiting = self.run_of(task.id, RecordState::Queued).await?;
        let record = match waiting {
            Some(waiting) if waiting.trigger != Trigger::Schedule => {
                report.waiting.push(task.id);
                None
            }
            // Another replica fired this very instant.
            Some(waiting) if waiting.created_at >= due.at => return Ok(()),
            Some(_) if schedule.catch_up == CatchUp::All => {
                return self.look_again(task, due, now + ONE_BY_ONE, report).await;
            }
            // At most one run waits. One that the schedule made and nobody took until now was missed.
            Some(waiting) => {
                if self.miss(&waiting, not_taken(&waiting)).await? {
                    report.missed.push(waiting.id);
                }
                Some(self.new_record(task, Trigger::Schedule).await?)
            }
            None if schedule.catch_up == CatchUp::All && self.is_running(task.id).await? => {
                return self.look_again(task, due, now + ONE_BY_ONE, report).await;
            }
            None => Some(self.new_record(task, Trigger::Schedule).await?),
        };
        let Some(id) = self.ports.tasks.fire(task.id, due, next, record).await? else {
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

    /// Leaves a firing where it is, to be looked at again later.
    async fn look_again(
        &self,
        task: &Task,
        due: NextRun,
        at: Timestamp,
        report: &mut TickReport,
    ) -> Result<()> {
        report.later.push(task.id);
        let again = NextRun { at, ..due };
        let fired = self.ports.tasks.fire(task.id, due, Some(again), None).await;
        fired.map(drop)
    }

    /// A firing that comes too late for its policy: it is expected and never begins, so it counts as missed (never 3).
    async fn leave_out(
        &self,
        task: &Task,
        due: NextRun,
        next: Option<NextRun>,
        report: &mut TickReport,
    ) -> Result<()> {
        let record = self.new_record(task, Trigger::Schedule).await?;
        let written = self.ports.tasks.fire(task.id, due, next, Some(record));
        let Some(id) = written.await? else {
            return Ok(());
        };
        let why = format!(
            "it was due at {} and no master was there to begin it in time; its schedule skips what was missed",
            due.at.format("%Y-%m-%d %H:%M UTC")
        );
        if self.miss(&self.known_record(id).await?, why).await? {
            report.missed.push(id);
        }
        Ok(())
    }

    /// A task that cannot be fired is tried again later, so that it neither spins nor keeps others back (never 16).
    async fn put_off(&self, task: &Task, now: Timestamp, error: &Error, report: &mut TickReport) {
        tracing::error!(
            task.id = task.id.0,
            error = error.chain(),
            "a schedule could not be fired"
        );
        report.failed.push((task.id, error.message().to_owned()));
        let Some(due) = task.next_run else {
            return;
        };
        let again = NextRun {
            at: now + TRY_AGAIN,
            ..due
        };
        if let Err(error) = self.ports.tasks.fire(task.id, due, Some(again), None).await {
            tracing::warn!(
                task.id = task.id.0,
                error = error.chain(),
                "a schedule could not be put off"
            );
        }
    }

    /// The newest run of a task in this state.
    pub(crate) async fn run_of(&self, task: TaskId, state: RecordState) -> Result<Option<Record>> {
        let filter = RecordFilter {
            task_id: Some(task),
            state: Some(state),
            ..RecordFilter::default()
        };
        let page = self
            .ports
            .records
            .list(filter, PageRequest::first(1))
            .await?;
        Ok(page.items.into_iter().next())
    }

    async fn is_running(&self, task: TaskId) -> Result<bool> {
        let running = self.run_of(task, RecordState::Running).await?;
        Ok(running.is_some())
    }

    /// Ends a scheduled run that did not begin in time. False when a node was faster.
    pub(crate) async fn miss(&self, record: &Record, why: String) -> Result<bool> {
        let failure = Failure::new("missed", why);
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

/// Why a run that waits is given up.
pub(crate) fn not_taken(record: &Record) -> String {
    match &record.task.pool {
        Some(pool) if record.node_id == NodeId::NONE => {
            format!("no node of pool {pool} took this run in time; all were away or busy")
        }
        _ => format!(
            "no agent took this run in time; node {} was away or busy",
            record.node_id
        ),
    }
}
