//! What is in a backup: the direct children of one of its folders, from the index.

use crate::Destination;
use backupx_core::domain::access::StreamKey;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::report::FilePage;
use backupx_core::{Error, Result};

/// Lists up to `limit` direct children of `path` (empty means the top) by name, behind the path `after`.
/// Takes the first of `sources` that answers.
pub async fn list_files(
    location: &ObjectKey,
    sources: Vec<Destination>,
    keys: &[StreamKey],
    path: &str,
    limit: u32,
    after: Option<&str>,
) -> Result<FilePage> {
    drop((location, sources, keys, path, limit, after));
    Err(Error::internal("listing files is not built in yet"))
}
