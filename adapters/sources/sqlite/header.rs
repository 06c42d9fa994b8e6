//! The first bytes of a SQLite file, by which it is known.

use backupx_core::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether `path` is there, can be read and is a SQLite database.
pub(super) fn check(path: &Path) -> Result<()> {
    let shown = path.display();
    let mut file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::not_found(
            "source_missing",
            format!("{shown} does not exist on this node; correct the task or create it"),
        ),
        _ => Error::forbidden(
            "rights_missing",
            format!("{shown} can't be read: {error}; let the agent's user read it"),
        )
        .with_source(error),
    })?;
    let mut head = Vec::new();
    let is_file = file.metadata().is_ok_and(|data| data.is_file());
    let read = file
        .by_ref()
        .take(MAGIC.len() as u64)
        .read_to_end(&mut head);
    if is_file && read.is_ok() && head == MAGIC {
        return Ok(());
    }
    Err(Error::invalid(
        "not_a_database",
        format!("{shown} is no SQLite database"),
    ))
}
