//! The walk: names in archive order (by name, folders before what is in them), a little ahead of those who look at them.

use super::dir::{Dir, MAX_DEPTH};
use super::exclude::Excludes;
use backupx_core::Result;
use backupx_core::domain::entry::display_bytes;
use backupx_core::ports::source::StopFlag;
use rustix::fs::{AtFlags, FileType, RawDir};
use rustix::io::Errno;
use std::sync::Arc;

/// Folders whose descriptors stay open on the way down.
const OPEN_LEVELS: usize = 64;
const TAG_NAME: &[u8] = b"CACHEDIR.TAG";
/// From the Cache Directory Tagging Specification.
const TAG_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";
/// File systems that hold no files of anybody: their magic numbers from linux/magic.h.
const VIRTUAL: &[i64] = &[
    0x0000_9fa0, // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0x6265_6570, // configfs
    0x1cd1,      // devpts
    0x1980_0202, // mqueue
    0x4249_4e4d, // binfmt_misc
    0x6e73_6673, // nsfs
    0x6759_6969, // rpc_pipefs
];

/// One thing to look at.
#[derive(Debug)]
pub(super) struct Node {
    /// The folder that holds it.
    pub(super) dir: Arc<Dir>,
    /// Its name there.
    pub(super) name: Box<[u8]>,
    /// What its folder says that it is; may be unknown.
    pub(super) hint: FileType,
}

/// What the walk found, in order.
#[derive(Debug)]
pub(super) enum Item {
    /// A thing.
    Node(Node),
    /// Why something is not in the archive.
    Problem(Problem),
}

/// Why something is not in the archive, as a sentence.
#[derive(Debug)]
pub(super) enum Problem {
    /// It can't be read.
    Unreadable(String),
    /// It was there a moment ago.
    Vanished(String),
    /// An archive can't or should not hold it.
    Skipped(String),
    /// All is there, and yet a person should know.
    Notice(String),
}

impl Problem {
    /// What `error` means for the thing at the archive path `path`.
    pub(super) fn of(path: &[u8], error: Errno) -> Self {
        let path = display_bytes(path);
        match error {
            Errno::NOENT | Errno::STALE => {
                Self::Vanished(format!("{path} vanished while the tree was read"))
            }
            error => Self::Unreadable(format!(
                "{path} can't be read: {}",
                std::io::Error::from(error)
            )),
        }
    }
}

/// What the walk keeps to.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) excludes: Excludes,
    pub(super) one_file_system: bool,
    pub(super) skip_cache_dirs: bool,
}

type Name = Box<[u8]>;
type Names = Vec<(Name, FileType)>;

struct Level {
    dir: Arc<Dir>,
    names: std::vec::IntoIter<(Name, FileType)>,
    path_len: usize,
}

/// Walks one named path after the other.
pub(super) struct Walk<'a, E> {
    rules: &'a Rules,
    stop: &'a StopFlag,
    emit: E,
    buffer: Vec<u8>,
    path: Vec<u8>,
    levels: Vec<Level>,
}

