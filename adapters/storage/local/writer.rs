//! Files in the making: written under a temporary name, made durable while they grow, then renamed without replacing anything.

use super::STALL_LIMIT;
use super::beneath::{Missing, Root};
use super::direct::Gathered;
use super::error::disk_error;
use async_trait::async_trait;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectWriter;
use backupx_core::{Error, Result};
use bytes::Bytes;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Marks a file that is not finished; nothing reads it, and the sweep removes it.
pub(super) const PARTIAL: &str = ".partial";
/// After this many bytes the disk is made to take what it has, so that little is left to wait for at the end.
const SYNC_EVERY: u64 = 32 << 20;
/// Blocks that wait for the disk.
const QUEUE_BLOCKS: usize = 8;
/// The last sync and the rename of a large file on a slow disk.
const FINISH_LIMIT: Duration = Duration::from_secs(1800);

/// A file under its temporary name. Dropped unfinished, it is removed.
pub(super) struct NewFile {
    folder: OwnedFd,
    file: Arc<OwnedFd>,
    temporary: String,
    name: String,
    shown: String,
    gathered: Gathered,
    unsynced: u64,
    syncer: Option<Syncer>,
    named: bool,
}

impl NewFile {
    /// Begins the file of `key`; its folder is made.
    pub(super) fn begin(root: &Root, key: &ObjectKey) -> Result<Self> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let shown = root.show(key);
        let folder = root.parent_of(key, Missing::Make)?.ok_or_else(|| {
            Error::unavailable(
                "folder_vanishes",
                format!("the folder of {shown} is not there"),
            )
        })?;
        let name = key.file_name().to_owned();
        match rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            Ok(_) => return Err(disk_error(&shown, Errno::EXIST)),
            Err(error) => return Err(disk_error(&shown, error)),
        }
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".{name}.{}-{number}{PARTIAL}", std::process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&folder, &temporary, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| disk_error(&shown, error))?;
        Ok(Self {
            folder,
            file: Arc::new(file),
            temporary,
            name,
            shown,
            gathered: Gathered::new(),
            unsynced: 0,
            syncer: None,
            named: true,
        })
    }

    /// Appends a block.
    pub(super) fn write(&mut self, block: &[u8]) -> Result<()> {
        let cached = self.gathered.write(&self.file, block);
        self.unsynced += cached.map_err(|error| disk_error(&self.shown, error))?;
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.sync_behind()?;
        }
        Ok(())
    }

    /// Makes the file durable, gives it its name and makes that durable.
    pub(super) fn finish(mut self) -> Result<()> {
        if let Some(syncer) = self.syncer.take() {
            syncer
                .end()
                .map_err(|error| disk_error(&self.shown, error))?;
        }
        let named = self
            .gathered
            .finish(&self.file)
            .and_then(|()| rustix::fs::fdatasync(&*self.file))
            .and_then(|()| self.rename())
            .and_then(|()| rustix::fs::fsync(&self.folder));
        named.map_err(|error| disk_error(&self.shown, error))
    }

    fn rename(&mut self) -> rustix::io::Result<()> {
        let (folder, temporary, name) = (&self.folder, &self.temporary, &self.name);
        match rustix::fs::renameat_with(folder, temporary, folder, name, RenameFlags::NOREPLACE) {
            Ok(()) => {
                self.named = false;
                Ok(())
            }
            // Some file systems (older NFS, some FUSE) can't rename without replacing; a link never replaces.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::linkat(folder, temporary, folder, name, AtFlags::empty())
            }
            Err(error) => Err(error),
        }
    }

    /// Has a thread of its own sync what is written so far. An earlier failure shows here.
    fn sync_behind(&mut self) -> Result<()> {
        let syncer = match self.syncer.take() {
            Some(syncer) => syncer,
            None => Syncer::start(Arc::clone(&self.file))?,
        };
        if !syncer.ask() {
            let error = syncer.end().err().unwrap_or(Errno::IO);
            return Err(disk_error(&self.shown, error));
        }
        self.syncer = Some(syncer);
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.named {
            // What can't be removed now is found by the sweep: its record has no manifest.
            let _ = rustix::fs::unlinkat(&self.folder, &self.temporary, AtFlags::empty());
        }
    }
}

