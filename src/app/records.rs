//! Records: runs of tasks, looked at, proven, locked, stopped, completed and removed.

use crate::App;
use crate::requests::unexpected;
use backupx_core::domain::account::{Principal, Role};
use backupx_core::domain::command::{CommandSpec, Subject};
use backupx_core::domain::guard::{Acceptance, Past};
use backupx_core::domain::id::RecordId;
use backupx_core::domain::log::StoredLine;
use backupx_core::domain::operation::{Operation, OperationSpec};
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::record::{CopyState, Lock, Record, RecordCopy};
use backupx_core::domain::report::{FilePage, Report};
use backupx_core::ports::records::RecordFilter;
use backupx_core::{Error, Result};
use std::time::Duration;

/// How long a look into an index may take: the first one reads the index from storage.
const LIST_LIMIT: Duration = Duration::from_secs(30);
/// How many waiting removals one look takes in: those of a target that is away wait beside the others and must not hide them.
pub(crate) const REMOVALS_AT_ONCE: u32 = 1000;

impl App {
    /// Records, newest first.
    pub async fn records(
        &self,
        principal: &Principal,
        filter: RecordFilter,
        page: PageRequest,
    ) -> Result<Page<Record>> {
        principal.require(Role::Viewer)?;
        self.ports.records.list(filter, page).await
    }

    /// One record.
    pub async fn record(&self, principal: &Principal, id: RecordId) -> Result<Record> {
        principal.require(Role::Viewer)?;
        self.known_record(id).await
    }

