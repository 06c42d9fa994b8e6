//! What a source answers when it does not do what it was asked.

use backupx_core::{Error, ErrorKind};

/// A dump of another kind, or something that its format can't do.
pub(crate) fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "unsupported", message)
}

/// Somebody asked to stop.
pub(crate) fn cancelled() -> Error {
    Error::conflict("cancelled", "the run was stopped on request")
}
