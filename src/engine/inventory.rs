//! What lies on a target: the folders of records, task by task and month by month, with what their manifests say.
//!
//! Nothing but listings and manifests is read. A listing goes over one month of one task at a time, so that no target is too large for it.

use crate::manifest;
use backupx_core::Result;
use backupx_core::domain::inventory::{FoundBackup, InventoryPage};
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::Manifest;
use backupx_core::ports::objects::{ObjectInfo, ObjectStore};
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Manifests that are read at the same time.
const PARALLEL: usize = 16;
/// Bytes of manifests of one page: it has to go through the master's limit of a report.
const MOST_BYTES: u64 = 8 << 20;

/// Up to `limit` folders of records behind `after`, in the order of their keys, fewer when `until` is over or their manifests are long. An error when storage does not
/// answer; a folder that is no whole backup is in the answer and says why.
pub async fn inventory(
    store: &dyn ObjectStore,
    after: Option<&ObjectKey>,
    limit: usize,
    until: Instant,
) -> Result<InventoryPage> {
    let mut page = InventoryPage::default();
    let mut bytes = 0;
    for task in folders(store, None, after, |_| true).await? {
        for year in folders(store, Some(&task), after, |name| is_number(name, 4)).await? {
            for month in folders(store, Some(&year), after, |name| is_number(name, 2)).await? {
                let more =
                    of_month(store, &month, after, limit.max(1), &mut page, &mut bytes).await?;
                let is_over = !page.found.is_empty() && Instant::now() >= until;
                if more || is_over {
                    page.next = page.found.last().map(|found| found.location.clone());
                    return Ok(page);
                }
            }
        }
    }
    Ok(page)
}

/// Adds what lies in the folder of a month. True when the page is full before all of it was looked at.
async fn of_month(
    store: &dyn ObjectStore,
    month: &ObjectKey,
    after: Option<&ObjectKey>,
    limit: usize,
    page: &mut InventoryPage,
    bytes: &mut u64,
) -> Result<bool> {
    let mut records = BTreeMap::<ObjectKey, Vec<ObjectInfo>>::new();
    for object in store.list(month).await? {
        let below = object.key.as_str().strip_prefix(month.as_str());
        let name = below.and_then(|rest| rest.strip_prefix('/')?.split_once('/'));
        if let Some((name, _)) = name {
            records.entry(month.join(name)?).or_default().push(object);
        }
    }
    if let Some(after) = after {
        records.retain(|location, _| is_behind(location, after));
    }
    let mut left = records.len();
    let mut looks = stream::iter(records)
        .map(|(location, objects)| look(store, location, objects))
        .buffered(PARALLEL);
    while page.found.len() < limit && *bytes < MOST_BYTES {
        let Some((found, size)) = looks.try_next().await? else {
            break;
        };
        page.found.push(found);
        *bytes += size;
        left -= 1;
    }
    Ok(left > 0)
}

/// What one folder holds, and the bytes of its manifest.
async fn look(
    store: &dyn ObjectStore,
    location: ObjectKey,
    objects: Vec<ObjectInfo>,
) -> Result<(FoundBackup, u64)> {
    let mut found = FoundBackup {
        stored_bytes: objects.iter().map(|object| object.size).sum(),
        manifest: None,
        manifest_sha256: String::new(),
        problem: None,
        location,
    };
    let key = found.location.join(Manifest::FILE_NAME)?;
    let Some(told) = objects.iter().find(|object| object.key == key) else {
        found.problem = Some("it has no manifest: its run never ended".to_owned());
        return Ok((found, 0));
    };
    let bytes = match manifest::bytes_at(store, &key, told.size).await {
        Ok(bytes) => bytes,
        // It went since the listing, or may not be read: the others are still good.
        Err(error) if !error.is_retryable() => {
            found.problem = Some(error.chain());
            return Ok((found, 0));
        }
        Err(error) => return Err(error),
    };
    match manifest::parse(&key, &bytes) {
        Ok(mut manifest) => {
            found.problem = missing(&found.location, &manifest, &objects)?;
            for stream in &mut manifest.streams {
                stream.objects.clear();
            }
            found.manifest_sha256 = hex::encode(Sha256::digest(&bytes));
            found.manifest = Some(Box::new(manifest));
        }
        Err(error) => found.problem = Some(error.chain()),
    }
    Ok((found, told.size))
}

/// What the manifest names and the listing has not.
fn missing(
    location: &ObjectKey,
    manifest: &Manifest,
    objects: &[ObjectInfo],
) -> Result<Option<String>> {
    let sizes: BTreeMap<_, _> = objects
        .iter()
        .map(|object| (&object.key, object.size))
        .collect();
    for object in manifest.streams.iter().flat_map(|stream| &stream.objects) {
        match sizes.get(&location.join(&object.name)?) {
            Some(size) if *size == object.size => {}
            Some(size) => {
                return Ok(Some(format!(
                    "{} has {size} bytes instead of {}",
                    object.name, object.size
                )));
            }
            None => return Ok(Some(format!("{} is missing", object.name))),
        }
    }
    Ok(None)
}

/// The order of folders: a name that begins another one comes before it, whatever stands behind a `/`.
fn is_behind(key: &ObjectKey, after: &ObjectKey) -> bool {
    key.as_str().split('/').gt(after.as_str().split('/'))
}

/// Folders right below `folder` whose names are `wanted` and that may hold something behind `after`, by key.
async fn folders(
    store: &dyn ObjectStore,
    folder: Option<&ObjectKey>,
    after: Option<&ObjectKey>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<ObjectKey>> {
    let mut found: Vec<_> = store
        .folders(folder)
        .await?
        .into_iter()
        .filter(|key| wanted(key.file_name()))
        .filter(|key| after.is_none_or(|after| is_behind(key, after) || after.is_below(key)))
        .collect();
    found.sort();
    Ok(found)
}

fn is_number(name: &str, digits: usize) -> bool {
    name.len() == digits && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
