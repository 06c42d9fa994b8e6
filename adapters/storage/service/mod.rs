//! Services that OpenDAL speaks to directly: volumes created by single requests, never a multipart upload that could be left behind. What
//! holds for all of them stands here; a file each says what is special about one.
//!
//! Creates are not retried here: whoever creates must know that a lost answer is possible, to tell its own object from another's. All
//! other calls are retried within a limit.

pub(crate) mod azblob;
mod endpoint;
mod error;
pub(crate) mod gcs;
mod proof;
pub(crate) mod s3;
mod transport;

#[cfg(test)]
mod tests;

use crate::limits::Limits;
use crate::ranges;
use crate::volumes::{PARALLEL, VOLUME_BYTES};
use async_trait::async_trait;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter};
use backupx_core::{Error, Result};
use bytes::Bytes;
use error::{Meaning, Service};
use futures::TryStreamExt;
use futures::future::try_join_all;
use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::options::{ListOptions, WriteOptions};
use opendal::{Buffer, HttpTransporter, Metadata, OperationContext, Operator};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use transport::Transport;

const RETRIES: usize = 3;
const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// Single deletes at the same time, where a service can't delete many at once.
const PARALLEL_DELETES: usize = 8;

/// What a service's own file makes of a target's settings.
pub(crate) struct Prepared {
    service: Service,
    operator: Operator,
}

/// A bucket or a container, or a folder in one.
pub struct ServiceStore {
    service: Service,
    once: Operator,
    again: Operator,
    limits: Limits,
    /// Set when the service said that it knows no conditional create.
    unconditional: AtomicBool,
}

impl fmt::Debug for ServiceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServiceStore").field(&self.service).finish()
    }
}

impl ServiceStore {
    /// The store of checked settings. Does not call the service.
    pub(crate) fn within(prepared: Prepared, limits: Limits) -> Result<Self> {
        let Prepared { service, operator } = prepared;
        let transport = HttpTransporter::new(Transport::new(service.create())?);
        let once = operator
            .with_context(OperationContext::new().with_http_transport(transport))
            .layer(
                TimeoutLayer::new()
                    .with_timeout(limits.call)
                    .with_io_timeout(limits.transfer),
            );
        let again = once.clone().layer(
            RetryLayer::new()
                .with_max_times(RETRIES)
                .with_min_delay(FIRST_DELAY)
                .with_max_delay(LONGEST_DELAY)
                .with_jitter(),
        );
        Ok(Self {
            service,
            once,
            again,
            limits,
            unconditional: AtomicBool::new(false),
        })
    }

    /// How all objects are written. With a type, Google gets its bytes in one request that may have a condition.
    fn options(&self) -> WriteOptions {
        WriteOptions {
            content_type: Some("application/octet-stream".to_owned()),
            ..WriteOptions::default()
        }
    }

    /// Creates by one conditional request. Nothing when the service knows no conditions.
    async fn create_conditionally(
        &self,
        key: &ObjectKey,
        body: Buffer,
    ) -> Result<Option<Metadata>> {
        let options = WriteOptions {
            if_not_exists: self.service.create().is_none(),
            ..self.options()
        };
        match self.once.write_options(key.as_str(), body, options).await {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if self.service.meaning(&error) == Some(Meaning::NotKnown) => Ok(None),
            Err(error) => Err(self.service.error(key.as_str(), error)),
        }
    }

    /// Creates where the service can't refuse by itself: looks first. Two creators at the same moment are not told apart.
    async fn create_after_a_look(&self, key: &ObjectKey, body: Buffer) -> Result<Metadata> {
        if self.stat(key).await?.is_some() {
            return Err(self.service.exists(key.as_str()));
        }
        let written = self.once.write_options(key.as_str(), body, self.options());
        written
            .await
            .map_err(|error| self.service.error(key.as_str(), error))
    }

