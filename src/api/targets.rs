//! Targets: places where backups are kept.

use crate::mirror::mirrored;
use crate::reports::TestStep;
use backupx_core::domain::target;
use backupx_core::ports::targets as port;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

mirrored! {
    /// Who carries the bytes of a target.
    #[serde(rename_all = "camelCase")]
    Reach = target::Reach {
        /// Any node reaches it by itself.
        Everywhere = "everywhere",
        /// A folder on whichever node runs the task.
        OwnNode = "ownNode",
        /// Only the master reaches it; agents stream through the relay.
        Master = "master",
    }
}

/// A place where backups are kept. Secret settings are never answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its id.
    pub id: i64,
    /// Unique name.
    pub name: String,
    /// Which kind of storage it is, as `target-types` lists them.
    #[serde(rename = "type")]
    #[schema(example = "s3")]
    pub kind: String,
    /// The settings that are no secrets.
    pub config: BTreeMap<String, String>,
    /// Names of the secret settings that are set.
    pub secrets_set: Vec<String>,
    /// Who carries its bytes.
    pub reach: Reach,
    /// What the last test found.
    pub last_test: Option<TargetTest>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Grows with every change; the entity tag of an update.
    pub version: i64,
}

/// The result of a target's last test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetTest {
    /// When it ran.
    pub at: DateTime<Utc>,
    /// Whether every step held.
    pub ok: bool,
    /// What was found or what failed, in a sentence.
    pub message: String,
    /// Each step, in order, up to the one that failed.
    #[serde(default)]
    pub steps: Vec<TestStep>,
}

impl From<target::TargetTest> for TargetTest {
    fn from(test: target::TargetTest) -> Self {
        Self {
            at: test.at,
            ok: test.ok,
            message: test.message,
            steps: test.steps.into_iter().map(Into::into).collect(),
        }
    }
}

/// A target to add. Not `Debug`: settings hold secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetCreate {
    /// Unique name: 1 to 100 characters, no `/` or `\`.
    pub name: String,
    /// Which kind of storage it is, as `target-types` lists them.
    #[serde(rename = "type")]
    #[schema(example = "s3")]
    pub kind: String,
    /// Its settings by name, secret ones among them; `target-types` lists them.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

/// What is changed of a target; what is absent stays. Its kind can't be changed. Not `Debug`: settings hold secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetUpdate {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Settings that replace those of the same name; an empty value removes one. Others, secrets included, stay.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

/// How a target is to be tested.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetTestRequest {
    /// The node that tries it; the master's own when absent.
    #[serde(default)]
    pub node_id: Option<i64>,
}

/// How much a target holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Good copies.
    pub copies: u64,
    /// Their bytes in storage.
    pub stored_bytes: u64,
}

impl From<port::Usage> for Usage {
    fn from(usage: port::Usage) -> Self {
        Self {
            copies: usage.copies,
            stored_bytes: usage.stored_bytes,
        }
    }
}