    /// Up to `limit` lines of a record's log behind the line `after`.
    pub async fn record_log(
        &self,
        principal: &Principal,
        id: RecordId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredLine>> {
        self.record(principal, id).await?;
        self.read_log(Subject::Record(id), after, limit).await
    }

    /// The direct children of a folder in a record's archive; `after` is the last path of the page before. Needs `operator`.
    pub async fn record_files(
        &self,
        principal: &Principal,
        id: RecordId,
        path: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<FilePage> {
        principal.require(Role::Operator)?;
        let record = self.record(principal, id).await?;
        let path = path.trim_matches('/');
        if path.contains('\0') || path.len() > 4095 {
            return Err(Error::field(
                "path",
                "must have at most 4095 bytes and no zero",
            ));
        }
        let node = self.reader_of(&record).await?;
        let spec = CommandSpec::ListFiles {
            record_id: id,
            path: path.to_owned(),
            limit: limit.clamp(1, 1000),
            after: after.map(str::to_owned),
        };
        match self.ask(node, spec, LIST_LIMIT).await? {
            Report::ListFiles(page) => Ok(page),
            other => Err(unexpected(&other)),
        }
    }

    /// Has the missing copies made from a good one. Needs `operator`.
    pub async fn retry_record(&self, principal: &Principal, id: RecordId) -> Result<Operation> {
        principal.require(Role::Operator)?;
        let record = self.record(principal, id).await?;
        self.retry_missing(&record).await
    }

    /// Asks a run to stop; one that no node took yet ends at once. Needs `operator`.
    pub async fn cancel_record(&self, principal: &Principal, id: RecordId) -> Result<Record> {
        principal.require(Role::Operator)?;
        let record = self.record(principal, id).await?;
        if !self.stop_record(&record).await? {
            return Err(Error::conflict(
                "record_finished",
                format!("record {id} is at its end already"),
            ));
        }
        tracing::info!(
            record.id = id.0,
            by = principal.username,
            "a run was asked to stop"
        );
        self.record(principal, id).await
    }

    /// Keeps a record whatever the policy says. Needs `operator`.
    pub async fn lock_record(
        &self,
        principal: &Principal,
        id: RecordId,
        reason: &str,
    ) -> Result<Record> {
        principal.require(Role::Operator)?;
        let chars = reason.chars().count();
        if chars == 0 || chars > 500 {
            return Err(Error::field("reason", "must have 1 to 500 characters"));
        }
        let lock = Lock {
            reason: reason.to_owned(),
            since: self.now(),
        };
        if !self.ports.records.set_lock(id, Some(&lock)).await? {
            return Err(no_record(id));
        }
        tracing::info!(
            record.id = id.0,
            by = principal.username,
            "a record was locked"
        );
        // Removals that were planned and not begun are taken back.
        let record = self.record(principal, id).await?;
        for copy in &record.copies {
            if copy.state == CopyState::Deleting {
                self.keep_copy(&record, copy.target_id).await?;
            }
        }
        self.record(principal, id).await
    }

    /// Takes the lock off. Needs `admin`.
    pub async fn unlock_record(&self, principal: &Principal, id: RecordId) -> Result<Record> {
        principal.require(Role::Admin)?;
        if !self.ports.records.set_lock(id, None).await? {
            return Err(no_record(id));
        }
        tracing::info!(
            record.id = id.0,
            by = principal.username,
            "a record was unlocked"
        );
        self.record(principal, id).await
    }

    /// A person's word that an odd run is right, and with it those of its task before it: retention goes on, and later runs are measured by
    /// this one. `Conflict` (`nothing_to_accept`) when nothing is odd about it. Needs `admin`.
    pub async fn accept_record(
        &self,
        principal: &Principal,
        id: RecordId,
        reason: &str,
    ) -> Result<Record> {
        principal.require(Role::Admin)?;
        if reason.chars().count() > 500 {
            return Err(Error::field("reason", "has more than 500 characters"));
        }
        let record = self.record(principal, id).await?;
        let acceptance = Acceptance {
            at: self.now(),
            by: principal.username.clone(),
            reason: reason.to_owned(),
        };
        if !self.ports.records.accept(id, &acceptance).await? {
            return Err(Error::conflict(
                "nothing_to_accept",
                match record.alarm {
                    None => format!("nothing is odd about record {id}"),
                    Some(_) => format!("record {id} was accepted already"),
                },
            ));
        }
        for earlier in self.ports.records.with_copies(record.task_id).await? {
            if earlier.id < id {
                self.ports.records.accept(earlier.id, &acceptance).await?;
            }
        }
        let mut history = self.ports.records.history(record.task_id).await?;
        let accepted = history.iter_mut().filter(|past| past.record_id <= id);
        accepted.for_each(Past::accept);
        self.ports
            .records
            .set_history(record.task_id, &history)
            .await?;
        tracing::info!(
            record.id = id.0,
            by = principal.username,
            "an odd run was accepted"
        );
        self.record(principal, id).await
    }

    /// Plans the removal of all copies of a record; the row goes when the last one is confirmed gone. `Conflict` while it is locked
    /// (`record_locked`) or not at its end (`record_running`). Needs `admin`.
    pub async fn remove_record(&self, principal: &Principal, id: RecordId) -> Result<()> {
        principal.require(Role::Admin)?;
        let record = self.record(principal, id).await?;
        if let Some(lock) = &record.lock {
            return Err(Error::conflict(
                "record_locked",
                format!("record {id} is locked: {}", lock.reason),
            ));
        }
        if !record.state.is_final() {
            return Err(Error::conflict(
                "record_running",
                format!("record {id} is not at its end yet; cancel it first"),
            ));
        }
        tracing::info!(
            record.id = id.0,
            by = principal.username,
            "a record is being removed"
        );
        for copy in &record.copies {
            if matches!(copy.state, CopyState::Deleted | CopyState::Deleting) {
                continue;
            }
            let mut going = copy.clone();
            going.state = CopyState::Deleting;
            // A copy that changed meanwhile is seen by whoever asks again.
            self.ports
                .records
                .set_copy(id, copy.state, &going, None)
                .await?;
        }
        if !self.remove_row(id).await? {
            self.plan_removals(REMOVALS_AT_ONCE).await?;
        }
        Ok(())
    }

    pub(crate) async fn known_record(&self, id: RecordId) -> Result<Record> {
        self.ports
            .records
            .get(id)
            .await?
            .ok_or_else(|| no_record(id))
    }

    /// Missing copies are those that a run or a verification left without; what policy removed stays gone.
    pub(crate) async fn retry_missing(&self, record: &Record) -> Result<Operation> {
        let missing = |copy: &&RecordCopy| match copy.state {
            CopyState::Failed | CopyState::Lost => true,
            CopyState::Deleted => copy.error.is_some(),
            CopyState::Pending | CopyState::Good | CopyState::Deleting => false,
        };
        let missing: Vec<_> = record.copies.iter().filter(missing).collect();
        if missing.is_empty() || !record.state.is_final() {
            return Err(Error::conflict(
                "nothing_to_retry",
                format!("record {} lacks no copy", record.id),
            ));
        }
        let lacking: Vec<_> = missing.iter().map(|copy| copy.target_id).collect();
        let node = match self.worker_of(record, &lacking).await? {
            // Another node than the record's own may not reach what is left of it.
            other if self.sources(record, other).await.is_ok() => other,
            _ => record.node_id,
        };
        self.sources(record, node).await?;
        for copy in missing.iter().filter(|copy| copy.state == CopyState::Lost) {
            let mut going = (*copy).clone();
            going.state = CopyState::Deleting;
            self.ports
                .records
                .set_copy(record.id, CopyState::Lost, &going, None)
                .await?;
        }
        let spec = OperationSpec::Copy {
            target_ids: lacking,
        };
        let operation = self.begin_operation(record.id, node, &spec).await?;
        // What lies in the place goes first; the copy follows from the sweep.
        self.plan_removals(REMOVALS_AT_ONCE).await?;
        Ok(operation)
    }
}

fn no_record(id: RecordId) -> Error {
    Error::not_found("record_not_found", format!("there is no record {id}"))
}
