//! A folder that is being written into. It gets its own attributes when nobody writes into it any more.

use super::attributes::{self, Origin, Rights, Thing};
use super::tally::Tally;
use backupx_core::domain::entry::Entry;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::sync::{Arc, Mutex, PoisonError};

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    made: bool,
    /// True when things made in it belong to this process and inherit nothing.
    is_clean: bool,
    last: Mutex<Option<Last>>,
}

/// What is left to be done with a folder.
#[derive(Debug)]
struct Last {
    entry: Entry,
    rights: Rights,
    tally: Arc<Tally>,
}

impl Folder {
    /// A folder that was there before.
    pub(super) fn found(fd: OwnedFd) -> Self {
        let is_clean = inherits_nothing(&fd);
        Self {
            fd,
            made: false,
            is_clean,
            last: Mutex::new(None),
        }
    }

    /// Opens the folder `name` in `parent`, never through a link; `made` when this restore made it.
    pub(super) fn open(parent: &Self, name: &[u8], made: bool) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&parent.fd, name, flags, Mode::empty())?;
        let is_clean = (made && parent.is_clean) || inherits_nothing(&fd);
        Ok(Self {
            fd,
            made,
            is_clean,
            last: Mutex::new(None),
        })
    }

    /// Its descriptor.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// True when this restore made it, so that nothing is in it but what the restore put there.
    pub(super) fn is_made(&self) -> bool {
        self.made
    }

    /// What is known of things made in it.
    pub(super) fn origin(&self) -> Origin {
        if self.is_clean {
            Origin::Fresh
        } else {
            Origin::Unknown
        }
    }

    /// Gives it the attributes of `entry` as soon as nobody holds it any more.
    pub(super) fn finish_as(&self, entry: Entry, rights: Rights, tally: &Arc<Tally>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Last {
            entry,
            rights,
            tally: Arc::clone(tally),
        });
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let last = self.last.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Last {
            entry,
            rights,
            tally,
        }) = last.take()
        {
            let thing = Thing::Open(self.fd.as_fd());
            attributes::apply(thing, &entry, Origin::Unknown, rights, &tally);
        }
    }
}

/// True when the folder gives things made in it neither its group nor a default ACL.
fn inherits_nothing(fd: &OwnedFd) -> bool {
    let mut value = [0; 4];
    let acl = rustix::fs::fgetxattr(fd, "system.posix_acl_default", &mut value[..]);
    let has_none = matches!(acl, Err(Errno::NODATA | Errno::NOTSUP));
    has_none && rustix::fs::fstat(fd).is_ok_and(|stat| stat.st_mode & 0o2000 == 0)
}
