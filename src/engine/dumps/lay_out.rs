//! Dumps as files: each into a folder under its own name, whole or not at all.

use backupx_core::domain::operation::Overwrite;
use backupx_core::domain::time::Timestamp;
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes that are moved at once.
const BLOCK: usize = 1 << 20;

/// A file that a dump becomes.
pub(super) struct LaidOut<'a> {
    /// The folder; made when it is missing.
    pub(super) folder: &'a Path,
    /// The file's name, as the manifest says it.
    pub(super) file: &'a str,
    /// Its size in bytes.
    pub(super) size: u64,
    /// When the backup was made: the time that the file gets.
    pub(super) made_at: Timestamp,
    /// What happens to a file that is there already.
    pub(super) overwrite: Overwrite,
}

impl LaidOut<'_> {
    /// Whether the file would be written.
    pub(super) fn would_write(&self) -> Result<bool> {
        let path = self.path()?;
        let there = match path.symlink_metadata() {
            Ok(there) => there,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(self.failed(&error)),
        };
        Ok(match self.overwrite {
            Overwrite::Never => false,
            Overwrite::Always => true,
            Overwrite::IfChanged => {
                !there.is_file()
                    || there.len() != self.size
                    || there.modified().ok() != Some(self.time())
            }
        })
    }

    /// Writes the file from `input`.
    pub(super) fn write(&self, input: &mut dyn Read, stop: &StopFlag) -> Result<()> {
        let path = self.path()?;
        std::fs::create_dir_all(self.folder).map_err(|error| self.failed(&error))?;
        let partial = Partial(self.folder.join(format!(
            ".{}.partial-{:016x}",
            short(self.file),
            rand::random::<u64>()
        )));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial.0)
            .map_err(|error| self.failed(&error))?;
        self.fill(&mut file, input, stop)?;
        file.set_modified(self.time())
            .map_err(|error| self.failed(&error))?;
        file.sync_all().map_err(|error| self.failed(&error))?;
        std::fs::rename(&partial.0, &path).map_err(|error| self.failed(&error))?;
        let folder = File::open(self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(|error| self.failed(&error))
    }

    fn fill(&self, file: &mut File, input: &mut dyn Read, stop: &StopFlag) -> Result<()> {
        let mut block = vec![0; BLOCK];
        loop {
            if stop.is_stopped() {
                return Err(crate::restore::stopped());
            }
            let count = match input.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(crate::archive::lift(
                        error,
                        "stream_damaged",
                        "the dump can't be read",
                    ));
                }
            };
            file.write_all(&block[..count])
                .map_err(|error| self.failed(&error))?;
        }
    }

    fn path(&self) -> Result<PathBuf> {
        // It stands in storage, where others may have written it.
        if self.file.is_empty() || self.file.starts_with('.') || self.file.contains(['/', '\0']) {
            return Err(Error::invalid(
                "manifest_unreadable",
                format!(
                    "the manifest names a dump {:?}, which is no file name",
                    self.file
                ),
            ));
        }
        Ok(self.folder.join(self.file))
    }

    fn time(&self) -> SystemTime {
        let seconds = u64::try_from(self.made_at.timestamp()).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        let path = self.folder.join(self.file);
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::unavailable(
                "disk_full",
                format!("{} can't be written: the disk is full", path.display()),
            ),
            _ => Error::invalid(
                "restore_failed",
                format!("{} can't be written: {error}", path.display()),
            ),
        }
    }
}

/// A file that is removed unless it got its own name.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // It is gone when it got its name.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// So much of a name that something more fits behind it.
fn short(name: &str) -> &str {
    let mut end = name.len().min(100);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}
