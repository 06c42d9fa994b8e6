//! Ranges that did not come back whole: why.

use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, ErrorKind};
use std::ops::Range;

/// Fewer bytes came than were asked for.
pub(crate) fn too_few(key: &ObjectKey) -> Error {
    Error::unavailable(
        "storage_unavailable",
        format!("{key} came back shorter than it was asked for"),
    )
}

/// What a read's failure really is. A range behind the end is answered in different ways; the size tells it from an answer that broke off.
pub(crate) async fn explained(
    store: &dyn ObjectStore,
    key: &ObjectKey,
    range: &Range<u64>,
    failure: Error,
) -> Error {
    match store.stat(key).await {
        Ok(Some(info)) if info.size < range.end => Error::invalid(
            "object_too_short",
            format!(
                "{key} has {} bytes, bytes up to {} were expected",
                info.size, range.end
            ),
        ),
        Ok(None) if failure.kind() != ErrorKind::NotFound => {
            Error::not_found("object_not_found", format!("{key} is not there")).with_source(failure)
        }
        Ok(_) | Err(_) => failure,
    }
}
