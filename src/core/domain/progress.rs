//! Progress of a run: absolute figures, so that a lost report does no harm.

use serde::{Deserialize, Serialize};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Entries done.
    pub files: u64,
    /// Bytes of content done (read by a backup, written by a restore).
    pub bytes: u64,
    /// Bytes in storage touched (written by a backup, read by a restore).
    pub stored_bytes: u64,
    /// Entries in all, once known.
    pub total_files: Option<u64>,
    /// Bytes of content in all, once known.
    pub total_bytes: Option<u64>,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Not begun.
    #[default]
    Waiting,
    /// Reading what is needed before the work.
    Preparing,
    /// Moving data.
    Transferring,
    /// Confirming objects and writing the manifest.
    Confirming,
    /// At its end.
    Done,
}
