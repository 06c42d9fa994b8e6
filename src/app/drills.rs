//! Drills: a backup restored into a throw-away place, on any node that reaches a good copy.

use crate::App;
use crate::access::Streams;
use crate::sources::{WithSecrets, place, settled, wired};
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::database::Server;
use backupx_core::domain::drill::{Assertion, DRILL_PASSWORD, DrillPlace, DrillSpec};
use backupx_core::domain::id::{NodeId, RecordId, TargetId};
use backupx_core::domain::operation::{Operation, OperationSpec, VerifyMode};
use backupx_core::domain::record::Record;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::TaskSpec;
use backupx_core::domain::work::{DatabaseWork, DrillWork};
use backupx_core::ports::operations::NewOperation;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;

impl App {
    /// Has a record drilled as `wanted` says, or as its task says when nothing does. Secrets are for the server of `wanted`, when it is not
    /// the task's own. `Conflict` (`copy_unreachable`) when the node reaches no good copy. Needs `operator`, and `admin` where `wanted`
    /// brings SQL of its own, which runs with the rights of the sign-in.
    pub async fn drill_record(
        &self,
        principal: &Principal,
        id: RecordId,
        wanted: Option<WithSecrets<DrillSpec>>,
        targets: &[TargetId],
    ) -> Result<Operation> {
        principal.require(Role::Operator)?;
        let record = self.record(principal, id).await?;
        let wanted = match wanted {
            Some(WithSecrets { mut spec, secrets }) => {
                if spec.assertions.iter().any(is_sql) {
                    principal.require(Role::Admin)?;
                }
                let source = &record.task.source;
                let secrets = settled(source.secret_names(), source, BTreeMap::new(), secrets)?;
                spec.secrets = self.vault.seal_restore(id, &secrets)?;
                Some(spec)
            }
            None => None,
        };
        let new = self.new_drill(&record, wanted, targets).await?;
        let operation = self.begin_operation(id, new.node_id, &new.spec).await?;
        tracing::info!(
            operation.id = operation.id.0,
            record.id = id.0,
            node.id = new.node_id.0,
            by = principal.username,
            "a drill was queued"
        );
        Ok(operation)
    }

    /// The drill of a record as `wanted` says, or as its task says when nothing does.
    pub(crate) async fn new_drill(
        &self,
        record: &Record,
        wanted: Option<DrillSpec>,
        targets: &[TargetId],
    ) -> Result<NewOperation> {
        let source = &record.task.source;
        let mut spec = match wanted {
            Some(spec) => spec,
            None => self.drill_of(record).await?,
        };
        // What is usual is for this kind of source: said once and for all.
        spec.place = Some(spec.place(source));
        let wrong = spec.wrong("drill", source);
        if !wrong.is_empty() {
            return Err(Error::fields(wrong));
        }
        let node = self.restorer_of(record, spec.node_id).await?;
        // Looked up again when a node takes it; here a person learns at once that it cannot work.
        self.drill_sources(record, targets, node).await?;
        self.stream_keys(record, Streams::All).await?;
        Ok(NewOperation {
            record_id: record.id,
            node_id: node,
            spec: OperationSpec::Verify {
                mode: VerifyMode::Drill,
                target_ids: targets.to_vec(),
                drill: Some(Box::new(spec)),
            },
            created_at: self.now(),
        })
    }

    /// How a record's task wants it drilled, as it is now; as it was when the record was made if the task is gone or reads something else.
    async fn drill_of(&self, record: &Record) -> Result<DrillSpec> {
        let task = self.ports.tasks.get(record.task_id).await?;
        let same = task
            .map(|task| task.spec)
            .filter(|spec| spec.source.type_name() == record.task.source.type_name());
        let task = same.as_ref().unwrap_or(&record.task);
        Ok(task.drill.as_deref().cloned().unwrap_or_default())
    }

