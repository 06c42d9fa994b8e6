//! Files: read only as long as they stay as they are, and written under another name until they are whole.

use super::{BLOCK, failed, given_up, opened, unfit};
use backupx_core::ports::source::StopFlag;
use backupx_core::{Error, Result};
use rustix::fs::{FileType, OFlags};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Copies the file at `path` into `out`. One that changes meanwhile is an error: what was read is no state that it ever had.
pub(in crate::backint) fn read_file(
    path: &Path,
    out: &mut dyn Write,
    stop: &StopFlag,
) -> Result<()> {
    let mut file = opened(
        path,
        OFlags::RDONLY,
        FileType::RegularFile,
        "is no file",
        stop,
    )?;
    let broken = |error| failed(path, "can't be read", error);
    let before = state(&file).map_err(broken)?;
    let mut block = vec![0; BLOCK];
    let mut bytes = 0u64;
    loop {
        if stop.is_stopped() {
            return Err(given_up());
        }
        match file.read(&mut block) {
            Ok(0) => break,
            Ok(count) => {
                out.write_all(&block[..count]).map_err(broken)?;
                bytes += count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(error)),
        }
    }
    if state(&file).map_err(broken)? == before && bytes == before.0 {
        return Ok(());
    }
    Err(Error::invalid(
        "file_changed",
        format!("{} changed while it was read", path.display()),
    ))
}

fn state(file: &File) -> std::io::Result<(u64, SystemTime)> {
    let about = file.metadata()?;
    Ok((about.len(), about.modified()?))
}

/// A file in the making, beside the place that it gets in the end. Dropped before, it is removed.
#[derive(Debug)]
pub(in crate::backint) struct PartialFile {
    path: PathBuf,
    partial: PathBuf,
}

impl PartialFile {
    /// A file that is to stand at `path`.
    pub(in crate::backint) fn beside(path: &Path) -> Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| unfit(path, "names no file"))?;
        let mut partial = std::ffi::OsString::from(".");
        partial.push(name);
        partial.push(format!(".partial-{:016x}", rand::random::<u64>()));
        Ok(Self {
            path: path.to_owned(),
            partial: path.with_file_name(partial),
        })
    }

    /// Opens it for writing; flushing makes it durable.
    pub(in crate::backint) fn create(&self) -> Result<impl Write + use<>> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.partial);
        file.map(Durable)
            .map_err(|error| failed(&self.path, "can't be made", error))
    }

    /// Gives it its place, instead of a file that stood there.
    pub(in crate::backint) fn finish(&self) -> Result<()> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::rename(&self.partial, &self.path)
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|error| failed(&self.path, "can't be put in its place", error))
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        // It is gone when it got its place.
        let _ = fs::remove_file(&self.partial);
    }
}

struct Durable(File);

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.sync_all()
    }
}
