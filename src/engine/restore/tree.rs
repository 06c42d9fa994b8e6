//! The tree that is written to: folders opened one name at a time beneath a base, never through a link (never 32).

use super::attributes::{Rights, refused};
use super::folder::Folder;
use super::tally::{Tally, Trouble};
use backupx_core::domain::entry::Entry;
use backupx_core::domain::operation::Overwrite;
use backupx_core::{Error, Result};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Weak};

/// Levels whose descriptors stay open on the way down.
const OPEN_LEVELS: usize = 64;

/// The names of an archive path, refused when it would not stay beneath the base.
pub(super) fn names(path: &[u8]) -> Result<Vec<&[u8]>, Trouble> {
    if path.starts_with(b"/") {
        return Err(refused(path, "absolute paths are not restored"));
    }
    if path.contains(&0) {
        return Err(refused(path, "it has a zero byte"));
    }
    let names: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    match names
        .iter()
        .copied()
        .find(|n| matches!(*n, b"" | b"." | b".."))
    {
        Some(b"..") => Err(refused(path, "it leads out of its folder")),
        Some(_) => Err(refused(path, "it is no plain path")),
        None => Ok(names),
    }
}

enum Held {
    Strong(Arc<Folder>),
    /// Closed unless a writer still needs it.
    Weak(Weak<Folder>),
}

struct Level {
    name: Vec<u8>,
    made: bool,
    folder: Held,
    /// The attributes that it gets when everything in it is written.
    entry: Option<Entry>,
}

/// A base folder and the way down to where things are written at the moment.
pub(super) struct Tree {
    /// Archive path of the base; what is not below it is written elsewhere.
    prefix: Vec<u8>,
    base: Arc<Folder>,
    levels: Vec<Level>,
    rights: Rights,
    tally: Arc<Tally>,
}

impl Tree {
    /// A tree at `path`, which a person named: made when it is not there, links in it are followed.
    pub(super) fn make_base(path: &Path, rights: Rights, tally: Arc<Tally>) -> Result<Self> {
        std::fs::create_dir_all(path).map_err(|error| unusable(path, error))?;
        Self::open_base(path, rights, tally)
    }