    async fn drill_sources(
        &self,
        record: &Record,
        targets: &[TargetId],
        node: NodeId,
    ) -> Result<Vec<backupx_core::domain::access::TargetAccess>> {
        let mut sources = self.sources(record, node).await?;
        if !targets.is_empty() {
            sources.retain(|source| targets.contains(&source.id));
            if sources.is_empty() {
                return Err(Error::conflict(
                    "copy_unreachable",
                    format!(
                        "node {node} reaches no good copy of record {} on the targets that are named",
                        record.id
                    ),
                ));
            }
        }
        Ok(sources)
    }

    /// What a drill asks of its node.
    pub(crate) async fn drill_work(
        &self,
        operation: &Operation,
        record: &Record,
        (spec, targets): (&DrillSpec, &[TargetId]),
        node: NodeId,
    ) -> Result<DrillWork> {
        let mut sent = spec.clone();
        sent.place = Some(spec.place(&record.task.source));
        // What is sealed is for the master alone.
        sent.secrets = None;
        Ok(DrillWork {
            operation_id: operation.id,
            record_id: record.id,
            location: record.location.clone(),
            sources: self.drill_sources(record, targets, node).await?,
            keys: self.stream_keys(record, Streams::All).await?,
            database: self.drill_server(record, spec).await?.map(Box::new),
            spec: sent,
        })
    }

    /// The server of a drill. A secret goes to the server alone that it was given for: a request's own to the one that it names, the task's
    /// to its own server, and the one of its drill to the server that the drill of the task names now.
    async fn drill_server(
        &self,
        record: &Record,
        spec: &DrillSpec,
    ) -> Result<Option<DatabaseWork>> {
        let its = &record.task.source;
        if !its.is_database() {
            return Ok(None);
        }
        let mut source = its.clone();
        let secrets = match spec.place(its) {
            DrillPlace::Folder => BTreeMap::new(),
            DrillPlace::Throwaway { tools } => {
                // Nobody signs in to the one that was backed up; who did may be the one user that is known there.
                let user = source.server().and_then(|server| server.user.clone());
                let server = Server {
                    user,
                    ..Server::default()
                };
                source.aim(Some(&server), tools.as_ref());
                if let SourceSpec::Postgresql(source) = &mut source {
                    source.wal_archive = None;
                }
                BTreeMap::new()
            }
            DrillPlace::Server { server, tools } => {
                source.aim(server.as_ref(), tools.as_ref());
                let brought = self.vault.open_restore(record.id, spec.secrets.as_ref())?;
                match brought.is_empty() {
                    false => brought,
                    true => self.secrets_for(record, &source).await?,
                }
            }
        };
        Ok(Some(DatabaseWork {
            source,
            secrets: wired(secrets),
        }))
    }

    async fn secrets_for(
        &self,
        record: &Record,
        aimed: &SourceSpec,
    ) -> Result<BTreeMap<String, String>> {
        let Some(task) = self.ports.tasks.get(record.task_id).await? else {
            return Ok(BTreeMap::new());
        };
        let scratch = scratch_server(&task.spec);
        if scratch.is_some_and(|scratch| place(&scratch) == place(aimed)) {
            let all = self.vault.open_task(task.id, task.secrets.as_ref())?;
            let password = all.get(DRILL_PASSWORD).cloned();
            return Ok(password
                .map(|password| ("password".to_owned(), password))
                .into_iter()
                .collect());
        }
        self.task_secrets(record.task_id, aimed).await
    }
}

fn is_sql(assertion: &Assertion) -> bool {
    match assertion {
        Assertion::Sql { .. } => true,
        Assertion::Path { .. } | Assertion::Rows { .. } => false,
    }
}

/// The source of a task as its drill aims it, when that names a server of its own.
pub(crate) fn scratch_server(task: &TaskSpec) -> Option<SourceSpec> {
    let drill = task.drill.as_deref()?;
    let DrillPlace::Server {
        server: Some(server),
        ..
    } = drill.place(&task.source)
    else {
        return None;
    };
    let mut source = task.source.clone();
    source.aim(Some(&server), None);
    Some(source)
}
