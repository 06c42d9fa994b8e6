//! A folder as a store: one file per stream, made durable before it is visible, and never a way out of the folder.

mod beneath;
mod direct;
mod error;
mod tree;
mod writer;

use crate::required;
use async_trait::async_trait;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter};
use backupx_core::{Error, Result};
use beneath::{Missing, Root};
use bytes::Bytes;
use error::disk_error;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use writer::{FileWriter, NewFile};

/// No call takes longer without an answer: a disk or network mount that hangs is an error.
const STALL_LIMIT: Duration = Duration::from_secs(300);

/// A folder that keeps objects as files.
#[derive(Debug, Clone)]
pub struct LocalStore {
    root: Root,
}

impl LocalStore {
    /// The store of a target of kind `local`. The folder is made when something is first written.
    pub fn open(access: &TargetAccess) -> Result<Self> {
        Self::at(PathBuf::from(required(access, "path")?))
    }

    /// The store in the folder `path`, which must be absolute.
    pub fn at(path: PathBuf) -> Result<Self> {
        if !path.is_absolute() {
            return Err(Error::field(
                "config.path",
                format!("{path:?} is not an absolute path"),
            ));
        }
        Ok(Self {
            root: Root::new(path),
        })
    }

    /// Does blocking work on a thread for it, within the limit.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let root = self.root.clone();
        let done = tokio::task::spawn_blocking(move || work(&root));
        match tokio::time::timeout(STALL_LIMIT, done).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                Err(Error::internal("work on a folder ended unexpectedly").with_source(error))
            }
            Err(_) => Err(stalled(&self.root)),
        }
    }
}

fn stalled(root: &Root) -> Error {
    Error::unavailable(
        "storage_stalled",
        format!(
            "{} did not answer for {} minutes: check the disk or the network mount",
            root.path().display(),
            STALL_LIMIT.as_secs() / 60
        ),
    )
}

#[async_trait]
impl ObjectStore for LocalStore {
    fn layout(&self) -> Layout {
        Layout::OneObject
    }

    async fn is_there(&self) -> Result<bool> {
        self.blocking(|root| Ok(root.top(Missing::Leave)?.is_some()))
            .await
    }

    async fn begin(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        let key = key.clone();
        let file = self
            .blocking(move |root| NewFile::begin(root, &key))
            .await?;
        Ok(Box::new(FileWriter::start(file)?))
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        let key = key.clone();
        self.blocking(move |root| {
            let mut file = NewFile::begin(root, &key)?;
            for block in &body {
                file.write(block)?;
            }
            file.finish()
        })
        .await
    }

    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        let key = key.clone();
        self.blocking(move |root| stat(root, key)).await
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        let key = key.clone();
        self.blocking(move |root| read(root, &key, range)).await
    }

    async fn list(&self, folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        let folder = folder.clone();
        self.blocking(move |root| tree::list(root, &folder)).await
    }

    async fn folders(&self, folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        let folder = folder.cloned();
        self.blocking(move |root| tree::folders(root, folder.as_ref()))
            .await
    }

    async fn remove(&self, key: &ObjectKey) -> Result<()> {
        let key = key.clone();
        self.blocking(move |root| {
            let Some(folder) = root.parent_of(&key, Missing::Leave)? else {
                return Ok(());
            };
            match rustix::fs::unlinkat(&folder, key.file_name(), AtFlags::empty()) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
                Err(error) => Err(disk_error(&root.show(&key), error)),
            }
        })
        .await
    }

    async fn remove_all(&self, folder: &ObjectKey) -> Result<(u64, u64)> {
        let folder = folder.clone();
        self.blocking(move |root| tree::remove_all(root, &folder))
            .await
    }
}

fn stat(root: &Root, key: ObjectKey) -> Result<Option<ObjectInfo>> {
    let Some(folder) = root.parent_of(&key, Missing::Leave)? else {
        return Ok(None);
    };
    match rustix::fs::statat(&folder, key.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            Ok(Some(ObjectInfo {
                key,
                size: stat.st_size.unsigned_abs(),
                sha256: None,
            }))
        }
        Ok(_) | Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(disk_error(&root.show(&key), error)),
    }
}

fn read(root: &Root, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
    let shown = root.show(key);
    let missing = || Error::not_found("object_not_found", format!("{shown} is not there"));
    let folder = root.parent_of(key, Missing::Leave)?.ok_or_else(missing)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::openat(&folder, key.file_name(), flags, Mode::empty()) {
        Ok(file) => file,
        Err(rustix::io::Errno::NOENT) => return Err(missing()),
        Err(error) => return Err(disk_error(&shown, error)),
    };
    let length = usize::try_from(range.end.saturating_sub(range.start))
        .map_err(|_| Error::internal("a range is larger than memory"))?;
    let mut bytes = Vec::with_capacity(length.max(1));
    while bytes.len() < length {
        let at = range.start + bytes.len() as u64;
        let room = bytes.capacity();
        let read = rustix::io::pread(&file, rustix::buffer::spare_capacity(&mut bytes), at)
            .map_err(|error| disk_error(&shown, error))?;
        debug_assert!(
            bytes.len() <= room,
            "reading stays within what was reserved"
        );
        if read == 0 {
            return Err(Error::invalid(
                "object_too_short",
                format!(
                    "{shown} ends at {at}, bytes up to {} were expected",
                    range.end
                ),
            ));
        }
    }
    bytes.truncate(length);
    Ok(Bytes::from(bytes))
}
