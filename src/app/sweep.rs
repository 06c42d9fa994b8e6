//! The sweep: a plain pass that brings everything to a true end that a crash, a lost answer or an absent node left behind.

use crate::App;
use crate::answers::KEPT_FOR;
use crate::app::span;
use crate::ends::{failed, outcome_of};
use crate::guard::WINDOW;
use crate::plan::BEGINS_WITHIN;
use crate::records::REMOVALS_AT_ONCE;
use crate::schedule::not_taken;
use backupx_core::Result;
use backupx_core::domain::command::{Command, Lease, Subject};
use backupx_core::domain::event::EventKind;
use backupx_core::domain::id::{NodeId, OperationId, RecordId};
use backupx_core::domain::operation::OperationState;
use backupx_core::domain::record::{Record, RecordState, Trigger};
use backupx_core::domain::report::{Failure, Outcome};
use backupx_core::domain::schedule::CatchUp;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::signals::Topic;
use futures::future::try_join_all;
use std::collections::{HashMap, HashSet};

/// Rows of one look.
const AT_ONCE: u32 = 200;
/// A scheduled run that no node took for so long is `missed`, also when its schedule does not fire again.
const TAKEN_WITHIN: chrono::Duration = chrono::Duration::hours(24);
/// How long an ended command is kept: for repeats of its result.
const COMMANDS_KEPT: chrono::Duration = chrono::Duration::hours(24);
/// How long handled events are kept: for whoever follows along after a while.
const EVENTS_KEPT: chrono::Duration = chrono::Duration::days(30);
/// How often commands are looked for whose run is over.
const ORPHANS_EVERY: chrono::Duration = chrono::Duration::seconds(10);
/// How often the whole of retention is gone through; after each run its own task is.
const RETENTION_EVERY: chrono::Duration = chrono::Duration::hours(1);
/// How often old rows are removed.
const PURGE_EVERY: chrono::Duration = chrono::Duration::minutes(10);

/// Setting: when a sweep ran last, on any replica.
const LAST_SWEEP: &str = "sweep.last";
/// Setting: since when some master is there without a gap.
const LISTENING_SINCE: &str = "sweep.listening_since";
/// Sweeps further apart mean that no master was there. Longer than the minute between two passes of a cron job.
const GAP: chrono::Duration = chrono::Duration::seconds(90);
/// How long agents have to be heard again after a gap: longer than their longest pause between two tries.
const RECONNECT: chrono::Duration = chrono::Duration::minutes(5);

/// What a pass of the sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Commands that ended for want of a sign of life.
    pub timed_out: u64,
    /// Runs and operations whose command was missing and was put in again.
    pub enqueued: u64,
    /// Runs and operations that were brought to their end.
    pub finished: u64,
    /// Scheduled runs that no node took in time.
    pub missed: u64,
    /// Commands that were closed because what they are about was over.
    pub closed: u64,
    /// Copies that retention marked for removal.
    pub retired: u64,
    /// Removals of copies and leftovers that were put in.
    pub removals: u64,
    /// Copies that were missing and are made again.
    pub retried: u64,
    /// Steps of checks of targets.
    pub checks: u64,
    /// Nodes that went offline.
    pub offline: u64,
    /// Events that were handled.
    pub events: u64,
    /// Old rows that went: commands, sessions, answers, failed sign-ins, events.
    pub purged: u64,
    /// Steps of the pass that failed; each is logged, none stops the others.
    pub failed: u64,
}

impl SweepReport {
    fn take(&mut self, step: &str, done: Result<u64>, count: fn(&mut Self) -> &mut u64) {
        match done {
            Ok(done) => *count(self) += done,
            Err(error) => {
                tracing::error!(step, error = error.chain(), "a step of the sweep failed");
                self.failed += 1;
            }
        }
    }
}

/// What became of one run or operation that was looked at.
enum Swept {
    Fine,
    Enqueued,
    Finished,
    Missed,
}

