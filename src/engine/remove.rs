//! Removal: everything below one record's folder on one target.

use backupx_core::Result;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::manifest::Manifest;
use backupx_core::domain::report::DeleteReport;
use backupx_core::ports::objects::ObjectStore;

/// Removes everything below `location`, the manifest first so that what is left of an interrupted removal is no backup.
pub async fn remove(store: &dyn ObjectStore, location: &ObjectKey) -> Result<DeleteReport> {
    remove_described(store, location, Manifest::FILE_NAME).await
}

/// The same where the object that makes the rest exist is called `description`.
pub(crate) async fn remove_described(
    store: &dyn ObjectStore,
    location: &ObjectKey,
    description: &str,
) -> Result<DeleteReport> {
    store.remove(&location.join(description)?).await?;
    let (objects, bytes) = store.remove_all(location).await?;
    Ok(DeleteReport { objects, bytes })
}