/// A thread that syncs a growing file.
struct Syncer {
    wishes: SyncSender<()>,
    thread: std::thread::JoinHandle<rustix::io::Result<()>>,
}

impl Syncer {
    fn start(file: Arc<OwnedFd>) -> Result<Self> {
        let (wishes, asked) = sync_channel::<()>(1);
        let thread = std::thread::Builder::new()
            .name("store-sync".to_owned())
            .spawn(move || {
                for () in asked {
                    rustix::fs::fdatasync(&*file)?;
                }
                Ok(())
            })
            .map_err(no_thread)?;
        Ok(Self { wishes, thread })
    }

    /// Asks for a sync; waits while one is under way and another is asked for already. False when a sync failed.
    fn ask(&self) -> bool {
        self.wishes.send(()).is_ok()
    }

    fn end(self) -> rustix::io::Result<()> {
        drop(self.wishes);
        self.thread.join().unwrap_or(Err(Errno::IO))
    }
}

enum Order {
    Write(Bytes),
    Finish(oneshot::Sender<Result<()>>),
}

/// A file that a thread of its own writes.
pub(super) struct FileWriter {
    orders: mpsc::Sender<Order>,
    failure: Option<oneshot::Receiver<Error>>,
}

impl FileWriter {
    pub(super) fn start(file: NewFile) -> Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE_BLOCKS);
        let (failed, failure) = oneshot::channel();
        std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || {
                if let Err(error) = carry_out(file, queue) {
                    // Nobody hears it when the writer was dropped.
                    let _ = failed.send(error);
                }
            })
            .map_err(no_thread)?;
        Ok(Self {
            orders,
            failure: Some(failure),
        })
    }

    /// Why the thread takes no more orders. It is said once.
    async fn why(&mut self) -> Error {
        let unsaid = || Error::internal("writing a file ended before, for a reason that was said");
        match self.failure.take() {
            Some(failure) => failure.await.unwrap_or_else(|_| unsaid()),
            None => unsaid(),
        }
    }
}

fn carry_out(mut file: NewFile, mut orders: mpsc::Receiver<Order>) -> Result<()> {
    while let Some(order) = orders.blocking_recv() {
        match order {
            Order::Write(block) => file.write(&block)?,
            Order::Finish(answer) => {
                // A caller that is gone finds out by looking at the store.
                let _ = answer.send(file.finish());
                return Ok(());
            }
        }
    }
    Ok(())
}

#[async_trait]
impl ObjectWriter for FileWriter {
    async fn write(&mut self, block: Bytes) -> Result<()> {
        match tokio::time::timeout(STALL_LIMIT, self.orders.send(Order::Write(block))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.why().await),
            Err(_) => Err(stalled()),
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<()> {
        let (answer_in, answer) = oneshot::channel();
        let finished = async {
            if self.orders.send(Order::Finish(answer_in)).await.is_err() {
                return Err(self.why().await);
            }
            match answer.await {
                Ok(outcome) => outcome,
                Err(_) => Err(self.why().await),
            }
        };
        tokio::time::timeout(FINISH_LIMIT, finished)
            .await
            .unwrap_or_else(|_| Err(stalled()))
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        // The thread removes the file when no more orders can come.
        Ok(())
    }
}

fn stalled() -> Error {
    Error::unavailable(
        "storage_stalled",
        "the disk took nothing for minutes: check the disk or the network mount",
    )
}

fn no_thread(error: std::io::Error) -> Error {
    Error::unavailable("no_thread", "the host has no thread left for writing").with_source(error)
}
