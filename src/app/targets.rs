//! Targets: places where backups are kept, with secrets that go in and never come out.

use crate::App;
use backupx_core::domain::account::Principal;
use backupx_core::domain::id::{NodeId, TargetId};
use backupx_core::domain::name::Name;
use backupx_core::domain::page::{Page, PageRequest};
use backupx_core::domain::report::TestReport;
use backupx_core::domain::target::{Reach, TargetKind, TargetTest};
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::targets::Usage;
use backupx_core::{Error, Result};
use std::collections::BTreeMap;

/// A target without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetView {
    /// Its id.
    pub id: TargetId,
    /// Unique name.
    pub name: Name,
    /// Its kind of storage.
    pub kind: TargetKind,
    /// The settings that are no secrets.
    pub config: BTreeMap<String, String>,
    /// Names of the secret settings that are set.
    pub secrets_set: Vec<String>,
    /// Who can reach it.
    pub reach: Reach,
    /// What the last test found.
    pub last_test: Option<TargetTest>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change that a person makes.
    pub version: i64,
}

/// A target to be made. Not `Debug`: settings hold secrets.
pub struct NewTarget {
    /// Unique name.
    pub name: String,
    /// Its kind of storage.
    pub kind: TargetKind,
    /// Plain and secret settings together, by field name.
    pub settings: BTreeMap<String, String>,
}

/// What changes of a target; absent means unchanged. Not `Debug`: settings hold secrets.
#[derive(Default)]
pub struct ChangedTarget {
    /// A new name.
    pub name: Option<String>,
    /// Settings that replace those of the same name; an empty value removes one. Others, secrets included, stay.
    pub settings: BTreeMap<String, String>,
}

impl App {
    /// Adds a target. Needs `admin`.
    pub async fn add_target(&self, principal: &Principal, new: NewTarget) -> Result<TargetView> {
        Err(Error::internal("not built yet"))
    }

    /// Targets by id.
    pub async fn targets(
        &self,
        principal: &Principal,
        page: PageRequest,
    ) -> Result<Page<TargetView>> {
        Err(Error::internal("not built yet"))
    }

    /// One target.
    pub async fn target(&self, principal: &Principal, id: TargetId) -> Result<TargetView> {
        Err(Error::internal("not built yet"))
    }

    /// The target of this name.
    pub async fn target_named(&self, principal: &Principal, name: &str) -> Result<TargetView> {
        Err(Error::internal("not built yet"))
    }

    /// Changes a target. Needs `admin`.
    pub async fn update_target(
        &self,
        principal: &Principal,
        id: TargetId,
        version: i64,
        change: ChangedTarget,
    ) -> Result<TargetView> {
        Err(Error::internal("not built yet"))
    }

    /// Writes, reads, lists and deletes on a target from `node` (node 0 when none is named), and keeps what came of it. Needs `operator`.
    pub async fn test_target(
        &self,
        principal: &Principal,
        id: TargetId,
        node: Option<NodeId>,
    ) -> Result<TestReport> {
        Err(Error::internal("not built yet"))
    }

    /// How much a target holds.
    pub async fn target_usage(&self, principal: &Principal, id: TargetId) -> Result<Usage> {
        Err(Error::internal("not built yet"))
    }

    /// Removes a target. `Conflict` (`target_in_use`) while a task names it or a copy on it is not confirmed gone. Needs `admin`.
    pub async fn remove_target(&self, principal: &Principal, id: TargetId) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
