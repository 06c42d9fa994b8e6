//! Targets: places where backups are kept.

use crate::mirror::mirrored;
use crate::reports::TestStep;
use backupx_core::domain::{check, target};
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
    /// The last check of what it holds, or the one that is under way.
    pub last_check: Option<TargetCheck>,
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

/// A check of a target: whether it still holds what the records say, found by listings alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetCheck {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; absent while it is under way.
    pub finished_at: Option<DateTime<Utc>>,
    /// Copies that were looked for.
    pub checked: u64,
    /// Copies among them that storage does not hold whole any more.
    pub lost: u64,
    /// Nodes whose own folders nobody could look at.
    pub unreached: Vec<i64>,
    /// Why it ended early, or what stood in its way last.
    pub failure: Option<String>,
    /// When the next one begins.
    pub next_at: DateTime<Utc>,
}

impl From<check::TargetCheck> for TargetCheck {
    fn from(check: check::TargetCheck) -> Self {
        Self {
            started_at: check.started_at,
            finished_at: check.finished_at,
            checked: check.checked,
            lost: check.lost,
            unreached: check.unreached.into_iter().map(|node| node.0).collect(),
            failure: check.failure,
            next_at: check.next_at,
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
