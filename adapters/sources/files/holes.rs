//! Where a sparse file holds data.

use rustix::fd::AsFd;
use rustix::fs::{SeekFrom, Stat};
use rustix::io::Errno;

/// More parts than this and the file is read as if it had no holes, so that its map stays small.
const MOST_SEGMENTS: usize = 1 << 20;

/// True when the file takes less room than it is long, so that a look for holes is worth it.
pub(super) fn may_have_holes(stat: &Stat) -> bool {
    let room = u64::try_from(stat.st_blocks)
        .unwrap_or(0)
        .saturating_mul(512);
    room < u64::try_from(stat.st_size).unwrap_or(0)
}

/// The parts of the file's first `size` bytes that hold data, as (offset, length), or nothing when it has no holes or its
/// file system can't say.
pub(super) fn segments(file: impl AsFd, size: u64) -> Option<Vec<(u64, u64)>> {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(file.as_fd(), SeekFrom::Data(at)) {
            Ok(start) => start,
            // No data behind here.
            Err(Errno::NXIO) => break,
            Err(_) => return None,
        };
        let end = match rustix::fs::seek(file.as_fd(), SeekFrom::Hole(start)) {
            Ok(end) => end.min(size),
            Err(_) => return None,
        };
        if start >= size || end <= start {
            break;
        }
        if parts.len() == MOST_SEGMENTS {
            return None;
        }
        parts.push((start, end - start));
        at = end;
    }
    let is_dense = parts.len() == 1 && parts[0] == (0, size);
    Some(parts).filter(|_| !is_dense)
}
