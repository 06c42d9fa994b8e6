//! Writing past the page cache: a backup is read again rarely and must not push what the host works with out of its memory.
//!
//! What is written so lies on the disk already when the file is synced, and is copied once less. File systems that can't do it get
//! the same bytes through the page cache.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// Bytes of one write; a smaller file goes through the page cache.
const WRITE_BYTES: usize = 4 << 20;
/// No file system asks for more; a power of two.
const ALIGNMENT: usize = 4096;

/// How a file takes its bytes at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Nothing was written yet.
    Undecided,
    PastCache,
    ThroughCache,
}

/// Gathers bytes at an aligned place in memory and writes them in large pieces.
pub(super) struct Gathered {
    memory: Vec<u8>,
    start: usize,
    length: usize,
    way: Way,
}

impl Gathered {
    /// An empty one. Memory is taken as it is used.
    pub(super) fn new() -> Self {
        let memory = vec![0; WRITE_BYTES + ALIGNMENT];
        let start = memory.as_ptr().align_offset(ALIGNMENT);
        Self {
            memory,
            start: start.min(ALIGNMENT),
            length: 0,
            way: Way::Undecided,
        }
    }

    /// Takes `block`; answers how many bytes of all went through the page cache and wait to be synced.
    pub(super) fn write(&mut self, file: &OwnedFd, mut block: &[u8]) -> Result<u64, Errno> {
        let mut cached = 0;
        while !block.is_empty() {
            let (now, later) = block.split_at(block.len().min(WRITE_BYTES - self.length));
            let at = self.start + self.length;
            self.memory[at..at + now.len()].copy_from_slice(now);
            self.length += now.len();
            block = later;
            if self.length == WRITE_BYTES {
                cached += self.write_full(file)?;
            }
        }
        Ok(cached)
    }

    /// Writes what is left. Nothing may come behind it.
    pub(super) fn finish(&mut self, file: &OwnedFd) -> Result<(), Errno> {
        if self.way == Way::PastCache {
            set_direct(file, false)?;
        }
        self.way = Way::ThroughCache;
        write_all(file, &self.memory[self.start..self.start + self.length])?;
        self.length = 0;
        Ok(())
    }

    fn write_full(&mut self, file: &OwnedFd) -> Result<u64, Errno> {
        if self.way == Way::Undecided {
            self.way = match set_direct(file, true) {
                Ok(()) => Way::PastCache,
                Err(_) => Way::ThroughCache,
            };
        }
        let mut whole = &self.memory[self.start..self.start + WRITE_BYTES];
        if self.way == Way::PastCache {
            match write_aligned(file, whole) {
                Ok(written) if written == whole.len() => whole = &[],
                // It is asked for in vain, or the disk took an odd piece: the rest goes the other way.
                Ok(written) => whole = &whole[written..],
                Err(Errno::INVAL) => {}
                Err(error) => return Err(error),
            }
            if !whole.is_empty() {
                set_direct(file, false)?;
                self.way = Way::ThroughCache;
            }
        }
        write_all(file, whole)?;
        self.length = 0;
        Ok(whole.len() as u64)
    }
}

fn set_direct(file: impl AsFd, on: bool) -> Result<(), Errno> {
    let flags = rustix::fs::fcntl_getfl(file.as_fd())?;
    let flags = if on {
        flags | OFlags::DIRECT
    } else {
        flags.difference(OFlags::DIRECT)
    };
    rustix::fs::fcntl_setfl(file, flags)
}

/// Writes as long as the rest stays aligned; answers how many bytes that was.
fn write_aligned(file: &OwnedFd, block: &[u8]) -> Result<usize, Errno> {
    let mut written = 0;
    while written < block.len() && written.is_multiple_of(ALIGNMENT) {
        match rustix::io::write(file, &block[written..]) {
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            Err(Errno::INVAL) if written > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}

fn write_all(file: &OwnedFd, mut block: &[u8]) -> Result<(), Errno> {
    while !block.is_empty() {
        match rustix::io::write(file, block) {
            Ok(count) => block = &block[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, Mode};

    /// Writes `total` bytes in blocks of `size` below `folder` and reads them back.
    fn round_trip(folder: &std::path::Path, total: usize, size: usize) {
        let path = folder.join("file");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let file = rustix::fs::openat(CWD, &path, flags, Mode::RUSR | Mode::WUSR).expect("made");
        let content: Vec<u8> = (0..total).map(|n| (n / 7) as u8).collect();
        let mut gathered = Gathered::new();
        for block in content.chunks(size) {
            gathered.write(&file, block).expect("taken");
        }
        gathered.finish(&file).expect("finished");
        assert!(
            std::fs::read(&path).expect("readable") == content,
            "{total} in {size}"
        );
    }

    #[test]
    fn every_length_arrives_on_a_disk_and_in_memory() {
        let on_disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a folder");
        let in_memory = tempfile::tempdir_in("/dev/shm").expect("a folder");
        for folder in [on_disk.path(), in_memory.path()] {
            for total in [
                0,
                1,
                4095,
                WRITE_BYTES - 1,
                WRITE_BYTES,
                WRITE_BYTES + 1,
                3 * WRITE_BYTES + 5000,
            ] {
                round_trip(folder, total, 1 << 20);
            }
            round_trip(folder, 2 * WRITE_BYTES + 17, 333_333);
        }
    }
}
