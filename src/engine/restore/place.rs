//! One entry, put in its place.

use super::attributes::{self, Rights, Thing};
use super::folder::Folder;
use super::tally::{Tally, Trouble};
use backupx_core::domain::entry::{Entry, EntryKind};
use backupx_core::domain::operation::Overwrite;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, makedev};
use rustix::io::Errno;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    Written,
    Kept,
}

/// Content that is asked for block by block.
pub(super) trait Blocks {
    /// The next one to `most` bytes.
    fn next_up_to(&mut self, most: u64) -> Result<&[u8], Trouble>;
}

/// How entries are put in their places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) overwrite: Overwrite,
    pub(super) rights: Rights,
}

impl Manner {
    /// Writes a file. What stands in its place is replaced at once and as a whole, when the rule says so.
    pub(super) fn file(
        self,
        folder: &Folder,
        name: &[u8],
        entry: &Entry,
        content: &mut dyn Blocks,
        tally: &Tally,
    ) -> Result<Placed, Trouble> {
        let trouble = |error| Trouble::of(&entry.path, error);
        let mut temporary = None;
        let created = match self.overwrite {
            // Half a file that a crash left under its name would be taken for what was there, and kept.
            Overwrite::Never => Err(Errno::EXIST),
            Overwrite::IfChanged | Overwrite::Always => create(folder.fd(), name),
        };
        let file = match created {
            Err(Errno::EXIST) => {
                if self.keeps(folder, name, entry).map_err(trouble)? {
                    return Ok(Placed::Kept);
                }
                let beside = temporary.insert(temporary_name());
                create(folder.fd(), beside).map_err(trouble)?
            }
            created => created.map_err(trouble)?,
        };
        let at = temporary.as_deref().unwrap_or(name);
        let written = write(&file, entry, content).and_then(|()| {
            let thing = Thing::Open(file.as_fd());
            attributes::apply(thing, entry, folder.origin(), self.rights, tally);
            match &temporary {
                Some(beside) => self.rename(folder, beside, name).map_err(trouble),
                None => Ok(Placed::Written),
            }
        });
        if !matches!(written, Ok(Placed::Written)) {
            // What can't be removed either is left for the person who reads the error.
            let _removed = rustix::fs::unlinkat(folder.fd(), at, AtFlags::empty());
        }
        written
    }

