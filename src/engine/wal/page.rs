//! The first page of a segment, which says whose it is.

use super::Cluster;
use backupx_core::{Error, Result};

/// Bytes of a page's long header.
const HEADER: usize = 40;
/// Set on the first page of each segment.
const LONG_HEADER: u16 = 2;

/// The cluster that a segment says it belongs to. The layout is that of `XLogLongPageHeaderData` in PostgreSQL's
/// `src/include/access/xlog_internal.h`, in the byte order of the machine.
pub(super) fn cluster(segment: &[u8]) -> Result<Cluster> {
    let no_segment = || {
        Error::invalid(
            "bad_wal_segment",
            "the file does not begin as a segment of a PostgreSQL log",
        )
    };
    let header = segment.get(..HEADER).ok_or_else(no_segment)?;
    let info = u16::from_ne_bytes([header[2], header[3]]);
    let mut system = [0; 8];
    system.copy_from_slice(&header[24..32]);
    let size = u32::from_ne_bytes([header[32], header[33], header[34], header[35]]);
    if info & LONG_HEADER == 0 || segment.len() as u64 != u64::from(size) {
        return Err(no_segment());
    }
    Ok(Cluster {
        format_version: Cluster::FORMAT,
        system_id: u64::from_ne_bytes(system).to_string(),
        segment_bytes: u64::from(size),
    })
}
