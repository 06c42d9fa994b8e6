//! Every backend of the host's rclone: one child for the whole process, spoken to over a private socket. Volumes go through memory; the
//! child itself lays a volume down for a moment, in a private folder, where a backend takes no stream.
//!
//! rclone knows no conditional create. Keys are never used twice, so a look before each create is enough to tell a mistake from a race
//! that can't be.

mod bridge;
mod error;
mod settings;

pub use bridge::Bridge;

use crate::ranges;
use crate::volumes::{PARALLEL, VOLUME_BYTES};
use async_trait::async_trait;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter};
use backupx_core::{Error, ErrorKind, Result};
use bridge::{MISSING, Remote};
use bytes::Bytes;
use error::full;
use futures::future::try_join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use settings::Settings;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Single deletes at the same time, where a backend can't remove a folder at once.
const PARALLEL_DELETES: usize = 8;
/// How often something is asked again, and after how long at first.
const RETRIES: usize = 3;
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// A folder on a backend of rclone.
pub struct RcloneStore {
    bridge: Arc<Bridge>,
    settings: Settings,
}

impl fmt::Debug for RcloneStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RcloneStore({})", self.settings.place())
    }
}

/// Asks again while that may help: what broke off half way rclone does not try again by itself.
async fn again<T, F: Future<Output = Result<T>>>(ask: impl Fn() -> F) -> Result<T> {
    let mut delay = FIRST_DELAY;
    for _ in 0..RETRIES {
        match ask().await {
            Err(error) if error.is_retryable() && error.code() != MISSING => {
                tracing::debug!(error = error.chain(), "rclone is asked again");
                tokio::time::sleep(delay).await;
                delay *= 2;
            }
            ended => return ended,
        }
    }
    ask().await
}

#[derive(Deserialize)]
struct Listed {
    list: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct About {
    free: Option<u64>,
}

#[derive(Deserialize)]
struct Stat {
    item: Option<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    path: String,
    size: i64,
    #[serde(default)]
    is_dir: bool,
}

impl RcloneStore {
    /// Checks the settings; calls nobody yet.
    pub fn open(access: &TargetAccess, bridge: Arc<Bridge>) -> Result<Self> {
        Ok(Self {
            bridge,
            settings: Settings::read(access)?,
        })
    }

    /// The root of the target as rclone takes it.
    fn fs(&self, remote: &Remote) -> String {
        format!("{}:{}", remote.name(), self.settings.root())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        command: &str,
        key: &ObjectKey,
        options: Value,
    ) -> Result<T> {
        self.call_at(command, Some(key), options).await
    }

    /// A call about a key, or about the whole place.
    async fn call_at<T: DeserializeOwned>(
        &self,
        command: &str,
        key: Option<&ObjectKey>,
        options: Value,
    ) -> Result<T> {
        let remote = self.bridge.remote(&self.settings).await?;
        let mut parameters = json!({
            "fs": self.fs(&remote),
            "remote": key.map_or("", ObjectKey::as_str),
        });
        if !options.is_null() {
            parameters["opt"] = options;
        }
        let answer = remote.call(command, &parameters).await;
        answer.map_err(|failure| match key {
            Some(key) => failure.explained(&self.settings, key),
            None => failure.explained(&self.settings, "all of it"),
        })
    }

    /// What is below a folder, or below the root, with keys that we could have made.
    async fn listed(
        &self,
        folder: Option<&ObjectKey>,
        options: Value,
    ) -> Result<Vec<(ObjectKey, Item)>> {
        let listed = || self.call_at::<Listed>("operations/list", folder, options.clone());
        let listed = again(listed).await;
        let items = match listed {
            Ok(listed) => listed.list.unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let keyed = |item: Item| {
            // Names that are no keys were not made by us.
            let key = ObjectKey::parse(&item.path).ok()?;
            Some((key, item))
        };
        Ok(items.into_iter().filter_map(keyed).collect())
    }
}

impl RcloneStore {
    async fn read_once(&self, key: &ObjectKey, range: &Range<u64>) -> Result<Bytes> {
        let remote = self.bridge.remote(&self.settings).await?;
        let read = remote.read(&self.fs(&remote), key, range).await;
        let failure = match read {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => return Ok(bytes),
            Ok(_) => ranges::too_few(key),
            Err(failure) => failure.explained(&self.settings, key),
        };
        Err(ranges::explained(self, key, range, failure).await)
    }