impl App {
    /// One pass. Bounded, idempotent, safe on several replicas at once. Meant to run every few seconds.
    pub async fn sweep(&self) -> Result<SweepReport> {
        let mut report = SweepReport::default();
        let listening = self.listening_for().await?;
        let expired = self.expire(listening).await;
        report.take("expire", expired, |r| &mut r.timed_out);
        let offline = self.note_offline(listening).await;
        report.take("offline", offline, |r| &mut r.offline);
        let mut unfinished = HashSet::new();
        self.sweep_records(&mut report, &mut unfinished).await;
        self.sweep_operations(&mut report, &mut unfinished).await;
        let closed = self.close_orphans(&unfinished).await;
        report.take("close", closed, |r| &mut r.closed);
        report.take("outbox", self.empty_outbox().await, |r| &mut r.events);
        report.take("retention", self.retire_all().await, |r| &mut r.retired);
        report.take("retries", self.retry_degraded().await, |r| &mut r.retried);
        let checks = self.go_on_checking().await;
        report.take("checks", checks, |r| &mut r.checks);
        let removals = self.plan_removals(REMOVALS_AT_ONCE).await;
        report.take("removals", removals, |r| &mut r.removals);
        report.take("purge", self.purge().await, |r| &mut r.purged);
        Ok(report)
    }

    /// For how long some master has been there to be spoken to without a gap, as far as the sweeps of all replicas tell.
    /// Silence counts against agents only within it: who could not be heard is not dead (never 10).
    async fn listening_for(&self) -> Result<chrono::Duration> {
        let now = self.now();
        let settings = &self.ports.settings;
        let at = |value: Option<String>| value.and_then(|at| at.parse::<Timestamp>().ok());
        let last = at(settings.get(LAST_SWEEP).await?);
        let gap = last.is_some_and(|last| now - last > GAP);
        if gap {
            tracing::info!("no master was there for a while; agents get time to be heard again");
            settings.set(LISTENING_SINCE, &now.to_rfc3339()).await?;
        }
        settings.set(LAST_SWEEP, &now.to_rfc3339()).await?;
        let since = at(settings.get(LISTENING_SINCE).await?);
        Ok(since.map_or(chrono::Duration::MAX, |since| now - since))
    }

    /// Commands without a sign of life end, and what they are about with them.
    async fn expire(&self, listening: chrono::Duration) -> Result<u64> {
        let mut expired = 0;
        loop {
            let now = self.now();
            let timeout = span(self.settings.command_timeout);
            let silent_since = match listening < timeout.min(RECONNECT) {
                // Only what waits too long ends now.
                true => Timestamp::UNIX_EPOCH,
                false => now - timeout,
            };
            let commands = self.ports.queue.expire(silent_since, now, AT_ONCE).await?;
            let last = commands.len() < AT_ONCE as usize;
            for command in commands {
                tracing::warn!(
                    command.id = command.id.0,
                    node.id = command.node_id.0,
                    subject = %command.subject,
                    "a command timed out"
                );
                expired += 1;
                // What fails here is found again among the unfinished.
                self.end_subject(command.subject, command.lease, &outcome_of(&command))
                    .await?;
                self.notify(Topic::Subject(command.subject)).await;
            }
            if last {
                return Ok(expired);
            }
        }
    }

    async fn note_offline(&self, listening: chrono::Duration) -> Result<u64> {
        if listening < self.offline_after() {
            return Ok(0);
        }
        self.note_heard().await?;
        let now = self.now();
        let gone = self
            .ports
            .presence
            .take_offline(now - self.offline_after())
            .await?;
        // All at once: a network that broke takes a whole fleet along.
        let told = gone.iter().map(async |node| {
            let kind = EventKind::NodeOffline { node_id: *node };
            self.ports.events.add(&kind, now).await
        });
        try_join_all(told).await?;
        if !gone.is_empty() {
            self.notify(Topic::Events).await;
        }
        Ok(gone.len() as u64)
    }

    /// `unfinished` gets what was looked at.
    async fn sweep_records(&self, report: &mut SweepReport, unfinished: &mut HashSet<Subject>) {
        let mut after = RecordId(0);
        loop {
            let records = match self.ports.records.unfinished(after, AT_ONCE).await {
                Ok(records) => records,
                Err(error) => return report.take("records", Err(error), |r| &mut r.finished),
            };
            let last = records.len() < AT_ONCE as usize;
            let subjects = records.iter().map(|record| Subject::Record(record.id));
            let mut commands = match self.commands_of(subjects).await {
                Ok(commands) => commands,
                Err(error) => return report.take("records", Err(error), |r| &mut r.finished),
            };
            for record in records {
                after = record.id;
                let subject = Subject::Record(record.id);
                unfinished.insert(subject);
                let swept = self.sweep_record(&record, commands.remove(&subject)).await;
                self.count(report, subject, swept);
            }
            if last {
                return;
            }
        }
    }

