//! What a source answers when it does not do what it was asked.

use backupx_core::{Error, ErrorKind, Result};

/// A dump of another kind, or something that its format can't do.
pub(crate) fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "unsupported", message)
}

/// Somebody asked to stop.
pub(crate) fn cancelled() -> Error {
    Error::conflict("cancelled", "the run was stopped on request")
}

/// The number that was asked for, or that none was answered.
pub(crate) fn count_in(answer: Option<&str>) -> Result<u64> {
    answer
        .and_then(|rows| rows.parse().ok())
        .ok_or_else(|| Error::invalid("query_failed", "the database answered no count"))
}
