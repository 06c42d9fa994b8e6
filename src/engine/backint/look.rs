//! Looking what is there: one object, or all below a folder.

use crate::confirm::vouches_for_absence;
use crate::manifest::{bytes_of, objects_beside, understood, unreadable};
use backupx_core::Result;
use backupx_core::domain::backint::{BackintObject, Ebid};
use backupx_core::domain::key::ObjectKey;
use backupx_core::ports::objects::ObjectStore;
use std::collections::BTreeMap;

/// The object at `location`; nothing when there is none and storage vouches for that. A place that is not there is an error: a disk
/// that is not mounted has lost nothing.
pub async fn find(store: &dyn ObjectStore, location: &ObjectKey) -> Result<Option<BackintObject>> {
    let key = location.join(BackintObject::FILE_NAME)?;
    let bytes = match bytes_of(store, &key).await {
        Err(error) if error.code() == "manifest_not_found" => {
            vouches_for_absence(store, location).await?;
            return Ok(None);
        }
        found => found?,
    };
    let object: BackintObject = understood(&key, &bytes, BackintObject::FORMAT_VERSION)?;
    objects_beside(&key, std::slice::from_ref(&object.stream))?;
    if object.location.file_name() != location.file_name() {
        let how = format!("describes the object {}", object.ebid);
        return Err(unreadable(&key, how));
    }
    // It may have been moved with all that lies around it.
    Ok(Some(BackintObject {
        location: location.clone(),
        ..object
    }))
}

/// Whether nothing at all lies at `location`.
pub async fn is_clear(store: &dyn ObjectStore, location: &ObjectKey) -> Result<bool> {
    vouches_for_absence(store, location).await?;
    Ok(store.list(location).await?.is_empty())
}

/// A place where an object lies or was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The id of its object.
    pub ebid: Ebid,
    /// Its folder.
    pub location: ObjectKey,
    /// Whether it is finished.
    pub is_finished: bool,
    /// Bytes that lie there.
    pub bytes: u64,
}

/// All places below `folder`, by location. A place of storage that is not there is an error.
pub async fn list(store: &dyn ObjectStore, folder: &ObjectKey) -> Result<Vec<Place>> {
    vouches_for_absence(store, folder).await?;
    let mut places: BTreeMap<ObjectKey, Place> = BTreeMap::new();
    for info in store.list(folder).await? {
        let Some(location) = info.key.parent() else {
            continue;
        };
        // Folders that are called otherwise were not made by us.
        let Ok(ebid) = Ebid::parse(location.file_name()) else {
            continue;
        };
        let place = places.entry(location.clone()).or_insert(Place {
            ebid,
            location,
            is_finished: false,
            bytes: 0,
        });
        place.is_finished |= info.key.file_name() == BackintObject::FILE_NAME;
        place.bytes += info.size;
    }
    Ok(places.into_values().collect())
}
