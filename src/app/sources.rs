//! Sources: secrets that go in and never come out, and whether a source can be read, found out before it has to be.

use crate::App;
use crate::requests::unexpected;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::command::CommandSpec;
use backupx_core::domain::dump::DatabaseRestore;
use backupx_core::domain::id::{NodeId, TaskId};
use backupx_core::domain::operation::RestoreSpec;
use backupx_core::domain::record::Record;
use backupx_core::domain::report::{Report, SourceReport};
use backupx_core::domain::secret::WireSecret;
use backupx_core::domain::source::SourceSpec;
use backupx_core::domain::task::Task;
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
                self.vault.open_task(id, task.secrets.as_ref())
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
            secrets: wired(self.vault.open_task(id, task.secrets.as_ref())?),
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
        let source = aimed(&record.task.source, &how);
        let mut secrets = self.vault.open_restore(record.id, how.secrets.as_ref())?;
        if secrets.is_empty() {
            secrets = self.task_secrets(record.task_id, &source).await?;
        }
        Ok(Some(DatabaseWork {
            source,
            secrets: wired(secrets),
        }))
    }

    /// The secrets of a task that stay when it is changed to read `source`.
    pub(crate) fn kept_secrets(
        &self,
        before: &Task,
        source: &SourceSpec,
        given: &Secrets,
    ) -> Result<Secrets> {
        let kept = self.vault.open_task(before.id, before.secrets.as_ref())?;
        if kept.is_empty() || place(&before.spec.source) == place(source) {
            return Ok(kept);
        }
        let names = source.secret_names();
        let missing: Vec<_> = kept
            .keys()
            .filter(|name| names.contains(&name.as_str()) && !given.contains_key(*name))
            .map(|name| FieldError {
                field: format!("secrets.{name}"),
                message: "must be given again, since the server is another one".to_owned(),
            })
            .collect();
        if missing.is_empty() {
            Ok(Secrets::new())
        } else {
            Err(Error::fields(missing))
        }
    }
}

/// The secrets that are left of `kept` when `given` came: an empty value removes one. Refuses names that the source does not know.
pub(crate) fn settled(source: &SourceSpec, kept: Secrets, given: Secrets) -> Result<Secrets> {
    let names = source.secret_names();
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

/// The source as a restore aims it: at another server, with other tools.
fn aimed(source: &SourceSpec, how: &DatabaseRestore) -> SourceSpec {
    let mut source = source.clone();
    let (server, tools) = match &mut source {
        SourceSpec::File { .. } | SourceSpec::Sqlite(_) => return source,
        SourceSpec::Mysql(source) => (&mut source.server, &mut source.tools),
        SourceSpec::Postgresql(source) => (&mut source.server, &mut source.tools),
        SourceSpec::Mongodb(source) => (&mut source.server, &mut source.tools),
        SourceSpec::Saphana(source) => {
            // The key of the user store says where its own server is.
            if how.server.is_some() {
                source.user_store_key = None;
            }
            (&mut source.server, &mut source.tools)
        }
    };
    if let Some(other) = &how.server {
        *server = other.clone();
    }
    if how.tools.is_some() {
        tools.clone_from(&how.tools);
    }
    source
}

/// Where a secret of a source goes.
#[derive(PartialEq, Eq)]
struct Destination<'a> {
    kind: &'static str,
    host: Option<&'a str>,
    port: Option<u16>,
    socket: Option<&'a str>,
}

fn place(source: &SourceSpec) -> Option<Destination<'_>> {
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
