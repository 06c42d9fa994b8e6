//! Manifests in storage: written last and once, read back to be sure, and understood only when the format is known.

use crate::create::create_surely;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::{Manifest, StoredStream};
use backupx_core::ports::objects::ObjectStore;
use backupx_core::{Error, Result};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// More than any manifest of the longest stream needs; what is larger is no manifest.
const MAX_BYTES: u64 = 256 << 20;

/// Reads the manifest at `location`. `NotFound` (`manifest_not_found`) when there is none: then there is no backup.
/// `Invalid` (`manifest_unreadable`, `format_too_new`) when it can't be understood.
pub async fn read_manifest(store: &dyn ObjectStore, location: &ObjectKey) -> Result<Manifest> {
    Ok(fetch(store, location).await?.manifest)
}

/// A manifest as it lies in storage.
pub(crate) struct Fetched {
    /// What it says.
    pub(crate) manifest: Manifest,
    /// Its size in bytes.
    pub(crate) size: u64,
}

/// Reads the manifest at `location` together with its size.
pub(crate) async fn fetch(store: &dyn ObjectStore, location: &ObjectKey) -> Result<Fetched> {
    let key = location.join(Manifest::FILE_NAME)?;
    let bytes = bytes_of(store, &key).await?;
    Ok(Fetched {
        manifest: parse(&key, &bytes)?,
        size: bytes.len() as u64,
    })
}

/// The bytes of the description at `key`. `NotFound` (`manifest_not_found`) when there is none.
pub(crate) async fn bytes_of(store: &dyn ObjectStore, key: &ObjectKey) -> Result<Bytes> {
    let Some(info) = store.stat(key).await? else {
        return Err(Error::not_found(
            "manifest_not_found",
            format!("there is no {key}: no finished backup lies here"),
        ));
    };
    bytes_at(store, key, info.size).await
}

/// The bytes of the description at `key`, whose size is known.
pub(crate) async fn bytes_at(store: &dyn ObjectStore, key: &ObjectKey, size: u64) -> Result<Bytes> {
    if size > MAX_BYTES {
        return Err(unreadable(
            key,
            format!("has {size} bytes, which no manifest has"),
        ));
    }
    store.read(key, 0..size).await
}

/// Creates the description `key` of what lies beside it and reads it back. Answers its size and SHA-256.
pub(crate) async fn write(
    store: &dyn ObjectStore,
    key: &ObjectKey,
    manifest: &impl Serialize,
) -> Result<(u64, String)> {
    let mut bytes = serde_json::to_vec_pretty(manifest).map_err(|error| {
        Error::internal("the manifest can't be written as JSON").with_source(error)
    })?;
    bytes.push(b'\n');
    let bytes = Bytes::from(bytes);
    let size = bytes.len() as u64;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    create_surely(store, key, std::slice::from_ref(&bytes), &sha256).await?;
    if store.read(key, 0..size).await? != bytes {
        return Err(Error::unavailable(
            "not_confirmed",
            format!(
                "{key} reads back differently from what was written: check the storage's disks"
            ),
        ));
    }
    Ok((size, sha256))
}

/// What the manifest `key` says.
pub(crate) fn parse(key: &ObjectKey, bytes: &[u8]) -> Result<Manifest> {
    let manifest: Manifest = understood(key, bytes, Manifest::FORMAT_VERSION)?;
    objects_beside(key, &manifest.streams)?;
    Ok(manifest)
}

/// What a description says, unless its format is newer than `newest`.
pub(crate) fn understood<T: DeserializeOwned>(
    key: &ObjectKey,
    bytes: &[u8],
    newest: u32,
) -> Result<T> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        format_version: u32,
    }
    let version: Version = serde_json::from_slice(bytes)
        .map_err(|error| unreadable(key, "is no manifest".to_owned()).with_source(error))?;
    if version.format_version > newest {
        return Err(Error::invalid(
            "format_too_new",
            format!(
                "{key} has storage format {}, this program reads up to {newest}: use a newer one",
                version.format_version,
            ),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        unreadable(key, "lacks what a manifest must have".to_owned()).with_source(error)
    })
}

/// Refuses a description that names objects in other folders than its own.
pub(crate) fn objects_beside(key: &ObjectKey, streams: &[StoredStream]) -> Result<()> {
    for object in streams.iter().flat_map(|stream| &stream.objects) {
        if object.name.contains('/') {
            return Err(unreadable(
                key,
                format!(
                    "names the object {:?}, which is not in its folder",
                    object.name
                ),
            ));
        }
    }
    Ok(())
}

pub(crate) fn unreadable(key: &ObjectKey, how: String) -> Error {
    Error::invalid("manifest_unreadable", format!("{key} {how}"))
}
