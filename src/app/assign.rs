//! Assignments: a claimed command filled with what its node needs - a snapshot, the targets of this one command, and its keys.

use crate::App;
use crate::access::Streams;
use crate::removals::{Removable, removable};
use crate::sources::wired;
use backupx_core::domain::command::{Command, CommandSpec, Subject};
use backupx_core::domain::id::{NodeId, OperationId, RecordId, TargetId};
use backupx_core::domain::operation::{Operation, OperationSpec, RestoreSpec, VerifyMode};
use backupx_core::domain::record::{CopyState, Record, RecordState};
use backupx_core::domain::report::Outcome;
use backupx_core::domain::time::Timestamp;
use backupx_core::domain::work::{
    Assignment, BackupWork, CopyWork, DeleteWork, InventoryWork, ListFilesWork, RestoreWork,
    VerifyWork, Work,
};
use backupx_core::ports::signals::Topic;
use backupx_core::{Error, Result};

impl App {
    /// Fills a command that was just claimed. Nothing when it is over: then it was closed.
    pub(crate) async fn assign(&self, command: &Command) -> Result<Option<Assignment>> {
        let work = match command.subject {
            Subject::Record(id) => self.start_record(command, id).await?,
            Subject::Operation(id) => self.start_operation(command, id).await?,
            Subject::Request(_) => Some(self.request_work(command).await?),
        };
        // Who asked a short question waits for its answer alone.
        if work.is_some() && !matches!(command.subject, Subject::Request(_)) {
            self.notify(Topic::Subject(command.subject)).await;
        }
        Ok(work.map(|work| Assignment {
            command_id: command.id,
            lease: command.lease,
            subject: command.subject,
            lane: command.lane,
            work,
        }))
    }

    async fn start_record(&self, command: &Command, id: RecordId) -> Result<Option<Work>> {
        let Some(mut record) = self.ports.records.get(id).await? else {
            self.ports.queue.close(command.id, self.now()).await?;
            return Ok(None);
        };
        // When it runs is none of the agent's business.
        record.task.schedule = None;
        record.task.after = None;
        record.task.pool = None;
        record.task.drill = record.task.drill.and_then(|drill| drill.counting());
        record.task.node_id = command.node_id;
        if record.cancel_requested_at.is_some() && !record.state.is_final() {
            self.end_command(command, &Outcome::Cancelled).await?;
            return Ok(None);
        }
        if record.node_id != command.node_id {
            // Between leaving its pool and getting its command: whoever holds the command runs it.
            let (from, to) = (record.node_id, command.node_id);
            self.ports.records.assign(id, from, to).await?;
        }
        if !self
            .ports
            .records
            .start(id, command.lease, self.now())
            .await?
        {
            self.ports.queue.close(command.id, self.now()).await?;
            return Ok(None);
        }
        let node = self.known_node(command.node_id).await?;
        let previous_run = self.previous_run(&record).await?;
        let targets: Vec<_> = record.copies.iter().map(|copy| copy.target_id).collect();
        let work = BackupWork {
            record_id: id,
            task_id: record.task_id,
            recipients: self.recipients(&record.task).await?,
            secrets: wired(
                self.task_secrets(record.task_id, &record.task.source)
                    .await?,
            ),
            targets: self.accesses(&targets, node.id).await?,
            task: record.task,
            location: record.location,
            created_at: record.created_at,
            previous_run,
            node_id: node.id,
            node_name: node.name.into(),
        };
        Ok(Some(Work::Backup(Box::new(work))))
    }

    /// When the good run before this one began, for the count of what is new since. Another source's files say nothing of this one's.
    async fn previous_run(&self, record: &Record) -> Result<Option<Timestamp>> {
        if record.task.source.is_database() {
            return Ok(None);
        }
        let run = self.run_of(record.task_id, RecordState::Success).await?;
        let same = |run: &Record| run.task.source == record.task.source;
        Ok(run.filter(same).and_then(|run| run.started_at))
    }

    async fn start_operation(&self, command: &Command, id: OperationId) -> Result<Option<Work>> {
        let Some(operation) = self.ports.operations.get(id).await? else {
            self.ports.queue.close(command.id, self.now()).await?;
            return Ok(None);
        };
        if operation.cancel_requested_at.is_some() && !operation.state.is_final() {
            self.end_command(command, &Outcome::Cancelled).await?;
            return Ok(None);
        }
        if !self
            .ports
            .operations
            .start(id, command.lease, self.now())
            .await?
        {
            self.ports.queue.close(command.id, self.now()).await?;
            return Ok(None);
        }
        let record = self.known_record(operation.record_id).await?;
        let work = self
            .operation_work(&operation, record, command.node_id)
            .await?;
        if work.is_none() {
            self.end_command(command, &Outcome::Cancelled).await?;
        }
        Ok(work)
    }