    /// Puts a finished file in its place; one that came there meanwhile is kept when the rule says so.
    fn rename(self, folder: &Folder, beside: &[u8], name: &[u8]) -> Result<Placed, Errno> {
        let renamed = match self.overwrite {
            Overwrite::Never => {
                let flags = RenameFlags::NOREPLACE;
                rustix::fs::renameat_with(folder.fd(), beside, folder.fd(), name, flags)
            }
            Overwrite::IfChanged | Overwrite::Always => Err(Errno::INVAL),
        };
        match renamed {
            Ok(()) => Ok(Placed::Written),
            Err(Errno::EXIST) => Ok(Placed::Kept),
            // Some file systems have the plain call alone.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::renameat(folder.fd(), beside, folder.fd(), name)
                    .map(|()| Placed::Written)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a symbolic link, a device or a pipe.
    pub(super) fn special(
        self,
        folder: &Folder,
        name: &[u8],
        entry: &Entry,
        tally: &Tally,
    ) -> Result<Placed, Trouble> {
        let placed = self.put(folder, name, entry, |at| {
            make(folder.fd(), at, entry)?;
            let thing = Thing::Named(folder.fd(), at);
            attributes::apply(thing, entry, folder.origin(), self.rights, tally);
            Ok(())
        });
        placed.map_err(|error| Trouble::of(&entry.path, error))
    }

    /// Makes a further name of the file `first` in the folder `from`.
    pub(super) fn link(
        self,
        folder: &Folder,
        name: &[u8],
        entry: &Entry,
        (from, first): (&Folder, &[u8]),
    ) -> Result<Placed, Errno> {
        let stat = |folder: &Folder, name| {
            rustix::fs::statat(folder.fd(), name, AtFlags::SYMLINK_NOFOLLOW)
        };
        let target = stat(from, first)?;
        if let Ok(there) = stat(folder, name)
            && (there.st_dev, there.st_ino) == (target.st_dev, target.st_ino)
        {
            return Ok(match self.overwrite {
                Overwrite::Never => Placed::Kept,
                Overwrite::IfChanged | Overwrite::Always => Placed::Written,
            });
        }
        self.put(folder, name, entry, |at| {
            rustix::fs::linkat(from.fd(), first, folder.fd(), at, AtFlags::empty())
        })
    }

    /// Makes something under its name, or beside it and then in place of what is there.
    fn put(
        self,
        folder: &Folder,
        name: &[u8],
        entry: &Entry,
        mut make: impl FnMut(&[u8]) -> Result<(), Errno>,
    ) -> Result<Placed, Errno> {
        match make(name) {
            Err(Errno::EXIST) => {}
            made => return made.map(|()| Placed::Written),
        }
        if self.keeps(folder, name, entry)? {
            return Ok(Placed::Kept);
        }
        let beside = temporary_name();
        let replaced = make(&beside)
            .and_then(|()| rustix::fs::renameat(folder.fd(), &beside[..], folder.fd(), name));
        if replaced.is_err() {
            // It may not even have been made.
            let _removed = rustix::fs::unlinkat(folder.fd(), &beside[..], AtFlags::empty());
        }
        replaced.map(|()| Placed::Written)
    }

    /// True when what stands in the entry's place stays.
    pub(super) fn keeps(self, folder: &Folder, name: &[u8], entry: &Entry) -> Result<bool, Errno> {
        match self.overwrite {
            Overwrite::Never => {
                match rustix::fs::statat(folder.fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => Ok(false),
                    there => there.map(|_| true),
                }
            }
            Overwrite::Always => Ok(false),
            Overwrite::IfChanged => {
                let there = rustix::fs::statat(folder.fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
                Ok(is_same(&there, entry) && is_same_link(folder.fd(), name, entry))
            }
        }
    }
}

/// True when type, size, time and device number are the entry's.
fn is_same(there: &Stat, entry: &Entry) -> bool {
    let kind = match FileType::from_raw_mode(there.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Dir,
        FileType::Symlink => EntryKind::Symlink,
        FileType::CharacterDevice => EntryKind::CharDevice,
        FileType::BlockDevice => EntryKind::BlockDevice,
        FileType::Fifo => EntryKind::Fifo,
        FileType::Socket | FileType::Unknown => return false,
    };
    let device = entry
        .device
        .map_or(0, |(major, minor)| makedev(major, minor));
    kind == entry.kind
        && (kind != EntryKind::File || u64::try_from(there.st_size) == Ok(entry.size))
        && (
            there.st_mtime,
            u32::try_from(there.st_mtime_nsec).unwrap_or(0),
        ) == entry.mtime
        && (entry.device.is_none() || there.st_rdev == device)
}

fn is_same_link(folder: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> bool {
    entry.kind != EntryKind::Symlink
        || rustix::fs::readlinkat(folder, name, Vec::new())
            .is_ok_and(|target| Some(target.to_bytes()) == entry.link.as_deref())
}

fn create(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)
}

fn write(file: &OwnedFd, entry: &Entry, content: &mut dyn Blocks) -> Result<(), Trouble> {
    let trouble = |error| Trouble::of(&entry.path, error);
    let whole = [(0, entry.size)];
    for (start, length) in entry.segments.as_deref().unwrap_or(&whole) {
        let (mut at, end) = (*start, start + length);
        while at < end {
            let mut block = content.next_up_to(end - at)?;
            while !block.is_empty() {
                let count = match rustix::io::pwrite(file, block, at) {
                    Err(Errno::INTR) => continue,
                    written => written.map_err(trouble)?,
                };
                at += count as u64;
                block = &block[count..];
            }
        }
    }
    if entry.segments.is_some() {
        rustix::fs::ftruncate(file, entry.size).map_err(trouble)?;
    }
    Ok(())
}

fn make(folder: BorrowedFd<'_>, name: &[u8], entry: &Entry) -> Result<(), Errno> {
    let kind = match entry.kind {
        EntryKind::Symlink => {
            let target = entry.link.as_deref().unwrap_or_default();
            return rustix::fs::symlinkat(target, folder, name);
        }
        EntryKind::CharDevice => FileType::CharacterDevice,
        EntryKind::BlockDevice => FileType::BlockDevice,
        EntryKind::Fifo => FileType::Fifo,
        EntryKind::File | EntryKind::Dir | EntryKind::Hardlink => return Err(Errno::INVAL),
    };
    let device = entry
        .device
        .map_or(0, |(major, minor)| makedev(major, minor));
    rustix::fs::mknodat(folder, name, kind, Mode::RUSR | Mode::WUSR, device)
}

/// A name that nothing else in a folder has: process and number, so that what a crash leaves behind is known by its look.
fn temporary_name() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    let salt = rand::random::<u32>();
    format!(".backupx-{process}-{number}-{salt:08x}.tmp").into_bytes()
}
