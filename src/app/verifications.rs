//! Verifications: the proof of copies, asked for by a person or due by a task's timetable.

use crate::App;
use crate::assign::provable_targets;
use crate::schedule::TickReport;
use crate::timetable::Timetable;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::{RecordId, TargetId};
use backupx_core::domain::operation::{Operation, OperationSpec, VerifyMode};
use backupx_core::domain::page::PageRequest;
use backupx_core::domain::record::Record;
use backupx_core::domain::task::{Task, TaskSpec};
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::verification::NextVerify;
use backupx_core::ports::operations::{NewOperation, OperationFilter};
use backupx_core::{Error, FieldError, Result};

/// Tasks of one look at what is due.
const AT_ONCE: u32 = 100;
/// When a timetable that cannot be read is looked at again.
const TRY_AGAIN: chrono::Duration = chrono::Duration::hours(1);

impl App {
    /// Has the good copies proven (all when `targets` is empty); in full also those that were found lost; by a drill as the task says. Needs
    /// `operator`.
    pub async fn verify_record(
        &self,
        principal: &Principal,
        id: RecordId,
        mode: VerifyMode,
        targets: &[TargetId],
    ) -> Result<Operation> {
        principal.require(Role::Operator)?;
        let record = self.record(principal, id).await?;
        let new = self.verification_of(&record, mode, targets).await?;
        let operation = self.begin_operation(id, new.node_id, &new.spec).await?;
        tracing::info!(
            operation.id = operation.id.0,
            record.id = id.0,
            by = principal.username,
            "a verification was queued"
        );
        Ok(operation)
    }

    /// The verification of a record, when it has copies to look at.
    async fn verification_of(
        &self,
        record: &Record,
        mode: VerifyMode,
        targets: &[TargetId],
    ) -> Result<NewOperation> {
        if mode == VerifyMode::Drill {
            return self.new_drill(record, None, targets).await;
        }
        let id = record.id;
        let chosen = provable_targets(record, mode, targets);
        if let Some(unknown) = targets.iter().find(|target| !chosen.contains(target)) {
            return Err(Error::conflict(
                "no_good_copy",
                format!("record {id} has no good copy on target {unknown}"),
            ));
        }
        if chosen.is_empty() {
            return Err(Error::conflict(
                "no_good_copy",
                format!(
                    "record {id} has no good copy to verify; a full verification looks at lost ones again"
                ),
            ));
        }
        Ok(NewOperation {
            record_id: id,
            node_id: self.worker_of(record, &chosen).await?,
            spec: OperationSpec::Verify {
                mode,
                target_ids: chosen,
                drill: None,
            },
            created_at: self.now(),
        })
    }

    /// Begins the verifications that are due: of each task the newest backup, as deep as its timetables say.
    pub(crate) async fn tick_verifications(&self, report: &mut TickReport) -> Result<()> {
        let now = self.now();
        for task in self.ports.tasks.due_verifications(now, AT_ONCE).await? {
            let Some(due) = task.verify else {
                continue;
            };
            if let Err(error) = self.begin_due(&task, due, now, report).await {
                tracing::error!(
                    task.id = task.id.0,
                    error = error.chain(),
                    "the verifications of a task could not be begun"
                );
                report.failed.push((task.id, error.message().to_owned()));
                let again = NextVerify {
                    from: due.from,
                    at: now + TRY_AGAIN,
                };
                self.ports
                    .tasks
                    .begin_verifications(task.id, due, Some(again), &[])
                    .await?;
            }
        }
        Ok(())
    }

    async fn begin_due(
        &self,
        task: &Task,
        due: NextVerify,
        now: Timestamp,
        report: &mut TickReport,
    ) -> Result<()> {
        let (modes, next) = due_modes(&task.spec, due, now)?;
        let mut operations = Vec::new();
        if !modes.is_empty()
            && let Some(record) = self.newest_backup(task).await?
        {
            let running = self.running_verifications(&record).await?;
            for mode in modes.into_iter().filter(|mode| !running.contains(mode)) {
                operations.push(self.verification_of(&record, mode, &[]).await?);
            }
        }
        let begun = self
            .ports
            .tasks
            .begin_verifications(task.id, due, next, &operations);
        for operation in begun.await? {
            tracing::info!(
                task.id = task.id.0,
                record.id = operation.record_id.0,
                operation.id = operation.id.0,
                "a verification is due"
            );
            report.verifications.push(operation.id);
            // The row is written; should this fail, the sweep puts the command in.
            self.enqueue_operation(&operation).await?;
        }
        Ok(())
    }

    /// The newest backup of a task that has a good copy.
    async fn newest_backup(&self, task: &Task) -> Result<Option<Record>> {
        let records = self.ports.records.with_copies(task.id).await?;
        let provable =
            |record: &Record| !provable_targets(record, VerifyMode::Quick, &[]).is_empty();
        Ok(records.into_iter().rev().find(provable))
    }

    /// How deep a record is being verified already.
    async fn running_verifications(&self, record: &Record) -> Result<Vec<VerifyMode>> {
        let filter = OperationFilter {
            record_id: Some(record.id),
            kind: Some("verify"),
            ..OperationFilter::default()
        };
        let page = self.ports.operations.list(filter, PageRequest::first(20));
        let running = page.await?.items.into_iter();
        Ok(running
            .filter(|operation| !operation.state.is_final())
            .filter_map(|operation| match operation.spec {
                OperationSpec::Verify { mode, .. } => Some(mode),
                _ => None,
            })
            .collect())
    }
}

/// How deep the newest backup is to be proven at `now`, and when to look again. What was missed is caught up once; a full look serves
/// for a quick one.
fn due_modes(
    spec: &TaskSpec,
    due: NextVerify,
    now: Timestamp,
) -> Result<(Vec<VerifyMode>, Option<NextVerify>)> {
    let mut modes = Vec::new();
    let mut next: Option<Timestamp> = None;
    for (place, plan) in (0..).zip(&spec.verify) {
        let timetable = Timetable::read(&plan.cron, &plan.timezone, &at(place))?;
        let fired = timetable.next_after(due.from).is_some_and(|at| at <= now);
        if fired && !modes.contains(&plan.mode) {
            modes.push(plan.mode);
        }
        next = next.into_iter().chain(timetable.next_after(now)).min();
    }
    if modes.contains(&VerifyMode::Full) {
        modes.retain(|mode| *mode != VerifyMode::Quick);
    }
    Ok((modes, next.map(|at| NextVerify { from: now, at })))
}

/// What is wrong with the timetables of a task's verifications.
pub(crate) fn wrong_plans(spec: &TaskSpec, now: Timestamp) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (place, plan) in (0..).zip(&spec.verify) {
        match Timetable::read(&plan.cron, &plan.timezone, &at(place)) {
            Ok(timetable) if timetable.next_after(now).is_none() => errors.push(FieldError {
                field: format!("{}.cron", at(place)),
                message: format!("{:?} does not fire within five years", plan.cron),
            }),
            Ok(_) => {}
            Err(error) => errors.extend(error.field_errors().iter().cloned()),
        }
    }
    errors
}

fn at(place: usize) -> String {
    format!("verify[{place}]")
}
