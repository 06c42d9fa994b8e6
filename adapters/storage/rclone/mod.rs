//! Every backend of the host's rclone: one child for the whole process, spoken to over a private socket. Volumes go through memory; the
//! child itself lays a volume down for a moment, in a private folder, where a backend takes no stream.
//!
//! rclone knows no conditional create. Keys are never used twice, so a look before each create is enough to tell a mistake from a race
//! that can't be.

mod bridge;
mod error;
mod settings;

pub use bridge::Bridge;

use crate::volumes::{PARALLEL, VOLUME_BYTES};
use async_trait::async_trait;
use backupx_core::domain::access::TargetAccess;
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::{Layout, ObjectInfo, ObjectStore, ObjectWriter};
use backupx_core::{Error, ErrorKind, Result};
use bytes::Bytes;
use futures::future::try_join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use settings::Settings;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Single deletes at the same time, where a backend can't remove a folder at once.
const PARALLEL_DELETES: usize = 8;

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

#[derive(Deserialize)]
struct Listed {
    list: Option<Vec<Item>>,
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

    /// Where a key lies, seen from the backend's root.
    fn path(&self, key: &ObjectKey) -> String {
        match self.settings.root() {
            "" => key.to_string(),
            root => format!("{root}/{key}"),
        }
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
            "fs": format!("{}:", remote.name()),
            "remote": key.map_or_else(|| self.settings.root().to_owned(), |key| self.path(key)),
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
        let listed: Result<Listed> = self.call_at("operations/list", folder, options).await;
        let items = match listed {
            Ok(listed) => listed.list.unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let root = match self.settings.root() {
            "" => String::new(),
            root => format!("{root}/"),
        };
        let keyed = |item: Item| {
            let key = ObjectKey::parse(item.path.strip_prefix(&root)?).ok()?;
            Some((key, item))
        };
        Ok(items.into_iter().filter_map(keyed).collect())
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
        let sent = remote.upload(&self.path(key), body).await;
        sent.map_err(|failure| failure.explained(&self.settings, key))
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
        let remote = self.bridge.remote(&self.settings).await?;
        let read = remote.read(&self.path(key), &range).await;
        let failure = match read {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => return Ok(bytes),
            Ok(_) => Error::unavailable(
                "storage_unavailable",
                format!("{key} came back shorter than it was asked for"),
            ),
            Err(failure) => failure.explained(&self.settings, key),
        };
        // A range behind the end is answered in different ways; the size tells it from an answer that broke off.
        match self.stat(key).await {
            Ok(Some(info)) if info.size < range.end => Err(Error::invalid(
                "object_too_short",
                format!(
                    "{key} has {} bytes, bytes up to {} were expected",
                    info.size, range.end
                ),
            )),
            Ok(None) => Err(Error::not_found(
                "object_not_found",
                format!("{} has no {key}", self.settings.place()),
            )),
            Ok(_) | Err(_) => Err(failure),
        }
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
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn remove_all(&self, folder: &ObjectKey) -> Result<(u64, u64)> {
        let objects = self.list(folder).await?;
        let purged: Result<Value> = self.call("operations/purge", folder, Value::Null).await;
        match purged {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::debug!(
                    error = error.chain(),
                    "a folder could not be removed at once, its objects are one by one"
                );
                for part in objects.chunks(PARALLEL_DELETES) {
                    try_join_all(part.iter().map(|info| self.remove(&info.key))).await?;
                }
            }
        }
        let bytes = objects.iter().map(|info| info.size).sum();
        Ok((objects.len() as u64, bytes))
    }
}
