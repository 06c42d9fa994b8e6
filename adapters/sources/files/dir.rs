//! Folders held open while what is in them is read: everything is reached from its folder, so no path is ever too long and
//! a folder that is swapped for a link meanwhile is noticed.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Levels below a named path that are read; what is deeper is counted as unreadable.
pub(super) const MAX_DEPTH: usize = 100_000;

/// A folder below a named path, or the folder that holds it.
#[derive(Debug)]
pub(super) struct Dir {
    parent: Option<Arc<Dir>>,
    /// Its name in `parent`; for the first one the path by which it is opened.
    name: Box<[u8]>,
    device: u64,
    inode: u64,
    handle: Mutex<Option<Arc<OwnedFd>>>,
}

impl Dir {
    /// The folder at an absolute path, found as the system finds it: links in the path that a person named are followed.
    pub(super) fn anchor(path: &[u8]) -> Result<Arc<Self>, Errno> {
        let fd = rustix::fs::openat(
            CWD,
            path,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Self::opened(None, path, fd)
    }

    /// The folder `name` in `parent`, never through a link.
    pub(super) fn child(parent: &Arc<Self>, name: &[u8]) -> Result<Arc<Self>, Errno> {
        let fd = open_folder(&*parent.handle()?, name)?;
        Self::opened(Some(Arc::clone(parent)), name, fd)
    }

    fn opened(parent: Option<Arc<Self>>, name: &[u8], fd: OwnedFd) -> Result<Arc<Self>, Errno> {
        let stat = rustix::fs::fstat(&fd)?;
        Ok(Arc::new(Self {
            parent,
            name: name.into(),
            device: stat.st_dev,
            inode: stat.st_ino,
            handle: Mutex::new(Some(Arc::new(fd))),
        }))
    }

    /// The file system that it is on.
    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// Its descriptor, opened again when it was released. `ESTALE` when another folder stands in its place now.
    pub(super) fn handle(&self) -> Result<Arc<OwnedFd>, Errno> {
        if let Some(handle) = self.held().as_ref() {
            return Ok(Arc::clone(handle));
        }
        let mut closed = Vec::new();
        let mut at = self;
        let mut handle = loop {
            let Some(parent) = at.parent.as_deref() else {
                break Self::anchor(&at.name)?.handle()?;
            };
            closed.push(at);
            if let Some(held) = parent.held().as_ref() {
                break Arc::clone(held);
            }
            at = parent;
        };
        for dir in closed.into_iter().rev() {
            let fd = open_folder(&*handle, &dir.name)?;
            let stat = rustix::fs::fstat(&fd)?;
            if (stat.st_dev, stat.st_ino) != (dir.device, dir.inode) {
                return Err(Errno::STALE);
            }
            handle = Arc::new(fd);
        }
        *self.held() = Some(Arc::clone(&handle));
        Ok(handle)
    }

    /// Closes its descriptor until somebody asks for it again, so that deep trees don't use up what a process may open.
    pub(super) fn release(&self) {
        self.held().take();
    }

    /// Appends its archive path: absolute without the leading `/`, with a trailing `/` unless it is the root.
    pub(super) fn append_path(&self, path: &mut Vec<u8>) {
        let mut names: Vec<&[u8]> = Vec::new();
        let mut at = self;
        while let Some(parent) = at.parent.as_deref() {
            names.push(&at.name);
            at = parent;
        }
        names.push(at.name.strip_prefix(b"/").unwrap_or(&at.name));
        for name in names.into_iter().rev().filter(|name| !name.is_empty()) {
            path.extend_from_slice(name);
            path.push(b'/');
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<OwnedFd>>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Dir {
    /// Lets go of its parents one after the other: a chain of a hundred thousand must not use up the stack.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(parent) = next {
            next = Arc::into_inner(parent).and_then(|mut parent| parent.parent.take());
        }
    }
}

/// Opens a folder to list it, without touching its access time where that is allowed.
fn open_folder(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent.as_fd(), name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::openat(parent.as_fd(), name, flags, Mode::empty()),
        opened => opened,
    }
}
