//! Ends: how the outcome of a command becomes the end of its record or operation. The record comes first: it is the truth.

use crate::App;
use crate::reports::{BadReport, backup_end, operation_end};
use backupx_core::Result;
use backupx_core::domain::command::{Command, CommandState, Lease, Subject};
use backupx_core::domain::guard::{self, Alarm, Past};
use backupx_core::domain::id::NodeId;
use backupx_core::domain::operation::Operation;
use backupx_core::domain::record::{CopyState, Record, RecordCopy, RecordState};
use backupx_core::domain::report::{CopyReport, Failure, Outcome, Report};
use backupx_core::domain::source::SourceSpec;
use backupx_core::ports::operations::OperationEnd;
use backupx_core::ports::records::RecordEnd;
use backupx_core::ports::signals::Topic;
use sha2::{Digest, Sha256};

impl App {
    /// Ends a claimed command and what it is about, under its lease: the record or operation first, then the command.
    pub(crate) async fn end_command(&self, command: &Command, outcome: &Outcome) -> Result<()> {
        self.end_subject(command.subject, command.lease, outcome)
            .await?;
        self.ports
            .queue
            .finish(command.id, command.lease, outcome, self.now())
            .await?;
        self.notify(Topic::Subject(command.subject)).await;
        Ok(())
    }

    /// Ends what a command is about, unless it is at its end or a later lease has it. Answers whether this call did.
    pub(crate) async fn end_subject(
        &self,
        subject: Subject,
        lease: Lease,
        outcome: &Outcome,
    ) -> Result<bool> {
        match subject {
            Subject::Record(id) => match self.ports.records.get(id).await? {
                Some(record) if !record.state.is_final() && record.lease <= lease => {
                    let end = self.record_end(&record, outcome).await?;
                    self.finish_record(&record, &end).await
                }
                Some(_) | None => Ok(false),
            },
            Subject::Operation(id) => match self.ports.operations.get(id).await? {
                Some(operation) if !operation.state.is_final() && operation.lease <= lease => {
                    let end = operation_end(&operation, outcome);
                    self.finish_operation(&operation, &end).await
                }
                Some(_) | None => Ok(false),
            },
            Subject::Request(_) => Ok(true),
        }
    }

    async fn record_end(&self, record: &Record, outcome: &Outcome) -> Result<RecordEnd> {
        let report = match outcome {
            Outcome::Succeeded { report } => report,
            Outcome::Failed { failure, report } => {
                let mut end = without_copies(record, RecordState::Failed, Some(failure.clone()));
                if let Some(Report::Backup(report)) = report {
                    end.counts = report.counts;
                    say_why(&mut end.copies, &report.copies);
                }
                return Ok(end);
            }
            Outcome::Cancelled => return Ok(without_copies(record, RecordState::Cancelled, None)),
        };
        let end = match backup_end(record, report) {
            Ok(end) => end,
            Err(BadReport(why)) => {
                return Ok(without_copies(
                    record,
                    RecordState::Failed,
                    Some(Failure::new("bad_report", why)),
                ));
            }
        };
        let end = self.prove_keys(record, end).await?;
        self.judge(record, end).await
    }

    /// Looks whether a good run is far off its task's history, and makes it part of that.
    async fn judge(&self, record: &Record, mut end: RecordEnd) -> Result<RecordEnd> {
        if !end.state.has_copies() {
            return Ok(end);
        }
        let mut run = record.clone();
        run.counts = end.counts;
        run.streams.clone_from(&end.streams);
        run.copies.clone_from(&end.copies);
        let source = fingerprint(&run.task.source);
        let mut history = self.ports.records.history(record.task_id).await?;
        let findings = guard::judge(&run.task.guard, &history, &source, &run);
        history.insert(0, Past::of(&run, source, &findings));
        history.truncate(guard::MOST);
        end.history = Some(history);
        end.alarm = (!findings.is_empty()).then_some(Alarm {
            findings,
            accepted: None,
        });
        Ok(end)
    }

    /// A sealed backup whose keys the organisation cannot unwrap would be green and not restorable.
    async fn prove_keys(&self, record: &Record, end: RecordEnd) -> Result<RecordEnd> {
        if !record.task.encrypt || end.streams.is_empty() {
            return Ok(end);
        }
        let identity = self.organisation_identity().await?;
        for stream in &end.streams {
            let opened = match &stream.age_header {
                Some(header) => self
                    .ports
                    .keys
                    .unwrap(&identity, &stream.stream, header)
                    .map(drop),
                None => Err(backupx_core::Error::invalid(
                    "not_sealed",
                    "it is not sealed",
                )),
            };
            if let Err(error) = opened {
                let failure = Failure::new(
                    "not_restorable",
                    format!(
                        "the {} stream does not open with the organisation's key: {error}",
                        stream.stream
                    ),
                );
                return Ok(without_copies(record, RecordState::Failed, Some(failure)));
            }
        }
        Ok(end)
    }

