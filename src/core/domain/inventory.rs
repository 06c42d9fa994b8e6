//! What lies on a target, as storage itself tells it: folder after folder, in the order of their keys.

use super::key::ObjectKey;
use super::manifest::Manifest;
use serde::{Deserialize, Serialize};

/// A part of what lies on a target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryPage {
    /// Folders of records, by key.
    pub found: Vec<FoundBackup>,
    /// The folder behind which to go on; absent when this was all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ObjectKey>,
}

/// A folder that looks like the one of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundBackup {
    /// The folder.
    pub location: ObjectKey,
    /// Bytes of all that lies in it.
    pub stored_bytes: u64,
    /// What its manifest says, with streams that name no objects. Absent when there is none that can be read: then it is no backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Box<Manifest>>,
    /// SHA-256 of the manifest's bytes, lower-case hex; empty without one.
    #[serde(default)]
    pub manifest_sha256: String,
    /// Why it is no whole backup, when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