    async fn sweep_operations(&self, report: &mut SweepReport, unfinished: &mut HashSet<Subject>) {
        let mut after = OperationId(0);
        loop {
            let operations = match self.ports.operations.unfinished(after, AT_ONCE).await {
                Ok(operations) => operations,
                Err(error) => return report.take("operations", Err(error), |r| &mut r.finished),
            };
            let last = operations.len() < AT_ONCE as usize;
            let subjects = operations.iter().map(|one| Subject::Operation(one.id));
            let mut commands = match self.commands_of(subjects).await {
                Ok(commands) => commands,
                Err(error) => return report.take("operations", Err(error), |r| &mut r.finished),
            };
            for operation in operations {
                after = operation.id;
                let subject = Subject::Operation(operation.id);
                unfinished.insert(subject);
                let queued = operation.state == OperationState::Queued;
                let swept = match self
                    .sweep_subject(
                        subject,
                        commands.remove(&subject),
                        queued,
                        operation.cancel_requested_at,
                        operation.node_id,
                    )
                    .await
                {
                    Ok(None) => self
                        .enqueue_operation(&operation)
                        .await
                        .map(|put_in| if put_in { Swept::Enqueued } else { Swept::Fine }),
                    Ok(Some(swept)) => Ok(swept),
                    Err(error) => Err(error),
                };
                self.count(report, subject, swept);
            }
            if last {
                return;
            }
        }
    }

    fn count(&self, report: &mut SweepReport, subject: Subject, swept: Result<Swept>) {
        match swept {
            Ok(Swept::Fine) => {}
            Ok(Swept::Enqueued) => report.enqueued += 1,
            Ok(Swept::Finished) => report.finished += 1,
            Ok(Swept::Missed) => report.missed += 1,
            Err(error) => {
                tracing::error!(%subject, error = error.chain(), "an unfinished run could not be looked at");
                report.failed += 1;
            }
        }
    }

    /// The commands of what was just read, with one question for all.
    async fn commands_of(
        &self,
        subjects: impl Iterator<Item = Subject>,
    ) -> Result<HashMap<Subject, Command>> {
        let subjects: Vec<_> = subjects.collect();
        if subjects.is_empty() {
            return Ok(HashMap::new());
        }
        let commands = self.ports.queue.find_all(&subjects).await?;
        let by_subject = commands.into_iter().map(|found| (found.subject, found));
        Ok(by_subject.collect())
    }

    async fn sweep_record(&self, record: &Record, command: Option<Command>) -> Result<Swept> {
        let subject = Subject::Record(record.id);
        let queued = record.state == RecordState::Queued;
        let overdue = self.now() - record.created_at > taken_within(record);
        let asked_for = record.trigger == Trigger::Manual;
        if queued && overdue && !asked_for && self.miss(record, not_taken(record)).await? {
            return Ok(Swept::Missed);
        }
        let cancelled = record.cancel_requested_at.is_some();
        if !cancelled && (record.node_id == NodeId::NONE || self.rescue_into_pool(record).await?) {
            return Ok(Swept::Fine);
        }
        let known = self
            .sweep_subject(
                subject,
                command,
                queued,
                record.cancel_requested_at,
                record.node_id,
            )
            .await?;
        match known {
            Some(swept) => Ok(swept),
            None => {
                self.enqueue_record(record).await?;
                Ok(Swept::Enqueued)
            }
        }
    }