    /// Ends a record under the lease that it was read with. False when somebody else was first: then nothing is changed.
    pub(crate) async fn finish_record(&self, record: &Record, end: &RecordEnd) -> Result<bool> {
        let now = self.now();
        if !self
            .ports
            .records
            .finish(record.id, record.lease, end, now)
            .await?
        {
            return Ok(false);
        }
        let failure = end.failure.as_ref();
        tracing::info!(
            record.id = record.id.0,
            task.id = record.task_id.0,
            node.id = record.node_id.0,
            lease.no = record.lease.0,
            status = end.state.as_str(),
            code = failure.map(|failure| failure.code.as_str()),
            error = failure.map(|failure| failure.message.as_str()),
            duration_ms = (now - record.started_at.unwrap_or(now)).num_milliseconds(),
            "a run came to its end"
        );
        self.note_end(
            Subject::Record(record.id),
            record.lease,
            end.state.as_str(),
            failure,
            end.alarm.as_ref().map_or(&[], |alarm| &alarm.findings),
        )
        .await;
        self.notify(Topic::Subject(Subject::Record(record.id)))
            .await;
        self.notify(Topic::Events).await;
        Ok(true)
    }

    /// Ends an operation under the lease that it was read with, and carries out what its report says of copies.
    pub(crate) async fn finish_operation(
        &self,
        operation: &Operation,
        end: &OperationEnd,
    ) -> Result<bool> {
        let now = self.now();
        if !self
            .ports
            .operations
            .finish(operation.id, operation.lease, end, now)
            .await?
        {
            return Ok(false);
        }
        let failure = end.failure.as_ref();
        tracing::info!(
            operation.id = operation.id.0,
            operation.kind = operation.spec.kind(),
            record.id = operation.record_id.0,
            node.id = operation.node_id.0,
            lease.no = operation.lease.0,
            status = end.state.as_str(),
            code = failure.map(|failure| failure.code.as_str()),
            error = failure.map(|failure| failure.message.as_str()),
            "an operation came to its end"
        );
        let subject = Subject::Operation(operation.id);
        self.note_end(subject, operation.lease, end.state.as_str(), failure, &[])
            .await;
        // The outbox does the same again when this fails or the process dies here.
        if let Err(error) = self.apply_operation(operation.id).await {
            tracing::warn!(
                operation.id = operation.id.0,
                error = error.chain(),
                "the effect of an operation is left to the sweep"
            );
        }
        self.notify(Topic::Subject(subject)).await;
        self.notify(Topic::Subject(Subject::Record(operation.record_id)))
            .await;
        self.notify(Topic::Events).await;
        Ok(true)
    }
}

/// What stands for a source in the history of its task.
fn fingerprint(source: &SourceSpec) -> String {
    let text = serde_json::to_vec(source).unwrap_or_default();
    let digest = Sha256::digest(&text);
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// The end of a run that made no copy. What never reached a node left nothing behind.
pub(crate) fn without_copies(
    record: &Record,
    state: RecordState,
    failure: Option<Failure>,
) -> RecordEnd {
    let left_behind = match record.lease {
        Lease::NONE => CopyState::Deleted,
        // It went back to its pool, which it does only when nothing was begun.
        Lease(_) if record.node_id == NodeId::NONE => CopyState::Deleted,
        Lease(_) => CopyState::Failed,
    };
    let why = match &failure {
        Some(failure) => failure.message.clone(),
        None => "the run was stopped".to_owned(),
    };
    let copies = record
        .copies
        .iter()
        .map(|copy| {
            let mut copy = copy.clone();
            copy.state = left_behind;
            copy.error = Some(why.clone());
            copy
        })
        .collect();
    RecordEnd {
        state,
        counts: record.counts,
        failure,
        streams: Vec::new(),
        copies,
        alarm: None,
        history: None,
    }
}

/// Each target's own words, where the node gave them.
fn say_why(copies: &mut [RecordCopy], told: &[CopyReport]) {
    for copy in copies {
        let told = told.iter().find(|told| told.target_id == copy.target_id);
        if let Some(failure) = told.and_then(|told| told.failure.as_ref()) {
            copy.error = Some(failure.message.clone());
        }
    }
}

/// What the end of a command means, for whoever finds it ended.
pub(crate) fn outcome_of(command: &Command) -> Outcome {
    if let Some(outcome) = &command.outcome {
        return outcome.clone();
    }
    match command.state {
        CommandState::Cancelled => Outcome::Cancelled,
        CommandState::Timeout => failed(Failure::new(
            "timeout",
            match command.seen_at.or(command.claimed_at) {
                Some(seen) => format!(
                    "node {} gave no sign of life about this run since {}; it was given up",
                    command.node_id,
                    seen.format("%Y-%m-%d %H:%M:%S UTC")
                ),
                None => format!("node {} did not take it in time", command.node_id),
            },
        )),
        CommandState::Pending
        | CommandState::Claimed
        | CommandState::Succeeded
        | CommandState::Failed => failed(Failure::new(
            "outcome_lost",
            "the command ended and its outcome was lost",
        )),
    }
}

/// The outcome of what failed without a report.
pub(crate) fn failed(failure: Failure) -> Outcome {
    Outcome::Failed {
        failure,
        report: None,
    }
}
