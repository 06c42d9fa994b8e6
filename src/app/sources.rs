//! Sources: secrets that go in and never come out, and whether a source can be read, found out before it has to be.

use crate::App;
use crate::drills::scratch_server;
use crate::requests::unexpected;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::command::CommandSpec;
use backupx_core::domain::drill::DRILL_PASSWORD;
use backupx_core::domain::id::{NodeId, TaskId};
use backupx_core::domain::operation::RestoreSpec;
use backupx_core::domain::record::Record;
use backupx_core::domain::report::{Report, SourceReport};
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::{Task, TaskSpec};
use backupx_core::domain::work::DatabaseWork;
use backupx_core::{Error, FieldError, Result};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a test may take: a server may be far away, or hang.
const TEST_LIMIT: Duration = Duration::from_secs(45);

type Secrets = BTreeMap<String, String>;

/// What somebody wants, with the secrets that come along. Not `Debug`.
pub struct WithSecrets<T> {
    /// What is wanted.
    pub spec: T,
    /// Secrets by name.
    pub secrets: BTreeMap<String, String>,
}

impl<T> From<T> for WithSecrets<T> {
    fn from(spec: T) -> Self {
        Self {
            spec,
            secrets: Secrets::new(),
        }
    }
}

impl App {
    /// Names of the secrets that a task has.
    pub fn secrets_set(&self, task: &Task) -> Result<Vec<String>> {
        let secrets = self.vault.open_task(task.id, task.secrets.as_ref())?;
        Ok(secrets.into_keys().collect())
    }

    /// Tries what a task reads from its node: tools, connection, rights; and lists the databases that are there. A task of a pool is
    /// tried from `node`, which must be named then. Needs `operator`.
    pub async fn test_source(
        &self,
        principal: &Principal,
        id: TaskId,
        node: Option<NodeId>,
    ) -> Result<SourceReport> {
        principal.require(Role::Operator)?;
        let task = self.task(principal, id).await?;
        if !task.spec.source.is_database() {
            return Err(Error::invalid(
                "unsupported",
                format!(
                    "task {} reads files: there is nothing to sign in to",
                    task.spec.name
                ),
            ));
        }
        let node = node.unwrap_or(task.spec.node_id);
        if node == NodeId::NONE {
            return Err(Error::field(
                "nodeId",
                "is required: the task runs on any node of a pool, so name the one to try it from",
            ));
        }
        let spec = CommandSpec::TestSource { task_id: id };
        match self.ask(node, spec, TEST_LIMIT).await? {
            Report::TestSource(report) => Ok(report),
            other => Err(unexpected(&other)),
        }
    }

    /// The secrets of a task that may go to the server of `source`: its own server's alone. None when the task is gone or reads another
    /// server by now, as after an edit while a run waited.
    pub(crate) async fn task_secrets(&self, id: TaskId, source: &SourceSpec) -> Result<Secrets> {
        match self.ports.tasks.get(id).await? {
            Some(task) if place(&task.spec.source) == place(source) => {
                let mut secrets = self.vault.open_task(id, task.secrets.as_ref())?;
                // It is for another server.
                secrets.remove(DRILL_PASSWORD);
                Ok(secrets)
            }
            Some(_) | None => Ok(Secrets::new()),
        }
    }

    /// The server and the sign-in of a task, to be tried.
    pub(crate) async fn source_to_test(&self, id: TaskId) -> Result<DatabaseWork> {
        let task =
            self.ports.tasks.get(id).await?.ok_or_else(|| {
                Error::not_found("task_not_found", format!("there is no task {id}"))
            })?;
        Ok(DatabaseWork {
            secrets: wired(self.task_secrets(id, &task.spec.source).await?),
            source: task.spec.source,
        })
    }