    /// A tree at `path`, where a folder must be.
    pub(super) fn open_base(path: &Path, rights: Rights, tally: Arc<Tally>) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let base = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|error| unusable(path, error.into()))?;
        Ok(Self {
            prefix: Vec::new(),
            base: Arc::new(Folder::found(base)),
            levels: Vec::new(),
            rights,
            tally,
        })
    }

    /// The same tree for archive paths below `prefix` alone.
    #[must_use]
    pub(super) fn at_prefix(mut self, prefix: Vec<u8>) -> Self {
        self.prefix = prefix;
        self
    }

    /// The part of an archive path below this tree's prefix, when it is below.
    pub(super) fn strip<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        if self.prefix.is_empty() {
            return Some(path);
        }
        path.strip_prefix(&self.prefix[..])?.strip_prefix(b"/")
    }

    /// Goes to the folder `names`; makes what is missing of it. What is made gets the attributes that `known` has for its archive path.
    pub(super) fn enter(
        &mut self,
        names: &[&[u8]],
        known: &BTreeMap<Vec<u8>, Entry>,
    ) -> Result<Arc<Folder>, Trouble> {
        let here = self.levels.iter().zip(names);
        let common = here
            .take_while(|(level, name)| level.name == **name)
            .count();
        self.leave(common);
        for depth in common..names.len() {
            let entry = known.get(&self.archive_path(&names[..=depth]));
            // A folder of which nothing is known is made as any program would make it.
            let mode = entry.map_or(0o777, |_| 0o700);
            let made = self.descend(names[depth], Overwrite::Never, mode)?;
            if let Some(level) = self.levels.last_mut().filter(|_| made) {
                level.entry = entry.cloned();
            }
        }
        self.folder(names.len())
            .map_err(|error| Trouble::of(&self.archive_path(names), error))
    }

    /// Makes the folder of an entry in the folder that was entered last; answers whether it is written (and not kept as it was).
    pub(super) fn make(
        &mut self,
        name: &[u8],
        entry: Entry,
        overwrite: Overwrite,
    ) -> Result<bool, Trouble> {
        let made = self.descend(name, overwrite, 0o700)?;
        let is_written = made || overwrite != Overwrite::Never;
        if let Some(level) = self.levels.last_mut().filter(|_| is_written) {
            level.entry = Some(entry);
        }
        Ok(is_written)
    }

    /// Opens the folder `names` without making anything.
    pub(super) fn find(&self, names: &[&[u8]]) -> Result<Arc<Folder>, Errno> {
        let mut folder = Arc::clone(&self.base);
        for name in names {
            folder = Arc::new(Folder::open(&folder, name, false)?);
        }
        Ok(folder)
    }

    /// Leaves all folders: each gets its attributes when its last file is written.
    pub(super) fn leave_all(&mut self) {
        self.leave(0);
    }

    /// Goes one level down; answers whether the folder was made.
    fn descend(&mut self, name: &[u8], overwrite: Overwrite, mode: u32) -> Result<bool, Trouble> {
        let path = |tree: &Self| {
            let mut names: Vec<&[u8]> = tree.levels.iter().map(|level| &level.name[..]).collect();
            names.push(name);
            tree.archive_path(&names)
        };
        let depth = self.levels.len();
        let parent = self
            .folder(depth)
            .map_err(|error| Trouble::of(&path(self), error))?;
        let mut made = false;
        if parent.is_made() {
            made = mkdir(&parent, name, mode).map_err(|error| Trouble::of(&path(self), error))?;
        }
        let mut opened = Folder::open(&parent, name, made);
        if !made && matches!(opened, Err(Errno::NOTDIR | Errno::LOOP)) {
            if overwrite != Overwrite::Always {
                let why = "something that is no folder stands where its folder should be";
                return Err(refused(&path(self), why));
            }
            opened =
                rustix::fs::unlinkat(parent.fd(), name, AtFlags::empty()).and(Err(Errno::NOENT));
        }
        if !made && matches!(opened, Err(Errno::NOENT)) {
            made = mkdir(&parent, name, mode).map_err(|error| Trouble::of(&path(self), error))?;
            opened = Folder::open(&parent, name, made);
        }
        let folder = opened.map_err(|error| Trouble::of(&path(self), error))?;
        self.levels.push(Level {
            name: name.to_vec(),
            made,
            folder: Held::Strong(Arc::new(folder)),
            entry: None,
        });
        if let Some(above) = depth.checked_sub(OPEN_LEVELS) {
            self.levels[above].loosen();
        }
        Ok(made)
    }

    fn leave(&mut self, depth: usize) {
        while self.levels.len() > depth {
            let folder = self.folder(self.levels.len());
            let Some(Level { entry, .. }) = self.levels.pop() else {
                return;
            };
            let Some(entry) = entry else { continue };
            match folder {
                Ok(folder) => folder.finish_as(entry, self.rights, &self.tally),
                Err(error) => self.tally.fail(format!(
                    "{} lacks its attributes: {}",
                    entry.display_path(),
                    std::io::Error::from(error)
                )),
            }
        }
    }

    /// The folder at `depth` (zero is the base), opened again when it was closed.
    fn folder(&mut self, depth: usize) -> Result<Arc<Folder>, Errno> {
        let mut open = depth;
        let mut folder = loop {
            let Some(level) = open.checked_sub(1).and_then(|at| self.levels.get(at)) else {
                break Arc::clone(&self.base);
            };
            if let Some(folder) = level.get() {
                break folder;
            }
            open -= 1;
        };
        for at in open..depth {
            let level = &self.levels[at];
            folder = Arc::new(Folder::open(&folder, &level.name, level.made)?);
            self.levels[at].folder = Held::Strong(Arc::clone(&folder));
            if let Some(above) = at.checked_sub(OPEN_LEVELS) {
                self.levels[above].loosen();
            }
        }
        Ok(folder)
    }

    fn archive_path(&self, names: &[&[u8]]) -> Vec<u8> {
        let below = names.join(&b'/');
        if self.prefix.is_empty() {
            return below;
        }
        [&self.prefix, &b"/"[..], &below].concat()
    }
}

impl Level {
    fn get(&self) -> Option<Arc<Folder>> {
        match &self.folder {
            Held::Strong(folder) => Some(Arc::clone(folder)),
            Held::Weak(folder) => folder.upgrade(),
        }
    }

    fn loosen(&mut self) {
        if let Held::Strong(folder) = &self.folder {
            self.folder = Held::Weak(Arc::downgrade(folder));
        }
    }
}

/// Makes a folder; answers false when something was there.
fn mkdir(parent: &Folder, name: &[u8], mode: u32) -> Result<bool, Errno> {
    match rustix::fs::mkdirat(parent.fd(), name, Mode::from_raw_mode(mode)) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "disk_full",
        std::io::ErrorKind::NotFound => "target_missing",
        _ => "target_unwritable",
    };
    Error::invalid(
        code,
        format!("restore folder {} can't be used: {error}", path.display()),
    )
    .with_source(error)
}
