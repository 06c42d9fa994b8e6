//! Log lines of a run, as people read them.

use super::time::Timestamp;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// Detail.
    Debug,
    /// What is going on.
    Info,
    /// Something was not as it should be, and the run went on.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// All levels, least first.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Its name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Parses what [`Level::as_str`] wrote.
    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|l| l.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown level {text:?}")))
    }
}

/// One line. `(lease, seq)` names it, so that a line sent twice is stored once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Its number within one lease, counted by the agent from 1.
    pub seq: i64,
    /// When, by the agent's clock: for display only.
    pub at: Timestamp,
    /// How much it matters.
    pub level: Level,
    /// What happened. Never a secret. At most 4 KiB; longer ones are cut.
    pub message: String,
}

/// A line as it is stored: with its place in the order of its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredLine {
    /// Grows along the log of one subject; the cursor of pages and the id of live streams.
    pub id: i64,
    /// The line.
    #[serde(flatten)]
    pub line: LogLine,
}