    /// The server that the dumps of a record go into, when they go into one. The task's own secrets are for its own server alone: whoever
    /// restores elsewhere brings the sign-in along, or a password could be had by restoring to a server that listens for it.
    pub(crate) async fn restore_server(
        &self,
        record: &Record,
        spec: &RestoreSpec,
    ) -> Result<Option<DatabaseWork>> {
        if !record.task.source.is_database() || spec.to.is_some() {
            return Ok(None);
        }
        let how = spec.database.clone().unwrap_or_default();
        let mut source = record.task.source.clone();
        source.aim(how.server.as_ref(), how.tools.as_ref());
        let mut secrets = self.vault.open_restore(record.id, how.secrets.as_ref())?;
        if secrets.is_empty() {
            secrets = self.task_secrets(record.task_id, &source).await?;
        }
        Ok(Some(DatabaseWork {
            source,
            secrets: wired(secrets),
        }))
    }

    /// The secrets of a task that stay when it is changed to be `after`: each as long as it goes to the same server.
    pub(crate) fn kept_secrets(
        &self,
        before: &Task,
        after: &TaskSpec,
        given: &Secrets,
    ) -> Result<Secrets> {
        let mut kept = self.vault.open_task(before.id, before.secrets.as_ref())?;
        let same_source = place(&before.spec.source) == place(&after.source);
        let scratch = (scratch_server(&before.spec), scratch_server(after));
        let same_scratch = scratch.0.as_ref().map(place) == scratch.1.as_ref().map(place);
        let names = task_secret_names(after);
        let mut missing = Vec::new();
        kept.retain(|name, _| {
            let stays = match name.as_str() {
                DRILL_PASSWORD => same_scratch,
                _ => same_source,
            };
            if !stays && names.contains(&name.as_str()) && !given.contains_key(name) {
                missing.push(FieldError {
                    field: format!("secrets.{name}"),
                    message: "must be given again, since the server is another one".to_owned(),
                });
            }
            stays
        });
        if missing.is_empty() {
            Ok(kept)
        } else {
            Err(Error::fields(missing))
        }
    }
}

/// Names of the secrets that a task may have: those of its source, and the one of a server that its drill names.
pub(crate) fn task_secret_names(task: &TaskSpec) -> Vec<&'static str> {
    let mut names = task.source.secret_names().to_vec();
    if scratch_server(task).is_some() {
        names.push(DRILL_PASSWORD);
    }
    names
}

/// The secrets that are left of `kept` when `given` came: an empty value removes one. Refuses what is none of `names`.
pub(crate) fn settled(
    names: &[&str],
    source: &SourceSpec,
    kept: Secrets,
    given: Secrets,
) -> Result<Secrets> {
    let unknown: Vec<_> = given
        .keys()
        .filter(|name| !names.contains(&name.as_str()))
        .map(|name| FieldError {
            field: format!("secrets.{name}"),
            message: match names {
                [] => format!("a source of type {} has no secrets", source.type_name()),
                names => format!(
                    "is no secret of type {}; known: {}",
                    source.type_name(),
                    names.join(", ")
                ),
            },
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Error::fields(unknown));
    }
    let mut secrets = kept;
    secrets.extend(given);
    secrets.retain(|name, value| !value.is_empty() && names.contains(&name.as_str()));
    Ok(secrets)
}

/// Where a secret of a source goes.
#[derive(PartialEq, Eq)]
pub(crate) struct Destination<'a> {
    kind: &'static str,
    host: Option<&'a str>,
    port: Option<u16>,
    socket: Option<&'a str>,
}

/// Where the secrets of a source go, if it is a server.
pub(crate) fn place(source: &SourceSpec) -> Option<Destination<'_>> {
    let server = source.server()?;
    Some(Destination {
        kind: source.type_name(),
        host: server.host.as_deref(),
        port: server.port,
        socket: server.socket.as_deref(),
    })
}

pub(crate) fn wired(secrets: Secrets) -> BTreeMap<String, WireSecret> {
    secrets
        .into_iter()
        .map(|(name, secret)| (name, WireSecret::new(secret)))
        .collect()
}