    /// Looks at the command of something unfinished. Nothing when it has none and is to get one.
    async fn sweep_subject(
        &self,
        subject: Subject,
        command: Option<Command>,
        queued: bool,
        cancel_requested_at: Option<Timestamp>,
        node: NodeId,
    ) -> Result<Option<Swept>> {
        let ended = |done: bool| Some(if done { Swept::Finished } else { Swept::Fine });
        match command {
            Some(command) if command.state.is_final() => {
                let outcome = outcome_of(&command);
                let done = self.end_subject(subject, command.lease, &outcome).await?;
                Ok(ended(done))
            }
            Some(command) => {
                if cancel_requested_at.is_some() && command.cancel_requested_at.is_none() {
                    self.stop_command(subject, node).await?;
                }
                Ok(Some(Swept::Fine))
            }
            None if cancel_requested_at.is_some() => {
                let done = self
                    .end_subject(subject, Lease(i64::MAX), &Outcome::Cancelled)
                    .await?;
                Ok(ended(done))
            }
            None if queued => Ok(None),
            None => {
                // A node may still be at it under a lease that no queue knows any more: starting it again could run it twice.
                let failure = Failure::new(
                    "command_lost",
                    "the queue lost the command of this run; run it again",
                );
                let done = self
                    .end_subject(subject, Lease(i64::MAX), &failed(failure))
                    .await?;
                Ok(ended(done))
            }
        }
    }

    /// Claimed commands whose record or operation is over: whoever holds them learns it with its next sign of life.
    async fn close_orphans(&self, unfinished: &HashSet<Subject>) -> Result<u64> {
        if !self.is_time_for("sweep.orphans", ORPHANS_EVERY).await? {
            return Ok(0);
        }
        let mut closed = 0;
        let mut after = None;
        loop {
            let commands = self.ports.queue.claimed(after, AT_ONCE).await?;
            let last = commands.len() < AT_ONCE as usize;
            for command in commands {
                after = Some((command.node_id, command.id));
                if !unfinished.contains(&command.subject) && self.is_over(&command).await? {
                    self.ports.queue.close(command.id, self.now()).await?;
                    closed += 1;
                }
            }
            if last {
                return Ok(closed);
            }
        }
    }

    /// True when what a command is about came to its end a while ago: a result that is just being stored is left to finish by itself.
    async fn is_over(&self, command: &Command) -> Result<bool> {
        let finished_at = match command.subject {
            Subject::Record(id) => match self.ports.records.get(id).await? {
                Some(record) => record.finished_at,
                None => return Ok(true),
            },
            Subject::Operation(id) => match self.ports.operations.get(id).await? {
                Some(operation) => operation.finished_at,
                None => return Ok(true),
            },
            Subject::Request(_) => None,
        };
        let while_ago = self.now() - chrono::Duration::seconds(30);
        Ok(finished_at.is_some_and(|at| at < while_ago))
    }

    async fn retire_all(&self) -> Result<u64> {
        if !self.is_time_for("sweep.retention", RETENTION_EVERY).await? {
            return Ok(0);
        }
        let mut retired = 0;
        for task in self.ports.records.tasks_with_copies().await? {
            retired += self.retire(task).await?;
        }
        Ok(retired)
    }

    async fn purge(&self) -> Result<u64> {
        if !self.is_time_for("sweep.purge", PURGE_EVERY).await? {
            return Ok(0);
        }
        let now = self.now();
        let ports = &self.ports;
        let mut purged = ports.queue.purge(now - COMMANDS_KEPT, 10_000).await?;
        purged += ports.sessions.purge(now).await?;
        purged += ports.answers.purge(now - KEPT_FOR).await?;
        purged += ports.sign_in_guard.purge(now - WINDOW).await?;
        purged += ports.events.purge(now - EVENTS_KEPT).await?;
        Ok(purged)
    }

    /// True when a step is due again; then it is noted as done. Two replicas may both be told so: steps are idempotent.
    pub(crate) async fn is_time_for(&self, step: &str, every: chrono::Duration) -> Result<bool> {
        let now = self.now();
        let last = self.ports.settings.get(step).await?;
        let last = last.and_then(|last| last.parse::<Timestamp>().ok());
        // A time in the future was written by a clock that was wrong.
        if last.is_some_and(|last| last <= now && now - last < every) {
            return Ok(false);
        }
        self.ports.settings.set(step, &now.to_rfc3339()).await?;
        Ok(true)
    }
}

/// How long a run that nobody asked for waits for its node.
fn taken_within(record: &Record) -> chrono::Duration {
    match &record.task.schedule {
        Some(schedule) if schedule.catch_up == CatchUp::Skip => BEGINS_WITHIN,
        _ => TAKEN_WITHIN,
    }
}
