//! The relay: a target that only the master reaches, as a store like any other. Its objects go through the master, and only those of
//! the command's own record: the master adds a name to the folder that it chose itself (never 20).

use async_trait::async_trait;
use backupx_core::domain::command::Lease;
use backupx_core::domain::id::{CommandId, TargetId};
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::master::MasterLink;
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter};
use backupx_core::{Error, Result};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long one call bears a master that is away, as while it restarts. Whoever calls may try again.
const PATIENCE: Duration = Duration::from_secs(20);
/// The first pause between attempts; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Bytes of one volume: small enough to be repeated when the way to the master is bad.
const VOLUME_BYTES: u64 = 16 << 20;
/// Volumes under way at once.
const PARALLEL: usize = 3;

/// A target behind the master.
pub struct RelayStore {
    link: Arc<dyn MasterLink>,
    command: CommandId,
    lease: Arc<dyn Fn() -> Lease + Send + Sync>,
    target: TargetId,
}

impl RelayStore {
    /// The target `target` of `command`; `lease` answers the command's lease as it is at the time of each call.
    pub fn new(
        link: Arc<dyn MasterLink>,
        command: CommandId,
        lease: Arc<dyn Fn() -> Lease + Send + Sync>,
        target: TargetId,
    ) -> Self {
        Self {
            link,
            command,
            lease,
            target,
        }
    }

    fn not_here(&self, what: &str) -> Error {
        Error::invalid(
            "not_relayed",
            format!(
                "target {} is behind the master, which {what} by itself",
                self.target
            ),
        )
    }
}

#[async_trait]
impl ObjectStore for RelayStore {
    fn layout(&self) -> Layout {
        Layout::Volumes {
            volume_bytes: VOLUME_BYTES,
            parallel: PARALLEL,
        }
    }

    async fn begin(&self, _key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        Err(self.not_here("takes whole volumes only and puts them down"))
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        let mut attempts = 0;
        let created = patiently(|| {
            attempts += 1;
            let (lease, name) = ((self.lease)(), key.file_name());
            self.link
                .relay_create(self.command, lease, self.target, name, body.clone())
        })
        .await;
        match created {
            // Perhaps it is what an attempt before made, whose answer got lost: the caller knows how to find out.
            Err(error) if attempts > 1 && error.code() == "object_exists" => {
                Err(Error::unavailable(
                    "relay_unsure",
                    format!("it is not known whether {key} was created"),
                )
                .with_source(error))
            }
            other => other,
        }
    }

    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        let size = patiently(|| {
            let (lease, name) = ((self.lease)(), key.file_name());
            self.link.relay_stat(self.command, lease, self.target, name)
        })
        .await?;
        Ok(size.map(|size| ObjectInfo {
            key: key.clone(),
            size,
            sha256: None,
        }))
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        patiently(|| {
            let (lease, name) = ((self.lease)(), key.file_name());
            self.link
                .relay_read(self.command, lease, self.target, name, range.clone())
        })
        .await
    }

    async fn list(&self, _folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        Err(self.not_here("lists it"))
    }

    async fn folders(&self, _folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        Err(self.not_here("lists it"))
    }

    async fn remove(&self, _key: &ObjectKey) -> Result<()> {
        Err(self.not_here("removes from it"))
    }

    async fn remove_all(&self, _folder: &ObjectKey) -> Result<(u64, u64)> {
        Err(self.not_here("removes from it"))
    }
}

/// Repeats `call` while a master that is away may come back.
async fn patiently<'a, T>(mut call: impl FnMut() -> BoxFuture<'a, Result<T>>) -> Result<T> {
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        // Whatever took long to fail, as a stalled upload, has used its patience up.
        if !error.is_retryable() || began.elapsed() + pause > PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * rand::random::<f64>())).await;
        pause *= 2;
    }
}

impl fmt::Debug for RelayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RelayStore(target {} of command {})",
            self.target, self.command
        )
    }
}
