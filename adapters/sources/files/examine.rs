//! What a name stands for: its attributes, and the content of a small file read ahead.

use super::attributes::{Attributes, Place};
use super::content::Content;
use super::dir::Dir;
use super::holes;
use super::list::{Item, Node, Problem};
use super::owners::Owners;
use backupx_core::domain::entry::{Entry, EntryKind, display_bytes};
use backupx_core::ports::source::StopFlag;
use rustix::buffer::spare_capacity;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of content that one batch reads ahead at most; larger files are read when they are packed.
pub(super) const AHEAD_BYTES: usize = 1 << 20;

/// A thing with its attributes.
pub(super) struct Found {
    pub(super) entry: Entry,
    /// Device, inode and number of names, when it has more than one.
    pub(super) names: Option<(u64, u64, u64)>,
    /// Where its content lies in the batch's bytes.
    pub(super) content: Range<usize>,
    /// True when it was longer or shorter than announced.
    pub(super) resized: bool,
    /// A thing about it that a person should know.
    pub(super) notice: Option<String>,
}

/// What came of looking at an item.
pub(super) enum Examined {
    Found(Box<Found>),
    /// A file that is read when it is packed.
    Later(Node),
    Problem(Problem),
}

/// Looks at things, with buffers and names that are used again.
#[derive(Default)]
pub(super) struct Examiner {
    owners: Owners,
    attributes: Attributes,
    /// The folder last looked into and its archive path.
    dir: Option<(Arc<Dir>, Vec<u8>)>,
}

impl Examiner {
    /// Looks at `item`; content of small files goes to the end of `ahead`.
    pub(super) fn examine(&mut self, item: Item, ahead: &mut Vec<u8>) -> Examined {
        let node = match item {
            Item::Node(node) => node,
            Item::Problem(problem) => return Examined::Problem(problem),
        };
        let path = self.path(&node);
        match self.try_examine(&node, &path, ahead) {
            Ok(Some(found)) => Examined::Found(Box::new(found)),
            Ok(None) => Examined::Later(node),
            Err(Errno::SOCKTNOSUPPORT) => Examined::Problem(Problem::Skipped(format!(
                "{} is a socket",
                display_bytes(&path)
            ))),
            Err(error) => Examined::Problem(Problem::of(&path, error)),
        }
    }

