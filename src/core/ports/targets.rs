//! The store of targets.

use crate::Result;
use crate::domain::check::TargetCheck;
use crate::domain::id::TargetId;
use crate::domain::name::Name;
use crate::domain::page::{Page, PageRequest};
use crate::domain::secret::Sealed;
use crate::domain::target::{Target, TargetKind, TargetTest};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeMap;

/// How much a target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Good copies.
    pub copies: u64,
    /// Their bytes in storage.
    pub stored_bytes: u64,
}

/// Keeps targets. Secrets come and go sealed.
#[async_trait]
pub trait Targets: Send + Sync {
    /// Adds a target without secrets. `Conflict` (`target_name_taken`) when the name is in use.
    async fn add(
        &self,
        name: &Name,
        kind: TargetKind,
        config: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Target>;

    /// Stores the sealed secrets of a target that was just added or is being changed. Does not touch the version.
    async fn set_secrets(&self, id: TargetId, secrets: Option<&Sealed>) -> Result<()>;

    /// One target.
    async fn get(&self, id: TargetId) -> Result<Option<Target>>;

    /// The target of this name.
    async fn by_name(&self, name: &str) -> Result<Option<Target>>;

    /// Targets by id.
    async fn list(&self, page: PageRequest) -> Result<Page<Target>>;

    /// Changes name, settings and secrets when the version is still `version`; `Conflict` (`stale_version`) when it is not, `NotFound` when it is gone.
    async fn update(
        &self,
        id: TargetId,
        version: i64,
        name: &Name,
        config: &BTreeMap<String, String>,
        secrets: Option<&Sealed>,
    ) -> Result<Target>;

    /// Stores what a test found.
    async fn set_test(&self, id: TargetId, test: &TargetTest) -> Result<()>;

    /// Replaces the check when it is still `expected`. False when somebody else was first, or the target is gone.
    async fn set_check(
        &self,
        id: TargetId,
        expected: Option<&TargetCheck>,
        check: &TargetCheck,
    ) -> Result<bool>;

    /// How much it holds.
    async fn usage(&self, id: TargetId) -> Result<Usage>;

    /// Removes a target. `Conflict` (`target_in_use`) while a task names it or a copy on it is not confirmed gone. False when there was none.
    async fn remove(&self, id: TargetId) -> Result<bool>;
}