impl<'a, E: FnMut(Item) -> Result<()>> Walk<'a, E> {
    /// A walk that gives what it finds to `emit`, until that returns an error.
    pub(super) fn new(rules: &'a Rules, stop: &'a StopFlag, emit: E) -> Self {
        Self {
            rules,
            stop,
            emit,
            buffer: Vec::with_capacity(64 << 10),
            path: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Walks the tree at `root`, an absolute path without trailing `/` or `/` itself.
    pub(super) fn root(&mut self, root: &[u8]) -> Result<()> {
        super::roots::check(root)?;
        let unreadable = |error: Errno| super::roots::unreadable(root, error);
        self.path.clear();
        let dir = if root == b"/" {
            Dir::anchor(root).map_err(unreadable)?
        } else {
            let at = root.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            let (folder, name) = (&root[..at.max(1)], &root[at + 1..]);
            let holder = Dir::anchor(folder).map_err(unreadable)?;
            let stat = rustix::fs::statat(
                &*holder.handle().map_err(unreadable)?,
                name,
                AtFlags::SYMLINK_NOFOLLOW,
            )
            .map_err(unreadable)?;
            let hint = FileType::from_raw_mode(stat.st_mode);
            holder.append_path(&mut self.path);
            self.path.extend_from_slice(name);
            if hint == FileType::Symlink {
                self.problem(Problem::Notice(format!(
                    "source path {} is a symbolic link: the link is kept, what it points to is not; name that instead",
                    display_bytes(root)
                )))?;
            }
            (self.emit)(Item::Node(Node {
                dir: Arc::clone(&holder),
                name: name.into(),
                hint,
            }))?;
            if hint != FileType::Directory {
                return Ok(());
            }
            Dir::child(&holder, name).map_err(unreadable)?
        };
        let device = dir.device();
        let names = self.list(&dir).map_err(unreadable)?;
        self.descend(dir, names);
        while let Some(level) = self.levels.last_mut() {
            self.path.truncate(level.path_len);
            let Some((name, hint)) = level.names.next() else {
                self.levels.pop();
                continue;
            };
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(&name);
            let dir = Arc::clone(&level.dir);
            self.visit(dir, name, hint, device)?;
        }
        Ok(())
    }

    fn visit(&mut self, dir: Arc<Dir>, name: Box<[u8]>, hint: FileType, device: u64) -> Result<()> {
        let hint = match hint {
            FileType::Unknown => match stat_type(&dir, &name) {
                Ok(kind) => kind,
                Err(error) => return self.problem(Problem::of(&self.path, error)),
            },
            known => known,
        };
        if !self.rules.excludes.is_empty()
            && self
                .rules
                .excludes
                .match_path(&self.path, hint == FileType::Directory)
        {
            return Ok(());
        }
        if hint != FileType::Directory {
            return (self.emit)(Item::Node(Node { dir, name, hint }));
        }
        (self.emit)(Item::Node(Node {
            dir: Arc::clone(&dir),
            name: name.clone(),
            hint,
        }))?;
        match self.open(&dir, &name, device) {
            Ok(Some((dir, names))) => self.descend(dir, names),
            Ok(None) => {}
            Err(error) => self.problem(Problem::of(&self.path, error))?,
        }
        if self.stop.is_stopped() {
            return Err(super::stopped());
        }
        Ok(())
    }

    /// Opens and lists the folder `name`, or says that it is not to be entered.
    fn open(
        &mut self,
        parent: &Arc<Dir>,
        name: &[u8],
        device: u64,
    ) -> Result<Option<(Arc<Dir>, Names)>, Errno> {
        if self.levels.len() >= MAX_DEPTH {
            return Err(Errno::NAMETOOLONG);
        }
        let dir = match Dir::child(parent, name) {
            // It is no folder any more; whoever looks at the name finds what it is now.
            Err(Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            opened => opened?,
        };
        if dir.device() != parent.device() {
            if self.rules.one_file_system && dir.device() != device {
                return Ok(None);
            }
            let kind = rustix::fs::fstatfs(&*dir.handle()?)?.f_type;
            if VIRTUAL.contains(&kind) {
                let text = format!("{} is made up by the kernel", display_bytes(&self.path));
                // The walk goes on whether or not somebody still listens; the next entry tells.
                let _listens = (self.emit)(Item::Problem(Problem::Skipped(text)));
                return Ok(None);
            }
        }
        let mut names = self.list(&dir)?;
        if self.rules.skip_cache_dirs && is_cache_dir(&dir, &names) {
            names.retain(|(name, _)| **name == *TAG_NAME);
        }
        Ok(Some((dir, names)))
    }

    fn descend(&mut self, dir: Arc<Dir>, names: Names) {
        if let Some(level) = self.levels.len().checked_sub(OPEN_LEVELS) {
            self.levels[level].dir.release();
        }
        self.levels.push(Level {
            dir,
            names: names.into_iter(),
            path_len: self.path.len(),
        });
    }

    fn list(&mut self, dir: &Dir) -> Result<Names, Errno> {
        let handle = dir.handle()?;
        let mut names = Vec::new();
        self.buffer.clear();
        let mut listing = RawDir::new(&*handle, self.buffer.spare_capacity_mut());
        while let Some(entry) = listing.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push((name.into(), entry.file_type()));
            }
        }
        names.sort_unstable_by(|(a, _): &(Name, _), (b, _)| a.cmp(b));
        Ok(names)
    }

    fn problem(&mut self, problem: Problem) -> Result<()> {
        (self.emit)(Item::Problem(problem))
    }
}

fn stat_type(dir: &Dir, name: &[u8]) -> Result<FileType, Errno> {
    let stat = rustix::fs::statat(&*dir.handle()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

fn is_cache_dir(dir: &Dir, names: &[(Name, FileType)]) -> bool {
    use rustix::fs::{Mode, OFlags};
    let is_tag = |(name, kind): &(Name, FileType)| {
        **name == *TAG_NAME && matches!(kind, FileType::RegularFile | FileType::Unknown)
    };
    if !names.iter().any(is_tag) {
        return false;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let read = || -> Result<Vec<u8>, Errno> {
        let tag = rustix::fs::openat(&*dir.handle()?, TAG_NAME, flags, Mode::empty())?;
        let mut start = vec![0; TAG_SIGNATURE.len()];
        let count = rustix::io::read(&tag, &mut start[..])?;
        start.truncate(count);
        Ok(start)
    };
    read().is_ok_and(|start| start == TAG_SIGNATURE)
}