    /// Looks at a file that was left for later, and opens its content.
    pub(super) fn open<'a>(
        &mut self,
        node: &Node,
        stop: &'a StopFlag,
    ) -> Result<(Found, Option<Content<'a>>), Problem> {
        let path = self.path(node);
        let opened = open_file(node).and_then(|file| Ok((rustix::fs::fstat(&file)?, file)));
        let (stat, file) = opened.map_err(|error| Problem::of(&path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            let other = self.other(node, &path);
            return Ok((other.map_err(|error| Problem::of(&path, error))?, None));
        }
        let mut found = self.found(&path, &stat, Place::Open(file.as_fd()));
        found.entry.segments = holes::may_have_holes(&stat)
            .then(|| holes::segments(&file, found.entry.size))
            .flatten();
        let segments = found.entry.segments.clone();
        let content = Content::new(file, found.entry.size, segments, stop);
        Ok((found, Some(content)))
    }

    /// The thing with its attributes, or nothing when it is a file that should be read later.
    fn try_examine(
        &mut self,
        node: &Node,
        path: &[u8],
        ahead: &mut Vec<u8>,
    ) -> Result<Option<Found>, Errno> {
        match node.hint {
            FileType::RegularFile => {}
            FileType::Socket => return Err(Errno::SOCKTNOSUPPORT),
            _ => return self.other(node, path).map(Some),
        }
        let file = match open_file(node) {
            // Replaced by a link or a device meanwhile.
            Err(Errno::LOOP | Errno::NXIO) => return self.other(node, path).map(Some),
            opened => opened?,
        };
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return self.other(node, path).map(Some);
        }
        let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
        if size > AHEAD_BYTES.saturating_sub(ahead.len()) || holes::may_have_holes(&stat) {
            return Ok(None);
        }
        let start = ahead.len();
        let read = read_small(&file, size, ahead)?;
        let mut found = self.found(path, &stat, Place::Open(file.as_fd()));
        found.content = start..start + size;
        found.resized = read != size;
        Ok(Some(found))
    }

    fn other(&mut self, node: &Node, path: &[u8]) -> Result<Found, Errno> {
        let dir = node.dir.handle()?;
        let stat = rustix::fs::statat(&*dir, &*node.name, AtFlags::SYMLINK_NOFOLLOW)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let link = match kind {
            FileType::Socket => return Err(Errno::SOCKTNOSUPPORT),
            // It was something else a moment ago, and came after its folder was listed.
            FileType::RegularFile | FileType::Unknown => return Err(Errno::STALE),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(&*dir, &*node.name, Vec::new())?;
                Some(target.into_bytes())
            }
            FileType::Directory
            | FileType::Fifo
            | FileType::CharacterDevice
            | FileType::BlockDevice => None,
        };
        let mut found = self.found(path, &stat, Place::Named(dir.as_fd(), &node.name));
        found.entry.link = link;
        Ok(found)
    }

    fn found(&mut self, path: &[u8], stat: &Stat, place: Place<'_>) -> Found {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => EntryKind::Dir,
            FileType::Symlink => EntryKind::Symlink,
            FileType::Fifo => EntryKind::Fifo,
            FileType::CharacterDevice => EntryKind::CharDevice,
            FileType::BlockDevice => EntryKind::BlockDevice,
            FileType::RegularFile | FileType::Socket | FileType::Unknown => EntryKind::File,
        };
        let (xattrs, notice) = match self.attributes.read(place, stat.st_dev) {
            Ok(xattrs) => (xattrs, None),
            Err(error) => (
                Vec::new(),
                Some(format!(
                    "extended attributes of {} can't be read: {}",
                    display_bytes(path),
                    std::io::Error::from(error)
                )),
            ),
        };
        let is_device = matches!(kind, EntryKind::CharDevice | EntryKind::BlockDevice);
        let entry = Entry {
            path: path.to_vec(),
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            user: self.owners.user(stat.st_uid),
            group: self.owners.group(stat.st_gid),
            mtime: (
                stat.st_mtime,
                u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            ),
            size: match kind {
                EntryKind::File => u64::try_from(stat.st_size).unwrap_or(0),
                _ => 0,
            },
            xattrs,
            link: None,
            device: is_device.then(|| {
                (
                    rustix::fs::major(stat.st_rdev),
                    rustix::fs::minor(stat.st_rdev),
                )
            }),
            segments: None,
        };
        let names = (stat.st_nlink > 1 && kind != EntryKind::Dir).then_some((
            stat.st_dev,
            stat.st_ino,
            stat.st_nlink,
        ));
        Found {
            entry,
            names,
            content: 0..0,
            resized: false,
            notice,
        }
    }

    fn path(&mut self, node: &Node) -> Vec<u8> {
        if !matches!(&self.dir, Some((dir, _)) if Arc::ptr_eq(dir, &node.dir)) {
            let mut path = Vec::new();
            node.dir.append_path(&mut path);
            self.dir = Some((Arc::clone(&node.dir), path));
        }
        let folder = self.dir.as_ref().map_or(&[][..], |(_, path)| path);
        [folder, &node.name].concat()
    }

    /// Lets go of the folder last looked into.
    pub(super) fn rest(&mut self) {
        self.dir = None;
    }
}

/// Opens a file for reading; never waits for a writer, never follows a link.
fn open_file(node: &Node) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let dir = node.dir.handle()?;
    match rustix::fs::openat(&*dir, &*node.name, flags | OFlags::NOATIME, Mode::empty()) {
        // Only owners may ask for it.
        Err(Errno::PERM) => rustix::fs::openat(&*dir, &*node.name, flags, Mode::empty()),
        opened => opened,
    }
}

/// Appends exactly `size` bytes to `ahead`, zeros for what is missing, and answers how many there were; one more than `size`
/// when the file is longer.
fn read_small(file: &OwnedFd, size: usize, ahead: &mut Vec<u8>) -> Result<usize, Errno> {
    let start = ahead.len();
    ahead.reserve(size + 1);
    let read = loop {
        match rustix::io::read(file, spare_capacity(ahead)) {
            Err(Errno::INTR) => {}
            Err(error) => {
                ahead.truncate(start);
                return Err(error);
            }
            Ok(count) => {
                let read = ahead.len() - start;
                // A regular file reads short only at its end.
                if count == 0 || read >= size {
                    break read;
                }
            }
        }
    };
    ahead.resize(start + size, 0);
    Ok(read)
}
