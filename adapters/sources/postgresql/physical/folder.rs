//! A data folder that is filled from an archive. The file without which no server starts comes last, so a folder that was filled in part
//! is never taken for a cluster.

use super::archive::{Entry, Kind, Visitor};
use backupx_core::{Error, Result};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Without it no server starts.
const CONTROL: &str = "global/pg_control";
/// It has 8 KiB.
const MOST_CONTROL: u64 = 1 << 20;

/// The folder, removed again unless it was finished.
pub(super) struct Folder {
    path: PathBuf,
    was_there: bool,
    owner: Option<(u32, u32)>,
    now: Option<File>,
    /// The control file, as far as it has come.
    control: Option<(Entry, Vec<u8>)>,
    in_control: bool,
    finished: bool,
}

impl Folder {
    /// An empty folder at `path`, made when it is missing. `database_exists` when there is anything in it.
    pub(super) fn new(path: &Path) -> Result<Self> {
        if !path.is_absolute() {
            return Err(Error::field(
                "rename",
                format!("{} is not an absolute path", path.display()),
            ));
        }
        let was_there = match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                None => true,
                Some(_) => {
                    return Err(Error::conflict(
                        "database_exists",
                        format!(
                            "{} is not empty: stop its server and move what is there away, or name another folder",
                            path.display()
                        ),
                    ));
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed(path, error)),
        };
        if !was_there {
            DirBuilder::new()
                .mode(0o700)
                .create(path)
                .map_err(|error| failed(path, error))?;
        }
        std::fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(|error| failed(path, error))?;
        let data = path.metadata().map_err(|error| failed(path, error))?;
        let owner = (data.uid(), data.gid());
        let is_root = rustix::process::geteuid().is_root();
        Ok(Self {
            path: path.to_owned(),
            was_there,
            // A folder that somebody laid ready for its server says who that is.
            owner: (is_root && was_there && owner.0 != 0).then_some(owner),
            now: None,
            control: None,
            in_control: false,
            finished: false,
        })
    }

    /// Writes a file of ours beside those of the archive, or behind what one of them has.
    pub(super) fn append(&self, name: &str, text: &str, like: &Entry) -> Result<()> {
        let path = self.path.join(name);
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, error))?;
        file.write_all(text.as_bytes())
            .map_err(|error| failed(&path, error))?;
        self.give(&path, like)
    }

    /// Makes all of it durable, and then a cluster.
    pub(super) fn finish(mut self) -> Result<()> {
        let folder = File::open(&self.path).map_err(|error| failed(&self.path, error))?;
        rustix::fs::syncfs(&folder).map_err(|error| failed(&self.path, error.into()))?;
        let (entry, content) = self
            .control
            .take()
            .ok_or_else(|| Error::invalid("restore_failed", "the copy has no pg_control"))?;
        let path = self.path.join(CONTROL);
        let mut file = create(&path)?;
        file.write_all(&content)
            .and_then(|()| file.sync_all())
            .map_err(|error| failed(&path, error))?;
        self.give(&path, &entry)?;
        if let Some(parent) = path.parent() {
            File::open(parent)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| failed(parent, error))?;
        }
        self.finished = true;
        Ok(())
    }

    /// Gives something the rights that it had, and its owner where that may be done.
    fn give(&self, path: &Path, like: &Entry) -> Result<()> {
        let mode = like.mode & 0o770;
        std::fs::set_permissions(path, Permissions::from_mode(mode))
            .map_err(|error| failed(path, error))?;
        if !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let id = |id: u64| {
            u32::try_from(id).map_err(|_| {
                failed(
                    path,
                    std::io::Error::other("its owner has no number of this host"),
                )
            })
        };
        let (uid, gid) = match self.owner {
            Some(owner) => owner,
            None => (id(like.uid)?, id(like.gid)?),
        };
        chown(path, Some(uid), Some(gid)).map_err(|error| failed(path, error))
    }
}

impl Visitor for Folder {
    fn begin(&mut self, entry: &Entry) -> Result<()> {
        let path = self.path.join(&entry.path);
        match entry.kind {
            Kind::Folder if entry.path.is_empty() => self.give(&path, entry),
            Kind::Folder => {
                DirBuilder::new()
                    .mode(0o700)
                    .create(&path)
                    .map_err(|error| failed(&path, error))?;
                self.give(&path, entry)
            }
            Kind::File if entry.path == CONTROL => {
                if entry.size > MOST_CONTROL {
                    return Err(Error::invalid(
                        "restore_failed",
                        "pg_control is beyond reason",
                    ));
                }
                self.control = Some((entry.clone(), Vec::new()));
                self.in_control = true;
                Ok(())
            }
            Kind::File => {
                let file = create(&path)?;
                self.give(&path, entry)?;
                self.now = Some(file);
                Ok(())
            }
        }
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        if self.in_control
            && let Some((_, content)) = &mut self.control
        {
            content.extend_from_slice(bytes);
            return Ok(());
        }
        match &mut self.now {
            Some(file) => file
                .write_all(bytes)
                .map_err(|error| failed(&self.path, error)),
            None => Err(Error::internal("content without a file")),
        }
    }

    fn end(&mut self) -> Result<()> {
        self.now = None;
        self.in_control = false;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // It was empty when we came, so all of it is ours.
        let removed = match self.was_there {
            true => empty(&self.path),
            false => std::fs::remove_dir_all(&self.path),
        };
        if let Err(error) = removed {
            tracing::warn!(path = %self.path.display(), %error, "a data folder that was filled in part could not be removed");
        }
    }
}

fn empty(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "disk_full",
        _ => "restore_failed",
    };
    Error::unavailable(
        code,
        format!("{} can't be written: {error}", path.display()),
    )
    .with_source(error)
}
