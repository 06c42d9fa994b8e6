//! Imports: backups that lie on a target, taken over step by step; and the keys that open those of other masters.

use backupx_core::domain::key::ObjectKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One step of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRequest {
    /// The node that reads the target; one that is there when absent. For a folder of a node: that node, the master's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<i64>,
    /// `next` of the step before; absent for the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub after: Option<ObjectKey>,
    /// Only say what is there.
    #[serde(default)]
    pub dry_run: bool,
}

/// What one step came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportStep {
    /// Folders of records that were looked at.
    pub found: u64,
    /// New records.
    pub records: u64,
    /// Further copies of records that are known.
    pub copies: u64,
    /// Backups that were known already.
    pub known: u64,
    /// Names of tasks that were made for them: turned off, without schedule, keeping everything.
    pub tasks: Vec<String>,
    /// Names of nodes that were made for them: without an agent.
    pub nodes: Vec<String>,
    /// Folders that hold no whole backup.
    pub skipped: Vec<SkippedFolder>,
    /// Public keys without whose private key some of the backups can't be restored here.
    pub unknown_keys: Vec<String>,
    /// Where the next step begins; absent when this was the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A folder that holds no whole backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedFolder {
    /// The folder.
    pub location: String,
    /// Why.
    pub reason: String,
}

/// A key to add. Not `Debug`: it is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecoveryKeyCreate {
    /// `AGE-SECRET-KEY-1…`, out of the recovery kit of the master that made the backups.
    pub identity: String,
}

/// A key that opens backups here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryKey {
    /// Its public key, `age1…`.
    pub recipient: String,
    /// True for the one that new backups are sealed to.
    pub own: bool,
}
