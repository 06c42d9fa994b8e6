//! Owner, mode, extended attributes and times of what was created.

use super::tally::{Tally, Trouble};
use backupx_core::domain::entry::{Entry, EntryKind, display_bytes};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::{AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::Errno;

/// Whose name the restore runs under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rights {
    uid: u32,
    gid: u32,
}

impl Rights {
    /// Those of this process.
    pub(super) fn of_process() -> Self {
        Self {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }
}

/// Where the thing is that gets its attributes.
#[derive(Clone, Copy)]
pub(super) enum Thing<'a> {
    /// An open file or folder.
    Open(BorrowedFd<'a>),
    /// A name in an open folder, itself never followed.
    Named(BorrowedFd<'a>, &'a [u8]),
}

/// Whether the thing is known to belong to this process and to have inherited nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Fresh,
    Unknown,
}

/// Sets all attributes of `entry`, the owner before the mode (a change of owner takes setuid away), the times last. An attribute
/// that can't be set is counted, once per entry.
pub(super) fn apply(
    thing: Thing<'_>,
    entry: &Entry,
    origin: Origin,
    rights: Rights,
    tally: &Tally,
) {
    let mut lost: Vec<String> = Vec::new();
    let owned = own(thing, entry, origin, rights, tally, &mut lost);
    if origin == Origin::Unknown {
        forget_inherited(thing, entry);
    }
    for (name, value) in &entry.xattrs {
        if let Err(error) = set_attribute(thing, name, value) {
            lost.push(format!("{} ({})", display_bytes(name), why(error)));
        }
    }
    if entry.kind != EntryKind::Symlink {
        // Without its owner a setuid program would run as somebody else.
        let bits = if owned {
            entry.mode
        } else {
            entry.mode & 0o1777
        };
        if let Err(error) = set_mode(thing, Mode::from_raw_mode(bits)) {
            lost.push(format!("mode ({})", why(error)));
        }
    }
    if let Err(error) = set_time(thing, entry.mtime) {
        lost.push(format!("time ({})", why(error)));
    }
    if !lost.is_empty() {
        tally.fail(format!(
            "{} lacks: {}",
            entry.display_path(),
            lost.join(", ")
        ));
    }
}

/// Sets the owner; answers whether it is right now.
fn own(
    thing: Thing<'_>,
    entry: &Entry,
    origin: Origin,
    rights: Rights,
    tally: &Tally,
    lost: &mut Vec<String>,
) -> bool {
    let is_mine = (entry.uid, entry.gid) == (rights.uid, rights.gid);
    if is_mine && origin == Origin::Fresh {
        return true;
    }
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    // Others than root can only choose among their own groups.
    let user = (rights.uid == 0).then_some(uid);
    let set = match thing {
        Thing::Open(fd) => rustix::fs::fchown(fd, user, Some(gid)),
        Thing::Named(dir, name) => {
            rustix::fs::chownat(dir, name, user, Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        }
    };
    match set {
        Ok(()) if rights.uid == 0 || entry.uid == rights.uid => true,
        Ok(()) | Err(Errno::PERM) if rights.uid != 0 => {
            Tally::add(&tally.not_owned, 1);
            false
        }
        Ok(()) => false,
        Err(error) => {
            lost.push(format!("owner ({})", why(error)));
            false
        }
    }
}

/// Takes away what the thing got from the folder's default ACL and does not have in the archive.
fn forget_inherited(thing: Thing<'_>, entry: &Entry) {
    for name in [&b"system.posix_acl_access"[..], b"system.posix_acl_default"] {
        if !entry.xattrs.iter().any(|(has, _)| has == name) {
            // It mostly has none: then there is nothing to take away.
            let _had_none = match thing {
                Thing::Open(fd) => rustix::fs::fremovexattr(fd, name),
                Thing::Named(dir, file) => rustix::fs::lremovexattr(by_path(dir, file), name),
            };
        }
    }
}

fn set_attribute(thing: Thing<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
    match thing {
        Thing::Open(fd) => rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()),
        Thing::Named(dir, file) => {
            rustix::fs::lsetxattr(by_path(dir, file), name, value, XattrFlags::empty())
        }
    }
}

fn set_mode(thing: Thing<'_>, mode: Mode) -> Result<(), Errno> {
    match thing {
        Thing::Open(fd) => rustix::fs::fchmod(fd, mode),
        // Only asked of devices and pipes that were just made; what is a link by now is refused.
        Thing::Named(dir, name) => {
            match rustix::fs::chmodat(dir, name, mode, AtFlags::SYMLINK_NOFOLLOW) {
                // Kernels before 6.6 lack fchmodat2.
                Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => {
                    let flags = rustix::fs::OFlags::PATH
                        | rustix::fs::OFlags::NOFOLLOW
                        | rustix::fs::OFlags::CLOEXEC;
                    let file = rustix::fs::openat(dir, name, flags, Mode::empty())?;
                    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
                    rustix::fs::chmod(path, mode)
                }
                set => set,
            }
        }
    }
}

fn set_time(thing: Thing<'_>, (seconds, nanos): (i64, u32)) -> Result<(), Errno> {
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: nanos.into(),
        },
    };
    match thing {
        Thing::Open(fd) => rustix::fs::futimens(fd, &times),
        Thing::Named(dir, name) => {
            rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)
        }
    }
}

fn by_path(dir: BorrowedFd<'_>, name: &[u8]) -> Vec<u8> {
    [
        format!("/proc/self/fd/{}/", dir.as_raw_fd()).as_bytes(),
        name,
    ]
    .concat()
}

fn why(error: Errno) -> std::io::Error {
    error.into()
}

/// An entry whose path leads elsewhere than beneath the target.
pub(super) fn refused(path: &[u8], why: &str) -> Trouble {
    Trouble::Entry(format!("{} is refused: {why}", display_bytes(path)))
}
