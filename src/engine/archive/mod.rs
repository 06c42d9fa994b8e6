//! The archive: entries as a pax tar stream, and the index beside it.
//!
//! The data stream is a POSIX.1-2001 pax archive that GNU tar and bsdtar read as it is. An entry has an extended header only when
//! its plain header can't say everything: a time with nanoseconds, a long name, a size over 8 GiB, attributes.
//!
//! | What | How |
//! |---|---|
//! | names | bytes as they are on disk, in the plain header where they fit, else as `path` and `linkpath` |
//! | times | `mtime` with nanoseconds |
//! | owners | ids and names; `uid`, `gid`, `uname`, `gname` when they don't fit |
//! | extended attributes | `SCHILY.xattr.<name>`, value as it is; `%` and `=` in names as `%25` and `%3D` |
//! | POSIX ACLs | as extended attributes `system.posix_acl_*`, and as text in `SCHILY.acl.*` for tools that want that |
//! | sparse files | GNU's sparse format 1.0: the map in front of the content |
//! | hard links | type `1` without content; the first name stands earlier |
//!
//! The index has one JSON line per entry, in the archive's order: see [`IndexEntry`].

mod acl;
mod header;
mod index;
mod pack;
mod pax;
mod read;
mod sparse;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use index::IndexWriter;
pub use index::{IndexEntry, IndexReader};
pub use pack::{Packed, pack};
pub use read::{ArchiveReader, Located};

use backupx_core::Error;
use std::io;

/// Bytes in each block of an archive.
const BLOCK: usize = 512;

/// Bytes of extended headers of one entry at most, written and read.
const MOST_EXTENDED: usize = 16 << 20;

/// The error that a stream carried through `std::io`, or `error` itself as one.
pub(crate) fn lift(error: io::Error, code: &'static str, what: &str) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::unavailable(code, format!("{what}: {error}")).with_source(error),
    }
}