    /// What an operation asks of its node; nothing when there is nothing left to do.
    async fn operation_work(
        &self,
        operation: &Operation,
        record: Record,
        node: NodeId,
    ) -> Result<Option<Work>> {
        let work = match &operation.spec {
            OperationSpec::Restore(spec) => Work::Restore(RestoreWork {
                record_id: record.id,
                sources: self.sources(&record, node).await?,
                keys: self.stream_keys(&record, Streams::All).await?,
                dumps: record.task.source.is_database(),
                database: self.restore_server(&record, spec).await?.map(Box::new),
                location: record.location,
                spec: sent(spec),
            }),
            OperationSpec::Verify {
                mode: VerifyMode::Drill,
                target_ids,
                drill,
            } => {
                let spec = drill.as_deref().cloned().unwrap_or_default();
                let how = (&spec, target_ids.as_slice());
                Work::Drill(Box::new(
                    self.drill_work(operation, &record, how, node).await?,
                ))
            }
            OperationSpec::Verify {
                mode, target_ids, ..
            } => {
                let targets = provable_targets(&record, *mode, target_ids);
                if targets.is_empty() {
                    return Err(Error::conflict(
                        "no_good_copy",
                        format!("record {} has no copy left to verify", record.id),
                    ));
                }
                let keys = match mode {
                    VerifyMode::Quick => Vec::new(),
                    VerifyMode::Full | VerifyMode::Drill => {
                        self.stream_keys(&record, Streams::All).await?
                    }
                };
                Work::Verify(VerifyWork {
                    record_id: record.id,
                    targets: self.accesses(&targets, node).await?,
                    keys,
                    location: record.location,
                    mode: *mode,
                })
            }
            OperationSpec::Copy { target_ids } => {
                if !self.place_is_clean(operation).await? {
                    return Err(Error::unavailable(
                        "leftovers_pending",
                        "what lies in the place of the copy is still being removed",
                    ));
                }
                Work::Copy(CopyWork {
                    record_id: record.id,
                    sources: self.sources(&record, node).await?,
                    targets: self.accesses(target_ids, node).await?,
                    location: record.location,
                })
            }
            OperationSpec::Delete { target_id, .. } => match removable(&record, *target_id) {
                Removable::Yes => Work::Delete(DeleteWork {
                    record_id: record.id,
                    target: self.access_of(&self.known_target(*target_id).await?, node)?,
                    location: record.location,
                }),
                Removable::Locked | Removable::No => return Ok(None),
            },
        };
        Ok(Some(work))
    }

    async fn request_work(&self, command: &Command) -> Result<Work> {
        match &command.spec {
            CommandSpec::Browse { path } => Ok(Work::Browse { path: path.clone() }),
            CommandSpec::TestTarget { target_id } => {
                let target = self.known_target(*target_id).await?;
                Ok(Work::TestTarget {
                    target: self.access_of(&target, command.node_id)?,
                })
            }
            CommandSpec::TestSource { task_id } => Ok(Work::TestSource(Box::new(
                self.source_to_test(*task_id).await?,
            ))),
            CommandSpec::Inventory {
                target_id,
                after,
                limit,
            } => {
                let target = self.known_target(*target_id).await?;
                Ok(Work::Inventory(InventoryWork {
                    target: self.access_of(&target, command.node_id)?,
                    after: after.clone(),
                    limit: *limit,
                }))
            }
            CommandSpec::ListFiles {
                record_id,
                path,
                limit,
                after,
            } => {
                let record = self.known_record(*record_id).await?;
                Ok(Work::ListFiles(ListFilesWork {
                    sources: self.sources(&record, command.node_id).await?,
                    keys: self.stream_keys(&record, Streams::Index).await?,
                    location: record.location,
                    path: path.clone(),
                    limit: *limit,
                    after: after.clone(),
                }))
            }
            CommandSpec::Backup | CommandSpec::Operation => Err(Error::internal(format!(
                "command {} is about {} and asks for something else",
                command.id, command.subject
            ))),
        }
    }
}

/// A restore as its node gets it: what is sealed is for the master alone.
fn sent(spec: &RestoreSpec) -> RestoreSpec {
    let mut spec = spec.clone();
    if let Some(database) = &mut spec.database {
        database.secrets = None;
    }
    spec
}

/// The copies among `wanted` (all when nobody said which) that a verification can look at: good ones, and, where everything is read, those
/// that an earlier one found lost. A disk that was away is back, and what it holds is a copy again.
pub(crate) fn provable_targets(
    record: &Record,
    mode: VerifyMode,
    wanted: &[TargetId],
) -> Vec<TargetId> {
    let is_provable = |state| match mode {
        VerifyMode::Quick | VerifyMode::Drill => state == CopyState::Good,
        VerifyMode::Full => matches!(state, CopyState::Good | CopyState::Lost),
    };
    record
        .copies
        .iter()
        .filter(|copy| is_provable(copy.state))
        .map(|copy| copy.target_id)
        .filter(|id| wanted.is_empty() || wanted.contains(id))
        .collect()
}
