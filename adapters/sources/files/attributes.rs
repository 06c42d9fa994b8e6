//! Extended attributes, POSIX ACLs among them.

use rustix::buffer::spare_capacity;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::io::Write;

/// Names and values, by name.
pub(super) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Where a thing's attributes are asked for.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// An open file.
    Open(BorrowedFd<'a>),
    /// A name in an open folder, itself never followed.
    Named(BorrowedFd<'a>, &'a [u8]),
}

/// Reads attributes with buffers that are used again.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    names: Vec<u8>,
    value: Vec<u8>,
    path: Vec<u8>,
    /// The file system that last said it has none, so that it isn't asked for each file.
    without: Option<u64>,
}

impl Attributes {
    /// All attributes of the thing at `place` on the file system `device`, by name.
    pub(super) fn read(&mut self, place: Place<'_>, device: u64) -> Result<Pairs, Errno> {
        if self.without == Some(device) {
            return Ok(Vec::new());
        }
        self.path.clear();
        if let Place::Named(dir, name) = place {
            use rustix::fd::AsRawFd;
            write!(self.path, "/proc/self/fd/{}/", dir.as_raw_fd())
                .expect("writing to memory does not fail");
            self.path.extend_from_slice(name);
        }
        match self.list(place) {
            Ok(()) => {}
            // Seen where there is no /proc, and where a thing can have none.
            Err(Errno::NOTSUP) => {
                self.without = Some(device);
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        }
        let names = std::mem::take(&mut self.names);
        let mut all = Vec::new();
        for name in names.split(|byte| *byte == 0).filter(|n| !n.is_empty()) {
            match self.value(place, name) {
                Ok(()) => all.push((name.to_vec(), self.value.clone())),
                Err(Errno::NODATA | Errno::NOTSUP) => {}
                Err(error) => {
                    self.names = names;
                    return Err(error);
                }
            }
        }
        self.names = names;
        all.sort_unstable();
        Ok(all)
    }

    fn list(&mut self, place: Place<'_>) -> Result<(), Errno> {
        let Self { names, path, .. } = self;
        fill(names, 1024, |buffer| match place {
            Place::Open(fd) => rustix::fs::flistxattr(fd, spare_capacity(buffer)),
            Place::Named(..) => rustix::fs::llistxattr(&path[..], spare_capacity(buffer)),
        })
    }

    fn value(&mut self, place: Place<'_>, name: &[u8]) -> Result<(), Errno> {
        let Self { value, path, .. } = self;
        fill(value, 4096, |buffer| match place {
            Place::Open(fd) => rustix::fs::fgetxattr(fd, name, spare_capacity(buffer)),
            Place::Named(..) => rustix::fs::lgetxattr(&path[..], name, spare_capacity(buffer)),
        })
    }
}

/// Calls `read` with an empty buffer, with larger ones as long as it says that more is there than fits.
fn fill(
    buffer: &mut Vec<u8>,
    least: usize,
    mut read: impl FnMut(&mut Vec<u8>) -> Result<usize, Errno>,
) -> Result<(), Errno> {
    buffer.clear();
    buffer.reserve(least);
    loop {
        match read(buffer) {
            Ok(_) => return Ok(()),
            // Linux keeps at most 64 KiB of names and of each value; some file systems more.
            Err(Errno::RANGE) if buffer.capacity() < 16 << 20 => {
                let larger = buffer.capacity() * 4;
                buffer.reserve(larger);
            }
            Err(error) => return Err(error),
        }
    }
}
