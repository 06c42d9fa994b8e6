//! An entry of HANA's catalogue of backups, and the files that it names.

use serde::{Deserialize, Serialize};

/// What an entry is when its backup is whole.
const SUCCESSFUL: &str = "successful";
/// What it is while its backup is made.
const UNFINISHED: [&str; 3] = ["running", "prepared", "cancel pending"];

/// A backup, as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) state: String,
    pub(super) message: String,
    pub(super) begun_at: Option<String>,
    pub(super) ended_at: Option<String>,
}

impl Entry {
    pub(super) fn is_successful(&self) -> bool {
        self.state == SUCCESSFUL
    }

    pub(super) fn is_unfinished(&self) -> bool {
        UNFINISHED.contains(&self.state.as_str())
    }
}

/// A part of a backup, as the catalogue has it. Part of the storage format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    /// Where HANA wrote it.
    pub(super) path: String,
    /// Its size in bytes.
    pub(super) size_bytes: u64,
    /// What it is of: `volume`, `topology`, `catalog`.
    pub(super) source: String,
    /// The service that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<String>,
    /// `file` or `backint`.
    pub(super) destination: String,
    /// By what the Backint tool knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) external_id: Option<String>,
}

impl Part {
    /// Its file's name.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it lies with a Backint tool.
    pub(super) fn is_external(&self) -> bool {
        self.destination == "backint"
    }
}
