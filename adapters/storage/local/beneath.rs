//! The way from the root to a key's folder, one folder at a time, never through a symbolic link.

use super::error::disk_error;
use backupx_core::domain::key::ObjectKey;
use backupx_core::{Error, Result};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folders are for the owner: names of backups tell something too.
const FOLDER_MODE: Mode = Mode::RWXU;
/// How often a folder that somebody else removes as empty is made again.
const TRIES: usize = 5;

/// The folder below which everything is kept.
#[derive(Debug, Clone)]
pub(super) struct Root(Arc<Path>);

/// What is done with a folder that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Make it.
    Make,
    /// Leave it and answer nothing.
    Leave,
}

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A key as people find it on the disk.
    pub(super) fn show(&self, key: &ObjectKey) -> String {
        format!("{}/{key}", self.0.display())
    }

    /// The folder that holds `key`.
    pub(super) fn parent_of(&self, key: &ObjectKey, missing: Missing) -> Result<Option<OwnedFd>> {
        match key.parent() {
            Some(parent) => self.folder(&parent, missing),
            None => self.top(missing),
        }
    }

    /// The folder `key`.
    pub(super) fn folder(&self, key: &ObjectKey, missing: Missing) -> Result<Option<OwnedFd>> {
        for _ in 1..TRIES {
            match self.walk(key, missing)? {
                None if missing == Missing::Make => {}
                found => return Ok(found),
            }
        }
        match missing {
            Missing::Leave => Ok(None),
            Missing::Make => Err(Error::unavailable(
                "folder_vanishes",
                format!("{} is removed while it is being made", self.show(key)),
            )),
        }
    }

    /// One try; nothing when a folder is not there, or vanished again right after it was made.
    fn walk(&self, key: &ObjectKey, missing: Missing) -> Result<Option<OwnedFd>> {
        let Some(mut folder) = self.top(missing)? else {
            return Ok(None);
        };
        for segment in key.as_str().split('/') {
            let failed = |error| disk_error(&format!("{} ({segment})", self.show(key)), error);
            if missing == Missing::Make {
                match rustix::fs::mkdirat(&folder, segment, FOLDER_MODE) {
                    Ok(()) => rustix::fs::fsync(&folder).map_err(failed)?,
                    Err(Errno::EXIST) => {}
                    Err(Errno::NOENT) => return Ok(None),
                    Err(error) => return Err(failed(error)),
                }
            }
            folder = match rustix::fs::openat(&folder, segment, folder_flags(), Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(failed(error)),
            };
        }
        Ok(Some(folder))
    }

    /// The root itself. It may be reached through links: it is what the person who set it meant.
    pub(super) fn top(&self, missing: Missing) -> Result<Option<OwnedFd>> {
        let failed = |error| disk_error(&self.0.display().to_string(), error);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, &*self.0, flags, Mode::empty()) {
            Ok(folder) => Ok(Some(folder)),
            Err(Errno::NOENT) if missing == Missing::Make => {
                make_all(&self.0).map_err(failed)?;
                rustix::fs::openat(CWD, &*self.0, flags, Mode::empty())
                    .map(Some)
                    .map_err(failed)
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

pub(super) fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Makes a folder and its parents, each durable.
fn make_all(path: &Path) -> rustix::io::Result<()> {
    match rustix::fs::mkdirat(CWD, path, FOLDER_MODE) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(()),
        Err(Errno::NOENT) => {
            if let Some(parent) = path.parent() {
                make_all(parent)?;
            }
            match rustix::fs::mkdirat(CWD, path, FOLDER_MODE) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Err(error) => return Err(error),
    }
    let parent = path.parent().unwrap_or(path);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::fsync(rustix::fs::openat(CWD, parent, flags, Mode::empty())?)
}