    async fn create_somehow(&self, key: &ObjectKey, body: Buffer) -> Result<Metadata> {
        if !self.unconditional.load(Ordering::Relaxed)
            && let Some(metadata) = self.create_conditionally(key, body.clone()).await?
        {
            return Ok(metadata);
        }
        self.unconditional.store(true, Ordering::Relaxed);
        self.create_after_a_look(key, body).await
    }
}

#[async_trait]
impl ObjectStore for ServiceStore {
    fn layout(&self) -> Layout {
        Layout::Volumes {
            volume_bytes: VOLUME_BYTES,
            parallel: PARALLEL,
        }
    }

    async fn begin(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        Err(Error::invalid(
            "volumes_only",
            format!("{key} can't be written as one object of unknown length here"),
        ))
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        let body = Buffer::from(body);
        let metadata = self.create_somehow(key, body.clone()).await?;
        self.prove(key, body, &metadata).await
    }

    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        match self.again.stat(key.as_str()).await {
            Ok(metadata) => Ok(Some(ObjectInfo {
                key: key.clone(),
                size: metadata.content_length(),
                sha256: None,
            })),
            Err(error) if error.kind() == opendal::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.service.error(key.as_str(), error)),
        }
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let read = self.again.read_with(key.as_str()).range(range.clone());
        // Each retry goes on where the last one broke off: all of them together have a limit too.
        let limit = self.limits.transfer * (RETRIES as u32 + 1);
        let Ok(read) = tokio::time::timeout(limit, async { read.await }).await else {
            return Err(self.service.stalled());
        };
        let failure = match read {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => {
                return Ok(bytes.to_bytes());
            }
            Ok(_) => ranges::too_few(key),
            Err(error) => self.service.error(key.as_str(), error),
        };
        Err(ranges::explained(self, key, &range, failure).await)
    }

    async fn list(&self, folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        let failed = |error| self.service.error(folder.as_str(), error);
        let options = ListOptions {
            recursive: true,
            ..ListOptions::default()
        };
        let entries = self
            .again
            .lister_options(&format!("{folder}/"), options)
            .await
            .map_err(failed)?;
        entries
            .map_err(failed)
            .try_filter_map(|entry| async move {
                // Names that are no keys were not made by us.
                let key = ObjectKey::parse(entry.path()).ok();
                let size = entry.metadata().content_length();
                Ok(key
                    .filter(|_| entry.metadata().is_file())
                    .map(|key| ObjectInfo {
                        key,
                        size,
                        sha256: None,
                    }))
            })
            .try_collect()
            .await
    }

    async fn folders(&self, folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        let path = folder.map_or_else(String::new, |folder| format!("{folder}/"));
        let failed = |error| self.service.error(&path, error);
        let entries = self.again.lister(&path).await.map_err(failed)?;
        let entries: Vec<_> = entries.try_collect().await.map_err(failed)?;
        let names = entries
            .iter()
            .filter_map(|entry| entry.path().strip_suffix('/'));
        Ok(names
            .filter_map(|name| ObjectKey::parse(name).ok())
            // A service may name the folder itself among what is in it.
            .filter(|found| Some(found) != folder)
            .collect())
    }

    async fn remove(&self, key: &ObjectKey) -> Result<()> {
        self.again
            .delete(key.as_str())
            .await
            .map_err(|error| self.service.error(key.as_str(), error))
    }

    async fn remove_all(&self, folder: &ObjectKey) -> Result<(u64, u64)> {
        let objects = self.list(folder).await?;
        let paths: Vec<_> = objects.iter().map(|info| info.key.to_string()).collect();
        if let Err(error) = self.again.delete_iter(paths).await {
            tracing::debug!(%error, "deleting many at once failed, deleting one by one");
            for part in objects.chunks(PARALLEL_DELETES) {
                try_join_all(part.iter().map(|info| self.remove(&info.key))).await?;
            }
        }
        let bytes = objects.iter().map(|info| info.size).sum();
        Ok((objects.len() as u64, bytes))
    }
}
