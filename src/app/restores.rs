//! Restores: getting files back, on any node that reaches a good copy.

use crate::App;
use crate::access::Streams;
use crate::sources::{WithSecrets, settled};
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::id::{NodeId, RecordId};
use backupx_core::domain::operation::{Operation, OperationSpec, RestoreSpec};
use backupx_core::domain::record::Record;
use backupx_core::domain::source::SourceSpec;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;

impl App {
    /// Has files of a record put back on `node` (the record's own when none is named). `Conflict` (`copy_unreachable`) when that node
    /// reaches no good copy. Secrets are for the server that dumps go into, when it is not the task's own. Needs `operator`.
    pub async fn restore_record(
        &self,
        principal: &Principal,
        id: RecordId,
        node: Option<NodeId>,
        wanted: impl Into<WithSecrets<RestoreSpec>>,
    ) -> Result<Operation> {
        principal.require(Role::Operator)?;
        let WithSecrets { mut spec, secrets } = wanted.into();
        let record = self.record(principal, id).await?;
        check_spec(&spec, &record.task.source)?;
        let secrets = settled(
            record.task.source.secret_names(),
            &record.task.source,
            BTreeMap::new(),
            secrets,
        )?;
        if let Some(sealed) = self.vault.seal_restore(id, &secrets)? {
            spec.database.get_or_insert_default().secrets = Some(sealed);
        }
        let node = self.restorer_of(&record, node).await?;
        // Sources and keys are looked up again when a node takes it; here a person learns at once that it cannot work.
        self.sources(&record, node).await?;
        self.stream_keys(&record, Streams::All).await?;
        let spec = OperationSpec::Restore(spec);
        let operation = self.begin_operation(id, node, &spec).await?;
        tracing::info!(
            operation.id = operation.id.0,
            record.id = id.0,
            node.id = node.0,
            by = principal.username,
            "a restore was queued"
        );
        Ok(operation)
    }

    /// The node that restores a record that is at its end: the one that is named, or its own. `Conflict` (`record_running`) before that.
    pub(crate) async fn restorer_of(
        &self,
        record: &Record,
        named: Option<NodeId>,
    ) -> Result<NodeId> {
        if !record.state.is_final() {
            return Err(Error::conflict(
                "record_running",
                format!("record {} is not at its end yet", record.id),
            ));
        }
        let node = named.unwrap_or(record.node_id);
        self.known_node(node).await?;
        Ok(node)
    }

    /// Writes an operation and puts its command in; a command that could not follow is put in by the sweep.
    pub(crate) async fn begin_operation(
        &self,
        record: RecordId,
        node: NodeId,
        spec: &OperationSpec,
    ) -> Result<Operation> {
        let operation = self
            .ports
            .operations
            .add(record, node, spec, self.now())
            .await?;
        if let Err(error) = self.enqueue_operation(&operation).await {
            tracing::warn!(
                operation.id = operation.id.0,
                error = error.chain(),
                "the command of an operation could not be put in yet"
            );
        }
        Ok(operation)
    }
}

fn check_spec(spec: &RestoreSpec, source: &SourceSpec) -> Result<()> {
    if let Some(database) = &spec.database {
        if !source.is_database() {
            return Err(Error::field(
                "database",
                "the record holds files, not databases",
            ));
        }
        if spec.to.is_some() {
            return Err(Error::field(
                "database",
                "dumps become files in a folder (to) or go into a server (database), not both",
            ));
        }
        let wrong = database.wrong("database");
        if !wrong.is_empty() {
            return Err(Error::fields(wrong));
        }
    }
    if let Some(to) = &spec.to
        && (!to.starts_with('/') || to.contains('\0') || to.len() > 4095)
    {
        return Err(Error::field("to", "must be an absolute path"));
    }
    if spec.include.len() > 1000 {
        return Err(Error::field("include", "has more than 1000 patterns"));
    }
    if spec
        .include
        .iter()
        .any(|glob| glob.is_empty() || glob.len() > 4095)
    {
        return Err(Error::field(
            "include",
            "a pattern must have 1 to 4095 bytes",
        ));
    }
    Ok(())
}