    async fn must_be_gone(&self, key: &ObjectKey) -> Result<()> {
        match self.stat(key).await? {
            None => Ok(()),
            Some(_) => Err(Error::forbidden(
                "access_denied",
                format!(
                    "{} does not let {key} be removed: check the rights of its user",
                    self.settings.place()
                ),
            )),
        }
    }

    /// Whether the storage says that it has no room for so many bytes. Some servers do not say why an upload failed.
    async fn is_full(&self, key: &ObjectKey, size: u64) -> bool {
        let about: Result<About> = self
            .call("operations/about", key, serde_json::Value::Null)
            .await;
        // Many can't say it.
        about.is_ok_and(|about| about.free.is_some_and(|free| free < size))
    }
}

#[async_trait]
impl ObjectStore for RcloneStore {
    fn layout(&self) -> Layout {
        Layout::Volumes {
            volume_bytes: VOLUME_BYTES,
            parallel: PARALLEL,
        }
    }

    async fn begin(&self, key: &ObjectKey) -> Result<Box<dyn ObjectWriter>> {
        Err(Error::invalid(
            "unsupported",
            format!("{key} can't be written piece by piece through rclone"),
        ))
    }

    async fn create(&self, key: &ObjectKey, body: Vec<Bytes>) -> Result<()> {
        if self.stat(key).await?.is_some() {
            return Err(Error::conflict(
                "object_exists",
                format!("{key} exists already on {}", self.settings.place()),
            ));
        }
        let remote = self.bridge.remote(&self.settings).await?;
        let size: usize = body.iter().map(Bytes::len).sum();
        let sent = remote.upload(&self.fs(&remote), key, body).await;
        let Err(failure) = sent else {
            return Ok(());
        };
        // Nothing was there before: a part that arrived is ours, and would be in the way of the next attempt.
        if let Err(error) = self.remove(key).await {
            tracing::debug!(%key, error = error.chain(), "what arrived of a failed upload may stay");
        }
        let error = failure.explained(&self.settings, key);
        match error.kind() {
            ErrorKind::Unavailable if self.is_full(key, size as u64).await => {
                Err(full(&self.settings, key))
            }
            _ => Err(error),
        }
    }

    async fn stat(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>> {
        let options = json!({ "noModTime": true, "noMimeType": true });
        let stat: Result<Stat> = self.call("operations/stat", key, options).await;
        match stat {
            Ok(stat) => Ok(stat
                .item
                .filter(|item| !item.is_dir)
                .map(|item| ObjectInfo {
                    key: key.clone(),
                    size: u64::try_from(item.size).unwrap_or_default(),
                    sha256: None,
                })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, key: &ObjectKey, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        again(|| self.read_once(key, &range)).await
    }

    async fn list(&self, folder: &ObjectKey) -> Result<Vec<ObjectInfo>> {
        let options = json!({
            "recurse": true, "filesOnly": true, "noModTime": true, "noMimeType": true,
        });
        let items = self.listed(Some(folder), options).await?;
        let info = |(key, item): (ObjectKey, Item)| ObjectInfo {
            key,
            size: u64::try_from(item.size).unwrap_or_default(),
            sha256: None,
        };
        Ok(items.into_iter().map(info).collect())
    }

    async fn folders(&self, folder: Option<&ObjectKey>) -> Result<Vec<ObjectKey>> {
        let options = json!({ "dirsOnly": true, "noModTime": true, "noMimeType": true });
        let items = self.listed(folder, options).await?;
        Ok(items.into_iter().map(|(key, _)| key).collect())
    }

    async fn remove(&self, key: &ObjectKey) -> Result<()> {
        let removed: Result<Value> = self.call("operations/deletefile", key, Value::Null).await;
        match removed {
            // Some backends take a refusal for an object that was gone, so whether it is gone is asked.
            Ok(_) => self.must_be_gone(key).await,
            Err(error) if error.kind() == ErrorKind::NotFound => self.must_be_gone(key).await,
            Err(error) => Err(error),
        }
    }

    async fn remove_all(&self, folder: &ObjectKey) -> Result<(u64, u64)> {
        let objects = self.list(folder).await?;
        let purged: Result<Value> = self.call("operations/purge", folder, Value::Null).await;
        let left = match purged {
            // Some servers call it done when a part could not be removed.
            Ok(_) => self.list(folder).await?,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::debug!(
                    error = error.chain(),
                    "a folder could not be removed at once, its objects are one by one"
                );
                objects.clone()
            }
        };
        for part in left.chunks(PARALLEL_DELETES) {
            try_join_all(part.iter().map(|info| self.remove(&info.key))).await?;
        }
        let bytes = objects.iter().map(|info| info.size).sum();
        Ok((objects.len() as u64, bytes))
    }
}
