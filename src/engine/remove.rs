//! Removal: everything below one record's folder on one target.

use backupx_core::Result;
use backupx_core::domain::key::ObjectKey;
use backupx_core::domain::report::DeleteReport;
use backupx_core::ports::objects::ObjectStore;

/// Removes everything below `location`, the manifest first so that what is left of an interrupted removal is no backup.
pub async fn remove(store: &dyn ObjectStore, location: &ObjectKey) -> Result<DeleteReport> {
    store
        .remove(&location.join(backupx_core::domain::manifest::Manifest::FILE_NAME)?)
        .await?;
    let (objects, bytes) = store.remove_all(location).await?;
    Ok(DeleteReport { objects, bytes })
}
