//! Places where a file is laid down for a moment: for nobody else to read, removed on every path, and swept when a run was killed.

use backupx_core::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How the folders are called; what begins like this and is held by nobody is swept.
const PREFIX: &str = "backupx-dump-";
/// The file in a folder that says that there is more to clear away than the folder.
pub(crate) const TAKES_MORE: &str = "drill.json";

/// A folder of its own, mode 0700, that is held by a lock as long as it is in use and goes with this value.
#[derive(Debug)]
pub(crate) struct Temp {
    folder: PathBuf,
    // The lock on the folder: gone with the process, however it ends.
    _held: File,
}

impl Temp {
    /// A new one in `parent`, or where the host keeps such files. What earlier runs left there is removed.
    pub(crate) fn new(parent: Option<&Path>) -> Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        sweep(&parent);
        let failed = |error: std::io::Error| {
            Error::unavailable(
                "temp_failed",
                format!("no file can be laid down in {}: {error}", parent.display()),
            )
            .with_source(error)
        };
        let mut number = 0_u64;
        loop {
            let folder = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            number += 1;
            match DirBuilder::new().mode(0o700).create(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed(error)),
            }
            // Somebody who sweeps may have taken it between the two.
            if let Some(held) = hold(&folder, File::open(&folder)) {
                return Ok(Self {
                    folder,
                    _held: held,
                });
            }
        }
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A new empty file in it, mode 0600.
    pub(crate) fn create(&self, name: &str) -> Result<File> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.path(name))
            .map_err(|error| {
                Error::unavailable(
                    "temp_failed",
                    format!("{} can't be made: {error}", self.path(name).display()),
                )
                .with_source(error)
            })
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(path = %self.folder.display(), %error, "a temporary folder could not be removed");
        }
    }
}

/// Locks what is opened, if nobody holds it and it is still at its path.
pub(crate) fn hold(path: &Path, opened: std::io::Result<File>) -> Option<File> {
    let file = opened.ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Of a link this tells about the link itself.
    let (held, there) = (file.metadata().ok()?, path.symlink_metadata().ok()?);
    (held.ino() == there.ino() && held.dev() == there.dev()).then_some(file)
}

/// Removes what runs left behind that did not live to do it, but for what takes more than that.
fn sweep(parent: &Path) {
    for path in ours(parent) {
        if !path.join(TAKES_MORE).exists()
            && let Some(_held) = hold(&path, File::open(&path))
        {
            remove(&path);
        }
    }
}

/// Folders in `parent` that runs left behind, each held from now on, and which take more than to be removed.
pub(crate) fn left_behind(parent: &Path) -> Vec<Left> {
    let mut left = Vec::new();
    for path in ours(parent) {
        if path.join(TAKES_MORE).exists()
            && let Some(held) = hold(&path, File::open(&path))
        {
            left.push(Left { path, _held: held });
        }
    }
    left
}

/// A folder that a run left behind. It is removed with this value.
pub(crate) struct Left {
    pub(crate) path: PathBuf,
    _held: File,
}

impl Drop for Left {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_dir_all(path) {
        tracing::warn!(path = %path.display(), %error, "a left-over folder could not be removed");
    }
}

/// Folders of ours in `parent`, whoever holds them.
fn ours(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        // Of a link this tells about the link itself.
        let is_folder = entry
            .metadata()
            .is_ok_and(|data| data.is_dir() && data.uid() == rustix::process::geteuid().as_raw());
        if is_ours && is_folder {
            found.push(entry.path());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn never_24_what_a_killed_run_left_is_swept_and_what_is_in_use_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let left = parent.path().join(format!("{PREFIX}1-0"));
        std::fs::create_dir(&left).expect("made");
        std::fs::write(left.join("data"), b"old").expect("written");
        let first = Temp::new(Some(parent.path())).expect("a place");
        assert!(!left.exists());
        let file = first.create("data").expect("a file");
        let mode = file.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = Temp::new(Some(parent.path())).expect("another place");
        assert!(first.path("data").exists());
        drop((first, second));
        let left = std::fs::read_dir(parent.path()).expect("there").count();
        assert_eq!(left, 0);
    }
}
